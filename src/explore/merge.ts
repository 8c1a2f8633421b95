/**
 * A sweep cut in units that depend on nothing but the sweep. Each is explored by itself, so what it says is the same whoever
 * explores it, when, and after what; reports of units add up to the report of the sweep in any order.
 */
import { MODEL } from '../engine/model.ts';
import { digestOf } from '../scenario/digest.ts';
import { shortest } from './found.ts';
import { type Judged, together } from './judged.ts';
import { type Explored, explorePart, type Part, reportOf, type SweepAsk, type SweepReport } from './sweep.ts';

/** Schedules of one start and body whose first event strikes at one place. */
export interface Unit {
  /** Index into the parts. */
  readonly part: number;
  /** Number of the fork of the first path, and how many there are. */
  readonly fork: number;
  readonly forks: number;
}

/** What is counted, unit by unit. */
export interface Counts
  extends Pick<SweepReport, 'boundaries' | 'schedules' | 'distinct' | 'violations' | 'untold'> {
  /** How often each kind of event struck in the runs that were made: nothing is cleared of one that never did. */
  readonly strikes: Readonly<Record<string, number>>;
  /** Where unwinders were asked for. */
  readonly judged?: readonly Judged[];
}

/** What a unit says. */
export interface UnitReport extends Counts {
  readonly part: number;
  readonly fork: number;
}

/** What a sweep is, before anything is counted. */
export type Heading = Omit<SweepReport, keyof Counts | 'shard'> & {
  /** Digest of the machine code and of what the design declares: equal sweeps are of equal code. */
  readonly code: string;
  readonly model: number;
};

export interface Cut {
  readonly heading: Heading;
  /** In the order of parts, then of forks. */
  readonly units: readonly Unit[];
}

/** The units of a sweep. A start from which nothing can strike is one unit: its run without any event. */
export function cut(ask: SweepAsk, parts: readonly Part[]): Cut {
  const units: Unit[] = [];
  const explored = parts.map((part, n) => {
    let forks = 1;
    const root = finish({ ...part, unwinders: [] }, (fork) => {
      forks = Math.max(forks, fork + 1);
      return false;
    });
    for (let fork = 0; fork < forks; fork++) units.push({ part: n, fork, forks });
    return root;
  });
  const { boundaries, schedules, distinct, violations, untold, judged, shard, ...heading } = reportOf(
    ask,
    explored,
  );
  return { heading: { ...heading, code: codeOf(parts), model: MODEL }, units };
}

/**
 * Explores one unit.
 *
 * @param goesOn asked again and again meanwhile; once it says no, the unit is given up
 * @returns undefined for one that was given up
 */
export function sweepUnit(
  ask: SweepAsk,
  parts: readonly Part[],
  { part: n, fork, forks }: Unit,
  goesOn?: () => boolean,
): UnitReport | undefined {
  const part = parts[n];
  if (!part) throw new RangeError(`invalid unit: part ${n} of ${parts.length}`);
  try {
    // The next run of the execution begins anew in any case: it can be left anywhere.
    const watch = (): void => {
      if (goesOn?.() === false) throw GIVEN_UP;
    };
    const bounds = { ...part.bounds, watch, countsFirst: fork === 0 };
    const explored = finish({ ...part, bounds }, (one) => one === fork);
    const report = reportOf({ ...ask, shard: { index: fork, of: forks } }, [explored]);
    const { boundaries, schedules, distinct, violations, untold, judged } = report;
    const strikes = strikesOf(explored);
    const counts = {
      boundaries,
      schedules,
      distinct,
      strikes,
      violations,
      untold,
      ...(judged && { judged }),
    };
    return { part: n, fork, ...counts };
  } catch (error) {
    if (error === GIVEN_UP) return undefined;
    throw error;
  }
}

/** What these units say together, as one report. */
export function mergeUnits(reports: readonly UnitReport[]): Counts {
  const ordered = reports.toSorted((a, b) => a.part - b.part || a.fork - b.fork);
  const untold = new Map<string, number>();
  for (const { name, schedules } of ordered.flatMap((report) => report.untold))
    untold.set(name, (untold.get(name) ?? 0) + schedules);
  const strikes: Record<string, number> = {};
  for (const [event, n] of ordered.flatMap((report) => Object.entries(report.strikes)))
    strikes[event] = (strikes[event] ?? 0) + n;
  const judged = ordered.flatMap((report) => (report.judged ? [report.judged] : []));
  const sum = (key: 'schedules' | 'distinct'): number =>
    ordered.reduce((total, report) => total + report[key], 0);
  return {
    boundaries: ordered.reduce((most, { boundaries }) => Math.max(most, boundaries), 0),
    schedules: sum('schedules'),
    distinct: sum('distinct'),
    strikes,
    violations: shortest(ordered.flatMap(({ violations }) => violations)),
    untold: [...untold].map(([name, schedules]) => ({ name, schedules })),
    ...(judged.length > 0 && { judged: together(judged) }),
  };
}

/** Whether a unit is in a shard, by its place in the list; shards are counted from 1. */
export const inShard = (place: number, shard: { readonly index: number; readonly of: number }): boolean =>
  place % shard.of === shard.index - 1;

/** Explores some forks of a part to the end. */
function finish(part: Part, takes: (fork: number) => boolean): Explored {
  const run = explorePart({ ...part, bounds: { ...part.bounds, takes } });
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

/** Each path begins with one strike; where runs meet, none does. */
function strikesOf({ part, root }: Explored): Counts['strikes'] {
  const counts = part.kinds.map(() => 0);
  const paths = [root];
  for (let path = paths.pop(); path; path = paths.pop())
    for (const fork of path.forks) {
      counts[fork.kind] = (counts[fork.kind] ?? 0) + 1;
      paths.push(fork.path);
    }
  return Object.fromEntries(part.kinds.map(({ event }, n) => [event, counts[n] ?? 0]));
}

const GIVEN_UP = new Error('given up');

function codeOf([part]: readonly Part[]): string {
  if (!part) return '';
  const { image, design } = part.execution.program;
  const code = image.segments.map(({ name, address, bytes }) => [name, address, bytes.join()]);
  return digestOf(
    JSON.stringify([code, design], (_, value) => (typeof value === 'bigint' ? value.toString(16) : value)),
  );
}
