/** `.if` and its kin. */
import { Mistake, type Site } from './clause.ts';
import type { Cursor } from './cursor.ts';
import type { Listener } from './listener.ts';

/** An open condition: whether its clauses are read now, may be read in a later branch, or no more. */
export interface Condition {
  readonly site: Site;
  readonly at: number;
  state: 'taken' | 'waiting' | 'over';
  sawElse: boolean;
}

interface Use {
  readonly cursor: Cursor;
  readonly site: Site;
  readonly at: number;
  /** Conditions open where the macro or source began: not for this one to end. */
  readonly floor: number;
  readonly listener: Listener;
}

type Directive = (open: Condition[], use: Use, name: string) => void;

const number = ({ cursor, listener }: Use): bigint => {
  const value = listener.number(cursor);
  cursor.end();
  return value;
};
const defined = ({ cursor, listener }: Use): boolean => {
  const known = listener.defined(cursor.expectName('name of a symbol'));
  cursor.end();
  return known;
};
/** `.ifc a, b`: texts without the blanks around them; quotes stand for themselves. */
const sameText = ({ cursor }: Use): boolean => {
  const [first = '', ...others] = cursor.rest.split(',');
  return first.trim() === others.join(',').trim();
};

/** How each opening directive decides. */
const TESTS: Readonly<Record<string, (use: Use) => boolean>> = {
  '.if': (use) => number(use) !== 0n,
  '.ifne': (use) => number(use) !== 0n,
  '.ifeq': (use) => number(use) === 0n,
  '.ifgt': (use) => number(use) > 0n,
  '.ifge': (use) => number(use) >= 0n,
  '.iflt': (use) => number(use) < 0n,
  '.ifle': (use) => number(use) <= 0n,
  '.ifdef': defined,
  '.ifndef': (use) => !defined(use),
  '.ifnotdef': (use) => !defined(use),
  '.ifb': ({ cursor }) => cursor.done,
  '.ifnb': ({ cursor }) => !cursor.done,
  '.ifc': sameText,
  '.ifnc': (use) => !sameText(use),
};

const open: Directive = (conditions, use, name) => {
  const condition: Condition = { site: use.site, at: use.at, state: 'over', sawElse: false };
  const reading = conditions.every((one) => one.state === 'taken');
  // First on the list, then decided: its .endif has to find it even if the test makes no sense.
  conditions.push(condition);
  if (reading) condition.state = TESTS[name]?.(use) ? 'taken' : 'waiting';
};

const innermost = (conditions: readonly Condition[], { at, floor }: Use, name: string): Condition => {
  const last = conditions.at(-1);
  if (!last || conditions.length <= floor) throw new Mistake(`${name} without .if`, at);
  return last;
};

const otherwise: Directive = (conditions, use, name) => {
  const condition = innermost(conditions, use, name);
  if (condition.sawElse) throw new Mistake(`${name} after .else`, use.at);
  if (name === '.else') condition.sawElse = true;
  if (condition.state !== 'waiting') condition.state = 'over';
  else if (name === '.else' || number(use) !== 0n) condition.state = 'taken';
};

const close: Directive = (conditions, use, name) => {
  innermost(conditions, use, name);
  conditions.pop();
};

/** By name, what changes the list of open conditions. */
export const conditions: ReadonlyMap<string, Directive> = new Map([
  ...Object.keys(TESTS).map((name) => [name, open] as const),
  ['.elseif', otherwise],
  ['.else', otherwise],
  ['.endif', close],
]);
