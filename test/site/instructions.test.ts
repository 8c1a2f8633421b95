/** The instruction reference in a real browser, on the built site. */
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { BrowserContextOptions } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { INSTRUCTIONS, SPELLINGS } from '../../src/literate/instructions.ts';
import { flaws, HERE, SITES, visits } from './visit.ts';

const ROOT = 'reference/instructions/';

test('every family has a page within its budget, with its pseudo-code as text', () => {
  for (const { family, meanings } of INSTRUCTIONS) {
    const html = readFileSync(`${SITES['/']}/${ROOT}${family}/index.html`, 'utf8');
    expect(gzipSync(html).length, family).toBeLessThan(14_000);
    const first = meanings[0]?.lines.find((line) => /^\w+′ := \w+$/.test(line));
    if (first !== undefined) expect(html).toContain(first);
  }
  expect(gzipSync(readFileSync(`${SITES['/']}/${ROOT}index.html`)).length).toBeLessThan(14_000);
});

test('every spelling is an address that leads to its family, under its base', () => {
  for (const [spelling, family] of SPELLINGS) {
    const file = `${ROOT}${spelling}/index.html`;
    expect({ file, there: existsSync(`${SITES[HERE]}/${file}`) }).toEqual({ file, there: true });
    const html = readFileSync(`${SITES[HERE]}/${file}`, 'utf8');
    expect(html).toContain(`content="0;url=${HERE}${ROOT}${family}/"`);
    expect(html).toContain(`<a href="${HERE}${ROOT}${family}/">${family}</a>`);
    // Without an icon of its own a browser asks the host for one, where there may be none.
    expect(html).toContain(`<link rel="icon" href="${HERE}favicon.svg"`);
  }
});

describe('in a browser', () => {
  const site = visits('/');
  const open = (path: string, options?: BrowserContextOptions) => site.open(ROOT + path, options);

  test('a page says everything without scripts, and offers no control that needs one', async () => {
    const page = await open('xadd/', { javaScriptEnabled: false });
    const text = await page.locator('main').innerText();
    for (const part of [
      '0F C1 /r',
      'src′ := dst',
      'flags64 of dst + src',
      '#PF(code)',
      'SDM volume 2D',
      'It retires.',
    ])
      expect({ part, found: text.includes(part) }).toEqual({ part, found: true });
    expect(await page.getByRole('button', { name: 'Run' }).count()).toBe(0);
    expect(await page.getByText('run them again here').isVisible()).toBe(false);
  });

  test("an example runs, in the situation of the tests and in the reader's, by keyboard alone", async () => {
    const page = await open('xadd/');
    const example = page.locator('.example').first();
    const field = example.getByRole('textbox', { name: 'Before' });
    const said = example.getByRole('status');
    await field.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => said.innerText()).toBe('ran, the same');
    const later = (place: string) =>
      example.locator('tbody tr', { hasText: place }).locator('td').last().innerText();
    await field.fill('rcx=2 r12=40');
    await page.keyboard.press('Enter');
    await expect.poll(() => said.innerText()).toBe('ran, as you wrote it');
    expect([await later('r12'), await later('rcx')]).toEqual(['0x2a', '0x28']);
    await field.fill('rcx=two');
    await page.keyboard.press('Enter');
    await expect.poll(() => said.innerText()).toBe('invalid value: rcx=two');
  });

  test('a fault and a stop are told, and change when the situation does', async () => {
    const page = await open('div/');
    const ends = page.locator('.example .ends');
    const at = (await ends.allInnerTexts()).indexOf('It ends in #DE.');
    expect(at).toBeGreaterThan(0);
    const example = page.locator('.example').nth(at);
    const divisor = /div %(\w+)/.exec(await example.locator('h3').innerText())?.[1];
    await example.getByRole('textbox').fill(`rax=6 ${divisor}=3`);
    await example.getByRole('button').click();
    await expect.poll(() => example.locator('.ends').innerText()).toBe('It retires.');
  });

  test('the index is whole without scripts, and filtered with them', async () => {
    const plain = await open('', { javaScriptEnabled: false });
    expect(await plain.locator('tbody tr').count()).toBe(INSTRUCTIONS.length);
    expect(await plain.getByRole('searchbox').isVisible()).toBe(false);

    const page = await open('');
    const shown = () => page.locator('tbody tr:visible td:first-child a').allInnerTexts();
    await page.getByRole('searchbox', { name: 'Words' }).focus();
    await page.keyboard.type('latch');
    expect(await shown()).toEqual(['iretq']);
    await page.keyboard.press('Escape');
    expect(await shown()).toHaveLength(INSTRUCTIONS.length);
    await page.getByRole('combobox', { name: 'Model' }).selectOption('stops');
    expect(await shown()).toEqual(INSTRUCTIONS.filter(({ runs }) => !runs).map(({ family }) => family));
    await page.getByRole('combobox', { name: 'Model' }).selectOption('');
    await page.getByRole('combobox', { name: 'Group' }).selectOption('string');
    await page.locator('tbody tr:visible a').first().press('Enter');
    await page.waitForURL(/\/movs\/$/);
  });

  test('a spelling opens the page of its family', async () => {
    const page = await open('jnz/');
    await page.waitForURL(/\/jcc\/$/);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('jcc');
  });

  test('axe finds nothing, headings are in order, and nothing scrolls sideways', async () => {
    for (const path of ['', 'iretq/', 'mov-cr/']) {
      const page = await open(path);
      await page.evaluate(() => {
        for (const one of document.querySelectorAll('details')) one.setAttribute('open', '');
      });
      expect(await flaws(page)).toEqual([]);
    }
  });
});
