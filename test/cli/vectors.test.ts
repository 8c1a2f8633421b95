import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { checkVectors, failureText } from '../../src/cli/vectors/check.ts';
import { GOLDEN } from '../reference/golden.ts';
import { lab as labText, type Said, spawnLab } from './lab.ts';

const inLines = ({ status, stdout, stderr }: Said) => ({
  status,
  lines: stdout.trimEnd().split('\n'),
  stderr,
});
const lab = async (...given: Parameters<typeof labText>) => inLines(await labText(...given));

const REGISTERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');
const state = (changes: object = {}) => ({
  ...Object.fromEntries(REGISTERS.map((name) => [name, '0x0'])),
  rsp: '0x20008000',
  rip: '0x10000000',
  rflags: '0x202',
  mem: [],
  ...changes,
});
/** One line; `before` and `after` are what is special. */
const line = (bytes: string, before: object, after: object, more: object = {}): string =>
  JSON.stringify({
    id: 'one',
    class: 'test',
    att: '',
    bytes,
    in: state(before),
    out: state(after),
    fault: null,
    undef: '0x0',
    ...more,
  });
const ADD = line(
  '4801d8',
  { rax: '0x1', rbx: '0x2' },
  { rax: '0x3', rbx: '0x2', rip: '0x10000003', rflags: '0x206' },
);

const golden = (): Uint8Array => gunzipSync(readFileSync(GOLDEN));

/** Failures as text. */
function failuresOf(...lines: readonly string[]): readonly string[] {
  const failures: string[] = [];
  const { problems } = checkVectors(Buffer.from(lines.join('\n')), (one) => failures.push(failureText(one)));
  return [...failures, ...problems.map(({ line: at, problem }) => `${at}: ${problem}`)];
}

test('the engine does what a processor did: 500 vectors of every class', async () => {
  const failures: string[] = [];
  const { failed, problems, classes } = checkVectors(golden(), (one) => failures.push(failureText(one)));
  expect(failures.slice(0, 20)).toEqual([]);
  expect({ failed, problems }).toEqual({ failed: 0, problems: [] });
  expect(classes.size).toBeGreaterThanOrEqual(20);
  for (const [name, count] of classes) expect({ name, enough: count >= 500 }).toEqual({ name, enough: true });
});

test('a vector that says something else fails in the field that differs', async () => {
  const vectors = Buffer.from(golden()).toString().trimEnd().split('\n');
  const [plain, fault] = [/"mem":\[\]},"fault":null,"undef":"0x0"}$/, /"fault":"#PF"/].map((kind) =>
    JSON.parse(vectors.find((text) => kind.test(text)) ?? ''),
  );
  const changed = (vector: { out: object }, out: object, more: object = {}) => {
    const [first = ''] = failuresOf(JSON.stringify({ ...vector, ...more, out: { ...vector.out, ...out } }));
    return /: (\S+): expected /.exec(first)?.[1];
  };
  for (const name of [...REGISTERS, 'rip', 'rflags', 'fsbase', 'gsbase'])
    expect(changed(plain, { [name]: '0x123456789abcd0' })).toBe(name);
  expect(changed(plain, { mem: [['0x2000abcd', '5a']] })).toBe('mem[0x2000abcd]');
  expect(changed(plain, {}, { fault: '#GP' })).toBe('fault');
  expect(changed(fault, { cr2: '0x5' })).toBe('cr2');
  expect(changed(fault, {}, { fault: null })).toBe('fault');
  expect(changed(plain, {})).toBeUndefined();
});

test('what is undefined is not compared, all else is', async () => {
  const shift = (after: object, more: object) =>
    failuresOf(line('48c1e002', { rax: '0x1' }, { rax: '0x4', rip: '0x10000004', ...after }, more));
  expect(shift({ rflags: '0xa12' }, { undef: '0x810' })).toEqual([]);
  expect(shift({ rflags: '0xa12' }, { undef: '0x10' })).toEqual(['one: rflags: expected 0xa12, got 0x202']);
  const scan = (after: object, more: object) =>
    failuresOf(
      line(
        '0fbcd8',
        { rbx: '0x7' },
        { rip: '0x10000003', rflags: '0x246', ...after },
        { undef: '0x895', ...more },
      ),
    );
  expect(scan({ rbx: '0x99' }, { undefdst: true })).toEqual([]);
  expect(scan({ rbx: '0x99' }, {})).toEqual(['one: rbx: expected 0x99, got 0x7']);
  expect(scan({ rbx: '0x99', rcx: '0x1' }, { undefdst: true })).toEqual(['one: rcx: expected 0x1, got 0x0']);
});

test('faults and traps as a handler sees them; a repeated instruction runs whole', async () => {
  expect(
    failuresOf(
      line('cc', {}, { rip: '0x10000001' }, { fault: '#BP' }),
      line('cd03', {}, { rip: '0x10000002' }, { fault: '#BP' }),
      line('f1', {}, { rip: '0x10000001' }, { fault: '#DB' }),
      line('cd05', {}, {}, { fault: '#GP' }),
      line('0f0b', {}, {}, { fault: '#UD' }),
      line('f7f3', { rax: '0x5' }, { rax: '0x5' }, { fault: '#DE' }),
      line('58', { rsp: '0x8000000000000000' }, { rsp: '0x8000000000000000' }, { fault: '#SS' }),
      line('8b03', { rbx: '0x30000000' }, { rbx: '0x30000000', cr2: '0x30000000' }, { fault: '#PF' }),
      line(
        'a5',
        { rdi: '0x10000000', rsi: '0x20000000' },
        { rdi: '0x10000000', rsi: '0x20000000', cr2: '0x10000000' },
        { fault: '#PF' },
      ),
      // Over the end of the page.
      line('4801d8', { rip: '0x10000ffe' }, { rip: '0x10000ffe', cr2: '0x10001000' }, { fault: '#PF' }),
      line(
        'f3aa',
        { rax: '0x7', rcx: '0x3', rdi: '0x20000010' },
        { rax: '0x7', rdi: '0x20000013', rip: '0x10000002', mem: [['0x20000010', '070707']] },
      ),
      // All the data, and then a fault.
      line(
        'f3aa',
        { rcx: '0x20000', rdi: '0x20000000' },
        { rcx: '0x10000', rdi: '0x20010000', cr2: '0x20010000' },
        { fault: '#PF' },
      ),
      ADD,
    ),
  ).toEqual([]);
});

test('plain, gzipped or from standard input; 0, 1 and 2', async () => {
  expect(await lab(['vectors', '-'], `\n${ADD}\n\n`)).toMatchObject({
    status: 0,
    lines: ['1 passed, 0 failed'],
  });
  expect(inLines(spawnLab(['vectors', '-'], gzipSync(ADD)))).toMatchObject({
    status: 0,
    lines: ['1 passed, 0 failed'],
  });
  const wrong = ADD.replace('"rax":"0x3"', '"rax":"0x4"').replace('"att":""', '"att":"add %rbx,%rax"');
  expect(await lab(['vectors', '-'], `${wrong}\n${ADD}`)).toEqual({
    status: 1,
    lines: ['one add %rbx,%rax: rax: expected 0x4, got 0x3', '1 passed, 1 failed'],
    stderr: '',
  });
  const { status, lines } = await lab(['vectors', '-', '--json'], `${wrong}\n${ADD}`);
  expect(status).toBe(1);
  expect(JSON.parse(lines.join('\n'))).toEqual({
    passed: 1,
    failed: 1,
    mismatches: [{ id: 'one', line: 1, field: 'rax', expected: '0x4', got: '0x3' }],
    problems: [],
  });
});

test('bad lines are one sentence each, with their number', async () => {
  const bad = [
    '{',
    '[]',
    ADD.replace('"id":"one",', ''),
    ADD.replace('"4801d8"', '"48 01"'),
    ADD.replace('"rbx":"0x2"', '"rbx":2'),
    ADD.replace('"mem":[]', '"mem":[["0x30000000","00"]]'),
    ADD.replace('"fault":null', '"fault":"#XX"'),
    ADD.replace('"fault":null', '"undefdst":1,"fault":null'),
    ADD.replace('"rip":"0x10000003",', ''),
  ];
  const { status, lines, stderr } = await lab(['vectors', '-'], [ADD, ...bad].join('\n'));
  expect({ status, lines }).toEqual({ status: 2, lines: ['1 passed, 9 failed'] });
  expect(stderr.split('\n')).toEqual([
    'standard input:2: invalid JSON: "{"',
    'standard input:3: invalid vector: [] is no object',
    'standard input:4: missing id',
    'standard input:5: invalid bytes: "48 01" is no pairs of hexadecimal digits',
    'standard input:6: invalid in.rbx: 2 is no number such as "0x1f"',
    'standard input:7: invalid in.mem: ["0x30000000","00"] lies outside the data',
    'standard input:8: unknown fault: "#XX"',
    'standard input:9: invalid undefdst: 1 is neither true nor false',
    'standard input:10: missing out.rip',
  ]);
  expect(await lab(['vectors', '-'])).toMatchObject({ status: 2, stderr: 'standard input: missing vectors' });
  expect(await lab(['vectors'])).toMatchObject({ status: 2, stderr: 'missing file: lab vectors FILE|-' });
  expect(await lab(['vectors', 'src'])).toMatchObject({
    status: 2,
    stderr: 'invalid file: src is a directory',
  });
  expect(await lab(['vectors', '-'], Uint8Array.of(0x1f, 0x8b, 8, 0))).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^standard input: invalid gzip data: .+$/),
  });
});

test('asm --lines: each row alone behind the prelude', async () => {
  const rows = [
    'mov %rax,%rbx\t48 89 c3',
    '# a remark',
    '',
    'mov\t%rax,%rbx\t4889C3',
    '1: jmp 1b\tebfe',
    '1: jmp 1b\tebfe',
    'nop\t91',
    'fly\t90',
  ];
  expect(await lab(['asm', '-', '--lines'], rows.join('\n'))).toEqual({
    status: 1,
    lines: [
      'standard input:7: nop: expected 91, got 90',
      'standard input:8: fly: expected 90, got unknown mnemonic: fly',
      '4 passed, 2 failed',
    ],
    stderr: '',
  });
  const prelude = 'test/cli/prelude.txt';
  expect(
    await lab(['asm', '-', '--lines', '--prelude', prelude], 'twice %rbx\t5353\nmov $ONE,%al\tb001\n'),
  ).toEqual({
    status: 0,
    lines: ['2 passed, 0 failed'],
    stderr: '',
  });
  const broken = await lab(['asm', '-', '--lines', '--json'], 'nop 90\nnop\t90\n');
  expect(broken.status).toBe(2);
  expect(broken.stderr).toBe('standard input:1: invalid row: "nop 90" is not text, TAB and bytes');
  expect(JSON.parse(broken.lines.join('\n'))).toMatchObject({ passed: 1, failed: 1 });
  expect(await lab(['asm', '-', '--prelude', prelude], 'nop')).toMatchObject({
    status: 2,
    stderr: 'invalid option: --prelude belongs to --lines',
  });
  expect(await lab(['asm', '-', '--lines', '--prelude', 'no.s'], 'nop')).toMatchObject({
    status: 2,
    stderr: 'unknown file: no.s',
  });
  expect(await lab(['asm', '-', '--lines'], '# nothing\n')).toMatchObject({
    status: 2,
    stderr: 'standard input: missing rows',
  });
});
