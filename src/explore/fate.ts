/** What becomes of a schedule, as a letter: few kinds, so that a map of thousands of them is small and can be drawn. */
import { INVARIANTS, type Invariant } from '../scenario/invariants.ts';
import {
  KERNEL_INVARIANTS,
  type KernelEnd,
  type KernelInvariant,
} from '../scenario/vmlinux/kernel-course.ts';
import { CODES, type Judgement } from '../unwind/view.ts';
import type { Met, Path, PathEnd, Remaining, Spot } from './path.ts';

/**
 * How a reader is told a fate: intact, goes on for ever, dies aloud, wrong without a word, or not judged. In the map of an unwinder:
 * its judgement.
 */
export type Verdict = 'intact' | 'endless' | 'dies' | 'wrong' | 'not-judged' | Judgement;

export interface Fate {
  readonly letter: string;
  readonly verdict: Verdict;
  /** Of a broken one. */
  readonly invariant?: Invariant | KernelInvariant;
  /** In a few words. */
  readonly text: string;
}

const INTACT: Readonly<Record<Met, Fate>> = {
  open: { letter: 'o', verdict: 'intact', text: 'returns intact: handled at once, on its own' },
  inside: { letter: 'n', verdict: 'intact', text: 'returns intact: handled at once, inside an NMI' },
  blocked: { letter: 'w', verdict: 'intact', text: 'returns intact: it waits while NMIs are blocked' },
  pending: { letter: 'm', verdict: 'intact', text: 'returns intact: merged with one that waits already' },
};

const NOT_JUDGED: Fate = {
  letter: 'x',
  verdict: 'not-judged',
  text: 'not judged: it needs what is not modelled',
};

const VERDICTS: Partial<Readonly<Record<Invariant, Verdict>>> = { I7: 'endless', I8: 'dies' };

const BROKEN = Object.entries(INVARIANTS).map(
  ([name, text], n): Fate => ({
    letter: String.fromCharCode(0x41 + n),
    verdict: VERDICTS[name as Invariant] ?? 'wrong',
    invariant: name as Invariant,
    text: `breaks ${name}: ${text}`,
  }),
);

/** Of real kernels, whose invariants have names of their own. */
const KERNEL_LETTERS: Readonly<Record<KernelInvariant, readonly [letter: string, verdict: Verdict]>> = {
  progress: ['P', 'endless'],
  fault: ['Q', 'dies'],
  death: ['R', 'dies'],
  shutdown: ['S', 'dies'],
  registers: ['T', 'wrong'],
  served: ['U', 'wrong'],
  blocked: ['V', 'wrong'],
};
const KERNEL_NAMES = Object.keys(KERNEL_INVARIANTS) as readonly KernelInvariant[];
const KERNEL_BROKEN = KERNEL_NAMES.map((invariant): Fate => {
  const [letter, verdict] = KERNEL_LETTERS[invariant];
  return { letter, verdict, invariant, text: `breaks ${invariant}: ${KERNEL_INVARIANTS[invariant]}` };
});

const SAID: Readonly<Record<Judgement, readonly [letter: string, text: string]>> = {
  'not-asked': ['y', 'the rule has nothing to say there'],
  right: ['r', 'right: all that is alive is listed'],
  'stops-early-and-says': ['q', 'stops early and says so'],
  'stops-early-silently': ['s', 'stops early, and nothing shows it'],
  'wrong-and-says': ['t', 'wrong, and says so'],
  'wrong-silently': ['u', 'wrong, and nothing shows it'],
};
/** What an unwinder makes of a state, by code. */
const JUDGED: readonly Fate[] = CODES.map((verdict) => {
  const [letter, text] = SAID[verdict];
  return { letter, verdict, text };
});

/** All of them, the harmless first. */
export const FATES: readonly Fate[] = [
  ...Object.values(INTACT),
  NOT_JUDGED,
  ...BROKEN,
  ...KERNEL_BROKEN,
  ...JUDGED,
];
const BY_LETTER = new Map(FATES.map((fate) => [fate.letter, fate]));

/** The fate that a letter stands for; undefined for `.`, where there is no schedule. */
export const fateOf = (letter: string): Fate | undefined => BY_LETTER.get(letter);

/** The letter of an end that an event led to; `met` is what it met. */
export function letterOf(end: PathEnd | undefined, met: Met): string {
  if (end?.kind === 'violated')
    return BROKEN.find(({ invariant }) => invariant === end.invariant)?.letter ?? 'x';
  return end?.kind === 'returned' ? INTACT[met].letter : NOT_JUDGED.letter;
}

/** The letter of the end of a real kernel's run. */
export function letterOfKernel(end: KernelEnd, met: Met): string {
  if (end.verdict === 'broken') return KERNEL_LETTERS[end.invariant][0];
  return end.verdict === 'returned' ? INTACT[met].letter : NOT_JUDGED.letter;
}

/** The letter of a judgement's code. */
export const letterOfCode = (code: number | undefined): string =>
  JUDGED[code ?? -1]?.letter ?? NOT_JUDGED.letter;

/** The worse, the higher. */
function badness(end: PathEnd | undefined): number {
  if (end?.kind === 'returned') return 0;
  if (end?.kind !== 'violated') return 1;
  return end.invariant === 'I7' ? 2 : end.invariant === 'I8' ? 3 : 4;
}

/** What is known of the worst that can come of a boundary, by path and events still to come. */
export type Known = Map<Path, Map<string, readonly (PathEnd | undefined)[]>>;

/** The worst end of all schedules that go on from a boundary of a path with at most these events. */
export function worst(path: Path, at: number, remaining: Remaining, known: Known): PathEnd | undefined {
  const name = remaining.join();
  const kept = known.get(path) ?? new Map<string, readonly (PathEnd | undefined)[]>();
  known.set(path, kept);
  const ends = kept.get(name) ?? suffixes(path, remaining, known);
  kept.set(name, ends);
  return ends[at];
}

/** For each boundary of a path, from the last to the first. */
function suffixes(path: Path, remaining: Remaining, known: Known): readonly (PathEnd | undefined)[] {
  const { join, forks } = path;
  const ends: (PathEnd | undefined)[] = [];
  let most = join ? worst(join.path, join.at, remaining, known) : path.end;
  let next = forks.length - 1;
  for (let at = path.length; at >= 0; at--) {
    for (let fork = forks[next]; fork?.at === at; fork = forks[--next]) {
      const left = less(remaining, fork.kind);
      const end = left && worst(fork.path, 0, left, known);
      if (left && badness(end) > badness(most)) most = end;
    }
    ends[at] = most;
  }
  return ends;
}

/** Without one event of a kind; undefined if there is none left. */
export const less = (remaining: Remaining, kind: number): Remaining | undefined =>
  (remaining[kind] ?? 0) > 0 ? remaining.map((count, n) => (n === kind ? count - 1 : count)) : undefined;

/** The worst code along the run that goes on from a boundary of a path with nothing more to come. */
export function worstCode(path: Path, at: number): number {
  let code = 0;
  for (let spot: Spot | undefined = { path, at }; spot; spot = spot.path.join)
    for (const one of spot.path.judged.slice(spot.at)) code = Math.max(code, one);
  return code;
}
