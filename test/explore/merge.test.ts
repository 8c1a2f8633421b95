import { expect, test } from 'vitest';
import { cut, inShard, mergeUnits, sweepUnit, type UnitReport } from '../../src/explore/merge.ts';
import { partsOf, type SweepAsk, sweep } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { variants } from './variants.ts';

const pages = libraryOnDisk();
const edits = variants(pages).find(({ name }) => name === 'without test C')?.edits ?? [];
const setup = { design: 'linux-4.2', starts: ['kernel-task', 'user-task'], bodies: ['int3'] };
const ask: SweepAsk = { ...setup, events: ['nmi', 'nmi'], window: 2, edits };
const ready = partsOf(ask, pages);
if ('problems' in ready) throw new Error(ready.problems.map(({ message }) => message).join('\n'));
const { parts } = ready;
const { heading, units } = cut(ask, parts);

/** A unit to its end. */
function explored(n: number): UnitReport {
  const unit = units[n];
  const report = unit && sweepUnit(ask, parts, unit);
  if (!report) throw new Error(`no unit ${n}`);
  return report;
}
const all = units.map((_, n) => explored(n));

test('units add up to the sweep, in any order', () => {
  const whole = sweep(ask, pages);
  if ('problems' in whole) throw new Error('no sweep');
  expect(units.map(({ part, fork, forks }) => `${part} ${fork}/${forks}`)).toEqual([
    '0 0/2',
    '0 1/2',
    '1 0/2',
    '1 1/2',
  ]);
  const merged = mergeUnits(all);
  expect(mergeUnits(all.toReversed())).toEqual(merged);
  // Runs that meet a run of another unit are made twice; nothing else differs.
  const { distinct, strikes, ...same } = merged;
  expect(strikes).toEqual({ nmi: distinct });
  expect(distinct).toBeGreaterThanOrEqual(whole.distinct);
  expect({ ...whole, ...same }).toEqual(whole);
  expect(same.violations.map(({ invariant }) => invariant)).toContain('I9');
  expect(heading).toMatchObject({ starts: whole.starts, bodies: whole.bodies, where: whole.where, model: 1 });
});

test('what is alike in length stays in the order of the units', () => {
  const report = (part: number, fork: number, name: string): UnitReport => ({
    ...{
      part,
      fork,
      boundaries: 9,
      schedules: 2,
      distinct: 1,
      strikes: { nmi: 1 },
      untold: [{ name, schedules: 1 }],
    },
    violations: [
      {
        ...{ invariant: 'I4', recipe: 'inject nmi at b1', step: 9, sentence: name },
        ...{ start: 'task', body: 'int3', schedules: 1 },
      },
    ],
  });
  const [a, b, c] = [report(0, 0, 'z'), report(0, 1, 'y'), report(1, 0, 'z')];
  for (const order of [
    [a, b, c],
    [c, b, a],
    [b, c, a],
  ]) {
    const { schedules, distinct, strikes, violations, untold } = mergeUnits(order);
    expect({ schedules, distinct, strikes, untold }).toEqual({
      strikes: { nmi: 3 },
      ...{ schedules: 6, distinct: 3 },
      untold: [
        { name: 'z', schedules: 2 },
        { name: 'y', schedules: 1 },
      ],
    });
    expect(violations.map(({ sentence, schedules: n }) => [sentence, n])).toEqual([
      ['z', 2],
      ['y', 1],
    ]);
  }
});

test('a unit says the same after others, and after it was given up', () => {
  const unit = units[1];
  if (!unit) throw new Error('no unit');
  let asked = 0;
  expect(sweepUnit(ask, parts, unit, () => ++asked < 20)).toBeUndefined();
  expect(asked).toBe(20);
  expect(explored(1)).toEqual(all[1]);
  expect(sweepUnit(ask, parts, unit, () => true)).toEqual(all[1]);
});

test('the digest of the code tells edits apart', () => {
  const intact = partsOf({ ...ask, edits: [] }, pages);
  if ('problems' in intact) throw new Error('no parts');
  expect(cut(ask, intact.parts).heading.code).not.toBe(heading.code);
});

test('shards of any number share out all units, each once', () => {
  for (const of of [1, 2, 3, 7]) {
    const taken = Array.from(
      { length: 10 },
      (_, place) =>
        Array.from({ length: of }, (_, n) => inShard(place, { index: n + 1, of })).filter(Boolean).length,
    );
    expect(taken).toEqual(Array(10).fill(1));
  }
});
