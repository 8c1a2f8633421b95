/** Our trace beside a peer's, step by step. */
import type { Guest } from './image.ts';
import { type Scenes, type Step, WORDS } from './trace.ts';

/** The first step of a scene that is not the same. */
export interface Difference {
  readonly scene: string;
  /** Steps that were alike before. */
  readonly after: number;
  /** The last of them: `label+n`. */
  readonly last: string;
  /** Every word that differs: `word ours theirs`, addresses by name. */
  readonly words: readonly string[];
}

export interface Comparison {
  readonly same: readonly string[];
  readonly differences: readonly Difference[];
  /** Steps that were compared and alike. */
  readonly steps: number;
}

const shown = (guest: Guest, word: string, value: bigint | undefined): string =>
  value === undefined ? 'nothing' : word === 'rip' ? guest.name(value) : value.toString(16);

const RF = 1n << 16n;
const accepted = (word: string, a: bigint | undefined, b: bigint | undefined): boolean =>
  ((word === 'ss' || word === 'r14') && a === 0x18n && b === 0n) ||
  ((word === 'rflags' || word === 'r12') &&
    a !== undefined &&
    b !== undefined &&
    (a ^ b) === RF &&
    (a & RF) !== 0n);

function wordsThatDiffer(guest: Guest, ours: Step | undefined, theirs: Step | undefined): string[] {
  if (ours === undefined || theirs === undefined) {
    const at = (step: Step | undefined): string => shown(guest, 'rip', step?.rip);
    return ours === theirs ? [] : [`rip ${at(ours)} ${at(theirs)}`];
  }
  return WORDS.filter(
    (word) => word in theirs && ours[word] !== theirs[word] && !accepted(word, ours[word], theirs[word]),
  ).map((word) => `${word} ${shown(guest, word, ours[word])} ${shown(guest, word, theirs[word])}`);
}

/** Compares scene by scene; of each, up to its first difference. */
export function compare(guest: Guest, ours: Scenes, theirs: Scenes): Comparison {
  const same: string[] = [];
  const differences: Difference[] = [];
  let steps = 0;
  for (const scene of new Set([...ours.keys(), ...theirs.keys()])) {
    const [one = [], other = []] = [ours.get(scene), theirs.get(scene)];
    const length = Math.max(one.length, other.length);
    let n = 0;
    while (n < length && wordsThatDiffer(guest, one[n], other[n]).length === 0) n++;
    steps += n;
    if (n === length) same.push(scene);
    else {
      const last = shown(guest, 'rip', one[n - 1]?.rip);
      differences.push({ scene, after: n, last, words: wordsThatDiffer(guest, one[n], other[n]) });
    }
  }
  return { same, differences, steps };
}
