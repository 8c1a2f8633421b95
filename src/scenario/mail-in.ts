/**
 * A recipe or a link back out of pasted text: quoted at any depth, re-wrapped, quoted-printable, with tabs or
 * CRLF. Tokens survive all of it. The lines of an `edit` are lines: they survive quoting, indentation, CRLF,
 * tabs and quoted-printable, but not re-wrapping. A line that was broken in two is reported as an unknown key,
 * unless its rest happens to start with a key; lines that were joined cannot be told from one long line.
 * A race table counts where there is neither: it says what strikes where, and what runs if its set-up line is there.
 */
import type { Source } from '../asm/source.ts';
import { decodeQuotedPrintable, looksQuotedPrintable } from './mail-quoted-printable.ts';
import { readRaceTable, recipeOfRace, type Strike } from './race-table.ts';
import { Reader } from './recipe-reader.ts';
import { head, newDraft, statement } from './recipe-statements.ts';
import { isKey, isSlug } from './recipe-types.ts';

/** Most characters that are looked at: more than a mail with a whole edited design, read in the time of two frames. */
const LONGEST = 65_536;

export type Paste =
  | {
      readonly kind: 'recipe';
      /** Lines and columns are those of the pasted text (decoded, if it was quoted-printable). */
      readonly source: Source;
      /** Everything around the recipe, without quoting marks. */
      readonly ignored: string;
    }
  | { readonly kind: 'link'; readonly text: string }
  | {
      readonly kind: 'race';
      /** A recipe that is made of the table: `design` is missing where the table has no set-up line. */
      readonly source: Source;
      /** The events alone, for a scenario that the reader has open. */
      readonly schedule: readonly Strike[];
      readonly ignored: string;
    }
  | { readonly kind: 'nothing'; readonly problem: string };

/**
 * Finds what a pasted text holds: the first `scenario SLUG vN` that a statement follows, else a link, else a
 * race table, else a `scenario SLUG vN` with nothing behind it. Never throws; time is linear in the text. The recipe may still have
 * problems: `parse` tells.
 */
export function readPaste(text: string): Paste {
  if (text.length > LONGEST) {
    return { kind: 'nothing', problem: `invalid text: ${text.length} characters (at most ${LONGEST})` };
  }
  const lines = readable(text);
  const heads = findHeads(lines);
  const head = heads.find(({ next }) => isKey(next) && next !== 'scenario');
  if (head) return recipeAt(lines, head);
  const link = findLink(lines);
  if (link) return { kind: 'link', text: link };
  const race = readRaceTable(lines);
  if (race && 'schedule' in race) {
    const source = { page: 'paste', name: 'race-table', line: 1, lines: recipeOfRace(race) };
    const ignored = around(lines.slice(0, race.from), lines.slice(race.to));
    return { kind: 'race', source, schedule: race.schedule, ignored };
  }
  const [lone] = heads;
  if (lone) return recipeAt(lines, lone);
  const problem =
    race?.problem ?? 'missing scenario: neither scenario SLUG vN, nor a link, nor a race table in the text';
  return { kind: 'nothing', problem };
}

/** Lines as a person reads them. Quoting marks become spaces, so that columns stay. */
function readable(text: string): string[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const plain = looksQuotedPrintable(lines) ? decodeQuotedPrintable(lines).join('\n').split(/\r?\n/) : lines;
  return plain.map((line) =>
    line
      .replace(/[\u00a0\u2007\u202f]/g, ' ')
      .replace(/[\u201c\u201d]/g, '"')
      .replace(/^[>\s]+/, (marks) => marks.replaceAll('>', ' ')),
  );
}

/** A `scenario SLUG vN`: its line and column from 0, and the word behind it. */
interface Head {
  readonly line: number;
  readonly column: number;
  readonly next: string;
}

/** All heads, whatever lines their words stand on. */
function findHeads(lines: readonly string[]): Head[] {
  const heads: Head[] = [];
  let words: { text: string; line: number; column: number }[] = [];
  const shift = () => {
    const [key, slug, version, next] = words;
    if (key?.text === 'scenario' && isSlug(slug?.text ?? '') && /^v\d+$/.test(version?.text ?? '')) {
      heads.push({ line: key.line, column: key.column, next: next?.text ?? '' });
    }
    words = words.slice(1);
  };
  for (const [line, text] of lines.entries()) {
    for (const match of text.matchAll(/\S+/g)) {
      words.push({ text: match[0], line, column: match.index });
      if (words.length === 4) shift();
    }
  }
  while (words.length > 0) shift();
  return heads;
}

function recipeAt(lines: readonly string[], { line, column }: Head): Paste {
  const first = ' '.repeat(column) + (lines[line] ?? '').slice(column);
  const rest: Source = {
    page: 'paste',
    name: 'paste',
    line: line + 1,
    lines: [first, ...lines.slice(line + 1)],
  };
  const end = extent(rest);
  const count = end.line - line;
  const own = rest.lines.slice(0, count);
  const last = own.pop() ?? '';
  const after = [last.slice(end.column - 1), ...rest.lines.slice(count)];
  const before = [...lines.slice(0, line), (lines[line] ?? '').slice(0, column)];
  return {
    kind: 'recipe',
    source: { ...rest, lines: [...own, last.slice(0, end.column - 1)] },
    ignored: around(before, after),
  };
}

const around = (...parts: readonly (readonly string[])[]): string =>
  parts
    .map((part) => part.join('\n').trim())
    .filter(Boolean)
    .join('\n');

/**
 * How far a text that starts with a recipe belongs to it: up to the first token that cannot, by line of the
 * page and the column behind the last character. A word that is no key still belongs if a line below it in the
 * same paragraph starts with one, or if it goes on where the line of an edit broke off: that is a slip of the pen or of
 * the mailer, and to leave out the rest would run another scenario. A statement behind an empty line that cannot
 * be read, or that words follow, is the start of prose and ends the recipe: `start here and ...`.
 */
function extent(source: Source): { readonly line: number; readonly column: number } {
  const reader = new Reader(source);
  const draft = newDraft();
  const keyBelow = linesAboveKeys(source.lines);
  head(reader, draft);
  let end = ended(reader);
  while (reader.next && reader.next.text !== 'scenario') {
    const { line, afterBlank } = reader.next;
    if (reader.atKey()) {
      const read = statement(reader, draft);
      if (afterBlank && !(read && closed(reader, keyBelow[line - source.line]))) break;
      if (!read) reader.skip(true);
    } else {
      const torn = reader.last?.kind === 'raw';
      if (afterBlank || !(torn || keyBelow[line - source.line])) break;
      reader.take();
      reader.skip(true);
    }
    end = ended(reader);
  }
  return end;
}

/** Whether a statement is followed by the end, by another one, or by an empty line. */
const closed = (reader: Reader, keyBelow: boolean | undefined): boolean =>
  !reader.next || reader.next.afterBlank || reader.atKey() || keyBelow === true;

const ended = ({ last, place }: Reader): { readonly line: number; readonly column: number } =>
  last ? { line: last.endLine, column: last.endColumn } : place;

/** For each line, whether a later line of its paragraph starts with a key. */
function linesAboveKeys(lines: readonly string[]): boolean[] {
  const above: boolean[] = [];
  let seen = false;
  for (const line of lines.toReversed()) {
    const [word = ''] = /\S+/.exec(line) ?? [];
    seen &&= word !== '';
    above.push(seen);
    seen = word !== 'scenario' && (seen || isKey(word));
  }
  return above.reverse();
}

/**
 * The first `/s/SLUG/vN...` up to white space or a mark that encloses links, without the full stop or bracket
 * of a sentence; or a text that is one fragment.
 */
function findLink(lines: readonly string[]): string | undefined {
  const whole = lines.join('\n').trim();
  if (/^#\S+$/.test(whole)) return whole;
  const found = /\/s\/[a-z0-9][a-z0-9-]*\/v\d[^\s"<>|`]*/.exec(whole)?.[0];
  if (!found) return undefined;
  let end = found.length;
  while (!/[\w#/-]/.test(found.charAt(end - 1))) end--; // a regular expression would be quadratic
  return found.slice(0, end);
}
