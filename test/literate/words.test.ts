/**
 * A newcomer's path, as far as a test can walk it: every term that a page introduces stands in the list of words, every
 * word leads to a page that uses it, and every link of every page leads somewhere.
 */
import { expect, test } from 'vitest';
import { addressOfPage } from '../../src/components/address-of-page.ts';
import { pagePaths, readPage } from '../../src/literate/pages.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { INVARIANTS } from '../../src/scenario/invariants.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { italicsOf, proseOf, WORDS, words } from './words-of-pages.ts';

/**
 * What pages set in italics and do not introduce: words that are stressed, states of a switch, names of a column. A new
 * term goes to the list of words; a new stress comes here.
 */
const STRESSED: ReadonlySet<string> = new Set(
  `
  A #VC handler leaves the interrupt stack at once. | acts as if | after | always | an NMI moves that
  stack before anything in it can raise #VC | another | another IDT | any | as it was | as it was found
  | before | beginning | blocks | Broken | changed | depends | entry | every | executes | first | In
  silence | inside | inside the guest | Interrupts of devices | kernel | Lands | last | looks | moves |
  NMIs, machine checks and debug exceptions | not | Not running | nothing blocks NMIs | Now | other |
  prints | processor | right | second | shuts down | Silently | stops | stops and says | Swept | task |
  that | the registers lie where the word at RSP leads | the saved registers lie at the stack pointer |
  their | they | this | volatile | wait for ENDBR64 | when | whenever an NMI strikes in the kernel, RSP
  is a good stack pointer. | wrong
  `
    .replace(/\s+/g, ' ')
    .split('|')
    .map((one) => one.trim()),
);

const paths = new Map(pagePaths().map((path) => [addressOfPage(path), path]));

/** What a heading is called in an address. */
const slugOf = (heading: string): string =>
  heading
    .replace(/<[^>]*>/g, '')
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');
const anchorsOf = (path: string): readonly string[] =>
  proseOf(readPage(path)).flatMap((line) => {
    const heading = /^#{2,} (.+)$/.exec(line)?.[1];
    return [
      ...(heading ? [slugOf(heading)] : []),
      ...[...line.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id),
    ];
  });

test('the words are sorted, each once, and there are about a hundred', () => {
  const letters = (name: string): string => name.toLowerCase().replace(/[^a-z\d]/g, '');
  const keys = words.map(({ names }) => letters(names.join('')));
  expect(keys).toEqual(keys.toSorted());
  expect(new Set(words.map(({ id }) => id)).size).toBe(words.length);
  expect(words.length).toBeGreaterThan(90);
  const bullets = proseOf(readPage(WORDS)).filter((line) => line.startsWith('* '));
  expect(bullets).toHaveLength(words.length); // none that this file cannot read
});

test.each(words)('$id leads to a page that says it', ({ names, told }) => {
  const path = paths.get(told);
  expect({ told, known: path !== undefined }).toEqual({ told, known: true });
  const { lines } = readPage(path ?? WORDS);
  const text = lines
    .join(' ')
    .replace(/<Rec is="(\w+)"[^>]*>/g, '$1')
    .replace(/<[^>]*>|[`*]/g, '');
  const said = names.filter((name) =>
    new RegExp(`(?<![\\w#])${name.replace(/[[\]]/g, '\\$&')}`, 'i').test(text),
  );
  expect(said).not.toHaveLength(0);
});

test('every term that a page of a design or a bug introduces is in the list', () => {
  const known = new Set(words.flatMap(({ names }) => names.map((name) => name.toLowerCase())));
  const isKnown = (term: string): boolean =>
    [term, term.replace(/s$/, ''), `${term} record`, `${term} NMI`].some((form) =>
      known.has(form.toLowerCase()),
    );
  const open = pagePaths()
    .filter((path) => /^(notebooks\/(designs\/|steps\/|[^/]+$)|content\/(bugs|thread)\/)/.test(path))
    .flatMap((path) => italicsOf(path).map((term) => ({ path, term })))
    .filter(({ term }) => !isKnown(term) && !STRESSED.has(term));
  expect(open).toEqual([]);
});

test('the numbers of invariants have their sentences on the same page', () => {
  expect(proseOf(readPage(WORDS))).toContain('<Invariants />');
  const last = Object.keys(INVARIANTS).at(-1);
  expect(words.flatMap(({ names }) => names)).toContain(`I1 to ${last}`);
});

test('every link from a page to a page leads somewhere, to the heading too', () => {
  const pages = libraryOnDisk();
  const broken = pagePaths().flatMap((path) =>
    proseOf(readPage(path)).flatMap((line, n) =>
      [...line.matchAll(/\]\(([/#][^)\s]*)\)/g)].flatMap(([, href = '']) => {
        const [address = '', anchor = ''] = href.split('#');
        const place = { path, line: n, href };
        const slug = /^\/s\/([\w-]+)\//.exec(address)?.[1];
        if (slug) return scenarioOf(pages, slug) ? [] : [place];
        if (address === '/s/' || address.startsWith('/reference/instructions/')) return [];
        const target = address === '' ? path : paths.get(address);
        if (target === undefined) return [place];
        return anchor === '' || anchorsOf(target).includes(anchor) ? [] : [place];
      }),
    ),
  );
  expect(broken).toEqual([]);
});
