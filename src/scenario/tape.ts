/**
 * What is written down of every boundary of a run, in a few bytes each: enough to say who wrote a word or a register and
 * when, to draw the whole run, and to go back to any boundary. Frames, which say everything, are made from it on demand.
 */
import { offsetOf } from '../engine/layout.ts';
import type { Machine, Mark } from '../engine/machine.ts';
import { GPR } from '../isa/state.ts';
import type { Course, CoursePlace, Moment, Struck } from './course.ts';

/** Boundaries from one place to the next that one can go on from without the run before it. */
export const STRIDE = 256;

/** Registers whose changes are written down, by their bit. */
export const TAPED = [
  ...GPR,
  'cs',
  'ss',
  'fsBase',
  'gsBase',
  'kernelGsBase',
  'cr2',
  'cr3',
  'dr6',
  'dr7',
  'fredConfig',
  'rflags',
] as const;
export type Taped = (typeof TAPED)[number];
const RFLAGS = TAPED.length - 1;
const HALVES = TAPED.slice(0, RFLAGS).map((name) => offsetOf[name as Exclude<Taped, 'rflags'>] >> 2);

type Values = Int32Array | Int16Array | Uint8Array;

/** A list of numbers that grows, each as wide as the array it is made with. */
class Numbers {
  private values: Values;
  length = 0;
  constructor(values: Values = new Int32Array(1024)) {
    this.values = values;
  }
  push(value: number): void {
    if (this.length === this.values.length) {
      const Wider = this.values.constructor as new (length: number) => Values;
      const wider = new Wider(this.length * 2);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.length++] = value;
  }
  at(n: number): number {
    return this.values[n] as number;
  }
  /** Gives back the room for more. */
  close(): void {
    this.values = this.values.slice(0, Math.max(1, this.length));
  }
}

/** A place to go on from: the course, and the machine as long as its past is not undone. */
export interface Resting {
  readonly course: CoursePlace;
  mark: Mark | undefined;
}

export class Tape {
  /** What struck, in order. */
  readonly struck: readonly Struck[];
  readonly resting: Resting[] = [];
  private readonly distinct: bigint[] = [];
  private readonly numbers = new Map<bigint, number>();
  private readonly places = new Numbers();
  private readonly depths = new Numbers(new Int16Array(1024));
  private readonly latches = new Numbers(new Uint8Array(1024));
  /** How many events are alive. */
  private readonly alive = new Numbers();
  private readonly changes = new Numbers();
  /** Boundaries and words of all writes, in the order of boundaries. */
  private readonly writtenAt = new Numbers();
  private readonly writtenWord = new Numbers();
  private readonly words = new Map<bigint, number>();
  private readonly delivered = new Map<number, string>();
  private readonly returned: number[] = [];
  private readonly before = new Int32Array(TAPED.length * 2);
  private readonly halves: Int32Array;
  private readonly machine: Machine;

  constructor(machine: Machine, struck: readonly Struck[]) {
    this.machine = machine;
    this.struck = struck;
    this.halves = new Int32Array(machine.memory.buffer, 0, 256);
  }

  /** Writes the next boundary down. @param depth words of RSP below T, or -1 off the NMI stack */
  add({ boundary, passage }: Moment, course: Course, depth: number): void {
    const { machine } = this;
    if (boundary % STRIDE === 0) {
      machine.forgetLog();
      this.resting.push({ course: course.place, mark: machine.mark() });
    }
    const rip = machine.get('rip');
    let number = this.numbers.get(rip);
    if (number === undefined) {
      number = this.distinct.length;
      this.distinct.push(rip);
      this.numbers.set(rip, number);
    }
    this.places.push(number);
    this.depths.push(depth);
    this.latches.push(machine.low('nmiBlocked') | (machine.low('nmiPending') << 1));
    this.changes.push(this.changedNow());
    let alive = 0;
    for (let live = course.place.track.live; live; live = live.outer) alive++;
    this.alive.push(alive);
    if (!passage) return;
    if (passage.transition.kind === 'delivery') this.delivered.set(boundary, passage.event);
    if (passage.transition.instruction?.row.mnemonic === 'iretq') this.returned.push(boundary);
    for (const address of passage.written) {
      const word = this.words.get(address) ?? this.words.size;
      this.words.set(address, word);
      this.writtenAt.push(boundary);
      this.writtenWord.push(word);
    }
  }

  /** The run is over: long ones take no more room than they need. */
  close(): void {
    const { places, depths, latches, alive, changes, writtenAt, writtenWord } = this;
    for (const list of [places, depths, latches, alive, changes, writtenAt, writtenWord]) list.close();
  }

  private changedNow(): number {
    const { before, halves } = this;
    let changed = 0;
    for (let n = 0; n < RFLAGS; n++) {
      const at = HALVES[n] as number;
      const [low, high] = [halves[at] as number, halves[at + 1] as number];
      if (before[2 * n] === low && before[2 * n + 1] === high) continue;
      changed |= 1 << n;
      before[2 * n] = low;
      before[2 * n + 1] = high;
    }
    const flags = Number(this.machine.rflags());
    if (before[2 * RFLAGS] !== flags) changed |= 1 << RFLAGS;
    before[2 * RFLAGS] = flags;
    return changed;
  }

  /** Number of the last boundary. */
  get last(): number {
    return this.places.length - 1;
  }
  rip(boundary: number): bigint {
    return this.distinct[this.places.at(boundary)] ?? 0n;
  }
  /** RIP at every boundary; the same address is the same number. */
  rips(): readonly bigint[] {
    const all: bigint[] = [];
    for (let b = 0; b <= this.last; b++) all.push(this.rip(b));
    return all;
  }
  /** Words of RSP below T, or -1 off the NMI stack. */
  depth(boundary: number): number {
    return this.depths.at(boundary);
  }
  blocked(boundary: number): boolean {
    return (this.latches.at(boundary) & 1) !== 0;
  }
  pending(boundary: number): boolean {
    return (this.latches.at(boundary) & 2) !== 0;
  }
  /** `NMI 2` where the transition that led here was a delivery. */
  delivery(boundary: number): string | undefined {
    return this.delivered.get(boundary);
  }

  /** Boundaries that a delivery or an IRETQ led to, in order. */
  crossings(): readonly number[] {
    return [...this.delivered.keys(), ...this.returned].sort((a, b) => a - b);
  }

  /** Boundary after a transition; after all of the event, if the transition delivers one. */
  over(boundary: number): number {
    let b = Math.min(boundary + 1, this.last);
    while (b < this.last && this.alive.at(b) > this.alive.at(boundary)) b++;
    return b;
  }
  /** Boundary before a transition; before all of the event, if the transition ended one. */
  backOver(boundary: number): number {
    let b = Math.max(0, boundary - 1);
    while (b > 0 && this.alive.at(b) > this.alive.at(boundary)) b--;
    return b;
  }
  /** Boundary that the next delivery leads to, or the one before; undefined if there is none. */
  nextDelivery(boundary: number): number | undefined {
    return [...this.delivered.keys()].find((b) => b > boundary);
  }
  previousDelivery(boundary: number): number | undefined {
    return [...this.delivered.keys()].findLast((b) => b < boundary);
  }

  /** Boundary of the last write of a word (its linear address, aligned to 8) at or before a boundary; undefined if the run made none. */
  lastWrite(address: bigint, boundary: number): number | undefined {
    const word = this.words.get(address);
    if (word === undefined) return undefined;
    for (let n = this.writesUpTo(boundary) - 1; n >= 0; n--)
      if (this.writtenWord.at(n) === word) return this.writtenAt.at(n);
    return undefined;
  }
  /** Boundary of the first write of a word after a boundary. */
  nextWrite(address: bigint, boundary: number): number | undefined {
    const word = this.words.get(address);
    if (word === undefined) return undefined;
    for (let n = this.writesUpTo(boundary); n < this.writtenAt.length; n++)
      if (this.writtenWord.at(n) === word) return this.writtenAt.at(n);
    return undefined;
  }
  /** Boundary at which a register got the value that it has at a boundary; undefined if it has had it from the start. */
  lastChange(register: Taped, boundary: number): number | undefined {
    const bit = 1 << TAPED.indexOf(register);
    for (let b = boundary; b > 0; b--) if (this.changes.at(b) & bit) return b;
    return undefined;
  }
  nextChange(register: Taped, boundary: number): number | undefined {
    const bit = 1 << TAPED.indexOf(register);
    for (let b = boundary + 1; b <= this.last; b++) if (this.changes.at(b) & bit) return b;
    return undefined;
  }

  /** How many writes were made up to a boundary, that boundary's included. */
  private writesUpTo(boundary: number): number {
    let [from, to] = [0, this.writtenAt.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.writtenAt.at(middle) <= boundary) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
