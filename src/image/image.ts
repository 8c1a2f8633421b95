/** Machine code with everything known about it: where each byte lies, what it is called, which text it came from. */
import type { OrcBase, OrcTable, OrcType } from './orc.ts';

/** A place in a text, as an editor counts: lines and columns from 1. */
export interface Place {
  /** Path from the root of the project, or whatever a reader would recognise. */
  readonly page: string;
  readonly line: number;
  readonly column: number;
}

/** Bytes at an address, with the rights their pages get. */
export interface Segment {
  /** Name of the section: `.text`, `.entry.text`, `.data`. */
  readonly name: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Whether CPL 3 may use it. */
  readonly user: boolean;
}

export interface SymbolEntry {
  readonly name: string;
  readonly address: bigint;
  /** Bytes up to the next symbol of the same section that is not inside it, or to the section's end. */
  readonly size: number;
  /** Declared with `.globl`: a named checkpoint. */
  readonly global: boolean;
  /** The comment on the label's own line, else the lines of comment right above it: what a timeline says on arrival. */
  readonly comment: string;
}

/** A statement that became bytes. */
export interface Line {
  readonly address: bigint;
  readonly length: number;
  /** The statement as it was assembled, macro arguments put in. */
  readonly text: string;
  /** The comment behind it, without its mark. */
  readonly comment: string;
  /** Where it stands (in the macro or repeated block), then each use that led there, outermost last. */
  readonly origins: readonly [Place, ...Place[]];
}

/** What stands on a line of the text, in the order in which it took effect; for listings. */
export interface Statement {
  /** `removed`: not there, but shown; see asm/safeguard.ts. */
  readonly kind: 'label' | 'instruction' | 'directive' | 'comment' | 'removed';
  readonly text: string;
  readonly comment: string;
  /** Of an instruction, or of a directive's bytes. */
  readonly address: bigint | undefined;
  /** Name of the cell it stands in. */
  readonly block: string;
  /** As in `Line`. */
  readonly origins: readonly [Place, ...Place[]];
}

/** The shape of the stack before the instruction at an address, as the text declares it. */
export interface UnwindHint {
  readonly address: bigint;
  /** `func`: as at the beginning of a function. `restore`: as at the last `save` before it. */
  readonly kind: OrcType | 'func' | 'save' | 'restore';
  readonly base: OrcBase;
  readonly offset: number;
  readonly signal: boolean;
  /** As in `Line`. */
  readonly origins: readonly [Place, ...Place[]];
}

/** Code that may be written over other code at boot; where it is shorter, nops follow. */
export interface Alternative {
  readonly address: bigint;
  /** Bytes that are written over. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

export interface Image {
  readonly segments: readonly Segment[];
  /** By address; of equal addresses the later one is the better name. */
  readonly symbols: readonly SymbolEntry[];
  /** By address. */
  readonly lines: readonly Line[];
  /** Where it was made from text: all of it, labels and macro uses too. */
  readonly statements?: readonly Statement[];
  /** What the text says of stacks: its hints, in order of address, and where functions begin (`.size`, `.type`). */
  readonly hints?: readonly UnwindHint[];
  readonly functions?: readonly bigint[];
  readonly alternatives?: readonly Alternative[];
  /** How to unwind from each instruction; undefined where nobody has said. */
  readonly orc?: OrcTable;
}

/** The last element whose address is at most `address`; the array is in order of address. */
function lastAt<T extends { readonly address: bigint }>(
  sorted: readonly T[],
  address: bigint,
): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as T).address <= address) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

/** The segment that holds `address`. */
export const segmentAt = (image: Image, address: bigint): Segment | undefined =>
  image.segments.find((one) => address >= one.address && address < one.address + BigInt(one.bytes.length));

/** The symbol that `address` lies in: of several the outermost, so that a sized function keeps its inner labels' code. */
export function symbolAt(image: Image, address: bigint): SymbolEntry | undefined {
  let found: SymbolEntry | undefined;
  for (const one of image.symbols) {
    if (one.address > address) break;
    if (address >= one.address + BigInt(Math.max(one.size, 1))) continue;
    if (!found || one.address === found.address) found = one;
  }
  return found && segmentAt(image, address) ? found : undefined;
}

/** Texts of addresses, by image: traces of one run say the same ones thousands of times. */
const texts = new WeakMap<Image, Map<bigint, string>>();
const TEXTS_KEPT = 10_000;

/** `name+0x1c/0x40` as the kernel prints it, or the bare address in hexadecimal. */
export function symbolize(image: Image, address: bigint): string {
  const kept = texts.get(image) ?? new Map<bigint, string>();
  texts.set(image, kept);
  const known = kept.get(address);
  if (known !== undefined) return known;
  const found = symbolAt(image, address);
  const text = found
    ? `${found.name}+0x${(address - found.address).toString(16)}/0x${found.size.toString(16)}`
    : `0x${address.toString(16)}`;
  if (kept.size >= TEXTS_KEPT) kept.clear();
  kept.set(address, text);
  return text;
}

/** The address of a symbol, or undefined. */
export const addressOf = (image: Image, name: string): bigint | undefined =>
  image.symbols.find((one) => one.name === name)?.address;

/** The statement whose first byte lies at `address`. */
export function lineAt(image: Image, address: bigint): Line | undefined {
  const found = lastAt(image.lines, address);
  return found?.address === address ? found : undefined;
}
