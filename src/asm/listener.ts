/** Between the reader and what is read. */
import type { Site } from './clause.ts';
import type { Cursor } from './cursor.ts';
import type { Problem, Source } from './source.ts';

/** What the reader needs to know and whom it tells. */
export interface Listener {
  /** Value of an expression that must be known here. */
  number(cursor: Cursor): bigint;
  defined(name: string): boolean;
  label(name: string, at: number, site: Site): void;
  /** Anything but labels and what the reader follows itself; the cursor stands at its start. */
  statement(cursor: Cursor, site: Site): void;
  /** Shown in the listing, without other effect: a macro's use or body, a condition, a comment. */
  remark(text: string, site: Site): void;
  include(reference: string, page: string): Source | undefined;
  report(problem: Problem): void;
  /** Whether to go on. */
  readonly full: boolean;
}
