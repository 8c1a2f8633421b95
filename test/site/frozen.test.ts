/** Doors of frozen rows, which are those of the tests: the site has none before its first release. Built under another base only. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findNamed } from '../../src/scenario/named.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import { opener } from '../scenario/registry-fixture/fixture.ts';
import { boundary, flaws, HERE, ready, said, visits } from './visit.ts';

const site = visits(HERE);
const frozen = test.runIf(HERE !== '/');
const main = (page: Page) => page.locator('main').innerText();

frozen('a frozen version is fetched when it is opened, and runs as it was', async () => {
  const digest = (version: number, at: number) => {
    const from = opener();
    const found = findNamed(from.pages, 'fixture-nmi', version);
    if ('problem' in found) throw new Error(found.problem);
    return playRecipe(found.recipe, from.pages).frames[at]?.digest;
  };
  const page = await site.open(`s/fixture-nmi/v1/#t25~${digest(1, 25)}`);
  await ready(page);
  await expect.poll(() => boundary(page)).toBe(25);
  await expect.poll(() => said(page)).toMatch(/^same/);
  const rows = () =>
    site.requests.map((request) => request.url()).filter((url) => /fixture-[\w.-]*\.js$/.test(url));
  expect(rows().map((url) => /fixture-nmi\.v1/.test(url))).toEqual([true]);
  await page.getByRole('slider', { name: 'Time' }).focus();
  await page.keyboard.press('End');
  await expect.poll(() => page.url()).toMatch(/\/a\/b\/s\/fixture-nmi\/v1\/#t255~\w{8}$/);
  expect(await said(page)).toMatch(/^same/);
});

frozen('an old name opens, and says the name of today', async () => {
  const page = await site.open('s/fixture-old/v2/');
  await ready(page);
  expect(await main(page)).toContain('fixture-old is called fixture-nmi now');
  await expect.poll(() => said(page)).toMatch(/^same/);
  await page.getByRole('link', { name: 'v1', exact: true }).click();
  expect(new URL(page.url()).pathname).toBe('/a/b/s/fixture-old/v1/');
});

frozen('an address that names no moment of a frozen row says so', async () => {
  const page = await site.open('s/fixture-nmi/v1/here/');
  await expect.poll(() => main(page)).toContain('Unknown checkpoint: here.');
  const links = page.locator('[data-link] a');
  expect(await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')))).toEqual([
    '/a/b/s/fixture-nmi/v1/',
  ]);
  site.provoked(/status of 404|^404 /);
});

frozen('axe finds nothing, and nothing scrolls sideways', async () => {
  const page = await site.open('s/fixture-old/v1/');
  await ready(page);
  await page.evaluate(() => {
    for (const one of document.querySelectorAll('details.moments')) one.setAttribute('open', '');
  });
  expect(await flaws(page)).toEqual([]);
});
