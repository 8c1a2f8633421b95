/**
 * `.altinstructions`: code that is written over other code where the processor has a feature, or has it not.
 *
 * A record has 13 bytes before 5.13, 12 up to 6.2 and 14 since 6.3 (struct alt_instr, arch/x86/include/asm/alternative.h);
 * which it is, the records tell themselves.
 */
import { malformed, Reader } from '../reading.ts';
import { type Elf, type ElfSection, sectionOf } from './elf.ts';

export interface AlternativeSite {
  /** The code written over, and how much of it. */
  readonly address: bigint;
  readonly length: number;
  /** Where the replacement lies. */
  readonly from: bigint;
  readonly bytes: Uint8Array;
  /** Number of the feature: word times 32 plus bit. */
  readonly feature: number;
  /** Applied where the feature is not there. */
  readonly not: boolean;
  /** An indirect call that becomes a direct one to where its pointer points (since 6.8). */
  readonly directCall: boolean;
}

export interface Alternatives {
  /** Bytes of one record: of 14, the kernel also moves what is relative to RIP, and makes one nop of many. */
  readonly record: 12 | 13 | 14;
  /** In the order of the kernel, which applies a later one over an earlier one. */
  readonly sites: readonly AlternativeSite[];
}

const RECORDS = [14, 12, 13] as const;
/** Bits beside the feature: in records of 12 and 13 bytes, and of 14. */
export const NOT_OLD = 0x8000;
export const NOT = 1 << 16;
export const DIRECT_CALL = 1 << 17;
const READING = '.altinstructions';

/** All records; undefined in a kernel without any. */
export function readAlternatives(elf: Elf): Alternatives | undefined {
  const table = sectionOf(elf, READING);
  const code = sectionOf(elf, '.altinstr_replacement');
  if (!table || !code || table.bytes.length === 0) return undefined;
  const record = RECORDS.find((size) => {
    if (table.bytes.length % size !== 0) return false;
    for (let at = 0; at < table.bytes.length; at += size)
      if (!recordAt(elf, table, code, at, size)) return false;
    return true;
  });
  if (record === undefined)
    malformed(`unknown layout of ${READING}: ${table.bytes.length} bytes`, READING, 0);
  const size = record as 12 | 13 | 14;
  const sites: AlternativeSite[] = [];
  for (let at = 0; at < table.bytes.length; at += size) {
    const site = recordAt(elf, table, code, at, size);
    if (site) sites.push(site);
  }
  return { record: size, sites };
}

/** A record, if it makes sense: its replacement among the replacements, its place in text, and not shorter. */
function recordAt(
  elf: Elf,
  table: ElfSection,
  code: ElfSection,
  at: number,
  size: 12 | 13 | 14,
): AlternativeSite | undefined {
  const source = new Reader(table.bytes, READING);
  const here = table.address + BigInt(at);
  const address = BigInt.asUintN(64, here + BigInt(source.i32(at)));
  const from = BigInt.asUintN(64, here + 4n + BigInt(source.i32(at + 4)));
  const flags = size === 14 ? source.u32(at + 8) : source.u16(at + 8);
  const lengths = size === 14 ? at + 12 : at + 10;
  const [length, replaced] = [source.u8(lengths), source.u8(lengths + 1)];
  const offset = Number(BigInt.asIntN(64, from - code.address));
  if (offset < 0 || offset + replaced > code.bytes.length || length === 0 || replaced > length)
    return undefined;
  const isText = elf.sections.some(
    ({ executable, address: first, size: count }) =>
      executable && address >= first && address + BigInt(length) <= first + BigInt(count),
  );
  if (!isText) return undefined;
  return {
    address,
    length,
    from,
    bytes: code.bytes.subarray(offset, offset + replaced),
    feature: size === 14 ? flags & 0xffff : flags & ~NOT_OLD,
    not: (flags & (size === 14 ? NOT : NOT_OLD)) !== 0,
    directCall: size === 14 && (flags & DIRECT_CALL) !== 0,
  };
}

/** Whether a site is written over on a processor with these features. */
export const applies = ({ feature, not }: AlternativeSite, features: ReadonlySet<number>): boolean =>
  features.has(feature) !== not;
