/**
 * A newcomer's path: the pages in the order in which one reads them. Each may bring three new terms, as the list of words
 * says which page tells which, and none may lean on a term that only a later page tells.
 */
import { expect, test } from 'vitest';
import { addressOfPage } from '../../src/components/address-of-page.ts';
import { pagePaths, readPage } from '../../src/literate/pages.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { bugsInOrder, designsInOrder, stepsInOrder } from '../../src/scenario/library.ts';
import { italicsOf, proseOf, words } from './words-of-pages.ts';

const MOST = 3;

const pages = libraryOnDisk();
const thread = 'index which-record nested same-ist warnings survival task-lost claims'.split(' ');

/** Pages of a folder, but for those that are named before. */
const restOf = (folder: string): readonly string[] => pagePaths().filter((path) => path.startsWith(folder));

/** Files of the path, in reading order: the navigation's, with the pages that each of its entries leads to. */
const PATH: readonly string[] = [
  ...new Set([
    'content/index.mdx',
    'notebooks/steps/index.mdx',
    ...stepsInOrder(pages).map(({ page }) => page),
    'notebooks/designs/index.mdx',
    ...designsInOrder(pages).map(({ page }) => page),
    ...restOf('notebooks/designs/'),
    'notebooks/labs/safeguards-4.2.mdx',
    ...thread.map((name) => `content/thread/${name}.mdx`),
    'content/bugs/index.mdx',
    ...bugsInOrder(pages).map(({ page }) => page),
    'content/bugs/unwinders.mdx',
    ...restOf('content/bugs/'),
    ...restOf('notebooks/labs/'),
  ]),
];

/** Pages that are for looking things up. */
const REFERENCE = /^content\/reference\//;

/** Words that are terms here and everyday words elsewhere, and one register: they count where they stand in italics. */
const EVERYDAY: ReadonlySet<string> = new Set(
  `CS clean design error link lost merged partial saved copied signal start blind`
    .split(/\s+/)
    .filter(Boolean),
);

const placeOf = (path: string): number => PATH.indexOf(path);
const tellerOf = (address: string): string => PATH.find((path) => addressOfPage(path) === address) ?? address;

/**
 * Paragraphs of prose, each in one line, with what its links lead to; without the words that are links, and without
 * quoted ones, which are others'.
 */
const paragraphsOf = (
  path: string,
): readonly { readonly text: string; readonly links: readonly string[] }[] =>
  proseOf(readPage(path))
    .join('\n')
    .split(/\n(?=\s*(?:\n|\* |\d+\. |\|))/)
    .map((paragraph) => ({
      text: paragraph
        .replace(/\s+/g, ' ')
        .replace(/\[[^\]]*\]\(\/[^)]*\)|`[^`]*`|<[^>]*>|\]\([^)]*\)|"[^"]*"/g, ' '),
      links: [...paragraph.matchAll(/\]\((\/[^)#]*)/g)].map(([, href = '']) => href),
    }));

test('every page is on the path or is for looking things up, and every word is told on the path', () => {
  expect(pagePaths().filter((path) => !PATH.includes(path) && !REFERENCE.test(path))).toEqual([]);
  expect(
    words.filter(({ told }) => !PATH.includes(tellerOf(told))).map(({ id, told }) => `${id}: ${told}`),
  ).toEqual([]);
});

test(`no page brings more than ${MOST} new terms`, () => {
  const told = Map.groupBy(words, ({ told }) => tellerOf(told));
  const tooMany = [...told].filter(([, all]) => all.length > MOST);
  expect(tooMany.map(([path, all]) => `${path}: ${all.map(({ id }) => id).join(', ')}`)).toEqual([]);
});

test('every first step has a picture and a cell that runs', () => {
  const bare = stepsInOrder(pages).filter(({ page: path }) => {
    const { cells, lines } = readPage(path);
    return !cells.some(({ kind }) => kind === 'run') || !lines.some((line) => /^<(Lab|SweepMap) /.test(line));
  });
  expect(bare.map(({ page }) => page)).toEqual([]);
  expect(stepsInOrder(pages).map(({ step }) => step)).toEqual(stepsInOrder(pages).map((_, n) => n + 1));
});

test('a term is introduced, in italics, by the page that tells it or by a later one', () => {
  const early = PATH.flatMap((path, at) => {
    const italics = new Set(italicsOf(path).map((one) => one.toLowerCase()));
    return words
      .filter(
        ({ names, told }) =>
          names.some((name) => italics.has(name.toLowerCase())) && placeOf(tellerOf(told)) > at,
      )
      .map(({ id, told }) => `${path}: ${id}, told by ${told}`);
  });
  expect(early).toEqual([]);
});

test('no page leans on a term that a later page tells, unless it leads there in the same paragraph', () => {
  const early = PATH.flatMap((path, at) => {
    const later = words.filter(({ told }) => placeOf(tellerOf(told)) > at);
    return paragraphsOf(path).flatMap(({ text, links }) =>
      later
        .filter(
          ({ names, told }) =>
            names.some(
              (name) =>
                !EVERYDAY.has(name) &&
                new RegExp(
                  `(?<![\\w#-])${name.replace(/[[\]]/g, '\\$&')}s?(?!\\w)`,
                  /^[A-Z]{1,3}$/.test(name) ? '' : 'i',
                ).test(text),
            ) && !links.includes(told),
        )
        .map(({ id, told }) => `${path}: ${id} (${told}): ${text.slice(0, 60)}`),
    );
  });
  expect(early).toEqual([]);
});
