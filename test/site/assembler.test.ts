/** The assembler is for those who edit: pages run from programs that they were built with. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { serve } from '../../src/cli/serve.ts';
import { launch } from './browser.ts';

const ASSETS = 'dist/_astro';
/** A sentence that only the assembler says: chunks that hold it hold the assembler, whatever they are called. */
const SENTENCE = 'it hangs on its own length';
const chunks = readdirSync(ASSETS).filter(
  (name) => name.endsWith('.js') && readFileSync(`${ASSETS}/${name}`, 'utf8').includes(SENTENCE),
);

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
/** What the server was asked for: workers ask too. */
let asked: string[];
beforeAll(async () => {
  browser = await launch();
  site = await serve('dist');
  site.server.on('request', ({ url = '' }) => asked.push(url));
});
afterAll(async () => {
  await browser?.close();
  site?.server.close();
});
beforeEach(() => {
  asked = [];
});
afterEach(() => page?.context().close());

const assemblers = (): readonly string[] => asked.filter((url) => chunks.some((name) => url.endsWith(name)));
const programs = (): readonly string[] => asked.filter((url) => url.includes('virtual_program'));
async function open(path: string): Promise<void> {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(site.url + path);
}
const island = () => page.locator('.island').first();
async function ready(): Promise<void> {
  await page.locator('.island[data-ready=true]').first().waitFor();
}
async function scrub(): Promise<void> {
  const slider = page.getByRole('slider', { name: 'Time' });
  await slider.focus();
  for (const [key, boundary] of [
    ['End', '255'],
    ['Home', '0'],
  ] as const) {
    await slider.press(key);
    await expect.poll(() => island().getAttribute('data-boundary')).toBe(boundary);
  }
}

test('a page opens, scrubs and strikes elsewhere without the assembler; the first edit brings it', async () => {
  expect(chunks.length).toBeGreaterThan(0);
  await open('');
  await ready();
  await scrub();
  await page.getByRole('button', { name: /Fire an NMI/ }).click();
  await expect.poll(() => page.locator('.standing').first().innerText()).toContain('draft');
  expect(programs()).toHaveLength(1);
  expect(assemblers()).toEqual([]);

  await page.locator('summary', { hasText: 'Recipe' }).click();
  const field = page.getByRole('textbox', { name: 'Recipe' });
  const plain = (await field.inputValue()).replace(/^(expect|cursor|inject).*\n?/gm, '');
  await field.fill(
    `${plain}\ninject nmi at task+2\nedit linux-4.2#nested\n| nested_nmi:\n| nested_nmi_out:\n| 1: incq %rdx\n| jmp 1b`,
  );
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  await expect.poll(() => island().innerText(), { timeout: 20_000 }).toContain('edited: linux-4.2#nested');
  await expect.poll(() => page.locator('.standing').first().innerText()).toContain('draft');
  expect(assemblers()).toHaveLength(1);
});

test('a scenario without a safeguard has a program of its own', async () => {
  await open('s/without-test-b/v0/');
  await ready();
  await expect.poll(() => page.locator('.standing').first().innerText()).toContain('same as recorded');
  expect(programs()).toHaveLength(1);
  expect(assemblers()).toEqual([]);
});

test('a sweep that the reader may change opens without the assembler', async () => {
  await open('notebooks/labs/sweep/');
  const live = page.locator('.sweep').last();
  await live.scrollIntoViewIfNeeded();
  await expect.poll(() => live.getAttribute('data-ready')).toBe('true');
  await live.getByRole('button', { name: 'Run', exact: true }).hover(); // which warms the worker up
  await expect.poll(programs).not.toEqual([]);
  expect(assemblers()).toEqual([]);
});
