/** The doors under /s/ in a real browser, on the built site. Doors of frozen rows are in frozen.test.ts. */
import { existsSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { codec } from '../../src/literate/codec.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { doorsOf } from '../../src/scenario/doors.ts';
import { findNamed } from '../../src/scenario/named.ts';
import { linkTo } from '../../src/scenario/open-link.ts';
import recorded from '../../src/scenario/records.json' with { type: 'json' };
import type { Records } from '../../src/scenario/records.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import { runData, runText } from '../../src/scenario/run-text.ts';
import { boundary, flaws, ready, SITES, said, visits } from './visit.ts';

const DIST = SITES['/'];
const pages = libraryOnDisk();
const named = (slug: string) => {
  const found = findNamed(pages, slug, 0);
  if ('problem' in found) throw new Error(found.problem);
  return found.recipe;
};

test('every version has its page, its text and its JSON, and the newest one beside the name', () => {
  for (const { slug, versions } of doorsOf(pages)) {
    for (const version of versions) {
      // What is recorded is what a run shows: a check of its own holds that, and here it takes the time of a hundred runs.
      const record = (recorded as Records)[slug];
      const { steps } = record?.version === version ? record : playRecipe({ ...named(slug), version }, pages);
      const doors = ['', ...steps.map(({ checkpoint }) => `/${checkpoint}`)];
      for (const door of doors)
        for (const end of ['/index.html', '.txt', '.json']) {
          const file = `${DIST}/s/${slug}/v${version}${door}${end}`;
          expect({ file, there: existsSync(file) }).toEqual({ file, there: true });
        }
    }
    for (const file of [`${slug}/index.html`, `${slug}.txt`, `${slug}.json`])
      expect({ file, there: existsSync(`${DIST}/s/${file}`) }).toEqual({ file, there: true });
  }
});

test('text and JSON are what lab run prints, with recipe and link', () => {
  const run = playRecipe(named('nested-nmi'), pages);
  const at = run.steps.find(({ checkpoint }) => checkpoint === 'repeat_nmi')?.boundary ?? -1;
  const read = (file: string) => readFileSync(`${DIST}/s/nested-nmi${file}`, 'utf8');
  const link = (boundary: number) =>
    linkTo(named('nested-nmi'), run, boundary, { pages, records: {}, codec });
  for (const [file, boundary] of [
    ['', run.cursor],
    ['/v0', run.cursor],
    ['/v0/repeat_nmi', at],
  ] as const) {
    const text = `${runText(run, boundary)}\n\n${run.recipe}\nhttps://entrylab.example${link(boundary)}\n`;
    expect(read(`${file}.txt`)).toBe(text);
    expect(JSON.parse(read(`${file}.json`))).toEqual({
      ...JSON.parse(JSON.stringify(runData(run, boundary))),
      link: `https://entrylab.example${link(boundary)}`,
    });
  }
});

test('a door says its story without scripts', () => {
  const run = playRecipe(named('nested-nmi'), pages);
  const html = readFileSync(`${DIST}/s/nested-nmi/index.html`, 'utf8').replaceAll('&quot;', '"');
  for (const { checkpoint, boundary } of run.steps) {
    expect(html).toContain(`/s/nested-nmi/v0/${checkpoint}/`);
    expect(html).toContain(`>${boundary}<`);
  }
  expect(html).toContain('RSP starts again at T');
});

describe('in a browser', () => {
  const site = visits('/');
  const { open } = site;
  const main = (page: Page) => page.locator('main').innerText();

  test('the door without a version takes the newest on, and the address bar is a link', async () => {
    const page = await open('s/nested-nmi/');
    await ready(page);
    await expect.poll(() => new URL(page.url()).pathname).toBe('/s/nested-nmi/v0/');
    await page.getByRole('slider', { name: 'Time' }).focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.url()).toMatch(/\/s\/nested-nmi\/v0\/#t0~\w{8}$/);
  });

  test('a fragment at the door without a version is opened, not passed over', async () => {
    const page = await open('s/nested-nmi/#t25~ggggggg2');
    await ready(page);
    await expect.poll(() => said(page)).toMatch(/changed.*made for state ggggggg2/s);
    await expect.poll(() => boundary(page)).toBe(25);
  });

  test('without scripts a door shows its frame, and its moments lead on', async () => {
    const page = await open('s/nested-nmi/', { javaScriptEnabled: false });
    expect(await page.locator('.island').innerText()).toContain('nested_nmi_out');
    await page.getByText('Moments with an address of their own').click();
    await page.getByRole('link', { name: 'repeat_nmi', exact: true }).click();
    expect(new URL(page.url()).pathname).toBe('/s/nested-nmi/v0/repeat_nmi/');
    expect(await boundary(page)).toBe(25);
    expect(await page.locator('.moments [aria-current=page]').textContent()).toBe('repeat_nmi');
    // What is the same for all moments stands on the page of the run, a link away.
    expect(await page.locator('.code [aria-current=step]').count()).toBe(1);
    expect(await page.locator('.code li').count()).toBeLessThan(50);
    await page.locator('.code').getByRole('link', { name: 'the page of the run' }).click();
    expect(new URL(page.url()).pathname).toBe('/s/nested-nmi/v0/');
    expect(await page.locator('.code li').count()).toBeGreaterThan(300);
    await page.goBack();
    await page.getByText('The same run as a table').click();
    await page.locator('.steps').getByRole('link', { name: 'the page of the run' }).click();
    await page.getByText('The same run as a table').click();
    expect(await page.locator('.steps tbody tr').count()).toBe(
      playRecipe(named('nested-nmi'), pages).steps.length,
    );
  });

  test('the index is whole without scripts, and filtered with them, by keyboard alone', async () => {
    const plain = await open('s/', { javaScriptEnabled: false });
    const all = await plain.locator('tbody tr').count();
    expect(all).toBe(doorsOf(pages).length);
    expect(await plain.getByRole('searchbox').isVisible()).toBe(false);

    const page = await open('s/');
    const shown = () => page.locator('tbody tr:visible').count();
    const count = page.locator('output');
    expect(await shown()).toBe(all);
    await page.getByRole('searchbox', { name: 'Words' }).focus();
    await page.keyboard.type('BREAKPOINT second wake');
    expect(await shown()).toBe(1);
    expect(await count.innerText()).toBe(`1 of ${all}`);
    await page.keyboard.type(' nothing-of-the-kind');
    expect(await shown()).toBe(0);
    expect(await page.getByText('No scenario fits.').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await shown()).toBe(all);
    await page.keyboard.press('Tab');
    await page.getByRole('combobox', { name: 'Design' }).selectOption('linux-4.2');
    const design = await page.getByRole('combobox', { name: 'Design' }).inputValue();
    expect(await page.locator('tbody tr:visible td:nth-child(3)').allInnerTexts()).toEqual(
      Array.from({ length: await shown() }, () => design),
    );
    await page.getByRole('combobox', { name: 'Verdict' }).selectOption('returns');
    expect(await shown()).toBeGreaterThan(0);
    await page.locator('tbody tr:visible a').first().press('Enter');
    await ready(page);
  });

  test('no request carries what the reader wrote', async () => {
    const secret = 'kept-to-myself';
    const from = { pages, records: {}, codec };
    const recipe = named('nested-nmi');
    const cell = pages
      .get('linux-4.2')
      ?.asm.find(({ lines }) => lines.some((line) => line.startsWith('nested_nmi_out:')));
    const lines = [...(cell?.lines ?? []), `# ${secret}`];
    const edited = { ...recipe, edits: [{ block: `linux-4.2#${cell?.name}`, lines }], expects: [] };
    const link = linkTo(edited, playRecipe(edited, pages), 144, from) ?? '';
    expect(link).toContain('.z');
    const [path = '', fragment = ''] = link.split('#');
    const page = await open(`${path.slice(1)}/#${fragment}`);
    await ready(page);
    await expect.poll(() => boundary(page)).toBe(144);
    await page.locator('summary', { hasText: 'Recipe' }).click();
    const field = page.getByRole('textbox', { name: 'Recipe' });
    await field.fill(`scenario nested-nmi v0 title "${secret}" design linux-4.2 inject nmi at b4`);
    await page.getByRole('button', { name: 'Run', exact: true }).first().click();
    await expect.poll(() => page.url()).toContain('.n4');
    await page.goto(`${site.url}s/`);
    await page.getByRole('searchbox').fill(secret);
    const pieces = [secret, fragment, fragment.slice(0, 30), fragment.slice(-8), '.n4', '#'];
    for (const request of site.requests) {
      const sent = `${request.method()} ${request.url()} ${request.postData() ?? ''} ${JSON.stringify(await request.allHeaders())}`;
      expect(request.method()).toBe('GET');
      // The browser's own account of the page, the address without its fragment, is all that may name the door.
      for (const piece of pieces)
        expect({ piece, found: sent.includes(piece), sent }).toMatchObject({ found: false });
    }
    expect(site.requests.length).toBeGreaterThan(8);
    expect(site.requests.filter((request) => !request.url().startsWith(site.url))).toEqual([]);
  });

  test('an address that names nothing says which part of it, and opens nothing else', async () => {
    for (const [path, sentence, doors] of [
      ['s/nested-nmi/v0/never_there/#t3', 'Unknown checkpoint: never_there.', ['/s/nested-nmi/v0/#t3']],
      ['s/nested-nmi/v9/', 'Unknown version of nested-nmi: v9.', ['/s/nested-nmi/v0/']],
      ['s/never-there/v1/', 'Unknown scenario: never-there.', []],
      ['nowhere/', 'This address names no page', []],
    ] as const) {
      const page = await open(path);
      await expect.poll(() => main(page)).toContain(sentence);
      const links = page.locator('[data-link] a');
      expect(await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')))).toEqual(doors);
      expect(await page.locator('.island').count()).toBe(0);
      site.provoked(/status of 404|^404 /);
    }
  });

  test('axe finds nothing, and nothing scrolls sideways', async () => {
    for (const path of ['s/', '404.html']) {
      const page = await open(path);
      if (await page.locator('.island').count()) await ready(page);
      await page.evaluate(() => {
        for (const one of document.querySelectorAll('details.moments')) one.setAttribute('open', '');
      });
      expect(await flaws(page)).toEqual([]);
    }
  });
});
