/** Unwinders judged inside sweeps: at distinct states, with I6 and its named gaps, the same in one go and in units. */
import { expect, test } from 'vitest';
import type { Judged } from '../../src/explore/judged.ts';
import { unpack } from '../../src/explore/map.ts';
import { cut, mergeUnits, sweepUnit } from '../../src/explore/merge.ts';
import { surveyAll } from '../../src/explore/survey.ts';
import { partsOf, type SweepAsk, type SweepReport, sweep } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const ASK: SweepAsk = {
  ...{ design: 'linux-4.2', events: ['nmi'], starts: ['kernel-task'], bodies: ['int3'], window: 3 },
  judge: ['orc-6.12', 'end-2', 'end-14', 'guess-4.9'],
};
const swept = (ask: SweepAsk): SweepReport => {
  const report = sweep(ask, pages);
  if ('problems' in report) throw new Error(report.problems.map(({ message }) => message).join('\n'));
  return report;
};
const of = (report: SweepReport, unwinder: string): Judged => {
  const found = report.judged?.find((one) => one.unwinder === unwinder);
  if (!found) throw new Error(`missing ${unwinder}`);
  return found;
};
/** Breaks of I6 by an unwinder. */
const unsaid = (report: SweepReport, unwinder: string) =>
  report.violations.filter(
    ({ invariant, sentence }) => invariant === 'I6' && sentence.startsWith(`${unwinder} `),
  );
const total = ({ states }: Judged): number => Object.values(states).reduce((sum, n) => sum + n, 0);
const NESTED: SweepAsk = { ...ASK, given: ['nmi at task+2'] };

test('one NMI: ORC is right at every state, and the stale copy misleads end[-14]', () => {
  const report = swept(ASK);
  const [orc, third] = [of(report, 'orc-6.12'), of(report, 'end-14')];
  expect(orc.states.right).toBe(total(orc));
  expect(unsaid(report, 'orc-6.12')).toEqual([]);
  expect(total(third)).toBe(total(orc));
  expect(third.states['wrong-silently']).toBeGreaterThan(0);
  expect(unsaid(report, 'end-14').length).toBe(1);
  // A sweep without a judge says nothing of unwinders.
  expect(swept({ ...ASK, judge: undefined } as unknown as SweepAsk).judged).toBeUndefined();
});

test('a second NMI inside: end[-2] is the one that breaks I6, and no gap hides it', () => {
  const report = swept(NESTED);
  const hardware = of(report, 'end-2');
  expect(hardware.states['stops-early-silently']).toBeGreaterThan(100);
  expect(unsaid(report, 'end-2').length).toBeGreaterThan(0);
  // ORC takes the way from the nested NMI to the first, up the same stack, for corruption: but it says so.
  const orc = of(report, 'orc-6.12');
  expect(unsaid(report, 'orc-6.12')).toEqual([]);
  expect(orc.states['stops-early-and-says'] + orc.states['wrong-and-says']).toBeGreaterThan(0);
  // What follows the overwritten word is excused by name: that it is overwritten is what the debate was about.
  expect(Object.keys(of(report, 'guess-4.9').gaps)).toContain('overwritten-link');
});

test('each recipe that is told shows what it says', () => {
  for (const ask of [ASK, NESTED])
    for (const { recipe } of swept(ask).violations) {
      expect(recipe).toMatch(/^expect {2}unwind /m);
      const lines = recipe.trimEnd().split('\n');
      expect(play({ page: 'test', name: 'found', line: 1, lines }, pages).problems).toEqual([]);
    }
});

test('units of a sweep say together what the states of each are, and count those of the first path once', () => {
  const ready = partsOf(ASK, pages);
  if ('problems' in ready) throw new Error('cannot be swept');
  const { units } = cut(ASK, ready.parts);
  const reports = units.flatMap((unit) => sweepUnit(ASK, ready.parts, unit) ?? []);
  const merged = mergeUnits(reports.toReversed()).judged ?? [];
  const whole = swept(ASK);
  for (const one of merged) {
    // Where units meet in a state, each counts it.
    expect(total(one)).toBeGreaterThanOrEqual(total(of(whole, one.unwinder)));
    expect(Object.keys(one.gaps).sort()).toEqual(Object.keys(of(whole, one.unwinder).gaps).sort());
  }
  const recipes = (found: SweepReport['violations']) => found.map(({ recipe }) => recipe);
  expect(recipes(mergeUnits(reports.toReversed()).violations)).toEqual(recipes(whole.violations));
  const first = reports.find(({ fork }) => fork === 0);
  const second = reports.find(({ fork }) => fork === 1);
  const sizes = [first, second].map((one) => (one?.judged?.[0] ? total(one.judged[0]) : 0)) as [
    number,
    number,
  ];
  expect(sizes[0] - sizes[1]).toBe(4);
});

/** Runs that meet go on alike for the code; that words which are dead to it are dead to unwinders too is nowhere said. */
const MEETING: readonly SweepAsk[] = [
  { design: 'linux-4.2', events: ['nmi', 'nmi'], starts: ['kernel-task'], bodies: ['quiet'] },
  {
    ...{ design: 'c6-irq-stack', without: ['link-first'], events: ['irq', 'nmi'], window: 1 },
    ...{ starts: ['second-irq'], bodies: ['quiet'] },
  },
  {
    ...{ design: 'e3-exit-stack', without: ['end-there'], events: ['irq', 'nmi'], window: 1 },
    ...{ starts: ['user-task'], bodies: ['quiet'] },
  },
];
test.each(MEETING)('$design, $events: pruned or not, unwinders are asked at the same states', (ask) => {
  const judge = ['guess-4.9', 'orc-6.12'];
  const [pruned, whole] = [true, false].map((one) => swept({ ...ask, judge, right: true, pruned: one })) as [
    SweepReport,
    SweepReport,
  ];
  expect(pruned.judged).toEqual(whole.judged);
  const told = ({ violations }: SweepReport) =>
    violations.map(({ invariant, sentence }) => `${invariant} ${sentence}`);
  expect(told(pruned)).toEqual(told(whole));
});

test('an unwinder that nobody knows is refused, with those there are', () => {
  const report = sweep({ ...ASK, judge: ['orc-9'] }, pages);
  expect('problems' in report && report.problems[0]?.message).toMatch(
    /^unknown unwinder: orc-9 \(there is dump-trace, /,
  );
});

test('the map of one event is by the boundary of the dump; that of two tells the worst of the rest of the run', () => {
  const mapOf = (ask: SweepAsk) => {
    const made = surveyAll(ask, pages);
    if ('problems' in made) throw new Error('cannot be swept');
    return made.map;
  };
  const dumps = mapOf({ ...NESTED, judge: ['end-2'] });
  expect(dumps).toMatchObject({ judge: 'end-2', pair: ['nmi', 'dump'] });
  const cells = dumps.rows.map(unpack);
  expect(unpack(dumps.strips[0]?.cells ?? '')).toMatch(/^[yr]+$/);
  // Where the second strikes with the latch open, what is dumped afterwards lacks the task.
  const bad = cells.findIndex((row, n) => n > 60 && row.includes('s'));
  expect(cells[bad]?.slice(0, bad)).toBe('.'.repeat(bad));
  expect(cells[bad]?.charAt(bad)).toBe('r');
  const both = mapOf({ ...NESTED, judge: ['end-2'], given: [], events: ['nmi', 'nmi'] });
  const letters = both.rows.map(unpack);
  const row = letters[dumps.given[0] ?? 0] ?? '';
  expect(row.charAt(bad)).toBe('s');
  expect(unpack(both.strips[0]?.cells ?? '')).toMatch(/^r+$/);
  expect(mapOf({ ...NESTED, judge: [] }).judge).toBeUndefined();
});
