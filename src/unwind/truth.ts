/**
 * The recorder of truth: which functions are live, told by what the processor did and not by what lies on a stack.
 * It is fed with the log of the engine, transition by transition, and never reads memory.
 */
import type { LogEntry } from '../engine/events/log.ts';
import { RECORD_SIZE } from '../kernel/memory-map.ts';
import { stackOf } from './stack-info.ts';
import type { StackRange, Truth, TruthEntry } from './view.ts';

/** What of the engine's log the truth needs; a delivery's `rsp` is the address of the RIP word of its frame. */
export type LoggedEntry = Pick<LogEntry, 'kind' | 'rip' | 'rsp' | 'target' | 'outerRsp'>;

/** A live call or event; lists share their tails, so a mark is a reference. */
interface Live {
  readonly how: 'return' | 'interrupted';
  readonly ip: bigint;
  readonly slot: bigint;
  readonly sp: bigint;
  readonly outer: Live | undefined;
  /** A sum over it and all outside it. */
  readonly sum: number;
}

/** Who is added to a list. */
function noted(one: Omit<Live, 'sum'>): Live {
  let sum = (one.outer?.sum ?? 0) + (one.how === 'return' ? 1 : 2);
  for (const value of [one.ip, one.slot, one.sp])
    for (const part of [value & 0xffff_ffffn, (value >> 32n) & 0xffff_ffffn]) {
      sum = Math.imul(sum ^ Number(part), 0x85eb_ca6b);
      sum ^= sum >>> 15;
    }
  return { ...one, sum };
}

/** A fault at `from` goes on at `to`. */
export interface Fixup {
  readonly from: bigint;
  readonly to: bigint;
}

/** Whether the code that calls with this return address drops it itself, and goes on as if it had not called. */
export type Drops = (ip: bigint) => boolean;

/** An immutable record: every method returns the record after it, and any of them may be kept as a mark. */
export class TruthLog {
  readonly #top: Live | undefined;
  readonly #lost: boolean;
  /** The transition under way was an IRET or a RET: only those lead back to what an event interrupted. */
  readonly #came: boolean;
  readonly #fixups: readonly Fixup[];
  readonly #drops: Drops;

  private constructor(
    top: Live | undefined,
    lost: boolean,
    came: boolean,
    fixups: readonly Fixup[],
    drops: Drops,
  ) {
    this.#top = top;
    this.#lost = lost;
    this.#came = came;
    this.#fixups = fixups;
    this.#drops = drops;
  }

  /**
   * Begins with the calls and events that are already live, innermost first; the current function is not one.
   *
   * @param fixups where an event may come back to instead of the RIP that it interrupted: the kernel's exception table
   * @param drops calls that are over as soon as RSP has passed their return address, by return thunks of some processors
   */
  static start(
    base: readonly TruthEntry[] = [],
    fixups: readonly Fixup[] = [],
    drops: Drops = () => false,
  ): TruthLog {
    let top: Live | undefined;
    for (const { how, ip, slot, sp } of base.toReversed()) {
      if (how !== 'current') top = noted({ how, ip, slot: slot ?? 0n, sp, outer: top });
    }
    return new TruthLog(top, false, false, fixups, drops);
  }

  /** Takes one line of the log; `settle` must follow once the transition's lines are in. */
  record(entry: LoggedEntry): TruthLog {
    switch (entry.kind) {
      case 'call':
        return this.#call(entry);
      case 'return':
        return this.#return(entry);
      case 'delivery':
        return this.#deliver(entry);
      case 'iret': // an event ends where control arrives, see `settle`
        return this.#with(this.#top, this.#lost, true);
    }
  }

  /**
   * The transition is over. An event ends when an IRET or a RET has led back to its interrupted RIP and RSP; so does all that came
   * after it. Control that merely comes by the same point again, as on a stack that an event has overwritten, ends nothing.
   */
  settle(rip: bigint, rsp: bigint): TruthLog {
    if (!this.#came) return this;
    let top = this.#top;
    for (let live = this.#top; live; live = live.outer) {
      if (live.how !== 'interrupted' || live.sp !== rsp) continue;
      if (live.ip === rip || this.#landings(live.ip).includes(rip)) top = live.outer;
    }
    return this.#with(top, this.#lost, false);
  }

  /** A number that is the same for the same calls and events, as far as 32 bits can tell. */
  get sum(): number {
    return (this.#top?.sum ?? 0) ^ Number(this.#lost);
  }

  /** The chain of live functions at this RIP and RSP, innermost first. */
  truth(rip: bigint, rsp: bigint, stacks: readonly StackRange[]): Truth {
    // An empty stack has RSP at its end; a delivery or a system call from user mode starts there.
    const nameOf = (sp: bigint): string =>
      (stackOf(stacks, sp) ?? stacks.find(({ end }) => end === sp))?.name ?? '';
    const current = nameOf(rsp);
    const entries: TruthEntry[] = [{ ip: rip, slot: undefined, how: 'current', sp: rsp, stack: current }];
    let lost = this.#lost;
    let context = true;
    let at = rsp;
    for (let live = this.#top; live; live = live.outer) {
      const { how, ip, slot, sp } = live;
      const stack = nameOf(how === 'return' ? slot : sp);
      if (how === 'return' && slot < at && stack === nameOf(at) && this.#drops(ip)) continue;
      if (how === 'interrupted') at = sp;
      const landings = how === 'interrupted' ? this.#landings(ip) : [];
      entries.push({ ip, slot, how, sp, stack, ...(landings.length > 0 && { landings }) });
      if (how === 'interrupted') context = false;
      // RSP has passed a return address that no RET has taken: its frame was left by a jump.
      else if (context && stack === current && slot < rsp) lost = true;
    }
    return { entries, lost };
  }

  #with(top: Live | undefined, lost: boolean, came: boolean): TruthLog {
    return new TruthLog(top, lost, came, this.#fixups, this.#drops);
  }

  #landings(ip: bigint): readonly bigint[] {
    return this.#fixups.filter(({ from }) => from === ip).map(({ to }) => to);
  }

  #call({ rsp, target }: LoggedEntry): TruthLog {
    let top = this.#top;
    let lost = this.#lost;
    let context = true;
    for (let live = this.#top; live; live = live.outer) {
      if (live.how === 'interrupted') context = false;
      else if (live.slot === rsp) {
        // Its return address is overwritten in use. In this context the function is gone; in an older one it still counts.
        lost ||= !this.#drops(live.ip);
        if (context) top = live.outer;
      }
    }
    const made = noted({ how: 'return', ip: target, slot: rsp, sp: rsp + 8n, outer: top });
    return this.#with(made, lost, false);
  }

  #return({ rsp, target }: LoggedEntry): TruthLog {
    let left = false;
    for (let live = this.#top; live; live = live.outer) {
      if (live.how === 'return' && live.slot === rsp) return this.#with(live.outer, this.#lost || left, true);
      left ||= live.how === 'interrupted' || !this.#drops(live.ip);
    }
    // Entry helpers move their return address before they push on; such a RET still goes where the call came from.
    let top = this.#top;
    while (top?.how === 'return' && top.slot < rsp && this.#drops(top.ip)) top = top.outer;
    const isOver = top?.how === 'return' && top.ip === target;
    return this.#with(isOver ? top?.outer : this.#top, this.#lost, true);
  }

  #deliver({ rip, rsp, outerRsp }: LoggedEntry): TruthLog {
    let lost = this.#lost;
    for (let live = this.#top; live && !lost; live = live.outer) {
      const isUnder = live.how === 'return' && live.slot >= rsp && live.slot < rsp + RECORD_SIZE;
      lost = isUnder && !this.#drops(live.ip);
    }
    const event = noted({ how: 'interrupted', ip: rip, slot: rsp, sp: outerRsp, outer: this.#top });
    return this.#with(event, lost, false);
  }
}
