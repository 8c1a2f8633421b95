import { expect, test } from 'vitest';
import type { SweepAsk } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { everySchedule } from './schedules.ts';
import { variants } from './variants.ts';

const pages = libraryOnDisk();

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
  const unpruned = everySchedule({ ...ask, pruned: false }, pages);
  expect(unpruned.length).toBeGreaterThan(3);
  expect(everySchedule(ask, pages)).toEqual(unpruned);
});
