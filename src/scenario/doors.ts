/** Every address under `/s/` that opens a run: all versions of all scenarios, under every name they ever had. */
import { type Library, scenariosOf } from './library.ts';
import { changesOf, findNamed, type Named } from './named.ts';
import { linkTo, type Opener } from './open-link.ts';
import type { Recipe } from './recipe-types.ts';
import type { Difference, Records } from './records.ts';
import { EMPTY_REGISTRY, type FrozenRow, versionsOf } from './registry.ts';
import { playRecipe } from './run.ts';
import { runData, runText } from './run-text.ts';
import type { Timeline } from './timeline.ts';

export interface Doors {
  readonly slug: string;
  /** Versions that open, the newest frozen one first, the draft last. */
  readonly versions: readonly [number, ...number[]];
}

/** What stands behind a door: a run at the door's checkpoint, or what was recorded of one that cannot be made here. */
export type Door =
  | {
      readonly kind: 'runs';
      readonly recipe: Recipe;
      readonly timeline: Timeline;
      /** Of the page that its text stands on, or stood on when it was frozen. */
      readonly page: string;
      readonly frozen: boolean;
      /** The name it lives under now, if it was renamed. */
      readonly renamed: string | undefined;
    }
  | { readonly kind: 'recorded'; readonly row: FrozenRow; readonly reason: string };

const found = new WeakMap<Library, readonly Doors[]>();

/** All names, in order. Looked for once in a library: every door asks. */
export function doorsOf(pages: Library): readonly Doors[] {
  const known = found.get(pages) ?? findDoors(pages);
  found.set(pages, known);
  return known;
}

function findDoors(pages: Library): readonly Doors[] {
  const published = (pages.registry ?? EMPTY_REGISTRY).entries.map(({ slug }) => slug);
  const slugs = [...new Set([...scenariosOf(pages), ...published])].sort();
  return slugs.flatMap((slug) => {
    const draft = 'problem' in findNamed(pages, slug, 0) ? [] : [0];
    const [newest, ...older] = [...versionsOf(pages, slug).toReversed(), ...draft];
    return newest === undefined ? [] : [{ slug, versions: [newest, ...older] }];
  });
}

const runsOf = new WeakMap<Library, Map<string, Timeline>>();

/** The run of a named scenario, made once: a door for each of its moments shows the same. */
export function playNamed(pages: Library, { recipe, source }: Pick<Named, 'recipe' | 'source'>): Timeline {
  const runs = runsOf.get(pages) ?? new Map<string, Timeline>();
  runsOf.set(pages, runs);
  const key = `${recipe.slug} v${recipe.version}`;
  const kept = runs.get(key);
  if (kept) return kept;
  const played = playRecipe(recipe, pages, {}, { page: source.page, line: source.line, column: 1 });
  // With a list of its own, so that the machine which could make more frames need not be kept: all are there.
  const run = { ...played, frames: [...played.frames] };
  runs.set(key, run);
  return run;
}

const compared = new WeakMap<Timeline, readonly Difference[] | undefined>();

/** In what a named run differs from what was recorded of it, found once; undefined where nothing was. */
export function changesOfNamed(
  pages: Library,
  named: Named,
  records: Records,
): readonly Difference[] | undefined {
  const run = playNamed(pages, named);
  if (!compared.has(run)) compared.set(run, changesOf(named, pages, records, run));
  return compared.get(run);
}

/** Opens a door; one of a checkpoint looks there. Throws for an address that is no door, with a sentence. */
export function openDoor(pages: Library, slug: string, version: number, checkpoint?: string): Door {
  const named = findNamed(pages, slug, version);
  if ('problem' in named) {
    if (named.row) return { kind: 'recorded', row: named.row, reason: named.problem };
    throw new Error(named.problem);
  }
  const { recipe, source, row, renamed } = named;
  const run = playNamed(pages, named);
  const step = run.steps.find((one) => one.checkpoint === checkpoint);
  const page = row?.page ?? source.page;
  const timeline = { ...run, cursor: step?.boundary ?? run.cursor };
  return { kind: 'runs', recipe, timeline, page, frozen: row !== undefined, renamed };
}

/** Names of the moments that have a door of their own. */
export const checkpointsOf = (door: Door): readonly string[] =>
  door.kind === 'runs'
    ? door.timeline.steps.map(({ checkpoint }) => checkpoint)
    : door.row.record.steps.map(({ checkpoint }) => checkpoint);

/** The whole link to what a door shows; `site` is the site's address without a slash at its end. */
export function doorLink(door: Door, opener: Opener, site: string): string {
  if (door.kind === 'recorded') return `${site}/s/${door.row.slug}/v${door.row.version}`;
  const { recipe, timeline } = door;
  return site + (linkTo(recipe, timeline, timeline.cursor, opener) ?? `/s/${recipe.slug}/v${recipe.version}`);
}

/** A door as plain text: what `lab run` prints, the recipe, the link. */
export function doorText(door: Door, opener: Opener, site: string): string {
  const text =
    door.kind === 'runs'
      ? runText(door.timeline, door.timeline.cursor)
      : [`cannot run: ${door.reason}; this was recorded:`, '', ...door.row.text].join('\n');
  const recipe = door.kind === 'runs' ? door.timeline.recipe : door.row.recipe;
  return `${text}\n\n${recipe}\n${doorLink(door, opener, site)}\n`;
}

/** A door as JSON: what `lab run --json` prints, and the link. */
export function doorJson(door: Door, opener: Opener, site: string): string {
  const link = doorLink(door, opener, site);
  const data =
    door.kind === 'runs'
      ? { ...runData(door.timeline, door.timeline.cursor), link }
      : { ...recordedData(door.row), problem: door.reason, link };
  return `${JSON.stringify(data, null, 2)}\n`;
}

const recordedData = ({ slug, version, record, recipe, text }: FrozenRow) => ({
  ...{ slug, version, steps: record.boundaries, verdict: record.verdict, recorded: record.steps },
  ...{ text, recipe },
});
