import { expect, test } from 'vitest';
import { programsOf } from '../../src/literate/built.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { library } from '../../src/scenario/library.ts';
import { fetchedPrograms, whenHere } from '../../src/scenario/on-demand.ts';
import { keyOf, programOf } from '../../src/scenario/program.ts';
import { unpackProgram } from '../../src/scenario/program-row.ts';
import { parse } from '../../src/scenario/recipe.ts';

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
    const [design, without] = JSON.parse(key) as [string, string[]];
    const { image, code, problems } = programOf(pages, design, { without });
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

test('what goes wrong otherwise is not tried again', async () => {
  let tried = 0;
  const work = () => {
    tried++;
    throw new Error('broken');
  };
  await expect(whenHere(work)).rejects.toThrow('broken');
  expect(tried).toBe(1);
});
