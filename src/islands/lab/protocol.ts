/** Messages between the island and its worker. Plain data; every request is answered once, by its id. */
import type { Difference } from '../../scenario/records.ts';
import type { Timeline } from '../../scenario/timeline.ts';

/** How a run compares with what was recorded for it. */
export type Standing =
  /** As recorded. */
  | { readonly state: 'same' }
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

/** Words of a request; the client adds the id. */
export type Ask =
  | {
      readonly kind: 'play';
      /** Text of a recipe. */
      readonly recipe: string;
      /** k of the reader's own rule end[-k]. */
      readonly pick: number | undefined;
    }
  | {
      /** The run that a link means. */
      readonly kind: 'open';
      /** What follows `#` in the address. */
      readonly fragment: string;
      /** The page's own recipe, which the link refines. */
      readonly recipe: string;
      readonly pick: number | undefined;
    }
  | {
      /** The link to a boundary of a run. */
      readonly kind: 'link';
      readonly recipe: string;
      readonly boundary: number;
    };

export type Request = Ask & { readonly id: number };

/** A run; `frames` is empty when the text could not be read, and `problems` then says why. */
export interface Played {
  readonly kind: 'played';
  readonly timeline: Timeline;
  readonly standing: Standing;
}

export interface Linked {
  readonly kind: 'linked';
  /** To copy, whole. */
  readonly link: string;
  /** What the address bar holds from now on, if anything. */
  readonly address: string | undefined;
}

/** An error of ours, not of the reader's text. */
export interface Failed {
  readonly kind: 'failed';
  readonly reason: string;
}

export type Answer = (Played | Linked | Failed) & { readonly id: number };
