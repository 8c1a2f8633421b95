/** One run under way: what is live, what has been counted, and how each transition changes that. */
import type { LogEntry } from '../engine/events/log.ts';
import type { Machine, Transition } from '../engine/machine.ts';
import { GPR } from '../isa/state.ts';
import type { Design } from '../kernel/design.ts';
import type { TruthLog } from '../unwind/truth.ts';
import type { MemoryWatch } from './memory-watch.ts';

/** A live event: what it interrupted, and with which registers. */
export interface Context {
  /** `NMI 2`, `#BP`. */
  readonly event: string;
  readonly vector: number;
  readonly rip: bigint;
  readonly rsp: bigint;
  readonly registers: Registers;
  readonly outer: Context | undefined;
}

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

type Registers = Readonly<Record<string, bigint>>;

/** What must be the same again when an event is over. */
const KEPT = [
  ...GPR,
  'rip',
  'rflags',
  'cs',
  'ss',
  'fsBase',
  'gsBase',
  'kernelGsBase',
  'cr2',
  'cr3',
  'dr7',
] as const;

/** The registers that an event must give back, by name. */
export const registersOf = (machine: Machine): Registers =>
  Object.fromEntries(KEPT.map((name) => [name, name === 'rflags' ? machine.rflags() : machine.get(name)]));

/** The first register that differs, if one does. */
export const differing = (now: Registers, then: Registers): string | undefined =>
  KEPT.find((name) => now[name] !== then[name]);

export const VECTOR_NAME: Readonly<Record<number, string>> = {
  0: '#DE',
  1: '#DB',
  2: 'NMI',
  3: '#BP',
  6: '#UD',
  8: '#DF',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  18: '#MC',
};

const hex = (value: bigint | undefined): string => `0x${(value ?? 0n).toString(16)}`;

export class Course {
  boundary = 0;
  private live: Context | undefined;
  private first: Context | undefined;
  private passage: Passage | undefined;
  private truth: TruthLog;
  private deliveries = 0;
  private nmis = 0;
  private served = 0;
  /** Boundaries at which NMIs struck, and at which the handler body was last entered. */
  private readonly edges: number[] = [];
  private lastServed = -1;
  private idle = 0;
  /** Events inside a live one that are over: no way leads back there again. */
  private ended: readonly Context[] = [];
  private readonly seen = new Set<string>();
  private readonly machine: Machine;
  private readonly design: Design;
  private readonly body: bigint;
  private readonly watch: MemoryWatch;

  /** `body` is the address of the handler body. */
  constructor(machine: Machine, truth: TruthLog, design: Design, body: bigint, watch: MemoryWatch) {
    this.machine = machine;
    this.truth = truth;
    this.design = design;
    this.body = body;
    this.watch = watch;
  }

  get moment(): Moment {
    const { boundary, passage, first, live, truth } = this;
    return { boundary, passage, first, live, truth };
  }
  get counts() {
    return { deliveries: this.deliveries, edges: this.edges.length, served: this.served };
  }

  /** An NMI arrives at this boundary. */
  strike(): void {
    this.machine.injectNmi();
    this.edges.push(this.boundary);
  }

  /** Why the run is over at this boundary; undefined while it is not. `more`: an event is still to come. */
  over(more: boolean, budget: number, idle: number): End | undefined {
    if (!more && !this.live && this.machine.get('nmiPending') === 0n) {
      const unserved = this.edges.filter((edge) => edge >= this.lastServed).length;
      const what = unserved === 1 ? 'an NMI' : `${unserved} NMIs`;
      if (unserved > 0) return { kind: 'lost', sentence: `${what} came and no handler ran for it` };
      if (this.idle++ >= idle) return { kind: 'returned' };
    }
    if (this.boundary >= budget) return { kind: 'budget', sentence: `no end after ${budget} transitions` };
    if (more || this.idle > 0) return undefined;
    const state = `${this.machine.describeRegisters()}\n${this.watch.essence}`;
    if (this.seen.has(state))
      return { kind: 'no-progress', sentence: 'the same state has come twice: this goes on for ever' };
    this.seen.add(state);
    return undefined;
  }

  /** One transition. An end means that it led to a boundary from which there is no way on, or that it led nowhere. */
  advance(): { readonly end: End; readonly moved: boolean } | undefined {
    const { machine } = this;
    const before = {
      rip: machine.get('rip'),
      rsp: machine.get('rsp'),
      blocked: machine.get('nmiBlocked') !== 0n,
    };
    const registers = registersOf(machine);
    const { journalHead, logLength } = machine;
    const transition = machine.step();
    if (transition.kind === 'stopped') return { end: this.stopped(), moved: false };
    if (
      transition.kind === 'fault' &&
      !this.design.gates.some(({ vector }) => vector === transition.vector)
    ) {
      const name = VECTOR_NAME[transition.vector ?? 0] ?? `vector ${transition.vector}`;
      this.boundary++;
      this.passage = { transition, before, written: [], event: '', back: undefined };
      return { end: { kind: 'not-modelled', name: `handler of ${name}` }, moved: true };
    }

    this.boundary++;
    const written = this.watch.note(machine.journalSince(journalHead));
    const event = transition.kind === 'delivery' ? this.deliver(transition) : '';
    for (const entry of machine.log(logLength)) this.note(entry, event, registers);
    const rip = machine.get('rip');
    const rsp = machine.get('rsp');
    this.truth = this.truth.settle(rip, rsp);
    if (rip === this.body && transition.kind === 'instruction') {
      this.served++;
      this.lastServed = this.boundary;
    }
    const over = transition.kind === 'delivery' ? undefined : this.oldestAt(rip, rsp);
    this.passage = { transition, before, written, event, back: over?.event };
    const lost = over ? this.close(over) : (this.astray(transition) ?? this.death());
    if (over) this.ended = over.outer ? [...this.ended, over] : [];
    return lost === undefined ? undefined : { end: { kind: 'lost', sentence: lost }, moved: true };
  }

  /**
   * An IRETQ that ends nothing, but leads to where something was interrupted: on another stack, or a second time. To go
   * round again is no such thing.
   */
  private astray({ instruction }: Transition): string | undefined {
    const [rip, rsp] = [this.machine.get('rip'), this.machine.get('rsp')];
    if (instruction?.row.mnemonic !== 'iretq' || rip === this.design.labels.again) return undefined;
    const twice = this.ended.find((context) => context.rip === rip && context.rsp === rsp);
    if (twice) return `${twice.event} came back a second time`;
    for (let context = this.live; context; context = context.outer)
      if (context.rip === rip)
        return `${context.event} came back with rsp = ${hex(rsp)}, it was ${hex(context.rsp)}`;
    return undefined;
  }

  /** A fault that nobody expected has come to where the kernel dies. */
  private death(): string | undefined {
    if (this.machine.get('rip') !== this.design.labels.dies) return undefined;
    return `the kernel dies: nobody expected ${this.live?.event} at ${hex(this.live?.rip)}`;
  }

  /** Counts a delivery; its name. Software may use any vector: INT $2 is no NMI and does not close the latch. */
  private deliver({ vector = 0, software }: Transition): string {
    this.deliveries++;
    if (software && vector !== 3) return `INT ${vector}`;
    return vector === 2 ? `NMI ${++this.nmis}` : (VECTOR_NAME[vector] ?? `vector ${vector}`);
  }

  private note(entry: LogEntry, event: string, registers: Registers): void {
    this.truth = this.truth.record(entry);
    if (entry.kind !== 'delivery') return;
    const { vector, rip, outerRsp } = entry;
    this.live = { event, vector, rip, rsp: outerRsp, registers: { ...registers, rip }, outer: this.live };
    if (event.startsWith('NMI')) this.first ??= this.live;
  }

  /** The oldest live event that interrupted this very point, or may come back to it instead. */
  private oldestAt(rip: bigint, rsp: bigint): Context | undefined {
    let found: Context | undefined;
    for (let context = this.live; context; context = context.outer)
      if (context.rsp === rsp && (context.rip === rip || this.fixedUp(context, rip))) found = context;
    return found;
  }

  private fixedUp({ rip }: Context, landing: bigint): boolean {
    return this.design.fixups.some(({ from, to }) => from === rip && to === landing);
  }

  /** An event is over; a sentence if it, or one inside it, did not come back whole. */
  private close(over: Context): string | undefined {
    const inner = this.live;
    this.live = over.outer;
    if (inner !== over)
      return `${inner?.event} never came back: ${over.event}, which it interrupted, is over`;
    const now = registersOf(this.machine);
    const rip = this.fixedUp(over, now.rip ?? 0n) ? now.rip : over.registers.rip;
    const wrong = differing(now, { ...over.registers, rip: rip ?? 0n });
    return (
      wrong &&
      `${over.event} came back with ${wrong} = ${hex(now[wrong])}, it was ${hex(over.registers[wrong])}`
    );
  }

  private stopped(): End {
    const reason = this.machine.stopReason;
    const name = /^not modelled: (.*)$/.exec(reason)?.[1];
    if (name !== undefined) return { kind: 'not-modelled', name };
    return { kind: reason === 'halted' ? 'halted' : 'shutdown', sentence: `the processor stops: ${reason}` };
  }
}
