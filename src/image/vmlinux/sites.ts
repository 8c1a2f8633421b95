/**
 * Lists of places in the text that the kernel writes over at boot: returns, indirect calls, static calls, paravirt calls.
 * Addresses are 32 bits from their own place, but for paravirt sites.
 */
import { Reader } from '../reading.ts';
import { type Elf, type ElfSection, sectionOf } from './elf.ts';
import type { KernelMemory } from './memory.ts';
import type { SymbolTable } from './symbols.ts';

/** Lists of addresses, each relative to its own place. */
export const SITE_LISTS = [
  '.return_sites',
  '.retpoline_sites',
  '.call_sites',
  '.ibt_endbr_seal',
  '.smp_locks',
] as const;

/** Symbols of the linker between which a table lies. */
export const TABLE_ENDS = {
  calls: ['__start_static_call_sites', '__stop_static_call_sites'],
  keys: ['__start___jump_table', '__stop___jump_table'],
  tracing: ['__start_mcount_loc', '__stop_mcount_loc'],
} as const;

const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Addresses of a list, in its order; none where the kernel has no such section. */
export function readSites(elf: Elf, name: (typeof SITE_LISTS)[number]): readonly bigint[] {
  const section = sectionOf(elf, name);
  return section ? addressesOf(section) : [];
}

function addressesOf({ name, address, bytes }: ElfSection): readonly bigint[] {
  const source = new Reader(bytes, name);
  return Array.from({ length: Math.floor(source.length / 4) }, (_, n) =>
    word(address + BigInt(4 * n + source.i32(4 * n))),
  );
}

/** A call whose target the kernel writes into it (include/linux/static_call_types.h, 6.12). */
export interface StaticCallSite {
  readonly address: bigint;
  /** The `struct static_call_key` that says where to. */
  readonly key: bigint;
  /** A jump, not a call. */
  readonly isTail: boolean;
}

/** Static calls, between two symbols of the linker. */
export function readStaticCalls(memory: KernelMemory, symbols: SymbolTable): readonly StaticCallSite[] {
  const { start, source } = between(memory, symbols, TABLE_ENDS.calls);
  return Array.from({ length: Math.floor(source.length / 8) }, (_, n): StaticCallSite => {
    const at = 8 * n;
    const key = word(start + BigInt(at + 4 + source.i32(at + 4)));
    return {
      address: word(start + BigInt(at + source.i32(at))),
      // Its low bits are flags: a tail call, and one in text of `init`.
      key: key & ~3n,
      isTail: (key & 1n) !== 0n,
    };
  });
}

/** An indirect call through `pv_ops` that becomes a direct one (struct paravirt_patch_site, until 6.7). */
export interface ParavirtSite {
  readonly address: bigint;
  /** Which entry of `pv_ops`, counted in words. */
  readonly entry: number;
  readonly length: number;
}

export const PARAVIRT_SITE = 16;

/** Paravirt sites; none since they are alternatives. */
export function readParavirtSites(elf: Elf): readonly ParavirtSite[] {
  const section: ElfSection | undefined = sectionOf(elf, '.parainstructions');
  if (!section) return [];
  const source = new Reader(section.bytes, section.name);
  return Array.from({ length: Math.floor(source.length / PARAVIRT_SITE) }, (_, n) => ({
    address: source.u64(n * PARAVIRT_SITE),
    entry: source.u8(n * PARAVIRT_SITE + 8),
    length: source.u8(n * PARAVIRT_SITE + 9),
  }));
}

/** A test of a static key (struct jump_entry, include/linux/jump_label.h of 6.1). */
export interface KeySite {
  readonly address: bigint;
  /** Where the jump leads, if it is one. */
  readonly target: bigint;
  readonly key: bigint;
  /** A key that is on means a nop. */
  readonly likely: boolean;
}

const KEY_SITE = 16;

/** Tests of static keys; none where the table is not found. */
export function readKeySites(memory: KernelMemory, symbols: SymbolTable): readonly KeySite[] {
  const { start, source } = between(memory, symbols, TABLE_ENDS.keys);
  return Array.from({ length: Math.floor(source.length / KEY_SITE) }, (_, n): KeySite => {
    const at = KEY_SITE * n;
    const here = start + BigInt(at);
    const key = word(here + 8n + source.u64(at + 8));
    return {
      address: word(here + BigInt(source.i32(at))),
      target: word(here + 4n + BigInt(source.i32(at + 4))),
      // Its low bits are flags: a likely branch, and text of `init`.
      key: key & ~3n,
      likely: (source.u64(at + 8) & 1n) !== 0n,
    };
  });
}

/** Calls for tracing that functions begin with; none where the table is not found. */
export function readTracingSites(memory: KernelMemory, symbols: SymbolTable): readonly bigint[] {
  const { source } = between(memory, symbols, TABLE_ENDS.tracing);
  return Array.from({ length: source.length >> 3 }, (_, n) => source.u64(8 * n));
}

function between(memory: KernelMemory, symbols: SymbolTable, [first, last]: readonly [string, string]) {
  const [start = 0n, stop = 0n] = [symbols.address(first), symbols.address(last)];
  const bytes = stop > start ? memory.upTo(start, Number(stop - start)) : undefined;
  return { start, source: new Reader(bytes ?? new Uint8Array(0), first) };
}

/** A value that stands in instructions, and where (asm/runtime-const.h, since 6.11). */
export interface RuntimeConstant {
  /** The variable it is of. */
  readonly name: string;
  readonly isShift: boolean;
  readonly sites: readonly bigint[];
}

/** All of them, a section each. */
export const runtimeConstants = (elf: Elf): readonly RuntimeConstant[] =>
  elf.sections.flatMap((section) => {
    const [, kind, name] = /^runtime_(ptr|shift)_(\w+)$/.exec(section.name) ?? [];
    return name === undefined ? [] : [{ name, isShift: kind === 'shift', sites: addressesOf(section) }];
  });
