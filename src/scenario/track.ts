/**
 * What has happened to the events of a run so far. A track is never changed: each happening makes the track
 * after it, so that one who goes back to an earlier boundary takes that boundary's track up again.
 */
import { EVENT_TYPE, INFO } from '../engine/events/event-info.ts';
import type { LogEntry } from '../engine/events/log.ts';
import { PENDING } from '../engine/events/pending-kinds.ts';
import type { Machine } from '../engine/machine.ts';
import { GPR } from '../isa/state.ts';
import type { Design } from '../kernel/design.ts';
import { RECORD_SIZE } from '../kernel/memory-map.ts';

/** Registers by name. */
export type Registers = Readonly<Record<string, bigint>>;

/** A live event: what it interrupted, and with which registers. */
export interface Context {
  /** `NMI 2`, `#BP`. */
  readonly event: string;
  readonly vector: number;
  readonly rip: bigint;
  readonly rsp: bigint;
  /** Address of the RIP word of the record that was pushed. */
  readonly slot: bigint;
  readonly registers: Registers;
  readonly outer: Context | undefined;
}

/** A call of the NMI handler's body that is not over. */
export interface Running {
  /** The event that it handles. */
  readonly live: Context | undefined;
  /** Address of its return address, and where that leads. */
  readonly slot: bigint;
  readonly back: bigint;
  /** The call that this one was made inside of. */
  readonly outer: Running | undefined;
}

/** Whether the records that were pushed for two events share a word. */
export const overlaps = (one: Context, other: Context): boolean =>
  one.slot < other.slot + RECORD_SIZE && other.slot < one.slot + RECORD_SIZE;

export interface Track {
  readonly live: Context | undefined;
  readonly running: Running | undefined;
  /** What the first NMI of the run interrupted. */
  readonly first: Context | undefined;
  readonly deliveries: number;
  /** NMIs that came, were delivered, and entries of the handler body. */
  readonly edges: number;
  readonly nmis: number;
  readonly served: number;
  /** NMIs that came since the body was entered last: a handler is still owed to them. */
  readonly owed: number;
}

/** At boundary 0. */
export const BEGUN: Track = {
  live: undefined,
  running: undefined,
  first: undefined,
  deliveries: 0,
  edges: 0,
  nmis: 0,
  served: 0,
  owed: 0,
};

export const VECTOR_NAME: Readonly<Record<number, string>> = {
  0: '#DE',
  1: '#DB',
  2: 'NMI',
  3: '#BP',
  4: '#OF',
  5: '#BR',
  6: '#UD',
  7: '#NM',
  8: '#DF',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  17: '#AC',
  18: '#MC',
  21: '#CP',
  29: '#VC',
};

const SYSTEM_CALL = 'SYSCALL';

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

/** Whether anything is still to be delivered; a debug exception may be held back by a load of SS. */
export const waits = (machine: Machine): boolean =>
  machine.eventDue ||
  machine.low('nmiPending') !== 0 ||
  machine.low('irqPending') !== 0 ||
  machine.low('debugTrap') !== 0;

/** What software may ask for: an interrupt by INT n or INT3, or, with FRED, a system call. */
export type Software = 'interrupt' | 'system call';

/** What the event is that waits, if software has asked for it. To be asked before it is delivered. */
export function softwareOf(machine: Machine): Software | undefined {
  if (machine.low('pendingKind') !== PENDING.software) return undefined;
  const type = (machine.low('pendingInfo') >>> INFO.type) & 0xf;
  return type === EVENT_TYPE.other ? 'system call' : 'interrupt';
}

/** An NMI has come. */
export const struck = (track: Track): Track => ({
  ...track,
  edges: track.edges + 1,
  owed: track.owed + 1,
});

/**
 * The body of the NMI handler is entered: whoever came before is served with this.
 *
 * @param slot address of its return address
 * @param back where that leads
 */
export function served(track: Track, slot: bigint, back: bigint): Track {
  const { live, running } = track;
  // A loop back to its first instruction is the same call.
  const again = running?.live === live && running?.slot === slot;
  return {
    ...track,
    served: track.served + 1,
    owed: 0,
    running: again ? running : { live, slot, back, outer: running },
  };
}

/** Control has come to where the innermost body was called from, perhaps: then that call is over. */
export const bodyLeft = (track: Track, rip: bigint, rsp: bigint): Track =>
  track.running?.back === rip && track.running.slot + 8n === rsp
    ? { ...track, running: track.running.outer }
    : track;

/**
 * An event is delivered. Software may use any vector: INT $2 is no NMI and does not close the latch.
 *
 * @param software what has asked for it, if software has; see `softwareOf`
 * @param registers before the transition
 */
export function delivered(
  track: Track,
  entry: LogEntry,
  software: Software | undefined,
  registers: Registers,
): Track {
  const { vector, rip, rsp: slot, outerRsp: rsp } = entry;
  const nmi = vector === 2 && !software;
  const nmis = nmi ? track.nmis + 1 : track.nmis;
  const name = VECTOR_NAME[vector] ?? `vector ${vector}`;
  const asked = software === 'system call' ? SYSTEM_CALL : software && vector !== 3 ? `INT ${vector}` : name;
  const event = nmi ? `NMI ${nmis}` : asked;
  const live: Context = {
    event,
    vector,
    rip,
    rsp,
    slot,
    registers: { ...registers, rip },
    outer: track.live,
  };
  const first = track.first ?? (nmi ? live : undefined);
  return { ...track, live, first, nmis, deliveries: track.deliveries + 1 };
}

/**
 * The oldest live event that interrupted this very point, or that may come back to it instead: with that it is over, and
 * all that came after it. To be asked after an IRET or a RET only: on a stack that an event has overwritten, control
 * comes to the same point of the same function again, and nothing is over.
 *
 * @param user whether control is in user mode: there a refused return to it is over, wherever it is
 */
export function overAt(
  live: Context | undefined,
  rip: bigint,
  rsp: bigint,
  design: Design,
  user: boolean,
): Context | undefined {
  let found: Context | undefined;
  for (let context = live; context; context = context.outer)
    if (
      isRefused(context, design)
        ? user
        : context.rsp === rsp && (context.rip === rip || fixupOf(context, rip, design))
    )
      found = context;
  return found;
}

/** Vectors of faults: their records hold RF set, so that the instruction is tried again without its breakpoint (SDM vol 3, 18.3.1.1). */
export const FAULTS: ReadonlySet<number> = new Set([0, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19, 21, 29]);

/** Whether an event that is over was a fault, and its instruction is tried again: nothing has been done since it was tried before. */
export const isRetry = (over: Context | undefined, rip: bigint): boolean =>
  over !== undefined && isFault(over) && over.rip === rip;

/** An INT n with the vector of a fault is none. */
const isFault = ({ vector, event }: Context): boolean => FAULTS.has(vector) && event === VECTOR_NAME[vector];

/** Whether an event is the fault of a return to user mode. */
export const isRefused = (context: Context, { exits }: Design): boolean =>
  isFault(context) && exits.includes(context.rip);

/** Whether an event may end when another one does that it came inside of: one like these, or a system call, which may be sigreturn(). */
export const mayNotComeBack = (context: Context, design: Design): boolean =>
  isRefused(context, design) || context.event === SYSTEM_CALL;

/** The line of the exception table by which an event comes back to `landing` instead of the instruction that faulted. */
export const fixupOf = (
  { rip }: Context,
  landing: bigint | undefined,
  { fixups }: Design,
): Design['fixups'][number] | undefined => fixups.find(({ from, to }) => from === rip && to === landing);

/** An event is over, and with it all that came after it and the calls that handled them. */
export function closed(track: Track, over: Context): Track {
  let { live, running } = track;
  for (; live !== over.outer; live = live?.outer)
    while (running !== undefined && running.live === live) running = running.outer;
  return { ...track, live, running };
}
