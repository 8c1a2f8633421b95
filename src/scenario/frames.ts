/** Turns moments of a running machine into frames: plain data that anyone may keep. */
import type { Machine } from '../engine/machine.ts';
import { type Image, segmentAt, symbolize } from '../image/image.ts';
import { CR4 } from '../isa/state.ts';
import type { Design } from '../kernel/design.ts';
import { found, judge } from '../unwind/judge.ts';
import type { Unwinder } from '../unwind/rules.ts';
import { show } from '../unwind/show-trace.ts';
import type { Truth } from '../unwind/view.ts';
import type { Moment } from './course.ts';
import { digestOf } from './digest.ts';
import type { Execution } from './execution.ts';
import { arrival, type Happening, narrate, returnNamed } from './narrate.ts';
import type { Mark } from './steps.ts';
import type { Author, Frame, TruthLine, Verdict, Word } from './timeline.ts';
import { type Context, overlaps, type Registers, registersOf, VECTOR_NAME } from './track.ts';
import { Views } from './views.ts';
import { flagNames, fromTop, meaningOf, place, stackMeaning, wordsAt } from './words.ts';

export class FrameMaker {
  readonly frames: Frame[] = [];
  readonly marks: Mark[] = [];
  private readonly execution: Execution;
  private readonly image: Image;
  private readonly design: Design;
  private readonly rules: readonly Unwinder[];
  private readonly views: Views;
  private readonly lineOf: ReadonlyMap<bigint, number>;
  private readonly authors = new Map<bigint, Author>();
  private words: readonly Word[] | undefined;
  private registers: Readonly<Record<string, bigint>> = {};

  /** Who wrote a word before the first boundary that is added. */
  private readonly earlier: (address: bigint) => Author | undefined;

  constructor(
    execution: Execution,
    rules: readonly Unwinder[],
    earlier: (address: bigint) => Author | undefined = () => undefined,
  ) {
    this.earlier = earlier;
    this.execution = execution;
    this.image = execution.program.image;
    this.design = execution.program.design;
    this.rules = rules;
    this.views = new Views(execution);
    this.lineOf = new Map(
      execution.program.code.flatMap(({ address, kind }, n) =>
        address !== undefined && kind === 'instruction' ? [[address, n] as const] : [],
      ),
    );
  }

  /** Adds the frame of this boundary. */
  add(moment: Moment): void {
    const { boundary, passage, first } = moment;
    const { machine } = this.execution.booted;
    const registers = sharedRegisters({ ...registersOf(machine), ...beside(machine) }, this.registers);
    if (passage) {
      const hardware = passage.transition.kind === 'delivery';
      const author: Author = {
        kind: hardware ? 'hardware' : 'software',
        name: hardware ? passage.event : place(this.image, passage.before.rip),
        boundary,
      };
      for (const address of passage.written) this.authors.set(address, author);
    }
    this.words = wordsAt(
      this.design,
      this.words,
      (address) => this.views.read(address) ?? 0n,
      (address) => this.authors.get(address) ?? this.earlier(address),
      boundary,
      (role, value) => meaningOf(role, value, this.image, first, this.design),
    );
    const rip = machine.get('rip');
    const rsp = machine.get('rsp');
    const latch = { blocked: machine.get('nmiBlocked') !== 0n, pending: machine.get('nmiPending') !== 0n };
    const { stacks, nmi } = this.design;
    const depth = nmi.end - rsp;
    const stack =
      stacks.find(({ begin, end }) => rsp >= begin && rsp < end) ?? stacks.find(({ end }) => rsp === end);
    const onNmi = stack === nmi;
    const truth = moment.truth.truth(rip, rsp, stacks);
    const view = this.views.now();
    const traces = this.rules.map((rule) => rule.unwind(view));
    const before = this.frames.at(-1);
    const lines = truthLines(
      truth,
      traces.map((trace) => found(trace, truth)),
      this.image,
    );
    const verdicts = traces.map((trace, n): Verdict => {
      const rule = this.rules[n];
      const name = (address: bigint): string =>
        segmentAt(this.image, address)
          ? place(this.image, address)
          : stackMeaning(address, first, this.design);
      const verdict = judge(trace, truth, view, name, rule?.always);
      const called = (address: bigint): string => symbolize(this.image, address);
      const was = before?.verdicts[n];
      const printed = rule?.print?.(view, called) ?? show(trace, called);
      return {
        unwinder: rule?.id ?? '',
        judgement: verdict.judgement,
        reason: verdict.reason === was?.reason ? was.reason : verdict.reason,
        end: trace.end,
        printed: shared(printed, was?.printed),
      };
    });
    const changed =
      boundary === 0 ? [] : Object.keys(registers).filter((name) => registers[name] !== this.registers[name]);
    this.registers = registers;
    const sentence = this.sentence(moment, latch);
    const reached = arrival(this.image, rip, this.design);
    const moved = boundary === 0 || this.frames.at(-1)?.rip !== rip;
    this.marks.push({
      boundary,
      told: sentence,
      delivered: passage?.transition.kind === 'delivery' ? passage.event : undefined,
      returned:
        passage?.transition.kind === 'instruction'
          ? returnNamed(passage.transition.instruction?.row.mnemonic)
          : undefined,
      label: moved ? reached?.name : undefined,
      sentence: reached?.sentence ?? '',
    });
    this.frames.push({
      boundary,
      sentence,
      at: symbolize(this.image, rip),
      rip,
      line: this.lineOf.get(rip) ?? -1,
      registers,
      changed,
      stack: {
        name: stack?.name ?? '',
        text: onNmi
          ? (fromTop(rsp, this.design) ?? '')
          : stackMeaning(rsp, first, this.design).replace(/, task stack$/, ''),
        depth: onNmi && depth <= nmi.end - nmi.begin ? Number(depth / 8n) : undefined,
      },
      latch,
      flags: flagNames(machine.rflags()),
      words: this.words,
      truth: shared(lines, before?.truth, isSameLine),
      lost: truth.lost,
      verdicts,
      digest: digestOf(this.execution.describe()),
    });
  }

  private sentence({ passage, boundary, first, live }: Moment, latch: Frame['latch']): string {
    const { machine } = this.execution.booted;
    const reached = arrival(this.image, machine.get('rip'), this.design);
    if (!passage) return reached?.sentence || `The run begins at ${place(this.image, machine.get('rip'))}.`;
    const { transition, before, event, back } = passage;
    const mnemonic = transition.instruction?.row.mnemonic ?? '';
    const next = before.rip + BigInt(transition.instruction?.length ?? 0);
    const rip = machine.get('rip');
    const happening: Happening = {
      kind: transition.kind === 'stopped' ? 'instruction' : transition.kind,
      from: before,
      to: { rip, rsp: machine.get('rsp') },
      rspText: stackMeaning(machine.get('rsp'), first, this.design).replace(/, NMI stack$/, ''),
      returnTo: transition.kind === 'delivery' ? (live?.rip ?? before.rip) : before.rip,
      overwrites: transition.kind === 'delivery' && isOverwriting(live),
      event: event || (VECTOR_NAME[transition.vector ?? -1] ?? ''),
      mnemonic,
      back,
      wasBlocked: before.blocked,
      blocked: latch.blocked,
      pending: latch.pending,
      written: (this.words ?? []).filter((word) => word.changed && word.author.boundary === boundary),
      condition:
        mnemonic.startsWith('j') && mnemonic !== 'jmp' ? (rip === next ? 'not taken' : 'taken') : undefined,
    };
    const told = narrate(happening, this.image, this.design);
    return reached?.sentence && transition.kind !== 'delivery' ? `${told} ${reached.sentence}` : told;
  }
}

/** Whether the record of the innermost event lies on that of another one that is alive. */
function isOverwriting(live: Context | undefined): boolean {
  for (let other = live?.outer; live && other; other = other.outer) if (overlaps(live, other)) return true;
  return false;
}

/** What an event need not give back, and a reader asks for: what #DB met, and with FRED the stack level (SDM vol 4). */
const beside = (machine: Machine): Readonly<Record<string, bigint>> => ({
  dr6: machine.get('dr6'),
  ...((machine.get('cr4') >> BigInt(CR4.fred)) & 1n ? { fredConfig: machine.get('fredConfig') } : {}),
});

/**
 * The list with those elements of the one before that are the same, counted from the end: what is shown at boundary after
 * boundary is kept once. The frames of a long run are a fifth as large with it.
 */
function shared<T>(
  list: readonly T[],
  before: readonly T[] = [],
  same: (one: T, other: T) => boolean = Object.is,
): readonly T[] {
  const shift = before.length - list.length;
  const kept = list.map((one, n) => {
    const was = before[n + shift];
    return was !== undefined && same(one, was) ? was : one;
  });
  return shift === 0 && kept.every((one, n) => one === before[n]) ? before : kept;
}

const isSameLine = (one: TruthLine, other: TruthLine): boolean =>
  one.slot === other.slot &&
  one.sp === other.sp &&
  one.text === other.text &&
  one.how === other.how &&
  one.stack === other.stack &&
  one.found.every((found, n) => found === other.found[n]);

/** Registers with the very numbers of the boundary before where they did not change. */
const sharedRegisters = (now: Registers, before: Registers): Registers =>
  Object.fromEntries(
    Object.entries(now).map(([name, value]) => [name, before[name] === value ? before[name] : value]),
  );

function truthLines(
  truth: Truth,
  found: readonly (readonly TruthLine['found'][number][])[],
  image: Image,
): readonly TruthLine[] {
  return truth.entries.map(({ ip, stack, how, slot, sp }, n) => ({
    text: symbolize(image, ip),
    stack,
    how,
    slot,
    sp,
    found: found.map((one) => one[n] ?? 'missing'),
  }));
}
