import { expect, test } from 'vitest';
import { type Outcome, outcomes } from '../../src/explore/outcomes.ts';
import { explorePart, partsOf, type SweepAsk } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { variants } from './variants.ts';

const pages = libraryOnDisk();

/** Every schedule with what came of it, as one line each. */
function everything(ask: SweepAsk): readonly string[] {
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

test.each(variants(pages))('$name: with and without pruning every schedule ends alike', ({ edits }) => {
  const ask: SweepAsk = {
    design: 'linux-4.2',
    events: ['nmi', 'nmi'],
    starts: ['kernel-task', 'user-task'],
    bodies: ['int3'],
    edits,
    window: 1,
    budget: 500,
  };
  const unpruned = everything({ ...ask, pruned: false });
  expect(unpruned.length).toBeGreaterThan(3);
  expect(everything(ask)).toEqual(unpruned);
});
