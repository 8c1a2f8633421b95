/** The pages that scenarios draw on, as data: this room never reads a file. */
import type { Source } from '../asm/source.ts';
import type { BuiltPrograms } from './on-demand.ts';
import type { Assembled, Variant } from './program.ts';
import type { Registry } from './registry.ts';

/** What the page of a historic bug says of it, beside its code. */
export interface BugFacts {
  /** `A1`: the letter is a family, the number a place in it. */
  readonly id: string;
  /** Kernels that had it. */
  readonly kernels: string;
  /** The commit that mended it. */
  readonly fix: string;
  /** `blind`: a sweep that was not told where to look found it; `confirmed`: it had to be led there. */
  readonly found: 'blind' | 'confirmed';
}

/** The cells of one page. */
export interface Shelf {
  /** Last part of the page's path without its ending: `linux-4.2`. Unique on the site. */
  readonly slug: string;
  /** Path from the root of the project. */
  readonly page: string;
  readonly title: string;
  /** Whether it lies under `notebooks/designs/` or `content/bugs/` and has code: then it may stand behind `design`. */
  readonly design: boolean;
  /** On the page of a historic bug: its code is a design that had one. */
  readonly bug?: BugFacts;
  /** Its place among designs in reading order; one that says none comes last. */
  readonly order?: number;
  /** Whether it tells how another event than the NMI is entered: what an NMI design must live with. */
  readonly neighbour?: boolean;
  /** Its place among the first steps, which a newcomer reads before any design. */
  readonly step?: number;
  /** Slug of the page that had its cells once, or its own before it was renamed: it answers to that name, too. */
  readonly formerly?: string;
  readonly asm: readonly Source[];
  readonly scenarios: readonly Source[];
  /** On a frozen design: what one variant of its cells was assembled to, once for all. */
  readonly frozen?: Variant & { readonly assembled: Assembled };
}

/** All pages, by slug. Never changed once made: programs assembled from it are kept. */
export interface Library extends ReadonlyMap<string, Shelf> {
  /** What was frozen of them; nothing, unless given. */
  readonly registry?: Registry;
  /** What the site was built with, so that it need not be assembled; nothing, unless given. */
  readonly built?: BuiltPrograms;
  /** Whether little may be kept of what is made from it: a page of a reader's has a few megabytes. */
  readonly frugal?: boolean;
}

/** Pages by slug. One that was renamed is found by both names, and stands once in a walk over all. */
class Shelves extends Map<string, Shelf> {
  override get(slug: string): Shelf | undefined {
    return super.get(slug) ?? [...this.values()].find(({ design, formerly }) => design && formerly === slug);
  }
}

/** A library of pages. Throws `duplicate page` or `duplicate scenario`, with both places. */
export function library(
  shelves: readonly Shelf[],
  registry?: Registry,
  built?: BuiltPrograms,
  frugal = false,
): Library {
  const pages = new Shelves();
  for (const shelf of shelves) {
    const other = pages.get(shelf.slug);
    if (other) throw new Error(`duplicate page: ${shelf.slug} (${other.page} and ${shelf.page})`);
    pages.set(shelf.slug, shelf);
  }
  const owners = new Map<string, string>();
  for (const { page, scenarios } of shelves) {
    for (const { name } of scenarios) {
      const other = owners.get(name);
      if (other) throw new Error(`duplicate scenario: ${name} (${other} and ${page})`);
      owners.set(name, page);
    }
  }
  return Object.assign(pages, { ...(registry && { registry }), ...(built && { built }), frugal });
}

/** The same pages, with nothing assembled yet: what is made from the copy goes with it. */
export const copyOf = (pages: Library): Library =>
  pages.registry ? Object.assign(new Shelves(pages), { registry: pages.registry }) : new Shelves(pages);

/** Where `page#block` stands now: a cell that has moved to another page keeps the name that links know. */
export const blockOf = (pages: Library, reference: string): string => {
  const [slug = '', block = ''] = reference.split('#');
  const has = (shelf: Shelf): boolean => shelf.asm.some(({ name }) => name === block);
  const page = pages.get(slug);
  if (page && has(page)) return `${page.slug}#${block}`;
  const heir = [...pages.values()].find((shelf) => shelf.formerly === slug && has(shelf));
  return heir ? `${heir.slug}#${block}` : reference;
};

/** The cell that `page#block` names. */
export const cellOf = (pages: Library, reference: string): Source | undefined => {
  const [slug = '', block = ''] = blockOf(pages, reference).split('#');
  return pages.get(slug)?.asm.find((cell) => cell.name === block);
};

/** The scenario cell with this slug, on whatever page it stands. */
export const scenarioOf = (pages: Library, slug: string): Source | undefined => {
  for (const shelf of pages.values()) {
    const found = shelf.scenarios.find((cell) => cell.name === slug);
    if (found) return found;
  }
  return undefined;
};

/** Slugs of all pages that are a design, those of bugs too, in order. */
export const designsOf = (pages: Library): readonly string[] =>
  [...pages.values()]
    .filter((shelf) => shelf.design)
    .map((shelf) => shelf.slug)
    .sort();

const LAST = 1000;

const placeOf = ({ neighbour = false, order = LAST }: Shelf): number => (neighbour ? LAST : 0) + order;

const familyOf = ({ bug }: Shelf): string => bug?.id.charAt(0) ?? '';
const numberOf = ({ bug }: Shelf): number => Number(bug?.id.slice(1));

/** The pages of all historic bugs, by family and number. */
export const bugsInOrder = (pages: Library): readonly Shelf[] =>
  [...pages.values()]
    .filter(({ bug }) => bug !== undefined)
    .toSorted((a, b) => familyOf(a).localeCompare(familyOf(b)) || numberOf(a) - numberOf(b));

/** All design pages in reading order, those of neighbours last, without those of bugs. */
export const designsInOrder = (pages: Library): readonly Shelf[] =>
  designsOf(pages)
    .flatMap((slug) => pages.get(slug) ?? [])
    .filter(({ bug }) => bug === undefined)
    .toSorted((a, b) => placeOf(a) - placeOf(b));

/** The first steps in reading order. */
export const stepsInOrder = (pages: Library): readonly Shelf[] =>
  [...pages.values()]
    .filter(({ step }) => step !== undefined)
    .toSorted((a, b) => (a.step ?? 0) - (b.step ?? 0));

/** Slugs of all scenarios, in order. */
export const scenariosOf = (pages: Library): readonly string[] =>
  [...pages.values()].flatMap((shelf) => shelf.scenarios.map((cell) => cell.name)).sort();

/** ` (did you mean x?)` or what there is, for an unknown name among a few. */
export const known = (what: string, names: readonly string[]): string =>
  names.length > 0 ? ` (${what} ${names.join(', ')})` : '';
