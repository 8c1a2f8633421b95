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
import { Random, TABLES } from './guest.ts';
import { code, enter, type Situation, situation } from './situation.ts';
import { Pair } from './wasm-pair.ts';

/** Situations a case; SITUATIONS=200 looks further, SEED=2 elsewhere. */
const SITUATIONS = Number(process.env.SITUATIONS ?? 3);
const SEED = Number(process.env.SEED ?? 1);

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
  ...(['cr0', 'cr3', 'cr4', 'efer', 'idtBase', 'gdtBase', 'tssBase', 'journalHead', 'logHead'] as const),
];

/** Where a random bit of a gate, a descriptor or the TSS lies. */
const tableWord = (random: Random): bigint =>
  TABLES + random.pick([0n, 0xc00n, 0xd00n]) + 8n * (random.word() % random.pick([64n, 8n]));

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
  /** As `run`, every third time with one bit of the tables flipped. */
  runFlipped(random: Random, chosen: Situation, transitions: number, where: string): void {
    const at = random.below(3) === 0 ? tableWord(random) : undefined;
    // Often the present bit of a gate or descriptor.
    const flip = 1n << (random.below(4) === 0 ? 47n : random.word() % 64n);
    const write = (): void => {
      if (at === undefined) return;
      for (const { machine, space } of this.pair.both)
        space.writeWords(at, [machine.physicalWord(space.physical(at) ?? 0) ^ flip]);
    };
    write();
    this.run(chosen, transitions, where);
    write();
  }
  /** Transition by transition, then in one slice. */
  run(chosen: Situation, transitions: number, where: string): void {
    const { pair, outcomes } = this;
    this.enter(chosen);
    pair.expectSame(`${where}, entered`);
    const start = pair.do(({ machine }) => machine.describe());
    const marks = pair.both.map(({ machine }) => machine.mark());
    let made = 0;
    for (; made < transitions; made++) {
      const { machine } = pair.oracle;
      const kept = KEPT.map((name) => machine.get(name));
      const { logLength } = machine;
      const own = machine.get('pendingKind') !== 0n;
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
