/** A cursor over tokens that reports what it misses. */
import type { Problem, Source } from '../asm/source.ts';
import type { Place } from '../image/image.ts';
import { Lexer, placeOf, shown, type Token } from './recipe-tokens.ts';
import { isKey } from './recipe-types.ts';

export interface Found {
  readonly text: string;
  readonly place: Place;
}

/** Reads a statement's values. Each method returns undefined after reporting one problem. */
export class Reader {
  readonly problems: Problem[] = [];
  readonly #lexer: Lexer;
  readonly #start: Place;
  #next: Token | undefined;
  #last: Token | undefined;

  constructor(source: Source) {
    this.#lexer = new Lexer(source, this.problems);
    this.#start = { page: source.page, line: source.line, column: 1 };
    this.#next = this.#lexer.next();
  }

  /** The token to come. */
  get next(): Token | undefined {
    return this.#next;
  }

  /** The token taken last. */
  get last(): Token | undefined {
    return this.#last;
  }

  /** Where the last token stands, or the text starts. */
  get place(): Place {
    return this.#last ? placeOf(this.#last) : this.#start;
  }

  take(): Token | undefined {
    this.#last = this.#next ?? this.#last;
    const taken = this.#next;
    this.#next = this.#lexer.next();
    return taken;
  }

  problem(message: string, place: Place = this.place): undefined {
    this.problems.push({ ...placeOf(place), message });
    return undefined;
  }

  /** Whether a statement starts here. */
  atKey(): boolean {
    return this.#next?.kind === 'word' && isKey(this.#next.text);
  }

  /** Takes the word if it comes next. */
  optional(word: string): boolean {
    if (this.#next?.kind !== 'word' || this.#next.text !== word) return false;
    this.take();
    return true;
  }

  /** Takes the comma if it comes next. */
  comma(): boolean {
    return this.#next?.kind === 'comma' && this.take() !== undefined;
  }

  /** Takes the next word, which is not a key. */
  word(thing: string): Found | undefined {
    const token = this.#next;
    if (!token || token.kind === 'raw' || token.kind === 'comma' || this.atKey()) {
      return this.problem(`missing ${thing}`);
    }
    if (token.kind === 'text') {
      if (token.bad) return this.#taken();
      return this.problem(`invalid ${thing}: "${shown(token.text)}"`, token);
    }
    return this.#taken();
  }

  /** A word that `fits`, else `invalid thing: word`. */
  fitting(thing: string, fits: (word: string) => boolean): Found | undefined {
    const bad = this.#next?.bad;
    const found = this.word(thing);
    if (!found || bad || fits(found.text)) return found;
    return this.problem(`invalid ${thing}: ${shown(found.text)}`, found.place);
  }

  /** A word of a closed list, else `unknown thing: word (list)`. */
  oneOf<T extends string>(thing: string, list: readonly T[]): { text: T; place: Place } | undefined {
    const bad = this.#next?.bad;
    const found = this.word(thing);
    if (!found || bad) return undefined;
    const text = list.find((word) => word === found.text);
    if (text !== undefined) return { text, place: found.place };
    return this.problem(`unknown ${thing}: ${shown(found.text)} (${list.join(', ')})`, found.place);
  }

  /** A text in double quotes. */
  text(thing: string): Found | undefined {
    const token = this.#next;
    if (token?.kind === 'text') return this.#taken();
    if (token?.kind !== 'word' || this.atKey()) return this.problem(`missing ${thing}`);
    return this.problem(`invalid ${thing}: ${shown(token.text)} (it stands in double quotes)`, token);
  }

  #taken(): Found | undefined {
    const token = this.take();
    return token && { text: token.text, place: placeOf(token) };
  }

  /**
   * Goes on to the next statement after a mistake: the next key (`at cursor` is none), or the next word that
   * starts a line, so that a misspelt key is reported too. Stops before an empty line if asked to.
   */
  skip(stopAtBlank = false): void {
    while (this.#next && !this.atKey() && !(stopAtBlank && this.#next.afterBlank)) {
      if (this.#next.fresh && this.#next.kind === 'word') return;
      const at = this.take();
      if (at?.kind === 'word' && at.text === 'at' && this.#next?.text === 'cursor') this.take();
    }
  }
}
