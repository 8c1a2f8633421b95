/** Who wrote a word, what it held before, and who writes it next: found by looking through the frames. */
import type { Frame, Timeline, Word } from '../../scenario/timeline.ts';
import { wordAt } from './words.ts';

/** Offset from T of the word that is told of at first: an RSP, by which the way back goes. */
export const chosenFirst = ({ records }: Pick<Timeline, 'records'>): number =>
  (records.find(({ name }) => name === 'iret') ?? records[0])?.rsp ?? -9;

export interface Provenance {
  readonly word: Word;
  /** Boundary of the last write, if in this run. */
  readonly written: number | undefined;
  /** The word as it was before that write; undefined if it was written before the run, or frames are missing. */
  readonly before: Word | undefined;
  /** The word at its next write. */
  readonly next: Word | undefined;
  /** Whether the frames were there to be looked through. */
  readonly known: boolean;
}

/** Provenance of the word at offset `index` from T at a frame; without frames only what the frame says itself. */
export function provenanceOf(frames: readonly Frame[], frame: Frame, index: number): Provenance | undefined {
  const word = wordAt(frame, index);
  if (!word) return undefined;
  const written = word.author.boundary;
  let known = frames.length > 0;
  const earlier = written === undefined ? undefined : frames[written - 1];
  let next: Word | undefined;
  for (let b = frame.boundary + 1; b < frames.length && !next && known; b++) {
    const after = frames[b];
    known = after !== undefined; // a long run lacks frames: what they hold is not known
    const later = after && wordAt(after, index);
    if (later && later.author.boundary !== written) next = later;
  }
  return { word, written, before: earlier && wordAt(earlier, index), next, known };
}
