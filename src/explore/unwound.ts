/** Every design under the same dumps: how often each unwinder is right while one NMI meets another. */
import { designsInOrder, type Library } from '../scenario/library.ts';
import type { Judged } from './judged.ts';
import { type SweepAsk, sweep } from './sweep.ts';

/** Two rules of the debate, and the unwinders of a kernel of today. */
export const JUDGED = ['end-2', 'end-14', 'frame-pointer-6.12', 'orc-6.12'] as const;

/** One NMI that meets a breakpoint, and one more anywhere. */
const ASK: Omit<SweepAsk, 'design'> = {
  events: ['nmi'],
  given: ['nmi at task'],
  starts: ['kernel-task'],
  bodies: ['int3'],
  window: 2,
  judge: JUDGED,
};

export interface Unwound {
  readonly design: string;
  /** In the order of `JUDGED`; undefined where the design cannot be swept so. */
  readonly judged: readonly (Judged | undefined)[];
}

const made = new WeakMap<Library, readonly Unwound[]>();

/** All designs in reading order. Made once for a library. */
export function unwound(pages: Library): readonly Unwound[] {
  const known = made.get(pages);
  if (known) return known;
  const rows = designsInOrder(pages).map(({ slug: design }): Unwound => {
    const report = sweep({ ...ASK, design }, pages);
    const judged = 'problems' in report ? [] : (report.judged ?? []);
    return {
      design,
      judged: JUDGED.map((name) => judged.find(({ unwinder }) => unwinder === name)),
    };
  });
  made.set(pages, rows);
  return rows;
}

/** How many states a rule was asked at, and at how many it is right, says that it is not, or is silently not right. */
export function shares({ states }: Judged): Readonly<Record<'asked' | 'right' | 'said' | 'silent', number>> {
  const said = states['stops-early-and-says'] + states['wrong-and-says'];
  const silent = states['stops-early-silently'] + states['wrong-silently'];
  return { asked: states.right + said + silent, right: states.right, said, silent };
}
