/** Names, where they lie, and values as far as they are known. */

import type { Mistake, Site } from './clause.ts';
import type { Expression } from './expression.ts';
import type { Section } from './section.ts';

/**
 * A spot in a section. `anchor` numbers a run of bytes whose lengths are settled when they are read:
 * distances within it are known at once, as GNU as knows them within a frag.
 */
export interface Location {
  readonly section: Section;
  /** Index of the section's item that follows. */
  readonly item: number;
  /** Bytes into that item: for `.` in a list of data. */
  readonly into: number;
  readonly anchor: number;
  /** Bytes from the anchor. */
  readonly offset: number;
}

/** What a `.set` gave a name. A later `.set` makes a new one: uses before it keep this. */
export interface Definition {
  readonly expression: Expression;
  /** The last value, and the view it was computed in. */
  /** Being evaluated: whoever asks for it now goes round in a circle. */
  busy: boolean;
  memo:
    | { readonly view: View; readonly stamp: number; readonly value: Value | Mistake | undefined }
    | undefined;
}

/** A name of the text; one object for each, made at its first use. */
export interface AsmSymbol {
  readonly name: string;
  label: Location | undefined;
  definition: Definition | undefined;
  global: boolean;
  /** What `.type` said, or `.size`: that it is a function. */
  function: boolean;
  /** Comment on the label's own line. */
  comment: string;
  /** Where it was defined first; undefined for one known from outside. */
  site: Site | undefined;
  /** Character of that clause. */
  at: number;
  /** What `.size` said. */
  size: { readonly expression: Expression; readonly site: Site } | undefined;
}

/** A number (no section), or an address as an offset from an anchor of a section. */
export interface Value {
  readonly section: Section | undefined;
  readonly anchor: number;
  readonly number: bigint;
}

/** A moment of assembling: what is known of locations then. */
export interface View {
  /** Changes when something more is known. */
  stamp: number;
  /** Whether every name has its last meaning, so that one without is a mistake. */
  readonly final: boolean;
  locate(location: Location): Value;
}

export const newSymbol = (name: string): AsmSymbol => ({
  name,
  label: undefined,
  definition: undefined,
  global: false,
  function: false,
  comment: '',
  site: undefined,
  at: 0,
  size: undefined,
});

/** A numeric label is known inside by its number and its occurrence: `1` the third time is `1:3`. */
export const numericName = (digits: string, occurrence: number): string => `${digits}:${occurrence}`;

/** Labels that are not symbols of the image: numeric ones, and `.L` names. */
export const isLocal = (name: string): boolean => name.startsWith('.L') || /^\d/.test(name);
