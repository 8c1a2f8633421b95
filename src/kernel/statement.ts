/** The form of what a mark declares: a word, then what belongs to it, then pairs of a key and its values. */
import type { Mark } from '../asm/clause.ts';
import type { Problem } from '../asm/source.ts';
import type { Place } from '../image/image.ts';

export interface WordAt {
  readonly text: string;
  readonly place: Place;
}

/** What a key takes: nothing, one value, or all that follow. */
type Arity = 'flag' | 'one' | 'many';

export interface Form {
  /** What belongs to the word, for messages: `VECTOR`, `LABEL`. With dots: one or more of them. */
  readonly takes: readonly string[];
  readonly keys: Readonly<Record<string, Arity>>;
  readonly needs?: readonly string[];
}

/** A declaration as it was read, its words not yet looked at. */
export interface Statement {
  readonly word: string;
  readonly place: Place;
  readonly values: readonly WordAt[];
  readonly keys: ReadonlyMap<string, readonly WordAt[]>;
}

/** What is wrong with one word; thrown to the reader of the marks and nowhere beyond. */
export class Wrong extends Error {
  readonly place: Place;
  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

export const problemOf = (wrong: Wrong): Problem => ({ ...wrong.place, message: wrong.message });

/** The words of a mark with their places; commas are spaces. */
export function wordsOf({ text, page, line, textColumn }: Mark): readonly WordAt[] {
  return [...text.matchAll(/[^\s,]+/g)].map(({ 0: word, index }) => ({
    text: word,
    place: { page, line, column: textColumn + index },
  }));
}

/** Reads a mark by the form of its first word. Throws `Wrong`. */
export function readStatement(mark: Mark, forms: Readonly<Record<string, Form>>): Statement {
  const { page, line, column } = mark;
  const [head, ...rest] = wordsOf(mark);
  if (!head) throw new Wrong('missing word: #: declares something', { page, line, column });
  const form = Object.hasOwn(forms, head.text) ? forms[head.text] : undefined;
  if (!form)
    throw new Wrong(
      `unknown word: ${head.text} (there is ${[...Object.keys(forms), 'safeguard', 'without', 'about'].join(', ')})`,
      head.place,
    );
  if (mark.behindCode) throw new Wrong(`invalid mark: ${head.text} stands on a line of its own`, head.place);
  const usage = `write ${usageOf(head.text, form)}`;
  const isKey = (word: WordAt): boolean => Object.hasOwn(form.keys, word.text);
  const first = rest.findIndex(isKey);
  const values = first < 0 ? rest : rest.slice(0, first);
  const many = form.takes.at(-1)?.endsWith('...') ?? false;
  if (values.length < form.takes.length || (!many && values.length > form.takes.length))
    throw new Wrong(`invalid ${head.text}: ${usage}`, (values[form.takes.length] ?? head).place);

  const keys = new Map<string, WordAt[]>();
  for (let n = values.length; n < rest.length; ) {
    const key = rest[n++] as WordAt;
    const arity = form.keys[key.text];
    if (arity === undefined) throw new Wrong(`unknown word: ${key.text} (${usage})`, key.place);
    if (keys.has(key.text)) throw new Wrong(`duplicate ${key.text}`, key.place);
    const end =
      arity === 'flag' ? n : arity === 'one' ? n + 1 : rest.findIndex((one, i) => i >= n && isKey(one));
    const given = rest.slice(n, end < 0 ? rest.length : end);
    if (arity !== 'flag' && given.length === 0)
      throw new Wrong(`missing value: ${key.text} (${usage})`, key.place);
    keys.set(key.text, given);
    n += given.length;
  }
  for (const key of form.needs ?? [])
    if (!keys.has(key)) throw new Wrong(`missing ${key}: ${usage}`, head.place);
  return { word: head.text, place: head.place, values, keys };
}

function usageOf(word: string, { takes, keys, needs = [] }: Form): string {
  const pairs = Object.entries(keys).map(([key, arity]) => {
    const text = arity === 'flag' ? key : `${key} ${arity === 'one' ? 'X' : 'X...'}`;
    return needs.includes(key) ? text : `[${text}]`;
  });
  return [word, ...takes, ...pairs].join(' ');
}

/** A word as a number: decimal, or hexadecimal with 0x. Throws `Wrong`. */
export function numberOf({ text, place }: WordAt, low: number, high: number): number {
  const value = /^-?(\d+|0x[\da-f]+)$/i.test(text)
    ? Number(text.replace('-', '')) * (text.startsWith('-') ? -1 : 1)
    : Number.NaN;
  if (!(value >= low && value <= high)) throw new Wrong(`invalid number: ${text} (${low} to ${high})`, place);
  return value;
}
