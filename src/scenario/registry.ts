/**
 * What was published, and stays: names of scenarios, and versions with everything that a run of them needs.
 * Entries and rows are only ever added; see CONTRIBUTING, "Links are for ever".
 */
import type { Source } from '../asm/source.ts';
import { MODEL } from '../engine/model.ts';
import { known, type Library, library, type Shelf, scenarioOf } from './library.ts';
import type { Assembled } from './program.ts';
import { parse } from './recipe.ts';
import type { RecordedRun } from './records.ts';

/** A name that was given to a scenario. */
export interface RegistryEntry {
  readonly slug: string;
  /** Frozen versions, from 1, in order. */
  readonly versions: readonly number[];
  /** The name it lives under now, if it was renamed. */
  readonly alias?: string;
}

/** A version of a scenario as it was when it was frozen. */
export interface FrozenRow {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  /** `MODEL` of the engine that it was frozen with. */
  readonly model: number;
  /** Slug of its design's page. */
  readonly design: string;
  /** Path of the page that its recipe stood on. */
  readonly page: string;
  /** Canonical text. */
  readonly recipe: string;
  /** The design's page and every page that it includes: all of their assembly, so that an edit can be put in. */
  readonly shelves: readonly Shelf[];
  /** What these were assembled to, with the edits of the recipe and without its safeguards. */
  readonly program: Assembled;
  readonly record: RecordedRun;
  /** The run in words, a line each, as `lab run` printed it. */
  readonly text: readonly string[];
}

export interface Registry {
  readonly entries: readonly RegistryEntry[];
  /** A row, if it is here. In a browser it is once `load` has fetched it. */
  readonly row: (slug: string, version: number) => FrozenRow | undefined;
  /** Fetches a row that is not here yet; does nothing about one that does not exist. Never rejects. */
  readonly load: (slug: string, version: number) => Promise<void>;
}

/** A registry whose rows are all here. */
export function registry(entries: readonly RegistryEntry[], rows: readonly FrozenRow[]): Registry {
  const found = new Map(rows.map((row) => [`${row.slug} v${row.version}`, row]));
  return { entries, row: (slug, version) => found.get(`${slug} v${version}`), load: async () => {} };
}

export const EMPTY_REGISTRY: Registry = registry([], []);

const registryOf = (pages: Library): Registry => pages.registry ?? EMPTY_REGISTRY;

/** A name and the ones that took its place, in order; a circle of aliases ends where it closes. */
export function namesOf(pages: Library, slug: string): readonly [string, ...string[]] {
  const names: [string, ...string[]] = [slug];
  for (let name: string | undefined = slug; name !== undefined; ) {
    name = registryOf(pages).entries.find((entry) => entry.slug === name)?.alias;
    if (name === undefined || names.includes(name)) break;
    names.push(name);
  }
  return names;
}

/** Frozen versions of a scenario under all of its names since this one, in order. */
export const versionsOf = (pages: Library, slug: string): readonly number[] =>
  namesOf(pages, slug)
    .flatMap((name) => registryOf(pages).entries.find((entry) => entry.slug === name)?.versions ?? [])
    .toSorted((a, b) => a - b);

/** The name under which a version was frozen: this one, or one that took its place. */
const frozenAs = (pages: Library, slug: string, version: number): string | undefined =>
  namesOf(pages, slug).find((name) =>
    registryOf(pages).entries.some((entry) => entry.slug === name && entry.versions.includes(version)),
  );

/** A row by any name that led to it; undefined where there is none, or none yet. */
export function frozenRow(pages: Library, slug: string, version: number): FrozenRow | undefined {
  const name = frozenAs(pages, slug, version);
  return name === undefined ? undefined : registryOf(pages).row(name, version);
}

/** Fetches whatever rows a run or a link of this scenario draws on. */
async function loadRow(pages: Library, slug: string, version: number): Promise<void> {
  const name = frozenAs(pages, slug, version);
  if (name !== undefined) await registryOf(pages).load(name, version);
}

/** How recipes and links name a version: `scenario SLUG vN`, quoted or not, and `/s/SLUG/vN`. */
const MENTIONED = /(?:\/s\/|\bscenario[\s>]{1,40})([a-z0-9][a-z0-9-]{0,80})(?:\/|[\s>]{1,40})v(\d{1,6})/g;

/**
 * Fetches the rows of all scenarios that texts name, before somebody runs what they mean. Text of a reader: it may be
 * anything, and a soft line break of quoted-printable may stand in the middle of a name.
 */
export async function loadMentioned(pages: Library, texts: readonly string[]): Promise<void> {
  const all = texts.flatMap((text) => [...text.replace(/=\r?\n/g, '').matchAll(MENTIONED)]);
  const wanted = new Map(
    all.map(([, slug = '', version = '']) => [`${slug} ${version}`, [slug, Number(version)] as const]),
  );
  await Promise.all([...wanted.values()].map(([slug, version]) => loadRow(pages, slug, version)));
}

const libraries = new WeakMap<FrozenRow, Library>();

/** The pages as they were: the only ones that a frozen scenario knows. */
function libraryOf(row: FrozenRow): Library {
  const found = libraries.get(row);
  if (found) return found;
  const { edits = [], without = [] } =
    parse({ page: '', name: row.slug, line: 1, lines: row.recipe.split('\n') }).recipe ?? {};
  const made = library(
    row.shelves.map((shelf) =>
      shelf.slug === row.design
        ? { ...shelf, design: true, frozen: { edits, without, assembled: row.program } }
        : { ...shelf, design: false },
    ),
  );
  libraries.set(row, made);
  return made;
}

/**
 * The pages that a recipe of this name and version draws on: those of today for version 0, those of its row for a
 * frozen one. Never others: what is not there, or was frozen under another model, is a problem.
 */
export function pagesFor(
  pages: Library,
  slug: string,
  version: number,
): { readonly pages: Library } | { readonly problem: string } {
  if (version === 0) return { pages };
  const name = frozenAs(pages, slug, version);
  if (name === undefined) {
    const versions = [...(onPage(pages, slug) ? [0] : []), ...versionsOf(pages, slug)];
    const there =
      versions.length > 0
        ? known(
            'there is',
            versions.map((n) => `v${n}`),
          )
        : ' (v0 runs the pages as they are)';
    return { problem: `unknown version: ${slug} v${version}${there}` };
  }
  const row = registryOf(pages).row(name, version);
  if (!row) return { problem: `missing row: ${name} v${version} is in the registry, but could not be read` };
  if (row.model !== MODEL) {
    return {
      problem: `missing engine: ${name} v${version} was frozen under model ${row.model}, and this release brings only model ${MODEL}`,
    };
  }
  return { pages: libraryOf(row) };
}

/** The cell of a scenario by its name, or by one that it had before. */
export const onPage = (pages: Library, slug: string): Source | undefined =>
  namesOf(pages, slug).flatMap((name) => scenarioOf(pages, name) ?? [])[0];
