/** All unwinders that Linux ever used, for those who ask for more than the four of `rules.ts`. */
import { startFramePointer } from '../frame-pointer.ts';
import { isPick } from '../link-rules.ts';
import { type Unwinder, unwinders } from '../rules.ts';
import { type UnwindState, walkFrames } from '../unwind-state.ts';
import type { View } from '../view.ts';
import { showDumpTrace, walkByDumpTrace } from './dump-trace.ts';
import { startGuess } from './guess.ts';
import { startOrc } from './orc.ts';
import { type PrintEra, showTraceLog } from './show-trace-log.ts';

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

/** `end-K`, for the reader's pick of a word. */
const PICK = /^end-([1-9]\d{0,2})$/;

/** What `asked` knows, for those who must choose. */
export const UNWINDER_NAMES: readonly string[] = [
  ...KERNEL_UNWINDERS.map(({ id }) => id),
  'end-2',
  'end-14',
  'end-K',
];

/** The unwinders of these names, of kernels or `end-K`, in that order, each once; names that are neither are left out. */
export const asked = (names: readonly string[]): readonly Unwinder[] =>
  [...new Set(names)].flatMap((name) => {
    const index = Number(PICK.exec(name)?.[1] ?? 0);
    const word = isPick(index)
      ? unwinders(index)
          .filter(({ id }) => id === name)
          .slice(0, 1)
      : [];
    return [...KERNEL_UNWINDERS.filter(({ id }) => id === name), ...word];
  });

/** Those of a list of names that are unwinders of kernels, each once. */
export const unwindersNamed = (names: readonly string[]): readonly Unwinder[] =>
  KERNEL_UNWINDERS.filter(({ id }) => names.includes(id));
