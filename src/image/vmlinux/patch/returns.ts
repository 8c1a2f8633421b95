/**
 * What becomes of returns and of indirect calls at boot: a jump to the thunk that the processor needs, or the plain instruction
 * (apply_returns() and apply_retpolines() in arch/x86/kernel/alternative.c, the thunks of arch/x86/kernel/cpu/bugs.c, all of 6.1.192
 * and 6.12.117).
 */
import type { SymbolTable } from '../symbols.ts';
import { NOP, optimizeNops, optimizeNopsOld } from './nops.ts';
import { BRANCH, branchTo, CALL, INT3, JMP, RET, type TextCopy } from './text-copy.ts';

/** Whether a processor has a feature that the kernel knows by this name. */
export type Has = (feature: string) => boolean;

/** Features that ask for a return thunk of their own, and its name; of several the last. */
const RETURN_THUNKS: readonly (readonly [feature: string, ...symbols: readonly string[]])[] = [
  ['unret', 'retbleed_return_thunk', 'zen_return_thunk'],
  ['bug_its', 'its_return_thunk'],
  ['call_depth', 'call_depth_return_thunk', '__x86_return_skl'],
  ['srso', 'srso_return_thunk'],
  ['srso_alias', 'srso_alias_return_thunk'],
];
const LINKED_THUNK = '__x86_return_thunk';
export const RETURN_THUNK_SYMBOLS: readonly string[] = [
  LINKED_THUNK,
  ...RETURN_THUNKS.flatMap(([, ...symbols]) => symbols),
];

/** Says of a place what a return there becomes. */
export interface Returns {
  /** The bytes of a return at an address: `length` of them, INT3s behind a plain one. */
  readonly at: (address: bigint, length: number) => Uint8Array;
}

/**
 * The return thunk of a processor. Without `rethunk` a return is plain. With `its_return_thunk`, which only has to keep
 * returns out of the lower half of a cache line, those of the upper half are plain (cpu_wants_rethunk_at()).
 */
export function returnsFor(symbols: SymbolTable, has: Has): Returns {
  const names = RETURN_THUNKS.filter(([feature, ...thunks]) => has(feature) && thunks.some(known)).at(-1);
  function known(name: string): boolean {
    return symbols.address(name) !== undefined;
  }
  const name = names?.slice(1).find(known) ?? LINKED_THUNK;
  const thunk = has('rethunk') ? symbols.address(name) : undefined;
  const isAligned = name === 'its_return_thunk';
  return {
    at(address, length) {
      const bytes = new Uint8Array(length).fill(INT3);
      if (thunk === undefined || (isAligned && (address & LOWER_HALF) !== 0n)) bytes[0] = RET;
      else bytes.set(branchTo(JMP, address, thunk));
      return bytes;
    },
  };
}

/** Of an address: not in the lower half of its cache line. */
const LOWER_HALF = 0x20n;
/** Behind the jump of a static call's trampoline: an instruction that is undefined, and stands nowhere else. */
const TRAMPOLINE = [0x0f, 0xb9, 0xcc];

/** Every return that jumps to the thunk it was linked with; and trampolines of static calls that do nothing. */
export function applyReturns(
  text: TextCopy,
  sites: readonly bigint[],
  symbols: SymbolTable,
  returns: Returns,
): void {
  const linked = symbols.address(LINKED_THUNK);
  for (const address of sites) {
    const isTrampoline = TRAMPOLINE.every((byte, n) => text.at(address, 8)?.[BRANCH + n] === byte);
    const target = text.target(address, JMP);
    if (isTrampoline ? target === linked : target !== undefined)
      text.write('return', address, returns.at(address, BRANCH));
  }
}

/** Bytes of one of the sixteen thunks of an array. */
const THUNK = 32n;
const LFENCE = [0x0f, 0xae, 0xe8];
const CS = 0x2e;

/** Arrays of thunks: those it was linked with, those that count calls, those of ITS. */
const ARRAYS = {
  linked: '__x86_indirect_thunk_array',
  call: '__x86_indirect_call_thunk_array',
  jump: '__x86_indirect_jump_thunk_array',
  its: '__x86_indirect_its_thunk_array',
} as const;
export const INDIRECT_THUNK_SYMBOLS: readonly string[] = Object.values(ARRAYS);

/** How a processor calls through a register. */
interface Indirect {
  readonly retpoline: boolean;
  readonly lfence: boolean;
  readonly callDepth: boolean;
  /** Branches of a lower half of a cache line go through a thunk in an upper one. */
  readonly its: boolean;
  /** Where arrays of thunks lie, one for each register. */
  readonly arrays: { readonly call?: bigint | undefined; readonly jump?: bigint | undefined };
  readonly itsArray: bigint | undefined;
}

/**
 * Every call and jump to a thunk of a register. Of ITS the kernel takes thunks of pages that it allocates, if it can; here it is the
 * array it falls back on.
 *
 * @param old before 6.5, by the length of nops
 */
export function applyRetpolines(
  text: TextCopy,
  sites: readonly bigint[],
  symbols: SymbolTable,
  has: Has,
  old: boolean,
): void {
  const linked = symbols.address(ARRAYS.linked);
  if (linked === undefined) return;
  const how: Indirect = {
    retpoline: has('retpoline'),
    lfence: has('retpoline_lfence'),
    callDepth: has('call_depth'),
    its: has('indirect_thunk_its'),
    arrays: {
      call: symbols.address(ARRAYS.call),
      jump: symbols.address(ARRAYS.jump),
    },
    itsArray: symbols.address(ARRAYS.its),
  };
  for (const address of sites) {
    const found = branchAt(text, address);
    if (!found) continue;
    const register = Number((found.target - linked) / THUNK);
    if (register < 0 || register > 15) continue;
    const bytes = indirect(address, found, register, how);
    if (!bytes) continue;
    if (old) optimizeNopsOld(bytes);
    else optimizeNops(bytes);
    text.write('retpoline', address, bytes);
  }
}

/** A call, a jump, or a jump on a condition. */
interface Branch {
  readonly opcode: number;
  /** Of a jump on a condition: which, in four bits. */
  readonly condition: number | undefined;
  readonly length: number;
  readonly target: bigint;
}

function branchAt(text: TextCopy, address: bigint): Branch | undefined {
  const [first = 0, second = 0] = text.at(address, 2) ?? [];
  const isJump = first === 0x0f && (second & 0xf0) === 0x80;
  const before = isJump || first === CS ? 1 : 0;
  const opcode = before === 1 ? second : first;
  const target = text.target(address + BigInt(before), opcode);
  if (target === undefined || !(isJump || opcode === CALL || opcode === JMP)) return undefined;
  return {
    opcode: isJump ? JMP : opcode,
    condition: isJump ? second & 15 : undefined,
    length: before + BRANCH,
    target,
  };
}

/** What stands there then; undefined where it stays. */
function indirect(address: bigint, found: Branch, register: number, how: Indirect): Uint8Array | undefined {
  const { opcode, condition, length } = found;
  if (how.retpoline && !how.lfence) {
    const array = opcode === CALL ? how.arrays.call : how.arrays.jump;
    return how.callDepth && array !== undefined ? through(address, found, register, array) : undefined;
  }
  const code: number[] = [];
  // The opposite condition leads over it.
  if (condition !== undefined) code.push(0x70 | (condition ^ 1), length - 2);
  if (how.lfence) code.push(...LFENCE);
  const long = register >> 3;
  if (how.its && how.itsArray !== undefined) {
    const last = address + BigInt(code.length + 1 + long);
    if ((last & LOWER_HALF) === 0n) return through(address, found, register, how.itsArray);
  }
  if (long) code.push(0x41);
  code.push(0xff, (opcode === CALL ? 0xd0 : 0xe0) | (register & 7));
  if (opcode === JMP && code.length < length) code.push(INT3);
  if (code.length > length) return undefined;
  const bytes = new Uint8Array(length).fill(NOP);
  bytes.set(code);
  return bytes;
}

/** The same branch, to the thunk of this register in another array. */
function through(address: bigint, { opcode, condition, length }: Branch, register: number, array: bigint) {
  const bytes = new Uint8Array(length);
  const before = length - BRANCH;
  bytes.set(branchTo(opcode, address + BigInt(before), array + THUNK * BigInt(register)), before);
  if (condition !== undefined) bytes.set([0x0f, 0x80 | condition]);
  else if (before === 1) bytes[0] = CS;
  return bytes;
}
