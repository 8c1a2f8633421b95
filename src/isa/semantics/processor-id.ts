/**
 * What an instruction learns of the processor: CPUID, the time-stamp counter, the number in TSC_AUX.
 *
 * CPUID describes the processor that this model is, not one that was ever sold, so that software which asks uses
 * nothing else. Time passes only when it is read: the counter moves on by a fixed step behind each reading, so
 * that it is never seen to stand still and is the same on every backend and after every undo.
 */
import { type Ops, type Semantics, VECTOR } from '../ops.ts';

/** Registers in the order of the words below. */
const REGISTERS = ['rax', 'rbx', 'rcx', 'rdx'] as const;
type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

const bits = (...numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + 2 ** n, 0);
/** Four characters of a name in one word. */
const letters = (text: string): number =>
  [...text].reduce((sum, letter, n) => sum + letter.charCodeAt(0) * 256 ** n, 0);
const brand = (text: string): Leaf =>
  [0, 4, 8, 12].map((n) => letters(text.slice(n, n + 4))) as unknown as Leaf;
const NAME = `${'entrylab x64: integer instructions only'.padEnd(47)}\0`;

/** Leaves by number, those of subleaf 0 only; everything else is 0 (SDM vol 2, CPUID, table 3-17). */
export const CPUID_LEAVES: ReadonlyMap<number, Leaf> = new Map([
  [0, [7, letters('entr'), letters(' x64'), letters('ylab')]],
  // Family 6; cache lines of 64 bytes, one processor. CMPXCHG16B PCID MOVBE POPCNT; DE PSE TSC MSR PAE MCE CX8 SEP PGE CMOV CLFSH.
  [1, [0x600, 0x1_0800, bits(13, 17, 22, 23), bits(2, 3, 4, 5, 6, 7, 8, 11, 13, 15, 19)]],
  // FSGSBASE BMI1 SMEP BMI2 ERMS INVPCID ADX SMAP CLFLUSHOPT CLWB; UMIP RDPID MOVDIRI MOVDIR64B; SERIALIZE CET_IBT.
  [7, [1, bits(0, 3, 7, 8, 9, 10, 19, 20, 23, 24), bits(2, 22, 27, 28), bits(14, 20)]],
  [0x8000_0000, [0x8000_0008, 0, 0, 0]],
  // LAHF LZCNT PREFETCHW; SYSCALL NX, pages of 1 GiB, RDTSCP LM.
  [0x8000_0001, [0, 0, bits(0, 5, 8), bits(11, 20, 26, 27, 29)]],
  [0x8000_0002, brand(NAME)],
  [0x8000_0003, brand(NAME.slice(16))],
  [0x8000_0004, brand(NAME.slice(32))],
  // 52 bits of physical address, 48 of linear.
  [0x8000_0008, [0x3034, 0, 0, 0]],
]);
/** Those of subleaf 1. */
export const CPUID_SUBLEAVES: ReadonlyMap<number, Leaf> = new Map([
  // FRED LKGS WRMSRNS.
  [7, [bits(17, 18, 19), 0, 0, 0]],
]);
const LEAVES = [
  ...[...CPUID_LEAVES].map(([number, words]) => ({ number, words, subleaf: 0 })),
  ...[...CPUID_SUBLEAVES].map(([number, words]) => ({ number, words, subleaf: 1 })),
];

/** One arm a leaf: EAX is a value, so the choice is a chain of `when`. */
function selectLeaf<V>(m: Ops<V>, leaf: V, subleaf: V, from = 0): void {
  const found = LEAVES[from];
  const answer = (): void =>
    REGISTERS.forEach((register, n) => {
      m.setReg(32, register, m.word(found?.words[n] ?? 0));
    });
  if (found === undefined) {
    answer();
    return;
  }
  const same = m.eq(leaf, m.word(found.number));
  const asked = CPUID_SUBLEAVES.has(found.number) ? m.and(same, m.eq(subleaf, m.word(found.subleaf))) : same;
  m.when(asked, answer, () => selectLeaf(m, leaf, subleaf, from + 1));
}
export const cpuid: Semantics = (m) => selectLeaf(m, m.reg(32, 'rax'), m.reg(32, 'rcx'));

/** How far the time-stamp counter moves behind each reading. */
export const TICKS = 1000;

/** CR4.TSD (bit 2) keeps the counter from all but ring 0. */
function readCounter<V>(m: Ops<V>): void {
  const user = m.isZero(m.isZero(m.get('cpl')));
  m.raiseIf(m.and(m.bit(m.get('cr4'), 2), user), VECTOR.GP, m.word(0));
  const now = m.get('tsc');
  m.setReg(32, 'rax', now);
  m.setReg(32, 'rdx', m.shr(now, m.word(32)));
  m.set('tsc', m.add(now, m.word(TICKS)));
}
export const rdtsc: Semantics = (m) => readCounter(m);
export const rdtscp: Semantics = (m) => {
  readCounter(m);
  m.setReg(32, 'rcx', m.get('tscAux'));
};
export const rdpid: Semantics = (m, { a }) => m.write(a, m.get('tscAux'));
