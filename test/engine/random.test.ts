/**
 * Random instructions in random situations. Two machines, one with the translation cache and one that walks
 * always, must agree in everything; a fault or a stop must have changed nothing; undo must lead back.
 */
import { expect, test } from 'vitest';
import { FRAMES, JOURNAL, LOG, LOG_ENTRY, STATE_SIZE } from '../../src/engine/layout.ts';
import type { Machine } from '../../src/engine/machine.ts';
import type { Encoding } from '../../src/isa/notation.ts';
import { type Field, GPR } from '../../src/isa/state.ts';
import { CASES, ENCODINGS } from '../../src/isa/table/index.ts';
import {
  CS,
  DATA,
  DATA_TABLE,
  type Guest,
  guest,
  istTop,
  Random,
  READ_ONLY,
  SS,
  STACK,
  STACK_TOP,
  TEXT,
  USER_CS,
  USER_DATA,
  USER_SS,
  USER_TEXT,
} from './guest.ts';

/** ROUNDS=100000 looks further. */
const ROUNDS = Number(process.env.ROUNDS ?? 6000);
const START = TEXT + 0x100n;

/** An address: mostly mapped, often at a page end, sometimes where a fault waits. */
function address(random: Random): bigint {
  const page = random.pick([
    DATA,
    DATA,
    DATA + 0x1000n,
    STACK,
    STACK + 0x3000n,
    STACK - 0x1000n,
    DATA + 0x2000n,
    READ_ONLY,
    USER_DATA,
    DATA_TABLE,
    TEXT,
    istTop(1) - 0x1000n,
    0x0000_8000_0000_0000n,
    0xffff_7fff_ffff_f000n,
    0xffff_ffff_ffff_f000n,
  ]);
  const offset = random.pick([
    random.word() & 0xff8n,
    0x1000n - (random.word() % 12n),
    random.word() % 48n,
    random.word() & 0xfffn,
  ]);
  return BigInt.asUintN(64, page + offset);
}
function number(random: Random): bigint {
  const edge = random.pick([
    0n,
    1n,
    0x7fn,
    0x80n,
    0xffn,
    0x7fffn,
    0x8000n,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
    (1n << 63n) - 1n,
    1n << 63n,
  ]);
  return BigInt.asUintN(
    64,
    random.pick([edge, edge + (random.word() % 5n) - 2n, random.word(), random.word() & 0x3fn]),
  );
}
const value = (random: Random): bigint => (random.below(2) === 0 ? address(random) : number(random));

/** One of the table's encodings with random operands, small immediates and displacements; sometimes just bytes. */
function code(random: Random, round: number): Uint8Array {
  const found: number[] = [];
  const encoding = ENCODINGS[round % ENCODINGS.length] as Encoding;
  const { prefix, rexW, map, byte, plusRegister, modrm } = encoding;
  if (random.below(8) === 0) found.push(random.pick([0x66, 0x65, 0x64, 0xf0, 0x2e]));
  if (random.below(2) === 0 && encoding.row.widths.includes(16)) found.push(0x66);
  if (typeof prefix === 'number') found.push(prefix);
  if (rexW || random.below(2) === 0)
    found.push(0x40 | random.below(8) | (rexW || random.below(2) === 0 ? 8 : 0));
  if (map !== 0) found.push(0x0f);
  found.push(byte + (plusRegister ? random.below(8) : 0));
  if (modrm === 'r') found.push(random.below(256));
  else if (modrm !== 'none' && 'byte' in modrm) found.push(modrm.byte);
  else if (modrm !== 'none') found.push((random.below(256) & 0xc7) | (modrm.digit << 3));
  for (let n = 0; n < 10; n++) found.push(random.pick([0, 0, 1, 8, 0xf8, random.below(256)]));
  return random.below(10) === 0 ? Uint8Array.from(found, () => random.below(256)) : Uint8Array.from(found);
}

interface Situation {
  readonly state: ReadonlyMap<Field, bigint>;
  readonly rflags: bigint;
  readonly words: readonly (readonly [bigint, bigint])[];
  readonly bytes: Uint8Array;
}
function situation(random: Random, round: number): Situation {
  const state = new Map<Field, bigint>(GPR.map((name) => [name, value(random)]));
  const user = random.below(5) === 0;
  const rip = user ? USER_TEXT + 0x100n : START;
  if (random.below(4) > 0)
    state.set('rsp', random.pick([STACK, STACK + 0x1000n, STACK_TOP - 0x80n]) + (random.word() & 0x7fn));
  if (random.below(2) > 0) state.set('rcx', BigInt(random.pick([0, 1, 2, 3, 63, 64])));
  // A frame pushed over the page table that maps it would take its own page away.
  const rspPage = (state.get('rsp') ?? 0n) & ~0xfffn;
  if (rspPage === DATA_TABLE || rspPage === DATA_TABLE + 0x1000n) state.set('rsp', DATA);
  state
    .set('cpl', user ? 3n : 0n)
    .set('cs', user ? USER_CS : CS)
    .set('ss', user ? USER_SS : SS)
    .set('rip', rip);
  state.set('gsBase', random.pick([DATA, value(random)])).set('kernelGsBase', value(random));
  state.set('cr4', random.pick([0x20n, 0x20n, 0x1_0020n, 0x31_0020n]));
  if (random.below(4) === 0) state.set('idtLimit', random.pick([0n, 0x20n, 0xdfn, 0x1ffn]));
  if (random.below(8) === 0) state.set('tssBase', address(random));
  state.set('nmiPending', random.below(4) === 0 ? 1n : 0n).set('nmiBlocked', BigInt(random.below(2)));
  const rsp = state.get('rsp') ?? 0n;
  const words: [bigint, bigint][] = [];
  // A frame for IRETQ, often acceptable.
  if (rsp >= STACK && rsp < STACK_TOP - 0x40n) {
    const outer = random.below(2) === 0;
    const frame = [
      random.pick([TEXT + 0x200n, address(random)]),
      random.pick([outer ? USER_CS : CS, outer ? USER_CS : CS, 0n, SS, 0x40n]),
      random.word(),
      address(random),
      random.pick([outer ? USER_SS : SS, outer ? USER_SS : SS, 0n, CS]),
    ];
    for (const [n, word] of frame.entries()) words.push([rsp + BigInt(8 * n), word]);
  }
  return {
    state,
    rflags: random.word() & (random.below(3) === 0 ? ~0n : ~0x1_0100n),
    words,
    bytes: code(random, round),
  };
}
function enter({ machine, space }: Guest, { state, rflags, words, bytes }: Situation): void {
  for (const [va, word] of words) space.writeWords(va, [word]);
  const rip = state.get('rip') ?? START;
  space.write(rip, bytes);
  for (const [name, word] of state) machine.set(name, word);
  machine.setRflags(rflags);
}

/** Undo takes back journalled stores; what `enter` and the loader wrote stays. */
const KEPT: readonly Field[] = [
  ...GPR,
  'rip',
  'flagResult',
  'flagCarry',
  'rflagsRest',
  'es',
  'cs',
  'ss',
  'ds',
  'fs',
  'gs',
  'cpl',
  'fsBase',
  'gsBase',
  'kernelGsBase',
  'cr0',
  'cr3',
  'cr4',
  'efer',
  'idtBase',
  'gdtBase',
  'tssBase',
  'shadow',
  'dr7',
  'journalHead',
  'logHead',
];
const everything = (machine: Machine): string =>
  `${Buffer.from(machine.memory.buffer, 0, STATE_SIZE).toString('hex')} ${machine.describe()}`;
const written = (machine: Machine): string => {
  const log = Buffer.from(machine.memory.buffer, LOG, machine.logLength * LOG_ENTRY).toString('hex');
  return `${Buffer.from(machine.memory.buffer, JOURNAL, machine.journalHead - JOURNAL).toString('hex')} ${log}`;
};

test('random instructions: caches are invisible, faults and stops change nothing, undo leads back', {
  timeout: 120_000,
}, () => {
  const random = new Random(2016);
  const cached = guest({ cached: true });
  const walking = guest({ cached: false });
  const base = new Map<Field, bigint>(KEPT.map((name) => [name, cached.machine.get(name)]));
  for (const name of ['idtLimit', 'gdtLimit', 'sfmask', 'star', 'lstar'] as const)
    base.set(name, cached.machine.get(name));
  const clean = [cached, walking].map(({ machine }) => machine.memory.buffer.slice(0));
  const outcomes = new Map<string, number>();
  const shapes = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = situation(random, round);
    for (const [name, word] of base)
      if (!chosen.state.has(name)) (chosen.state as Map<Field, bigint>).set(name, word);
    const before: string[] = [];
    for (const [n, one] of [cached, walking].entries()) {
      if (round % 500 === 0) {
        // Start afresh: what was loaded before is gone.
        new Uint8Array(one.machine.memory.buffer).set(new Uint8Array(clean[n] as ArrayBuffer));
        one.machine.writeGuest(
          0,
          new Uint8Array((clean[n] as ArrayBuffer).slice(FRAMES, FRAMES + one.machine.frames * 0x1000)),
        );
      }
      for (const name of [
        'pendingKind',
        'debugTrap',
        'shadow',
        'cr2',
        'raisedVector',
        'raisedCode',
        'stop',
        'attention',
      ] as const)
        one.machine.set(name, 0n);
      enter(one, chosen);
      one.machine.keyframe();
      before.push(everything(one.machine));
    }
    expect(before[0]).toBe(before[1]);
    const marks = [cached.machine.mark(), walking.machine.mark()];
    for (let step = 0; step < 3; step++) {
      const kept = KEPT.map((name) => cached.machine.get(name));
      const was = everything(cached.machine);
      const scratch = {
        stop: 0n,
        raisedVector: cached.machine.get('raisedVector'),
        raisedCode: cached.machine.get('raisedCode'),
      };
      const [one, two] = [cached.machine.step(), walking.machine.step()];
      const where = `round ${round} step ${step}: ${Buffer.from(chosen.bytes).toString('hex')} ${one.kind}`;
      if (step === 0 && one.instruction) shapes.add(one.instruction.shape.name);
      if (one.kind !== two.kind || one.vector !== two.vector) throw new Error(`${where} against ${two.kind}`);
      if (everything(cached.machine) !== everything(walking.machine))
        throw new Error(`${where}: states differ`);
      if (written(cached.machine) !== written(walking.machine))
        throw new Error(`${where}: journal or log differ`);
      const outcome =
        one.kind === 'stopped'
          ? cached.machine.stopReason
          : one.vector === undefined
            ? one.kind
            : `${one.kind} ${one.vector}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (one.kind === 'fault') {
        const changed = KEPT.filter((name, n) => cached.machine.get(name) !== kept[n]);
        if (changed.length > 0) throw new Error(`${where}: a fault changed ${changed.join(' ')}`);
      }
      if (one.kind === 'stopped') {
        // The reason, and the scratch words of a raise, are the tool's own.
        for (const name of ['stop', 'raisedVector', 'raisedCode'] as const)
          for (const { machine } of [cached, walking]) machine.set(name, scratch[name]);
        if (everything(cached.machine) !== was) throw new Error(`${where}: a stop changed something`);
        break;
      }
    }
    cached.machine.undo(marks[0] as never);
    walking.machine.undo(marks[1] as never);
    if (everything(cached.machine) !== before[0]) {
      const a = everything(cached.machine),
        b = before[0] as string;
      const n = [...a].findIndex((c, i) => c !== b[i]);
      throw new Error(
        `round ${round}: undo differs at ${n} ${n / 16} ${a.slice(n - (n % 16), n + 40)} ${b.slice(n - (n % 16), n + 40)} ${Buffer.from(chosen.bytes).toString('hex')}`,
      );
    }
  }
  if (process.env.VERBOSE) {
    console.log(
      [...outcomes]
        .sort((a, b) => b[1] - a[1])
        .map(([name, n]) => `${n} ${name}`)
        .join('\n'),
    );
    console.log(
      `${shapes.size} of ${CASES.length} shapes; not: ${CASES.filter(({ name }) => !shapes.has(name))
        .map(({ name }) => name)
        .join(' ')}`,
    );
  }
  for (const needed of [
    'instruction',
    'repeat',
    'fault 6',
    'fault 13',
    'fault 14',
    'delivery 2',
    'delivery 14',
    'delivery 3',
    'halted',
    'shutdown',
  ])
    expect(outcomes.get(needed), needed).toBeGreaterThan(0);
  expect(shapes.size).toBeGreaterThan(CASES.length / 2);
});
