/** Turns the boundaries of a real kernel's run into frames, as `frames.ts` does with those of a run of ours. */
import { PENDING } from '../../engine/events/pending-kinds.ts';
import type { Image } from '../../image/image.ts';
import type { Instruction } from '../../isa/instruction.ts';
import type { Design } from '../../kernel/design.ts';
import { RECORD_SIZE } from '../../kernel/memory-map.ts';
import { found } from '../../unwind/found.ts';
import { arrival, type Happening, narrate, returnNamed } from '../narrate.ts';
import { pageReader } from '../page-reader.ts';
import type { Mark } from '../steps.ts';
import type { Author, Frame, Verdict, Word } from '../timeline.ts';
import { type Registers, registersOf, VECTOR_NAME } from '../track.ts';
import { flagNames, fromTop, meaningOf, place, stackMeaning, wordsAt } from '../words.ts';
import type { KernelContext } from './kernel-course.ts';
import { KERNEL_EVENTS, type KernelEvent, occursAt } from './kernel-paths.ts';
import type { KernelBench, KernelMoment } from './kernel-run.ts';
import { type KernelUnwound, RECORD_LOST } from './kernel-unwound.ts';

/** What is known of a boundary when the next one comes. */
interface Before {
  readonly rip: bigint;
  readonly rsp: bigint;
  readonly blocked: boolean;
  readonly due: boolean;
  readonly instruction: Instruction | undefined;
  readonly journal: number;
  readonly live: KernelContext | undefined;
}

/** What a boundary offers beside its frame. */
export interface KernelSpot {
  /** As a strike names it; empty where nothing can strike. */
  readonly at: string;
  readonly events: readonly KernelEvent[];
}

const NOTHING_ASKED = 'Control is in user mode: no stack of the kernel is in use.';
const NO_ROWS = 'This kernel has no ORC rows.';

export class KernelFrames {
  readonly frames: Frame[] = [];
  readonly marks: Mark[] = [];
  readonly spots: KernelSpot[] = [];
  /** Boundaries at which a word of the kernel's stacks was written, by its address. */
  readonly writes = new Map<bigint, number[]>();
  readonly #bench: KernelBench;
  readonly #design: Design;
  readonly #image: Image;
  readonly #lineOf: ReadonlyMap<bigint, number>;
  readonly #read: (address: bigint) => bigint;
  readonly #authors = new Map<bigint, Author>();
  readonly #names = new Map<KernelContext, string>();
  #nmis = 0;
  #first: KernelContext | undefined;
  #words: readonly Word[] | undefined;
  #registers: Registers = {};
  #before: Before | undefined;

  /** @param lineOf index of the line of code at an address */
  constructor(bench: KernelBench, design: Design, image: Image, lineOf: ReadonlyMap<bigint, number>) {
    const { machine, space } = bench.up;
    this.#bench = bench;
    this.#design = design;
    this.#image = image;
    this.#lineOf = lineOf;
    const read = pageReader(machine, space);
    this.#read = (address) => read(address) ?? 0n;
  }

  /** Adds the frame of this boundary. */
  add({ course, at, unwound }: KernelMoment): void {
    const { machine } = this.#bench.up;
    const { boundary, live } = course;
    const before = this.#before;
    const rip = machine.get('rip');
    const rsp = machine.get('rsp');
    const delivered = before && live && live !== before.live && before.due ? this.#name(live) : undefined;
    if (before) this.#note(before, boundary, delivered);
    this.#words = wordsAt(
      this.#design,
      this.#words,
      this.#read,
      (address) => this.#authors.get(address),
      boundary,
      (role, value) => meaningOf(role, value, this.#image, this.#first, this.#design),
    );
    const registers = registersOf(machine);
    const latch = { blocked: machine.low('nmiBlocked') !== 0, pending: machine.low('nmiPending') !== 0 };
    const reached = arrival(this.#image, rip, this.#design);
    const told = before
      ? this.#told(before, live, delivered, latch)
      : `The run begins at ${place(this.#image, rip)}.`;
    const mnemonic = before?.instruction?.row.mnemonic;
    this.marks.push({
      boundary,
      told,
      delivered,
      returned: before && !before.due ? returnNamed(mnemonic) : undefined,
      label: before?.rip === rip ? undefined : reached?.name,
      sentence: '',
    });
    const { stacks, nmi, top } = this.#design;
    const stack =
      stacks.find(({ begin, end }) => rsp >= begin && rsp < end) ?? stacks.find(({ end }) => rsp === end);
    const truth = this.#bench.unwinder.truth(course.truth);
    const listed = unwound && found(unwound.trace, truth);
    this.frames.push({
      boundary,
      sentence: told,
      at: this.#bench.here,
      rip,
      line: this.#lineOf.get(rip) ?? -1,
      registers,
      changed: before
        ? Object.keys(registers).filter((name) => registers[name] !== this.#registers[name])
        : [],
      stack: {
        name: stack?.name ?? '',
        text:
          (stack === nmi ? fromTop(rsp, this.#design) : undefined) ??
          stackMeaning(rsp, this.#first, this.#design).replace(/, task stack$/, ''),
        depth: stack === nmi && rsp <= top ? Number((top - rsp) / 8n) : undefined,
      },
      latch,
      flags: flagNames(machine.rflags()),
      words: this.#words,
      truth: truth.entries.map(({ ip, stack: on, how, slot, sp }, n) => ({
        text: this.#bench.unwinder.symbolize(ip),
        stack: on,
        how,
        slot,
        sp,
        found: [listed?.[n] ?? 'missing'],
      })),
      lost: truth.lost,
      verdicts: [verdictOf(unwound, this.#bench)],
      digest: '',
    });
    this.spots.push({
      at,
      events:
        at === '' || course.rests
          ? []
          : KERNEL_EVENTS.filter((event) => occursAt(event, machine, course.bare) !== undefined),
    });
    this.#registers = registers;
    const due = machine.eventDue;
    this.#before = {
      rip,
      rsp,
      blocked: latch.blocked,
      due,
      instruction: due ? undefined : machine.instructionAt(rip),
      journal: machine.journalHead,
      live,
    };
  }

  /** `NMI 2`, `#MC`. */
  #name(live: KernelContext): string {
    const known = this.#names.get(live);
    if (known !== undefined) return known;
    const nmi = live.vector === NMI;
    const name = nmi ? `NMI ${++this.#nmis}` : (VECTOR_NAME[live.vector] ?? `vector ${live.vector}`);
    this.#names.set(live, name);
    if (nmi) this.#first ??= live;
    return name;
  }

  /** Who has written what. */
  #note({ rip, journal }: Before, boundary: number, delivered: string | undefined): void {
    const { machine, space } = this.#bench.up;
    const author: Author = {
      kind: delivered ? 'hardware' : 'software',
      name: delivered ?? place(this.#image, rip),
      boundary,
    };
    for (const { physical } of machine.journalSince(journal)) {
      const address = space.linear(physical);
      if (address === undefined || !this.#isOnStack(address)) continue;
      this.#authors.set(address, author);
      const known = this.writes.get(address) ?? [];
      if (known.at(-1) !== boundary) known.push(boundary);
      this.writes.set(address, known);
    }
  }

  #isOnStack(address: bigint): boolean {
    return this.#design.stacks.some(({ begin, end }) => address >= begin && address < end);
  }

  /** The transition in a sentence. */
  #told(
    before: Before,
    live: KernelContext | undefined,
    delivered: string | undefined,
    { blocked, pending }: Frame['latch'],
  ): string {
    const { machine } = this.#bench.up;
    const to = { rip: machine.get('rip'), rsp: machine.get('rsp') };
    const mnemonic = before.instruction?.row.mnemonic ?? '';
    const next = before.rip + BigInt(before.instruction?.length ?? 0);
    const raised = machine.low('pendingKind') === PENDING.fault;
    const happening: Happening = {
      kind: delivered ? 'delivery' : raised ? 'fault' : 'instruction',
      from: before,
      to,
      rspText: stackMeaning(to.rsp, this.#first, this.#design).replace(/, NMI stack$/, ''),
      returnTo: delivered && live ? live.rip : before.rip,
      event: delivered ?? VECTOR_NAME[machine.low('pendingVector')] ?? '',
      mnemonic,
      overwrites: delivered !== undefined && isOverwriting(live),
      back: this.#over(before.live, live),
      wasBlocked: before.blocked,
      blocked,
      pending,
      written: (this.#words ?? []).filter(({ changed }) => changed),
      condition:
        mnemonic.startsWith('j') && mnemonic !== 'jmp'
          ? to.rip === next
            ? 'not taken'
            : 'taken'
          : undefined,
    };
    return narrate(happening, this.#image, this.#design);
  }

  /** The outermost event that this transition has ended. */
  #over(was: KernelContext | undefined, live: KernelContext | undefined): string | undefined {
    let over: KernelContext | undefined;
    for (let one = was; one && one !== live; one = one.outer) over = one;
    return over && over !== live && depth(was) > depth(live) ? this.#name(over) : undefined;
  }
}

const NMI = 2;

function depth(live: KernelContext | undefined): number {
  let count = 0;
  for (let one = live; one; one = one.outer) count++;
  return count;
}

/** Whether the record of the innermost event lies on that of another one that is alive. */
function isOverwriting(live: KernelContext | undefined): boolean {
  for (let other = live?.outer; live && other; other = other.outer)
    if (live.slot < other.slot + RECORD_SIZE && other.slot < live.slot + RECORD_SIZE) return true;
  return false;
}

function verdictOf(unwound: KernelUnwound | undefined, { unwinder }: KernelBench): Verdict {
  if (!unwound)
    return {
      unwinder: 'orc',
      judgement: 'not-asked',
      reason: unwinder.knows ? NOTHING_ASKED : NO_ROWS,
      end: 'complete',
      printed: [],
    };
  const { judgement, reason, gap, trace } = unwound;
  const isLost = gap === RECORD_LOST;
  return {
    unwinder: 'orc',
    judgement: isLost ? 'not-asked' : judgement,
    reason: isLost
      ? RECORD_LOST
      : gap === undefined || judgement === 'right'
        ? reason
        : `${reason} By design: ${gap}.`,
    end: trace.end,
    printed: unwinder.printed(),
  };
}
