/** Page-table entries of a test's address space, changed behind the machine's back. */
import type { Machine } from '../../src/engine/machine.ts';
import type { Guest } from './guest.ts';

/** Bits of an entry (SDM vol 3, table 4-20). */
export const BIT = {
  present: 1n << 0n,
  writable: 1n << 1n,
  user: 1n << 2n,
  accessed: 1n << 5n,
  dirty: 1n << 6n,
  large: 1n << 7n,
  pat: 1n << 12n,
  noExecute: 1n << 63n,
} as const;
export const USED = BIT.accessed | BIT.dirty;
const ADDRESS = 0x000f_ffff_ffff_f000n;
/** The levels, outermost first, and the address bits they index with. */
export const LEVELS = ['PML4', 'PDPT', 'PD', 'PT'] as const;
export type Level = (typeof LEVELS)[number];
const SHIFT: Readonly<Record<Level, bigint>> = { PML4: 39n, PDPT: 30n, PD: 21n, PT: 12n };

/** Physical address of the entry of `va` at a level. */
export function placeOf({ machine, space }: Guest, va: bigint, level: Level): number {
  let table = space.root;
  for (const name of LEVELS) {
    const at = Number(table) + Number((va >> SHIFT[name]) & 511n) * 8;
    if (name === level) return at;
    table = machine.physicalWord(at) & ADDRESS;
  }
  throw new Error(`unknown level: ${level}`);
}
export const entryOf = (made: Guest, va: bigint, level: Level): bigint =>
  made.machine.physicalWord(placeOf(made, va, level));

export function putWord(machine: Machine, at: number, word: bigint): void {
  machine.writeGuest(at, new Uint8Array(new BigUint64Array([BigInt.asUintN(64, word)]).buffer));
}
/** Change the entry of `va` at a level. */
export const change = (made: Guest, va: bigint, level: Level, how: (entry: bigint) => bigint): void =>
  putWord(made.machine, placeOf(made, va, level), how(entryOf(made, va, level)));
/** Clear the accessed and dirty flags of every level. */
export function unmark(made: Guest, va: bigint): void {
  for (const level of LEVELS) change(made, va, level, (entry) => entry & ~USED);
}
/** `A`, `AD` or nothing of each level, outermost first: `A A A AD`. */
export const marks = (made: Guest, va: bigint, levels: readonly Level[] = LEVELS): string =>
  levels
    .map((level) => {
      const entry = entryOf(made, va, level);
      return `${(entry & BIT.accessed) === 0n ? '' : 'A'}${(entry & BIT.dirty) === 0n ? '' : 'D'}` || '-';
    })
    .join(' ');
