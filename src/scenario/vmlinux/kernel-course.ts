/** One run of a real kernel under way: which events are live, what has been logged, and whether an invariant broke. */
import type { EventDetail } from '../../engine/events/inject.ts';
import type { LogEntry } from '../../engine/events/log.ts';
import { PENDING } from '../../engine/events/pending-kinds.ts';
import type { Machine } from '../../engine/machine.ts';
import { sectionOf } from '../../image/vmlinux/elf.ts';
import { RF } from '../../isa/flags.ts';
import type { BroughtUp } from '../../kernel/vmlinux/bring-up.ts';
import { CPU_ENTRY_AREA } from '../../kernel/vmlinux/places.ts';
import type { Drops, TruthLog } from '../../unwind/truth.ts';
import { stir } from '../memory-watch.ts';
import { differing, type Registers, registersOf, VECTOR_NAME, waits } from '../track.ts';
import {
  DEATHS,
  isIn,
  type KernelEvent,
  type KernelPath,
  type TextRange,
  textBetween,
} from './kernel-paths.ts';

/** What must hold on every way. */
export const KERNEL_INVARIANTS = {
  progress: 'The run comes to an end within its bound.',
  fault: 'Entry code raises no fault of its own.',
  death: 'The kernel does not give up.',
  shutdown: 'The processor goes on.',
  registers: 'An event gives back what it interrupted.',
  served: 'A pass of the handler follows an NMI that came.',
  blocked: 'When all is over, NMIs are open again.',
} as const;
export type KernelInvariant = keyof typeof KERNEL_INVARIANTS;

/** How a run ended. */
export type KernelEnd =
  | { readonly verdict: 'returned' }
  | { readonly verdict: 'broken'; readonly invariant: KernelInvariant; readonly reason: string }
  /** What the model or the bring-up lacks: `not modelled: ...`, a fault in C far from the entry. */
  | { readonly verdict: 'stopped'; readonly reason: string };

/** A live event, and what it interrupted. */
export interface KernelContext {
  readonly vector: number;
  /** Address of the RIP word of its record. */
  readonly slot: bigint;
  readonly rip: bigint;
  readonly rsp: bigint;
  /** Where its record lies. */
  readonly record: bigint;
  readonly registers: Registers;
  readonly outer: KernelContext | undefined;
  /** A number for it and all outside it. */
  readonly sum: number;
}

/** Where a course stands, apart from the machine: plain data, never changed. */
export interface KernelPlace {
  readonly boundary: number;
  readonly truth: TruthLog;
  readonly live: KernelContext | undefined;
  /** What the handler had counted when the last NMI came. */
  readonly counted: number | undefined;
}

const PAGE_FAULT = 14;
/** Vectors of faults that strike here: their records hold RF. */
const FAULTS: ReadonlySet<number> = new Set([PAGE_FAULT]);

/** The counter of NMIs that the handler keeps, found by what a quiet NMI changes: 32 bits. */
export interface NmiCounter {
  readonly read: () => number;
  /** The eight bytes that it is a half of, and what lies in the other half. */
  readonly word: bigint;
  readonly beside: () => number;
}

/** What all courses of a kernel share. */
export interface CourseWorld {
  readonly up: BroughtUp;
  readonly deaths: ReadonlyMap<bigint, string>;
  readonly cuts: ReadonlyMap<bigint, string>;
  /** Calls of return thunks, which nobody returns to. */
  readonly drops: Drops;
  /** Text that may not be instrumented: nothing but the processor's own events strikes there. */
  readonly bare: readonly TextRange[];
}

const RETURN_THUNK = '__x86_return_thunk';
/** Return thunks that call, drop the return address, and return for another function (arch/x86/lib/retpoline.S of 6.12). */
const DROPPING = /^(srso_|call_depth_return_thunk|__x86_return_skl)/;

export function worldOf(up: BroughtUp): CourseWorld {
  const { symbols, elf } = up.kernel;
  const found = (names: readonly string[]): ReadonlyMap<bigint, string> =>
    new Map(
      names.flatMap((name) => {
        const address = symbols.address(name);
        return address === undefined ? [] : [[address, name] as const];
      }),
    );
  // Entry code and what it may call runs through thunks, and through the tests of features that were not patched yet.
  const tests = sectionOf(elf, '.altinstr_aux');
  const bare = [
    textBetween(symbols, '__entry_text_start', '__entry_text_end'),
    textBetween(symbols, '__noinstr_text_start', '__noinstr_text_end'),
    textBetween(symbols, '__indirect_thunk_start', '__indirect_thunk_end'),
    // In 6.12 it is not between those two.
    textBetween(symbols, RETURN_THUNK, symbols.after(symbols.address(RETURN_THUNK) ?? 0n)?.name ?? ''),
    ...(tests ? [{ begin: tests.address, end: tests.address + BigInt(tests.size) }] : []),
  ];
  const drops: Drops = (ip) => DROPPING.test(symbols.name(ip) ?? '');
  return { up, deaths: found(DEATHS), cuts: found(up.cut), bare, drops };
}

export class KernelCourse {
  readonly #world: CourseWorld;
  readonly #machine: Machine;
  readonly #path: KernelPath;
  readonly #counter: NmiCounter | undefined;
  /** Functions that were cut and called. */
  readonly cut = new Set<string>();
  #boundary: number;
  #truth: TruthLog;
  #live: KernelContext | undefined;
  #counted: number | undefined;

  constructor(world: CourseWorld, path: KernelPath, place: KernelPlace, counter: NmiCounter | undefined) {
    this.#world = world;
    this.#machine = world.up.machine;
    this.#path = path;
    this.#counter = counter;
    ({ boundary: this.#boundary, truth: this.#truth, live: this.#live, counted: this.#counted } = place);
  }

  private get place(): KernelPlace {
    return { boundary: this.#boundary, truth: this.#truth, live: this.#live, counted: this.#counted };
  }
  get boundary(): number {
    return this.#boundary;
  }
  get truth(): TruthLog {
    return this.#truth;
  }
  /** The innermost event that is not over. */
  get live(): KernelContext | undefined {
    return this.#live;
  }
  get bare(): readonly TextRange[] {
    return this.#world.bare;
  }

  /** What decides how this goes on, apart from the machine; of the count of NMIs, whether the handler still owes a pass. */
  get sum(): readonly number[] {
    return [this.#truth.sum, this.#live?.sum ?? 0, Number(this.owes)];
  }

  /** Whether no pass of the handler has followed the NMI that came last. */
  private get owes(): boolean {
    return this.#counted !== undefined && this.#counter?.read() === this.#counted;
  }

  /** Whether control is on a stack, or will come back to it from a live event. */
  isOn({ begin, end }: TextRange): boolean {
    const lies = (address: bigint): boolean => address > begin && address <= end;
    if (lies(this.#machine.get('rsp'))) return true;
    for (let live = this.#live; live; live = live.outer) if (lies(live.rsp) || lies(live.record)) return true;
    return false;
  }

  /** Another course from here on. The machine must be led back here before this one goes on. */
  fork(): KernelCourse {
    return new KernelCourse(this.#world, this.#path, this.place, this.#counter);
  }

  /** An event strikes at this boundary; a sentence where it cannot. */
  strike(event: KernelEvent, detail: EventDetail): string | undefined {
    if (event === 'nmi') this.#counted = this.#counter?.read();
    const done = this.#machine.inject(event, detail);
    return typeof done === 'string' ? undefined : done.problem;
  }

  /** Whether everything is over at this boundary. */
  get rests(): boolean {
    if (this.#boundary === 0 || this.#live || waits(this.#machine)) return false;
    return this.#path !== 'syscall' || this.#machine.low('cpl') === 3;
  }

  /** Whether it is over here, and how: it rests, or has made more transitions than it may. */
  over(bound: number): KernelEnd | undefined {
    if (this.rests) return this.end();
    if (this.#boundary < bound) return undefined;
    return broken('progress', `no end after ${this.#boundary} transitions`);
  }

  /** How it ended, where it rests. */
  private end(): KernelEnd {
    const machine = this.#machine;
    if (machine.low('nmiBlocked') !== 0)
      return broken('blocked', 'NMIs are still blocked after the last event is over');
    if (this.owes) return broken('served', 'no pass of the handler follows the NMI that came last');
    return { verdict: 'returned' };
  }

  /** One transition; an end where there is no way on. */
  advance(): KernelEnd | undefined {
    const machine = this.#machine;
    const registers = machine.eventDue ? registersOf(machine) : undefined;
    const from = machine.get('rip');
    if (!machine.advance()) return this.#stopped(from);
    this.#boundary++;
    const rip = machine.get('rip');
    const raised = machine.low('pendingKind');
    if (raised !== PENDING.nothing) return this.#raised(from);
    if (machine.logLength > 0) {
      const over = this.#log(rip, registers);
      if (over) return over;
    }
    const cut = this.#world.cuts.get(rip);
    if (cut !== undefined) this.cut.add(cut);
    const death = this.#world.deaths.get(rip);
    return death === undefined ? undefined : broken('death', `the kernel gives up: ${death}()`);
  }

  #log(rip: bigint, registers: Registers | undefined): KernelEnd | undefined {
    const machine = this.#machine;
    const rsp = machine.get('rsp');
    let left = false;
    for (const entry of machine.log()) {
      this.#truth = this.#truth.record(entry);
      if (entry.kind === 'delivery')
        this.#live = {
          vector: entry.vector,
          slot: entry.rsp,
          rip: entry.rip,
          rsp: entry.outerRsp,
          record: entry.rsp,
          registers: registers ?? registersOf(machine),
          outer: this.#live,
          sum: sumOf(entry, registers ?? {}, this.#live),
        };
      left ||= entry.kind === 'iret';
    }
    machine.forgetLog();
    this.#truth = this.#truth.settle(rip, rsp);
    return left ? this.#back(rip, rsp) : undefined;
  }

  /** An IRET has led to `rip`: the oldest event that interrupted this point is over, with all that came after it. */
  #back(rip: bigint, rsp: bigint): KernelEnd | undefined {
    let over: KernelContext | undefined;
    for (let live = this.#live; live; live = live.outer)
      if (live.rip === rip && live.rsp === rsp) over = live;
    if (!over) return undefined;
    this.#live = over.outer;
    const now = registersOf(this.#machine);
    const wrong = differing(now, owed(over, now));
    if (wrong === undefined) return undefined;
    const event = VECTOR_NAME[over.vector] ?? `vector ${over.vector}`;
    return broken(
      'registers',
      `${event} comes back with ${wrong} = ${hex(now[wrong] ?? 0n)}, which was ${hex(over.registers[wrong] ?? 0n)}`,
    );
  }

  /** A fault that nobody injected. */
  #raised(from: bigint): KernelEnd {
    const machine = this.#machine;
    const vector = machine.low('pendingVector');
    const name = VECTOR_NAME[vector] ?? `vector ${vector}`;
    const cr2 = machine.get('cr2');
    const at = this.#name(from);
    const where = vector === PAGE_FAULT ? `, address ${hex(cr2)}` : '';
    const reason = `${name} at ${at}${where}`;
    const { begin, end } = this.#world.up.places.area;
    if (vector === PAGE_FAULT && cr2 >= begin && cr2 < end && cr2 !== CPU_ENTRY_AREA)
      return broken('fault', `${reason}: a stack has run over`);
    if (this.#world.bare.some((range) => isIn(range, from))) return broken('fault', reason);
    return { verdict: 'stopped', reason: `${reason}, outside of the entry: a boot would have prepared it` };
  }

  #stopped(from: bigint): KernelEnd {
    const { stopReason } = this.#machine;
    const at = this.#name(from);
    return stopReason === 'shutdown'
      ? broken('shutdown', `the processor shuts down at ${at}`)
      : { verdict: 'stopped', reason: `${stopReason} at ${at}` };
  }

  #name(address: bigint): string {
    return this.#world.up.kernel.symbols.name(address) ?? hex(address);
  }
}

function sumOf({ vector, rip }: LogEntry, registers: Registers, outer: KernelContext | undefined): number {
  let sum = stir(outer?.sum ?? 0, vector);
  for (const word of [rip, ...Object.values(registers)])
    sum = stir(stir(sum, Number(word & 0xffff_ffffn)), Number((word >> 32n) & 0xffff_ffffn));
  return sum;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const broken = (invariant: KernelInvariant, reason: string): KernelEnd => ({
  verdict: 'broken',
  invariant,
  reason,
});

/** What an event must give back: a page fault sets RF and CR2 by itself. */
function owed({ vector, registers }: KernelContext, now: Registers): Registers {
  if (!FAULTS.has(vector)) return registers;
  return { ...registers, cr2: now.cr2 ?? 0n, rflags: (registers.rflags ?? 0n) | ((now.rflags ?? 0n) & RF) };
}
