/** Which lines of the truth a trace has. */
import { isAt, type Trace, type Truth, type TruthEntry } from './view.ts';

export type Found = 'listed' | 'guess' | 'missing' | 'lost';

/** A function of user mode: what an event interrupted while no kernel stack was in use. */
export const isUser = ({ how, stack }: TruthEntry): boolean => how === 'interrupted' && stack === '';

/**
 * For every truth entry, whether the trace lists it: `listed`, listed with a `?`, `missing`, or `lost`, the first
 * missing one of a walk that warned there. A return address counts in its own slot only; an interrupted one counts in
 * any copy of the frame. User code is nobody's line: it counts as listed when the walk came to its end.
 */
export function found(trace: Trace, truth: Truth): readonly Found[] {
  let warned = trace.end === 'warned';
  return truth.entries.map((entry): Found => {
    let guessed = false;
    for (const { ip, slot, guess } of trace.entries) {
      if (!isAt(entry, ip) || (entry.how !== 'interrupted' && slot !== entry.slot)) continue;
      if (!guess) return 'listed';
      guessed = true;
    }
    if (guessed) return 'guess';
    if (isUser(entry) && trace.end === 'complete') return 'listed';
    if (!warned) return 'missing';
    warned = false;
    return 'lost';
  });
}
