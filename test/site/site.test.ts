import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { boundary, HERE, ready, SITES, said, visits } from './visit.ts';

describe.each([HERE])('under %s', (base) => {
  const site = visits(base);
  const { open } = site;
  // One base is enough for what asks for nothing by an address: islands are the same under each.
  const once = test.runIf(base === '/');
  // Addresses are where a base can go wrong: they are asked for there.
  const based = test.runIf(base !== '/');
  const settled = (page: Page, n: number) => expect.poll(() => boundary(page)).toBe(n);
  const slider = (page: Page) => page.getByRole('slider', { name: 'Time' });
  const standing = (page: Page) => page.locator('.standing').first();

  test('without JavaScript the first frame, the steps and the prose are there', async () => {
    const page = await open('', { javaScriptEnabled: false });
    const island = page.locator('.island');
    for (const text of [
      'nested_nmi_out',
      'T-136',
      'S, task stack',
      'NMIs blocked',
      'stops early',
      'same as recorded, 255 boundaries',
    ]) {
      expect({ text, found: (await island.innerText()).includes(text) }).toEqual({ text, found: true });
    }
    await page.getByText('The same run as a table').click();
    const table = await page
      .getByRole('region', { name: 'Step table' })
      .or(page.locator('[aria-label="Step table"]'))
      .innerText();
    expect(table).toContain('RSP starts again at T');
    expect(table).toContain('after_int3');
    expect(await page.getByText('Fire an NMI').isVisible()).toBe(false);
    expect(await page.locator('.claim', { hasText: '125' }).first().innerText()).toBe('125');
  });

  once('the keyboard moves through the run, one boundary or one step at a time', async () => {
    const page = await open('');
    await ready(page);
    const head = slider(page);
    await head.focus();
    await head.press('Home');
    await settled(page, 0);
    await head.press('ArrowRight');
    await head.press('ArrowRight');
    await head.press('ArrowRight');
    await settled(page, 3);
    expect(await head.getAttribute('aria-valuetext')).toMatch(/boundary 3.*NMI 1 interrupts do_work\+0x11/);
    await head.press('PageUp');
    await settled(page, 17);
    await head.press(']');
    await settled(page, 25);
    await head.press('[');
    await settled(page, 17);
    await head.press('End');
    await settled(page, 255);
    await head.press('ArrowLeft');
    await settled(page, 254);
    const jump = page.getByRole('textbox', { name: /jump/i }).or(page.getByPlaceholder(/jump/i)).first();
    await jump.fill('repeat_nmi-2');
    await jump.press('Enter');
    await settled(page, 177);
  });

  once('a second NMI where the reader likes, and back', async () => {
    const page = await open('');
    await ready(page);
    await slider(page).focus();
    await slider(page).press('Home');
    await page.getByRole('button', { name: /Reset/ }).waitFor();
    for (const name of await page.getByRole('button', { name: /^Remove/ }).all()) await name.waitFor();
    await page
      .getByRole('button', { name: /^Remove/ })
      .last()
      .click();
    await expect.poll(() => page.getByRole('button', { name: /^Remove/ }).count()).toBe(1);
    await slider(page).press('PageUp');
    await page.getByRole('button', { name: /Fire an NMI/ }).click();
    await expect.poll(() => page.getByRole('button', { name: /^Remove/ }).count()).toBe(2);
    await expect.poll(() => said(page)).toContain('draft');
    await expect.poll(() => page.url()).toMatch(/#t\d+\.n2\.n\d+~/);
    await page.getByRole('button', { name: /Reset/ }).click();
    await expect.poll(() => said(page)).toBe('same as recorded, 255 boundaries');
  });

  based('the address bar holds the link, and the link opens the same boundary', async () => {
    const page = await open('');
    await ready(page);
    await slider(page).focus();
    await slider(page).press('Home');
    await slider(page).press('PageUp');
    await expect.poll(() => page.url()).toMatch(/#t3~[\dbcdfghjkmnpqrstvwxz]{8}$/);
    const fragment = new URL(page.url()).hash;
    await page.goto(`${site.url}s/nested-nmi/v0/${fragment}`);
    await ready(page);
    await settled(page, 3);
    await expect.poll(() => said(page)).toMatch(/^same/);
    // Nothing behind the hash ever leaves the machine.
    expect(site.requests.map((request) => request.url()).filter((url) => url.includes('~'))).toEqual([]);
  });

  based(
    'a link to another state says changed, a broken one says why, and the page stays usable',
    async () => {
      const page = await open('s/nested-nmi/v0/#t3~ggggggg2');
      await ready(page);
      await expect.poll(() => said(page)).toMatch(/changed.*made for state ggggggg2/s);
      for (const [fragment, sentence] of [
        ['#t9999~ggggggg2', 'invalid position: b9999'],
        ['#t3.n2.x9', 'x9'],
        ['#t3~', 'invalid digest'],
      ] as const) {
        const broken = await open(`s/nested-nmi/v0/${fragment}`);
        await ready(broken);
        await expect.poll(() => said(broken)).toContain('cannot run');
        expect(await standing(broken).innerText()).toContain(sentence);
        await slider(broken).focus();
        await slider(broken).press('End');
        await settled(broken, 255);
      }
    },
  );

  once(
    'a malformed recipe or assembly line is one sentence with its place, and nothing is lost',
    async () => {
      const page = await open('');
      await ready(page);
      await page.locator('summary', { hasText: 'Recipe' }).click();
      const field = page.getByRole('textbox', { name: 'Recipe' });
      const text = await field.inputValue();
      const attempt = async (changed: string, sentence: string, runs = false) => {
        await field.fill(changed);
        await page.getByRole('button', { name: 'Run', exact: true }).first().click();
        await expect.poll(() => page.locator('.island').first().innerText()).toContain(sentence);
        if (!runs) expect(await field.inputValue()).toBe(changed); // what runs is shown in its canonical form
        await slider(page).focus();
        await slider(page).press('Home');
        await settled(page, 0);
      };
      await attempt(
        text.replace('body    int3', 'body    loud'),
        'unknown body: loud (linux-4.2 has quiet, int3, pf-fixup, warn, gp-fixup, watchpoint, nmi-complete)',
      );
      await attempt(text.replace('nmi at task+2', 'nmi at tusk'), 'unknown label: tusk');
      await attempt(
        `${text}\nedit linux-4.2#nested\n| nested_nmi:\n| nested_nmi_out: pushqq %rdx`,
        'unknown mnemonic: pushqq',
      );
      const plain = text
        .split('\n')
        .filter((line) => !/^(expect|cursor)/.test(line))
        .join('\n');
      await attempt(
        `${plain}\nedit linux-4.2#nested\n| nested_nmi:\n| nested_nmi_out:\n| 1: incq %rdx\n| jmp 1b`,
        'no end after 200000 transitions',
        true,
      );
      await attempt('<img src=x onerror=alert(1)>', 'missing scenario');
    },
  );

  test('links keep the base and lead somewhere, to the heading too; no page is without a link to it', () => {
    const seen = new Set<string>();
    const headings: { readonly path: string; readonly target: string; readonly anchor: string }[] = [];
    const ids = new Map<string, ReadonlySet<string>>();
    const walk = (path: string): void => {
      const file = join(SITES[base], path, 'index.html');
      const html = readFileSync(file, 'utf8');
      ids.set(path, new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id = '']) => id)));
      for (const [, href = ''] of html.matchAll(/<a [^>]*href="([^"]+)"/g)) {
        if (/^(https?:|mailto:)/.test(href)) continue;
        const [clean = '', anchor = ''] = href.split('#');
        const inside = clean === '' || clean.startsWith(base);
        expect({ path, href, inside }).toEqual({ path, href, inside: true });
        const target = clean === '' ? path : clean.slice(base.length);
        // Behind the door of a scenario stands a state, which its page reads.
        if (anchor !== '' && !target.startsWith('s/')) headings.push({ path, target, anchor });
        if (seen.has(target)) continue;
        seen.add(target);
        const found = statSync(join(SITES[base], target), { throwIfNoEntry: false });
        expect({ path, href, found: found !== undefined }).toEqual({ path, href, found: true });
        if (found?.isDirectory()) walk(target);
      }
    };
    walk('');
    expect(seen.size).toBeGreaterThan(8);
    expect(headings.filter(({ target, anchor }) => !ids.get(target)?.has(anchor))).toEqual([]);
    expect(headings.length).toBeGreaterThan(8);
    // Every page is reached, but for the names of scenarios without a version, mnemonics with a size, and earlier names of pages.
    const lonely = readdirSync(SITES[base], { recursive: true, encoding: 'utf8' })
      .filter((file) => /(^|\/)index\.html$/.test(file))
      .map((file) => file.replace(/index\.html$/, ''))
      .filter((path) => !ids.has(path) && !/^s\/[^/]+\/$|^reference\/instructions\//.test(path));
    expect(lonely).toEqual(['notebooks/designs/linux-3.7/']);
    const [renamed = ''] = lonely;
    const refresh = `content="0; url=${base}notebooks/designs/linux-3.8/"`;
    expect(readFileSync(join(SITES[base], renamed, 'index.html'), 'utf8')).toContain(refresh);
  });

  test.runIf(base === '/a/b/')('each page and each block of code leads to its own source', () => {
    const html = readFileSync(join(SITES[base], 'notebooks/designs/linux-4.2/index.html'), 'utf8');
    const source = readFileSync('notebooks/designs/linux-4.2.mdx', 'utf8').split('\n');
    const edits = [
      ...html.matchAll(/href="https:\/\/edit\.example\/notebooks\/designs\/linux-4\.2\.mdx#L(\d+)"/g),
    ];
    const lines = edits.map(([, line]) => source[Number(line) - 1] ?? '');
    expect(lines.filter((line) => line.startsWith('```asm ')).length).toBe(
      source.filter((line) => line.startsWith('```asm ')).length,
    );
    expect(lines).toContain('---');
  });

  test('the policy allows wasm and refuses eval', async () => {
    const page = await open('');
    const [wasm, evaluated] = await page.evaluate(async () => {
      const header = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
      const outcome = (run: () => unknown) =>
        Promise.resolve()
          .then(run)
          .then(
            () => 'allowed',
            () => 'refused',
          );
      return [await outcome(() => WebAssembly.compile(header)), await outcome(() => new Function('1'))];
    });
    expect({ wasm, evaluated }).toEqual({ wasm: 'allowed', evaluated: 'refused' });
  });
});
