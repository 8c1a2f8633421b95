/** The unwinders that every page asks; those of kernels that only some ask for are in `eras/`. */
import { type FrameRules, walkByFramePointer } from './frame-pointer.ts';
import { END_2, END_14, isPick, walkByLink } from './link-rules.ts';
import type { Trace, View } from './view.ts';

export interface Unwinder {
  /** `end-2`, `end-14`, `frame-pointer`, and `end-K` for the reader's pick. */
  readonly id: string;
  /** For a column head: `end[-2]`, `frame pointer`. */
  readonly name: string;
  /** Whose rule it is. */
  readonly era: string;
  readonly unwind: (view: View) => Trace;
  /** What a kernel of its era prints for a dump of this state; `show` of the trace, unless given. */
  readonly print?: (view: View, symbolize: (address: bigint) => string) => readonly string[];
  /** Whether it has something to say at every boundary, and not only while something is alive on the NMI stack. */
  readonly always?: boolean;
}

/** RSP of the iret record, the second of three: the word a reader has not been told about yet. */
export const DEFAULT_PICK = 9;

/**
 * The four of the first page, in order. `pick` is the word the reader chose, 1 to 512 words below T; another
 * number throws `invalid pick: N`. `frames` chooses the frame-pointer rules.
 */
export function unwinders(pick: number = DEFAULT_PICK, frames: FrameRules = '4.10'): readonly Unwinder[] {
  if (!isPick(pick)) throw new RangeError(`invalid pick: ${pick}, not a word from 1 to 512`);
  return [
    { id: 'end-2', name: 'end[-2]', era: '4.9', unwind: (view) => walkByLink(END_2, view) },
    {
      id: `end-${pick}`,
      name: `end[-${pick}]`,
      era: "the reader's pick",
      unwind: (view) => walkByLink(pick, view),
    },
    {
      id: 'end-14',
      name: 'end[-14]',
      era: 'proposed in July 2016',
      unwind: (view) => walkByLink(END_14, view),
    },
    {
      id: 'frame-pointer',
      name: 'frame pointer',
      era: frames,
      unwind: (view) => walkByFramePointer(frames, view),
    },
  ];
}
