/**
 * A run that one can move about in: plain data (it crosses from a worker as it is), made by `play` and
 * shown by islands, printed by the command line, asserted by pages. Boundary b is the state after b
 * transitions; a transition is one retired instruction, one REP iteration, one faulting attempt or one delivery.
 */
import type { ListingRow } from '../asm/listing.ts';
import type { Safeguard } from '../asm/safeguard.ts';
import type { Problem } from '../asm/source.ts';
import type { RecordOf } from '../kernel/design.ts';
import type { StackRange } from '../kernel/memory-map.ts';
import type { Group } from '../kernel/roles.ts';
import type { Judgement, TraceEnd } from '../unwind/view.ts';
import type { Broken } from './course.ts';
import type { EventName } from './recipe-types.ts';

export type { Group };

/** Who wrote a word: hardware at a delivery, an instruction, or something before this run began. */
export interface Author {
  readonly kind: 'hardware' | 'software' | 'earlier';
  /** `NMI 2`, `repeat_nmi+0x8`, `an earlier NMI`. */
  readonly name: string;
  /** Boundary at which the word had its value first; undefined for earlier ones. */
  readonly boundary: number | undefined;
}

/** A word of the NMI stack at one boundary. */
export interface Word {
  /** Offset from T in words: -1 is the highest word. */
  readonly index: number;
  /** `original.rip`, `saved-rdx`, `executing`, `regs.ax`: what comes before the dot is the record's name. */
  readonly role: string;
  readonly group: Group;
  /** `SS`, `RSP`, `rdx`, `executing`. */
  readonly field: string;
  readonly value: bigint;
  /** In words of a reader: `S, task stack`, `H', nmi_body+0x13`, `yes`. */
  readonly meaning: string;
  readonly author: Author;
  /** Whether the transition that led to this boundary wrote it. */
  readonly changed: boolean;
  /** Meaning just before, where changed. */
  readonly before: string | undefined;
}

/** A line of the true call chain, and who else lists it. */
export interface TruthLine {
  /** `do_work+0x1c/0x40`. */
  readonly text: string;
  readonly stack: string;
  readonly how: 'current' | 'return' | 'interrupted';
  /** Where the address lies: a return address, or the RIP word of an event's record; undefined for the current RIP. */
  readonly slot: bigint | undefined;
  /** RSP of this function when it called or was interrupted; the current RSP for the first line. */
  readonly sp: bigint;
  /** By unwinder, in the order of `Timeline.rules`: listed, listed with `?`, missing, or lost here with a warning. */
  readonly found: readonly ('listed' | 'guess' | 'missing' | 'lost')[];
}

/** What one unwinder made of the state, judged. */
export interface Verdict {
  readonly unwinder: string;
  readonly judgement: Judgement;
  /** A plain sentence without the unwinder's name. */
  readonly reason: string;
  readonly end: TraceEnd;
  /** The lines as a kernel of that era would print them. */
  readonly printed: readonly string[];
}

/** Everything there is to see at one boundary. */
export interface Frame {
  readonly boundary: number;
  /** What happened in the transition that led here, one sentence; `{original}`, `{iret}`, `{outermost}` stand for record names. */
  readonly sentence: string;
  /** `do_work+0x1c/0x40` of the next instruction. */
  readonly at: string;
  readonly rip: bigint;
  /** Index into `Timeline.code` of the next instruction, or -1. */
  readonly line: number;
  /** All registers by name (`rax` ... `r15`, `rip`, `rflags`, `cs`, `ss`, `cr2`, ...), in a fixed order. */
  readonly registers: Readonly<Record<string, bigint>>;
  /** Names of the registers that the transition changed. */
  readonly changed: readonly string[];
  readonly stack: {
    /** Stack RSP lies on: `TASK`, `NMI`, `#DB`, or empty. */
    readonly name: string;
    /** `T-48`, `S`, or an address. */
    readonly text: string;
    /** Words below T while on the NMI stack, else undefined. */
    readonly depth: number | undefined;
  };
  readonly latch: { readonly blocked: boolean; readonly pending: boolean };
  /** Mnemonics of set flags: `IF ZF PF`. */
  readonly flags: string;
  readonly words: readonly Word[];
  readonly truth: readonly TruthLine[];
  readonly lost: boolean;
  readonly verdicts: readonly Verdict[];
  /** Digest of the architectural state here. */
  readonly digest: string;
}

/** A moment with a name: a delivery, an IRET, the arrival at a named checkpoint, the first and the last boundary. */
export interface Step {
  readonly boundary: number;
  /** Short, for an axis: `NMI 1`, `first_nmi`, `IRETQ`. */
  readonly name: string;
  /** `nmi` deliveries, other deliveries, returns, labels, `start`, `end`. */
  readonly kind: 'start' | 'nmi' | 'event' | 'return' | 'label' | 'end';
  /** The checkpoint as a link names it (`repeat_nmi`, `repeat_nmi-2`), unique in the run. */
  readonly checkpoint: string;
  /** One sentence for people; see `Frame.sentence`. */
  readonly sentence: string;
}

/** A line of code as it runs: what stands on the page, and under each use what it became. */
export type CodeLine = ListingRow;

/** Boundaries `from` to `to`, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Outcome =
  | { readonly verdict: 'returns' }
  | { readonly verdict: 'lost' | 'no-progress' | 'shutdown' | 'budget'; readonly sentence: string }
  | { readonly verdict: 'not-modelled'; readonly name: string; readonly sentence: string };

export interface Timeline {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  /** Slug of the design's page. */
  readonly design: string;
  /** The canonical text of what ran. */
  readonly recipe: string;
  /** frames[b] is boundary b; empty when nothing could run. */
  readonly frames: readonly Frame[];
  readonly steps: readonly Step[];
  readonly code: readonly CodeLine[];
  /** Unwinders asked, in the order of every `verdicts` and `found`. */
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  /** While NMIs are blocked, and while one waits. */
  readonly blocked: readonly Span[];
  readonly pending: readonly Span[];
  /** Injections of the recipe, resolved. */
  readonly injections: readonly {
    readonly event: EventName;
    readonly boundary: number;
    readonly text: string;
  }[];
  readonly counts: Readonly<Record<'boundaries' | 'nmi-served' | 'nmi-merged' | 'deliveries', number>>;
  readonly outcome: Outcome;
  /** Invariants that broke, each where it showed first. */
  readonly broken: readonly Broken[];
  /** Boundary to look at first. */
  readonly cursor: number;
  /** T, the first byte above the NMI stack. */
  readonly top: bigint;
  /** Every stack of the CPU: the task's first, then those of the TSS by address. */
  readonly stacks: readonly StackRange[];
  /** The records on the NMI stack, highest first. */
  readonly records: readonly RecordOf[];
  /** Offset from T, in words, of "NMI executing"; undefined for a design without it. */
  readonly executing: number | undefined;
  /** Safeguards that the design names, and those that this run is without. */
  readonly safeguards: readonly Pick<Safeguard, 'name' | 'about'>[];
  readonly without: readonly string[];
  /** What is wrong with the text, and expectations that do not hold; each with its place. */
  readonly problems: readonly Problem[];
}
