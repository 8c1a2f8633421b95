/**
 * What is to be known of a design beside its code: where its stacks lie and what the words on them are called, which
 * gates the IDT has, where a run may start, which labels mean something, and what the page claims to survive. A page
 * says it in marks (`declaration.ts`); what it leaves out is as in the 4.2 era.
 */
import type { Vendor } from '../engine/vendor.ts';
import type { Place } from '../image/image.ts';
import type { StackRange } from './memory-map.ts';
import type { Group, Role } from './roles.ts';

/** What can strike. */
export const EVENTS = ['nmi', 'mc', 'db', 'bp', 'pf', 'gp', 'irq', 'vc', 've'] as const;
export type EventName = (typeof EVENTS)[number];

/** A vector with a handler: a gate of the IDT, or with FRED what the code that is entered sends it to. */
export interface Gate {
  readonly vector: number;
  /** Label of the entry, and where it lies; undefined if the code has no such label. */
  readonly entry: string;
  readonly address: bigint | undefined;
  /** Index into the interrupt stack table; 0 for none, and with FRED. */
  readonly ist: number;
  readonly dpl: bigint;
  /** Where its table begins, if it is not the IDT that a run begins with but one that the code may load. */
  readonly table: bigint | undefined;
}

/** A stack of the kernel's beside the task's. */
export interface InterruptStack {
  /** Its entry in the interrupt stack table of the TSS; 0 where none leads to it when a run begins. */
  readonly ist: number;
  /** With FRED, the level that begins with it; 0 for none. */
  readonly level: number;
  /** Whether RSP0 of the TSS leads to it: an event that comes from user mode and has no other stack. */
  readonly sp0: boolean;
  readonly stack: StackRange;
}

/** Events come by FRED and not through the IDT (SDM vol 3, chapter 8). */
export interface Fred {
  /** Where events of ring 3 enter: the beginning of a page. Those of ring 0 enter 256 bytes behind. */
  readonly entry: bigint;
  /** Bytes that are left free below RSP where an event stays on its stack. */
  readonly redZone: bigint;
  /** IA32_FRED_STKLVLS: two bits for each of the vectors 0 to 31. */
  readonly levels: bigint;
}

/** Five words of the NMI stack that lead back to something, highest first: SS, RSP, RFLAGS, CS, RIP. */
export interface RecordOf {
  readonly name: string;
  /** How it is drawn. */
  readonly group: Group;
  /** Offsets from T, in words, of its RSP and of its RIP. */
  readonly rsp: number;
  readonly rip: number;
}

/** Where a run can start. */
export interface StartPoint {
  readonly name: string;
  /** Label of the first instruction. */
  readonly at: string;
  readonly user: boolean;
  /** Label at which an earlier NMI strikes before the run begins, so that its words lie on the stack. */
  readonly earlier: string | undefined;
  /** Label that control then goes on to: boundary 0. */
  readonly begin: string;
  /** Label of what SYSCALL enters, for a start that executes it. */
  readonly syscall: string | undefined;
  /** Whose processor it runs on. */
  readonly vendor: Vendor;
  /** Transitions that are shown where nothing strikes, so that one can choose where it should. */
  readonly idle: number;
}

/** A version of the NMI handler. */
export interface HandlerBody {
  readonly name: string;
  /** Its code. */
  readonly symbol: string;
  readonly address: bigint;
  /** Address of a byte that is set before boundary 0, and not earlier: the NMI before the run does not meet it. */
  readonly arms: bigint | undefined;
}

/** Bytes `from` to `to`, the latter not included. */
export interface Range {
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** What a page claims of a sweep: clean (`promises`), or not clean (`breaks`). */
export interface Sweep {
  /** Kinds of events, and how many of them in one run. */
  readonly events: readonly EventName[];
  readonly bound: number;
  readonly starts: readonly string[];
  readonly bodies: readonly string[];
  /** Safeguards that are taken out for it. */
  readonly without: readonly string[];
  /** Unwinders that are judged at every state. */
  readonly judge: readonly string[];
  /** Unwinders that took their place, where these are what was wrong. */
  readonly cured: readonly string[];
  /** Whether they must be right, and not only say so where they are not. */
  readonly right: boolean;
  readonly place: Place;
}

/** Memory whose content means nothing while no event is alive. */
export interface Dead {
  readonly ranges: readonly Range[];
  /** Stacks of which the words below RSP mean nothing. */
  readonly belowRsp: readonly StackRange[];
}

/** Address spaces (struct mm_struct): of each, where the value for CR3 lies that its page tables have (mm->pgd). */
export interface Mms {
  readonly places: readonly bigint[];
  /** Where the address of the current task's lies (current->mm). */
  readonly current: bigint;
}

export interface Design {
  /** Every kernel stack, the task's first. */
  readonly stacks: readonly StackRange[];
  readonly task: StackRange;
  readonly nmi: StackRange;
  readonly interruptStacks: readonly InterruptStack[];
  /**
   * With page-table isolation: sections and stacks that the tables of user mode map too, by name. Undefined where there
   * is one set of tables.
   */
  readonly isolated: readonly string[] | undefined;
  /** Address spaces that share the kernel, where a design has more than one; the first is that of the task a run begins in. */
  readonly mms: Mms | undefined;
  /** Bits of CR4 that a run begins with, beside those that every kernel sets. */
  readonly cr4: bigint;
  /** T: the first byte above the NMI stack. */
  readonly top: bigint;
  /** Undefined where events come through the IDT. */
  readonly fred: Fred | undefined;
  /** All vectors that there is a handler for; any other ends a run, and says so. */
  readonly gates: readonly Gate[];
  /** The words of the NMI stack that have a name, highest first. */
  readonly roles: readonly Role[];
  readonly records: readonly RecordOf[];
  /** The word that says "NMI executing", where the design has one. */
  readonly executing: Role | undefined;
  readonly starts: readonly StartPoint[];
  readonly bodies: readonly HandlerBody[];
  /** Addresses of labels that mean something; undefined where the design has none. */
  readonly labels: {
    /** Reached once more whenever the first NMI goes round again. */
    readonly again: bigint | undefined;
    /** Reached by an NMI that has found another one alive and turns back. */
    readonly nested: bigint | undefined;
    /** Reached by a fault that nobody expected: the kernel dies. */
    readonly dies: bigint | undefined;
  };
  /**
   * Instructions that may fault for good, and where such a fault comes back to instead: the exception table. Where
   * `swapped`, the two GS bases have changed places by then.
   */
  readonly fixups: readonly { readonly from: bigint; readonly to: bigint; readonly swapped: boolean }[];
  /** Returns to user mode that may fault: such a fault is handled as one of the program, and never comes back. */
  readonly exits: readonly bigint[];
  readonly promises: readonly Sweep[];
  /** Documented holes: sweeps that must find something. */
  readonly breaks: readonly Sweep[];
  readonly dead: Dead;
  /** Words that are counted up and decide nothing: states that differ in them alone are the same. */
  readonly counters: readonly bigint[];
  /** Pages that may be absent: where a #PF has a cause. */
  readonly absent: readonly Range[];
  /** Kernel text that may hold a breakpoint: where a #BP has a cause. */
  readonly patchable: readonly Range[];
  /** Data that a debug register may watch: where a #DB has a cause. */
  readonly watched: readonly Range[];
  /** Instructions that a hypervisor intercepts, and the exit code that #VC tells: where a #VC has a cause. */
  readonly intercepted: readonly { readonly address: bigint; readonly code: bigint }[];
}

/** The start of this name. */
export const startNamed = ({ starts }: Design, name: string): StartPoint | undefined =>
  starts.find((one) => one.name === name);

/** The body of this name. */
export const bodyNamed = ({ bodies }: Design, name: string): HandlerBody | undefined =>
  bodies.find((one) => one.name === name);
