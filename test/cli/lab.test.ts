import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lab, spawnLab } from './lab.ts';

test('a shell gets what the function says: both outputs, the status, and its own input', async () => {
  const bad = 'scenario mine v0 design linux-4.2 inject nmi at task+2 expect count nmi-served 2';
  for (const [args, input] of [
    [[], ''],
    [['fly'], ''],
    [['run', '-'], bad],
    [['mail', '-', '--json'], bad.replace(/ expect.*/, '')],
  ] as const) {
    const { status, stdout, stderr } = await lab(args, input);
    expect({ args, ...spawnLab(args, input) }).toEqual({ args, status, stdout, stderr });
  }
});

test('help says what there is', async () => {
  const { status, stdout } = spawnLab(['--help']);
  expect(status).toBe(0);
  for (const name of ['run', 'sweep', 'list', 'asm', 'disasm', 'objtool', 'kernel', 'record', 'freeze']) {
    expect(stdout).toContain(name);
    const own = await lab([name, '--help']);
    expect({ name, status: own.status, usage: own.stdout.split(' ').slice(0, 3).join(' ') }).toEqual({
      name,
      status: 0,
      usage: `usage: lab ${name}`,
    });
  }
});

test('bad input is one sentence and status 2', async () => {
  const refused = async (...args: string[]) => {
    const { status, stderr } = await lab(args);
    return `${status} ${stderr}`;
  };
  expect(await refused()).toMatch(/^2 /);
  expect(await refused('fly')).toBe(
    '2 unknown command: fly (there is run, sweep, list, mail, link, explain, lint, asm, disasm, objtool, kernel, record, freeze, vectors)',
  );
  expect(await refused('run')).toBe('2 missing scenario: lab run FILE|SLUG|LINK|-');
  expect(await refused('run', 'nested')).toMatch(/^2 unknown scenario: nested \(there is .*nested-nmi.*\)$/);
  expect(await refused('run', 'nested-nmi', '--at', 'nowhere')).toMatch(
    /^2 unknown checkpoint: nowhere \(there is task, /,
  );
  expect(await refused('run', 'nested-nmi', '--pick', '0')).toBe('2 invalid pick: 0 (1 to 512)');
  expect(await refused('run', '--loud')).toMatch(/^2 unknown option '--loud'/);
  expect(await refused('disasm', '4')).toBe('2 invalid bytes: 4 has an odd number of digits');
  expect(await refused('disasm', '4g')).toBe('2 invalid bytes: "g" at character 2 is no hexadecimal digit');
  expect(await refused('asm', 'nowhere.s')).toBe('2 unknown file: nowhere.s');
  expect(await refused('asm', 'src')).toBe('2 unknown file: src');
  expect(await refused('lint', 'src')).toBe('2 unknown file: src');
  expect(await refused('run', 'src')).toMatch(/^2 unknown scenario: src /);
  expect(await refused('run', '/s/nested-nmi/v9#t1')).toMatch(
    /^2 cannot run: unknown version: nested-nmi v9 \(there is v0\)/,
  );
});

test('run prints story, traces and verdict; the JSON holds the same', async () => {
  const text = await lab(['run', 'nested-nmi']);
  expect(text.status).toBe(0);
  expect(text.stdout).toContain('NMI 2 interrupts nmi_body_int3+0x22. RSP starts again at T');
  expect(text.stdout).toContain('end[-14]: right: leads to S, the task.');
  expect(text.stdout).toMatch(/\nverdict returns; 255 boundaries, 3 deliveries, 2 NMIs served/);
  const { status, stdout } = await lab(['run', 'nested-nmi', '--json']);
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

test('a link runs, and a wrong digest is status 1', async () => {
  const { digest } = JSON.parse((await lab(['run', 'nested-nmi', '--json', '--at', 'repeat_nmi'])).stdout);
  const good = await lab(['run', `https://somewhere.example/x/s/nested-nmi/v0#t25~${digest}`]);
  expect({
    status: good.status,
    said: good.stdout.includes('same: the state is the one the link was made for'),
  }).toEqual({ status: 0, said: true });
  const other = await lab(['run', '/s/nested-nmi/v0#t25~ggggggg2']);
  expect(other.status).toBe(1);
  expect(other.stdout).toContain(`changed: the link was made for state ggggggg2, this is ${digest}.`);
});

test('a quoted recipe runs from standard input; a wrong expectation is status 1 with its place', async () => {
  const mail = [
    '> > scenario mine v0 design linux-4.2',
    '> > inject nmi at task+2 expect',
    '> > verdict returns expect count nmi-served 2',
  ];
  const { status, stderr, stdout } = await lab(['run', '-'], mail.join('\r\n'));
  expect(status).toBe(1);
  expect(stderr).toContain('expected nmi-served 2, got 1');
  expect(stdout).toContain('verdict returns');
});

test('a file is a recipe, a mail that quotes one, or a page with one scenario', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const runs = async (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    const { status, stdout, stderr } = await lab(['run', file, '--json']);
    return stdout
      ? `${status} ${JSON.parse(stdout).slug}`
      : `${status} ${stderr.replaceAll(/\S*lab-\w+\//g, '')}`;
  };
  const recipe = 'scenario mine v0\ndesign linux-4.2\ninject nmi at task+2\n';
  const page = (...recipes: readonly string[]) =>
    ['---', 'title: t', '---', ...recipes.map((one) => `\n\`\`\`scenario mine\n${one}\`\`\`\n`)].join('\n');
  expect(await runs('mine.txt', recipe)).toBe('0 mine');
  expect(await runs('saved.txt', `Hello,\n\n${recipe.replace(/^/gm, '> ')}\n\nBye\n`)).toBe('0 mine');
  // Nothing of a recipe is passed over, as words below one in a mail are.
  expect(await runs('worse.txt', `${recipe}\nBye bye\n`)).toMatch(/^2 worse.txt:5:1: unknown key: Bye/);
  expect(await runs('none.txt', 'Hello\n')).toMatch(/^2 missing scenario: neither /);
  expect(await runs('mine.mdx', page(recipe))).toBe('0 mine');
  expect(await runs('none.mdx', page())).toBe('2 missing scenario: none.mdx has none');
});

test('list, asm, disasm', async () => {
  const rows = JSON.parse((await lab(['list', '--json'])).stdout);
  expect(rows).toContainEqual({
    slug: 'nested-nmi',
    title: 'A second NMI in the wake of a breakpoint',
    design: 'linux-4.2',
  });
  const { status, stdout } = await lab(['asm', 'notebooks/designs/linux-4.2.mdx']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/48cf +iretq +nmi_iret\+0x0 +notebooks\/designs\/linux-4\.2\.mdx:\d+\n/);
  const wrong = await lab(['asm', '-'], '\t.text\nx:\tmovqq %rax, %rbx\n\tnop\n\tpushq %rxx\n');
  expect(wrong.status).toBe(2);
  expect(wrong.stderr.split('\n')).toHaveLength(2);
  expect(wrong.stderr).toMatch(/^standard input:2:4: unknown mnemonic: movqq/);
  expect(JSON.parse((await lab(['disasm', '48 cf 0f0b', '--json'])).stdout)).toEqual([
    { offset: 0, bytes: '48cf', text: 'iretq' },
    { offset: 2, bytes: '0f0b', text: 'ud2' },
  ]);
});

test('objtool: rows and warnings of a page it has never seen', async () => {
  const page = 'test/unwind/fixture/never-seen.mdx';
  const { status, stdout, stderr } = await lab(['objtool', page]);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'ffffffff81600000  nmi+0x0                      sp:sp+0 bp:(und) type:regs-partial signal:1',
    'ffffffff81600002  nmi+0x2                      sp:sp+8 bp:(und) type:regs-partial signal:1',
    'ffffffff8160000a  nmi+0xa                      sp:sp+16 bp:(und) type:regs-partial signal:1',
  ]);
  expect(stderr).toBe(
    `warning: ${page}:14:4: stack state mismatch: one path arrives with regs-partial at sp+16, another with regs-partial at sp+8`,
  );
  expect(status).toBe(1);
  const told = JSON.parse((await lab(['objtool', page, '--json'])).stdout) as {
    rows: object[];
    warnings: object[];
  };
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
  expect(await lab(['objtool', 'notebooks/designs/linux-4.2.mdx'])).toMatchObject({ status: 0, stderr: '' });
  expect(await lab(['objtool', '-'], '\tmovqq\n')).toMatchObject({ status: 2, stdout: '' });
  expect((await lab(['objtool', 'nowhere.mdx'])).stderr).toBe('unknown file: nowhere.mdx');
});
