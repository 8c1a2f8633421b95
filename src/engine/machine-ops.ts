/**
 * What paging, event delivery, IRET and the boundary need beyond an instruction's words. They are
 * functions over `MachineOps<V>`: run, staged, printed and recorded like any semantics. `processor.ts`
 * binds the derived words to them.
 */
import { Ops, type Width } from '../isa/ops.ts';
import type { Vendor } from './vendor.ts';

/**
 * What is delivered. `rip` goes into the frame. For a #DB from hardware `errorCode`, which is not pushed, holds what
 * it sets in DR6. The last four are truths of which at most one holds.
 */
export interface Event<V> {
  readonly vector: V;
  readonly errorCode: V;
  readonly rip: V;
  readonly fault: V;
  readonly software: V;
  readonly machineCheck: V;
  readonly nmi: V;
}

/** What the log says of a delivery or a return from an event, beside the addresses. */
export interface EventRecord<V> {
  readonly vector: V;
  /** RIP of the interrupted code for a delivery, of the IRET for a return. */
  readonly rip: V;
  /** Address of the RIP word of the frame. */
  readonly slot: V;
  readonly target: V;
  /** RSP of the interrupted code: before a delivery, after a return. */
  readonly outerRsp: V;
}

export abstract class MachineOps<V> extends Ops<V> {
  abstract override readonly vendor: Vendor;

  // Physical memory ------------------------------------------------------------------------------------
  /** Whether a frame's address lies in guest memory. */
  abstract inMemory(frame: V): V;
  /** An aligned word of guest physical memory at an address in range; a store is journalled. */
  abstract loadPhysical(pa: V): V;
  abstract storePhysical(pa: V, value: V): void;
  /** Tell a translation cache, if there is one: this frame is a page table; this page may be cached. */
  abstract walked(table: V): void;
  abstract translated(page: Translation<V>): void;
  /** Write an event to the truth log. */
  abstract logEvent(kind: number, event: EventRecord<V>): void;

  /** Rights of the memory operand: bits of `RIGHTS`. */
  abstract operandRights(write: boolean): V;

  /** Finish this transition with RIP still here: what was posted is delivered next. */
  abstract hold(): void;
  /** Tell `retire` that this instruction has decided about its single step. */
  abstract ownStep(): void;

  // Derived in `processor.ts` --------------------------------------------------------------------------
  /** Physical address of `va`, or a fault. `rights` are bits of `RIGHTS`. */
  abstract translate(va: V, rights: V): V;
  /** An access that a translation cache cannot serve. */
  abstract loadSlow(width: Width, va: V, rights: V): V;
  abstract storeSlow(width: Width, va: V, value: V, rights: V): void;
  /** DR6 bits of the instruction breakpoints that keep the instruction at RIP from being executed. */
  abstract executionBreakpoints(): V;
  /** An access to `bytes` at `va` was translated: note the data breakpoints that it meets. */
  abstract meetBreakpoints(va: V, bytes: number, rights: V): void;
  /** Switch to the handler of an event, or raise what keeps it from that. */
  abstract deliver(event: Event<V>): void;

  // Words that mean nothing to a machine, and everything to the printer ------------------------------------
  /** A heading of the manual. */
  abstract heading(text: string): void;
  /** A constant by its name: `#PF` for 14. */
  abstract symbol(name: string, value: number): V;
  /** Whether a vector is one of a list. */
  abstract isOneOf(vector: V, list: readonly number[]): V;
}

/** One page as the walk found it; the last four are truths. */
export interface Translation<V> {
  readonly va: V;
  readonly frame: V;
  readonly writable: V;
  readonly user: V;
  readonly executable: V;
  /** Whether the processor itself asked for it, and no operand. */
  readonly system: V;
}
