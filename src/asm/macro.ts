/** Macros: their parameters, what a use gives them, and the clauses with the arguments put in. */
import { type Clause, clipped, endOfQuote, Mistake, placeOf } from './clause.ts';
import type { Cursor } from './cursor.ts';

interface Parameter {
  readonly name: string;
  readonly fallback: string;
  readonly required: boolean;
  readonly vararg: boolean;
}

export interface Macro {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Clause[];
}

/** Characters a line may have, arguments put in. */
export const MAX_LINE = 4096;
export const tooLong = `invalid line: over ${MAX_LINE} characters`;

/** `a, b=default, c:req, d:vararg`, with commas or blanks between. */
export function parseParameters(cursor: Cursor): readonly Parameter[] {
  const parameters: Parameter[] = [];
  while (!cursor.done) {
    const { at } = cursor;
    const name = cursor.match(/[A-Za-z_$][\w$]*/y);
    if (name === undefined) throw new Mistake(`invalid parameter: ${clipped(cursor.rest)}`, at);
    if (parameters.some((one) => one.name === name)) throw new Mistake(`duplicate parameter: ${name}`, at);
    if (parameters.at(-1)?.vararg)
      throw new Mistake(`invalid parameter: ${name} (nothing follows a vararg)`, at);
    const kind = cursor.take(':') ? (cursor.name() ?? '') : undefined;
    if (kind !== undefined && kind !== 'req' && kind !== 'vararg') {
      throw new Mistake(`invalid parameter: ${name}:${kind} (req or vararg)`, at);
    }
    const fallback = cursor.take('=') ? argument(cursor) : '';
    parameters.push({ name, fallback, required: kind === 'req', vararg: kind === 'vararg' });
    cursor.take(',');
  }
  return parameters;
}

/** Text by parameter, from what follows the macro's name. */
export function parseArguments(
  { name, parameters }: Macro,
  cursor: Cursor,
  start: number,
): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  let next = 0;
  let named = false;
  while (!cursor.done) {
    const { at } = cursor;
    const key = cursor.match(/[A-Za-z_$][\w$]*(?=\s*=(?!=))/y);
    if (key !== undefined) {
      cursor.take('=');
      const parameter = parameters.find((one) => one.name === key);
      if (!parameter) throw new Mistake(`unknown parameter: ${key} of macro ${name}`, at);
      given.set(key, parameter.vararg ? text(cursor, false) : argument(cursor));
      named = true;
    } else {
      const parameter = parameters[next++];
      if (named) throw new Mistake('invalid argument: one without a name follows one with a name', at);
      if (!parameter) throw new Mistake(`too many arguments: macro ${name} takes ${parameters.length}`, at);
      given.set(parameter.name, parameter.vararg ? text(cursor, false) : argument(cursor));
    }
    cursor.take(',');
  }
  for (const { name: key, fallback, required } of parameters) {
    if ((given.get(key) ?? '') !== '') continue;
    if (required) throw new Mistake(`missing argument: ${key} of macro ${name}`, start);
    given.set(key, fallback);
  }
  return given;
}

/** The values behind `.irp name,`. */
export function parseList(cursor: Cursor): readonly string[] {
  const values: string[] = [];
  while (!cursor.done) {
    values.push(argument(cursor));
    cursor.take(',');
  }
  return values.length === 0 ? [''] : values;
}

/** Blanks between two of these part arguments; all others are dropped (GNU as: `extra_symbol_chars` of tc-i386.c). */
const BEFORE_BLANK = /[\w.$*%([-]/;
const AFTER_BLANK = /[\w.$*%([\\"-]/;

/** One argument: to a comma, or a blank that parts; blanks within parentheses do not part, commas do. */
function argument(cursor: Cursor): string {
  return cursor.sees('"') ? quoted(cursor) : text(cursor, true);
}

/** Text without the blanks that do not count: to the end of an argument, or all that is left. */
function text(cursor: Cursor, ends: boolean): string {
  const whole = cursor.text;
  let value = '';
  let depth = 0;
  while (cursor.at < whole.length) {
    const c = whole[cursor.at] ?? '';
    if (c === ',' && ends) break;
    if (c === '(') depth++;
    if (c === ')') depth = Math.max(0, depth - 1);
    if (/\s/.test(c)) {
      cursor.skip();
      const parts = BEFORE_BLANK.test(value.at(-1) ?? '') && AFTER_BLANK.test(whole[cursor.at] ?? '');
      if (parts && depth === 0 && ends) break;
      if (parts) value += ' ';
      continue;
    }
    const end = c === '"' || c === "'" ? endOfQuote(whole, cursor.at) : cursor.at + 1;
    value += whole.slice(cursor.at, end);
    cursor.at = end;
  }
  cursor.skip();
  return value;
}

function quoted(cursor: Cursor): string {
  const start = cursor.at;
  const end = endOfQuote(cursor.text, start);
  if (end < start + 2 || cursor.text[end - 1] !== '"') throw new Mistake('missing "', start);
  cursor.at = end;
  cursor.skip();
  return cursor.text.slice(start + 1, end - 1);
}

const REFERENCE = /\\(?:\(\)|@|([A-Za-z_$][\w$]*))/g;

/**
 * A clause of the body with `\name`, `\@` (the number of this use) and `\()` (nothing) put in. An unknown name stays.
 * Every character of an argument stands where the body names it.
 */
export function substitute(clause: Clause, values: ReadonlyMap<string, string>, count: number): Clause {
  if (!clause.text.includes('\\') && !clause.lineComment.includes('\\')) return clause;
  const value = (whole: string, name: string | undefined): string | undefined => {
    if (whole === '\\()') return '';
    if (whole === '\\@') return String(count);
    return name === undefined ? undefined : values.get(name);
  };
  let text = '';
  const pieces: { at: number; column: number; fixed: boolean }[] = [];
  const copy = (from: number, to: number): void => {
    // The pieces of the stretch that is kept, moved to where it comes to lie.
    const first = clause.pieces.findLast((one) => one.at <= from);
    pieces.push({ at: text.length, column: placeOf(clause, from).column, fixed: first?.fixed ?? false });
    for (const one of clause.pieces) {
      if (one.at > from && one.at < to) pieces.push({ ...one, at: text.length + one.at - from });
    }
    text += clause.text.slice(from, to);
  };
  let at = 0;
  for (const { 0: whole, 1: name, index } of clause.text.matchAll(REFERENCE)) {
    const put = value(whole, name);
    if (put === undefined) continue;
    copy(at, index);
    if (text.length + put.length > MAX_LINE) throw new Mistake(tooLong, index);
    pieces.push({ at: text.length, column: placeOf(clause, index).column, fixed: true });
    text += put;
    at = index + whole.length;
  }
  copy(at, clause.text.length);
  const inComment = (comment: string): string =>
    comment.replace(REFERENCE, (whole: string, name: string | undefined) => value(whole, name) ?? whole);
  return {
    ...clause,
    text,
    pieces,
    comment: inComment(clause.comment),
    lineComment: inComment(clause.lineComment),
  };
}
