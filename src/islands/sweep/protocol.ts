/** Messages between the island of a sweep and its worker. Plain data. */
import type { Door } from '../../explore/door.ts';
import type { SweepMap } from '../../explore/map.ts';
import type { SweepAsk, SweepReport } from '../../explore/sweep.ts';
import type { Failed } from '../worker-client.ts';
import type { Cell } from './geometry.ts';

/** A sweep. A newer one takes its place; what is known of it so far is told as it goes. */
export interface SweepRequest {
  readonly kind: 'sweep';
  readonly id: number;
  readonly ask: SweepAsk;
}

/** A sweep of more events around those of a recipe; answered as any other. */
export interface AroundRequest {
  readonly kind: 'around';
  readonly id: number;
  readonly recipe: string;
  /** What strikes beside the recipe's own events. */
  readonly events: readonly string[];
}

/** The run of one cell, for a reader who looks at it. */
export interface ShowRequest {
  readonly kind: 'show';
  readonly id: number;
  readonly ask: SweepAsk;
  readonly cell: Cell;
  /** The events of the cell; after the sweep itself, the worker knows those that may follow as well. */
  readonly strikes: readonly Struck[];
}

/** The door of a recipe that a sweep found. */
export interface OpenRequest {
  readonly kind: 'open';
  readonly id: number;
  readonly recipe: string;
  readonly boundary: number;
}

/** Boots what a sweep will need; nothing is answered. */
export interface WarmRequest {
  readonly kind: 'warm';
  readonly id: number;
  readonly ask: SweepAsk;
}

/** The block for a mail about a boundary of a run. */
export interface MailRequest {
  readonly kind: 'mail';
  readonly id: number;
  readonly recipe: string;
  readonly boundary: number;
  /** Where the site lies, without a slash at the end. */
  readonly site: string;
}

export interface Struck {
  readonly event: string;
  readonly boundary: number;
}

export type Request = SweepRequest | AroundRequest | ShowRequest | OpenRequest | MailRequest | WarmRequest;

/** The map so far. */
export interface Going {
  readonly kind: 'going';
  readonly id: number;
  readonly map: SweepMap;
  readonly done: number;
  readonly of: number;
  readonly paths: number;
}

export interface Swept {
  readonly kind: 'swept';
  readonly id: number;
  readonly map: SweepMap;
  readonly report: SweepReport;
  /** Milliseconds from the request to the end. */
  readonly elapsed: number;
}

/** The ask cannot be run; each problem is a sentence. */
export interface Refused {
  readonly kind: 'refused';
  readonly id: number;
  readonly problems: readonly string[];
}

export interface ShownRun extends Door {
  /** What the link opens at. */
  readonly boundary: number;
  /** Where each event strikes, as the recipe says it. */
  readonly events: readonly string[];
  /** What breaks; empty if nothing does. */
  readonly sentence: string;
}

export interface ShownAnswer {
  readonly kind: 'shown';
  readonly id: number;
  readonly run: ShownRun;
}

export interface OpenedAnswer {
  readonly kind: 'opened';
  readonly id: number;
  readonly door: Door;
}

export interface MailedAnswer {
  readonly kind: 'mailed';
  readonly id: number;
  readonly text: string;
}

export type Message = Going | Swept | Refused | ShownAnswer | OpenedAnswer | MailedAnswer | Failed;
