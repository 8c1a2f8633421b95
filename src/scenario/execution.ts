/**
 * One program in one start, run with events at chosen boundaries: again and again from the same mark, so
 * that looking for a position and recording a run are the same thing.
 */
import type { EventName } from '../engine/events/inject.ts';
import type { MachineOptions, Mark } from '../engine/machine.ts';
import { addressOf, type Image } from '../image/image.ts';
import { arm, type Booted, boot, type Setup } from '../kernel/boot.ts';
import { bodyNamed, startNamed } from '../kernel/design.ts';
import { TruthLog } from '../unwind/truth.ts';
import { type Broken, Course, type End, type Moment } from './course.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { Program } from './program.ts';
import { differing, registersOf } from './track.ts';

/** An event and the boundary at which it strikes. */
export interface Injection {
  readonly event: EventName;
  readonly boundary: number;
}

export interface Ended {
  readonly end: End;
  /** Number of the last boundary. */
  readonly boundary: number;
  readonly counts: { readonly deliveries: number; readonly edges: number; readonly served: number };
  /** Invariants that broke, each where it showed first. */
  readonly broken: readonly Broken[];
  /** Events that struck where they have no cause. */
  readonly groundless: readonly {
    readonly event: EventName;
    readonly boundary: number;
    readonly why: string;
  }[];
}

/** Transitions that are allowed before the first boundary. */
const PRELUDE_LIMIT = 5_000;

export class Execution {
  readonly booted: Booted;
  readonly image: Image;
  readonly program: Program;
  /** Why there is no boundary 0: a sentence, or undefined. */
  readonly problem: string | undefined;
  private readonly mark: Mark;
  /** What is alive at boundary 0. */
  readonly truth: TruthLog;
  private readonly body: bigint;
  /** The low half of the address of the handler's body, for those who look at every boundary. */
  readonly bodyLow: number;
  /** Transitions that are shown where nothing strikes. */
  readonly idle: number;
  private readonly watch: MemoryWatch;
  /** How often it was begun: who finds another number than before is no longer where he was. */
  turn = 0;

  /** Boots and runs up to boundary 0. The program must be one that `missing` accepts; `options` are the machine's. */
  constructor(program: Program, setup: Setup, options?: MachineOptions) {
    const { image, design } = program;
    this.program = program;
    this.image = image;
    this.idle = startNamed(design, setup.start)?.idle ?? 0;
    this.body = bodyNamed(design, setup.body)?.address ?? 0n;
    this.bodyLow = Number(this.body & 0xffff_ffffn);
    let booted = boot(image, design, setup, options);
    let begun = prelude(booted, program, setup, true);
    if (begun.stray) {
      booted = boot(image, design, setup, options);
      begun = prelude(booted, program, setup, false);
    }
    this.booted = booted;
    this.truth = begun.truth;
    this.problem = begun.problem;
    arm(this.booted, design, setup);
    this.booted.machine.keyframe();
    this.mark = this.booted.machine.mark();
    this.watch = new MemoryWatch(this.booted, design.counters);
  }

  /** Everything architectural that differs from reset or, in memory, from boundary 0: what a digest is made of. */
  describe(): string {
    return `${this.booted.machine.describeRegisters()}\nmemory=${this.watch.digest}`;
  }

  /** Back to boundary 0. */
  begin(): void {
    this.booted.machine.undo(this.mark);
    this.watch.reset();
    this.turn++;
  }
  /** Back to a mark that was made since. */
  back(mark: Mark): void {
    const { machine } = this.booted;
    const head = machine.journalHead;
    machine.undo(mark);
    this.watch.refresh(machine.journalledBetween(machine.journalHead, head));
  }
  /** So many transitions that were made before, with nothing written down but marks. */
  again(transitions: number): void {
    const { machine } = this.booted;
    const head = machine.journalHead;
    machine.run(transitions);
    machine.forgetLog();
    this.watch.refresh(machine.journalledBetween(head, machine.journalHead));
  }
  /** A course that begins where the machine stands. */
  course(): Course {
    return new Course(this.booted, this.truth, this.program.design, this.body, this.watch);
  }

  /**
   * Runs from boundary 0 with these injections. `observe` sees every boundary, also the last. Ends when every
   * event has been over for `idle` transitions, when something is wrong, or after `budget` transitions.
   */
  run(
    injections: readonly Injection[],
    budget: number,
    observe: (moment: Moment, course: Course) => void = () => {},
    idle = injections.length > 0 ? 0 : this.idle,
  ): Ended {
    this.begin();
    const course = this.course();
    const last = injections.reduce((latest, { boundary }) => Math.max(latest, boundary), -1);
    const groundless: Ended['groundless'][number][] = [];
    const ended = (end: End): Ended => ({
      end,
      boundary: course.boundary,
      counts: course.counts,
      broken: course.broken,
      groundless,
    });
    for (;;) {
      for (const { event, boundary } of injections) {
        if (boundary !== course.boundary) continue;
        const cause = course.cause(event);
        if ('why' in cause) groundless.push({ event, boundary, why: cause.why });
        course.strike(event);
      }
      observe(course.moment, course);
      const over = course.over(course.boundary < last, budget, idle);
      if (over) return ended(over);
      const stuck = course.advance();
      if (!stuck) continue;
      if (stuck.moved) observe(course.moment, course);
      return ended(stuck.end);
    }
  }
}

/**
 * Before boundary 0 an earlier NMI strikes and leaves its words on the stack; then control goes on to where the
 * run begins. A problem is one sentence. `stray`: that NMI does not come back, or leaves NMIs blocked, so the run must
 * begin without one, and shows it when the first strikes.
 */
function prelude(
  { machine }: Booted,
  { image, design }: Program,
  setup: Setup,
  wanted: boolean,
): { readonly truth: TruthLog; readonly problem: string | undefined; readonly stray: boolean } {
  const { earlier, begin = '' } = startNamed(design, setup.start) ?? {};
  let truth = TruthLog.start([], design.fixups);
  let noted = 0;
  const step = (): boolean => {
    const { kind } = machine.step();
    for (const entry of machine.log(noted)) truth = truth.record(entry);
    noted = machine.logLength;
    truth = truth.settle(machine.get('rip'), machine.get('rsp'));
    return kind !== 'stopped';
  };
  const until = (reached: () => boolean): boolean => {
    for (let n = 0; n < PRELUDE_LIMIT; n++) {
      if (reached()) return true;
      if (!step()) return false;
    }
    return false;
  };
  const reach = (label: string): string | undefined => {
    const address = addressOf(image, label);
    if (address === undefined) return `missing symbol: ${label}`;
    return until(() => machine.get('rip') === address)
      ? undefined
      : `invalid start: ${label} is not reached before the run begins`;
  };
  const comesBack = (): boolean => {
    const then = registersOf(machine);
    machine.injectNmi();
    return (
      step() &&
      until(() => differing(registersOf(machine), then) === undefined) &&
      machine.low('nmiBlocked') === 0
    );
  };
  if (earlier !== undefined && wanted) {
    const problem = reach(earlier);
    if (problem !== undefined) return { truth, problem, stray: false };
    if (!comesBack()) return { truth, problem: undefined, stray: true };
  }
  const problem = reach(begin);
  return { truth, problem, stray: false };
}
