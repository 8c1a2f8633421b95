/** A guest with FRED: entry points in the page of the handlers, four stacks, no IDT. Cases run on both backends. */
import { test } from 'vitest';
import { wasm } from '../../src/engine/backends/wasm/backend.ts';
import type { Machine } from '../../src/engine/machine.ts';
import type { Field } from '../../src/isa/state.ts';
import { type Guest, type GuestOptions, guest, HANDLERS, istTop, STACK_TOP } from './guest.ts';

/** Where events of ring 3 and of ring 0 arrive. */
export const USER_ENTRY = HANDLERS;
export const KERNEL_ENTRY = HANDLERS + 256n;
export const CR4_FRED = (1n << 32n) | 0x20n;
export const CR4_CET = 1n << 23n;
/** SYSCALL_CS 0x10, SYSRET_CS 0x23. */
export const STAR = 0x0023_0010_0000_0000n;
export const levels = (of: Readonly<Record<number, bigint>>): bigint =>
  Object.entries(of).reduce((word, [vector, level]) => word | (level << BigInt(2 * Number(vector))), 0n);
/** The levels that Linux gives to #DB, NMI, #DF and #MC (linux v6.12 arch/x86/kernel/fred.c). */
export const LINUX = levels({ 1: 1n, 2: 2n, 8: 3n, 18: 2n });

export interface FredOptions extends GuestOptions {
  /** Bytes at the entry points. */
  readonly fromUser?: string;
  readonly fromKernel?: string;
}
export type Make = (options?: FredOptions) => Guest;

/** A red zone of 64 bytes, as Linux asks for it. Frames are pushed to STACK_TOP and the first three IST stacks. */
export const FRED_STATE: Partial<Record<Field, bigint>> = {
  cr4: CR4_FRED,
  fredConfig: USER_ENTRY | 0x40n,
  fredStklvls: LINUX,
  fredRsp0: STACK_TOP,
  fredRsp1: istTop(1),
  fredRsp2: istTop(2),
  fredRsp3: istTop(3),
  star: STAR,
  idtLimit: 0n,
  tssBase: 0n,
};
const maker =
  (fixed: GuestOptions): Make =>
  ({ fromUser = 'f4', fromKernel = 'f4', state = {}, ...options } = {}) =>
    guest({
      ...options,
      ...fixed,
      handlers: { 0: fromUser, 4: fromKernel },
      state: { ...FRED_STATE, ...state },
    });

/** One case on the oracle, without a translation cache, and on the interpreter. */
export function both(title: string, body: (make: Make) => void): void {
  test(title, () => {
    body(maker({ cached: false }));
    body(maker({ backend: wasm() }));
  });
}

/** The eight words of a frame by name. */
export interface FredFrame {
  readonly errorCode: bigint;
  readonly rip: bigint;
  readonly cs: bigint;
  readonly rflags: bigint;
  readonly rsp: bigint;
  readonly ss: bigint;
  readonly data: bigint;
  readonly zero: bigint;
}
const NAMES = ['errorCode', 'rip', 'cs', 'rflags', 'rsp', 'ss', 'data', 'zero'] as const;
export function frameOf(machine: Machine, at = machine.get('rsp')): FredFrame {
  const words = NAMES.map((name, n) => [name, machine.read(at + BigInt(8 * n), 64)] as const);
  return Object.fromEntries(words) as unknown as FredFrame;
}
/** Put a frame at RSP, as a handler finds it. */
export function putFrame({ machine, space }: Guest, frame: Partial<FredFrame>): void {
  space.writeWords(
    machine.get('rsp'),
    NAMES.map((name) => frame[name] ?? 0n),
  );
}
/** The SS word of an event of 64-bit code: selector, marks, vector, type, then nested and instruction length. */
export const ssWord = (
  selector: bigint,
  vector: number,
  type: number,
  {
    sti = 0n,
    software = 0n,
    nmi = 0n,
    nested = 0n,
    length = 0n,
  }: Readonly<Partial<Record<'sti' | 'software' | 'nmi' | 'nested' | 'length', bigint>>> = {},
): bigint =>
  selector |
  (sti << 16n) |
  (software << 17n) |
  (nmi << 18n) |
  (BigInt(vector) << 32n) |
  (BigInt(type) << 48n) |
  (1n << 57n) |
  (nested << 58n) |
  (length << 60n);
