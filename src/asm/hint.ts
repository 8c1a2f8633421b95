/**
 * Unwind hints: what the shape of the stack is at a place of hand-written code, said in the words of the kernel
 * (arch/x86/include/asm/unwind_hints.h of 6.4 and later; `UNWIND_HINT_EMPTY` is the older name of the end of a stack).
 * They leave no bytes; `unwind/objtool/` makes rows of them. To GNU as they are macros that a kernel brings along.
 */
import type { UnwindHint } from '../image/image.ts';
import type { OrcBase } from '../image/orc.ts';
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
export const HINT_NAMES: readonly string[] = [
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

/** Reads what stands behind a hint's name and notes it at this place of the text. */
export function unwindHint(name: string, assembly: Assembly, cursor: Cursor, spot: Spot): void {
  const start = cursor.at;
  const given = new Map<string, { readonly text: string; readonly at: number }>();
  while (!cursor.done) {
    const { at } = cursor;
    const key = cursor.match(/[a-z]+(?=\s*=(?!=))/y);
    if (key === undefined) throw new Mistake(`unexpected text: ${clipped(cursor.rest)}`, at);
    if (PLAIN[name] || !PARAMETERS.includes(key) || (key === 'partial' && name !== 'UNWIND_HINT_REGS'))
      throw new Mistake(`unknown parameter: ${key} of ${name}`, at);
    cursor.take('=');
    given.set(key, { at: cursor.at, text: key === 'base' ? (cursor.match(/%?\w+/y) ?? '') : '' });
    if (key !== 'base') given.set(key, { at: cursor.at, text: String(assembly.number(cursor)) });
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
