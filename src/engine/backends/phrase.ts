/** Expressions as a reader would write them; what the printer computes with instead of numbers. */
import type { ConditionCode } from '../../isa/flags.ts';
import { fieldOf } from './names.ts';

export interface Phrase {
  readonly text: string;
  /** 0 or 1: combined with `and`, `or`, `not`. */
  readonly truth?: boolean;
  /** The opposite of a truth, where it reads better than a `!`. */
  readonly opposite?: string;
  /** A truth at one bit of an image of the flags. */
  readonly flag?: { readonly is: Phrase; readonly bit: number };
  /** A constant as a mask: `~0xf` for -16. */
  readonly mask?: string;
}

/** Without a pair of brackets around the whole. */
export function strip(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let n = 0; n < text.length - 1; n++) {
    if (text[n] === '(') depth++;
    if (text[n] === ')') depth--;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}

/** Small numbers are counts, large ones addresses and masks. */
export function constant(value: bigint): Phrase {
  const signed = BigInt.asIntN(64, value);
  const number = (n: bigint): string => (n < 100n ? `${n}` : `0x${n.toString(16)}`);
  if (signed >= 0n) return { text: number(signed) };
  if (signed > -0x1_0000_0000n) return { text: `-${number(-signed)}`, mask: `~0x${(~signed).toString(16)}` };
  return { text: `0x${BigInt.asUintN(64, value).toString(16)}` };
}

/** Flags of RFLAGS by bit number (SDM vol 1, figure 3-8). */
const FLAG_NAMES = new Map([
  [0, 'CF'],
  [2, 'PF'],
  [4, 'AF'],
  [6, 'ZF'],
  [7, 'SF'],
  [8, 'TF'],
  [9, 'IF'],
  [10, 'DF'],
  [11, 'OF'],
  [14, 'NT'],
  [16, 'RF'],
  [18, 'AC'],
  [19, 'VIF'],
  [20, 'VIP'],
  [21, 'ID'],
]);

/** The flags of a mask, highest first: `NT IOPL TF`. */
export function flagNames(mask: bigint): string {
  const names: string[] = [];
  for (let n = 31; n >= 0; n--) {
    if (((mask >> BigInt(n)) & 1n) === 0n) continue;
    const name = n === 13 ? 'IOPL' : FLAG_NAMES.get(n);
    if (name !== undefined) names.push(name);
  }
  return names.join(' ');
}

/** Whether a value holds flags where RFLAGS has them. */
export const isFlags = (text: string): boolean => /^(RFLAGS′*|flags_before|image)$/.test(text);

/** A bit field; of what the manual names the bits of, by its name. */
export function field(of: string, low: number, count: number): string {
  if (isFlags(of)) {
    if (low === 12 && count === 2) return `${of}.IOPL`;
    const name = count === 1 ? FLAG_NAMES.get(low) : undefined;
    if (name !== undefined) return `${of}.${name}`;
  }
  const name = fieldOf(of, low, count);
  if (name !== undefined) return `${of}.${name}`;
  return count === 1 ? `${of}[${low}]` : `${of}[${low + count - 1}:${low}]`;
}

export const of = (text: string): Phrase => ({ text });
export const truth = (text: string, opposite = `not ${text}`): Phrase => ({ text, truth: true, opposite });

/** A value used as a condition. */
export const asTruth = (a: Phrase): Phrase => (a.truth ? a : truth(`(${a.text} != 0)`, `(${a.text} == 0)`));

/** What two operands make where it needs no operator; undefined otherwise. */
export function simplified(a: Phrase, op: string, b: Phrase): Phrase | undefined {
  if (b.text === '0' && (op === '+' || op === '-' || op === '|' || op === '<<' || op === '>>')) return a;
  if (a.text === '0' && (op === '+' || op === '|')) return b;
  if (a.text === '0' && (op === '&' || op === '<<' || op === '>>')) return a;
  if (a.text === '1' && op === '&' && b.truth) return b;
  // A mask as wide as the field it is put on.
  const [, high = '', low = ''] = (op === '&' && /\[(\d+):(\d+)\]$/.exec(a.text)) || [];
  if (high !== '' && b.text === constant((1n << BigInt(Number(high) - Number(low) + 1)) - 1n).text) return a;
  return undefined;
}

/** What a reader understands without knowing how it is computed is printed as one phrase. */
const CONDITION_TEXT: Readonly<Record<ConditionCode, string>> = {
  o: 'OF',
  no: 'not OF',
  b: 'CF',
  ae: 'not CF',
  e: 'ZF',
  ne: 'not ZF',
  be: '(CF or ZF)',
  a: 'not (CF or ZF)',
  s: 'SF',
  ns: 'not SF',
  p: 'PF',
  np: 'not PF',
  l: '(SF != OF)',
  ge: '(SF == OF)',
  le: '(ZF or (SF != OF))',
  g: 'not (ZF or (SF != OF))',
};

/** A condition on the flags; with primes if an instruction has written them before. */
export function conditionPhrase(code: ConditionCode, written: boolean): Phrase {
  const text = CONDITION_TEXT[code];
  return truth(written ? text.replace(/[OCZSP]F/g, '$&′') : text);
}
