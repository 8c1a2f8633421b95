/**
 * Invariant I6, for unwinders: one lists the true frames, or reports that it did not. A report is a warning in the log, or
 * unwind_error(), which a printed trace does not show. What a kind of unwinder cannot do by its design is no break of it: each
 * such gap is named here, with the reason, and nowhere else.
 */
import { found, isUser } from '../found.ts';
import type { Judged } from '../judge.ts';
import type { Trace, Truth, TruthEntry, View } from '../view.ts';

export interface Gap {
  readonly id: string;
  /** Which unwinders have it: what their names begin with. */
  readonly unwinders: readonly string[];
  readonly reason: string;
  readonly covers: (moment: Moment) => boolean;
}

interface Moment {
  readonly trace: Trace;
  readonly truth: Truth;
  readonly view: View;
  /** Live functions that the trace lacks. */
  readonly missing: readonly TruthEntry[];
}

const FRAMES = ['frame-pointer', 'dump-trace-bp'];
const LINKS = ['dump-trace', 'guess', 'frame-pointer'];

const isEntry = ({ view }: Moment, ip: bigint): boolean => view.isEntryText?.(ip) ?? false;
/** Functions that were interrupted, or stand at the top: those whose frame may not be made. */
const stopped = ({ truth }: Moment): readonly TruthEntry[] =>
  truth.entries.filter(({ how }) => how !== 'return');

export const GAPS: readonly Gap[] = [
  {
    id: 'empty-stack',
    unwinders: ['orc', 'guess', 'dump-trace', 'frame-pointer'],
    reason: 'RSP is at the end of a stack on which nothing lies yet, and an end is on no stack',
    covers: ({ view }) => view.stacks.some(({ end }) => end === view.rsp),
  },
  {
    id: 'entry-code',
    unwinders: FRAMES,
    reason:
      'entry code has not pointed RBP to the registers yet, or does so no more: RBP is that of what was interrupted',
    covers: (moment) => stopped(moment).some(({ ip }) => isEntry(moment, ip)),
  },
  {
    id: 'no-frame-yet',
    unwinders: FRAMES,
    reason:
      'a function is interrupted before it has made its frame, or after it has left it: its caller has none in between',
    covers: ({ missing, truth }) =>
      missing.every((entry) => truth.entries[truth.entries.indexOf(entry) - 1]?.how !== 'return'),
  },
  {
    id: 'encoded-start',
    unwinders: FRAMES,
    reason:
      'RBP leads to registers that no function has pushed, and a walk from the registers of a dump passes those over',
    covers: ({ trace, truth, view, missing }) => {
      if (trace.reason.startsWith('skips every frame, since RBP leads to saved registers')) return true;
      // On a stack that holds more than the registers, the walk goes on behind what they would have led to.
      const led = truth.entries.findIndex(({ how }) => how === 'interrupted');
      return view.rbp % 2n === 1n && missing.every((entry) => truth.entries.indexOf(entry) <= led);
    },
  },
  {
    id: 'frames-only',
    unwinders: ['frame-pointer-4.9', 'dump-trace-bp'],
    reason: 'what an event interrupted has no frame; before 4.10 nothing led to its registers',
    covers: ({ truth, view }) =>
      truth.entries.some(({ how }) => how === 'interrupted') || view.rbp % 2n === 1n,
  },
  {
    id: 'paranoid-caller',
    unwinders: ['orc'],
    reason:
      'inside a helper that entry code calls while it saves registers, the row leads past that entry code',
    covers: (moment) => {
      const { missing, truth } = moment;
      // Only the entry code that called, wherever it is: with more gone, the row led astray.
      const skips = (caller: TruthEntry): boolean => {
        const helper = truth.entries[truth.entries.indexOf(caller) - 1];
        return (
          caller.how === 'return' &&
          helper !== undefined &&
          isEntry(moment, helper.ip) &&
          isEntry(moment, caller.ip)
        );
      };
      return missing.length > 0 && missing.every(skips);
    },
  },
  {
    id: 'behind-the-link',
    // unwind_next_frame() of unwind_guess.c, read at 4.9 and 6.17: see guess.ts.
    unwinders: ['guess'],
    reason:
      'on the next stack the guess begins one word behind where the link leads: a return address right there is passed over',
    covers: ({ missing, truth }) =>
      missing.every(({ slot }) =>
        truth.entries.some(({ how, sp }) => how === 'interrupted' && slot !== undefined && sp === slot),
      ),
  },
  {
    id: 'overwritten-link',
    unwinders: LINKS,
    reason:
      'a nested NMI has overwritten the word that leads from the NMI stack to the next: the debate of July 2016',
    covers: ({ view, truth }) => {
      const nmi = view.stacks.find(({ name }) => name === 'NMI');
      const live = truth.entries.findLast(
        ({ stack, how }, n) =>
          how === 'interrupted' && stack !== 'NMI' && truth.entries[n - 1]?.stack === 'NMI',
      );
      const word = nmi && view.read(nmi.end - 16n);
      // Zero is nobody's stack pointer: a word that was never one, as the event data of FRED, excuses nothing.
      return live !== undefined && word !== undefined && word !== 0n && word !== live.sp;
    },
  },
];

/** Whether a trace broke I6, and if it would have but for a gap, which. */
export function breaksI6(
  unwinder: string,
  { judgement }: Judged,
  trace: Trace,
  truth: Truth,
  view: View,
): { readonly breaks: boolean; readonly gap: Gap | undefined } {
  const fine = judgement === 'right' || judgement === 'not-asked' || truth.lost;
  if (fine || trace.end === 'warned' || trace.error === true) return { breaks: false, gap: undefined };
  const gap = gapOf(unwinder, trace, truth, view);
  return { breaks: !gap, gap };
}

/** The gap that excuses an unwinder here, if one does. */
export function gapOf(unwinder: string, trace: Trace, truth: Truth, view: View): Gap | undefined {
  const answers = found(trace, truth);
  const missing = truth.entries.filter((entry, n) => !isUser(entry) && answers[n] === 'missing');
  const moment = { trace, truth, view, missing };
  return GAPS.find(
    ({ unwinders, covers }) => unwinders.some((name) => unwinder.startsWith(name)) && covers(moment),
  );
}
