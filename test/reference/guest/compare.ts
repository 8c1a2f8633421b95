/** Our trace beside a peer's, step by step. */
import type { Guest } from './image.ts';
import { type Scenes, type Step, WORDS, type Word } from './trace.ts';

/** What a peer does otherwise, why that is no mistake of ours, and who says so. */
interface Known {
  readonly why: string;
  readonly source: string;
}
/** A way in which single words differ, wherever they do; what follows is compared as ever. */
export interface Allowance extends Known {
  readonly allows: (word: Word, ours: bigint, theirs: bigint, scene: string) => boolean;
}
/** Scenes that part, and how they do: `last step: word ours theirs`. What follows is not compared. */
export interface Parting extends Known {
  readonly scenes: Readonly<Record<string, string>>;
}
export interface Peculiarities {
  readonly allowances: readonly Allowance[];
  readonly partings: readonly Parting[];
}

export interface Comparison {
  /** Scenes that are alike to their end, or part as is known. */
  readonly passed: number;
  /** Of those, scenes that part. */
  readonly parted: number;
  /** Steps that were compared and alike. */
  readonly steps: number;
  /** One sentence for everything that is not as it should be. */
  readonly failures: readonly string[];
  /** What was allowed, and how often. */
  readonly used: ReadonlyMap<Known, number>;
}

/** Compares scene by scene; of each, up to where they part. A peculiarity that did not show is a failure, too. */
export function compare(
  guest: Guest,
  ours: Scenes,
  theirs: Scenes,
  { allowances, partings }: Peculiarities,
): Comparison {
  const used = new Map<Known, number>();
  const use = (known: Known): unknown => used.set(known, (used.get(known) ?? 0) + 1);
  const isAllowed = (scene: string, word: Word, a: bigint, b: bigint): boolean => {
    const found = allowances.find(({ allows }) => allows(word, a, b, scene));
    if (found) use(found);
    return found !== undefined;
  };
  const failures: string[] = [];
  let [passed, parted, steps] = [0, 0, 0];
  for (const scene of new Set([...ours.keys(), ...theirs.keys()])) {
    const [one = [], other = []] = [ours.get(scene), theirs.get(scene)];
    const { alike, words } = firstDifference(guest, one, other, (...of) => isAllowed(scene, ...of));
    steps += alike;
    const known = partings.find(({ scenes }) => scene in scenes);
    const expected = known?.scenes[scene];
    const last = guest.name(one[alike - 1]?.rip ?? 0n);
    const found = words.length === 0 ? undefined : `${last}: ${words[0]}`;
    if (found === expected) {
      passed++;
      if (known) use(known);
      if (known) parted++;
    } else if (found === undefined) failures.push(`${scene}: alike, but known to part at ${expected}`);
    else failures.push(`${scene}, step ${alike + 1}, after ${last}: ${words.join('; ')}`);
  }
  for (const one of allowances) if (!used.has(one)) failures.push(`never seen: ${one.why}`);
  return { passed, parted, steps, failures, used };
}

/** @returns how many steps are alike, and `word ours theirs` for each word that differs in the next one */
function firstDifference(
  guest: Guest,
  ours: readonly Step[],
  theirs: readonly Step[],
  isAllowed: (word: Word, a: bigint, b: bigint) => boolean,
): { readonly alike: number; readonly words: readonly string[] } {
  const length = Math.max(ours.length, theirs.length);
  for (let alike = 0; alike < length; alike++) {
    const [one, other] = [ours[alike], theirs[alike]];
    const words =
      one && other
        ? WORDS.flatMap((word) => {
            const [a = 0n, b] = [one[word], other[word]];
            if (b === undefined || a === b || isAllowed(word, a, b)) return [];
            return [`${word} ${guest.shown(a)} ${guest.shown(b)}`];
          })
        : [
            `rip ${one ? guest.name(one.rip ?? 0n) : 'nothing'} ${other ? guest.name(other.rip ?? 0n) : 'nothing'}`,
          ];
    if (words.length > 0) return { alike, words };
  }
  return { alike: length, words: [] };
}
