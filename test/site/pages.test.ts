/**
 * What holds on every page. The tests visit a page of each kind at the root; under the other base, as CI does, all the others too.
 */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { flaws, HERE, ready, visits } from './visit.ts';

const { open } = visits(HERE);

/** Addresses of the pages of a folder, without its index. */
const pagesIn = (folder: string, address: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.mdx') && name !== 'index.mdx')
    .map((name) => `${address}${name.replace(/\.mdx$/, '')}/`);

/** A page of each kind, and not the longest. */
const KINDS = [
  '',
  'reference/processor/',
  'thread/warnings/',
  'notebooks/designs/',
  'notebooks/designs/i386-latch/',
  'bugs/a7-untrusted-rsp/',
  'notebooks/labs/laboratory/',
  's/nested-nmi/v0/repeat_nmi/',
];
const OTHERS = [
  ...pagesIn('content/thread', 'thread/'),
  'thread/',
  's/',
  's/nested-nmi/v0/',
  ...pagesIn('content/reference', 'reference/'),
  'reference/',
  'notebooks/steps/',
  ...pagesIn('notebooks', 'notebooks/'),
  ...pagesIn('notebooks/steps', 'notebooks/steps/'),
  ...pagesIn('notebooks/labs', 'notebooks/labs/'),
  ...pagesIn('notebooks/designs', 'notebooks/designs/'),
  'bugs/',
  ...pagesIn('content/bugs', 'bugs/'),
].filter((path) => !KINDS.includes(path));
const PAGES = HERE === '/' ? KINDS : OTHERS;

test.runIf(HERE === '/')(
  'what is wrong is found: a faint text, an image without one, a page that is too wide',
  async () => {
    const page = await open('reference/processor/');
    await page.evaluate(() => {
      const parts = ['<p style="color:#aaa;background:#bbb">faint</p>', '<img src="/favicon.svg">'];
      document
        .querySelector('main')
        ?.insertAdjacentHTML('beforeend', parts.join('<hr style="width:3000px">'));
    });
    const found = await flaws(page);
    for (const flaw of [
      /1280: color-contrast/,
      /390: color-contrast/,
      /1280: image-alt/,
      /390: \d+ too wide$/,
    ])
      expect(found).toContainEqual(expect.stringMatching(flaw));
  },
);

let run = 0;

// What a reader's browser makes of every cell is what the tests make of it.
test.each(PAGES)(
  'axe finds nothing, nothing scrolls sideways, and every cell passes: /%s',
  async (path) => {
    const page = await open(path);
    if (await page.locator('.island[data-ready]').count()) await ready(page);
    expect(await flaws(page)).toEqual([]);
    for (const cell of await page.locator('.cell').all()) {
      // The island hydrates when seen, and a click waits for the button before it scrolls.
      await cell.scrollIntoViewIfNeeded();
      await cell.getByRole('button').click();
      const output = cell.getByRole('status');
      const title = await output.getAttribute('aria-label');
      await expect.poll(() => output.textContent()).not.toBe('');
      expect({ path, title, said: await output.textContent() }).toEqual({ path, title, said: 'passed' });
      run++;
    }
  },
  300_000, // a guard against hangs
);

test('there were cells', () => {
  expect(run).toBeGreaterThan(12);
});
