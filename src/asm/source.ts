/** A piece of a page, and what is wrong with it, both in the page's own lines. */
import type { Place } from '../image/image.ts';

export interface Source {
  /** Path of the page, as people write it. */
  readonly page: string;
  /** Name of the cell. */
  readonly name: string;
  /** Line of the page on which `lines[0]` stands. */
  readonly line: number;
  readonly lines: readonly string[];
}

export interface Problem extends Place {
  /** One sentence, lower case: `unknown mnemonic: movqq`. */
  readonly message: string;
  /** The uses that led here (macro calls, includes), innermost first. */
  readonly via?: readonly Place[];
}

/** `page:line:column: message`, and one line more for each use that led there. */
export const problemText = ({ page, line, column, message, via = [] }: Problem): string =>
  [
    `${page}:${line}:${column}: ${message}`,
    ...via.map((use) => `${use.page}:${use.line}:${use.column}: used here`),
  ].join('\n');
