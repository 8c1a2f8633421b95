import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MODEL } from '../../src/engine/model.ts';
import { OrcTable } from '../../src/image/orc.ts';
import { entriesText, readEntries, registryOnDisk } from '../../src/literate/registry.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { library, type Shelf, scenarioOf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { parse } from '../../src/scenario/recipe.ts';
import { recordOf } from '../../src/scenario/records.ts';
import {
  type FrozenRow,
  frozenRow,
  loadMentioned,
  registry,
  versionsOf,
} from '../../src/scenario/registry.ts';
import { filesChanged } from '../../src/scenario/registry-check.ts';
import { assemblesAlike, freeze, movedFrom, playRow } from '../../src/scenario/registry-freeze.ts';
import { fetchedRegistry, type RowText, readRow, rowText } from '../../src/scenario/registry-row.ts';
import { play, playRecipe } from '../../src/scenario/run.ts';
import { lab } from '../cli/lab.ts';
import { FOLDER, fileText, opener, shelvesOf } from './registry-fixture/fixture.ts';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const rowFiles = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder)
      .filter((file) => /\.v\d+\.json$/.test(file))
      .map((file) => [file, hashOf(readFileSync(join(folder, file), 'utf8'))]),
  );
const rowsOf = (folder: string): FrozenRow[] => {
  const disk = registryOnDisk(folder);
  return disk.entries.flatMap(({ slug, versions }) =>
    versions.map((version) => {
      const row = disk.row(slug, version);
      if (!row) throw new Error(`missing row: ${slug} v${version}`);
      return row;
    }),
  );
};
const first = (): FrozenRow => {
  const row = registryOnDisk(FOLDER).row('fixture-nmi', 1);
  if (!row) throw new Error('missing row');
  return row;
};

/** The pages of the fixture with one line of one cell replaced. */
const altered = (from: string, to: string) => (shelves: readonly Shelf[]) =>
  shelves.map((shelf) => ({
    ...shelf,
    asm: shelf.asm.map((cell) => ({ ...cell, lines: cell.lines.map((line) => line.replace(from, to)) })),
  }));

test('a row read from its text is written as the same text, and its code is what the assembler made', () => {
  for (const row of rowsOf(FOLDER)) {
    expect(rowText(readRow(JSON.parse(rowText(row)) as RowText))).toBe(rowText(row));
    expect(rowText(row)).toBe(fileText(`${row.slug}.v${row.version}.json`));
  }
  const row = first();
  const { image, code } = programOf(library(row.shelves), row.design);
  const { statements: _, hints: _hints, functions: _functions, ...rest } = image;
  expect(row.program).toEqual({ image: rest, code, problems: [] });
});

test('a frozen version runs its own bytes, whatever has become of the pages', () => {
  const text =
    'scenario fixture-nmi v1 design linux-4.2 body int3 inject nmi at task+2 inject nmi at int3_entry';
  const source = { page: 'mail', name: 'mail', line: 1, lines: [text] };
  const digests = (pages: ReturnType<typeof opener>['pages']) => {
    const { frames, problems } = play(source, pages);
    expect(problems).toEqual([]);
    return frames.map(({ digest }) => digest).join(' ');
  };
  const whole = digests(opener().pages);
  expect(digests(opener(altered('pushq\t$KERNEL_DS', 'pushq\t$0')).pages)).toBe(whole);
  expect(digests(opener(() => []).pages)).toBe(whole);
  const draft = { ...source, lines: [text.replace('v1', 'v0')] };
  const live = (change?: Parameters<typeof opener>[0]) =>
    play(draft, opener(change).pages)
      .frames.map(({ digest }) => digest)
      .join(' ');
  expect(live()).toBe(whole);
  expect(live(altered('pushq\t$KERNEL_DS', 'pushq\t$0'))).not.toBe(whole);
});

test('the bytes that run are those of the row, not what an assembler would make of its text', () => {
  const row = first();
  const bare = { ...row, shelves: row.shelves.map((shelf) => ({ ...shelf, asm: [] })) };
  expect(recordOf(playRow(bare), { traces: true })).toEqual(row.record);
});

test('an edit goes into the sources of the row', () => {
  const { pages } = opener(() => []);
  const recipe = parse({ page: '', name: '', line: 1, lines: first().recipe.split('\n') }).recipe;
  if (!recipe) throw new Error('missing recipe');
  const cell = first().shelves[0]?.asm.find(({ lines }) =>
    lines.some((line) => line.startsWith('nested_nmi_out:')),
  );
  const lines = (cell?.lines ?? []).flatMap((line) =>
    line.startsWith('nested_nmi_out:') ? [line, '        nop'] : [line],
  );
  const edit = { block: `linux-4.2#${cell?.name}`, lines };
  const run = playRecipe({ ...recipe, edits: [edit], expects: [] }, pages);
  expect(run.problems).toEqual([]);
  expect(run.counts.boundaries).toBe(first().record.boundaries + 1);
});

test('a version that is not there, or was frozen under another model, does not run, and says why', () => {
  const message = (version: number, pages = opener().pages) =>
    play(
      { page: 'p', name: 'n', line: 1, lines: [`scenario fixture-nmi v${version} design linux-4.2`] },
      pages,
    ).problems.map((one) => `${one.line}:${one.column} ${one.message}`);
  expect(message(7)).toEqual(['1:10 unknown version: fixture-nmi v7 (there is v0, v1, v2)']);
  const old = { ...first(), model: MODEL - 1 };
  expect(message(1, library([], registry([{ slug: 'fixture-nmi', versions: [1] }], [old])))).toEqual([
    `1:10 missing engine: fixture-nmi v1 was frozen under model ${MODEL - 1}, and this release brings only model ${MODEL}`,
  ]);
  expect(message(1, library([], registry([{ slug: 'fixture-nmi', versions: [1] }], [])))).toEqual([
    '1:10 missing row: fixture-nmi v1 is in the registry, but could not be read',
  ]);
  expect(
    play({ page: 'p', name: 'n', line: 1, lines: ['scenario mine v1 design linux-4.2'] }, opener().pages)
      .problems,
  ).toMatchObject([{ message: 'unknown version: mine v1 (v0 runs the pages as they are)' }]);
});

describe('freezing', () => {
  const sentences = (made: ReturnType<typeof freeze>) => ('problems' in made ? made.problems : []);
  const entry = { slug: 'fixture-nmi', versions: [1] };
  const pagesWith = (change: (shelves: readonly Shelf[]) => readonly Shelf[], rows = [first()]) =>
    library(change(shelvesOf(first())), registry([entry], rows));
  const cell = (from: string, to: string) => (shelves: readonly Shelf[]) =>
    shelves.map((shelf) => ({
      ...shelf,
      scenarios: shelf.scenarios.map((one) => ({
        ...one,
        lines: one.lines.map((line) => line.replace(from, to)),
      })),
    }));

  test('the pages that have not moved are not frozen twice; what moved is named', () => {
    const same = pagesWith((shelves) => shelves);
    expect(movedFrom(first(), same)).toBeUndefined();
    expect(sentences(freeze('fixture-nmi', same))).toEqual([
      'invalid version: fixture-nmi v2 would be v1 again, nothing has changed',
    ]);
    const moved = (change: (shelves: readonly Shelf[]) => readonly Shelf[]) =>
      movedFrom(first(), pagesWith(change));
    expect(moved(altered('pushq\t$KERNEL_DS', 'pushq\t$0'))).toMatch(
      /^the cell \w+ of notebooks\/designs\/linux-4.2.mdx differs$/,
    );
    expect(moved(cell('task+2', 'task+3'))).toBe('the recipe on content/fixture.mdx differs');
    expect(moved((shelves) => shelves.map((one) => ({ ...one, scenarios: [] })))).toBe(
      'its scenario is on no page',
    );
    expect(moved((shelves) => shelves.filter(({ slug }) => slug !== 'kernel-4.2'))).toBe(
      'notebooks/kernel-4.2.mdx is no longer included',
    );
    const down = (shelves: readonly Shelf[]) =>
      shelves.map((shelf) => ({ ...shelf, asm: shelf.asm.map((one) => ({ ...one, line: one.line + 9 })) }));
    expect(moved(down)).toBeUndefined();
  });

  test('the unwind table is frozen with the bytes: other hints, or another objtool, change nothing', () => {
    // A page of today, with hints.
    const live = libraryOnDisk();
    const made = freeze('e2-aligned', library([...live.values()]));
    if ('problems' in made) throw new Error(made.problems.join('\n'));
    const { row } = made;
    const { image } = row.program;
    expect(image.orc?.rows).toEqual(programOf(live, row.design, { without: ['clear-late'] }).image.orc?.rows);
    expect(movedFrom(row, live)).toBeUndefined();
    expect(assemblesAlike(row)).toBe(true);
    const rows = image.orc?.rows.map((one) =>
      one.type === 'call' ? { ...one, offset: one.offset + 8 } : one,
    );
    const program = { ...row.program, image: { ...image, orc: new OrcTable(rows ?? []) } };
    const other = { ...row, program };
    expect(movedFrom(other, live)).toBe('objtool makes another unwind table of it');
    expect(assemblesAlike(other)).toBe(false);
    // Whose row it is decides what ORC says of the run, and not what objtool would make of the text.
    expect(playRow(row).problems).toEqual([]);
    expect(playRow(other).problems.map(({ message }) => message)[0]).toMatch(/^expected orc-6.12 /);
  });

  test('a changed page becomes the next version, which runs as the page does', () => {
    const pages = pagesWith(cell('task+2', 'task+3'));
    const made = freeze('fixture-nmi', pages);
    if ('problems' in made) throw new Error(made.problems.join('\n'));
    expect(made.row).toMatchObject({
      slug: 'fixture-nmi',
      version: 2,
      model: MODEL,
      page: 'content/fixture.mdx',
    });
    const source = scenarioOf(pages, 'fixture-nmi');
    if (!source) throw new Error('missing scenario');
    const digests = (run: ReturnType<typeof play>) => run.frames.map(({ digest }) => digest).join(' ');
    expect(digests(playRow(made.row))).toBe(digests(play(source, pages)));
    expect(recordOf(play(source, pages)).steps.map(({ digest }) => digest)).toEqual(
      made.row.record.steps.map(({ digest }) => digest),
    );
    expect(made.row.text[0]).toBe('fixture-nmi v2: A second NMI in the wake of a breakpoint (linux-4.2)');
  });

  test('what does not run, or does not show what it expects, is not frozen', () => {
    expect(
      sentences(
        freeze(
          'nobody',
          pagesWith((shelves) => shelves),
        ),
      ),
    ).toEqual(['unknown scenario: nobody']);
    expect(sentences(freeze('fixture-nmi', pagesWith(cell('int3_entry', 'int4_entry'))))[0]).toMatch(
      /^content\/fixture\.mdx:\d+:\d+: unknown label: int4_entry/,
    );
    expect(sentences(freeze('fixture-nmi', pagesWith(cell('nmi-served 2', 'nmi-served 3'))))[0]).toMatch(
      /^content\/fixture\.mdx:\d+:\d+: expected nmi-served 3, got 2/,
    );
    const silent = pagesWith((shelves) =>
      cell('expect  count nmi-served 2', '')(cell('expect  verdict returns', '')(shelves)),
    );
    expect(sentences(freeze('fixture-nmi', silent))).toEqual([
      'missing expectation: fixture-nmi says nothing that could be held to it',
    ]);
    expect(sentences(freeze('fixture-old', opener().pages))).toEqual([
      'invalid scenario: fixture-old is called fixture-nmi now',
    ]);
  });

  test('a renamed scenario goes on counting where its old name stopped', () => {
    const shelves = shelvesOf(first()).map((shelf) => ({
      ...shelf,
      scenarios: shelf.scenarios.map((one) => ({
        ...one,
        name: 'fixture-new',
        lines: one.lines.map((line) =>
          line.replace('fixture-nmi', 'fixture-new').replace('task+2', 'task+3'),
        ),
      })),
    }));
    const entries = [
      { ...entry, alias: 'fixture-new' },
      { slug: 'fixture-new', versions: [] },
    ];
    const made = freeze('fixture-new', library(shelves, registry(entries, [first()])));
    expect(made).toMatchObject({ row: { slug: 'fixture-new', version: 2 } });
  });
});

test('lab freeze writes row, index and hash, and nothing twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-'));
  writeFileSync(join(folder, 'index.json'), entriesText([{ slug: 'one-nmi', versions: [] }]));
  writeFileSync(join(folder, 'hashes.txt'), '');
  const made = await lab(['freeze', 'one-nmi', '--registry', folder, '--json']);
  expect({ status: made.status, data: JSON.parse(made.stdout) }).toMatchObject({
    status: 0,
    data: { slug: 'one-nmi', version: 1, file: join(folder, 'one-nmi.v1.json') },
  });
  expect(readEntries(folder)).toEqual([{ slug: 'one-nmi', versions: [1] }]);
  expect(
    filesChanged(readEntries(folder), readFileSync(join(folder, 'hashes.txt'), 'utf8'), rowFiles(folder)),
  ).toEqual([]);
  expect(await lab(['freeze', 'one-nmi', '--registry', folder])).toMatchObject({
    status: 1,
    stderr: 'invalid version: one-nmi v2 would be v1 again, nothing has changed',
  });
  expect(await lab(['freeze'])).toMatchObject({ status: 2, stderr: 'missing scenario: lab freeze SLUG' });
  expect(await lab(['freeze', 'one-nmi', '--registry', '/nowhere'])).toMatchObject({
    status: 2,
    stderr: 'unknown registry: /nowhere has no index.json',
  });
  expect(await lab(['freeze', 'never', '--registry', folder])).toMatchObject({
    status: 2,
    stderr: 'unknown scenario: never',
  });
  expect(readdirSync(folder).sort()).toEqual(['hashes.txt', 'index.json', 'one-nmi.v1.json']);
});

test('in a browser a row comes when a text names it, and only then', async () => {
  const asked: string[] = [];
  const file = (name: string) => async () => {
    asked.push(name);
    return { default: JSON.parse(fileText(name)) as unknown };
  };
  const names = ['fixture-nmi.v1.json', 'fixture-nmi.v2.json'];
  const files = { ...Object.fromEntries(names.map((name) => [name, file(name)])) };
  const broken = { 'fixture-user.v1.json': () => Promise.reject(new Error('offline')) };
  const pages = library([], fetchedRegistry(readEntries(FOLDER), { ...files, ...broken }));
  expect(frozenRow(pages, 'fixture-nmi', 1)).toBeUndefined();
  await loadMentioned(pages, ['scenario fixture-nmi v0', 'see /s/other/v1#t3', '/s/fixture-nmi/v9']);
  expect(asked).toEqual([]);
  await loadMentioned(pages, [
    '> > scenario\n> > fixture-nmi   v1\n> > design',
    'https://x.example/s/fixture-nmi/v1#t3',
  ]);
  expect(asked).toEqual(['fixture-nmi.v1.json']);
  expect(frozenRow(pages, 'fixture-nmi', 1)?.record).toEqual(first().record);
  await loadMentioned(pages, ['/s/fixture-=\r\nold/v2 /s/fixture-nmi/v1', '/s/fixture-user/v1']);
  expect(asked).toEqual(names);
  expect(frozenRow(pages, 'fixture-old', 2)?.version).toBe(2);
  expect(frozenRow(pages, 'fixture-user', 1)).toBeUndefined();
  expect(versionsOf(pages, 'fixture-old')).toEqual([1, 2]);
});
