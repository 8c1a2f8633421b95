import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bzImage, deb, lz4, vmlinux } from '../image/build/kernel.ts';
import { KERNEL_TEXT, runningKernel } from '../image/build/running-kernel.ts';
import { lab } from './lab.ts';

let folder = '';
const file = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kernel-'));
  const image = vmlinux();
  writeFileSync(file('vmlinux'), image);
  writeFileSync(file('running'), runningKernel());
  writeFileSync(file('vmlinuz'), bzImage(lz4(image), image.length));
  writeFileSync(file('kernel.deb'), deb(bzImage(lz4(image), image.length)));
});
afterAll(() => rmSync(folder, { recursive: true }));

const said = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await lab(['kernel', ...args]);
  return `${status} ${status === 0 ? stdout.trim() : stderr}`;
};

test('info of a package', async () => {
  const { stdout } = await lab(['kernel', file('kernel.deb'), 'info']);
  expect(stdout).toContain('version:   0.0.1\n');
  expect(stdout).toContain('file:      package, boot/vmlinuz-0.0.1: bzImage, lz4: vmlinux\n');
  expect(stdout).toContain('unwinder:  orc, 4 rows in the format of 6.4\n');
  expect(stdout).toContain('IST:\n  2  NMI  asm_exc_nmi\n');
  const { stdout: text } = await lab(['kernel', file('kernel.deb'), 'info', '--json']);
  expect(JSON.parse(text)).toMatchObject({
    version: '0.0.1',
    buildId: 'cafebabe',
    packed: { package: true, compression: 'lz4' },
  });
});

test('symbols by a part of their name', async () => {
  expect(await said(file('vmlinuz'), 'symbols', 'exc_n')).toBe('0 ffffffff81000100 T asm_exc_nmi');
  expect(await said(file('vmlinuz'), 'symbols', 'exc_x')).toBe('1 unknown symbol: exc_x');
});

test('code as linked says what may be written over it; with features it is', async () => {
  const linked = await said(file('vmlinux'), 'disasm', 'asm_exc_nmi');
  expect(linked).toContain('+0x0    0f1f00                 nopl (%rax)  ; if 9*32+20: 0f01ca\n');
  expect(linked).toContain('inner_label:\n');
  const patched = await said(file('vmlinux'), 'disasm', 'asm_exc_nmi', '--features', '9*32+20,xenpv');
  expect(patched).toContain('+0x0    0f01ca                 clac\n');
  expect(patched).toContain('0f1f8000000000         nopl (%rax)\n');
  const { stdout } = await lab(['kernel', file('vmlinux'), 'disasm', 'ffffffff81000120', '--json']);
  expect(JSON.parse(stdout).rows.map(({ text }: { text: string }) => text)).toEqual(['xor %eax,%eax', 'ret']);
});

test('ORC rows stand before the instruction that they are in force at', async () => {
  expect((await said(file('vmlinux'), 'disasm', 'asm_exc_nmi', '--orc')).split('\n').slice(0, 6)).toEqual([
    '0 asm_exc_nmi: text as linked',
    'asm_exc_nmi:',
    '      orc sp:sp+0 bp:(und) type:regs-partial signal:1',
    '  ffffffff81000100 +0x0    0f1f00                 nopl (%rax)  ; if 9*32+20: 0f01ca',
    '      orc sp:sp+8 bp:(und) type:regs-partial signal:1',
    '  ffffffff81000103 +0x3    fc                     cld',
  ]);
  const rows = await said(file('vmlinux'), 'disasm', 'asm_exc_nmi', '--orc');
  expect(rows.match(/^ +orc /gm)).toHaveLength(2);
  const patched = await said(file('vmlinux'), 'disasm', 'asm_exc_nmi', '--orc', '--features', 'none');
  expect(patched).toContain('asm_exc_nmi: text patched for a processor with: none\n');
});

test('ORC rows of a routine', async () => {
  expect(await said(file('vmlinux'), 'orc', 'asm_exc_nmi')).toBe(
    [
      '0 ffffffff81000100 +0x0     asm_exc_nmi              sp:sp+0 bp:(und) type:regs-partial signal:1',
      'ffffffff81000103 +0x3     asm_exc_nmi+0x3          sp:sp+8 bp:(und) type:regs-partial signal:1',
    ].join('\n'),
  );
});

test('a capsule is written, never over another file, and opens like the kernel', async () => {
  expect(await said(file('vmlinuz'), 'capsule', file('nmi.gz'), 'asm_exc_nmi')).toMatch(
    /^0 .*nmi\.gz: asm_exc_nmi; \d+ bytes$/,
  );
  const whole = await said(file('vmlinuz'), 'disasm', 'asm_exc_nmi', '--orc');
  expect(await said(file('nmi.gz'), 'disasm', 'asm_exc_nmi', '--orc')).toBe(whole);
  expect(await said(file('nmi.gz'), 'info')).toContain('file:      capsule of asm_exc_nmi\n');
  expect(await said(file('vmlinuz'), 'capsule', file('nmi.gz'), 'asm_exc_nmi')).toMatch(
    /^2 invalid file: .*nmi\.gz is there already$/,
  );
  expect(await said(file('vmlinuz'), 'capsule', file('x'))).toBe(
    '2 missing symbol: lab kernel FILE capsule OUT SYMBOL...',
  );
  expect(await said(file('vmlinuz'), 'capsule', file('x'), 'asm_exc')).toBe(
    '1 unknown symbol: asm_exc (there is asm_exc_nmi)',
  );
});

test('two kernels: the same, not the same, and one that cannot be opened', async () => {
  const { status, stdout } = await lab(['kernel', file('vmlinux'), 'diff', file('kernel.deb'), '--json']);
  expect([status, JSON.parse(stdout)]).toEqual([
    0,
    { same: true, routines: ['asm_exc_nmi'], differences: [] },
  ]);
  const other = vmlinux();
  const text = other.findIndex((_, n) => [0x0f, 0x1f, 0, 0xfc].every((byte, m) => other[n + m] === byte));
  other[text + 3] = 0xfd;
  writeFileSync(file('other'), other);
  const differs = await lab(['kernel', file('vmlinux'), 'diff', file('other')]);
  expect([differs.status, differs.stdout.split('\n').slice(0, 4)]).toEqual([
    1,
    ['asm_exc_nmi:', '  code:', '  - cld', '  + std'],
  ]);
  expect(await said(file('vmlinux'), 'diff', 'nowhere')).toBe('2 unknown file: nowhere');
  expect(await said(file('vmlinux'), 'diff')).toBe('2 missing other kernel: lab kernel FILE diff OTHER');
});

test('two kernels and what a sweep of each finds', async () => {
  writeFileSync(
    file('forgetful'),
    runningKernel(KERNEL_TEXT.replace('\tret', '\tmov %rsp, 80(%rdi)\n\tret')),
  );
  const line = [
    'kernel',
    file('running'),
    'diff',
    file('forgetful'),
    '--sweep',
    '--path',
    'syscall',
    '--events',
    'nmi',
  ];
  const { status, stdout } = await lab([...line, '--json']);
  const { same, sweep } = JSON.parse(stdout);
  expect([status, same, sweep.path, sweep.schedules]).toEqual([1, false, 'syscall', ['nmi']]);
  expect(sweep.differences[0]).toMatchObject({
    first: sweep.differences[0].second,
    verdicts: { nmi: ['returned', 'broken'] },
  });
  const lines = (await lab(line)).stdout.trim().split('\n');
  expect(lines.at(-1)).toMatch(
    /^\d+ differ at \d+ boundaries that both have; 0 only in the first, 0 only in the second$/,
  );
  expect(await said(file('running'), 'diff', file('running'), '--sweep', '--events', 'smi')).toMatch(
    /^2 unknown event: smi/,
  );
});

test('mistakes are one sentence', async () => {
  expect(await said()).toBe('2 missing file: lab kernel FILE info');
  expect(await said('nowhere', 'info')).toBe('2 unknown file: nowhere');
  expect(await said(file('vmlinux'))).toBe(
    '2 missing action: lab kernel FILE ACTION (there is info, symbols, disasm, orc, run, sweep, capsule, diff)',
  );
  expect(await said(file('vmlinux'), 'inof')).toBe(
    '2 unknown action: inof (did you mean info?) (there is info, symbols, disasm, orc, run, sweep, capsule, diff)',
  );
  expect(await said(file('vmlinux'), 'disasm')).toBe('2 missing symbol: lab kernel FILE disasm SYMBOL');
  expect(await said(file('vmlinux'), 'info', 'me')).toBe('2 unknown argument: me');
  expect(await said(file('vmlinux'), 'disasm', 'asm_exc')).toBe(
    '1 unknown symbol: asm_exc (there is asm_exc_nmi)',
  );
  expect(await said(file('vmlinux'), 'disasm', 'asm_exc_nmi', '--features', 'xenvp')).toBe(
    '2 unknown feature: xenvp (did you mean xenpv?)',
  );
  writeFileSync(file('short'), vmlinux().subarray(0, 100));
  expect(await said(file('short'), 'info')).toMatch(
    /^2 truncated ELF section headers: .* \(ELF section headers, at 0x/,
  );
});

test('run: a quiet NMI, and a machine check on the way', async () => {
  expect((await lab(['kernel', file('running'), 'run'])).stdout.split('\n')).toEqual([
    'verdict:   returned',
    'path:      nmi from kernel mode, 42 transitions, ends at do_syscall_64',
    'text:      linked',
    'cut:       nothing that was called',
    'ORC:       43 of 43 boundaries right, 0 reported by the unwinder itself, 0 wrong or short in silence',
    '',
  ]);
  const { stdout } = await lab([
    ...['kernel', file('running'), 'run', '--event', 'mc', '--at', 'exc_nmi', '--user', '--json'],
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'returned',
    user: true,
    struck: [{ event: 'mc', at: 'exc_nmi' }],
    cut: ['do_machine_check'],
  });
});

test('sweep: what breaks is printed with the run that shows it', async () => {
  const { status, stdout } = await lab([
    'kernel',
    file('running'),
    'sweep',
    '--path',
    'syscall',
    '--events',
    'nmi',
  ]);
  expect(status).toBe(1);
  expect(stdout).toContain('verdict:   47 of 49 runs returned, 2 broken, 0 stopped\n');
  const recipe = /run (--path .*--at syscall_exit\+0x3)$/m.exec(stdout)?.[1]?.split(' ') ?? [];
  const again = await lab(['kernel', file('running'), 'run', ...recipe]);
  expect([again.status, again.stdout.split('\n')[0]]).toEqual([
    1,
    'verdict:   broken: fault: #PF at exc_nmi, address 0x54',
  ]);
});

test('what does not run is one sentence, and info says it too', async () => {
  expect(await said(file('running'), 'run', '--event', 'smi')).toBe(
    '2 unknown path: smi (did you mean nmi?) (there is nmi, mc, db, pf, syscall)',
  );
  expect(await said(file('running'), 'run', '--event', 'nmi,mc', '--at', 'exc_nmi')).toBe(
    '2 invalid places: 1 for 2 events',
  );
  expect(await said(file('running'), 'sweep', '--cut', 'exc_nmi')).toBe(
    '2 invalid cut: exc_nmi is what runs',
  );
  expect(await said(file('vmlinux'), 'run')).toBe('2 missing per-CPU block: .data..percpu');
  expect(await said(file('vmlinux'), 'info')).toContain(
    'run, sweep               missing per-CPU block: .data..percpu',
  );
});
