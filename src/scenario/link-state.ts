/** What a link can say. */
import { type Edit, EVENTS, type EventName, type Setting } from './recipe-types.ts';

/** An event at a boundary. */
export interface Strike {
  readonly event: EventName;
  readonly boundary: number;
}

/** What a link says. A field that is missing is as the named scenario has it; an empty list is none at all. */
export interface LinkState {
  readonly slug: string;
  readonly version: number;
  /** `Step.checkpoint` of a timeline: which page opens. Where there is a cursor too, the cursor wins. */
  readonly checkpoint?: string;
  /** Boundary to look at. */
  readonly cursor?: number;
  readonly injections?: readonly Strike[];
  readonly without?: readonly string[];
  readonly sets?: readonly Pick<Setting, 'name' | 'value'>[];
  /** null: none, where the scenario names one. */
  readonly body?: string | null;
  readonly edits?: readonly Edit[];
  /** What stands beside the run: `own`, `with NAME`, `without NAME`, `design NAME`. It changes nothing about the run. */
  readonly compare?: string;
  /** Digest of the architectural state at the cursor. */
  readonly digest?: string;
}

/** The letter of each event, in the order of `EVENTS`. */
export const LETTERS = 'nmdbpgive';

/** What can stand beside a run, as a link writes it: `own`, `without_NAME`. */
export const COMPARED = /^(?:own|(?:with|without|design) [a-z0-9][a-z0-9.-]*)$/;

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** In order of boundary, then of event as the grammar of recipes lists them. */
export const sortStrikes = (strikes: readonly Strike[]): Strike[] =>
  strikes
    .map(({ event, boundary }) => ({ event, boundary }))
    .toSorted((a, b) => a.boundary - b.boundary || EVENTS.indexOf(a.event) - EVENTS.indexOf(b.event));

/** In order of name. */
export const sortSets = (
  sets: readonly Pick<Setting, 'name' | 'value'>[],
): Pick<Setting, 'name' | 'value'>[] =>
  sets.map(({ name, value }) => ({ name, value })).toSorted((a, b) => byText(a.name, b.name));

/** In order, each once. */
export const sortNames = (names: readonly string[]): string[] => [...new Set(names)].toSorted(byText);
