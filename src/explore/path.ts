/** A path of an exploration as plain data: where it forks, how it ends, which other path it joins. */
import type { Violation } from '../scenario/invariants.ts';

/** How many of each kind of event are still to come, by the kind's place in `Bounds.kinds`. */
export type Remaining = readonly number[];

/** How a path ends, unless it joins another. */
export type PathEnd =
  | { readonly kind: 'returned' }
  | ({ readonly kind: 'violated' } & Violation)
  | { readonly kind: 'not-modelled'; readonly name: string };

export interface Fork {
  /** Boundary of the path at which the event strikes, and its kind's place. */
  readonly at: number;
  readonly kind: number;
  readonly met: Met;
  readonly path: Path;
}

/**
 * What an event met. An NMI: one that waits already (`pending`), or NMIs blocked (`blocked`). Else, any event: an NMI
 * alive (`inside`), or none (`open`).
 */
export type Met = 'open' | 'inside' | 'blocked' | 'pending';

export interface Path {
  readonly remaining: Remaining;
  readonly forks: Fork[];
  /** Transitions until it ends or joins. */
  length: number;
  end: PathEnd | undefined;
  join: Spot | undefined;
  /** Where unwinders are judged: the code of the first one's judgement by boundary, from 0 to `length`. */
  readonly judged: number[];
}

/** A boundary of a path. */
export interface Spot {
  readonly path: Path;
  readonly at: number;
}

/** Whether one who has all of these events still to come has some of them. */
export const covers = (all: Remaining, some: Remaining): boolean =>
  some.every((count, n) => count <= (all[n] ?? 0));
