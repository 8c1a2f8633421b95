/** One run under way: what is live, what has been counted, and how each transition changes that. */

import type { AddressSpace } from '../engine/address-space.ts';
import type { EventDetail, EventName } from '../engine/events/inject.ts';
import type { LogEntry } from '../engine/events/log.ts';
import type { Machine, Transition } from '../engine/machine.ts';
import { GPR } from '../isa/state.ts';
import type { Booted } from '../kernel/boot.ts';
import type { Design } from '../kernel/design.ts';
import type { TruthLog } from '../unwind/truth.ts';
import { type Cause, causeOf, touches } from './causes.ts';
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
} from './invariants.ts';
import type { MemoryWatch } from './memory-watch.ts';
import {
  BEGUN,
  bodyLeft,
  type Context,
  closed,
  delivered,
  isRetry,
  overAt,
  type Registers,
  registersOf,
  type Software,
  served,
  softwareOf,
  struck,
  type Track,
  VECTOR_NAME,
  waits,
} from './track.ts';

/** What led to a boundary. */
export interface Passage {
  readonly transition: Transition;
  readonly before: { readonly rip: bigint; readonly rsp: bigint; readonly blocked: boolean };
  /** Linear addresses of the words that were written, aligned to 8. */
  readonly written: readonly bigint[];
  /** `NMI 2` of a delivery. */
  readonly event: string;
  /** The event that ended with this transition. */
  readonly back: string | undefined;
}

/** A boundary as an observer sees it; the machine stands there. */
export interface Moment {
  readonly boundary: number;
  readonly passage: Passage | undefined;
  /** What the first NMI of the run interrupted. */
  readonly first: Context | undefined;
  readonly live: Context | undefined;
  readonly truth: TruthLog;
}

/** How a run came to its end. */
export type End =
  | { readonly kind: 'returned' }
  | { readonly kind: 'lost' | 'budget' | 'no-progress' | 'shutdown' | 'halted'; readonly sentence: string }
  | { readonly kind: 'not-modelled'; readonly name: string };

/** An invariant that broke, and the boundary at which it shows. */
export interface Broken extends Violation {
  readonly boundary: number;
}

/** Boundaries whose states are all kept, to see whether one comes twice. */
const STATES_KEPT = 5_000;

/** Where a course stands, apart from the machine: plain data, never changed. */
export interface CoursePlace {
  readonly boundary: number;
  readonly track: Track;
  readonly truth: TruthLog;
  readonly touched: boolean;
}

/** An event that struck, with what it brought. */
export interface Struck {
  readonly event: EventName;
  readonly boundary: number;
  readonly detail: EventDetail;
}

export class Course {
  boundary = 0;
  /** What broke so far, the earliest first. */
  readonly broken: Broken[] = [];
  /** What struck so far. */
  readonly struck: Struck[] = [];
  private track: Track = BEGUN;
  private passage: Passage | undefined;
  private truth: TruthLog;
  private idle = 0;
  /** Whether an instruction is tried again that has just faulted. */
  private retries = false;
  /** Whether the last instruction had an operand in a watched range. */
  private touched = false;
  private readonly seen = new Set<number>();
  /** What a glance at the last state that was kept has seen. */
  private landmark = 0;
  private readonly machine: Machine;
  private readonly design: Design;
  private readonly space: AddressSpace;
  private readonly roots: readonly bigint[];
  private readonly body: bigint;
  private readonly watch: MemoryWatch;

  /** `body` is the address of the handler body. */
  constructor(
    { machine, space, roots }: Booted,
    truth: TruthLog,
    design: Design,
    body: bigint,
    watch: MemoryWatch,
  ) {
    this.machine = machine;
    this.truth = truth;
    this.design = design;
    this.body = body;
    this.watch = watch;
    this.space = space;
    this.roots = roots;
  }

  get place(): CoursePlace {
    const { boundary, track, truth, touched } = this;
    return { boundary, track, truth, touched };
  }
  /** Goes on from a place. The machine must stand there, and `over` is not to be asked any more. */
  resume({ boundary, track, truth, touched }: CoursePlace): void {
    Object.assign(this, { boundary, track, truth, touched, passage: undefined });
  }

  get moment(): Moment {
    const { boundary, passage, truth } = this;
    const { first, live } = this.track;
    return { boundary, passage, first, live, truth };
  }
  get counts() {
    const { deliveries, edges, served } = this.track;
    return { deliveries, edges, served };
  }

  /** An event strikes at this boundary, cause or not. */
  strike(event: EventName): void {
    const { machine, design } = this;
    const cause = causeOf(event, machine, design, this.touched);
    const one = { event, boundary: this.boundary, detail: 'detail' in cause ? cause.detail : {} };
    this.struck.push(one);
    this.strikeAgain(one);
  }

  /** The same where it has struck before. */
  strikeAgain({ event, detail }: Struck): void {
    this.machine.inject(event, detail);
    if (event === 'nmi') this.track = struck(this.track);
  }

  /** What an event has as its cause at this boundary. */
  cause(event: EventName): Cause {
    return causeOf(event, this.machine, this.design, this.touched);
  }

  /** Why the run is over at this boundary; undefined while it is not. `more`: an event is still to come. */
  over(more: boolean, budget: number, idle: number): End | undefined {
    const rests = !this.track.live && !waits(this.machine);
    if (!more && rests) {
      const wrong = atEnd(this.machine, this.track, this.design, (address) => this.space.physical(address));
      if (wrong) this.breaks(wrong);
      if (wrong?.invariant === 'I4') return { kind: 'lost', sentence: wrong.sentence };
      if (this.idle >= idle) return { kind: 'returned' };
      if (!this.retries) this.idle++;
    }
    if (this.boundary >= budget) {
      const sentence = `no end after ${budget} transitions`;
      this.breaks({ invariant: 'I7', sentence });
      return { kind: 'budget', sentence };
    }
    // A task that computes may come by the same state again.
    if (more || rests) return undefined;
    // In a long run few states are kept, further and further apart: whatever turns in circles meets one all the same.
    const kept = this.boundary < STATES_KEPT || (this.boundary & (this.boundary - 1)) === 0;
    const glance = this.glance();
    if (!kept && glance !== this.landmark) return undefined;
    const state = this.machine.sumRegisters([this.idle, ...this.watch.essence]);
    if (this.seen.has(state)) {
      const sentence = 'the same state has come twice: this goes on for ever';
      this.breaks({ invariant: 'I7', sentence });
      return { kind: 'no-progress', sentence };
    }
    if (!kept) return undefined;
    this.seen.add(state);
    this.landmark = glance;
    return undefined;
  }

  /** Much less than a state, and soon told: different for two states in different places or with different registers. */
  private glance(): number {
    const { machine } = this;
    return GPR.reduce((sum, name) => (Math.imul(sum, 31) + machine.low(name)) | 0, machine.low('rip'));
  }

  /** One transition. An end means that it led to a boundary from which there is no way on, or that it led nowhere. */
  advance(): { readonly end: End; readonly moved: boolean } | undefined {
    const { machine, design } = this;
    const before = {
      rip: machine.get('rip'),
      rsp: machine.get('rsp'),
      blocked: machine.get('nmiBlocked') !== 0n,
    };
    // Asked for only where they can be needed: reading them all costs more than the transition.
    const registers = machine.eventDue ? registersOf(machine) : undefined;
    const software = softwareOf(machine);
    this.touched = !machine.eventDue && touches(machine, design);
    const astray = beforeAccess(machine, this.track, design);
    const { journalHead, logLength } = machine;
    const transition = machine.step();
    if (transition.kind === 'stopped') return { end: this.stopped(), moved: false };
    if (transition.kind === 'fault' && !design.gates.some(({ vector }) => vector === transition.vector)) {
      const name = VECTOR_NAME[transition.vector ?? 0] ?? `vector ${transition.vector}`;
      this.boundary++;
      this.breaks(unhandled(transition.vector ?? 0));
      this.passage = { transition, before, written: [], event: '', back: undefined };
      return { end: { kind: 'not-modelled', name: `handler of ${name}` }, moved: true };
    }

    this.boundary++;
    this.breaks(astray);
    const written = this.watch.note(machine.journalSince(journalHead));
    const arrived = transition.kind === 'delivery';
    let left = false;
    let came = false;
    for (const entry of machine.log(logLength)) {
      this.note(entry, software, registers);
      left ||= entry.kind === 'iret';
      came ||= entry.kind === 'iret' || entry.kind === 'return';
    }
    const event = arrived ? (this.track.live?.event ?? '') : '';
    const rip = machine.get('rip');
    const rsp = machine.get('rsp');
    this.truth = this.truth.settle(rip, rsp);
    const over = came ? overAt(this.track.live, rip, rsp, design, machine.low('cpl') === 3) : undefined;
    // The end of an event at the body's first instruction goes on with a call that was interrupted there.
    if (transition.kind === 'instruction' && !left && !over) this.handler(rip, rsp);
    this.passage = { transition, before, written, event, back: over?.event };
    const wrong = over
      ? afterEvent(machine, this.track, over, design)
      : ((left ? afterIret(machine, this.track, design) : undefined) ?? atDeath(machine, this.track, design));
    this.retries = isRetry(over, rip);
    if (over) this.track = closed(this.track, over);
    if (!wrong) return undefined;
    this.breaks(wrong);
    return { end: { kind: 'lost', sentence: wrong.sentence }, moved: true };
  }

  private note(entry: LogEntry, software: Software | undefined, registers: Registers | undefined): void {
    const { machine, design } = this;
    this.truth = this.truth.record(entry);
    if (entry.kind === 'delivery') {
      this.track = delivered(this.track, entry, software, registers ?? registersOf(machine));
      this.breaks(afterDelivery(machine, this.track, design, (address) => this.space.physical(address)));
    }
    if (entry.kind === 'call') this.breaks(afterCall(machine, this.track, design, this.roots));
  }

  /** The body of the NMI handler is left, or entered. */
  private handler(rip: bigint, rsp: bigint): void {
    this.track = bodyLeft(this.track, rip, rsp);
    if (rip !== this.body) return;
    this.track = served(this.track, rsp, this.machine.read(rsp, 64) ?? 0n);
    this.breaks(afterEntry(this.track));
  }

  /** Each invariant is told once: what follows from a break says nothing new. */
  private breaks(violation: Violation | undefined): void {
    if (violation && !this.broken.some(({ invariant }) => invariant === violation.invariant))
      this.broken.push({ ...violation, boundary: this.boundary });
  }

  private stopped(): End {
    const reason = this.machine.stopReason;
    const name = /^not modelled: (.*)$/.exec(reason)?.[1];
    if (name !== undefined) return { kind: 'not-modelled', name };
    const sentence = `the processor stops: ${reason}`;
    this.breaks({ invariant: reason === 'halted' ? 'I7' : 'I8', sentence });
    return { kind: reason === 'halted' ? 'halted' : 'shutdown', sentence };
  }
}
