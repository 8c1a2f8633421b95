/** Numbers of the interpreter's cases: what a record's `case` means. */
import type { Shape } from '../../../isa/ops.ts';
import { CASES, type Case } from '../../../isa/table/index.ts';

/** No instruction is decoded here yet, or the record only stands for a place outside its page. */
export const UNRESOLVED = 0;
/** An instruction whose bytes end on the next page. */
export const CROSSING = 1;
/** An instruction whose memory operand has a 32-bit address. */
export const ADDR32 = 2;
/** No instruction: the record of this place lies elsewhere. */
export const LINK = 3;
/** The first number that is an instruction's. */
export const FIRST = 4;

/**
 * What most executed instructions are: these are arms of the one large function, which is compiled as a whole
 * before it is fast; every other case is a function of its own. It changes speed only.
 */
const HOT = new RegExp(
  `^(${[
    '(mov|lea|add|or|and|sub|xor|cmp|test)/(32|64) .*',
    '(mov|cmp|test)/8 .*',
    '(inc|dec|neg|not)/(32|64) r',
    '(inc|dec)/(32|64) m',
    '(shl|shr|sar)/(32|64) r,i8',
    'mov(z[bw]|s[bwl])/(32|64) .*',
    '(push|pop)/64 [rmi]',
    'j[a-z]+ j',
    '(jmp|call)/64 .*',
    'ret/64|leave/64|cltq/64|nop/32|cld|endbr64',
  ].join('|')})$`,
);

const operands = ({ width, a, b, c }: Shape): string =>
  [width, ...[a, b, c].map(({ kind, width: bits }) => (kind === '-' ? '-' : `${kind}${bits}`))].join(' ');

/** Cases that differ only in name are one handler: the first of them is staged. */
const grouped = (): {
  readonly handlers: Case[];
  readonly numbers: Map<string, number>;
  readonly hotHandlers: number;
} => {
  const semantics = new Map<unknown, Map<string, number>>();
  const handlers: Case[] = [];
  const numbers = new Map<string, number>();
  const hot = CASES.filter(({ name }) => HOT.test(name));
  const all = [...hot, ...CASES.filter(({ name }) => !HOT.test(name))];
  let hotHandlers = 0;
  for (const [n, one] of all.entries()) {
    const known = semantics.get(one.semantics) ?? new Map<string, number>();
    semantics.set(one.semantics, known);
    const key = operands(one.shape);
    const number = known.get(key) ?? FIRST + handlers.length;
    if (number === FIRST + handlers.length) handlers.push(one);
    known.set(key, number);
    numbers.set(one.name, number);
    if (n < hot.length) hotHandlers = handlers.length;
  }
  return { handlers, numbers, hotHandlers };
};

const { handlers, numbers, hotHandlers } = grouped();

/** What is staged, in order; the first has the number behind `CROSSING`. */
export const HANDLERS: readonly Case[] = handlers;
/** How many of them, from the first, are arms of the one function. */
export const HOT_HANDLERS = hotHandlers;

/** The numbers of what may stand where ENDBR64 is waited for: `endbr64` and `int3`, which share theirs with nothing. */
export const ENDING_WAIT: readonly number[] = ['endbr64', 'int3'].map(
  (name) => numbers.get(name) ?? UNRESOLVED,
);

/** The number of a shape's handler; undefined for a shape that is not in the table. */
export const caseNumber = (shape: Shape): number | undefined => numbers.get(shape.name);
