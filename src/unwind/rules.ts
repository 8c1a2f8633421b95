/** The unwinders that a page asks. */
import { showDumpTrace, walkByDumpTrace } from './dump-trace.ts';
import { type FrameRules, startFramePointer, walkByFramePointer } from './frame-pointer.ts';
import { startGuess } from './guess.ts';
import { END_2, END_14, isPick, walkByLink } from './link-rules.ts';
import { startOrc } from './orc.ts';
import { type PrintEra, showTraceLog } from './show-trace-log.ts';
import { type UnwindState, walkFrames } from './unwind-state.ts';
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

const stateful = (id: string, name: string, era: PrintEra, start: (view: View) => UnwindState): Unwinder => ({
  id,
  name,
  era,
  unwind: (view) => walkFrames(id, view, start),
  print: (view, symbolize) => showTraceLog(view, era, start, symbolize),
  always: true,
});

/** All that Linux ever used, oldest first; a recipe names them, `expect unwind orc-6.12 right`. */
export const KERNEL_UNWINDERS: readonly Unwinder[] = [
  {
    id: 'dump-trace',
    name: 'dump_trace()',
    era: '4.3',
    unwind: (view) => walkByDumpTrace('scan', view),
    print: showDumpTrace,
    always: true,
  },
  {
    id: 'dump-trace-bp',
    name: 'dump_trace(), frame pointers',
    era: '4.3',
    unwind: (view) => walkByDumpTrace('frames', view),
    always: true,
  },
  stateful('guess-4.9', 'guess', '4.9', startGuess('4.9')),
  stateful('frame-pointer-4.9', 'frame pointer', '4.9', startFramePointer('4.9')),
  stateful('frame-pointer-4.10', 'frame pointer', '4.10', startFramePointer('4.10')),
  stateful('frame-pointer-4.13', 'frame pointer', '4.10', startFramePointer('4.13')),
  stateful('orc-4.14', 'ORC', '4.14', startOrc('4.14')),
  stateful('orc-5.2', 'ORC', '5.2', startOrc('5.2')),
  stateful('guess-6.12', 'guess', '6.12', startGuess('6.12')),
  stateful('frame-pointer-6.12', 'frame pointer', '6.12', startFramePointer('6.12')),
  stateful('orc-6.12', 'ORC', '6.12', startOrc('6.12')),
];

/** Those of a list of names that are unwinders of kernels, each once. */
export const unwindersNamed = (names: readonly string[]): readonly Unwinder[] =>
  KERNEL_UNWINDERS.filter(({ id }) => names.includes(id));
