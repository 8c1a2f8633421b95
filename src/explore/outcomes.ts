/** Reading the graph that an exploration made: every schedule, how many there are, and those that break something. */
import type { Path, PathEnd, Remaining } from './path.ts';

/** An event of a schedule: the place of its kind, and the boundary of the run at which it strikes. */
export interface Strike {
  readonly kind: number;
  readonly boundary: number;
}

/** One schedule and what came of it. */
export interface Outcome {
  readonly schedule: readonly Strike[];
  readonly end: PathEnd;
  /** Boundary of the run at which it ended. */
  readonly boundary: number;
}

/** How many schedules lead on from a boundary of a path: all, those that broke something, those that cannot be told. */
export interface Tally {
  readonly schedules: number;
  readonly violations: number;
  readonly untold: number;
}

const NONE: Tally = { schedules: 0, violations: 0, untold: 0 };

const plus = (a: Tally, b: Tally): Tally => ({
  schedules: a.schedules + b.schedules,
  violations: a.violations + b.violations,
  untold: a.untold + b.untold,
});

/** Counts without walking every schedule: what follows a boundary is counted once for all that come to it. */
export class Counter {
  private readonly known = new Map<Path, Map<string, readonly Tally[]>>();

  /** Schedules from a boundary of a path on, with at most these events. */
  count(path: Path, at: number, remaining: Remaining): Tally {
    const name = remaining.join();
    const kept = this.known.get(path) ?? new Map<string, readonly Tally[]>();
    this.known.set(path, kept);
    const tallies = kept.get(name) ?? this.suffixes(path, remaining);
    kept.set(name, tallies);
    return tallies[at] ?? NONE;
  }

  /** For each boundary of a path, from the last to the first. */
  private suffixes(path: Path, remaining: Remaining): readonly Tally[] {
    const { end, join } = path;
    const tallies: Tally[] = [];
    let sum: Tally = join
      ? this.count(join.path, join.at, remaining)
      : {
          schedules: 1,
          violations: Number(end?.kind === 'violated'),
          untold: Number(end?.kind === 'not-modelled'),
        };
    let next = path.forks.length - 1;
    for (let at = path.length; at >= 0; at--) {
      for (; path.forks[next]?.at === at; next--) {
        const fork = path.forks[next];
        const left = fork && less(remaining, fork.kind);
        if (fork && left) sum = plus(sum, this.count(fork.path, 0, left));
      }
      tallies[at] = sum;
    }
    return tallies;
  }
}

/** Without one event of a kind; undefined if there is none left. */
const less = (remaining: Remaining, kind: number): Remaining | undefined =>
  (remaining[kind] ?? 0) > 0 ? remaining.map((count, n) => (n === kind ? count - 1 : count)) : undefined;

/**
 * Every schedule, the shorter prefix first.
 *
 * @param wanted tells from a tally whether to go on into what it counts; all, unless given
 */
export function* outcomes(
  root: Path,
  counter: Counter = new Counter(),
  wanted: (tally: Tally) => boolean = () => true,
): Generator<Outcome> {
  yield* from(root, 0, root.remaining, 0, []);

  function* from(
    path: Path,
    at: number,
    remaining: Remaining,
    boundary: number,
    schedule: readonly Strike[],
  ): Generator<Outcome> {
    // Along the path and those it joins; `start` is the run's boundary at which `path.at` stands.
    for (let spot: { path: Path; at: number } | undefined = { path, at }, start = boundary; spot; ) {
      const here: { path: Path; at: number } = spot;
      if (!wanted(counter.count(here.path, here.at, remaining))) return;
      for (const fork of here.path.forks) {
        if (fork.at < here.at) continue;
        const left = less(remaining, fork.kind);
        const strikes = start + fork.at - here.at;
        if (left)
          yield* from(fork.path, 0, left, strikes, [...schedule, { kind: fork.kind, boundary: strikes }]);
      }
      start += here.path.length - here.at;
      const { end } = here.path;
      if (end) yield { schedule, end, boundary: start };
      spot = here.path.join;
    }
  }
}

/** The schedules that break something. */
export const violations = (root: Path, counter = new Counter()): Generator<Outcome> =>
  outcomes(root, counter, (tally) => tally.violations > 0);
