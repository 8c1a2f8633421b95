/**
 * Constant expressions. Values are 64-bit and signed, comparisons give -1, logical operators 1, and
 * `>>` shifts in zeros, as in GNU as (its manual, section 6.2, and version 2.40 where the manual is silent).
 * Where C and GNU as would group operators differently, parentheses are asked for.
 */
import { clipped, Mistake } from './clause.ts';
import type { Cursor } from './cursor.ts';
import type { AsmSymbol, Definition, Location, Value, View } from './symbol.ts';

export type Expression = { readonly at: number } & (
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly symbol: AsmSymbol }
  | { readonly kind: 'defined'; readonly definition: Definition }
  | { readonly kind: 'here'; readonly location: Location }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
);

/** What names mean where an expression is read. */
export interface Names {
  /** The object of a name, made if new; `1b` and `1f` are resolved to theirs. */
  symbol(name: string, at: number): AsmSymbol;
  here(): Location;
}

/** Binding strength in GNU as and in C; the higher binds first. */
const STRENGTH: Readonly<Record<string, readonly [gnu: number, c: number]>> = {
  '*': [6, 10],
  '/': [6, 10],
  '%': [6, 10],
  '<<': [6, 8],
  '>>': [6, 8],
  '|': [5, 3],
  '&': [5, 5],
  '^': [5, 4],
  '+': [4, 9],
  '-': [4, 9],
  '==': [3, 6],
  '!=': [3, 6],
  '<>': [3, 6],
  '<': [3, 7],
  '<=': [3, 7],
  '>': [3, 7],
  '>=': [3, 7],
  '&&': [2, 2],
  '||': [1, 1],
};
const OPERATOR = /<<|>>|<=|>=|<>|==|!=|&&|\|\||[-+*/%|&^<>]/y;
const NUMBER = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+[bf](?![\w.$])|\d+/y;
const TAIL = /[\w.$]+/y;

/** More would only be a test of the stack. */
const MAX_OPERATORS = 500;
const MAX_DEPTH = 100;
const MAX_EVALUATION_DEPTH = 1000;
/** What a name within a value counts: 100 names deep is enough. */
const DEPTH_OF_NAME = 10;

/** Reads an expression and leaves the cursor behind it. */
export function parseExpression(cursor: Cursor, names: Names, depth = 0): Expression {
  const start = cursor.at;
  if (depth > MAX_DEPTH) throw new Mistake('invalid expression: nested too deeply', start);
  const operands = [primary(cursor, names, depth)];
  const operators: { text: string; at: number }[] = [];
  for (;;) {
    const { at } = cursor;
    const text = cursor.match(OPERATOR);
    if (text === undefined) break;
    if (operators.length === MAX_OPERATORS)
      throw new Mistake(`invalid expression: over ${MAX_OPERATORS} operators`, at);
    operators.push({ text, at });
    operands.push(primary(cursor, names, depth));
  }
  const [first] = operands;
  if (operators.length === 0 && first) return first;
  const order = reductions(operators, 0);
  if (reductions(operators, 1).join() !== order.join()) {
    const text = cursor.text.slice(start, cursor.at).trim();
    throw new Mistake(
      `ambiguous expression: ${clipped(text)} (C and GNU as group it differently, add parentheses)`,
      start,
    );
  }
  return tree(operands, operators, order);
}

/** The operators by index in the order in which they are applied: the tree in postfix form. */
function reductions(operators: readonly { readonly text: string }[], table: 0 | 1): readonly number[] {
  const strength = (n: number): number => STRENGTH[operators[n]?.text ?? '']?.[table] ?? 0;
  const order: number[] = [];
  const waiting: number[] = [];
  operators.forEach((_, n) => {
    for (
      let last = waiting.at(-1);
      last !== undefined && strength(last) >= strength(n);
      last = waiting.at(-1)
    ) {
      order.push(last);
      waiting.pop();
    }
    waiting.push(n);
  });
  return [...order, ...waiting.reverse()];
}

/** Puts the tree together. Each operator joins the two trees that meet at it. */
function tree(
  operands: readonly Expression[],
  operators: readonly { readonly text: string; readonly at: number }[],
  order: readonly number[],
): Expression {
  // ends[n] is the tree that operand n is an end of, and the operand at its other end.
  const ends = operands.map((expression, n) => ({ expression, left: n, right: n }));
  let root = operands[0] as Expression;
  for (const n of order) {
    const a = ends[n],
      b = ends[n + 1],
      operator = operators[n];
    if (!a || !b || !operator) continue;
    root = {
      kind: 'binary',
      at: operator.at,
      operator: operator.text,
      left: a.expression,
      right: b.expression,
    };
    ends[a.left] = ends[b.right] = { expression: root, left: a.left, right: b.right };
  }
  return root;
}

function primary(cursor: Cursor, names: Names, depth: number): Expression {
  const { at } = cursor;
  const number = cursor.match(NUMBER);
  if (number !== undefined) return numberOrLabel(cursor, names, number, at);
  if (cursor.sees("'")) return { kind: 'number', value: cursor.character(), at };
  for (const operator of ['-', '~', '!', '+']) {
    if (!cursor.take(operator)) continue;
    if (depth > MAX_DEPTH) throw new Mistake('invalid expression: nested too deeply', at);
    const operand = primary(cursor, names, depth + 1);
    return { kind: 'unary', operator, operand, at };
  }
  if (cursor.take('(')) {
    const inner = parseExpression(cursor, names, depth + 1);
    if (!cursor.take(')')) throw new Mistake('missing )', cursor.at);
    return inner;
  }
  const name = cursor.name();
  if (name === undefined)
    throw new Mistake(cursor.done ? 'missing expression' : `invalid expression: ${clipped(cursor.rest)}`, at);
  if (name === '.') return { kind: 'here', location: names.here(), at };
  cursor.match(/@plt\b/iy); // what compilers write behind a call's target; it is the function itself here
  const symbol = names.symbol(name, at);
  return symbol.definition
    ? { kind: 'defined', definition: symbol.definition, at }
    : { kind: 'symbol', symbol, at };
}

function numberOrLabel(cursor: Cursor, names: Names, text: string, at: number): Expression {
  if (/^\d+[bf]$/.test(text) && !/^0b[01]/i.test(text))
    return { kind: 'symbol', symbol: names.symbol(text, at), at };
  TAIL.lastIndex = at;
  const whole = TAIL.exec(cursor.text)?.[0] ?? text;
  if (whole !== text || /^0\d*[89]/.test(text)) throw new Mistake(`invalid number: ${clipped(whole)}`, at);
  const value = BigInt(/^0\d/.test(text) ? `0o${text.slice(1)}` : text);
  if (value >> 64n !== 0n) throw new Mistake(`invalid number: ${clipped(text)} (over 64 bits)`, at);
  return { kind: 'number', value: BigInt.asIntN(64, value), at };
}

/**
 * The value of an expression as far as `view` knows it; undefined while it is unknown.
 * Throws a `Mistake` for what can have no value.
 */
export function evaluate(expression: Expression, view: View, depth = 0): Value | undefined {
  const { at } = expression;
  if (depth > MAX_EVALUATION_DEPTH) throw new Mistake('invalid expression: nested too deeply', at);
  switch (expression.kind) {
    case 'number':
      return plain(expression.value);
    case 'here':
      return view.locate(expression.location);
    case 'defined':
      return valueOfDefinition(expression.definition, view, depth, at);
    case 'symbol': {
      const { symbol } = expression;
      if (symbol.label) return view.locate(symbol.label);
      if (symbol.definition) return valueOfDefinition(symbol.definition, view, depth, at);
      if (view.final) throw new Mistake(`unknown symbol: ${shownName(symbol.name)}`, at);
      return undefined;
    }
    case 'unary': {
      const value = evaluate(expression.operand, view, depth + 1);
      if (!value) return undefined;
      if (value.section) {
        if (expression.operator === '+') return value;
        throw new Mistake(`invalid expression: ${expression.operator} of an address`, at);
      }
      return plain(unary(expression.operator, value.number));
    }
    case 'binary': {
      const distance = distanceFromItself(expression);
      if (distance !== undefined && !view.final) return plain(distance);
      const left = evaluate(expression.left, view, depth + 1);
      const right = evaluate(expression.right, view, depth + 1);
      return left && right && binary(expression.operator, left, right, view, at);
    }
  }
}

/** `x+4 - x` is 4 even before anything is known of x. */
function distanceFromItself({
  operator,
  left,
  right,
}: Extract<Expression, { kind: 'binary' }>): bigint | undefined {
  if (operator !== '-') return undefined;
  const [a, b] = [offsetOf(left), offsetOf(right)];
  return a && b && a.symbol === b.symbol ? a.offset - b.offset : undefined;
}

/** A symbol that is not known yet, and what is added to it. */
function offsetOf(
  expression: Expression,
): { readonly symbol: AsmSymbol; readonly offset: bigint } | undefined {
  if (expression.kind === 'symbol') return { symbol: expression.symbol, offset: 0n };
  if (expression.kind !== 'binary' || expression.left.kind !== 'symbol' || expression.right.kind !== 'number')
    return undefined;
  const { operator, left, right } = expression;
  if (operator !== '+' && operator !== '-') return undefined;
  return { symbol: left.symbol, offset: operator === '+' ? right.value : -right.value };
}

/** Evaluates what a name was set to; what is wrong in there is wrong at the name's use. */
function valueOfDefinition(definition: Definition, view: View, depth: number, at: number): Value | undefined {
  const { memo } = definition;
  let value: Value | Mistake | undefined;
  if (memo && memo.view === view && memo.stamp === view.stamp) {
    value = memo.value;
  } else {
    if (definition.busy) throw new Mistake('invalid expression: a symbol is defined by itself', at);
    definition.busy = true;
    try {
      value = evaluate(definition.expression, view, depth + DEPTH_OF_NAME);
    } catch (mistake) {
      if (!(mistake instanceof Mistake)) throw mistake;
      value = mistake;
    } finally {
      definition.busy = false;
    }
    definition.memo = { view, stamp: view.stamp, value };
  }
  if (value instanceof Mistake) throw new Mistake(value.message, at);
  return value;
}

const shownName = (name: string): string => name.replace(/^(\d+):\d+$/, '$1f');

const plain = (number: bigint): Value => ({
  section: undefined,
  anchor: 0,
  number: BigInt.asIntN(64, number),
});

function unary(operator: string, a: bigint): bigint {
  switch (operator) {
    case '-':
      return -a;
    case '~':
      return ~a;
    case '!':
      return a === 0n ? 1n : 0n;
    default:
      return a;
  }
}

const COMPARISONS: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<>': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function binary(operator: string, a: Value, b: Value, view: View, at: number): Value | undefined {
  if (!a.section && !b.section) return plain(arithmetic(operator, a.number, b.number, at));
  if (operator === '+' && !(a.section && b.section)) {
    return { ...(a.section ? a : b), number: BigInt.asIntN(64, a.number + b.number) };
  }
  if (operator === '-' && !b.section) return { ...a, number: BigInt.asIntN(64, a.number - b.number) };
  const compare = COMPARISONS[operator];
  if (a.section && b.section && (operator === '-' || compare)) {
    // Until all lies in its place, only a distance within one run of settled bytes is known.
    if (!view.final && (a.section !== b.section || a.anchor !== b.anchor)) return undefined;
    const [left, right] = [BigInt.asUintN(64, a.number), BigInt.asUintN(64, b.number)];
    return plain(compare ? (compare(left, right) ? -1n : 0n) : a.number - b.number);
  }
  throw new Mistake(`invalid expression: ${operator} of an address`, at);
}

function arithmetic(operator: string, a: bigint, b: bigint, at: number): bigint {
  const compare = COMPARISONS[operator];
  if (compare) return compare(a, b) ? -1n : 0n;
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
    case '%':
      if (b === 0n) throw new Mistake('invalid expression: division by zero', at);
      return operator === '/' ? a / b : a % b;
    case '<<':
      return b < 0n || b > 63n ? 0n : a << b;
    case '>>':
      return b < 0n || b > 63n ? 0n : BigInt.asUintN(64, a) >> b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&&':
      return a !== 0n && b !== 0n ? 1n : 0n;
    default:
      return a !== 0n || b !== 0n ? 1n : 0n;
  }
}
