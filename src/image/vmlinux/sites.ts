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

const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Addresses of a list, in its order; none where the kernel has no such section. */
export function readSites(elf: Elf, name: (typeof SITE_LISTS)[number]): readonly bigint[] {
  const section = sectionOf(elf, name);
  if (!section) return [];
  const source = new Reader(section.bytes, name);
  return Array.from({ length: Math.floor(source.length / 4) }, (_, n) =>
    word(section.address + BigInt(4 * n + source.i32(4 * n))),
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
  const start = symbols.address('__start_static_call_sites');
  const stop = symbols.address('__stop_static_call_sites');
  if (start === undefined || stop === undefined || stop <= start) return [];
  const source = new Reader(memory.at(start, Number(stop - start), 'static call sites'), 'static call sites');
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

const PARAVIRT = 16;

/** Paravirt sites; none since they are alternatives. */
export function readParavirtSites(elf: Elf): readonly ParavirtSite[] {
  const section: ElfSection | undefined = sectionOf(elf, '.parainstructions');
  if (!section) return [];
  const source = new Reader(section.bytes, section.name);
  return Array.from({ length: Math.floor(source.length / PARAVIRT) }, (_, n) => ({
    address: source.u64(n * PARAVIRT),
    entry: source.u8(n * PARAVIRT + 8),
    length: source.u8(n * PARAVIRT + 9),
  }));
}
