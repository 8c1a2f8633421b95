/** Sweeps of three NMIs, with runs that meet followed once and with every schedule run to its end: all must end alike. */

import type { SweepAsk } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { everySchedule } from '../explore/schedules.ts';
import { variants } from '../explore/variants.ts';
import { Tally } from './swept.ts';

const SHOWN = 5;
const pages = libraryOnDisk();
const tally = new Tally();
for (const { name, edits } of variants(pages)) {
  const ask: SweepAsk = {
    design: 'linux-4.2',
    events: ['nmi', 'nmi', 'nmi'],
    starts: ['kernel-task'],
    bodies: ['int3'],
    edits,
    window: 1,
    budget: 800,
  };
  const apart = everySchedule({ ...ask, pruned: false }, pages);
  const joined = everySchedule(ask, pages);
  const other = apart.flatMap((line, n) => (line === joined[n] ? [] : [`${line}, joined: ${joined[n]}`]));
  const few = apart.length > 1 && apart.length === joined.length ? [] : ['the numbers of schedules differ'];
  tally.add(`${name}: ${apart.length} schedules`, [...few, ...other.slice(0, SHOWN)]);
}
tally.close();
