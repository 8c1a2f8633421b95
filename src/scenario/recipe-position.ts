/** Positions: `label#2+1`, `label+0x1c`, `b412`, `cursor`. */
import { shown } from './recipe-tokens.ts';
import { isKey, type Position } from './recipe-types.ts';

const LABEL = /^[A-Za-z_.$][\w.$-]*$/;
const BOUNDARY = /^b\d+$/;

/** A whole number written in decimal digits, at most 2^53 - 1; undefined for anything else. */
export function wholeNumber(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Where a bare label would be read as something else, so that `#n` must follow it. */
const needsOccurrence = (label: string): boolean =>
  isKey(label) || BOUNDARY.test(label) || /-(?:\d+|0[xX][\da-fA-F]*)$/.test(label);

/**
 * Reads one word as a position; a string says why it is none. A label that looks like `b4`, `cursor`,
 * another key, or ends in `-2` is written with its occurrence: `b4#1`.
 */
export function readPosition(word: string): Position | string {
  if (word === 'cursor') return { kind: 'cursor' };
  if (BOUNDARY.test(word)) {
    const n = wholeNumber(word.slice(1));
    return n === undefined ? `invalid position: ${shown(word)} (too large)` : { kind: 'boundary', n };
  }
  const invalid = (why = '') => `invalid position: ${shown(word)}${why && ` (${why})`}`;
  const hash = word.lastIndexOf('#');
  const [base, sign, amount] = splitOffset(word, hash + 1);
  const label = hash < 0 ? base : base.slice(0, hash);
  if (!LABEL.test(label)) return invalid();
  const occurrence = hash < 0 ? 1 : wholeNumber(base.slice(hash + 1));
  if (occurrence === undefined) return invalid();
  if (occurrence === 0) return invalid('occurrences count from 1');
  if (hash < 0 && label === 'cursor') return invalid('the cursor takes no offset');
  if (hash < 0 && BOUNDARY.test(label)) return invalid('a boundary takes no offset');
  if (hash < 0 && needsOccurrence(label)) return invalid(`write ${shown(label)}#1`);
  const at = { kind: 'label', label, occurrence, steps: 0, bytes: 0 } as const;
  if (!sign) return at;
  if (/^0[xX][\da-fA-F]+$/.test(amount)) {
    if (sign === '-') return invalid('a byte offset goes forward');
    const bytes = Number(amount);
    return Number.isSafeInteger(bytes) ? { ...at, bytes } : invalid('too large');
  }
  const steps = wholeNumber(amount);
  if (steps === undefined) return invalid(/^\d+$/.test(amount) ? 'too large' : '');
  return { ...at, steps: sign === '-' && steps ? -steps : steps };
}

/** Cuts `+k`, `-k` or `+0xk` off; a `-` that no number follows belongs to the label. */
function splitOffset(word: string, from: number): [base: string, sign: string, amount: string] {
  const plus = word.indexOf('+', from);
  const cut = plus >= 0 ? plus : word.lastIndexOf('-');
  if (cut < from || (plus < 0 && !/^(?:\d+|0[xX][\da-fA-F]*)$/.test(word.slice(cut + 1))))
    return [word, '', ''];
  return [word.slice(0, cut), word[cut] ?? '', word.slice(cut + 1)];
}

/** The one text of a position: occurrence 1 and an offset of 0 are left out. */
export function printPosition(position: Position): string {
  if (position.kind === 'cursor') return 'cursor';
  if (position.kind === 'boundary') return `b${position.n}`;
  const { label, occurrence, steps, bytes } = position;
  const reached = occurrence !== 1 || needsOccurrence(label) ? `#${occurrence}` : '';
  const offset = bytes ? `+0x${bytes.toString(16)}` : steps > 0 ? `+${steps}` : steps < 0 ? `${steps}` : '';
  return `${label}${reached}${offset}`;
}
