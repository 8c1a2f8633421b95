/**
 * Features of processors by name and number. The kernel holds the names that `/proc/cpuinfo` shows; those that only it itself
 * knows are here (arch/x86/include/asm/cpufeatures.h).
 */
import { latin1, Reader } from '../reading.ts';
import type { AlternativeSite } from './alternatives.ts';
import type { KernelMemory } from './memory.ts';
import type { SymbolTable } from './symbols.ts';

const bit = (word: number, n: number): number => word * 32 + n;

/** The feature that every processor has: what hangs on it is always applied. */
export const ALWAYS = bit(3, 21);

/** Names that are not shown, with numbers that are the same in 6.1.192 and 6.12.117. */
const UNSHOWN: readonly (readonly [name: string, feature: number])[] = [
  ['always', ALWAYS],
  ['kernel_ibrs', bit(7, 12)],
  ['xenpv', bit(8, 16)],
  ['fence_swapgs_user', bit(11, 4)],
  ['fence_swapgs_kernel', bit(11, 5)],
  ['entry_ibpb', bit(11, 10)],
  ['retpoline', bit(11, 12)],
  ['retpoline_lfence', bit(11, 13)],
  ['rethunk', bit(11, 14)],
  ['unret', bit(11, 15)],
  ['call_depth', bit(11, 19)],
  ['srso', bit(11, 24)],
  ['srso_alias', bit(11, 25)],
  ['clear_bhb_loop', bit(21, 1)],
];

/** Names whose numbers have moved, told by how the code begins that is there with the feature. */
const MOVED: readonly (readonly [name: string, feature: number, begins: readonly number[]])[] = [
  // VERW: written in by 6.12; in 6.1 a jump over it is written over.
  ['clear_cpu_buf', bit(3, 18), [0x0f, 0x00]],
  ['clear_cpu_buf', bit(11, 18), [0x0f, 0x00]],
  // LFENCE, then RDTSC.
  ['lfence_rdtsc', bit(3, 18), [0x0f, 0xae]],
  ['lfence_rdtsc', bit(20, 2), [0x0f, 0xae]],
];

/** Words of features a kernel has at most, with those for bugs. */
const MOST_WORDS = 40;
const LONGEST_NAME = 64;
const [FLAGS, BUGS] = ['x86_cap_flags', 'x86_bug_flags'] as const;
const TABLES = [FLAGS, BUGS];

export interface Features {
  /** The number of a name as `--features` takes it; undefined for one that this kernel does not know. */
  readonly number: (name: string) => number | undefined;
  /** The name of a number; `11*32+4` where there is none. */
  readonly name: (feature: number) => string;
  /** All names, in order of their numbers. */
  readonly names: readonly string[];
}

/** Names of `x86_cap_flags` and `x86_bug_flags`, and those that are not shown. */
export function readFeatures(
  memory: KernelMemory,
  symbols: SymbolTable,
  sites: readonly AlternativeSite[],
): Features {
  const byNumber = new Map<number, string>();
  const flags = shown(memory, symbols, FLAGS);
  const put = (names: readonly (string | undefined)[], from: number, before: string): void => {
    for (const [n, name] of names.entries()) if (name) byNumber.set(from + n, before + name);
  };
  put(flags, 0, '');
  // Bugs are counted on behind the last word of features; what does not fill a word only pads the table.
  const words = Math.floor(flags.length / 32) * 32;
  if (words > 0) put(shown(memory, symbols, BUGS), words, 'bug_');
  for (const [name, number] of UNSHOWN) if (!byNumber.has(number)) byNumber.set(number, name);
  const begins = ({ bytes, address, length }: AlternativeSite, first: readonly number[]): boolean => {
    const behind = memory.upTo(address + BigInt(length), first.length) ?? [];
    return first.every((byte, n) => byte === [...bytes.subarray(0, first.length), ...behind][n]);
  };
  for (const [name, number, first] of MOVED)
    if (!byNumber.has(number) && sites.some((site) => site.feature === number && begins(site, first)))
      byNumber.set(number, name);
  const byName = new Map([...byNumber].map(([number, name]) => [name, number]));
  return {
    number(name) {
      const [, word, n] = /^(\d+)\*32\+(\d+)$/.exec(name) ?? [];
      return word === undefined ? byName.get(name.toLowerCase()) : bit(Number(word), Number(n));
    },
    name: (feature) => byNumber.get(feature) ?? `${Math.floor(feature / 32)}*32+${feature % 32}`,
    names: [...byNumber].sort(([a], [b]) => a - b).map(([, name]) => name),
  };
}

/** A table of pointers to names, as long as the next symbol lets it be; undefined without the symbol. */
function tableAt(memory: KernelMemory, symbols: SymbolTable, table: string) {
  const address = symbols.address(table);
  const next = address === undefined ? undefined : symbols.after(address);
  if (address === undefined || !next) return undefined;
  const size = Math.min(Number(next.address - address), MOST_WORDS * 32 * 8);
  const bytes = memory.upTo(address, size & ~7);
  if (!bytes) return undefined;
  const source = new Reader(bytes, table);
  const names = Array.from({ length: source.length >> 3 }, (_, n) => {
    const pointer = source.u64(8 * n);
    const text = pointer === 0n ? undefined : memory.upTo(pointer, LONGEST_NAME);
    const end = text?.indexOf(0) ?? -1;
    return text && end > 0 ? { pointer, text: latin1(text.subarray(0, end)) } : undefined;
  });
  return { address, size: bytes.length, names };
}

const shown = (memory: KernelMemory, symbols: SymbolTable, table: string): readonly (string | undefined)[] =>
  tableAt(memory, symbols, table)?.names.map((one) => one?.text) ?? [];

/** Where the tables and their names lie. */
export const featureTables = (
  memory: KernelMemory,
  symbols: SymbolTable,
): readonly { readonly from: bigint; readonly to: bigint }[] =>
  TABLES.flatMap((name) => {
    const found = tableAt(memory, symbols, name);
    if (!found) return [];
    const names = found.names.filter((one) => one !== undefined);
    return [
      { from: found.address, to: found.address + BigInt(found.size) },
      ...names.map(({ pointer, text }) => ({ from: pointer, to: pointer + BigInt(text.length + 1) })),
    ];
  });
