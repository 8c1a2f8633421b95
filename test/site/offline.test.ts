/** The site without a network: what was opened opens again and works, and with a network nothing is old. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { precached, serviceWorker } from '../../src/cli/offline/offline.ts';
import { serve } from '../../src/cli/serve.ts';
import { boundary, HERE, ready, SITES, said, visits } from './visit.ts';

const site = visits(HERE);
const LABORATORY = 'notebooks/labs/laboratory/';

/** Paths of the pages that a browser keeps, from the root of the site. */
const kept = (page: Page): Promise<readonly string[]> =>
  page.evaluate(async (base) => {
    const names = (await caches.keys()).filter((name) => name.startsWith(`entrylab ${base} `));
    const found = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    const paths = found.flat().map(({ url }) => new URL(url).pathname.slice(base.length));
    return paths.filter((path) => path === '' || path.endsWith('/')).sort();
  }, HERE);

/** Opens a page as a first visit, and waits until the worker has it. */
async function visit(path: string): Promise<Page> {
  const page = await site.open(path, { serviceWorkers: 'allow' });
  await expect.poll(() => kept(page)).toContain(path);
  return page;
}

/** Another tab, without a network. */
async function offline(context: BrowserContext, path: string): Promise<Page> {
  await context.setOffline(true);
  const page = await context.newPage();
  await page.goto(site.url + path);
  return page;
}

/** What a browser says of each address that it could not reach, and of the answer that stands for it. */
const UNREACHED = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|503/;

test('without a network a new tab opens the laboratory, and an experiment runs in it to its end', async () => {
  const first = await visit(LABORATORY);
  await first.getByText(/^Kept on this machine: 1 page, /).waitFor();
  const context = first.context();
  await first.close();
  const page = await offline(context, LABORATORY);
  await ready(page);
  await page.locator('.travel').waitFor();
  const slider = page.getByRole('slider', { name: 'Time' });
  await slider.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('n');
  await expect.poll(() => boundary(page)).toBe(3);
  await page.keyboard.press('f');
  await expect.poll(() => said(page)).toMatch(/^draft, \d+ boundaries$/);
  await page.locator('.cpu').getByRole('button', { name: 'RIP', exact: true }).click();
  await expect.poll(() => page.locator('.origin').innerText()).toContain('delivering NMI 1');
  // The same on a design that nobody looked at before, and with code of one's own.
  await page.getByLabel('compare with').selectOption('design fred');
  await expect
    .poll(() => page.locator('.compare').getByRole('status').innerText())
    .toMatch(/^They part at NMI 1/);
  await page.getByText('Edit the entry code').click();
  const field = page.locator('.cm-content');
  await field.waitFor();
  await field.click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('nop\n');
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => said(page)).toMatch(/^draft, edited: /);
  site.tolerated(UNREACHED);
});

test('a page that was opened opens again, with what was not used; one that was not is named, with those that are', async () => {
  const page = await visit('thread/nested/');
  await page.goto(`${site.url}notebooks/labs/sweep/`);
  await expect
    .poll(() => kept(page))
    .toEqual(['notebooks/labs/laboratory/', 'notebooks/labs/sweep/', 'thread/nested/']);
  const again = await offline(page.context(), 'thread/nested/');
  await ready(again);
  await again.getByRole('slider', { name: 'Time' }).first().press('Home');
  await expect.poll(() => boundary(again)).toBe(0);
  const cell = again.locator('.cell').first();
  await cell.scrollIntoViewIfNeeded();
  await cell.getByRole('button').click();
  await expect.poll(() => cell.getByRole('status').textContent()).toBe('passed');
  await again.goto(`${site.url}notebooks/labs/sweep/`);
  const sweep = again.locator('.sweep').nth(2);
  await sweep.scrollIntoViewIfNeeded();
  await expect.poll(() => sweep.getAttribute('data-ready')).toBe('true');
  await sweep.getByLabel('second, anywhere').selectOption('');
  const run = sweep.getByRole('button', { name: 'Run', exact: true });
  if (await run.isEnabled()) await run.click(); // a quick machine does not wait for it
  await expect.poll(() => sweep.locator('.verdict').innerText()).toMatch(/at most one NMI/);
  await again.goto(`${site.url}thread/claims/`);
  await again.getByRole('heading', { name: 'No network, and this page was not opened before' }).waitFor();
  await again.getByRole('link', { name: `${HERE}thread/nested/` }).click();
  await ready(again);
  site.tolerated(UNREACHED);
});

let copy: string | undefined;
afterEach(() => {
  if (copy) rmSync(copy, { recursive: true });
  copy = undefined;
});

/** A copy of what the laboratory needs, which a test may change, and a page of it. */
async function changeable() {
  copy = mkdtempSync(join(tmpdir(), 'site-'));
  const folder = copy;
  for (const path of [
    '_astro',
    'sw.js',
    ...precached(SITES[HERE]).filter((one) => !one.startsWith('_astro')),
  ])
    cpSync(join(SITES[HERE], path), join(folder, path), { recursive: true });
  const { server, url } = await serve(folder, { base: HERE });
  const page = await site.open('404.html', { serviceWorkers: 'allow' });
  await page.goto(url + LABORATORY);
  await expect.poll(() => kept(page)).toContain(LABORATORY);
  return { folder, page, end: () => server.close() };
}

test('with a network the newest page is shown; a new build takes the place of the one before and of all it kept', async () => {
  const { folder, page, end } = await changeable();
  const [before] = await page.evaluate(() => caches.keys());
  const file = join(folder, LABORATORY, 'index.html');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/<h1>[^<]*/, '<h1>A newer laboratory'));
  await page.reload();
  await page.getByRole('heading', { name: 'A newer laboratory' }).waitFor();
  writeFileSync(join(folder, 'sw.js'), serviceWorker(folder, HERE));
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await expect.poll(() => page.evaluate(() => caches.keys())).toHaveLength(2);
  // The old one goes with the last page that came with it.
  const next = await page.context().newPage();
  const address = page.url();
  await page.close();
  const there = async () => {
    await next.goto('about:blank');
    // Time for the new one to begin: a page that comes at once would be the old one's again.
    await next.waitForTimeout(1000);
    await next.goto(address);
    return next.evaluate(() => caches.keys());
  };
  await expect.poll(there, { interval: 500 }).toHaveLength(1);
  expect(await there()).not.toContain(before);
  end();
});

test('a reader can be rid of it, and so can a site', async () => {
  const { folder, page, end } = await changeable();
  const left = () =>
    page.evaluate(async () => [
      ...(await caches.keys()),
      ...(await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
    ]);
  expect(await left()).toHaveLength(2);
  await page.getByRole('button', { name: 'Forget it, and keep nothing' }).click();
  await page.getByText('Nothing is kept on this machine, as you or this browser asked.').waitFor();
  await page.reload();
  await ready(page);
  expect(await left()).toEqual([]);
  await page.getByRole('button', { name: 'Keep it again' }).click();
  await expect.poll(() => kept(page)).toContain(LABORATORY);
  // What a site that keeps nothing has in the worker's place.
  cpSync('public/sw.js', join(folder, 'sw.js'));
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await expect.poll(left).toEqual([]);
  end();
});
