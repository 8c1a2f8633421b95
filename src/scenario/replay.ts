/** Going to any boundary of a run that was written down: back by marks and the journal, forwards by running again. */
import type { Machine } from '../engine/machine.ts';
import type { Image } from '../image/image.ts';
import type { Unwinder } from '../unwind/rules.ts';
import type { Course } from './course.ts';
import type { Execution } from './execution.ts';
import { FrameMaker } from './frames.ts';
import type { Mark } from './steps.ts';
import { STRIDE, type Tape } from './tape.ts';
import type { Author, Frame } from './timeline.ts';
import { place } from './words.ts';

export class Replay {
  readonly tape: Tape;
  private readonly execution: Execution;
  private readonly rules: readonly Unwinder[];
  private readonly course: Course;
  /** Whose turn it was when the machine was used here last. */
  private turn: number;

  /** To be made when the run that the tape holds is just over. */
  constructor(execution: Execution, tape: Tape, rules: readonly Unwinder[], course: Course) {
    this.execution = execution;
    this.tape = tape;
    this.rules = rules;
    this.course = course;
    this.turn = execution.turn;
  }

  get machine(): Machine {
    return this.execution.booted.machine;
  }
  get image(): Image {
    return this.execution.image;
  }

  /** Frames of boundaries `from` to `to`, both included: the very ones that a run which keeps all of them makes. */
  frames(from: number, to: number): readonly Frame[] {
    return this.made(from, to).frames;
  }
  /** The same, and what may be steps among them. */
  made(from: number, to: number): { readonly frames: readonly Frame[]; readonly marks: readonly Mark[] } {
    const start = Math.max(0, from - 1);
    this.seek(start);
    const maker = new FrameMaker(this.execution, this.rules, (address) => this.author(address, start));
    for (let b = start; ; this.seek(++b)) {
      maker.add(this.course.moment);
      if (b >= to) break;
    }
    return { frames: maker.frames.slice(from - start), marks: maker.marks.slice(from - start) };
  }

  /** Who wrote a word last, at or before a boundary. */
  author(address: bigint, boundary: number): Author | undefined {
    const { tape, execution } = this;
    const at = tape.lastWrite(address, boundary);
    if (at === undefined) return undefined;
    const event = tape.delivery(at);
    return event === undefined
      ? { kind: 'software', name: place(execution.image, tape.rip(at - 1)), boundary: at }
      : { kind: 'hardware', name: event, boundary: at };
  }

  /** Brings the machine to a boundary. @throws RangeError for one that the run does not have */
  seek(boundary: number): void {
    const { tape, execution } = this;
    if (!Number.isInteger(boundary) || boundary < 0 || boundary > tape.last)
      throw new RangeError(`invalid boundary: ${boundary} (the run has 0 to ${tape.last})`);
    if (this.turn !== execution.turn) this.beginAgain();
    const { course } = this;
    if (course.boundary > boundary || course.boundary + STRIDE < boundary)
      this.rest(Math.floor(boundary / STRIDE));
    while (course.boundary < boundary) {
      course.advance();
      for (const one of tape.struck) if (one.boundary === course.boundary) course.strikeAgain(one);
      this.mark(course.boundary);
    }
  }

  /** Another run has had the machine: all marks are gone. */
  private beginAgain(): void {
    for (const one of this.tape.resting) one.mark = undefined;
    this.execution.begin();
    this.turn = this.execution.turn;
    this.strike(0);
    const [first] = this.tape.resting;
    if (first) this.course.resume(first.course);
  }

  /** To the resting place of a number. */
  private rest(number: number): void {
    const { tape, execution } = this;
    let at = this.course.boundary;
    if (at > number * STRIDE) {
      const back = tape.resting.findLastIndex(({ mark }, n) => n <= number && mark !== undefined);
      for (const later of tape.resting.slice(back + 1)) later.mark = undefined;
      const mark = tape.resting[back]?.mark;
      if (mark) execution.back(mark);
      at = back * STRIDE;
    }
    while (at < number * STRIDE) {
      const next = tape.struck.find(({ boundary }) => boundary > at)?.boundary ?? Infinity;
      const to = Math.min(next, (Math.floor(at / STRIDE) + 1) * STRIDE);
      execution.again(to - at);
      at = to;
      this.strike(at);
    }
    const place = tape.resting[number];
    if (place) this.course.resume(place.course);
  }

  /** What struck at a boundary strikes again. */
  private strike(boundary: number): void {
    const { machine } = this.execution.booted;
    for (const one of this.tape.struck) if (one.boundary === boundary) machine.inject(one.event, one.detail);
    this.mark(boundary);
  }

  /** Marks a resting place whose mark is gone. */
  private mark(boundary: number): void {
    const resting = boundary % STRIDE === 0 ? this.tape.resting[boundary / STRIDE] : undefined;
    if (resting) resting.mark ??= this.execution.booted.machine.mark();
  }
}
