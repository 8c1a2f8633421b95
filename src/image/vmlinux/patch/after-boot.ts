/**
 * Text as it is after boot on a processor with chosen features: all that a kernel writes over, in its order (alternative_instructions()
 * in arch/x86/kernel/alternative.c of 6.1.192 and 6.12.117). `npm run test:kernels` compares it with the memory of kernels booted in QEMU.
 */
import type { Kernel } from '../../kernel-file.ts';
import { ifSound, sound } from '../../reading.ts';
import {
  readKeySites,
  readParavirtSites,
  readSites,
  readStaticCalls,
  readTracingSites,
  runtimeConstants,
  TABLE_ENDS,
} from '../sites.ts';
import { applyAlternatives } from './apply-alternatives.ts';
import {
  applyCallThunks,
  applyParavirt,
  applyStaticCalls,
  applyTracing,
  CALL_SYMBOLS,
  countedCalls,
  type Pointer,
} from './calls.ts';
import { applyConstant, applyKeys, applySeals, unlock } from './keys.ts';
import {
  applyRetpolines,
  applyReturns,
  INDIRECT_THUNK_SYMBOLS,
  RETURN_THUNK_SYMBOLS,
  returnsFor,
} from './returns.ts';
import { type OnPatch, TextCopy, wordsOf } from './text-copy.ts';

/** Where the variables are read that decide on text: bytes at an address, or undefined. */
export interface Variables {
  readonly upTo: (address: bigint, count: number) => Uint8Array | undefined;
}

export interface AfterBoot {
  /** Numbers of the features the processor has. */
  readonly features: ReadonlySet<number>;
  /** Static keys by their address that are on, or off, whatever the variables say. */
  readonly keys?: ReadonlyMap<bigint, boolean>;
  /** Where static calls lead, by the address of their key; 0 is nowhere. */
  readonly calls?: ReadonlyMap<bigint, bigint>;
  /** Memory of a system that runs. Without it variables are as they were linked: static keys, static calls, `pv_ops`. */
  readonly variables?: Variables;
  readonly onPatch?: OnPatch;
}

/** Where user memory ends, with four levels of page tables and with five. */
const USER_END = 'USER_PTR_MAX';
const USER_BITS = [47n, 56n] as const;
const PAGE = 4096n;
/** As a feature: a kernel that runs on one processor, and takes LOCK prefixes out. */
const ONE_PROCESSOR = 'up';

/** Symbols that decide on text, or that it leads to. */
export const AFTER_BOOT_SYMBOLS: readonly string[] = [
  ...Object.values(TABLE_ENDS).flat(),
  ...RETURN_THUNK_SYMBOLS,
  ...INDIRECT_THUNK_SYMBOLS,
  ...CALL_SYMBOLS,
];

/** The text; ends `attempt` where a table is damaged. */
export function textAfterBoot(
  kernel: Kernel,
  { features, keys, calls, variables, onPatch }: AfterBoot,
): TextCopy {
  const { elf, memory, symbols } = kernel;
  const alternatives = sound(kernel.alternatives);
  const has = (name: string): boolean => {
    const number = kernel.features.number(name);
    return number !== undefined && features.has(number);
  };
  const old = alternatives.record !== 14;
  const text = new TextCopy(memory, onPatch);
  const now: Variables = variables ?? memory;
  const pointerIn =
    (where: Variables): Pointer =>
    (address) => {
      const bytes = where.upTo(address, 8);
      return bytes?.length === 8 ? wordsOf(bytes).getBigUint64(0, true) : undefined;
    };
  const [pointer, linked] = [pointerIn(now), pointerIn(memory)];
  const returns = returnsFor(symbols, has);

  applyParavirt(text, readParavirtSites(elf), symbols, pointer);
  applyRetpolines(text, readSites(elf, '.retpoline_sites'), symbols, has, old);
  applyReturns(text, readSites(elf, '.return_sites'), symbols, returns);
  applyAlternatives(text, alternatives, features, { pointer, nopFunction: symbols.address('nop_func') });
  const template = has('call_depth') ? callThunk(kernel) : undefined;
  const counted = countedCalls(text, symbols, template);
  if (template) {
    applyCallThunks(text, readSites(elf, '.call_sites'), symbols, counted);
    applyCallThunks(
      text,
      alternatives.sites.map(({ address }) => address),
      symbols,
      counted,
    );
  }
  applySeals(text, readSites(elf, '.ibt_endbr_seal'));
  const single = symbols.address('uniproc_patched');
  const isSingle = single !== undefined && now.upTo(single, 1)?.[0] === 1;
  if (isSingle || has(ONE_PROCESSOR)) unlock(text, readSites(elf, '.smp_locks'));

  applyTracing(text, readTracingSites(memory, symbols));
  const sites = ifSound(() => readStaticCalls(memory, symbols)) ?? [];
  const targetOf: Pointer = (key) => calls?.get(key) ?? pointer(key);
  applyStaticCalls(text, sites, symbols, { pointer: targetOf, linked, returns, counted });
  applyKeys(text, readKeySites(memory, symbols), (key) => {
    // What the file has no bytes of is zero, and the key is off.
    const count = now.upTo(key, 4);
    return keys?.get(key) ?? (count?.length === 4 && wordsOf(count).getInt32(0, true) > 0);
  });
  for (const { name, isShift, sites } of runtimeConstants(elf)) {
    const address = symbols.address(name);
    const value = (address === undefined ? undefined : pointer(address)) || preset(name, has);
    if (value) applyConstant(text, sites, value, isShift ? 1 : 8);
  }
  return text;
}

/** Bytes of the template of thunks that count calls. */
function callThunk({ memory, symbols }: Kernel): Uint8Array | undefined {
  const [from, to] = [symbols.address('skl_call_thunk_template'), symbols.address('skl_call_thunk_tail')];
  return from === undefined || to === undefined || to <= from
    ? undefined
    : memory.upTo(from, Number(to - from));
}

/** Values that the features decide. */
const preset = (name: string, has: (feature: string) => boolean): bigint | undefined =>
  name === USER_END ? (1n << USER_BITS[has('la57') ? 1 : 0]) - PAGE : undefined;
