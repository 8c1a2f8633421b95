import { expect, test } from 'vitest';
import { compareKernels, comparisonLines } from '../../src/explore/vmlinux/difference.ts';
import { type Kernel, openKernel } from '../../src/image/kernel-file.ts';
import { isProblem } from '../../src/image/reading.ts';
import { vmlinux } from '../image/build/kernel.ts';

const open = async (bytes: Uint8Array): Promise<Kernel> => {
  const found = await openKernel(bytes, {});
  if (isProblem(found)) throw new Error(found.problem);
  return found;
};
/** The small kernel with bytes of its text changed, which begins where these stand. */
const changed = (offset: number, bytes: readonly number[]): Promise<Kernel> => {
  const file = vmlinux();
  const begin = [0x0f, 0x1f, 0x00, 0xfc, 0xeb, 0x07];
  const at = file.findIndex((_, n) => begin.every((byte, m) => file[n + m] === byte));
  file.set(bytes, at + offset);
  return open(file);
};
const said = (a: Kernel, b: Kernel): readonly string[] => comparisonLines(compareKernels(a, b));

test('a kernel is the same as itself, wherever its tables lie', async () => {
  const kernel = await open(vmlinux());
  expect(said(kernel, kernel)).toEqual(['the same in 1 routines']);
  expect(said(kernel, await open(vmlinux({ layout: '6.1.y', record: 12, functions: 300 })))).toEqual([
    'the same in 1 routines',
  ]);
});

test('an instruction that differs is told, and what is said of it', async () => {
  const kernel = await open(vmlinux());
  // STD in place of CLD.
  expect(said(kernel, await changed(3, [0xfd]))).toEqual([
    'asm_exc_nmi:',
    '  code:',
    '  - cld',
    '  + std',
    '  orc:',
    '  - at cld: sp:sp+8 bp:(und) type:regs-partial signal:1',
    '  + at std: sp:sp+8 bp:(und) type:regs-partial signal:1',
    '1 of 1 routines differ',
  ]);
  // The jump leads to the instruction behind.
  const jumps = said(kernel, await changed(5, [0])).filter((line) => line.includes('jmp'));
  expect(jumps.slice(0, 2)).toEqual(['  - jmp +4 instructions', '  + jmp +1 instructions']);
});

test('an alternative that differs, in the same code', async () => {
  const [kernel, other] = [vmlinux(), vmlinux()];
  // CLAC becomes STAC, in the replacement.
  const at = other.findIndex((_, n) => [0x0f, 0x01, 0xca, 0xe8].every((byte, m) => other[n + m] === byte));
  other[at + 2] = 0xcb;
  expect(said(await open(kernel), await open(other))).toEqual([
    'asm_exc_nmi:',
    '  alternatives:',
    '  - at nopl (%rax): if 9*32+20: clac',
    '  + at nopl (%rax): if 9*32+20: stac',
    '1 of 1 routines differ',
  ]);
});

test('an entry that only one of them has', async () => {
  const [kernel, other] = [vmlinux(), vmlinux()];
  const name = Buffer.from('asm_exc_').toString('latin1');
  const at = Buffer.from(other).indexOf(`${name}\0`, 0, 'latin1');
  other.set(Buffer.from('asm_fred'), at);
  expect(said(await open(kernel), await open(other)).slice(0, 1)).toEqual([
    'asm_exc_nmi: only in the first kernel',
  ]);
});
