/** What is said in the same words everywhere: records, judgements, values. */
import type { Author, Frame, Group, Step, Word } from '../../scenario/timeline.ts';
import type { Judgement } from '../../unwind/view.ts';

/** Name of a group over its rows: of a record, the one that the design gives it. */
export function groupName(group: Group, words: readonly Word[]): string {
  if (group === 'regs') return 'pt_regs';
  if (group === 'kept') return words.flatMap((word) => (word.group === group ? [word.field] : [])).join(', ');
  return words.find((word) => word.group === group)?.role.split('.')[0] ?? group;
}

/** How a record is drawn: the group of its words. */
export const groupOf = (name: string, { words }: Frame): Group =>
  words.find(({ role }) => role.startsWith(`${name}.`))?.group ?? 'kept';

/** Style, which is also the glyph, and words of a judgement. */
export const JUDGEMENTS: Readonly<Record<Judgement, { readonly style: string; readonly text: string }>> = {
  right: { style: 'right', text: 'right' },
  'stops-early-and-says': { style: 'halt', text: 'stops early, says so' },
  'stops-early-silently': { style: 'stop', text: 'stops early' },
  'wrong-and-says': { style: 'said', text: 'wrong, says so' },
  'wrong-silently': { style: 'silent', text: 'wrong, silent' },
  'not-asked': { style: 'none', text: 'not asked' },
};

/** Sixteen hex digits in two halves: a gap by style, so that a copied word is one word. */
export function halves(value: bigint): readonly [string, string] {
  const digits = BigInt.asUintN(64, value).toString(16).padStart(16, '0');
  return [digits.slice(0, 8), digits.slice(8)];
}

/** The short form of a meaning: `S` of `S, task stack`. */
export const brief = (meaning: string): string => meaning.split(',')[0] ?? '';

/** What a word means; one that may hold anything, such as a general register, has only its value. */
export const shortly = ({ meaning, value }: Pick<Word, 'meaning' | 'value'>): string =>
  brief(meaning) || `0x${value.toString(16)}`;

/** Last four digits of an address, by which the picture names a word of a stack: no stack is longer. */
export const tail = (address: bigint): string => (address & 0xffffn).toString(16).padStart(4, '0');

/** A sentence without markup: `{iret}` is the word iret. */
export const plain = (sentence: string): string => sentence.replace(/\{(\w+)\}/g, '$1');

/** The word at an offset from T. */
export const wordAt = (frame: Frame, index: number): Word | undefined =>
  frame.words.find((word) => word.index === index);

/** `NMI 2 at boundary 84`, `an earlier NMI`. */
export function authorText({ kind, name, boundary }: Author): string {
  const who = kind === 'hardware' ? `the CPU, delivering ${name},` : name;
  return boundary === undefined ? name : `${who} at boundary ${boundary}`;
}

/** Latches in words. */
export const latchText = ({ blocked, pending }: Frame['latch']): string =>
  `${blocked ? 'blocked' : 'open'}${pending ? ', 1 pending' : ''}`;

/** A rule's name for the head of a narrow column: `-14` of `end[-14]`, `FP` of `frame pointer`. */
export function shortName(name: string): string {
  const index = /\[(-\d+)\]/.exec(name)?.[1];
  if (index) return index;
  return name.length <= 4
    ? name
    : name
        .split(/[\s-]+/)
        .map((word) => word.charAt(0))
        .join('')
        .toUpperCase()
        .slice(0, 3);
}

/** The value of the slider in words: where, and what happened there. */
export function positionText(frame: Frame, step: Step | undefined, last: number): string {
  const at = step ? (step.boundary === frame.boundary ? `${step.name}, ` : `after ${step.name}, `) : '';
  return `${at}boundary ${frame.boundary} of ${last}, ${plain(sentenceOf(frame, step))}`;
}

/** At a named step its sentence tells the whole stretch; elsewhere the transition tells itself. */
export const sentenceOf = (frame: Frame, step: Step | undefined): string =>
  step?.boundary === frame.boundary && step.sentence ? step.sentence : frame.sentence;
