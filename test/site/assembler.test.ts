/** The assembler is for those who edit: pages run from programs that they were built with. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { boundary, ready, SITES, said, visits } from './visit.ts';

const ASSETS = `${SITES['/']}/_astro`;
/** A sentence that only the assembler says: chunks that hold it hold the assembler, whatever they are called. */
const SENTENCE = 'it hangs on its own length';
const chunks = readdirSync(ASSETS).filter(
  (name) => name.endsWith('.js') && readFileSync(`${ASSETS}/${name}`, 'utf8').includes(SENTENCE),
);

const site = visits('/');
const asked = (part: string): readonly string[] =>
  site.requests.map((request) => request.url()).filter((url) => url.includes(part));
const assemblers = (): readonly string[] => chunks.flatMap(asked);
const programs = (): readonly string[] => asked('virtual_program');
const island = (page: Page) => page.locator('.island').first();
async function scrub(page: Page): Promise<void> {
  const slider = page.getByRole('slider', { name: 'Time' });
  await slider.focus();
  for (const [key, at] of [
    ['End', 255],
    ['Home', 0],
  ] as const) {
    await slider.press(key);
    await expect.poll(() => boundary(page)).toBe(at);
  }
}

test('a page opens, scrubs and strikes elsewhere without the assembler; the first edit brings it', async () => {
  expect(chunks.length).toBeGreaterThan(0);
  const page = await site.open('');
  await ready(page);
  await scrub(page);
  await page.getByRole('button', { name: /Fire an NMI/ }).click();
  await expect.poll(() => said(page)).toContain('draft');
  expect(programs()).toHaveLength(1);
  expect(assemblers()).toEqual([]);

  await page.locator('summary', { hasText: 'Recipe' }).click();
  const field = page.getByRole('textbox', { name: 'Recipe' });
  const plain = (await field.inputValue()).replace(/^(expect|cursor|inject).*\n?/gm, '');
  await field.fill(
    `${plain}\ninject nmi at task+2\nedit linux-4.2#nested\n| nested_nmi:\n| nested_nmi_out:\n| 1: incq %rdx\n| jmp 1b`,
  );
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  await expect.poll(() => island(page).innerText()).toContain('edited: linux-4.2#nested');
  await expect.poll(() => said(page)).toContain('draft');
  expect(assemblers()).toHaveLength(1);
});

test('a scenario without a safeguard has a program of its own', async () => {
  const page = await site.open('s/without-test-b/v0/');
  await ready(page);
  await expect.poll(() => said(page)).toContain('same as recorded');
  expect(programs()).toHaveLength(1);
  expect(assemblers()).toEqual([]);
});

test('a sweep that the reader may change opens without the assembler', async () => {
  const page = await site.open('notebooks/labs/sweep/');
  const live = page.locator('.sweep').last();
  await live.scrollIntoViewIfNeeded();
  await expect.poll(() => live.getAttribute('data-ready')).toBe('true');
  await live.getByRole('button', { name: 'Run', exact: true }).hover(); // which warms the worker up
  await expect.poll(programs).not.toEqual([]);
  expect(assemblers()).toEqual([]);
});
