/** Text into tokens. A line break is a space like any other, but for lines that start with `|`. */
import type { Problem, Source } from '../asm/source.ts';
import type { Place } from '../image/image.ts';

/** Widest text, its quotes included: with its key it fills 72 columns. */
export const TEXT_COLUMNS = 64;

export interface Token extends Place {
  readonly kind: 'word' | 'text' | 'comma' | 'raw';
  /** The word; a text without quotes, its white space single; a raw line behind its bar. */
  readonly text: string;
  /** Where it ends: line of the page, and the column behind its last character. */
  readonly endLine: number;
  readonly endColumn: number;
  /** Whether it is the first of its line, and whether an empty line stands before it. */
  readonly fresh: boolean;
  readonly afterBlank: boolean;
  /** A problem has been reported; whoever expects something else need not repeat it. */
  readonly bad: boolean;
}

const isSpace = (char: string | undefined): boolean =>
  char === ' ' || char === '\t' || char === '\r' || char === '\n';

const codePoint = (char: string): string =>
  `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** A value for a sentence: never longer than a line, nothing that cannot be seen. */
export function shown(text: string): string {
  const seen = text.slice(0, 41).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, codePoint);
  return seen.length > 40 ? `${seen.slice(0, 37)}...` : seen;
}

/**
 * A line of an edit in the one form that survives mail: tabs become spaces up to the next multiple of eight,
 * trailing white space goes, a character outside printable ASCII becomes `?`.
 */
export function rawLine(line: string): string {
  let text = '';
  for (const char of line.trimEnd()) {
    if (char === '\t') text += ' '.repeat(8 - (text.length % 8));
    else text += char >= ' ' && char <= '~' ? char : '?';
  }
  return text.trimEnd();
}

/** Why a character cannot stand in a recipe, or undefined. */
function refusal(char: string, inCode: boolean): string | undefined {
  if (char < ' ' || char > '~') {
    if (inCode && char === '\t') return undefined;
    return `invalid character: ${codePoint(char)} (a recipe is plain ASCII)`;
  }
  if (inCode) return undefined;
  if (char === '@') return 'invalid character: @ (mail archives mask it)';
  if (char === '=') return 'invalid character: = (quoted-printable eats it)';
  return undefined;
}

/** Reads one token after the other. Never throws; every character is looked at a bounded number of times. */
export class Lexer {
  readonly problems: Problem[];
  readonly #source: Source;
  #line = 0;
  #column = 0;
  #fresh = true;

  constructor(source: Source, problems: Problem[]) {
    this.#source = source;
    this.problems = problems;
  }

  /** The next token, or undefined at the end. */
  next(): Token | undefined {
    const afterBlank = this.#skipSpace();
    const text = this.#source.lines[this.#line];
    if (text === undefined) return undefined;
    const char = text[this.#column];
    const start = { fresh: this.#fresh, afterBlank, ...this.#place() };
    this.#fresh = false;
    if (char === '"') return this.#text(start, text);
    if (char === ',') return this.#end(start, 'comma', ',', this.#column + 1);
    if (char === '|' && start.fresh) {
      const line = text.slice(this.#column + 1).trimEnd();
      const bad = this.#check(line, this.#line, this.#column + 1, true);
      return this.#end(start, 'raw', rawLine(line), text.length, bad);
    }
    let end = this.#column;
    while (end < text.length && !isSpace(text[end]) && text[end] !== ',') end++;
    const word = text.slice(this.#column, end);
    const bad = this.#check(word, this.#line, this.#column, false);
    return this.#end(start, 'word', word, end, bad);
  }

  #skipSpace(): boolean {
    const { lines } = this.#source;
    let blank = false;
    for (; this.#line < lines.length; this.#line++, this.#column = 0, this.#fresh = true) {
      const text = lines[this.#line] ?? '';
      while (isSpace(text[this.#column])) this.#column++;
      if (this.#column < text.length) break;
      blank ||= this.#fresh;
    }
    return blank;
  }

  #place(): Place {
    return { page: this.#source.page, line: this.#source.line + this.#line, column: this.#column + 1 };
  }

  #end(start: Start, kind: Token['kind'], text: string, column: number, bad = false): Token {
    this.#column = column;
    return { ...start, kind, text, endLine: this.#source.line + this.#line, endColumn: column + 1, bad };
  }

  /** A text ends at its quote, some lines below if need be, but never behind an empty line. */
  #text(start: Start, first: string): Token {
    const { lines } = this.#source;
    const pieces: string[] = [];
    let bad = false;
    let from = this.#column + 1;
    for (let line = this.#line; ; line++, from = 0) {
      const text = lines[line];
      const end = text?.indexOf('"', from) ?? -1;
      const after = text?.[end + 1];
      const lost = text === undefined || (line > this.#line && !text.trim());
      if (
        lost ||
        (end >= 0 && line > this.#line && after !== undefined && !isSpace(after) && after !== ',')
      ) {
        this.problems.push({ ...placeOf(start), message: 'missing end of text: "' });
        return this.#end(start, 'text', first.slice(this.#column + 1).trim(), first.length, true);
      }
      const piece = text.slice(from, end < 0 ? undefined : end).replaceAll('\r', ' ');
      pieces.push(piece);
      if (end < 0) continue;
      for (const [i, part] of pieces.entries()) {
        bad = this.#check(part, this.#line + i, i ? 0 : this.#column + 1, false) || bad;
      }
      this.#line = line;
      const content = pieces.join(' ').split(/\s+/).filter(Boolean).join(' ');
      bad = this.#checkText(start, content) || bad;
      return this.#end(start, 'text', content, end + 1, bad);
    }
  }

  #checkText(start: Start, content: string): boolean {
    const refuse = (message: string) => this.problems.push({ ...placeOf(start), message }) > 0;
    if (!content) return refuse('invalid text: empty');
    if (content.length + 2 > TEXT_COLUMNS) {
      return refuse(`invalid text: ${content.length + 2} columns with its quotes (at most ${TEXT_COLUMNS})`);
    }
    if (/(?:^| )>/.test(content)) return refuse('invalid text: a word starts with > (quoting would eat it)');
    return false;
  }

  /** Reports the first character that cannot stand here. */
  #check(text: string, line: number, column: number, inCode: boolean): boolean {
    let at = column + 1;
    for (const char of text) {
      const message = !inCode && isSpace(char) ? undefined : refusal(char, inCode);
      if (message) {
        this.problems.push({
          page: this.#source.page,
          line: this.#source.line + line,
          column: at,
          message,
        });
        return true;
      }
      at += char.length;
    }
    return false;
  }
}

type Start = Place & Pick<Token, 'fresh' | 'afterBlank'>;

/** The place of a token, nothing else. */
export const placeOf = ({ page, line, column }: Place): Place => ({ page, line, column });
