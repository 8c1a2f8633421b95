/**
 * A registry of its own for tests: scenarios that are on no page of the site, frozen from the design as it was. A
 * change of the pages does not touch them; a change of the engine does, and that is what they are for.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codec } from '../../../src/literate/codec.ts';
import { entriesText, hashLine, readEntries, registryOnDisk } from '../../../src/literate/registry.ts';
import { libraryOnDisk } from '../../../src/literate/shelves.ts';
import { type Library, library, type Shelf } from '../../../src/scenario/library.ts';
import type { Opener } from '../../../src/scenario/open-link.ts';
import type { Records } from '../../../src/scenario/records.ts';
import { type FrozenRow, type RegistryEntry, registry } from '../../../src/scenario/registry.ts';
import { freeze } from '../../../src/scenario/registry-freeze.ts';
import { rowFile, rowText } from '../../../src/scenario/registry-row.ts';

export const FOLDER = 'test/scenario/registry-fixture';

/** Recipes of the fixture as a page would hold them, by name and then by version. */
const RECIPES: Readonly<Record<string, readonly string[]>> = {
  'fixture-nmi': [
    `scenario fixture-nmi v0
title   "A second NMI in the wake of a breakpoint"
design  linux-4.2
body    int3
inject  nmi at task+2
inject  nmi at int3_entry
cursor  nested_nmi_out
expect  verdict returns
expect  count nmi-served 2
`,
    `scenario fixture-nmi v0
title   "The same with a nop before the nested NMI leaves"
design  linux-4.2
body    int3
inject  nmi at task+2
inject  nmi at int3_entry
edit    linux-4.2#out
EDIT
cursor  nested_nmi_out
expect  verdict returns
`,
  ],
  'fixture-user': [
    `scenario fixture-user v0
title   "An NMI from user mode"
design  linux-4.2
start   user-task
inject  nmi at user_task+2
cursor  b9
expect  verdict returns
`,
  ],
};

const scenario = (name: string, text: string): Shelf => ({
  ...{ slug: 'fixture', page: 'content/fixture.mdx', title: 'Fixture', design: false, asm: [] },
  scenarios: [{ page: 'content/fixture.mdx', name, line: 5, lines: text.trimEnd().split('\n') }],
});

/** The cell that ends a nested NMI with a nop put before its end. */
function edited(pages: Library, text: string): string {
  const cell = pages
    .get('linux-4.2')
    ?.asm.find(({ lines }) => lines.some((line) => line.startsWith('nested_nmi_out:')));
  if (!cell) throw new Error('missing cell: nested_nmi_out');
  const lines = cell.lines.flatMap((line) =>
    line.startsWith('nested_nmi_out:') ? [`|${line}`, '|\tnop'] : [`|${line}`],
  );
  return text.replace('linux-4.2#out', `linux-4.2#${cell.name}`).replace('EDIT', lines.join('\n'));
}

/** Makes the rows anew from the pages of today. Only before the first release: rows are for ever. */
export function makeAnew(): void {
  for (const { slug, versions } of readEntries(FOLDER))
    for (const version of versions) rmSync(join(FOLDER, rowFile(slug, version)));
  const live = libraryOnDisk(registry([], []));
  const rows: FrozenRow[] = [];
  const entries = (): RegistryEntry[] => [
    ...Object.keys(RECIPES).map((slug) => ({
      slug,
      versions: rows.filter((row) => row.slug === slug).map(({ version }) => version),
    })),
    { slug: 'fixture-old', versions: [], alias: 'fixture-nmi' },
  ];
  let hashes = '';
  for (const [slug, texts] of Object.entries(RECIPES)) {
    for (const text of texts) {
      const shelves = [...live.values(), scenario(slug, edited(live, text))];
      const made = freeze(slug, library(shelves, registry(entries(), rows)));
      if ('problems' in made) throw new Error(made.problems.join('\n'));
      rows.push(made.row);
      const file = rowFile(slug, made.row.version);
      writeFileSync(join(FOLDER, file), rowText(made.row));
      hashes += hashLine(file, rowText(made.row));
    }
  }
  writeFileSync(join(FOLDER, 'index.json'), entriesText(entries()));
  writeFileSync(join(FOLDER, 'hashes.txt'), hashes);
}

/** Pages as they were when `fixture-nmi v1` was frozen: a draft of that name, and the design. */
export function shelvesOf(row: FrozenRow): readonly Shelf[] {
  const text = row.recipe.replace(' v1', ' v0');
  return [
    ...row.shelves.map((shelf) => ({ ...shelf, design: shelf.slug === row.design })),
    scenario(row.slug, text),
  ];
}

/** Everything read anew, so that nothing which ran before is remembered. `changed` may alter the pages. */
export function opener(
  changed: (shelves: readonly Shelf[]) => readonly Shelf[] = (shelves) => shelves,
  changedEntries: (entries: readonly RegistryEntry[]) => readonly RegistryEntry[] = (entries) => entries,
): Opener & { readonly records: Records } {
  const disk = registryOnDisk(FOLDER);
  const entries = changedEntries(disk.entries);
  const first = disk.row('fixture-nmi', 1);
  if (!first) throw new Error('missing row: fixture-nmi v1');
  const { traces: _, ...record } = { ...first.record, traces: undefined };
  const draft = { ...record, steps: record.steps.map(({ traces, ...step }) => step) };
  return {
    pages: library(changed(shelvesOf(first)), { ...disk, entries }),
    records: { 'fixture-nmi': draft },
    codec,
  };
}

export const fileText = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
