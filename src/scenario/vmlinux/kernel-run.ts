/**
 * A real kernel's entry code, run: an event or a system call, others that strike on the way, the verdict, and what its own ORC rows say
 * at every boundary. Safe in a browser, like all below `cli`:
 *
 *     const bench = openBench(kernel, { cut: USUAL_CUTS });      // a Kernel of image/kernel-file.ts; some 0.3 s, 80 MB
 *     if ('problem' in bench) show(bench.problem);
 *     else show(bench.run({ path: 'nmi', user: false, strikes: [{ event: 'mc', at: 'repeat_nmi+0x9' }] }));
 *
 * Nothing throws for what a kernel lacks: that is a problem with a sentence. No run is longer than its bound.
 */
import type { Mark } from '../../engine/machine.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { type BringUpOptions, type BroughtUp, bringUp } from '../../kernel/vmlinux/bring-up.ts';
import { TruthLog } from '../../unwind/truth.ts';
import { pageReader } from '../page-reader.ts';
import { type CourseWorld, KernelCourse, type KernelEnd, type NmiCounter, worldOf } from './kernel-course.ts';
import { ENTRY_OF, type KernelEvent, type KernelPath, occursAt, taskFault } from './kernel-paths.ts';
import { KernelUnwinder, type KernelUnwound } from './kernel-unwound.ts';
import { UnwoundCount, type UnwoundCounts } from './unwound-count.ts';

/** An event that strikes on the way. */
export interface KernelStrike {
  readonly event: KernelEvent;
  /** `SYMBOL`, `SYMBOL+0x9`, `SYMBOL+0x9#2` for the second time that control comes there; or `b37`, a boundary. */
  readonly at: string;
}

/** A boundary of a run; the machine stands there, and what strikes there has struck. */
export interface KernelMoment {
  readonly course: KernelCourse;
  /** As a strike names the place; empty where nothing can strike any more, and at boundary 0. */
  readonly at: string;
  readonly unwound: KernelUnwound | undefined;
}

export interface KernelAsked {
  readonly path: KernelPath;
  /** Whether the event of the path interrupts user mode; a system call always does. */
  readonly user: boolean;
  /** In the order in which they strike. */
  readonly strikes: readonly KernelStrike[];
  /** Transitions at most; 20,000 unless told. */
  readonly bound?: number;
}

/** What is the same in the answers of a run and of a sweep. */
export interface KernelSetup {
  readonly path: KernelPath;
  readonly user: boolean;
  readonly text: 'linked' | 'patched';
  /** Functions that were called and returned at once. */
  readonly cut: readonly string[];
}

export interface KernelRun extends KernelSetup {
  readonly verdict: KernelEnd['verdict'];
  readonly invariant?: string;
  readonly reason?: string;
  /** Transitions, the delivery among them. */
  readonly steps: number;
  /** Where control is in the end. */
  readonly place: string;
  readonly struck: readonly { readonly event: KernelEvent; readonly at: string; readonly boundary: number }[];
  /** Invariants that this kernel gives no means to check. */
  readonly unchecked: readonly string[];
  /** Undefined in a kernel without ORC rows. */
  readonly unwound: UnwoundCounts | undefined;
}

/** The function in which an event finds the kernel: a system call has just called it. */
const TASK_AT = 'do_syscall_64';
const BOUND = 20_000;
const PRELUDE = 2_000;

/** The bench, or what the kernel lacks. */
export function openBench(
  kernel: Kernel,
  options: BringUpOptions = {},
): KernelBench | { readonly problem: string } {
  const up = bringUp(kernel, options);
  return 'problem' in up ? up : new KernelBench(up, options.features ? 'patched' : 'linked');
}

/** A kernel that was brought up, run as often as one likes from its start. */
export class KernelBench {
  readonly up: BroughtUp;
  readonly text: KernelSetup['text'];
  readonly unwinder: KernelUnwinder;
  readonly #world: CourseWorld;
  readonly #start: Mark;
  /** Undefined where none is found. */
  readonly counter: NmiCounter | undefined;

  constructor(up: BroughtUp, text: KernelSetup['text']) {
    this.up = up;
    this.text = text;
    this.unwinder = new KernelUnwinder(up);
    this.#world = worldOf(up);
    up.machine.keyframe();
    this.#start = up.machine.mark();
    this.counter = this.#counterOf();
  }

  get unchecked(): readonly string[] {
    return this.counter ? [] : ['served: no counter of NMIs is found (irq_stat)'];
  }

  /** @param cut what was called of it */
  setup({ path, user }: Pick<KernelAsked, 'path' | 'user'>, cut: Iterable<string>): KernelSetup {
    return { path, user: user || path === 'syscall', text: this.text, cut: [...cut].sort() };
  }

  /** Boundary 0: the event of the path has just struck. A problem where the task is not reached, or the path has no entry. */
  begin({ path, user }: Pick<KernelAsked, 'path' | 'user'>): KernelCourse | { readonly problem: string } {
    const { machine, kernel } = this.up;
    if (kernel.symbols.address(ENTRY_OF[path]) === undefined)
      return { problem: `missing symbol: ${ENTRY_OF[path]}` };
    machine.undo(this.#start);
    machine.forgetLog();
    let truth = TruthLog.start([], [], this.#world.drops);
    if (path !== 'syscall' && !user) {
      const reached = this.#reachTask();
      if (typeof reached === 'string') return { problem: reached };
      truth = reached;
    }
    const course = new KernelCourse(
      this.#world,
      path,
      { boundary: 0, truth, live: undefined, counted: undefined },
      this.counter,
    );
    if (path === 'syscall') return course;
    const problem = course.strike(path, path === 'pf' ? taskFault(user) : {});
    return problem === undefined ? course : { problem };
  }

  /** From user mode into the system call, up to where events find the task. */
  #reachTask(): TruthLog | string {
    const { machine, kernel } = this.up;
    const target = kernel.symbols.address(TASK_AT);
    if (target === undefined) return `missing symbol: ${TASK_AT}`;
    const course = new KernelCourse(
      this.#world,
      'syscall',
      { boundary: 0, truth: TruthLog.start([], [], this.#world.drops), live: undefined, counted: undefined },
      undefined,
    );
    while (machine.get('rip') !== target) {
      const end = course.advance();
      if (end) return `${TASK_AT} is not reached: ${'reason' in end ? end.reason : end.verdict}`;
      if (course.boundary > PRELUDE) return `${TASK_AT} is not reached in ${PRELUDE} transitions`;
    }
    return course.truth;
  }

  /** The word of `irq_stat` that one quiet NMI increments. */
  #counterOf(): NmiCounter | undefined {
    const { machine, space, kernel, perCpu } = this.up;
    // By the kernel's own tables: the user's may not show it.
    const read = pageReader(machine, space);
    const linked = kernel.symbols.address('irq_stat');
    const next = linked === undefined ? undefined : kernel.symbols.after(linked)?.address;
    if (linked === undefined || next === undefined) return undefined;
    const count = Math.min(64, Number((next - linked) / 4n));
    const half = (address: bigint): number =>
      Number(((read(address & ~7n) ?? 0n) >> (8n * (address & 4n))) & 0xffff_ffffn);
    const places = Array.from({ length: count }, (_, n) => perCpu(linked) + BigInt(4 * n));
    const course = this.begin({ path: 'nmi', user: true });
    if ('problem' in course) return undefined;
    const before = places.map(half);
    while (!course.rests) if (course.boundary > BOUND || course.advance()) return undefined;
    const [only, another] = places.filter((place, n) => half(place) === (before[n] ?? 0) + 1);
    if (only === undefined || another !== undefined) return undefined;
    return { read: () => half(only), word: only & ~7n, beside: () => half(only ^ 4n) };
  }

  /** `SYMBOL+0x9` of the address where the machine stands. */
  get here(): string {
    return this.unwinder.symbolize(this.up.machine.get('rip'));
  }

  /** One run. A problem for a place that is not known or not reached, or an event that cannot occur there. */
  run(asked: KernelAsked, watch?: (moment: KernelMoment) => void): KernelRun | { readonly problem: string } {
    const wanted: { readonly event: KernelEvent; readonly at: string; readonly place: Occurrence }[] = [];
    for (const { event, at } of asked.strikes) {
      const place = this.#place(at);
      if ('problem' in place) return place;
      wanted.push({ event, at, place });
    }
    const course = this.begin(asked);
    if ('problem' in course) return course;
    const { machine } = this.up;
    const struck: KernelRun['struck'][number][] = [];
    const unwound = new UnwoundCount();
    const visits = new Map<bigint, number>();
    let end: KernelEnd | undefined;
    let seen = -1;
    while (!end) {
      const rip = machine.get('rip');
      // As a sweep counts: nothing strikes at boundary 0, where the event of the path has just done so.
      const visit = course.boundary > 0 ? (visits.get(rip) ?? 0) + 1 : 0;
      visits.set(rip, visit);
      const at = visit > 1 ? `${this.here}#${visit}` : visit > 0 ? this.here : '';
      for (;;) {
        const next = wanted[struck.length];
        if (!next || !isHere(next.place, course.boundary, rip, visit)) break;
        const detail = occursAt(next.event, machine, course.bare);
        if (!detail) return { problem: `invalid event: ${next.event} cannot occur at ${next.at}` };
        const problem = course.strike(next.event, detail);
        if (problem !== undefined) return { problem };
        struck.push({ event: next.event, at, boundary: course.boundary });
      }
      const judged = this.unwinder.at(course.truth);
      unwound.add(this.here, visit, judged, struck);
      watch?.({ course, at, unwound: judged });
      seen = course.boundary;
      if (course.rests && struck.length < wanted.length) break;
      end = course.over(asked.bound ?? BOUND) ?? course.advance();
    }
    if (course.boundary > seen) watch?.({ course, at: '', unwound: this.unwinder.at(course.truth) });
    const left = wanted[struck.length];
    if (!end || (left && end.verdict === 'returned')) return { problem: `not reached: ${left?.at ?? ''}` };
    return {
      ...this.setup(asked, course.cut),
      ...end,
      steps: course.boundary,
      place: this.here,
      struck,
      unchecked: this.unchecked,
      unwound: this.unwinder.knows ? unwound.counts : undefined,
    };
  }

  #place(text: string): Occurrence | { readonly problem: string } {
    const [, boundary] = /^b(\d+)$/.exec(text) ?? [];
    if (boundary !== undefined && this.up.kernel.symbols.address(text) === undefined)
      return { boundary: Number(boundary) };
    const [, name = '', offset = '0', occurrence = '1'] =
      /^([^+#]+)(?:\+(0x[\da-f]+|\d+))?(?:#(\d+))?$/i.exec(text) ?? [];
    if (name === '') return { problem: `invalid place: ${text}, SYMBOL+0x9 or SYMBOL+0x9#2 is one` };
    const base = this.up.kernel.symbols.address(name);
    if (base === undefined) return { problem: `unknown symbol: ${name}` };
    return { address: base + BigInt(offset), occurrence: Number(occurrence) };
  }
}

type Occurrence = { readonly address: bigint; readonly occurrence: number } | { readonly boundary: number };

const isHere = (place: Occurrence, boundary: number, rip: bigint, visit: number): boolean =>
  'boundary' in place
    ? boundary > 0 && place.boundary === boundary
    : place.address === rip && place.occurrence === visit;
