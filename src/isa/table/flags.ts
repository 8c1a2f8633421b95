/** What rows say about flags: `effects(writes, undefined, reads)`. */
import type { ConditionCode } from '../flags.ts';
import { effects } from '../notation.ts';

export const NO_FLAGS = effects();
export const ARITHMETIC = effects('OSZAPC');
export const WITH_CARRY = effects('OSZAPC', '', 'C');
export const KEEP_CARRY = effects('OSZAP');
export const LOGIC = effects('OSZPC', 'A');

/** Conditions in encoding order, and the flags each one tests (SDM vol 1, appendix B). */
export const CONDITIONS: readonly (readonly [code: ConditionCode, tests: string])[] = [
  ['o', 'O'],
  ['no', 'O'],
  ['b', 'C'],
  ['ae', 'C'],
  ['e', 'Z'],
  ['ne', 'Z'],
  ['be', 'ZC'],
  ['a', 'ZC'],
  ['s', 'S'],
  ['ns', 'S'],
  ['p', 'P'],
  ['np', 'P'],
  ['l', 'OS'],
  ['ge', 'OS'],
  ['le', 'OSZ'],
  ['g', 'OSZ'],
];

/** An opcode byte as two digits: `plus(0x70, 4)` is `74`. */
export const plus = (base: number, n: number): string => (base + n).toString(16).toUpperCase();
