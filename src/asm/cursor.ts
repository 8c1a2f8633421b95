/** Reads a clause from left to right. */
import { clipped, endOfQuote, Mistake } from './clause.ts';

const NAME = /[A-Za-z_.$][\w.$]*/y;
const BLANK = /\s*/y;
const ESCAPES: Readonly<Record<string, number>> = { b: 8, f: 12, n: 10, r: 13, t: 9 };
const utf8 = new TextEncoder();

export class Cursor {
  readonly text: string;
  at: number;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
    this.skip();
  }

  /** Goes on to what is not blank. */
  skip(): void {
    BLANK.lastIndex = this.at;
    this.at += BLANK.exec(this.text)?.[0].length ?? 0;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  get rest(): string {
    return this.text.slice(this.at);
  }

  sees(what: string): boolean {
    return this.text.startsWith(what, this.at);
  }

  /** Takes `what` and the blanks behind it, if it is next. */
  take(what: string): boolean {
    if (!this.sees(what)) return false;
    this.at += what.length;
    this.skip();
    return true;
  }

  /** Takes what a sticky expression matches, and the blanks behind it. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.at += found.length;
    this.skip();
    return found;
  }

  /** A name: letters, digits, `_`, `.` and `$`; no digit first. */
  name(): string | undefined {
    return this.match(NAME);
  }

  expectName(what: string): string {
    const name = this.name();
    if (name === undefined) throw new Mistake(`missing ${what}`, this.at);
    return name;
  }

  /** Fails unless the clause ends here. */
  end(): void {
    if (!this.done) throw new Mistake(`unexpected text: ${clipped(this.rest)}`, this.at);
  }

  /** Bytes of a string in quotes, its escapes resolved as GNU as does. */
  string(): readonly number[] {
    const start = this.at;
    if (!this.sees('"')) throw new Mistake('missing string', start);
    const end = endOfQuote(this.text, start);
    if (end < start + 2 || this.text[end - 1] !== '"') throw new Mistake('missing "', start);
    const bytes: number[] = [];
    let at = start + 1;
    while (at < end - 1) {
      const next = this.text.indexOf('\\', at);
      const plain = next < 0 || next > end - 1 ? end - 1 : next;
      bytes.push(...utf8.encode(this.text.slice(at, plain)));
      at = plain;
      if (at >= end - 1) break;
      const { byte, length } = escapeAt(this.text, at);
      bytes.push(byte);
      at += length;
    }
    this.at = end;
    this.skip();
    return bytes;
  }

  /** Value of a character constant: `'a'`, `'a`, `'\n'`. */
  character(): bigint {
    const start = this.at;
    const end = endOfQuote(this.text, start);
    const code = this.text.codePointAt(start + 1);
    if (code === undefined || code > 0x7f) throw new Mistake('invalid character constant', start);
    const value = code === 0x5c ? escapeAt(this.text, start + 1).byte : code;
    this.at = end;
    this.skip();
    return BigInt(value);
  }
}

/** The byte that the escape at `at` stands for, and how long it is written. */
function escapeAt(text: string, at: number): { byte: number; length: number } {
  const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (octal) return { byte: Number.parseInt(octal, 8) & 0xff, length: 1 + octal.length };
  const hex = /^x[0-9a-fA-F]+/i.exec(text.slice(at + 1))?.[0];
  if (hex) return { byte: Number.parseInt(hex.slice(-2).replace(/x/i, ''), 16), length: 1 + hex.length };
  const letter = text[at + 1] ?? '';
  const byte =
    ESCAPES[letter] ??
    (letter === '\\' || letter === '"' || letter === "'" ? letter.charCodeAt(0) : undefined);
  if (byte === undefined) throw new Mistake(`unknown escape: \\${clipped(letter) || 'blank'}`, at);
  return { byte, length: 2 };
}
