/** What a recipe holds, and the closed vocabularies of its grammar. */
import type { Place } from '../image/image.ts';
import type { EventName } from '../kernel/design.ts';
import { JUDGEMENTS } from '../unwind/view.ts';

export { EVENTS, type EventName } from '../kernel/design.ts';

/** Statement keys in the order of the canonical form. They are reserved: no bare value is one of them. */
export const KEYS = [
  'scenario',
  'title',
  'note',
  'design',
  'kernel',
  'set',
  'without',
  'start',
  'body',
  'inject',
  'edit',
  'cursor',
  'expect',
] as const;
export type Key = (typeof KEYS)[number];

export const VERDICTS = ['returns', 'lost', 'no-progress', 'shutdown', 'not-modelled', 'budget'] as const;
export type PlainVerdict = Exclude<(typeof VERDICTS)[number], 'not-modelled'>;

export { JUDGEMENTS };
export type ExpectedJudgement = (typeof JUDGEMENTS)[number];

export const COUNTS = ['boundaries', 'nmi-served', 'nmi-merged', 'deliveries'] as const;
export type CountName = (typeof COUNTS)[number];

/** A moment of a run, as written. */
export type Position = { readonly place?: Place } & (
  | {
      readonly kind: 'label';
      readonly label: string;
      /** The n-th time control reaches the label, from 1. */
      readonly occurrence: number;
      /** Boundaries after it, or before it if negative. Zero if `bytes` is not. */
      readonly steps: number;
      /** Byte offset into the symbol, at least 0. Zero if `steps` is not. */
      readonly bytes: number;
    }
  | { readonly kind: 'boundary'; readonly n: number }
  | { readonly kind: 'cursor' }
);

export interface Setting {
  readonly name: string;
  readonly value: string;
  readonly place?: Place;
  readonly valueAt?: Place;
}

export interface Injection {
  readonly event: EventName;
  readonly position: Position;
  readonly place?: Place;
}

/** A whole cell of a page, replaced. */
export interface Edit {
  /** `page#name`. */
  readonly block: string;
  /** As `rawLine` makes them: no tabs, nothing behind the last character, ASCII. */
  readonly lines: readonly string[];
  readonly place?: Place;
}

/** Something that must be seen. `place` is its first word, `nameAt` who is spoken of, `valueAt` what is said. */
export type Claim = {
  readonly place?: Place;
  readonly nameAt?: Place;
  readonly valueAt?: Place;
} & (
  | { readonly kind: 'verdict'; readonly verdict: PlainVerdict }
  | { readonly kind: 'verdict'; readonly verdict: 'not-modelled'; readonly name: string }
  | { readonly kind: 'violates'; readonly invariant: string; readonly at?: Position }
  | {
      readonly kind: 'reg' | 'word' | 'latch';
      readonly name: string;
      readonly value: string;
      readonly at?: Position;
    }
  | {
      readonly kind: 'unwind';
      readonly unwinder: string;
      readonly judgement: ExpectedJudgement;
      readonly at?: Position;
    }
  | { readonly kind: 'trace'; readonly unwinder: string; readonly text: string; readonly at?: Position }
  | { readonly kind: 'count'; readonly of: CountName; readonly n: number }
  | { readonly kind: 'digest'; readonly digest: string; readonly at?: Position }
);

/** A kernel that the reader supplies; `build` is its build id in lower-case hex. */
export interface Kernel {
  readonly name: string;
  readonly build?: string;
}

/** Where the values stand that are plain in a recipe: `scenario` is its slug, `without` goes by safeguard. */
export type Places = Readonly<Partial<Record<Exclude<Key, 'without'>, Place>>> & {
  readonly without?: Readonly<Record<string, Place>>;
};

/**
 * A recipe as data. It runs a `design` or a `kernel`, never both. Places say where its text stood; recipes
 * are equal when `print` says the same of them.
 */
export interface Recipe {
  readonly slug: string;
  readonly version: number;
  readonly title?: string | undefined;
  readonly notes: readonly string[];
  /** Slug of a page under notebooks/designs. */
  readonly design?: string | undefined;
  readonly kernel?: Kernel | undefined;
  readonly sets: readonly Setting[];
  readonly without: readonly string[];
  readonly start?: string | undefined;
  readonly body?: string | undefined;
  readonly injects: readonly Injection[];
  readonly edits: readonly Edit[];
  readonly cursor?: Position | undefined;
  readonly expects: readonly Claim[];
  readonly places?: Places;
}

const KEY_SET: ReadonlySet<string> = new Set(KEYS);

/** Whether a word starts a statement. */
export const isKey = (word: string): word is Key => KEY_SET.has(word);

/** Names of scenarios, switches, values, safeguards, places to start, bodies: what a link can carry. */
export const isSlug = (word: string): boolean => /^[a-z0-9][a-z0-9-]*$/.test(word) && !isKey(word);

/** `page#name`: a cell of a page. */
export const isBlock = (word: string): boolean => /^[A-Za-z0-9][\w./-]*#[A-Za-z_][\w.-]*$/.test(word);

/** A page under notebooks/designs: a slug that may hold dots, as versions do. */
export const isDesign = (word: string): boolean =>
  /^[a-z0-9][a-z0-9.-]*$/.test(word) && !word.endsWith('.') && !isKey(word);

/** A release as distributions name them: `6.12.5-amd64`. */
export const isKernelName = (word: string): boolean => /^[A-Za-z0-9][\w.+~-]*$/.test(word) && !isKey(word);
