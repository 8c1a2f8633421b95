/**
 * Every schedule of a set of events, depth first. A path is a run from one boundary on with no further event; at
 * each of its boundaries a fork begins for each event that may strike there. Where a run comes to a state that
 * another path has been in, with the same events or more still to come, it joins that path: what
 * follows is known. So the result is a graph, and each schedule is one way through it.
 */
import { PENDING } from '../engine/events/pending-kinds.ts';
import type { Machine } from '../engine/machine.ts';
import type { Instruction } from '../isa/instruction.ts';
import { LOGGED } from '../isa/ops.ts';
import type { Design } from '../kernel/design.ts';
import { causeOf, touches } from '../scenario/causes.ts';
import type { Execution, Injection } from '../scenario/execution.ts';
import {
  afterCall,
  afterDelivery,
  afterEntry,
  afterEvent,
  afterIret,
  atDeath,
  atEnd,
  beforeAccess,
  unhandled,
  type Violation,
} from '../scenario/invariants.ts';
import {
  BEGUN,
  bodyLeft,
  closed,
  delivered,
  isRetry,
  overAt,
  registersOf,
  served,
  softwareOf,
  struck,
  type Track,
  waits,
} from '../scenario/track.ts';
import type { Unwinder } from '../unwind/rules.ts';
import type { TruthLog } from '../unwind/truth.ts';
import type { Bounds, Progress } from './bounds.ts';
import type { Strikes } from './events.ts';
import { type Asked, Judging } from './judging.ts';
import type { Strike } from './outcomes.ts';
import { covers, type Met, type Path, type PathEnd, type Remaining, type Spot } from './path.ts';
import { StateKey } from './state-key.ts';

/** After so many transitions on one path its states are compared with each other. */
const PATIENCE = 600;
/** Then a state is looked at once in so many transitions: a cycle comes by again. */
const SELDOM = 8;

/** Unwinders that are judged, and whether they must be right. */
interface Judged {
  readonly unwinders: readonly Unwinder[];
  readonly right: boolean;
}

/** Where a run stands, beside the machine. */
interface State {
  track: Track;
  /** Absolute number of the boundary. */
  boundary: number;
  idle: number;
  /** Whether an instruction is tried again that has just faulted. */
  retries: boolean;
  struck: number;
  /** Whether the last instruction had an operand in a watched range. */
  touched: boolean;
  /** What is alive, and how the run came here; kept where unwinders are judged. */
  truth: TruthLog;
  readonly schedule: readonly Strike[];
}

export class Explorer {
  /** Paths that were run so far. */
  paths = 0;
  private readonly execution: Execution;
  private readonly machine: Machine;
  private readonly design: Design;
  private readonly gates: ReadonlySet<number>;
  private readonly diesLow: number;
  private readonly given: readonly Injection[];
  private readonly bounds: Bounds;
  private readonly key: StateKey;
  private readonly judging: Judging | undefined;
  private readonly known = new Map<number, Spot[]>();
  private readonly roots: readonly bigint[];
  private readonly watches: boolean;
  private readonly decoded = new Map<number, Instruction | undefined>();
  private readonly pages = new Map<bigint, number | undefined>();

  /**
   * Stands at boundary 0.
   *
   * @param given events that strike in any case, by number of boundary, in order
   * @param judged unwinders that are judged at every state
   */
  constructor(
    execution: Execution,
    given: readonly Injection[],
    bounds: Bounds,
    { unwinders, right }: Judged,
  ) {
    execution.begin();
    this.execution = execution;
    this.machine = execution.booted.machine;
    this.given = given.toSorted((a, b) => a.boundary - b.boundary);
    this.bounds = bounds;
    const { design } = execution.program;
    this.design = design;
    this.gates = new Set(design.gates.map(({ vector }) => vector));
    this.diesLow = Number((design.labels.dies ?? 0n) & 0xffff_ffffn);
    this.key = new StateKey(execution.booted, design);
    if (unwinders.length > 0) this.judging = new Judging(execution, this.key, unwinders, right);
    this.roots = execution.booted.roots;
    this.watches = bounds.kinds.some(({ event }) => event === 'db') && design.watched.length > 0;
  }

  /** Explores everything; yields after each fork of the first path. Another run of the execution must not come between. */
  *explore(last: number): Generator<Progress, Path> {
    const { truth } = this.execution;
    const state: State = {
      ...{ track: BEGUN, boundary: 0, idle: 0, retries: false, struck: 0, touched: false },
      ...{ truth, schedule: [] },
    };
    const path = begun(this.bounds.counts);
    this.give(state);
    this.judge(path, state);
    const seen = new Set<number>();
    let fork = 0;
    while (!this.closes(path, state, seen, false)) {
      for (const kind of this.bounds.kinds.keys()) {
        if (!this.takes(fork++)) continue;
        this.fork(path, kind, state, 0);
        yield { boundary: state.boundary, last, paths: this.paths, root: path };
      }
      if (this.advance(path, state)) break;
    }
    return path;
  }

  private takes(fork: number): boolean {
    return this.bounds.takes?.(fork) ?? true;
  }

  /** A path from here on. @param after place of the kind that just struck at this very boundary */
  private path(remaining: Remaining, state: State, depth: number, after: number): Path {
    this.paths++;
    const path = begun(remaining);
    this.judge(path, state);
    const more = remaining.some((count) => count > 0);
    if (more && this.isEndless(path, state, depth)) return path;
    const seen = new Set<number>();
    let fresh = true;
    // Straight after an event the choice at this boundary is restricted: no joining.
    let joins = false;
    while (!this.closes(path, state, joins || more ? (fresh ? undefined : seen) : undefined)) {
      if (more)
        for (const kind of this.bounds.kinds.keys())
          if (!fresh || kind > after) this.fork(path, kind, state, depth);
      fresh = false;
      const before = state.track.live;
      if (this.advance(path, state)) break;
      const waits = this.machine.low('nmiPending') !== 0 && this.machine.low('nmiBlocked') !== 0;
      joins = waits || state.track.live !== before || isLate(path);
    }
    return path;
  }

  /** Whether a path goes on for ever by itself. Then it ends so, and nothing more is asked of it. */
  private isEndless(path: Path, state: State, depth: number): boolean {
    const { machine } = this;
    machine.markSlot(depth);
    const head = machine.journalHead;
    const ahead = this.path([], { ...state }, depth + 1, this.bounds.kinds.length);
    machine.undoSlot(depth);
    this.key.rewind(head);
    this.paths--;
    if (ahead.end?.kind !== 'violated' || ahead.end.invariant !== 'I7') return false;
    path.length = ahead.length;
    return this.ends(path, ahead.end);
  }

  /** One event strikes here; afterwards the machine and the state are as before. */
  private fork(path: Path, kind: number, state: State, depth: number): void {
    const { machine } = this;
    const left = path.remaining[kind] ?? 0;
    const strikes = this.bounds.kinds[kind];
    if (left === 0 || !strikes) return;
    this.bounds.watch?.();
    const { event } = strikes;
    const cause = this.bounds.anywhere
      ? { detail: {} }
      : causeOf(event, machine, this.design, state.touched, this.decode);
    if ('why' in cause) return;
    machine.markSlot(depth);
    const head = machine.journalHead;
    const met = this.meets(event, state.track);
    machine.inject(event, cause.detail);
    const track = event === 'nmi' ? struck(state.track) : state.track;
    const remaining = path.remaining.map((count, n) => (n === kind ? count - 1 : count));
    const at = path.length;
    const { schedule: before } = state;
    const schedule = this.judging ? [...before, { kind, boundary: state.boundary }] : before;
    const next = { ...state, track, schedule };
    path.forks.push({ at, kind, met, path: this.path(remaining, next, depth + 1, kind) });
    machine.undoSlot(depth);
    this.key.rewind(head);
  }

  private meets(event: Strikes['event'], { live }: Track): Met {
    if (event === 'nmi' && this.machine.low('nmiPending') !== 0) return 'pending';
    if (event === 'nmi' && this.machine.low('nmiBlocked') !== 0) return 'blocked';
    for (let context = live; context; context = context.outer) if (context.vector === 2) return 'inside';
    return 'open';
  }

  /**
   * Whether a path ends or joins at this boundary. With `seen`, its state is looked up among those of other
   * paths, and noted; without `joins`, among those of this one.
   */
  private closes(path: Path, state: State, seen: Set<number> | undefined, joins = true): boolean {
    const { machine, bounds } = this;
    const { track } = state;
    if (!track.live && state.struck === this.given.length && !waits(machine)) {
      const wrong = atEnd(machine, track, this.design, this.physical);
      if (wrong) return this.ends(path, { kind: 'violated', ...wrong });
      // With nothing more to come, the task's own transitions are of no interest.
      const window = path.remaining.some((count) => count > 0) ? bounds.window : 0;
      if (state.idle >= window) return this.ends(path, { kind: 'returned' });
      if (!state.retries) state.idle++;
    }
    if (state.boundary >= bounds.budget)
      return this.ends(path, violated('I7', `no end after ${bounds.budget} transitions`));
    if (!seen || (!joins && !isLate(path))) return false;
    const next = this.given[state.struck];
    const rest =
      state.idle * 128 +
      Number(state.touched) * 64 +
      track.owed +
      (next ? (next.boundary - state.boundary) * 0x1_0000 : 0);
    const key = this.key.of(track, rest);
    if (isLate(path)) {
      if (seen.has(key))
        return this.ends(path, violated('I7', 'the same state comes twice: this goes on for ever'));
      seen.add(key);
    }
    if (!joins || !bounds.pruned) return false;
    const place = this.judging?.meeting(key, state.truth) ?? key;
    const spots = this.known.get(place) ?? [];
    const spot = spots.find(({ path: other }) => covers(other.remaining, path.remaining));
    if (spot?.path === path)
      return this.ends(path, violated('I7', 'the same state comes twice: this goes on for ever'));
    if (spot) {
      path.join = spot;
      return true;
    }
    spots.push({ path, at: path.length });
    this.known.set(place, spots);
    return false;
  }

  private ends(path: Path, end: PathEnd): true {
    path.end = end;
    return true;
  }

  /** What strikes in any case. */
  private give(state: State): void {
    const { machine } = this;
    for (
      let next = this.given[state.struck];
      next?.boundary === state.boundary;
      next = this.given[++state.struck]
    ) {
      const cause = causeOf(next.event, machine, this.design, state.touched, this.decode);
      machine.inject(next.event, 'detail' in cause ? cause.detail : {});
      if (next.event === 'nmi') state.track = struck(state.track);
    }
  }

  /** One transition; true when the path ends with it. */
  private advance(path: Path, state: State): boolean {
    const { machine } = this;
    const due = machine.eventDue;
    const software = due ? softwareOf(machine) : undefined;
    const registers = due ? registersOf(machine) : undefined;
    const from = machine.logLength;
    state.touched = this.watches && !due && touches(machine, this.design, this.decode);
    let wrong = beforeAccess(machine, state.track, this.design, this.decode);
    if (!machine.advance()) return this.ends(path, this.stopped());
    state.boundary++;
    state.retries = false;
    path.length++;
    if (machine.low('pendingKind') === PENDING.fault && !this.gates.has(machine.low('pendingVector')))
      wrong ??= unhandled(machine.low('pendingVector'));
    let arrived = false;
    let left = false;
    let came = false;
    for (let n = from; n < machine.logLength; n++) {
      const logged = machine.logKind(n);
      if (logged === LOGGED.call) wrong ??= afterCall(machine, state.track, this.design, this.roots);
      else if (logged === LOGGED.iret) left = true;
      else if (logged === LOGGED.return) came = true;
      else if (logged === LOGGED.delivery) {
        arrived = true;
        for (const entry of machine.log(n))
          state.track = delivered(state.track, entry, software, registers ?? {});
        wrong ??= afterDelivery(machine, state.track, this.design, this.physical);
      }
    }
    if (!arrived) wrong ??= this.settle(state, due, left, came);
    if (this.judging && machine.logLength > from) {
      for (const entry of machine.log(from)) state.truth = state.truth.record(entry);
      state.truth = state.truth.settle(machine.get('rip'), machine.get('rsp'));
    }
    this.give(state);
    this.judge(path, state);
    return wrong !== undefined && this.ends(path, { kind: 'violated', ...wrong });
  }

  /** What unwinders were judged to make of the states so far. */
  get asked(): readonly Asked[] {
    return this.judging?.asked ?? [];
  }

  private judge(path: Path, { truth, schedule, boundary }: State): void {
    if (!this.judging) return;
    const counts = schedule.length > 0 || this.bounds.countsFirst !== false;
    path.judged[path.length] = this.judging.at(truth, schedule, boundary, counts);
  }

  /** What control has reached: the handler's body, the end of an event, or where an IRETQ must not lead. */
  private settle(state: State, due: boolean, left: boolean, came: boolean): Violation | undefined {
    const { machine, design } = this;
    const rip = machine.low('rip');
    const over =
      left || came
        ? overAt(state.track.live, machine.get('rip'), machine.get('rsp'), design, machine.low('cpl') === 3)
        : undefined;
    if (over) {
      state.retries = isRetry(over, machine.get('rip'));
      const wrong = afterEvent(machine, state.track, over, design);
      state.track = closed(state.track, over);
      if (wrong) return wrong;
    } else {
      const wrong = left
        ? afterIret(machine, state.track, design)
        : due
          ? undefined
          : this.handler(state, rip);
      if (wrong) return wrong;
    }
    return rip === this.diesLow ? atDeath(machine, state.track, design) : undefined;
  }

  /** The body of the NMI handler is left, or entered; the end of an event at its first instruction does not enter it. */
  private handler(state: State, rip: number): Violation | undefined {
    const { machine } = this;
    const { running } = state.track;
    if (running && Number(running.back & 0xffff_ffffn) === rip)
      state.track = bodyLeft(state.track, machine.get('rip'), machine.get('rsp'));
    if (rip !== this.execution.bodyLow) return undefined;
    const rsp = machine.get('rsp');
    state.track = served(state.track, rsp, machine.read(rsp, 64) ?? 0n);
    return afterEntry(state.track);
  }

  private stopped(): PathEnd {
    const reason = this.machine.stopReason;
    const name = /^not modelled: (.*)$/.exec(reason)?.[1];
    if (name !== undefined) return { kind: 'not-modelled', name };
    return violated(reason === 'shutdown' ? 'I8' : 'I7', `the processor stops: ${reason}`);
  }

  /** The instruction at an address; text is taken to stay as it is. */
  private readonly decode = (rip: bigint): Instruction | undefined => {
    const name = Number(BigInt.asUintN(52, rip));
    if (!this.decoded.has(name)) this.decoded.set(name, this.machine.instructionAt(rip));
    return this.decoded.get(name);
  };

  /** Physical address of a kernel page; page tables are taken to stay as they are. */
  private readonly physical = (address: bigint): number | undefined => {
    const page = address >> 12n;
    if (!this.pages.has(page)) this.pages.set(page, this.execution.booted.space.physical(page << 12n));
    const frame = this.pages.get(page);
    return frame === undefined ? undefined : frame + Number(address & 0xfffn);
  };
}

const begun = (remaining: Remaining): Path => ({
  ...{ remaining, forks: [], length: 0, end: undefined, join: undefined },
  judged: [],
});

const violated = (invariant: Violation['invariant'], sentence: string): PathEnd => ({
  kind: 'violated',
  invariant,
  sentence,
});

const isLate = ({ length }: Path): boolean => length > PATIENCE && length % SELDOM === 0;
