/** What becomes of calls at boot: through `pv_ops`, static ones, those that are counted, and those that tracing hooks into. */
import type { ParavirtSite, StaticCallSite } from '../sites.ts';
import type { SymbolTable } from '../symbols.ts';
import { relocate } from './apply-alternatives.ts';
import { fillNopsOld, NOP, NOPS } from './nops.ts';
import type { Returns } from './returns.ts';
import { BRANCH, branchTo, CALL, INT3, JMP, RET, type TextCopy } from './text-copy.ts';

/** What a pointer of the kernel holds; undefined outside of it. */
export type Pointer = (address: bigint) => bigint | undefined;

const POINTER = 8n;

/** Symbols that are looked for here. */
const NAMED = {
  table: 'pv_ops',
  nothing: '_paravirt_nop',
  refused: 'paravirt_BUG',
  zero: '__static_call_return0',
  again: 'static_call_force_reinit',
} as const;
export const CALL_SYMBOLS: readonly string[] = [...Object.values(NAMED), 'nop_func'];

/** paravirt_patch() (arch/x86/kernel/paravirt.c of 6.1): a direct call of the function, or nothing if it does nothing. */
export function applyParavirt(
  text: TextCopy,
  sites: readonly ParavirtSite[],
  symbols: SymbolTable,
  pointer: Pointer,
): void {
  const table = symbols.address(NAMED.table);
  const nothing = symbols.address(NAMED.nothing);
  const refused = symbols.address(NAMED.refused);
  if (table === undefined || refused === undefined) return;
  for (const { address, entry, length } of sites) {
    const target = pointer(table + POINTER * BigInt(entry)) || refused;
    const bytes = new Uint8Array(length);
    const used = target === nothing ? 0 : BRANCH;
    if (used > length) continue;
    if (used > 0) bytes.set(branchTo(CALL, address, target));
    fillNopsOld(bytes, used, length);
    text.write('paravirt call', address, bytes);
  }
}

/** `xor %eax,%eax` with prefixes that make five bytes of it: a call of the function that returns zero. */
const ZERO = [0x2e, 0x2e, 0x2e, 0x31, 0xc0];
/** Names of a key and its trampoline begin so. */
const KEY = '__SCK__';
const CALLED_THROUGH = '__SCT__';

/** What static calls are written with. */
export interface StaticCalls {
  readonly pointer: Pointer;
  /** What pointers held before the boot. */
  readonly linked: Pointer;
  readonly returns: Returns;
  /** Where a call of a function leads. */
  readonly counted: (target: bigint) => bigint;
}

/**
 * Static calls lead where their keys do (arch/x86/kernel/static_call.c of 6.12.117). Of a key that has changed the trampoline is written,
 * too. A tail call of nothing is a return: a plain one where it was written before the thunk was chosen, which is every one but
 * where the kernel starts over (static_call_force_reinit(), since 6.11).
 */
export function applyStaticCalls(
  text: TextCopy,
  sites: readonly StaticCallSite[],
  symbols: SymbolTable,
  { pointer, linked, returns, counted }: StaticCalls,
): void {
  const zero = symbols.address(NAMED.zero);
  const again = symbols.find(NAMED.again) !== undefined;
  for (const { address, key, isTail } of sites) {
    const target = pointer(key);
    // Of tail calls there are also jumps on a condition; no compiler of these kernels makes one.
    const opcode = text.at(address, 1)?.[0];
    if (target === undefined || opcode !== (isTail ? JMP : CALL)) continue;
    text.write('static call', address, isTail ? jump(address, target) : call(address, target));
  }
  for (const { name, address: key } of symbols.all) {
    if (!name.startsWith(KEY)) continue;
    const target = pointer(key);
    const trampoline = symbols.address(CALLED_THROUGH + name.slice(KEY.length));
    if (trampoline === undefined || target === undefined || target === linked(key)) continue;
    text.write('static call', trampoline, target === 0n ? PLAIN : branchTo(JMP, trampoline, target));
  }

  function jump(address: bigint, target: bigint): Uint8Array | readonly number[] {
    if (target !== 0n) return branchTo(JMP, address, target);
    return again ? returns.at(address, BRANCH) : PLAIN;
  }
  function call(address: bigint, target: bigint): Uint8Array | readonly number[] {
    if (target === 0n) return NOPS[BRANCH] as readonly number[];
    // The thunk before the function that returns zero is called as any other.
    const to = counted(target);
    return to === zero ? ZERO : branchTo(CALL, address, to);
  }
}

/** A return without a thunk. */
const PLAIN = [RET, INT3, INT3, INT3, INT3];

/** Functions that count on their own, or must not (skip_addr() in arch/x86/kernel/callthunks.c of 6.12). */
const UNCOUNTED = [
  'error_entry',
  'paranoid_entry',
  'xen_error_entry',
  '__switch_to_asm',
  'ret_from_fork_asm',
  'ret_from_fork',
  'soft_restart_cpu',
  '__fentry__',
];
/** KEXEC_CONTROL_CODE_MAX_SIZE. */
const KEXEC_CODE = 2048n;

/**
 * Where a call leads that counts its depth: to a copy of the template in the padding before the function. The copy is made when it
 * is first asked for.
 *
 * @returns the function itself where nothing is counted
 */
export function countedCalls(
  text: TextCopy,
  symbols: SymbolTable,
  template: Uint8Array | undefined,
): (target: bigint) => bigint {
  const [from, end, at] = ['_text', '_etext', 'skl_call_thunk_template'].map((one) => symbols.address(one));
  if (template === undefined || from === undefined || end === undefined || at === undefined)
    return (target) => target;
  const skipped = new Set(UNCOUNTED.map((one) => symbols.address(one)));
  const kexec = symbols.address('relocate_kernel') ?? 0n;
  const size = template.length;
  const pads = new Map<bigint, bigint>();
  return (target) => {
    const known = pads.get(target);
    if (known !== undefined) return known;
    const isKexec = target >= kexec && target < kexec + KEXEC_CODE;
    let found = target;
    if (target >= from && target < end && !skipped.has(target) && !isKexec) {
      const pad = target - BigInt(size);
      if (text.at(pad, size)?.every((byte) => byte === NOP)) {
        const bytes = Uint8Array.from(template);
        relocate(bytes, at, pad, size);
        text.write('call thunk', pad, bytes);
        found = pad;
      }
    }
    pads.set(target, found);
    return found;
  };
}

/** Every call of the core text goes through the thunk before its function. */
export function applyCallThunks(
  text: TextCopy,
  sites: Iterable<bigint>,
  symbols: SymbolTable,
  counted: (target: bigint) => bigint,
): void {
  const [from = 0n, end = 0n] = [symbols.address('_text'), symbols.address('_etext')];
  for (const address of sites) {
    const target = address >= from && address < end ? text.target(address, CALL) : undefined;
    const through = target === undefined ? undefined : counted(target);
    if (through !== undefined && through !== target)
      text.write('call thunk', address, branchTo(CALL, address, through));
  }
}

/** Calls that functions begin with for tracing are nops until somebody traces (ftrace_init()). */
export function applyTracing(text: TextCopy, sites: readonly bigint[]): void {
  for (const address of sites)
    if (text.at(address, 1)?.[0] === CALL)
      text.write('tracing call', address, NOPS[BRANCH] as readonly number[]);
}
