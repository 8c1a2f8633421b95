/** A frozen row as text: JSON with a line for each line of code, so that a reader of the repository can read it. */
import type { Shelf } from './library.ts';
import { type ProgramRow, programRow, readProgram } from './program-row.ts';
import type { RecordedRun } from './records.ts';
import type { FrozenRow, Registry, RegistryEntry } from './registry.ts';

/** What the file holds. */
export interface RowText extends ProgramRow {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  readonly model: number;
  readonly design: string;
  readonly page: string;
  readonly recipe: readonly string[];
  readonly pages: readonly {
    readonly slug: string;
    readonly page: string;
    readonly title: string;
    readonly cells: readonly {
      readonly name: string;
      readonly line: number;
      readonly lines: readonly string[];
    }[];
  }[];
  readonly record: RecordedRun;
  readonly text: readonly string[];
}

/** The row that a file holds. The file must be one that `rowText` wrote: the list of hashes vouches for it. */
export function readRow(row: RowText): FrozenRow {
  const shelves = row.pages.map(
    ({ slug, page, title, cells }): Shelf => ({
      slug,
      page,
      title,
      design: slug === row.design,
      asm: cells.map(({ name, line, lines }) => ({ page, name, line, lines })),
      scenarios: [],
    }),
  );
  const { slug, version, title, model, design, page, record, text } = row;
  const recipe = `${row.recipe.join('\n')}\n`;
  return {
    ...{ slug, version, title, model, design, page, recipe, record, text, shelves },
    program: readProgram(row),
  };
}

/** Name of a row's file in its folder. */
export const rowFile = (slug: string, version: number): string => `${slug}.v${version}.json`;

/** A registry whose rows are fetched one by one, by the names of their files. */
export function fetchedRegistry(
  entries: readonly RegistryEntry[],
  files: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>,
): Registry {
  const rows = new Map<string, FrozenRow>();
  return {
    entries,
    row: (slug, version) => rows.get(rowFile(slug, version)),
    async load(slug, version) {
      const file = rowFile(slug, version);
      if (rows.has(file)) return;
      try {
        const fetched = await files[file]?.();
        if (fetched) rows.set(file, readRow(fetched.default as RowText));
      } catch {
        // Not there, or not to be had offline: whoever looks for the row finds none and says so.
      }
    },
  };
}

/** The text of the row's file. */
export function rowText(row: FrozenRow): string {
  const { slug, version, title, model, design, page, recipe, shelves, program, record, text } = row;
  const file: RowText = {
    ...{ slug, version, title, model, design, page },
    recipe: recipe.trimEnd().split('\n'),
    pages: shelves.map((shelf) => ({
      slug: shelf.slug,
      page: shelf.page,
      title: shelf.title,
      cells: shelf.asm.map(({ name, line, lines }) => ({ name, line, lines })),
    })),
    ...programRow(program),
    record,
    text,
  };
  return `${laidOut(file, '')}\n`;
}

/** JSON with every list of plain values on one line, but lists of text with a line for each. */
function laidOut(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const plain = value.every((one) => typeof one !== 'object');
    const texts = plain && value.length > 0 && value.every((one) => typeof one === 'string');
    if (value.length === 0 || (plain && !texts)) return JSON.stringify(value);
    return `[\n${value.map((one) => inner + laidOut(one, inner)).join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{\n${fields.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${laidOut(one, inner)}`).join(',\n')}\n${indent}}`;
}
