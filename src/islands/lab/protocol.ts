/** Messages between the island and its worker. Plain data; every request is answered once, by its id. */
import type { Problem } from '../../asm/source.ts';
import type { Dump, OrcEdit, Trusted } from '../../scenario/dump.ts';
import type { Explained } from '../../scenario/explain.ts';
import type { Finding } from '../../scenario/lint.ts';
import type { Difference } from '../../scenario/records.ts';
import type { Frame, Timeline, Word } from '../../scenario/timeline.ts';
import type { Lanes } from './bake.ts';

/** How a run compares with what was recorded for it. */
export type Standing =
  /** As recorded; or as the link was made for, where the run has no record or differs from it elsewhere. */
  | { readonly state: 'same'; readonly as?: 'link' }
  /** Runs, but differs from the record; the difference is a sentence. */
  | {
      readonly state: 'changed';
      readonly difference: string;
      /** All of them, recorded beside now. */
      readonly differences?: readonly Difference[];
    }
  | {
      readonly state: 'cannot-run';
      readonly reason: string;
      /** What was recorded of the named scenario, a line a step. */
      readonly recorded?: readonly string[];
    }
  /** The reader's own; nothing is recorded for it. */
  | { readonly state: 'draft' };

export interface PlayAsk {
  readonly kind: 'play';
  /** Text of a recipe. */
  readonly recipe: string;
  /** k of the reader's own rule end[-k]. */
  readonly pick: number | undefined;
  /** A link that came with the recipe, as in a mail: if it means this very run, its digest is compared. */
  readonly link?: string | undefined;
}

/** The run that a link means. */
export interface OpenAsk {
  readonly kind: 'open';
  /** A whole address, a path, or what stands in the address from `#` on. */
  readonly link: string;
  /** The page's own recipe, which a link without a path refines. */
  readonly recipe: string;
  readonly pick: number | undefined;
}

/** Frames that a long run came without: of boundaries `from` to `to`, both included. */
export interface FramesAsk {
  readonly kind: 'frames';
  readonly recipe: string;
  readonly pick: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** A boundary of a run in the worker's hands. */
interface At {
  readonly recipe: string;
  readonly pick: number | undefined;
  readonly boundary: number;
}

/** Where a value comes from: of a word, by its offset from T, or of a register. */
export interface OriginAsk extends At {
  readonly kind: 'origin';
  readonly spot: number | string;
}

/** What lies in words that no frame names, by their offsets from T. */
export interface WordsAsk extends At {
  readonly kind: 'words';
  readonly spots: readonly number[];
}

/** Where the moves of time travel lead from a boundary. */
export interface TravelAsk extends At {
  readonly kind: 'travel';
}

/** What the processor does next, as the manual's kind of text. */
export interface PseudoAsk extends At {
  readonly kind: 'pseudo';
}

/** The link to a boundary of a run. */
export interface LinkAsk {
  readonly kind: 'link';
  readonly recipe: string;
  /** What stands beside the run; empty for nothing. */
  readonly compare: string;
  readonly pick: number | undefined;
  readonly boundary: number;
}

/** The block for a mail, or the form for a changelog, about a boundary of a run. */
export interface MailAsk {
  readonly kind: 'mail';
  readonly recipe: string;
  readonly boundary: number;
  readonly changelog: boolean;
  /** Where the site lies, without a slash at the end: `https://example.org/lab`. */
  readonly site: string;
}

/** What a maintainer would say of a text. */
export interface LintAsk {
  readonly kind: 'lint';
  readonly text: string;
  readonly changelog: boolean;
}

/** What a pasted text holds. */
export interface PasteAsk {
  readonly kind: 'paste';
  readonly text: string;
  /** The recipe in view: a race table without a set-up line gives it other events. */
  readonly recipe: string;
  /** The page's own scenario, which a fragment refines. */
  readonly base: Named;
}

/** What a link holds. */
export interface ExplainAsk {
  readonly kind: 'explain';
  readonly link: string;
  readonly base: Named;
}

/** The cells that a run's code is made of. */
export interface CellsAsk {
  readonly kind: 'cells';
  readonly recipe: string;
}

/** The stack dumped at a boundary, by unwinders of kernels. */
export interface DumpAsk {
  readonly kind: 'dump';
  readonly recipe: string;
  readonly boundary: number;
  readonly unwinders: readonly string[];
  /** Changes of the ORC table. */
  readonly edits: readonly OrcEdit[];
}

/** Which record each unwinder goes by, over a run with so many boundaries. */
export interface TrustedAsk {
  readonly kind: 'trusted';
  readonly recipe: string;
  readonly unwinders: readonly string[];
  readonly last: number;
}

export interface Named {
  readonly slug: string;
  readonly version: number;
}

/** Words of a request; the client adds the id. */
export type Ask =
  | PlayAsk
  | FramesAsk
  | OriginAsk
  | WordsAsk
  | TravelAsk
  | PseudoAsk
  | OpenAsk
  | LinkAsk
  | MailAsk
  | LintAsk
  | PasteAsk
  | ExplainAsk
  | CellsAsk
  | DumpAsk
  | TrustedAsk;

export type Request = Ask & { readonly id: number };

/**
 * A run; `frames` is empty when the text could not be read, and `problems` then says why. Those of a long run have holes, and
 * what they would show comes beside them.
 */
export interface Played {
  readonly kind: 'played';
  readonly timeline: Timeline;
  readonly standing: Standing;
  readonly lanes?: Lanes | undefined;
  /** What a link wants to see beside it; empty for nothing. */
  readonly compare?: string;
}

/** One writing of a value, the last one first. */
export interface TrailStep {
  /** `q(-9) iret.rsp`, `rdx`. */
  readonly place: string;
  /** Boundary at which it got there; undefined for what was there before the run. */
  readonly boundary: number | undefined;
  readonly kind: 'hardware' | 'software' | 'earlier';
  /** `stored by repeat_nmi+0x12: push -0x30(%rsp)`. */
  readonly how: string;
}

export interface OriginTold {
  readonly kind: 'origin';
  readonly place: string;
  readonly value: bigint;
  readonly trail: readonly TrailStep[];
  /** How the trail ends, a sentence. */
  readonly end: string;
  readonly next: number | undefined;
}

/** A word of any stack; `meaning` is the place in the code or on a stack that it points to, or empty: `do_work+0x11`, `task 3f38`. */
export type SeenWord = Pick<Word, 'index' | 'value' | 'meaning' | 'author' | 'changed'>;

export interface WordsTold {
  readonly kind: 'words';
  /** In the order asked. */
  readonly words: readonly SeenWord[];
}

/** Boundaries; undefined where there is no such moment. */
export interface Travelled {
  readonly kind: 'travelled';
  readonly over: number;
  readonly backOver: number;
  readonly nextEvent: number | undefined;
  readonly previousEvent: number | undefined;
}

export interface PseudoTold {
  readonly kind: 'pseudo';
  /** `popq %rdx`, `delivery of NMI`. */
  readonly title: string;
  /** Manual, volume and section. */
  readonly manual: string;
  readonly lines: readonly string[];
}

export interface Framed {
  readonly kind: 'framed';
  readonly frames: readonly Frame[];
}

export interface Linked {
  readonly kind: 'linked';
  /** From `/s/` on; empty if no link can say this run. */
  readonly link: string;
}

export interface Mailed {
  readonly kind: 'mailed';
  /** Lines, each ended by a line feed. */
  readonly text: string;
  /** What keeps it from being what it should be; one sentence each. */
  readonly problems: readonly string[];
  readonly findings: readonly Finding[];
}

export interface Linted {
  readonly kind: 'linted';
  readonly findings: readonly Finding[];
}

export interface Pasted {
  readonly kind: 'pasted';
  readonly found: 'recipe' | 'link' | 'race' | 'nothing';
  /** What was found, a sentence each. */
  readonly says: readonly string[];
  /** The recipe that would run, canonical if it can be read; empty for a link. */
  readonly recipe: string;
  /** What the pasted link holds. */
  readonly explained: Explained | undefined;
  /** Why it cannot run, or what it expects in vain. */
  readonly problems: readonly Problem[];
  /** Whether the problems' places are those of the text as it was pasted, not of its decoded or made form. */
  readonly placed: boolean;
  /** What lies around it, without quoting marks. */
  readonly ignored: string;
  /** What to run; undefined if it cannot. `link` alone is opened, beside a recipe it is compared. */
  readonly run: { readonly recipe: string | undefined; readonly link: string | undefined } | undefined;
}

export interface ExplainedLink {
  readonly kind: 'explained';
  readonly explained: Explained;
}

/** A cell of assembly, and what stands on its page. */
export interface EditedCell {
  /** `page#name`. */
  readonly block: string;
  /** As the recipe has it. */
  readonly text: string;
  readonly original: string;
}

export interface Cells {
  readonly kind: 'cells';
  /** The design's own cells in the order of its page, then those that they include. */
  readonly cells: readonly EditedCell[];
  /** What can be written: labels of the program, and all mnemonics. */
  readonly labels: readonly string[];
  readonly mnemonics: readonly string[];
  /** What the stack checker says of the code as it ran, each at a line of its cell. */
  readonly warnings: readonly Problem[];
}

export interface Dumped {
  readonly kind: 'dumped';
  readonly dump: Dump;
}

export interface TrustedSpans {
  readonly kind: 'trusted';
  /** By unwinder, in the order asked. */
  readonly spans: readonly (readonly Trusted[])[];
}

/** An error of ours, not of the reader's text. */
export interface Failed {
  readonly kind: 'failed';
  readonly reason: string;
}

/** The answer to each kind of request, if nothing fails. */
export interface Answers {
  readonly play: Played;
  readonly open: Played;
  readonly frames: Framed;
  readonly origin: OriginTold;
  readonly words: WordsTold;
  readonly travel: Travelled;
  readonly pseudo: PseudoTold;
  readonly link: Linked;
  readonly mail: Mailed;
  readonly lint: Linted;
  readonly paste: Pasted;
  readonly explain: ExplainedLink;
  readonly cells: Cells;
  readonly dump: Dumped;
  readonly trusted: TrustedSpans;
}

export type Reply<Q extends Ask = Ask> = Answers[Q['kind']] | Failed;
export type Answer = Reply & { readonly id: number };
/** How the worker is asked. */
export type Asker = <Q extends Ask>(question: Q) => Promise<Reply<Q>>;
