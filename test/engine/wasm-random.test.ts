/**
 * Every case in random situations, *bigint* against the interpreter: after each transition the state block,
 * journal, log and guest memory are equal, byte for byte; the same when all transitions are one slice; a
 * fault or a stop has changed nothing; undo of both leads back.
 */
import { expect, test } from 'vitest';
import { AMD } from '../../src/engine/vendor.ts';
import { decode } from '../../src/isa/decode.ts';
import type { Encoding } from '../../src/isa/notation.ts';
import { FIELDS, type Field, GPR } from '../../src/isa/state.ts';
import { CASES, type Case, casesOf, ENCODINGS } from '../../src/isa/table/index.ts';
import {
  DATA,
  DATA_TABLE,
  type Guest,
  istTop,
  Random,
  STACK,
  TABLES,
  TEXT,
  USER_DATA,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';
import { BIT, LEVELS, placeOf, putWord, USED } from './page-entries.ts';
import { code, enter, type Situation, situation } from './situation.ts';
import { onlyMarks, Pair } from './wasm-pair.ts';

/** Situations a case; SITUATIONS=200 looks further, SEED=2 elsewhere. */
const SITUATIONS = Number(process.env.SITUATIONS ?? 3);
const SEED = Number(process.env.SEED ?? 3);

const encodingsOf = new Map<string, Encoding[]>();
for (const encoding of ENCODINGS)
  for (const { name } of casesOf(encoding))
    encodingsOf.set(name, [...(encodingsOf.get(name) ?? []), encoding]);

/** Random bytes that are an instruction of a case, and what follows them. */
function bytesOf(random: Random, { name }: Case): Uint8Array | undefined {
  for (let tries = 0; tries < 30_000; tries++) {
    const bytes = code(random, random.pick(encodingsOf.get(name) ?? []));
    const found = decode(bytes);
    if (!('problem' in found) && found.shape.name === name) return bytes;
  }
  return undefined;
}
/** One instruction, or several in a row. */
function program(random: Random, first: Uint8Array, count: number): Uint8Array {
  const all = [first];
  for (let n = 1; n < count; n++) all.push(code(random, random.pick(ENCODINGS)));
  const whole = all.map((bytes) => {
    const found = decode(bytes);
    return 'problem' in found ? bytes : bytes.subarray(0, found.length);
  });
  return count === 1 ? first : Uint8Array.from(whole.flatMap((bytes) => [...bytes]));
}

/** What the situations set anew, beside what they choose. */
const CLEARED: readonly Field[] = [
  'pendingKind',
  'pendingVector',
  'pendingCode',
  'pendingRip',
  'pendingInfo',
  'debugTrap',
  'shadow',
  'halted',
  'mcPending',
  'irqPending',
  'armedBreakpoints',
  'metBreakpoints',
  'cr2',
  'raisedVector',
  'raisedCode',
  'stop',
  'attention',
];
/** What a fault must leave alone: CR2, what is pending and, for IRET and NMI delivery, the latch are not in it. */
const KEPT: readonly Field[] = [
  ...GPR,
  ...(['rip', 'flagResult', 'flagCarry', 'cs', 'ss', 'cpl', 'fsBase', 'gsBase', 'kernelGsBase'] as const),
  ...(['cr0', 'cr3', 'cr4', 'efer', 'idtBase', 'gdtBase', 'tssBase', 'logHead'] as const),
  ...(['es', 'ds', 'fs', 'gs', 'dataPrivilege', 'ldtr', 'ldtBase', 'ldtLimit', 'tr', 'tssLimit'] as const),
];

/** Where a random bit of a gate, a descriptor or the TSS lies. */
const tableWord = (random: Random): bigint =>
  TABLES + random.pick([0n, 0xc00n, 0xd00n]) + 8n * (random.word() % random.pick([64n, 8n]));

/** Bits of entries that a walk looks at, mostly the flags it sets. */
const ENTRY_BITS = [USED, BIT.accessed, BIT.dirty] as const;
const RIGHT_BITS = [
  BIT.writable,
  BIT.user,
  BIT.noExecute,
  BIT.present,
  BIT.large,
  1n << 13n,
  1n << 47n,
] as const;
const PLACES = [
  DATA,
  STACK,
  TEXT,
  TABLES,
  USER_TEXT,
  USER_DATA,
  USER_STACK_TOP - 8n,
  DATA_TABLE,
  istTop(1) - 8n,
];
/** Entries to change, each once, and the bits to flip in them. */
function pageEntries(random: Random, one: Guest): Map<number, bigint> {
  const flips = new Map<number, bigint>();
  for (let n = random.below(5); n >= 0; n--) {
    const place = placeOf(one, random.pick(PLACES), random.pick(LEVELS));
    flips.set(place, random.pick(random.below(12) === 0 ? RIGHT_BITS : ENTRY_BITS));
  }
  return flips;
}

class Arena {
  readonly pair: Pair;
  readonly outcomes = new Map<string, number>();
  private readonly base: ReadonlyMap<Field, bigint>;
  private readonly clean: readonly Uint8Array[];

  constructor(pair: Pair) {
    this.pair = pair;
    const { machine } = pair.oracle;
    this.base = new Map(
      FIELDS.filter((name) => !CLEARED.includes(name)).map((name) => [name, machine.get(name)]),
    );
    this.clean = pair.both.map((one) => guestBytes(one.machine));
  }
  /** Guest memory as at the start. */
  refresh(): void {
    for (const [n, { machine }] of this.pair.both.entries())
      machine.writeGuest(0, this.clean[n] as Uint8Array);
  }
  enter(chosen: Situation): void {
    for (const one of this.pair.both) {
      for (const [name, value] of this.base) one.machine.set(name, value);
      for (const name of CLEARED) one.machine.set(name, 0n);
      enter(one, chosen);
      one.machine.keyframe();
    }
  }
  /** As `run`, every third time with one bit of the tables flipped, every second time with flags of page tables. */
  runFlipped(random: Random, chosen: Situation, transitions: number, where: string): void {
    this.enter(chosen);
    const { machine, space } = this.pair.oracle;
    const flips = random.below(2) === 0 ? new Map<number, bigint>() : pageEntries(random, this.pair.oracle);
    if (random.below(3) === 0) {
      const place = Math.floor((space.physical(tableWord(random)) ?? 0) / 8) * 8;
      // Often what a load of a segment looks at: accessed, type, DPL, present, L.
      flips.set(place, 1n << random.pick([random.word() % 64n, 40n, 40n, 43n, 45n, 47n, 53n]));
    }
    const before = [...flips.keys()].map((place) => [place, machine.physicalWord(place)] as const);
    for (const one of this.pair.both) {
      for (const [place, word] of before) putWord(one.machine, place, word ^ (flips.get(place) ?? 0n));
      one.machine.keyframe();
    }
    this.run(transitions, where);
    for (const one of this.pair.both) for (const [place, word] of before) putWord(one.machine, place, word);
  }
  /** Transition by transition, then in one slice. */
  private run(transitions: number, where: string): void {
    const { pair, outcomes } = this;
    pair.expectSame(`${where}, entered`);
    const start = pair.do(({ machine }) => machine.describe());
    const marks = pair.both.map(({ machine }) => machine.mark());
    let made = 0;
    for (; made < transitions; made++) {
      const { machine } = pair.oracle;
      const kept = KEPT.map((name) => machine.get(name));
      const { logLength } = machine;
      const own = machine.get('pendingKind') !== 0n;
      const head = machine.get('journalHead');
      const ran = pair.do((one) => one.machine.run(1));
      const [logged] = machine.log(logLength);
      const outcome =
        ran === 0
          ? machine.stopReason
          : logged?.kind === 'delivery'
            ? `delivery ${own || logged.vector <= 18 ? logged.vector : 'interrupt'}`
            : `${machine.get('pendingKind')} ${machine.get('pendingVector')}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const here = `${where}, transition ${made}, ${outcome}`;
      pair.expectSame(here);
      if (ran === 0 || machine.get('pendingKind') === 1n) {
        const changed = KEPT.filter((name, n) => machine.get(name) !== kept[n]);
        if (changed.length > 0) throw new Error(`${here} changed ${changed.join(' ')}`);
        if (!onlyMarks(machine, head)) throw new Error(`${here} stored something`);
      }
      if (ran === 0) break;
    }
    for (const slots of [false, true]) {
      for (const [n, { machine }] of pair.both.entries()) machine.undo(marks[n] as never);
      pair.expectSame(`${where}, undone`);
      expect(pair.do(({ machine }) => machine.describe())).toBe(start);
      if (slots) break;
      for (const { machine } of pair.both) machine.markSlot(0);
      const ran = pair.do(({ machine }) => machine.run(transitions));
      if (ran !== made) throw new Error(`${where}: ${made} one by one, ${ran} in a slice`);
      pair.expectSame(`${where}, in one slice`);
      for (const { machine } of pair.both) machine.undoSlot(0);
      pair.expectSame(`${where}, undone to a slot`);
    }
  }
}
const guestBytes = (machine: Pair['machine']): Uint8Array => {
  const words = new BigUint64Array((machine.frames * 0x1000) / 8);
  for (let n = 0; n < words.length; n++) words[n] = machine.physicalWord(8 * n);
  return new Uint8Array(words.buffer);
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('every case, alone: state, journal, log and memory are those of the oracle', {
  timeout: 300_000,
}, () => {
  const random = new Random(SEED);
  const arena = new Arena(new Pair());
  const missing: string[] = [];
  for (const [n, one] of CASES.entries()) {
    if (n % 100 === 0) arena.refresh();
    for (let round = 0; round < SITUATIONS; round++) {
      const bytes = bytesOf(random, one);
      if (bytes === undefined) {
        missing.push(one.name);
        break;
      }
      arena.runFlipped(random, situation(random, bytes), 3, `${one.name}, round ${round}, ${hex(bytes)}`);
    }
  }
  expect(missing).toEqual([]);
  if (process.env.VERBOSE) console.log([...arena.outcomes].sort((a, b) => b[1] - a[1]));
  for (const needed of [
    'delivery 1',
    'delivery 2',
    'delivery 18',
    'delivery interrupt',
    '1 0',
    '1 6',
    '1 11',
    '1 12',
    '1 13',
    '1 14',
    '1 21',
    'halted',
    'shutdown',
  ])
    expect(arena.outcomes.get(needed), needed).toBeGreaterThan(0);
});

test('random programs of eight instructions, on both vendors', { timeout: 300_000 }, () => {
  for (const options of [{}, { vendor: AMD }]) {
    const random = new Random(SEED + 1000);
    const arena = new Arena(new Pair(options));
    for (let round = 0; round < SITUATIONS * 200; round++) {
      if (round % 100 === 0) arena.refresh();
      const bytes = program(random, code(random, random.pick(ENCODINGS)), 8);
      arena.runFlipped(random, situation(random, bytes), 12, `round ${round}, ${hex(bytes)}`);
    }
  }
});
