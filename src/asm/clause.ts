/** From pages to clauses: comments cut off, lines split at `;`, every character still knowing its column. */
import type { Place } from '../image/image.ts';
import type { Problem, Source } from './source.ts';

/** From character `at` of a clause on, the text stands at `column`; `fixed` for an argument put in: all of it stands there. */
interface Piece {
  readonly at: number;
  readonly column: number;
  readonly fixed: boolean;
}

/** What stands between two `;` of one line. */
export interface Clause {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly page: string;
  readonly line: number;
  /** Name of the page's cell. */
  readonly block: string;
  /** The comment of the line, on its last clause only. */
  readonly comment: string;
  /** The comment of the line, on each of its clauses. */
  readonly lineComment: string;
  /** Code that stands behind `#~`: it was taken out of the text, and is shown in its place. */
  readonly removed?: string;
}

/** A clause and the uses that led to it, innermost first. */
export interface Site {
  readonly clause: Clause;
  readonly uses: readonly Place[];
  /** Whether it comes from a macro's body or a repeated block and is not written where it takes effect. */
  readonly expanded: boolean;
}

/** What is wrong with a clause, thrown up to the loop over the clauses and nowhere beyond it. */
export class Mistake extends Error {
  /** Character of the clause at fault; undefined where only the caller knows. */
  readonly at: number | undefined;
  constructor(message: string, at?: number) {
    super(message);
    this.at = at;
  }
}

/** The place on the page of character `at` of a clause. */
export function placeOf({ page, line, pieces }: Clause, at: number): Place {
  const piece = pieces.findLast((one) => one.at <= at);
  return { page, line, column: piece ? piece.column + (piece.fixed ? 0 : at - piece.at) : at + 1 };
}

/** A problem at character `at` of a clause, with the uses that led there. */
export function problemAt(
  { clause, uses }: Pick<Site, 'clause' | 'uses'>,
  at: number,
  message: string,
): Problem {
  const place = placeOf(clause, at);
  return uses.length === 0 ? { ...place, message } : { ...place, message, via: uses };
}

/** Where the string or character constant that starts at `from` ends: the index behind it. */
export function endOfQuote(text: string, from: number): number {
  if (text[from] === "'") {
    const end = from + (text[from + 1] === '\\' ? 3 : 2);
    return Math.min(text.length, text[end] === "'" ? end + 1 : end);
  }
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/** Splits at `;` outside of quotes. The comment stays with the last clause. */
export function split(clause: Clause): readonly Clause[] {
  const { text } = clause;
  if (!text.includes(';')) return [clause];
  const cuts = [-1];
  for (let at = 0; at < text.length; ) {
    if (text[at] === ';') cuts.push(at);
    at = text[at] === '"' || text[at] === "'" ? endOfQuote(text, at) : at + 1;
  }
  return cuts.map((cut, n) => {
    const start = cut + 1;
    const { column } = placeOf(clause, start);
    const first = clause.pieces.findLast((one) => one.at <= start);
    const pieces = [{ at: 0, column, fixed: first?.fixed ?? false }];
    for (const one of clause.pieces) if (one.at > start) pieces.push({ ...one, at: one.at - start });
    const comment = n === cuts.length - 1 ? clause.comment : '';
    return { ...clause, text: text.slice(start, cuts[n + 1]), pieces, comment };
  });
}

/**
 * The clauses of a source, in order; one that holds neither text nor comment is left out.
 * Comments are `#` and `//` to the end of the line, and C's, which may span lines. An open comment is reported.
 * What stands behind `#:` is a mark and left out.
 */
export function clausesOf(source: Source, report: (problem: Problem) => void): readonly Clause[] {
  const clauses: Clause[] = [];
  let open: Place | undefined;
  source.lines.forEach((raw, n) => {
    const line = source.line + n;
    const { text, comment, left } = cutComments(raw, open !== undefined);
    const before = open;
    open = left === undefined ? undefined : left < 0 ? open : { page: source.page, line, column: left + 1 };
    const pieces = [{ at: 0, column: 1, fixed: false }];
    const { page, name: block } = source;
    const whole = { text, pieces, page, line, block, comment, lineComment: comment };
    if (raw.startsWith(REMOVED) && before === undefined) {
      const taken = cutComments(raw.slice(REMOVED.length), false);
      clauses.push({ ...whole, comment: taken.comment, lineComment: '', removed: taken.text });
      return;
    }
    for (const clause of split(whole)) {
      if (clause.comment !== '' || clause.text.trim() !== '') clauses.push(clause);
    }
  });
  if (open) report({ ...open, message: 'missing */' });
  return clauses;
}

/** What follows `#:`: said to this site and not to the reader of the code, so no part of its comment. */
export interface Mark {
  readonly text: string;
  readonly page: string;
  readonly line: number;
  /** Of `#:` and of the first character of the text, from 1. */
  readonly column: number;
  readonly textColumn: number;
  /** Whether code stands before it on its line. */
  readonly behindCode: boolean;
}

/** All marks of a source, in order. */
export function marksOf({ page, line, lines }: Source): readonly Mark[] {
  let open = false;
  return lines.flatMap((raw, n): Mark[] => {
    const { text, left, mark } = cutComments(raw, open);
    open = left !== undefined;
    if (mark === undefined) return [];
    const rest = raw.slice(mark + MARK.length);
    return [
      {
        text: rest.trim(),
        page,
        line: line + n,
        column: mark + 1,
        textColumn: mark + MARK.length + Math.max(0, rest.search(/\S/)) + 1,
        behindCode: text.trim() !== '',
      },
    ];
  });
}

const MARK = '#:';
/** What a line begins with that was taken out. */
export const REMOVED = '#~';

/**
 * One line with blanks in place of its comments. `left`: where a comment that stays open began; -1 for an earlier line.
 * `mark`: where a mark begins.
 */
function cutComments(
  raw: string,
  inside: boolean,
): { text: string; comment: string; left: number | undefined; mark?: number } {
  let text = '';
  const comments: string[] = [];
  let at = 0;
  let began = inside ? -1 : undefined;
  while (at < raw.length || began !== undefined) {
    if (began !== undefined) {
      const end = raw.indexOf('*/', at);
      comments.push(raw.slice(at, end < 0 ? raw.length : end));
      if (end < 0) return { text, comment: joined(comments), left: began };
      text = text.padEnd(end + 2);
      at = end + 2;
      began = undefined;
    } else if (raw.startsWith('/*', at)) {
      began = at;
      at += 2;
    } else if (raw[at] === '#' || raw.startsWith('//', at)) {
      const mark = raw.indexOf(MARK, at);
      const end = mark < 0 ? raw.length : mark;
      comments.push(raw.slice(at, end).replace(/^(#+|\/\/+)/, ''));
      return { text, comment: joined(comments), left: undefined, ...(mark >= 0 && { mark }) };
    } else {
      const end = raw[at] === '"' || raw[at] === "'" ? endOfQuote(raw, at) : at + 1;
      text += raw.slice(at, end);
      at = end;
    }
  }
  return { text, comment: joined(comments), left: undefined };
}

const joined = (comments: readonly string[]): string =>
  comments
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .join(' ');

/** Text of the page as a message may quote it: on one line, nothing invisible. */
export const quotable = (text: string): string =>
  text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?');

/** The same, no longer than a message can bear. */
export function clipped(text: string): string {
  const plain = quotable(text);
  return plain.length > 40 ? `${plain.slice(0, 40).trimEnd()}...` : plain;
}

/** A statement as it is shown: without blanks around it, and single blanks within, but in quotes. */
export function tidy(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const quote = text[at] === '"' || text[at] === "'";
    const end = quote ? endOfQuote(text, at) : at + 1;
    const part = text.slice(at, end);
    if (quote || !/\s/.test(part)) out += part;
    else if (out !== '' && !out.endsWith(' ')) out += ' ';
    at = end;
  }
  return out.trimEnd();
}
