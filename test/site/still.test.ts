/** Nothing moves under the reader's hand while an island wakes up. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HERE, ready, visits } from './visit.ts';

interface LayoutShift extends PerformanceEntry {
  readonly value: number;
}
declare global {
  interface Window {
    /** Sum of all layout shifts since the page began. */
    moved: number;
  }
}

const site = visits(HERE);

/** Keeps the scripts of these names back until the answer is called. */
async function held(page: Page, names: RegExp): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(
    ({ pathname }) => names.test(pathname),
    async (route) => {
      await promise;
      await route.continue();
    },
  );
  return resolve;
}

/** Where the parts stand that a reader aims at, from the top of the document, once all of this frame is drawn. */
const places = (page: Page) =>
  page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    const top = (part: string) => {
      const found = document.querySelector(`.island ${part}`);
      if (!found) throw new Error(`missing ${part}`);
      return Math.round(scrollY + found.getBoundingClientRect().top);
    };
    return Object.fromEntries(['.panels', '.events', 'details.recipe'].map((part) => [part, top(part)]));
  });

test.each([
  ['notebooks/labs/laboratory/', 1280],
  ['notebooks/labs/laboratory/', 390],
  ['notebooks/designs/linux-4.2/', 390],
  ['s/nested-nmi/v0/after_int3/', 1280],
  ['s/nested-nmi/v0/after_int3/', 768],
])('/%s at %i pixels', async (path, width) => {
  // In a context of its own, with what watches and what holds back before its address.
  const page = await site.open('404.html', { viewport: { width, height: 900 } });
  await page.addInitScript(() => {
    window.moved = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.moved += (entry as LayoutShift).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const island = await held(page, /\/_astro\/Lab[^/]*\.js$/);
  const worker = await held(page, /\/_astro\/worker-(?!client)[^/]*\.js$/);
  await page.goto(site.url + path, { waitUntil: 'domcontentloaded' });
  const built = await places(page);
  island();
  await page.locator('.island[data-live]').first().waitFor();
  expect(await places(page)).toEqual(built);
  worker();
  await ready(page);
  await expect.poll(() => page.url()).toContain('#t');
  expect(await places(page)).toEqual(built);
  expect(await page.evaluate(() => window.moved)).toBeLessThan(0.02);
});
