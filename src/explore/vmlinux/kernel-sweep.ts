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
import { letterOfKernel } from '../fate.ts';
import { NOTHING } from '../map.ts';
import type { Met } from '../path.ts';
import {
  type Counts,
  Ends,
  type KernelReason,
  type KernelTally,
  NONE,
  sumOf,
  worstOf,
} from './kernel-ends.ts';
import { KernelState } from './kernel-state.ts';

export interface KernelSweepAsked {
  readonly path: KernelPath;
  readonly user: boolean;
  /** Each alone: `[['nmi'], ['mc']]`; or one after the other: `[['nmi', 'nmi']]`. */
  readonly schedules: readonly (readonly KernelEvent[])[];
  /** Transitions of one run at most; 2,500 unless told. */
  readonly bound?: number;
  /**
   * Whether a run that comes to a state of another, or of its own, is followed no further; true unless told. Without, a run without end
   * costs its bound, and no unwinder is asked: it is asked once for a state.
   */
  readonly pruned?: boolean;
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
  /** By schedule, how many that begin here. */
  readonly tallies: Readonly<Record<string, KernelTally>>;
}

/** What a sweep tells as it goes: a boundary that is done, with fates as letters (see `../fate.ts`). */
export interface SweptCells {
  readonly boundary: number;
  readonly at: string;
  /** By schedule, the fate of its first event alone; `.` where that cannot occur. */
  readonly alone: Readonly<Record<string, string>>;
  /** By schedule of two, the fates of the second event, by boundary of the run that the first one leads to. */
  readonly second: Readonly<Record<string, string>>;
}

export interface KernelSweep extends KernelSetup {
  readonly schedules: readonly string[];
  readonly boundaries: readonly SweptBoundary[];
  /** Events, or pairs of events, by boundary: all of them, also those whose run met another one. */
  readonly runs: number;
  /** Runs that were followed. */
  readonly followed: number;
  readonly outcomes: KernelTally;
  /** How those ended that did not return, the most frequent first. */
  readonly reasons: readonly KernelReason[];
  /** Runs to replay: of each reason the first few that were followed. */
  readonly findings: readonly KernelSwept[];
  readonly unchecked: readonly string[];
  readonly unwound: UnwoundCounts | undefined;
}

const BOUND = 2_500;
/** Findings with one reason that are kept. */
const KEPT = 5;
const ENDLESS: KernelEnd = {
  verdict: 'broken',
  invariant: 'progress',
  reason: 'the same state comes again: this goes on for ever',
};

export const scheduleName = (schedule: readonly KernelEvent[]): string => schedule.join('+');

/**
 * Sweeps; yields each boundary that is done, and nothing wherever else one may stop. A problem where the way itself cannot be begun.
 */
export function* sweepKernel(
  bench: KernelBench,
  asked: KernelSweepAsked,
): Generator<SweptCells | undefined, KernelSweep | { readonly problem: string }> {
  const course = bench.begin(asked);
  if ('problem' in course) return course;
  const sweep = new Sweep(bench, asked);
  for (;;) {
    const cells = yield* sweep.boundary(course);
    if (cells) yield cells;
    if (sweep.goesOn(course)) continue;
    break;
  }
  return sweep.result(course);
}

/** What lies ahead of a state: how it ends with no more events, and what becomes of those that strike behind it. */
interface Ahead {
  readonly end: KernelEnd;
  readonly behind: Counts;
  /** Fate of the event that struck here, and what is ahead at the boundary behind; of a state that another event could strike. */
  readonly letter?: string;
  readonly next?: Ahead;
}

/** What came of a schedule that began at a boundary. */
interface Struck {
  readonly counts: Counts;
  readonly alone: string;
  readonly second: string;
}
const NOT_STRUCK: Struck = { counts: NONE, alone: NOTHING, second: '' };

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
  readonly #ends = new Ends();
  readonly #kept = new Map<number, number>();
  readonly #cut = new Set<string>();
  readonly #state: KernelState;
  /** How it went on from states that were met. */
  readonly #known = new Map<number, Ahead>();
  #followed = 0;
  #end: KernelEnd | undefined;

  constructor(bench: KernelBench, asked: KernelSweepAsked) {
    this.#bench = bench;
    this.#asked = asked;
    this.#state = new KernelState(bench);
  }

  /** Tries every schedule at the boundary where the machine stands; undefined where nothing can strike. */
  *boundary(course: KernelCourse): Generator<undefined, SweptCells | undefined> {
    const { boundary } = course;
    const at = this.#place(course, this.#visits);
    if (boundary === 0) return undefined;
    this.#unwind(course, at, []);
    if (course.rests) return undefined;
    const tallies: Record<string, KernelTally> = {};
    const alone: Record<string, string> = {};
    const second: Record<string, string> = {};
    for (const schedule of this.#asked.schedules) {
      const name = scheduleName(schedule);
      const struck = yield* this.#from(course, schedule, [], at, this.#visits);
      tallies[name] = this.#ends.count(struck.counts);
      alone[name] = struck.alone;
      if (schedule.length > 1) second[name] = struck.second;
    }
    const verdicts = Object.fromEntries(
      Object.entries(tallies).map(([name, tally]) => [name, worstOf(tally)] as const),
    );
    this.#boundaries.push({ boundary, at, verdicts, tallies });
    this.#bench.up.machine.forgetLog();
    return { boundary, at, alone, second };
  }

  /** One transition on the way; false where it is over. */
  goesOn(course: KernelCourse): boolean {
    this.#end = course.over(this.#bound) ?? course.advance();
    for (const name of course.cut) this.#cut.add(name);
    return this.#end === undefined;
  }

  /** The first event of a schedule strikes here, the rest wherever it can behind. The machine is left as it was. */
  *#from(
    course: KernelCourse,
    schedule: readonly KernelEvent[],
    before: readonly KernelStrike[],
    at: string,
    visits: Visits,
  ): Generator<undefined, Struck> {
    const { machine } = this.#bench.up;
    const [event, ...rest] = schedule;
    const detail = event && occursAt(event, machine, course.bare);
    if (!event || !detail) return NOT_STRUCK;
    const met = metBy(event, course, machine.low('nmiBlocked') !== 0);
    const mark = machine.mark();
    const run = course.fork();
    const problem = run.strike(event, detail);
    const strikes = [...before, { event, at }];
    let struck = NOT_STRUCK;
    if (problem === undefined) {
      const ahead = yield* this.#follow(run, rest, strikes, visits.copy());
      struck = {
        counts: rest.length > 0 ? ahead.behind : this.#note(strikes, ahead.end),
        alone: letterOfKernel(ahead.end, met),
        second: rest.length === 0 ? '' : NOTHING.repeat(course.boundary + 1) + lettersOf(ahead),
      };
      for (const name of run.cut) this.#cut.add(name);
    }
    machine.undo(mark);
    this.#state.rewind(machine.journalHead);
    return struck;
  }

  /** To the end of a run, or to a state that one has met before: what comes then is known. */
  *#follow(
    run: KernelCourse,
    rest: readonly KernelEvent[],
    strikes: readonly KernelStrike[],
    visits: Visits,
  ): Generator<undefined, Ahead> {
    this.#followed++;
    const pruned = this.#pruned;
    const passed = new Map<number, Struck>();
    let found: Ahead | undefined;
    for (let n = 0; !found; n++) {
      const end = run.over(this.#bound) ?? run.advance();
      if (end) found = { end, behind: NONE };
      if (end || run.rests) continue;
      const key = pruned ? this.#key(run, rest) : n;
      found = pruned ? this.#known.get(key) : undefined;
      if (pruned && passed.has(key)) found = { end: ENDLESS, behind: NONE };
      if (found) break;
      const place = this.#place(run, visits);
      if (rest.length === 0) this.#unwind(run, place, strikes);
      if (rest.length === 0) passed.set(key, NOT_STRUCK);
      else {
        passed.set(key, yield* this.#from(run, rest, strikes, place, visits));
        yield;
      }
    }
    let ahead = found as Ahead;
    for (const [key, { counts, alone }] of [...passed].toReversed()) {
      ahead = {
        end: ahead.end,
        behind: sumOf(ahead.behind, counts),
        ...(rest.length > 0 && { letter: alone, next: ahead }),
      };
      if (pruned) this.#known.set(key, ahead);
    }
    return ahead;
  }

  #key(run: KernelCourse, rest: readonly KernelEvent[]): number {
    return this.#state.of(run, [rest.length, ...rest.map((event) => KERNEL_EVENTS.indexOf(event))]);
  }

  get #bound(): number {
    return this.#asked.bound ?? BOUND;
  }

  #place(course: KernelCourse, visits: Visits): string {
    if (course.boundary === 0) return '';
    const times = visits.visit(this.#bench.up.machine.get('rip'));
    return times > 1 ? `${this.#bench.here}#${times}` : this.#bench.here;
  }

  get #pruned(): boolean {
    return this.#asked.pruned ?? true;
  }

  #unwind(course: KernelCourse, at: string, strikes: readonly KernelStrike[]): void {
    if (!this.#pruned) return;
    const [here = '', visit = '1'] = at.split('#');
    this.#unwound.add(here, Number(visit), this.#bench.unwinder.at(course.truth), strikes);
  }

  #note(strikes: readonly KernelStrike[], end: KernelEnd): Counts {
    const number = this.#ends.number(end);
    const kept = this.#kept.get(number) ?? 0;
    this.#kept.set(number, kept + 1);
    if (end.verdict !== 'returned' && kept < KEPT) this.#findings.push({ strikes, ...end });
    return new Map([[number, 1]]);
  }

  result(course: KernelCourse): KernelSweep | { readonly problem: string } {
    const end = this.#end;
    if (end && end.verdict !== 'returned')
      return {
        problem: `the way itself does not return: ${end.verdict}: ${end.reason}, boundary ${course.boundary}`,
      };
    const outcomes = { returned: 0, broken: 0, stopped: 0 };
    for (const one of this.#boundaries.flatMap(({ tallies }) => Object.values(tallies)))
      for (const verdict of ['returned', 'broken', 'stopped'] as const) outcomes[verdict] += one[verdict];
    return {
      ...this.#bench.setup(this.#asked, this.#cut),
      schedules: this.#asked.schedules.map(scheduleName),
      boundaries: this.#boundaries,
      runs: outcomes.returned + outcomes.broken + outcomes.stopped,
      followed: this.#followed,
      outcomes,
      reasons: this.#ends.reasons,
      findings: this.#findings,
      unchecked: this.#bench.unchecked,
      unwound: this.#bench.unwinder.knows && this.#pruned ? this.#unwound.counts : undefined,
    };
  }
}

/** What an event meets where it strikes. */
function metBy(event: KernelEvent, course: KernelCourse, blocked: boolean): Met {
  if (event === 'nmi' && blocked) return 'blocked';
  for (let live = course.live; live; live = live.outer) if (live.vector === NMI) return 'inside';
  return 'open';
}
const NMI = 2;

/** The fates of the second event, boundary by boundary. */
function lettersOf(ahead: Ahead): string {
  let letters = '';
  for (let one: Ahead | undefined = ahead; one?.letter !== undefined; one = one.next) letters += one.letter;
  return letters;
}
