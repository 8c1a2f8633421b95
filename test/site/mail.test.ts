import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { openArgument, openerOnDisk } from '../../src/cli/commands/opened.ts';
import { mailFor } from '../../src/scenario/mail-out.ts';
import { linkTo } from '../../src/scenario/open-link.ts';
import { crlf, quote, quotedPrintable } from '../scenario/mailers.ts';
import { boundary, flawsAsShown, HERE, LOOKS, ready, said, visits } from './visit.ts';

const opener = openerOnDisk();
const named = openArgument('nested-nmi', undefined, opener);
if ('problems' in named) throw new Error(named.problems.join('\n'));

/** The block for a boundary of the named scenario, as `lab mail` makes it. */
function expected(site: string, boundary: number, changelog = false): string {
  const { recipe, timeline } = named as Exclude<typeof named, { problems: unknown }>;
  const link = linkTo(recipe, timeline, boundary, opener) ?? '';
  return mailFor(timeline, recipe, boundary, site.replace(/\/$/, '') + link, { changelog }).text;
}

describe.each([HERE])('mail under %s', (base) => {
  const site = visits(base);
  // One base is enough for what asks for nothing by an address.

  async function open(options?: BrowserContextOptions): Promise<Page> {
    const page = await site.open('', options);
    await ready(page);
    return page;
  }
  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const text = (page: Page) => page.getByRole('textbox', { name: /^Text of the/ });
  const notes = (page: Page) => page.locator('.mail .notes');
  const fold = (page: Page) => page.locator('details.paste');
  const pasted = (page: Page) => page.getByRole('textbox', { name: 'Pasted text' });
  const understood = (page: Page) => fold(page).locator('.understood');
  const jump = async (page: Page, to: string) => {
    await page.getByPlaceholder('jump to').fill(to);
    await page.getByPlaceholder('jump to').press('Enter');
  };

  test('copy for mail: the clipboard has the bytes of lab mail, for the moment in view', async () => {
    const page = await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    expect(await text(page).count()).toBe(0);
    await button(page, 'Copy for mail').click();
    await expect.poll(() => text(page).inputValue()).toBe(expected(site.url, 144));
    await button(page, 'Copy mail').click();
    await expect.poll(() => page.locator('.mail output').innerText()).toBe('Copied');
    expect(await copied()).toBe(expected(site.url, 144));
    // The link is of the moment in view, however soon after a move it is asked for.
    for (const at of [144, 25]) {
      await jump(page, `b${at}`);
      await expect.poll(() => boundary(page)).toBe(at);
      await button(page, 'Copy link').click();
      const [whole = ''] = /http:\S+$/m.exec(expected(site.url, at)) ?? [];
      await expect.poll(copied).toBe(whole);
    }
    await expect.poll(() => text(page).inputValue()).toBe(expected(site.url, 25));
    await page.getByRole('radio', { name: 'changelog' }).check();
    await expect.poll(() => text(page).inputValue()).toBe(expected(site.url, 25, true));
    await button(page, 'Copy changelog').click();
    await expect.poll(copied).toBe(expected(site.url, 25, true));
    await expect.poll(() => notes(page).innerText()).toContain('nested-nmi v0 is a draft and may change');
    // The link in the block opens the moment it speaks of.
    const [, link = ''] = /^Link: (\S+)$/m.exec(await text(page).inputValue()) ?? [];
    await page.goto(link);
    await ready(page);
    await expect.poll(() => boundary(page)).toBe(25);
  });

  test('what is written is read as a maintainer would, and is kept while the playhead moves', async () => {
    const page = await open();
    await button(page, 'Copy for mail').click();
    await expect.poll(() => notes(page).innerText()).toContain('The linter has nothing to object to.');
    await text(page).press('Control+Home');
    await page.keyboard.type('This patch fixes do_nmi.\n');
    await expect.poll(() => notes(page).innerText()).toContain('The linter has 2 objections.');
    expect(await notes(page).innerText()).toContain(
      'give the code an order instead of a report on the patch\nDocumentation/process/submitting-patches.rst, "Describe your changes"',
    );
    await notes(page).getByRole('button', { name: '1:18' }).press('Enter');
    expect(await text(page).evaluate((field: HTMLTextAreaElement) => field.selectionStart)).toBe(17);
    await expect(text(page).evaluate((field) => field === document.activeElement)).resolves.toBe(true);
    await jump(page, '25');
    await expect.poll(() => page.locator('.mail .actions').innerText()).toContain('the playhead is at 25');
    expect(await text(page).inputValue()).toBe(`This patch fixes do_nmi.\n${expected(site.url, 144)}`);
    await button(page, 'Discard edits').click();
    await expect.poll(() => text(page).inputValue()).toBe(expected(site.url, 25));
  });

  test('where the clipboard is refused the text is selected, and that is said', async () => {
    const page = await open();
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
    });
    await button(page, 'Copy for mail').click();
    await button(page, 'Copy mail').click();
    await expect.poll(() => page.locator('.mail output').innerText()).toContain('copy it by hand');
    const [from, to] = await text(page).evaluate((field: HTMLTextAreaElement) => [
      field.selectionStart,
      field.selectionEnd,
    ]);
    expect([from, to]).toEqual([0, expected(site.url, 144).length]);
  });

  test('a quoted mail is told, then runs to the state its link was made for; nothing leaves the machine', async () => {
    const page = await open();
    await jump(page, '3');
    await expect.poll(() => boundary(page)).toBe(3);
    await fold(page).locator('summary').first().click();
    const before = site.requests.length;
    const secret = 'a word that nobody else needs to know';
    const mail = expected('https://nmi.example.org', 144);
    await pasted(page).fill(crlf(quotedPrintable(quote(quote(`${secret}\n\n${mail}`)))));
    await expect
      .poll(() => understood(page).innerText())
      .toContain('The link beside it means the same moment');
    expect(await understood(page).innerText()).toContain('inject  nmi at int3_entry');
    expect(await understood(page).locator('.ignored').innerText()).toContain(secret);
    expect(await boundary(page)).toBe(3); // told, not run
    await fold(page).getByRole('button', { name: 'Run' }).click();
    await expect.poll(() => boundary(page)).toBe(144);
    await expect.poll(() => said(page)).toMatch(/^same/);
    const [, digest = ''] = /#t144~(\w+)$/m.exec(mail) ?? [];
    await expect.poll(() => page.url()).toMatch(new RegExp(`#t144~${digest}$`));
    await fold(page).getByRole('button', { name: 'Go to the run' }).click();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('slider');
    // All that was asked for are files of the site itself.
    const asked = site.requests.map((request) => `${request.url()} ${request.postData() ?? ''}`.trim());
    const later = asked.slice(before);
    expect(later.filter((url) => !/\/(_astro\/[\w.-]+\.js|favicon\.svg)$/.test(url))).toEqual([]);
    expect(asked.join(' ')).not.toMatch(/secret|nobody|~|%7E/i);
  });

  test('a mistake is one sentence with its place; the last run and the text stay', async () => {
    const page = await open();
    await fold(page).locator('summary').first().click();
    const wrong = quote(expected('https://nmi.example.org', 144)).replaceAll('body    int3', 'body    loud');
    await pasted(page).fill(wrong);
    await fold(page).getByRole('button', { name: 'Run' }).click();
    const line = wrong.split('\n').findIndex((one) => one.includes('loud')) + 1;
    await expect
      .poll(() => fold(page).locator('.said').innerText())
      .toContain(`cannot run: ${line}:13 unknown body: loud`);
    expect(await pasted(page).inputValue()).toBe(wrong);
    expect(await boundary(page)).toBe(144);
    await understood(page)
      .getByRole('button', { name: `${line}:13` })
      .click();
    const at = await pasted(page).evaluate((field: HTMLTextAreaElement) => field.selectionStart);
    expect(wrong.slice(at, at + 4)).toBe('loud');
    for (const [text, sentence] of [
      ['<img src=x onerror=alert(1)>', 'missing scenario: neither'],
      ['/s/nested-nmi/v9#t3', 'unknown version: nested-nmi v9'],
      ['#t9999~ggggggg2', 'invalid position: b9999'],
    ] as const) {
      await pasted(page).fill(text);
      await pasted(page).press('Control+Enter');
      await expect.poll(() => fold(page).locator('.said').innerText()).toContain(sentence);
      expect([await boundary(page), await pasted(page).inputValue()]).toEqual([144, text]);
    }
  });

  test('a bare link opens: same, or changed; a fragment typed into the address bar too', async () => {
    const page = await open();
    await fold(page).locator('summary').first().click();
    const [link = ''] = /https:\S+$/m.exec(expected('https://nmi.example.org', 25)) ?? [];
    await pasted(page).fill(link);
    await expect.poll(() => understood(page).innerText()).toContain('the cursor at boundary 25');
    await fold(page).getByRole('button', { name: 'Run' }).click();
    await expect.poll(() => boundary(page)).toBe(25);
    await expect.poll(() => said(page)).toMatch(/^same/);
    await pasted(page).fill('#t3~ggggggg2');
    await pasted(page).press('Control+Enter');
    await expect.poll(() => said(page)).toContain('made for state ggggggg2');
    expect(await boundary(page)).toBe(3);
    await page.evaluate(() => {
      location.hash = '#t7';
    });
    await expect.poll(() => boundary(page)).toBe(7);
  });

  test('a race table strikes the scenario in view, and the link to it holds its events', async () => {
    const page = await open();
    await fold(page).locator('summary').first().click();
    await pasted(page).fill('> task   NMI 1\n> nmi at task+2\n>          nmi at b40, waits\n');
    await expect
      .poll(() => understood(page).innerText())
      .toContain('they strike what is in view, nested-nmi');
    await fold(page).getByRole('button', { name: 'Run' }).click();
    await expect.poll(() => page.url()).toMatch(/#t\d+\.n2\.n40~\w{8}$/);
    await page.locator('summary', { hasText: 'What this link holds' }).click();
    const holds = page.locator('details.about-link');
    await expect.poll(() => holds.innerText()).toContain('an NMI strikes at boundary 40');
    expect(await holds.locator('ins').allInnerTexts()).toContain('+inject  nmi at b40\n');
  });

  test('without JavaScript there is no trace of the panels', async () => {
    const page = await site.open('', { javaScriptEnabled: false });
    for (const name of ['Copy for mail', 'Paste a mail or a link', 'What this link holds'])
      expect(await page.getByText(name).first().isVisible()).toBe(false);
  });

  test('axe finds nothing in open panels; the page does not scroll sideways', async () => {
    for (const { width, colorScheme } of LOOKS) {
      const page = await open({ viewport: { width, height: 900 }, colorScheme });
      await button(page, 'Copy for mail').click();
      await text(page).fill(`This patch fixes do_nmi${' and more'.repeat(9)}.\n`);
      await expect.poll(() => notes(page).innerText()).toContain('objections');
      await page.locator('summary', { hasText: 'What this link holds' }).click();
      await fold(page).locator('summary').first().click();
      for (const one of [
        quote(expected(site.url, 144)).replace('body    int3', 'body    loud'),
        `${site.url}s/nested-nmi/v0#t25.n3.h~ggggggg2`,
      ]) {
        await pasted(page).fill(one);
        await fold(page).getByRole('button', { name: 'Run' }).click();
        await expect.poll(() => fold(page).locator('.said').innerText()).toMatch(/boundary|cannot run/);
        // The rest of the page is looked at by pages.test.ts.
        const parts = ['.island header', 'section.mail', '.paste', '.about-link'];
        expect(await flawsAsShown(page, parts)).toEqual([]);
      }
    }
  });
});
