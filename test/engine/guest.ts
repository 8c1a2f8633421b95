/** A tiny kernel for tests: page tables, GDT, IDT, TSS, a task stack, IST stacks with guard pages, a user page. */
import { AddressSpace, bytesOf } from '../../src/engine/address-space.ts';
import { Machine, type MachineOptions } from '../../src/engine/machine.ts';
import type { Field } from '../../src/isa/state.ts';

export const TEXT = 0xffff_ffff_8100_0000n;
/** Handler of vector n lies at HANDLERS + 64 n. */
export const HANDLERS = TEXT + 0x1000n;
export const STACK = 0xffff_c900_0000_0000n;
export const STACK_TOP = STACK + 0x4000n;
/** IST stacks are one page, each above an unmapped one. */
export const istTop = (n: number): bigint => 0xffff_c900_0001_0000n + BigInt(n) * 0x2000n;
export const DATA = 0xffff_8880_0000_0000n;
export const READ_ONLY = 0xffff_8880_0001_0000n;
/** The page table of DATA, seen as data. */
export const DATA_TABLE = 0xffff_8880_0002_0000n;
export const USER_TEXT = 0x40_0000n;
export const USER_DATA = 0x60_0000n;
export const USER_STACK_TOP = 0x7fff_0000_1000n;
export const TABLES = 0xffff_fe00_0000_0000n;
export const CS = 0x10n;
export const SS = 0x18n;
export const USER_SS = 0x2bn;
export const USER_CS = 0x33n;
export const GDT = TABLES + 0xc00n;
export const TSS = TABLES + 0xd00n;

export const IRETQ = '48 cf';
export const NOP = '90';

export const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.split(/\s+/).filter(Boolean), (byte) => Number.parseInt(byte, 16));

export interface GuestOptions extends MachineOptions {
  /** Bytes at TEXT, in hexadecimal. */
  readonly text?: string;
  /** Bytes of handlers by vector; every other one is HLT. */
  readonly handlers?: Readonly<Record<number, string>>;
  /** IST by vector. */
  readonly ist?: Readonly<Record<number, number>>;
  /** Bytes at USER_TEXT. */
  readonly user?: string;
  readonly state?: Readonly<Partial<Record<Field, bigint>>>;
}

export interface Guest {
  readonly machine: Machine;
  readonly space: AddressSpace;
}

export function gate(target: bigint, ist: number, dpl: bigint, type = 0xen): readonly [bigint, bigint] {
  const low = (target & 0xffffn) | (CS << 16n) | (BigInt(ist) << 32n);
  const access = (0x80n | (dpl << 5n) | type) << 40n;
  return [low | access | (((target >> 16n) & 0xffffn) << 48n), target >> 32n];
}

/** In ring 0 at TEXT, on the task stack. Vectors 3 and 4 are open to users. */
export function guest({
  text = NOP,
  handlers = {},
  ist = {},
  user = NOP,
  state = {},
  ...options
}: GuestOptions = {}): Guest {
  const machine = new Machine({ frames: 64, ...options });
  const space = new AddressSpace(machine);
  space.map(TEXT, 2, { executable: true });
  space.map(STACK, 4, { writable: true });
  for (let n = 1; n <= 7; n++) space.map(istTop(n) - 0x1000n, 1, { writable: true });
  const [data = 0] = space.map(DATA, 2, { writable: true });
  space.map(READ_ONLY, 1);
  space.map(TABLES, 1, { writable: true });
  space.map(USER_TEXT, 1, { user: true, executable: true });
  space.map(USER_DATA, 1, { user: true, writable: true });
  space.map(USER_STACK_TOP - 0x1000n, 1, { user: true, writable: true });
  space.map(DATA_TABLE, 1, { writable: true }, tableOf(machine, space, data));

  space.write(TEXT, bytes(text));
  space.write(USER_TEXT, bytes(user));
  for (let vector = 0; vector < 32; vector++) {
    const target = HANDLERS + BigInt(vector * 64);
    space.write(target, bytes(handlers[vector] ?? 'f4'));
    const dpl = vector === 3 || vector === 4 ? 3n : 0n;
    space.writeWords(TABLES + BigInt(vector * 16), gate(target, ist[vector] ?? 0, dpl));
  }
  space.writeWords(GDT + CS, [0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]);
  space.writeWords(GDT + (USER_SS & ~7n), [0x00cf_f300_0000_ffffn, 0x00af_fb00_0000_ffffn]);
  space.write(TSS + 4n, bytesOf([STACK_TOP]));
  space.write(TSS + 36n, bytesOf([1, 2, 3, 4, 5, 6, 7].map(istTop)));
  const start: Partial<Record<Field, bigint>> = {
    rip: TEXT,
    rsp: STACK + 0x3808n,
    cs: CS,
    ss: SS,
    cr3: space.root,
    idtBase: TABLES,
    idtLimit: 0x1ffn,
    gdtBase: GDT,
    gdtLimit: 0x37n,
    tssBase: TSS,
    ...state,
  };
  for (const [name, value] of Object.entries(start)) machine.set(name as Field, value);
  machine.keyframe();
  return { machine, space };
}

/** Frame of the page table that holds the entry of a frame: found by looking for its entry. */
function tableOf(machine: Machine, space: AddressSpace, frame: number): number {
  for (let at = 0; at < machine.frames * 0x1000; at += 8) {
    const entry = machine.physicalWord(at);
    if (
      (entry & 1n) === 1n &&
      (entry & 0xf_ffff_ffff_f000n) === BigInt(frame) &&
      space.linear(at) === undefined
    )
      return at - (at % 0x1000);
  }
  throw new Error('missing page table');
}

/** Five words and, where given, the error code below them: what lies at RSP after a delivery. */
export function frameAt(machine: Machine, at: bigint, count = 5): (bigint | undefined)[] {
  return Array.from({ length: count }, (_, n) => machine.read(at + BigInt(8 * n), 64));
}

/** Put an IRET frame on the stack at RSP. */
export function iretFrame({ machine, space }: Guest, frame: readonly bigint[]): void {
  space.writeWords(machine.get('rsp'), frame);
}

/** Seeded choices (SplitMix64). */
export class Random {
  private state: bigint;
  constructor(seed: number) {
    // Not a multiple of the increment: neighbouring seeds would give the same words, one place on.
    this.state = BigInt.asUintN(64, (BigInt(seed) + 1n) * 0xd134_2543_de82_ef95n);
  }
  word(): bigint {
    this.state = BigInt.asUintN(64, this.state + 0x9e37_79b9_7f4a_7c15n);
    let z = this.state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  }
  below(n: number): number {
    return Number(this.word() % BigInt(n));
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}
