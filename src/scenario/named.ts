/** A scenario by name and version, wherever it is kept: on a page, in a frozen row, or under the name it has now. */
import type { Source } from '../asm/source.ts';
import { known, type Library, scenariosOf } from './library.ts';
import { parse, print } from './recipe.ts';
import type { Recipe } from './recipe-types.ts';
import { type Difference, differences, type RecordedRun, type Records, recordOf } from './records.ts';
import {
  EMPTY_REGISTRY,
  type FrozenRow,
  frozenRow,
  namesOf,
  onPage,
  pagesFor,
  versionsOf,
} from './registry.ts';
import { playRecipe } from './run.ts';
import type { Timeline } from './timeline.ts';

export interface Named {
  /** With the version that was asked for, and the slug under which it is kept. */
  readonly recipe: Recipe;
  /** Where its text stands; of a frozen one, its row. */
  readonly source: Source;
  /** The pages that it draws on: those of today, or those of its row. */
  readonly pages: Library;
  readonly row: FrozenRow | undefined;
  /** The name it lives under now, where that is another than the one asked for. */
  readonly renamed: string | undefined;
}

export interface Unknown {
  /** Why there is none, one sentence. */
  readonly problem: string;
  /** What was frozen, where it is only the engine that is missing. */
  readonly row: FrozenRow | undefined;
}

/**
 * Looks a scenario up. Version 0 is what the page says today, whatever version its cell gives. Never another
 * version than the one asked for.
 */
export function findNamed(pages: Library, slug: string, version: number): Named | Unknown {
  const names = namesOf(pages, slug);
  const last = names.at(-1);
  const renamed = last === slug ? undefined : last;
  const row = version === 0 ? undefined : frozenRow(pages, slug, version);
  const unknown = (problem: string): Unknown => ({ problem, row });
  const page = onPage(pages, slug);
  if (!page && !row && versionsOf(pages, slug).length === 0) {
    const frozen = (pages.registry ?? EMPTY_REGISTRY).entries.filter(({ versions }) => versions.length > 0);
    const there = new Set([...scenariosOf(pages), ...frozen.map((entry) => entry.slug)]);
    return unknown(`unknown scenario: ${slug}${known('there is', [...there].sort())}`);
  }
  const home = pagesFor(pages, slug, version);
  if ('problem' in home) return unknown(home.problem);
  const source = row
    ? {
        page: `${row.slug} v${row.version}`,
        name: row.slug,
        line: 1,
        lines: row.recipe.trimEnd().split('\n'),
      }
    : page;
  if (!source) {
    const frozen = versionsOf(pages, slug).map((n) => `v${n}`);
    return unknown(`unknown version: ${slug} v${version}${known('there is', frozen)}`);
  }
  const { recipe, problems } = parse(source);
  if (!recipe || problems.length > 0)
    return unknown(`invalid scenario: ${slug} (${problems[0]?.message ?? 'no recipe'})`);
  return { recipe: { ...recipe, version }, source, pages: home.pages, row, renamed };
}

/** What was recorded of a scenario: in its row, or of its draft when the pages were recorded last. */
export function recordedOf(
  pages: Library,
  records: Records,
  slug: string,
  version: number,
): RecordedRun | undefined {
  if (version > 0) return frozenRow(pages, slug, version)?.record;
  const record = namesOf(pages, slug)
    .toReversed()
    .flatMap((name) => records[name] ?? [])[0];
  // Where the cell gives a frozen version, the draft is the same text as a draft.
  return record && { ...record, version: 0, recipe: record.recipe.replace(/^(scenario \S+ v)\d+/, '$10') };
}

/**
 * In what a scenario differs today from what was recorded of it; undefined where nothing was.
 *
 * @param shown its run, whole and with the usual unwinders, where that has been made
 */
export function changesOf(
  { recipe, row }: Named,
  pages: Library,
  records: Records,
  shown?: Timeline,
): readonly Difference[] | undefined {
  const record = recordedOf(pages, records, recipe.slug, recipe.version);
  if (!record) return undefined;
  // Without its cursor: one that is no longer reached must not hide what still runs.
  const run = shown?.frames.length ? shown : playRecipe({ ...recipe, cursor: undefined }, pages);
  if (run.frames.length === 0) {
    return [
      {
        where: 'the whole run',
        field: 'outcome',
        recorded: `${record.verdict} after ${record.boundaries} boundaries`,
        now: `cannot run (${run.problems[0]?.message ?? 'nothing ran'})`,
      },
    ];
  }
  return differences(record, { ...recordOf(run, { traces: row !== undefined }), recipe: print(recipe) });
}

/** What a run is, apart from where one looks and what is said of it; what is usual is left out. */
const meaningOf = (recipe: Recipe): string =>
  print({
    ...recipe,
    ...{ title: undefined, notes: [], cursor: undefined, expects: [] },
    start: startOf(recipe),
    body: bodyOf(recipe),
  });

/** The start of a recipe; undefined for the usual one, whether it is written or not. */
export const startOf = ({ start }: Recipe): string | undefined =>
  start === 'kernel-task' ? undefined : start;

/** The handler's body of a recipe; undefined for the usual one, whether it is written or not. */
export const bodyOf = ({ body }: Recipe): string | undefined => (body === 'quiet' ? undefined : body);

/**
 * How a run stands to its record: in what it differs; undefined for a run that is not the named scenario's own, or
 * of which nothing was recorded.
 */
export function changesOfRun(
  timeline: Timeline,
  pages: Library,
  records: Records,
): readonly Difference[] | undefined {
  const named = findNamed(pages, timeline.slug, timeline.version);
  const { recipe } = parse({ page: '', name: '', line: 1, lines: timeline.recipe.split('\n') });
  if ('problem' in named || !recipe || meaningOf(recipe) !== meaningOf(named.recipe)) return undefined;
  return changesOf(named, pages, records);
}
