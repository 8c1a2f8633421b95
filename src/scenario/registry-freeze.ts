/** Making a frozen row of what the pages have, and telling whether they still have it. */
import { problemText } from '../asm/source.ts';
import { MODEL } from '../engine/model.ts';
import type { Image } from '../image/image.ts';
import { orcText } from '../image/orc.ts';
import { type Library, library, type Shelf, scenarioOf } from './library.ts';
import { programOf } from './program.ts';
import { parse, print } from './recipe.ts';
import type { Recipe } from './recipe-types.ts';
import { type Difference, differences, differenceText, recordOf } from './records.ts';
import {
  type FrozenRow,
  frozenRow,
  namesOf,
  onPage,
  type RegistryEntry,
  registry,
  versionsOf,
} from './registry.ts';
import { type RowText, readRow, rowText } from './registry-row.ts';
import { playRecipe } from './run.ts';
import { runText } from './run-text.ts';
import type { Timeline } from './timeline.ts';

/** A row to be, or the sentences that say why there is none. */
export type Frozen = { readonly row: FrozenRow } | { readonly problems: readonly string[] };

/**
 * The next version of a scenario from its page. Refused where the scenario does not run, does not show what it
 * expects, or is what the newest version has already.
 */
export function freeze(slug: string, pages: Library): Frozen {
  const refuse = (...problems: readonly string[]): Frozen => ({ problems });
  const source = scenarioOf(pages, slug);
  if (!source) {
    const now = namesOf(pages, slug).at(-1);
    return refuse(
      now !== slug ? `invalid scenario: ${slug} is called ${now} now` : `unknown scenario: ${slug}`,
    );
  }
  const { recipe: written, problems } = parse(source);
  if (!written || problems.length > 0) return refuse(...problems.map(problemText));
  const draft: Recipe = { ...written, version: 0 };
  const live = playRecipe(draft, pages, {}, { page: source.page, line: source.line, column: 1 });
  if (live.problems.length > 0) return refuse(...live.problems.map(problemText));
  if (draft.expects.length === 0)
    return refuse(`missing expectation: ${slug} says nothing that could be held to it`);

  const names = namesLeadingTo(pages, slug);
  const newest = Math.max(0, ...names.flatMap((name) => versionsOf(pages, name)));
  const [before] = names.flatMap((name) => frozenRow(pages, name, newest) ?? []);
  if (before && before.model === MODEL && movedFrom(before, pages) === undefined)
    return refuse(`invalid version: ${slug} v${newest + 1} would be v${newest} again, nothing has changed`);

  const row = rowOf({ ...written, version: newest + 1 }, source.page, pages);
  const [first] = differences(recordOf(live, { traces: true }), {
    ...row.record,
    recipe: recordOf(live).recipe,
  });
  if (first) return refuse(`invalid row: it does not run as the page does, ${differenceText(first)}`);
  return { row };
}

/** This name and those that it had before: a number is given once under all of them. */
const namesLeadingTo = (pages: Library, slug: string): readonly string[] => [
  slug,
  ...(pages.registry?.entries ?? [])
    .map((entry) => entry.slug)
    .filter((one) => one !== slug && namesOf(pages, one).includes(slug)),
];

/** The row of a recipe that runs, read back from its text: what is tested is what is written. */
function rowOf(recipe: Recipe, page: string, pages: Library): FrozenRow {
  const design = recipe.design ?? '';
  const program = programOf(pages, design, recipe);
  const title = recipe.title ?? recipe.slug;
  const empty = { version: recipe.version, recipe: '', verdict: '', boundaries: 0, steps: [] };
  const bare: FrozenRow = {
    ...{ slug: recipe.slug, version: recipe.version, title, model: MODEL, design, page },
    ...{ recipe: print(recipe), shelves: shelvesOf(pages, design), program, record: empty, text: [] },
  };
  const row = reread(bare);
  const timeline = playRow(row);
  return reread({
    ...row,
    record: recordOf(timeline, { traces: true }),
    text: runText(timeline, timeline.cursor).split('\n'),
  });
}

const reread = (row: FrozenRow): FrozenRow => readRow(JSON.parse(rowText(row)) as RowText);

/** The run of a row's own recipe, from the row alone. */
export function playRow(row: FrozenRow): Timeline {
  const { recipe } = parse({ page: '', name: row.slug, line: 1, lines: row.recipe.split('\n') });
  if (!recipe) throw new Error(`invalid row: ${row.slug} v${row.version}`);
  const entry: RegistryEntry = { slug: row.slug, versions: [row.version] };
  return playRecipe(recipe, library([], registry([entry], [row])));
}

/** In what a row runs otherwise than it was recorded; nothing, as long as its model is the engine's. */
export const driftOf = (row: FrozenRow): readonly Difference[] =>
  differences(row.record, recordOf(playRow(row), { traces: true }));

const INCLUDE = /^[^#]*\.include\s+"([^"#]+)#/;

/** The design's page and all that are included from there, however deep; the design first. */
function shelvesOf(pages: Library, design: string): readonly Shelf[] {
  const found = new Map<string, Shelf>();
  const visit = (slug: string): void => {
    const shelf = pages.get(slug);
    if (!shelf || found.has(slug)) return;
    found.set(slug, { ...shelf, scenarios: [] });
    for (const { lines } of shelf.asm)
      for (const line of lines) {
        const included = INCLUDE.exec(line)?.[1];
        if (included !== undefined) visit(included);
      }
  };
  visit(design);
  return [...found.values()];
}

/** What differs between a row and the pages of today, as a short clause; undefined if nothing does. */
export function movedFrom(row: FrozenRow, pages: Library): string | undefined {
  const source = onPage(pages, row.slug);
  const recipe = source && parse(source).recipe;
  if (!source || !recipe) return 'its scenario is on no page';
  if (print({ ...recipe, slug: row.slug, version: row.version }) !== row.recipe)
    return `the recipe on ${source.page} differs`;
  const now = shelvesOf(pages, row.design);
  const cells = (shelf: Shelf): readonly (readonly [string, string])[] =>
    shelf.asm.map(({ name, lines }) => [name, lines.join('\n')]);
  for (const shelf of row.shelves) {
    const today = now.find(({ slug }) => slug === shelf.slug);
    if (!today) return `${shelf.page} is no longer included`;
    const [before, after] = [cells(shelf), cells(today)];
    const changed = [...before, ...after].find(
      ([name, text]) =>
        !before.some((one) => one[0] === name && one[1] === text) ||
        !after.some((one) => one[0] === name && one[1] === text),
    );
    if (changed) return `the cell ${changed[0]} of ${today.page} differs`;
    if (before.some(([name], n) => after[n]?.[0] !== name))
      return `the cells of ${today.page} stand in another order`;
  }
  const more = now.find(({ slug }) => !row.shelves.some((shelf) => shelf.slug === slug));
  if (more) return `${more.page} is included now`;
  const { image } = programOf(pages, row.design, recipe);
  if (!sameBytes(row.program.image, image)) return 'the assembler makes other bytes of it';
  return sameRows(row.program.image, image) ? undefined : 'objtool makes another unwind table of it';
}

/** Whether today's assembler makes the bytes of a row from its sources, and objtool its unwind table. */
export function assemblesAlike(row: FrozenRow): boolean {
  const { recipe } = parse({ page: '', name: '', line: 1, lines: row.recipe.split('\n') });
  const { image } = programOf(library(row.shelves), row.design, recipe);
  return sameBytes(row.program.image, image) && sameRows(row.program.image, image);
}

const sameRows = (a: Image, b: Image): boolean => rowsText(a) === rowsText(b);
const rowsText = ({ orc }: Image): string =>
  orc?.rows.map((row) => `${row.address} ${orcText(row)}`).join('\n') ?? '';

const sameBytes = (a: Image, b: Image): boolean =>
  a.segments.length === b.segments.length &&
  a.segments.every(
    ({ name, address, bytes }, n) =>
      b.segments[n]?.name === name &&
      b.segments[n]?.address === address &&
      String(b.segments[n]?.bytes) === String(bytes),
  );
