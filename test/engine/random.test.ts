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
import { guest, Random } from './guest.ts';
import { enter, situation } from './situation.ts';

/** ROUNDS=100000 looks further. */
const ROUNDS = Number(process.env.ROUNDS ?? 6000);

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
  'dr0',
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
  for (const name of [
    'idtLimit',
    'gdtLimit',
    'sfmask',
    'star',
    'lstar',
    'cr8',
    'mcgStatus',
    'dr1',
    'dr2',
    'dr3',
  ] as const)
    base.set(name, cached.machine.get(name));
  const clean = [cached, walking].map(({ machine }) => machine.memory.buffer.slice(0));
  const outcomes = new Map<string, number>();
  const shapes = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = situation(random, ENCODINGS[round % ENCODINGS.length] as Encoding);
    for (const [name, word] of base)
      if (!chosen.state.has(name)) (chosen.state as Map<Field, bigint>).set(name, word);
    const before: string[] = [];
    for (const [n, one] of [cached, walking].entries()) {
      if (round % 500 === 0) {
        // Start afresh: what was loaded before is gone.
        one.machine.writeGuest(
          0,
          new Uint8Array((clean[n] as ArrayBuffer).slice(FRAMES, FRAMES + one.machine.frames * 0x1000)),
        );
      }
      for (const name of [
        'pendingKind',
        'debugTrap',
        'shadow',
        'halted',
        'mcPending',
        'irqPending',
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
