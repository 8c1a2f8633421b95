/** How long sweeps take, beside the bars that they are built to. */
import { cut, mergeUnits, type UnitReport } from '../../explore/merge.ts';
import { explorePart, partsOf, reportOf, type SweepAsk, WINDOW } from '../../explore/sweep.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';
import { spread } from '../sweep/pool.ts';

/** Boundaries of the longest run with one event. */
const PATH = 200;
/** What a design must be cleared for. */
const PROMISED = {
  design: 'linux-4.2',
  starts: ['kernel-task', 'user-task', 'syscall-gap'],
  bodies: ['int3'],
} as const;
const ONE_PART = { design: 'linux-4.2', starts: ['kernel-task'], bodies: ['int3'] } as const;

export interface Figure {
  readonly what: string;
  readonly ms: readonly number[];
  /** What it must stay under. */
  readonly barMs: number;
  /** What was done in that time. */
  readonly made: string;
}

/** A fresh library, so that everything is read and assembled again, as after a reader's change. */
function ready(ask: SweepAsk) {
  const made = partsOf(ask, libraryOnDisk());
  if ('problems' in made) throw new Error(made.problems.map(({ message }) => message).join('\n'));
  return made.parts;
}

/**
 * Two NMIs, the first at every boundary that makes the longest run with one NMI so many boundaries long: milliseconds of
 * `clock` until all schedules of its first place are done, and until all are. Assembly and boot count.
 */
function twoEvents(rounds: number, clock: () => number): readonly Figure[] {
  const { window, boundaries } = windowFor(PATH);
  const ask: SweepAsk = { ...ONE_PART, events: ['nmi', 'nmi'], window };
  const [first, all]: [number[], number[]] = [[], []];
  let made = '';
  for (let round = 0; round < rounds; round++) {
    const from = clock();
    const explored = ready(ask).map((part) => {
      const run = explorePart(part);
      let step = run.next();
      first.push(clock() - from);
      while (!step.done) step = run.next();
      return step.value;
    });
    const { schedules, distinct } = reportOf(ask, explored);
    all.push(clock() - from);
    made = `${schedules} schedules, ${distinct} runs`;
  }
  const what = `two NMIs, ${boundaries} boundaries`;
  return [
    { what: `${what}, first path`, ms: first, barMs: 200, made: '' },
    { what: `${what}, all`, ms: all, barMs: 1000, made },
  ];
}

/** Transitions of the task during which the NMI may strike, so that the longest run has so many boundaries. */
function windowFor(boundaries: number): { readonly window: number; readonly boundaries: number } {
  const longest = (window: number): number => {
    const ask: SweepAsk = { ...ONE_PART, events: ['nmi'], window };
    const explored = ready(ask).map((part) => {
      const run = explorePart(part);
      let step = run.next();
      while (!step.done) step = run.next();
      return step.value;
    });
    return reportOf(ask, explored).boundaries;
  };
  const window = Math.max(1, WINDOW + boundaries - longest(WINDOW));
  return { window, boundaries: longest(window) };
}

/** Three NMIs from a task, user space and the SYSCALL gap, runs that meet followed once, on two threads: milliseconds by the clock on the wall. */
async function threeEvents(rounds: number): Promise<Figure> {
  const ask: SweepAsk = { ...PROMISED, events: ['nmi', 'nmi', 'nmi'] };
  const ms: number[] = [];
  let made = '';
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    const before = process.cpuUsage();
    const parts = ready(ask);
    const done: UnitReport[] = [];
    const failure = await spread({
      ask,
      parts,
      units: cut(ask, parts).units,
      jobs: 2,
      done: (report) => done.push(report),
      signal: new AbortController().signal,
    });
    if (failure) throw new Error(failure);
    ms.push(performance.now() - from);
    const { user, system } = process.cpuUsage(before);
    const { schedules } = mergeUnits(done);
    made = `${schedules} schedules, ${((user + system) / 1000).toFixed(0)} ms of all processors`;
  }
  return { what: 'three NMIs, pruned, two threads', ms, barMs: 10_000, made };
}

/** All figures; `clock` counts the milliseconds of this thread on a processor. */
export const sweepFigures = async (rounds: number, clock: () => number): Promise<readonly Figure[]> => [
  ...twoEvents(rounds, clock),
  await threeEvents(rounds),
];
