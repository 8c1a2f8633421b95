import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bzImage, deb, lz4, vmlinux } from '../image/build/kernel.ts';
import { lab } from './lab.ts';

let folder = '';
const file = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kernel-'));
  const image = vmlinux();
  writeFileSync(file('vmlinux'), image);
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

test('ORC rows of a routine', async () => {
  expect(await said(file('vmlinux'), 'orc', 'asm_exc_nmi')).toBe(
    [
      '0 ffffffff81000100 +0x0     asm_exc_nmi              sp:sp+0 bp:(und) type:regs-partial signal:1',
      'ffffffff81000103 +0x3     asm_exc_nmi+0x3          sp:sp+8 bp:(und) type:regs-partial signal:1',
    ].join('\n'),
  );
});

test('mistakes are one sentence', async () => {
  expect(await said()).toBe('2 missing file: lab kernel FILE info');
  expect(await said('nowhere', 'info')).toBe('2 unknown file: nowhere');
  expect(await said(file('vmlinux'))).toBe(
    '2 missing action: lab kernel FILE ACTION (there is info, symbols, disasm, orc, run, sweep)',
  );
  expect(await said(file('vmlinux'), 'inof')).toBe(
    '2 unknown action: inof (did you mean info?) (there is info, symbols, disasm, orc, run, sweep)',
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
