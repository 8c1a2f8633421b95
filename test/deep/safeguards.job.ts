/**
 * Each safeguard of each design removed, found by a whole sweep that is told the design, how many NMIs, and which safeguard
 * is gone; with one NMI less it finds nothing. Pages stop at the first find (`src/explore/hunt.ts`): it must be among these.
 */
import { hunt } from '../../src/explore/hunt.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { designsOf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { swept, Tally } from './swept.ts';

const MOST = 3;
const NMIS = Array.from({ length: MOST }, () => 'nmi');
const pages = libraryOnDisk();
const tally = new Tally();
for (const design of designsOf(pages))
  for (const { name } of programOf(pages, design).safeguards) {
    const ask = { design, without: [name] };
    const short = hunt({ ...ask, events: NMIS, window: 2 }, pages);
    if ('problems' in short) throw new Error(short.problems.map(({ message }) => message).join('\n'));
    const { length } = short.events;
    const fewer =
      length > 1 ? (await swept({ ...ask, events: NMIS.slice(1, length) }, pages)).violations : [];
    const { violations, schedules } = await swept({ ...ask, events: NMIS.slice(0, length) }, pages);
    const found = [...new Set(violations.map(({ invariant }) => invariant))];
    const lost = short.found.map(({ invariant }) => invariant).filter((one) => !found.includes(one));
    const wrong = [
      ...(found.length > 0 ? [] : ['nothing breaks']),
      ...lost.map((invariant) => `${invariant} is found by the short sweep only`),
      ...fewer.map(({ invariant, recipe }) => `${invariant} is found with fewer:\n${recipe}`),
    ];
    tally.add(`${design} without ${name}: ${found} with ${length} of ${schedules} schedules`, wrong);
  }
tally.close();
