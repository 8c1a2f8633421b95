/** AT&T operands: text to a tree, and the tree with values put in for the encoder. */
import { clipped, Mistake } from './clause.ts';
import type { Cursor } from './cursor.ts';
import { type Expression, type Names, parseExpression } from './expression.ts';

export type Operand = { readonly at: number } & (
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'immediate'; readonly value: Expression }
  | {
      readonly kind: 'memory';
      readonly segment: 'fs' | 'gs' | undefined;
      readonly base: string | undefined;
      readonly index: string | undefined;
      readonly scale: 1 | 2 | 4 | 8;
      readonly displacement: Expression | undefined;
      /** Nothing but an expression: the target, where the instruction is a branch. */
      readonly bare: boolean;
    }
  | { readonly kind: 'indirect'; readonly operand: Operand }
);

const REGISTER = /%\s*([A-Za-z][\w]*)(\(\d\))?/y;
const SCALE = /\d+/y;
/** No instruction has more. */
const MAX_OPERANDS = 4;

/** All operands up to the end of the clause. */
export function parseOperands(cursor: Cursor, names: Names): readonly Operand[] {
  const operands: Operand[] = [];
  if (cursor.done) return operands;
  do {
    if (operands.length === MAX_OPERANDS) throw new Mistake('too many operands', cursor.at);
    operands.push(operand(cursor, names));
  } while (cursor.take(','));
  cursor.end();
  return operands;
}

function operand(cursor: Cursor, names: Names): Operand {
  const { at } = cursor;
  if (cursor.done || cursor.sees(',')) throw new Mistake('missing operand', at);
  if (cursor.take('*')) {
    if (cursor.sees('*')) throw new Mistake(`invalid operand: ${clipped(cursor.rest)}`, cursor.at);
    return { kind: 'indirect', operand: operand(cursor, names), at };
  }
  if (cursor.take('$')) return { kind: 'immediate', value: parseExpression(cursor, names), at };
  const name = register(cursor);
  if (name === undefined) return memory(cursor, names, undefined, at);
  if (!cursor.take(':')) return { kind: 'register', name, at };
  if (name !== 'fs' && name !== 'gs') {
    throw new Mistake(`invalid segment: %${name} (only %fs and %gs have a base in 64-bit mode)`, at);
  }
  return memory(cursor, names, name, at);
}

function register(cursor: Cursor): string | undefined {
  if (!cursor.sees('%')) return undefined;
  const { at } = cursor;
  const text = cursor.match(REGISTER);
  if (text === undefined) throw new Mistake('missing register after %', at);
  return text.slice(1).trim().toLowerCase();
}

/** `disp(base,index,scale)` with any part left out. */
function memory(cursor: Cursor, names: Names, segment: 'fs' | 'gs' | undefined, at: number): Operand {
  const none = { segment, base: undefined, index: undefined, scale: 1, at } as const;
  const displacement = /^\(\s*[%,]/.test(cursor.rest) ? undefined : parseExpression(cursor, names);
  if (!cursor.take('(')) {
    return { kind: 'memory', ...none, displacement, bare: segment === undefined };
  }
  const base = register(cursor);
  let index: string | undefined;
  let scale: 1 | 2 | 4 | 8 = 1;
  if (cursor.take(',')) {
    const place = cursor.at;
    index = register(cursor);
    if (index === undefined && base === undefined) throw new Mistake('missing register', place);
    if (cursor.take(',')) scale = parseScale(cursor);
  } else if (base === undefined) {
    throw new Mistake('missing register', cursor.at);
  }
  if (!cursor.take(')')) throw new Mistake('missing )', cursor.at);
  return { kind: 'memory', segment, base, index, scale, displacement, bare: false, at };
}

function parseScale(cursor: Cursor): 1 | 2 | 4 | 8 {
  const { at } = cursor;
  const text = cursor.match(SCALE);
  const scale = ([1, 2, 4, 8] as const).find((one) => String(one) === text);
  if (!scale)
    throw new Mistake(text === undefined ? 'missing scale' : `invalid scale: ${text} (1, 2, 4 or 8)`, at);
  return scale;
}
