/**
 * Unwind hints: what the shape of the stack is at a place of hand-written code, said in the words of the kernel
 * (arch/x86/include/asm/unwind_hints.h of 6.4 and later; `UNWIND_HINT_EMPTY` is the older name of the end of a stack, and
 * `UNWIND_HINT` the general one that the others are made of).
 * They leave no bytes; `unwind/objtool/` makes rows of them. To GNU as they are macros that a kernel brings along.
 */
import type { UnwindHint } from '../image/image.ts';
import type { OrcBase, OrcType } from '../image/orc.ts';
import type { Assembly, Spot } from './assembly.ts';
import { clipped, Mistake } from './clause.ts';
import type { Cursor } from './cursor.ts';

export type Hint = Pick<UnwindHint, 'kind' | 'base' | 'offset' | 'signal'>;

/** Hints without parameters. */
const PLAIN: Readonly<Record<string, Hint['kind']>> = {
  UNWIND_HINT_FUNC: 'func',
  UNWIND_HINT_END_OF_STACK: 'end',
  UNWIND_HINT_EMPTY: 'end',
  UNWIND_HINT_ENTRY: 'end',
  UNWIND_HINT_UNDEFINED: 'undefined',
  UNWIND_HINT_SAVE: 'save',
  UNWIND_HINT_RESTORE: 'restore',
};
/** Parameters of the general hint, and what it may say with them. */
const GENERAL = ['type', 'sp_reg', 'sp_offset'];
const TYPES: Readonly<Record<string, OrcType>> = { UNWIND_HINT_TYPE_CALL: 'call' };
const SP_REGS: Readonly<Record<string, OrcBase>> = { ORC_REG_SP: 'sp', ORC_REG_BP: 'bp' };
export const HINT_NAMES: readonly string[] = [
  'UNWIND_HINT',
  'UNWIND_HINT_REGS',
  'UNWIND_HINT_IRET_REGS',
  ...Object.keys(PLAIN),
];

/** Bytes of the registers below the iret frame in `struct pt_regs`. */
const BELOW_IRET = 128;
/** What a hint may count from, and what it counts from if that is a pointer. */
const BASES: Readonly<Record<string, readonly [base: OrcBase, indirect?: OrcBase]>> = {
  '%rsp': ['sp', 'sp-indirect'],
  '%rbp': ['bp'],
  '%rdi': ['di'],
  '%rdx': ['dx'],
  '%r10': ['r10'],
};
const PARAMETERS = ['base', 'offset', 'indirect', 'extra', 'signal', 'partial'];
/** Those that are told by a word, and not by a number. */
const WORDS = ['base', 'type', 'sp_reg'];

function parametersOf(name: string): readonly string[] {
  if (PLAIN[name]) return [];
  if (name === 'UNWIND_HINT') return GENERAL;
  return name === 'UNWIND_HINT_REGS' ? PARAMETERS : PARAMETERS.filter((key) => key !== 'partial');
}

/** Reads what stands behind a hint's name and notes it at this place of the text. */
export function unwindHint(name: string, assembly: Assembly, cursor: Cursor, spot: Spot): void {
  const start = cursor.at;
  const given = new Map<string, { readonly text: string; readonly at: number }>();
  while (!cursor.done) {
    const { at } = cursor;
    const key = cursor.match(/[a-z_]+(?=\s*=(?!=))/y);
    if (key === undefined) throw new Mistake(`unexpected text: ${clipped(cursor.rest)}`, at);
    if (!parametersOf(name).includes(key)) throw new Mistake(`unknown parameter: ${key} of ${name}`, at);
    cursor.take('=');
    const { at: place } = cursor;
    const text = WORDS.includes(key) ? (cursor.match(/%?\w+/y) ?? '') : String(assembly.number(cursor));
    given.set(key, { at: place, text });
    cursor.take(',');
  }
  assembly.hint(hintOf(name, given, start), spot);
  if (!spot.site.expanded) assembly.row('directive', spot.site.clause.text.slice(spot.at), spot);
}

function hintOf(
  name: string,
  given: ReadonlyMap<string, { readonly text: string; readonly at: number }>,
  start: number,
): Hint {
  const plain = PLAIN[name];
  if (plain) return { kind: plain, base: 'sp', offset: 8, signal: false };
  const number = (key: string, fallback: number): number => Number(given.get(key)?.text ?? fallback);
  if (name === 'UNWIND_HINT') {
    const one = <T>(key: string, known: Readonly<Record<string, T>>): T => {
      const { text = '', at = start } = given.get(key) ?? {};
      const found = known[text];
      if (found === undefined)
        throw new Mistake(`invalid ${key}: ${clipped(text)} (${Object.keys(known).join(', ')})`, at);
      return found;
    };
    const base = one('sp_reg', SP_REGS);
    return { kind: one('type', TYPES), base, offset: number('sp_offset', 0), signal: false };
  }
  const { text = '%rsp', at = start } = given.get('base') ?? {};
  const [base, indirectBase] = BASES[text] ?? [];
  const chosen = number('indirect', 0) === 0 ? base : indirectBase;
  if (chosen === undefined)
    throw new Mistake(
      `invalid base: ${clipped(text)} (${Object.keys(BASES).join(', ')}; indirect: %rsp)`,
      at,
    );
  const offset = number('offset', 0);
  const signal = number('signal', 1) !== 0;
  const partial = name === 'UNWIND_HINT_IRET_REGS' || number('partial', 0) !== 0;
  if (partial) return { kind: 'regs-partial', base: chosen, offset, signal };
  // Of registers whose lower part is not there yet or not there any more, the iret frame still is.
  if (number('extra', 1) === 0)
    return { kind: 'regs-partial', base: chosen, offset: offset + BELOW_IRET, signal };
  return { kind: 'regs', base: chosen, offset, signal };
}
