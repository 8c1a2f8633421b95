/**
 * Each safeguard of each design removed, found by a whole sweep that is told the design, how many NMIs, and which safeguard
 * is gone; with one NMI less it finds nothing. A page answers for its own lines; an NMI design also for those of pages that
 * are no design. (A neighbour or a bug tells one other thing: it has not the handler bodies that would show a lost CR2.)
 * One that a page says to be missed by a sweep of its own (`breaks ... without NAME`) is left to that. Pages stop at the
 * first find (`src/explore/hunt.ts`): it must be among these.
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
const designs = new Set(designsOf(pages).map((design) => pages.get(design)?.page));
for (const design of designsOf(pages)) {
  const program = programOf(pages, design);
  const told = new Set(program.design.breaks.flatMap(({ without }) => without));
  const { page: here, bug, neighbour } = pages.get(design) ?? {};
  const answers = (page: string) => page === here || !(bug || neighbour || designs.has(page));
  const own = program.safeguards.filter(
    ({ name, places }) => !told.has(name) && places.some(({ page }) => answers(page)),
  );
  for (const { name } of own) {
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
}
tally.close();
