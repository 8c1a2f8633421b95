import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Runs `lab` as a shell would. */
function lab(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('node', ['src/cli/main.ts', ...args], {
    encoding: 'utf8',
    input,
  });
  return { status, stdout, stderr: stderr.trim() };
}

test('help says what there is', () => {
  const { status, stdout } = lab(['--help']);
  expect(status).toBe(0);
  for (const name of ['run', 'sweep', 'list', 'asm', 'disasm', 'objtool', 'record', 'freeze']) {
    expect(stdout).toContain(name);
    const own = lab([name, '--help']);
    expect({ name, status: own.status, usage: own.stdout.split(' ').slice(0, 3).join(' ') }).toEqual({
      name,
      status: 0,
      usage: `usage: lab ${name}`,
    });
  }
});

test('bad input is one sentence and status 2', () => {
  const refused = (...args: string[]) => {
    const { status, stderr } = lab(args);
    return `${status} ${stderr}`;
  };
  expect(refused()).toMatch(/^2 /);
  expect(refused('fly')).toBe(
    '2 unknown command: fly (there is run, sweep, list, mail, link, explain, lint, asm, disasm, objtool, record, freeze, vectors)',
  );
  expect(refused('run')).toBe('2 missing scenario: lab run FILE|SLUG|LINK|-');
  expect(refused('run', 'nested')).toMatch(/^2 unknown scenario: nested \(there is .*nested-nmi.*\)$/);
  expect(refused('run', 'nested-nmi', '--at', 'nowhere')).toMatch(
    /^2 unknown checkpoint: nowhere \(there is task, /,
  );
  expect(refused('run', 'nested-nmi', '--pick', '0')).toBe('2 invalid pick: 0 (1 to 512)');
  expect(refused('run', '--loud')).toMatch(/^2 unknown option '--loud'/);
  expect(refused('disasm', '4')).toBe('2 invalid bytes: 4 has an odd number of digits');
  expect(refused('disasm', '4g')).toBe('2 invalid bytes: "g" at character 2 is no hexadecimal digit');
  expect(refused('asm', 'nowhere.s')).toBe('2 unknown file: nowhere.s');
  expect(refused('asm', 'src')).toBe('2 unknown file: src');
  expect(refused('lint', 'src')).toBe('2 unknown file: src');
  expect(refused('run', 'src')).toMatch(/^2 unknown scenario: src /);
  expect(refused('run', '/s/nested-nmi/v9#t1')).toMatch(
    /^2 cannot run: unknown version: nested-nmi v9 \(there is v0\)/,
  );
});

test('run prints story, traces and verdict; the JSON holds the same', () => {
  const text = lab(['run', 'nested-nmi']);
  expect(text.status).toBe(0);
  expect(text.stdout).toContain('NMI 2 interrupts nmi_body_int3+0x22. RSP starts again at T');
  expect(text.stdout).toContain('end[-14]: right: leads to S, the task.');
  expect(text.stdout).toMatch(/\nverdict returns; 255 boundaries, 3 deliveries, 2 NMIs served/);
  const { status, stdout } = lab(['run', 'nested-nmi', '--json']);
  expect(status).toBe(0);
  const data = JSON.parse(stdout);
  expect(data).toMatchObject({ slug: 'nested-nmi', version: 0, steps: 255, verdict: 'returns' });
  expect(data.digest).toMatch(/^[\dbcdfghjklmnpqrstvwxz]{8}$/);
  expect(data.traces.map((trace: { unwinder: string }) => trace.unwinder)).toEqual([
    'end-2',
    'end-9',
    'end-14',
    'frame-pointer',
  ]);
  expect(data.story.length).toBeGreaterThan(10);
});

test('a link runs, and a wrong digest is status 1', () => {
  const { digest } = JSON.parse(lab(['run', 'nested-nmi', '--json', '--at', 'repeat_nmi']).stdout);
  const good = lab(['run', `https://somewhere.example/x/s/nested-nmi/v0#t25~${digest}`]);
  expect({
    status: good.status,
    said: good.stdout.includes('same: the state is the one the link was made for'),
  }).toEqual({ status: 0, said: true });
  const other = lab(['run', '/s/nested-nmi/v0#t25~ggggggg2']);
  expect(other.status).toBe(1);
  expect(other.stdout).toContain(`changed: the link was made for state ggggggg2, this is ${digest}.`);
});

test('a quoted recipe runs from standard input; a wrong expectation is status 1 with its place', () => {
  const mail = [
    '> > scenario mine v0 design linux-4.2',
    '> > inject nmi at task+2 expect',
    '> > verdict returns expect count nmi-served 2',
  ];
  const { status, stderr, stdout } = lab(['run', '-'], mail.join('\r\n'));
  expect(status).toBe(1);
  expect(stderr).toContain('expected nmi-served 2, got 1');
  expect(stdout).toContain('verdict returns');
});

test('list, asm, disasm', () => {
  const rows = JSON.parse(lab(['list', '--json']).stdout);
  expect(rows).toContainEqual({
    slug: 'nested-nmi',
    title: 'A second NMI in the wake of a breakpoint',
    design: 'linux-4.2',
  });
  const { status, stdout } = lab(['asm', 'notebooks/designs/linux-4.2.mdx']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/48cf +iretq +nmi_iret\+0x0 +notebooks\/designs\/linux-4\.2\.mdx:\d+\n/);
  const wrong = lab(['asm', '-'], '\t.text\nx:\tmovqq %rax, %rbx\n\tnop\n\tpushq %rxx\n');
  expect(wrong.status).toBe(2);
  expect(wrong.stderr.split('\n')).toHaveLength(2);
  expect(wrong.stderr).toMatch(/^standard input:2:4: unknown mnemonic: movqq/);
  expect(JSON.parse(lab(['disasm', '48 cf 0f0b', '--json']).stdout)).toEqual([
    { offset: 0, bytes: '48cf', text: 'iretq' },
    { offset: 2, bytes: '0f0b', text: 'ud2' },
  ]);
});

test('objtool: rows and warnings of a page it has never seen', () => {
  const page = 'test/unwind/fixture/never-seen.mdx';
  const { status, stdout, stderr } = lab(['objtool', page]);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'ffffffff81600000  nmi+0x0                      sp:sp+0 bp:(und) type:regs-partial signal:1',
    'ffffffff81600002  nmi+0x2                      sp:sp+8 bp:(und) type:regs-partial signal:1',
    'ffffffff8160000a  nmi+0xa                      sp:sp+16 bp:(und) type:regs-partial signal:1',
  ]);
  expect(stderr).toBe(
    `warning: ${page}:14:4: stack state mismatch: one path arrives with regs-partial at sp+16, another with regs-partial at sp+8`,
  );
  expect(status).toBe(1);
  const told = JSON.parse(lab(['objtool', page, '--json']).stdout) as { rows: object[]; warnings: object[] };
  expect(told.rows).toHaveLength(5);
  expect(told.rows[1]).toEqual({
    address: '0xffffffff81600002',
    base: 'sp',
    offset: 8,
    bpBase: 'undefined',
    bpOffset: 0,
    type: 'regs-partial',
    signal: true,
  });
  expect(told.warnings).toMatchObject([{ page, line: 14, column: 4 }]);
  expect(lab(['objtool', 'notebooks/designs/linux-4.2.mdx'])).toMatchObject({ status: 0, stderr: '' });
  expect(lab(['objtool', '-'], '\tmovqq\n')).toMatchObject({ status: 2, stdout: '' });
  expect(lab(['objtool', 'nowhere.mdx']).stderr).toBe('unknown file: nowhere.mdx');
});
