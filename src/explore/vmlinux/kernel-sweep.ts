/**
 * One event at every boundary of a way through a real kernel's entry code, each run to its end and judged; or two, the second at every
 * boundary of what the first one led to. Safe in a browser: a generator, so that a page can stop and show how far it is.
 */
import type { KernelCourse, KernelEnd, KernelInvariant } from '../../scenario/vmlinux/kernel-course.ts';
import {
  KERNEL_EVENTS,
  type KernelEvent,
  type KernelPath,
  occursAt,
} from '../../scenario/vmlinux/kernel-paths.ts';
import type { KernelBench, KernelSetup, KernelStrike } from '../../scenario/vmlinux/kernel-run.ts';
import { UnwoundCount, type UnwoundCounts } from '../../scenario/vmlinux/unwound-count.ts';
import { LiveMemory } from '../live-memory.ts';

export interface KernelSweepAsked {
  readonly path: KernelPath;
  readonly user: boolean;
  /** Each alone: `[['nmi'], ['mc']]`; or one after the other: `[['nmi', 'nmi']]`. */
  readonly schedules: readonly (readonly KernelEvent[])[];
  /** Transitions of one run at most; 2,500 unless told. */
  readonly bound?: number;
}

/** A run that did not return, with what replays it. */
export interface KernelSwept {
  readonly strikes: readonly KernelStrike[];
  readonly verdict: KernelEnd['verdict'];
  readonly invariant?: KernelInvariant;
  readonly reason: string;
}

/** What all schedules made of one boundary of the way. */
export interface SweptBoundary {
  readonly boundary: number;
  /** As `--at` takes it. */
  readonly at: string;
  /** By schedule (`nmi`, `nmi+mc`), the worst verdict of those that begin here; `-` where the event cannot occur. */
  readonly verdicts: Readonly<Record<string, KernelEnd['verdict'] | '-'>>;
}

export interface KernelSweep extends KernelSetup {
  readonly schedules: readonly string[];
  readonly boundaries: readonly SweptBoundary[];
  readonly runs: number;
  /** How often a run came to a state of another one, and was not followed further: the unwinder is asked once for a state. */
  readonly merged: number;
  readonly outcomes: Readonly<Record<KernelEnd['verdict'], number>>;
  /** All that is broken or stopped, in order; of one reason only the first few. */
  readonly findings: readonly KernelSwept[];
  readonly unchecked: readonly string[];
  readonly unwound: UnwoundCounts | undefined;
}

const BOUND = 2_500;
/** Findings with one reason that are kept. */
const KEPT = 5;
type Worst = KernelEnd['verdict'] | '-';
const ORDER: readonly Worst[] = ['-', 'returned', 'stopped', 'broken'];

export const scheduleName = (schedule: readonly KernelEvent[]): string => schedule.join('+');

/** Sweeps; yields the number of boundaries that are done. A problem where the way itself cannot be begun. */
export function* sweepKernel(
  bench: KernelBench,
  asked: KernelSweepAsked,
): Generator<number, KernelSweep | { readonly problem: string }> {
  const course = bench.begin(asked);
  if ('problem' in course) return course;
  const sweep = new Sweep(bench, asked);
  for (;;) {
    const over = sweep.boundary(course);
    if (over) break;
    yield course.boundary;
  }
  return sweep.result(course);
}

/** What lies ahead of a state. */
interface Ahead {
  readonly end: KernelEnd;
  readonly worst: Worst;
}

/** Boundaries by address, counted: the text of one is what `--at` takes. */
class Visits {
  readonly #seen: Map<bigint, number>;
  constructor(seen: ReadonlyMap<bigint, number> = new Map()) {
    this.#seen = new Map(seen);
  }
  visit(address: bigint): number {
    const times = (this.#seen.get(address) ?? 0) + 1;
    this.#seen.set(address, times);
    return times;
  }
  copy(): Visits {
    return new Visits(this.#seen);
  }
}

class Sweep {
  readonly #bench: KernelBench;
  readonly #asked: KernelSweepAsked;
  readonly #visits = new Visits();
  readonly #unwound = new UnwoundCount();
  readonly #boundaries: SweptBoundary[] = [];
  readonly #findings: KernelSwept[] = [];
  readonly #reasons = new Map<string, number>();
  readonly #outcomes = { returned: 0, broken: 0, stopped: 0 };
  readonly #cut = new Set<string>();
  readonly #memory: LiveMemory;
  /** How it went on from states that were met, and the worst verdict of what struck behind. */
  readonly #known = new Map<number, Ahead>();
  #merged = 0;
  #end: KernelEnd | undefined;

  constructor(bench: KernelBench, asked: KernelSweepAsked) {
    this.#bench = bench;
    this.#asked = asked;
    this.#memory = new LiveMemory(bench.up, [], new Set());
  }

  /** Tries every schedule at the boundary where the machine stands, and goes on; true where the way is over. */
  boundary(course: KernelCourse): boolean {
    const { machine } = this.#bench.up;
    const at = this.#place(course, this.#visits);
    if (course.boundary > 0) {
      this.#unwind(course, at, []);
      const verdicts: Record<string, Worst> = {};
      const over = course.rests;
      for (const schedule of this.#asked.schedules)
        verdicts[scheduleName(schedule)] = over ? '-' : this.#from(course, schedule, [], at, this.#visits);
      if (!over) this.#boundaries.push({ boundary: course.boundary, at, verdicts });
      machine.forgetLog();
    }
    this.#end = course.over(this.#bound) ?? course.advance();
    for (const name of course.cut) this.#cut.add(name);
    return this.#end !== undefined;
  }

  /** The first event of a schedule strikes here, the rest wherever it can behind. The machine is left as it was. */
  #from(
    course: KernelCourse,
    schedule: readonly KernelEvent[],
    before: readonly KernelStrike[],
    at: string,
    visits: Visits,
  ): Worst {
    const { machine } = this.#bench.up;
    const [event, ...rest] = schedule;
    const detail = event && occursAt(event, machine, course.bare);
    if (!event || !detail) return '-';
    const mark = machine.mark();
    const run = course.fork();
    const problem = run.strike(event, detail);
    const strikes = [...before, { event, at }];
    let worst: Worst = '-';
    if (problem === undefined) {
      const ahead = this.#follow(run, rest, strikes, visits.copy());
      if (rest.length === 0) this.#note(strikes, ahead.end);
      worst = rest.length === 0 ? ahead.end.verdict : ahead.worst;
      for (const name of run.cut) this.#cut.add(name);
    }
    machine.undo(mark);
    this.#memory.rewind(machine.journalHead);
    return worst;
  }

  /** To the end of a run, or to a state that one has met before: what comes then is known. */
  #follow(
    run: KernelCourse,
    rest: readonly KernelEvent[],
    strikes: readonly KernelStrike[],
    visits: Visits,
  ): Ahead {
    const passed: { readonly key: number; readonly worst: Worst }[] = [];
    let found: Ahead | undefined;
    while (!found) {
      const end = run.over(this.#bound) ?? run.advance();
      if (end) found = { end, worst: '-' };
      if (end || run.rests) continue;
      const key = this.#key(run, rest);
      found = this.#known.get(key);
      if (found) {
        this.#merged++;
        break;
      }
      const place = this.#place(run, visits);
      if (rest.length === 0) this.#unwind(run, place, strikes);
      passed.push({ key, worst: rest.length === 0 ? '-' : this.#from(run, rest, strikes, place, visits) });
    }
    for (const { key, worst } of passed.toReversed()) {
      found = { end: found.end, worst: worseOf(found.worst, worst) };
      this.#known.set(key, found);
    }
    return found;
  }

  /** Equal for equal futures, as far as 53 bits can tell. */
  #key(run: KernelCourse, rest: readonly KernelEvent[]): number {
    const events = rest.map((event) => KERNEL_EVENTS.indexOf(event));
    const state = [...this.#memory.sum(() => false), ...run.sum, rest.length, ...events];
    return this.#bench.up.machine.sumRegisters(state);
  }

  get #bound(): number {
    return this.#asked.bound ?? BOUND;
  }

  #place(course: KernelCourse, visits: Visits): string {
    if (course.boundary === 0) return '';
    const times = visits.visit(this.#bench.up.machine.get('rip'));
    return times > 1 ? `${this.#bench.here}#${times}` : this.#bench.here;
  }

  #unwind(course: KernelCourse, at: string, strikes: readonly KernelStrike[]): void {
    const [here = '', visit = '1'] = at.split('#');
    this.#unwound.add(here, Number(visit), this.#bench.unwinder.at(course.truth), strikes);
  }

  #note(strikes: readonly KernelStrike[], end: KernelEnd): void {
    this.#outcomes[end.verdict]++;
    if (end.verdict === 'returned') return;
    const reason = `${end.verdict} ${end.reason}`;
    const known = this.#reasons.get(reason) ?? 0;
    this.#reasons.set(reason, known + 1);
    if (known < KEPT) this.#findings.push({ strikes, ...end });
  }

  result(course: KernelCourse): KernelSweep | { readonly problem: string } {
    const end = this.#end;
    if (end && end.verdict !== 'returned')
      return {
        problem: `the way itself does not return: ${end.verdict}: ${end.reason}, boundary ${course.boundary}`,
      };
    const { returned, broken, stopped } = this.#outcomes;
    return {
      ...this.#bench.setup(this.#asked, this.#cut),
      schedules: this.#asked.schedules.map(scheduleName),
      boundaries: this.#boundaries,
      runs: returned + broken + stopped,
      merged: this.#merged,
      outcomes: this.#outcomes,
      findings: this.#findings,
      unchecked: this.#bench.unchecked,
      unwound: this.#bench.unwinder.knows ? this.#unwound.counts : undefined,
    };
  }
}

const worseOf = (a: Worst, b: Worst): Worst => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a);
