import { expect, test } from 'vitest';
import { programsOf } from '../../src/literate/built.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { library } from '../../src/scenario/library.ts';
import { fetchedPrograms, fetchedText, parted, whenHere } from '../../src/scenario/on-demand.ts';
import { keyOf, programOf } from '../../src/scenario/program.ts';
import { unpackProgram } from '../../src/scenario/program-row.ts';
import { parse } from '../../src/scenario/recipe.ts';
import recorded from '../../src/scenario/records.json' with { type: 'json' };
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const programs = programsOf(pages);
const key = keyOf('linux-4.2', {});

test('the site is built with every design, and with what each scenario makes of it', () => {
  const keys = programs.map((one) => one.key);
  for (const { slug } of [...pages.values()].filter(({ design }) => design))
    expect(keys).toContain(keyOf(slug, {}));
  const recipes = [...pages.values()].flatMap(({ scenarios }) =>
    scenarios.map((source) => parse(source).recipe),
  );
  expect(recipes.length).toBeGreaterThan(10);
  for (const recipe of recipes) expect(keys).toContain(keyOf(recipe?.design ?? '', recipe ?? {}));
});

test('a program from the build is the program of its text', () => {
  for (const { key, row } of programs) {
    const [design, without, edited] = JSON.parse(key) as [string, string[], [string, string[]][]];
    const edits = edited.map(([block, lines]) => ({ block, lines }));
    const { image, code, problems } = programOf(pages, design, { without, edits });
    // What only assembling and checking text needs is left out.
    const { statements, hints, functions, alternatives, ...kept } = image;
    expect(statements).toBeDefined();
    expect(unpackProgram(row)).toEqual({ image: kept, code, problems });
  }
});

test('work is done again when what it lacked is here, each thing fetched once', async () => {
  let fetched = 0;
  const row = programs.find((one) => one.key === key)?.row;
  const file = async () => {
    fetched++;
    return { default: row };
  };
  const own = library([...pages.values()], undefined, fetchedPrograms({ [key]: file }));
  expect(() => programOf(own, 'linux-4.2')).toThrow('missing program: not fetched');
  const made = await whenHere(() => programOf(own, 'linux-4.2'));
  expect(made.image.statements).toBeUndefined(); // from the row, not from text
  expect(await whenHere(() => programOf(own, 'linux-4.2'))).toBe(made);
  expect(fetched).toBe(1);
});

test('a program that cannot be fetched is assembled from its text', async () => {
  const broken = () => Promise.reject(new Error('offline'));
  const own = library([...pages.values()], undefined, fetchedPrograms({ [key]: broken }));
  const made = await whenHere(() => programOf(own, 'linux-4.2'));
  expect(made.image.segments).toEqual(programOf(pages, 'linux-4.2').image.segments);
  expect(made.image.statements).toBeDefined();
});

/** Pages as a browser has them, and the names of what it has fetched. */
function apart() {
  const fetched: string[] = [];
  const parts = [...pages.values()].map((shelf) => ({ slug: shelf.slug, ...parted(shelf, recorded) }));
  const file = (name: string, value: unknown) => async () => {
    fetched.push(name);
    return { default: value };
  };
  const files = Object.fromEntries(parts.map(({ slug, text }) => [slug, file(slug, text)]));
  const text = fetchedText(
    parts.map(({ bare }) => bare),
    files,
  );
  const built = fetchedPrograms(
    Object.fromEntries(
      programs.map((one) => [one.key, text.beside(one.pages, file('program', one.row))] as const),
    ),
  );
  return {
    fetched,
    records: text.records,
    own: library(text.shelves, undefined, built),
    shelves: text.shelves,
  };
}

test('a run fetches its program and the text of its pages together, and a record with the page of its scenario', async () => {
  const { own, records, fetched } = apart();
  const source = {
    page: '',
    name: '',
    line: 1,
    lines: ['scenario own v0', 'design linux-4.2', 'inject nmi at task'],
  };
  expect(() => play(source, own)).toThrow('missing program: not fetched');
  const timeline = await whenHere(() => play(source, own));
  expect(timeline.frames).toEqual(play(source, pages).frames);
  expect(fetched.toSorted()).toEqual([
    'bodies-4.2',
    'exceptions-4.2',
    'kernel-4.2',
    'linux-4.2',
    'naive-ist',
    'program',
    'starts-4.2',
  ]);
  expect(() => records.latched).toThrow('missing text of i386-latch: not fetched');
});

test('all text and all records come back as they were', async () => {
  const { own, records, fetched } = apart();
  const all = await whenHere(() => JSON.stringify([[...own.values()], records]));
  const kept = Object.fromEntries(Object.keys(records).map((slug) => [slug, recorded[slug as 'nested-nmi']]));
  expect(JSON.parse(all)).toEqual(JSON.parse(JSON.stringify([[...pages.values()], kept])));
  expect(new Set(fetched).size).toBe(fetched.length);
});

test('text that cannot be fetched is a sentence with its page, and edited code needs nothing but text', async () => {
  const { shelves } = apart();
  const lost = fetchedText(
    [...pages.values()].map((shelf) => parted(shelf, {}).bare),
    { 'linux-4.2': () => Promise.reject(new Error('offline')) },
  );
  const read = () => lost.shelves.find(({ slug }) => slug === 'linux-4.2')?.asm[0]?.lines;
  await expect(whenHere(read)).rejects.toThrow('missing text: linux-4.2 (offline)');
  const edits = [{ block: 'linux-4.2#nested', lines: ['nested_nmi: hlt', 'nested_nmi_out: hlt'] }];
  const changed = await whenHere(() => programOf(library(shelves), 'linux-4.2', { edits }));
  expect(changed.image.segments).toEqual(programOf(pages, 'linux-4.2', { edits }).image.segments);
});

test('in a browser two programs are kept, those that were used last', () => {
  const own = library([...pages.values()], undefined, undefined, true);
  const [one, two] = [programOf(own, 'linux-4.2'), programOf(own, 'naive-ist')];
  expect(programOf(own, 'linux-4.2')).toBe(one);
  const three = programOf(own, 'i386-latch');
  expect(programOf(own, 'linux-4.2')).toBe(one);
  expect(programOf(own, 'i386-latch')).toBe(three);
  expect(programOf(own, 'naive-ist')).not.toBe(two);
});

test('what goes wrong otherwise is not tried again', async () => {
  let tried = 0;
  const work = () => {
    tried++;
    throw new Error('broken');
  };
  await expect(whenHere(work)).rejects.toThrow('broken');
  expect(tried).toBe(1);
});
