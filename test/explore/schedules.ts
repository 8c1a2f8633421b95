/** Every schedule of a sweep with what came of it, for comparisons. */
import { type Outcome, outcomes } from '../../src/explore/outcomes.ts';
import { explorePart, partsOf, type SweepAsk } from '../../src/explore/sweep.ts';
import type { Library } from '../../src/scenario/library.ts';

/** A line each: start, events by kind and boundary, end; in order. */
export function everySchedule(ask: SweepAsk, pages: Library): readonly string[] {
  const ready = partsOf(ask, pages);
  if ('problems' in ready) throw new Error(ready.problems.map(({ message }) => message).join('\n'));
  const lines: string[] = [];
  for (const part of ready.parts) {
    const run = explorePart(part);
    let step = run.next();
    while (!step.done) step = run.next();
    const told = ({ schedule, end }: Outcome): string =>
      [
        part.start,
        ...schedule.map(({ kind, boundary }) => `${kind}@${boundary}`),
        end.kind === 'violated' ? end.invariant : end.kind,
      ].join(' ');
    for (const outcome of outcomes(step.value.root)) lines.push(told(outcome));
  }
  return lines.toSorted();
}
