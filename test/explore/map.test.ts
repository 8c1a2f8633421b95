import { expect, test } from 'vitest';
import { around } from '../../src/explore/around.ts';
import { doorOf } from '../../src/explore/door.ts';
import { FATES, fateOf } from '../../src/explore/fate.ts';
import { byPlace, NOTHING, pack, type SweepMap, show, tally, unpack } from '../../src/explore/map.ts';
import { outcomes } from '../../src/explore/outcomes.ts';
import { type Surveyed, survey, surveyAll } from '../../src/explore/survey.ts';
import { explorePart, type Part, partsOf, type SweepAsk } from '../../src/explore/sweep.ts';
import { codec } from '../../src/literate/codec.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { openLink } from '../../src/scenario/open-link.ts';
import { parse } from '../../src/scenario/recipe.ts';
import records from '../../src/scenario/records.json' with { type: 'json' };
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const source = scenarioOf(pages, 'latch-opens-early');
const recipe = source && parse(source).recipe;
if (!recipe) throw new Error('missing scenario');
const PAIR = around(recipe, { events: ['nmi', 'nmi'] });
/** Breaks in many ways, and not everywhere. */
const BROKEN: SweepAsk = { ...PAIR, without: ['test-c'] };
/** Breaks in a window of a few boundaries. */
const RARELY: SweepAsk = { ...PAIR, without: ['std-before-clear'] };

function surveyed(ask: SweepAsk): Surveyed {
  const made = surveyAll(ask, pages);
  if ('problems' in made) throw new Error(made.problems.map(({ message }) => message).join('\n'));
  return made;
}

function partOf(ask: SweepAsk): Part {
  const ready = partsOf(ask, pages);
  const part = 'parts' in ready ? ready.parts[0] : undefined;
  if (!part) throw new Error('missing part');
  return part;
}

const letterAt = ({ rows }: SweepMap, row: number, column: number): string =>
  unpack(rows[row] ?? '').charAt(column);

test('cells are packed by runs, and what is not packed is left out', () => {
  expect(pack('ooo.wwwwwwwwwwwwA')).toBe('o3.w12A');
  expect(unpack('o3.w12A')).toBe('ooo.wwwwwwwwwwwwA');
  expect(unpack('3<o2')).toBe('oo');
  expect(unpack('o999999999').length).toBeLessThan(100_000);
});

test('a cell is what the schedules of its two events come to', () => {
  for (const ask of [PAIR, BROKEN]) {
    const { map } = surveyed(ask);
    const run = explorePart(partOf(ask));
    let step = run.next();
    while (!step.done) step = run.next();
    let pairs = 0;
    for (const { schedule, end } of outcomes(step.value.root)) {
      const [first, second] = schedule;
      if (!first || !second) continue;
      pairs++;
      const fate = fateOf(letterAt(map, first.boundary, second.boundary));
      const told = fate?.invariant ?? fate?.verdict;
      const is = end.kind === 'violated' ? end.invariant : end.kind === 'returned' ? 'intact' : 'not-judged';
      if (told !== is) expect({ schedule, told }).toEqual({ schedule, told: is });
    }
    const drawn = [...tally(map.rows).values()].reduce((sum, n) => sum + n, 0);
    expect(drawn).toBe(pairs);
    expect(pairs).toBeGreaterThan(1_000);
  }
});

test('a cell run by itself, as a recipe, comes to the same', () => {
  const { map } = surveyed(BROKEN);
  const part = partOf(BROKEN);
  const seen = new Set<string>();
  for (const row of [0, 50, 126, 150, 158]) {
    const letters = unpack(map.rows[row] ?? '');
    for (let column = row + 1; column < letters.length; column += 43) {
      const fate = fateOf(letters.charAt(column));
      if (!fate) continue;
      const schedule = [row, column].map((boundary) => ({ kind: 0, boundary }));
      const shown = show(BROKEN, part, schedule);
      const expected = /^expect +violates (\S+)/m.exec(shown.recipe)?.[1];
      expect({ row, column, invariant: expected }).toEqual({ row, column, invariant: fate.invariant });
      seen.add(fate.verdict);
      if (column > row + 30) continue; // a few are enough for the slower look
      const { problems } = play(
        { page: 'found', name: 'found', line: 1, lines: shown.recipe.trimEnd().split('\n') },
        pages,
      );
      expect(problems).toEqual([]);
    }
  }
  expect([...seen].toSorted()).toContain('intact');
  expect(seen.size).toBeGreaterThan(1);
});

test('the place of a letter tells what the event met', () => {
  const { map } = surveyed(around(recipe, { events: ['nmi'] }));
  const [strip] = map.strips;
  const letters = unpack(strip?.cells ?? '');
  expect(map.pair).toBeUndefined();
  expect(letters).toHaveLength(map.last);
  // Before the first NMI is delivered, at the boundary where it waits, while it blocks, inside, and after all is over.
  expect(letters.replace(/(.)\1*/g, '$1')).toBe('omwno');
  const [given = 0] = map.given;
  expect(letters.indexOf('m')).toBe(given);
  const opens = map.stretches.findLast(({ name }) => name === 'int3_entry')?.to ?? 0;
  expect(letters.indexOf('n')).toBe(opens + 1);
  expect(byPlace(map).reduce((sum, { counts }) => sum + (counts.get('w') ?? 0), 0)).toBe(
    letters.replace(/[^w]/g, '').length,
  );
});

test('of two kinds of events, either may come first', () => {
  const { map, report } = surveyed(around(recipe, { events: ['mc', 'nmi'] }));
  expect(map.pair).toEqual(['mc', 'nmi']);
  expect(map.strips.map(({ event }) => event).toSorted()).toEqual(['mc', 'nmi']);
  const below = map.rows.some((row, n) => /[a-zA-Z]/.test(unpack(row).slice(0, n)));
  const above = map.rows.some((row, n) => /[a-zA-Z]/.test(unpack(row).slice(n + 1)));
  expect([below, above]).toEqual([true, true]);
  const placed = byPlace(map).map(({ counts }) => [...counts.values()].reduce((sum, n) => sum + n, 0));
  const all = [...tally(map.rows).values()].reduce((sum, n) => sum + n, 0);
  expect(placed.reduce((sum, n) => sum + n)).toBe(all);
  // The hole that the mail of 2016 names: a machine check opens the latch before the original record is copied.
  expect(report.violations.map(({ invariant }) => invariant)).toContain('I1');
  const first = map.stretches.find(({ name }) => name === 'nmi_from_kernel')?.from ?? 0;
  expect(unpack(map.rows[first] ?? '')).toContain(FATES.find(({ invariant }) => invariant === 'I1')?.letter);
});

test('what is told while a survey goes on stays so', () => {
  const run = survey(PAIR, pages);
  const early: SweepMap[] = [];
  let step = run.next();
  for (let n = 0; !step.done; n++) {
    if (n % 40 === 20) early.push(step.value.maker.map);
    step = run.next();
  }
  if ('problems' in step.value) throw new Error('no survey');
  const { map } = step.value;
  expect(early.length).toBeGreaterThan(2);
  for (const before of early)
    before.rows.forEach((row, n) => {
      expect(map.rows[n]).toBe(row);
    });
});

test('with a third event to come, a cell shows the worst, and its schedule leads there', () => {
  const ask = { ...RARELY, given: [], events: ['nmi', 'nmi', 'nmi'], window: 1 };
  const { map, maker } = surveyed(ask);
  const part = partOf(ask);
  let longer = 0;
  for (let row = 0; row < map.rows.length; row++) {
    const letters = unpack(map.rows[row] ?? '');
    for (let column = row + 1; column < letters.length; column += 20) {
      const letter = letters.charAt(column);
      if (letter === NOTHING || letter === '') continue;
      const schedule = maker.schedule(row, column) ?? [];
      expect(schedule.slice(0, 2).map(({ boundary }) => boundary)).toEqual([row, column]);
      if (schedule.length > 2) longer++;
      const { sentence, recipe: text } = show(ask, part, schedule);
      const invariant = /^expect +violates (\S+)/m.exec(text)?.[1];
      expect({ row, column, invariant }).toEqual({ row, column, invariant: fateOf(letter)?.invariant });
      expect(sentence === '').toBe(invariant === undefined);
    }
  }
  expect(longer).toBeGreaterThan(0);
});

test('a run that was found has a door under the name of a scenario, and the door opens that run', () => {
  const [found] = surveyed({ ...BROKEN, events: ['nmi'] }).report.violations;
  if (!found) throw new Error('nothing found');
  const opener = { pages, records, codec };
  const door = doorOf(found.recipe, found.step, opener);
  expect(door.recipe).toMatch(/^scenario (latch-opens-early|one-nmi) v0\n/);
  if (door.link === undefined) throw new Error('no link');
  const opened = openLink(door.link, opener);
  if (opened.kind === 'cannot-run') throw new Error(opened.sentence);
  expect(opened.timeline.broken.map(({ invariant }) => invariant)).toContain(found.invariant);
  expect(opened.timeline.cursor).toBe(Math.min(found.step, opened.timeline.frames.length - 1));
});

test('what cannot be swept is refused with a sentence', () => {
  const said = (ask: SweepAsk): string => {
    const made = surveyAll(ask, pages);
    return 'problems' in made ? made.problems.map(({ message }) => message).join('; ') : 'swept';
  };
  expect(said({ ...PAIR, events: ['smi'] })).toMatch(/^unknown event: smi/);
  expect(said({ ...PAIR, events: [] })).toBe('missing events');
  expect(said({ ...PAIR, starts: ['user-task'] })).toMatch(/^invalid position: task\+2/);
  expect(said({ ...PAIR, bodies: ['loud'] })).toMatch(/^unknown body: loud/);
  expect(said({ ...PAIR, without: ['test-z'] })).toMatch(/^unknown safeguard: test-z/);
  expect(said({ ...PAIR, without: ['test-c'], starts: ['syscall-gap'], given: [] })).toBe('swept');
  expect(said({ ...PAIR, design: 'linux-9' })).toMatch(/^unknown design: linux-9/);
});
