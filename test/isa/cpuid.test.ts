/** What CPUID says and what the table has: a feature that is announced is not refused. */
import { expect, test } from 'vitest';
import { CPUID_LEAVES, CPUID_SUBLEAVES } from '../../src/isa/semantics/processor-id.ts';
import { ROWS } from '../../src/isa/table/index.ts';
import { REFUSED } from '../../src/isa/table/refused.ts';

const [EAX, EBX, ECX, EDX] = [0, 1, 2, 3] as const;

/** Leaf, register, bit, and an instruction that the bit stands for (SDM vol 2, CPUID; AMD APM vol 3, E.4). */
const FEATURES = [
  [1, ECX, 9, '(vector)'],
  [1, ECX, 3, 'monitor'],
  [1, ECX, 5, 'vmcall'],
  [1, ECX, 13, 'cmpxchg16b'],
  [1, ECX, 22, 'movbe'],
  [1, ECX, 23, 'popcnt'],
  [1, ECX, 26, 'xsave'],
  [1, ECX, 28, '(vex)'],
  [1, ECX, 30, 'rdrand'],
  [1, EDX, 0, '(x87)'],
  [1, EDX, 4, 'rdtsc'],
  [1, EDX, 5, 'rdmsr'],
  [1, EDX, 8, 'cmpxchg8b'],
  [1, EDX, 11, 'sysenter'],
  [1, EDX, 15, 'cmove'],
  [1, EDX, 19, 'clflush'],
  [1, EDX, 24, 'fxsave'],
  [1, EDX, 25, '(vector)'],
  [7, EBX, 0, 'rdgsbase'],
  [7, EBX, 2, 'encls'],
  [7, EBX, 3, 'andn'],
  [7, EBX, 8, 'pdep'],
  [7, EBX, 10, 'invpcid'],
  [7, EBX, 11, 'xtest'],
  [7, EBX, 18, 'rdseed'],
  [7, EBX, 19, 'adcx'],
  [7, EBX, 20, 'stac'],
  [7, EBX, 23, 'clflushopt'],
  [7, EBX, 24, 'clwb'],
  [7, ECX, 3, 'rdpkru'],
  [7, ECX, 5, 'tpause'],
  [7, ECX, 7, 'incsspq'],
  [7, ECX, 22, 'rdpid'],
  [7, ECX, 27, 'movdiri'],
  [7, ECX, 28, 'movdir64b'],
  [7, ECX, 29, 'enqcmd'],
  [7, EDX, 5, 'senduipi'],
  [7, EDX, 14, 'serialize'],
  [7, EDX, 20, 'endbr64'],
  [0x8000_0001, ECX, 0, 'lahf'],
  [0x8000_0001, ECX, 2, 'vmrun'],
  [0x8000_0001, ECX, 5, 'lzcnt'],
  [0x8000_0001, ECX, 8, 'prefetchw'],
  [0x8000_0001, EDX, 11, 'syscall'],
  [0x8000_0001, EDX, 27, 'rdtscp'],
] as const;
/** The same of subleaf 1. */
const SECOND = [
  [7, EAX, 17, 'erets'],
  [7, EAX, 18, 'lkgs'],
  [7, EAX, 19, 'wrmsrns'],
  [7, EAX, 27, 'rdmsrlist'],
] as const;

test('an instruction is announced when it is modelled, and only then', () => {
  const all = [
    ...FEATURES.map((feature) => [CPUID_LEAVES, ...feature] as const),
    ...SECOND.map((feature) => [CPUID_SUBLEAVES, ...feature] as const),
  ];
  const wrong = all.filter(([leaves, leaf, register, bit, mnemonic]) => {
    const row = ROWS.find((one) => one.mnemonic === mnemonic);
    if (row === undefined) throw new Error(`unknown mnemonic: ${mnemonic}`);
    const announced = ((leaves.get(leaf)?.[register] ?? 0) & (2 ** bit)) !== 0;
    return announced === REFUSED.includes(row);
  });
  expect(wrong).toEqual([]);
});

test('a vendor of twelve letters, a name of forty-seven and a zero', () => {
  const text = (...words: readonly number[]): string =>
    Buffer.from(Uint32Array.from(words).buffer).toString('latin1');
  const [, b = 0, c = 0, d = 0] = CPUID_LEAVES.get(0) ?? [];
  expect(text(b, d, c)).toBe('entrylab x64');
  const name = [0x8000_0002, 0x8000_0003, 0x8000_0004]
    .map((leaf) => text(...(CPUID_LEAVES.get(leaf) ?? [])))
    .join('');
  expect(name).toHaveLength(48);
  expect(name.replaceAll('\0', '').trim()).toBe('entrylab x64: integer instructions only');
});
