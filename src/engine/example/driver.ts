/**
 * One instruction in a known situation: what tests of semantics and the examples of reference pages drive. Another
 * implementation can be driven the same way.
 */

import { FIELDS, GPR } from '../../isa/state.ts';
import { AddressSpace } from '../address-space.ts';
import { Machine } from '../machine.ts';

/** Where things lie. The last data page can only be read; nothing lies behind it. */
export const CODE = 0x10_0000n;
export const DATA = 0x20_0000n;
export const DATA_SIZE = 0x2000;
export const READ_ONLY = 0x20_2000n;
export const TABLES = 0x30_0000n;

const PAGES: readonly (readonly [start: bigint, end: bigint])[] = [
  [CODE, CODE + 0x1000n],
  [DATA, READ_ONLY + 0x1000n],
  [TABLES, TABLES + 0x1000n],
];
/** Whether a situation can put `bytes` bytes at `at`. */
export const isMapped = (at: bigint, bytes: bigint): boolean =>
  PAGES.some(([start, end]) => at >= start && at + bytes <= end);

/** Flags by name and bit. */
export const FLAGS = {
  cf: 0,
  pf: 2,
  af: 4,
  zf: 6,
  sf: 7,
  tf: 8,
  if: 9,
  df: 10,
  of: 11,
  nt: 14,
  rf: 16,
  ac: 18,
  id: 21,
} as const;
export type FlagName = keyof typeof FLAGS;

/** The engine's own book-keeping, no business of an instruction. */
const INTERNAL = new Set([
  ...GPR,
  'rip',
  'zero',
  'flagResult',
  'flagCarry',
  'rflagsRest',
  'pendingKind',
  'pendingVector',
  'pendingCode',
  'pendingRip',
  'pendingInfo',
  'raisedVector',
  'raisedCode',
  'attention',
  'armedBreakpoints',
  'stop',
  'journalHead',
  'logHead',
]);
export const SYSTEM_FIELDS = FIELDS.filter((name) => !INTERNAL.has(name));
/** Everything a situation names: general registers, `rip`, flags, `iopl`, fields of the system. */
export const NAMES: readonly string[] = [...GPR, 'rip', ...Object.keys(FLAGS), 'iopl', ...SYSTEM_FIELDS];

/** Values by name; cells of memory by address, in bytes. */
export interface Situation {
  readonly state: ReadonlyMap<string, bigint>;
  readonly memory: ReadonlyMap<bigint, number>;
}
export interface Outcome extends Situation {
  /** `#GP(0x10)`, `int 3`, `stop: halted`; undefined when the instruction retired. */
  readonly event: string | undefined;
}

export interface Driver {
  /** What the situation is where a test says nothing. */
  readonly standard: ReadonlyMap<string, bigint>;
  /** Run one instruction to its end, all iterations of a repeated one. Memory of the outcome holds what changed. */
  run(bytes: Uint8Array, situation: Situation): Outcome;
}

const VECTOR_NAMES: Readonly<Record<number, string>> = {
  0: '#DE',
  1: '#DB',
  6: '#UD',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  21: '#CP',
};
const WITH_CODE = new Set([10, 11, 12, 13, 14, 21]);

/**
 * 0x10 code, 0x18 data, 0x20 data not present, 0x28 user data, 0x30 user code, 0x38 TSS, 0x48 read-only data of
 * 0x7 bytes, 0x50 the LDT below; 0x60 data not accessed, 0x68 conforming code not accessed, 0x70 32-bit code,
 * 0x78 call gate, 0x88 code with L and D, 0x90 code that cannot be read, 0x98 code not present, 0xa0 busy TSS,
 * 0xb0 LDT not present, 0xc0 user stack not accessed, 0xc8 user code not accessed.
 */
const GDT: readonly bigint[] = [
  0n,
  0n,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x00cf_1300_0000_ffffn,
  0x00cf_f300_0000_ffffn,
  0x00af_fb00_0000_ffffn,
  0x1200_8934_5678_0067n,
  0xffff_8000n,
  0x0040_f500_0000_0007n,
  0x0000_8230_0200_001fn,
  0n,
  0x00cf_9200_0000_ffffn,
  0x00af_9e00_0000_ffffn,
  0x00cf_9b00_0000_ffffn,
  0x0000_ec00_0010_0000n,
  0n,
  0x00ef_9b00_0000_ffffn,
  0x00af_9900_0000_ffffn,
  0x00af_1b00_0000_ffffn,
  0x0000_8b00_0000_0067n,
  0n,
  0x0000_0200_0000_001fn,
  0n,
  0x00cf_f200_0000_ffffn,
  0x00af_fa00_0000_ffffn,
];
/** 0x4 user data with a base, not accessed; 0xc code; 0x14 data. Null LDTR unless a test says `ldtLimit=0x1f`. */
const LDT: readonly bigint[] = [0x12cf_f234_5678_ffffn, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0n];
const LDT_AT = TABLES + 0x200n;

/** The engine's machine in ring 0; its pages are open to ring 3 as well. */
export function engineDriver(): Driver {
  const machine = new Machine({ frames: 32 });
  const space = new AddressSpace(machine);
  space.map(CODE, 1, { user: true, executable: true, writable: true });
  space.map(DATA, 2, { user: true, writable: true });
  space.map(READ_ONLY, 1, { user: true });
  space.map(TABLES, 1, { writable: true });
  space.writeWords(TABLES, GDT);
  space.writeWords(LDT_AT, LDT);
  const initial = {
    rip: CODE,
    rsp: DATA + 0x1000n,
    cr0: 0x8001_0033n,
    cr3: space.root,
    cr4: 0x20n,
    efer: 0xd01n,
    dr6: 0xffff_0ff0n,
    dr7: 0x400n,
    gdtBase: TABLES,
    gdtLimit: BigInt(GDT.length * 8 - 1),
    ldtBase: LDT_AT,
    cs: 0x10n,
    ss: 0x18n,
  };
  for (const [name, value] of Object.entries(initial)) machine.set(name as 'rip', value);
  machine.setRflags(2n);
  const start = machine.mark();
  const names: readonly string[] = NAMES;

  const stateOf = (): Map<string, bigint> => {
    const flags = machine.rflags();
    return new Map(
      names.map((name) => [
        name,
        name === 'iopl'
          ? (flags >> 12n) & 3n
          : name in FLAGS
            ? (flags >> BigInt(FLAGS[name as FlagName])) & 1n
            : machine.get(name as 'rip'),
      ]),
    );
  };
  const standard = stateOf();
  const pages = [DATA, TABLES];

  function put(state: ReadonlyMap<string, bigint>): void {
    let flags = machine.rflags();
    for (const [name, value] of state) {
      const [shift, mask] = name === 'iopl' ? [12n, 3n] : [BigInt(FLAGS[name as FlagName] ?? 0), 1n];
      if (name === 'iopl' || name in FLAGS) flags = (flags & ~(mask << shift)) | (value << shift);
      else if (names.includes(name)) machine.set(name as 'rip', value);
      else throw new Error(`unknown name: ${name}`);
    }
    machine.setRflags(flags);
  }

  return {
    standard,
    run(bytes, { state, memory }) {
      machine.undo(start);
      space.write(DATA, new Uint8Array(DATA_SIZE));
      space.writeWords(TABLES, GDT);
      space.writeWords(LDT_AT, LDT);
      space.write(CODE, new Uint8Array(32).fill(0xf4));
      space.write(CODE, bytes);
      for (const [at, byte] of memory) space.write(at, Uint8Array.of(byte));
      put(state);
      const before = pages.map(
        (page) => machine.readBytes(page, DATA_SIZE / (page === DATA ? 1 : 2)) ?? new Uint8Array(),
      );

      let transition = machine.step();
      for (let n = 0; transition.kind === 'repeat' && n < 100; n++) transition = machine.step();
      const changed = new Map<bigint, number>();
      pages.forEach((page, n) => {
        const after = machine.readBytes(page, before[n]?.length ?? 0) ?? new Uint8Array();
        after.forEach((byte, at) => {
          if (byte !== before[n]?.[at]) changed.set(page + BigInt(at), byte);
        });
      });
      const after = stateOf();
      if (transition.kind === 'stopped')
        return { state: after, memory: changed, event: `stop: ${machine.stopReason}` };
      const vector = Number(machine.get('pendingVector')),
        kind = machine.get('pendingKind');
      if (transition.kind === 'fault') {
        const code = WITH_CODE.has(vector) ? `(${shown(machine.get('pendingCode'))})` : '';
        return { state: after, memory: changed, event: `${VECTOR_NAMES[vector] ?? `#${vector}`}${code}` };
      }
      if (kind !== 0n) {
        after.set('rip', machine.get('pendingRip'));
        return { state: after, memory: changed, event: `int ${vector}` };
      }
      return { state: after, memory: changed, event: undefined };
    },
  };
}

/** A number as blocks show it. */
export const shown = (value: bigint): string => (value < 10n ? `${value}` : `0x${value.toString(16)}`);
