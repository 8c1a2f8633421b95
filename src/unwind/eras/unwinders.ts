/** All unwinders that Linux ever used, for those who ask for more than the four of `rules.ts`. */
import { startFramePointer } from '../frame-pointer.ts';
import { isPick } from '../link-rules.ts';
import { type Unwinder, unwinders } from '../rules.ts';
import { HARDWARE_LINK, type LinkIndex, nmiLink } from '../stack-info.ts';
import { type UnwindState, walkFrames } from '../unwind-state.ts';
import type { View } from '../view.ts';
import { dumpTraceLog, walkByDumpTrace } from './dump-trace.ts';
import { startGuess } from './guess.ts';
import { startOrc } from './orc.ts';
import { type PrintEra, type PrintedLine, traceLog } from './show-trace-log.ts';
import { interruptedView, type Switches } from './switches.ts';

/** An unwinder of a kernel. */
export interface KernelUnwinder extends Unwinder {
  /** What is printed, with the place of each address; nothing where an unwinder was never printed with. */
  readonly log?: (view: View, symbolize: (address: bigint) => string) => readonly PrintedLine[];
  /** Index k of the word `end[-k]` of the NMI stack by which it changes stacks; undefined for one that never asks it. */
  readonly link: number | undefined;
}

type Printing = Pick<KernelUnwinder, 'log' | 'print'>;
const printing = (log: NonNullable<KernelUnwinder['log']>): Printing => ({
  log,
  print: (view, symbolize) => log(view, symbolize).map(({ text }) => text),
});

/** A walk with a state, which some switches change. */
const stateful =
  (id: string, name: string, era: PrintEra, by: (link: LinkIndex) => (view: View) => UnwindState) =>
  (switches: Switches): KernelUnwinder => {
    const index = switches.nmiLink ?? HARDWARE_LINK;
    const link = nmiLink(index);
    const start = by(link);
    return {
      id,
      name,
      era,
      unwind: (view) => walkFrames(id, view, start),
      link: name === 'ORC' ? undefined : index,
      ...printing((view, symbolize) => {
        const given = switches.dump && interruptedView(view, start);
        const { nextFrame, wantsUserRegs } = switches;
        return traceLog(given ?? view, era, start, symbolize, {
          link,
          ...(given && switches.dump === 'registers-own-stack' ? { from: view.rsp } : {}),
          ...(nextFrame ? { nextFrame } : {}),
          ...(wantsUserRegs ? { wantsUserRegs } : {}),
        });
      }),
      always: true,
    };
  };

/** Those of before 4.9 know no switch. */
const dumpTrace = (unwinder: Omit<KernelUnwinder, 'link'>) => () => ({ ...unwinder, link: HARDWARE_LINK });

/** All that Linux ever used, oldest first; a recipe names them, `expect unwind orc-6.12 right`. */
const ALL: readonly ((switches: Switches) => KernelUnwinder)[] = [
  dumpTrace({
    id: 'dump-trace',
    name: 'dump_trace()',
    era: '4.3',
    unwind: (view) => walkByDumpTrace('scan', view),
    ...printing(dumpTraceLog),
    always: true,
  }),
  dumpTrace({
    id: 'dump-trace-bp',
    name: 'dump_trace(), frame pointers',
    era: '4.3',
    unwind: (view) => walkByDumpTrace('frames', view),
    always: true,
  }),
  stateful('guess-4.9', 'guess', '4.9', (link) => startGuess('4.9', link)),
  stateful('frame-pointer-4.9', 'frame pointer', '4.9', (link) => startFramePointer('4.9', link)),
  stateful('frame-pointer-4.10', 'frame pointer', '4.10', (link) => startFramePointer('4.10', link)),
  stateful('frame-pointer-4.13', 'frame pointer', '4.10', (link) => startFramePointer('4.13', link)),
  stateful('orc-4.14', 'ORC', '4.14', () => startOrc('4.14')),
  stateful('orc-5.2', 'ORC', '5.2', () => startOrc('5.2')),
  stateful('guess-6.12', 'guess', '6.12', (link) => startGuess('6.12', link)),
  stateful('frame-pointer-6.12', 'frame pointer', '6.12', (link) => startFramePointer('6.12', link)),
  stateful('orc-6.12', 'ORC', '6.12', () => startOrc('6.12')),
];

const withSwitches = (switches: Switches): readonly KernelUnwinder[] =>
  ALL.map((unwinder) => unwinder(switches));

/** As the kernels had them. */
export const KERNEL_UNWINDERS: readonly KernelUnwinder[] = withSwitches({});

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

/** Those of a list of names that are unwinders of kernels, each once, with what a recipe switches. */
export const unwindersNamed = (
  names: readonly string[],
  switches: Switches = {},
): readonly KernelUnwinder[] =>
  (Object.keys(switches).length === 0 ? KERNEL_UNWINDERS : withSwitches(switches)).filter(({ id }) =>
    names.includes(id),
  );
