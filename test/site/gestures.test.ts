/** Hands on the laboratory: what a pointer, a finger and keys that come fast do, and what they leave alone. */
import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { boundary, HERE, ready, said, visits } from './visit.ts';

const site = visits(HERE);
let page: Page;
const laboratory = async (options?: Parameters<typeof site.open>[1]) => {
  page = await site.open('notebooks/labs/laboratory/', options);
  await ready(page);
  await page.locator('.travel').waitFor();
};
beforeEach(() => laboratory());

const tokens = async () =>
  (await page.locator('.tokens [role=slider]').allInnerTexts()).map((one) => one.trim());
const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

test('a click leaves a token where it is, a drag moves it by as much as the pointer, Escape lets it go', async () => {
  const token = page.locator('.tokens [role=slider]').last();
  await token.scrollIntoViewIfNeeded();
  const box = await token.boundingBox();
  if (!box) throw new Error('no token');
  const [x, y] = [box.x + box.width - 4, box.y + box.height / 2];
  await page.mouse.click(x, y);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 2, y);
  expect(await tokens()).toEqual(['nmi 2', 'nmi 75']);
  await page.mouse.move(x - 120, y, { steps: 4 });
  await expect.poll(tokens).not.toEqual(['nmi 2', 'nmi 75']);
  const left = (await token.boundingBox())?.x ?? 0;
  expect(Math.abs(left - (box.x - 120))).toBeLessThan(4);
  await page.keyboard.press('Escape');
  await expect.poll(tokens).toEqual(['nmi 2', 'nmi 75']);
  await page.mouse.up();
  await page.mouse.down();
  await page.mouse.move(x + 30, y, { steps: 2 });
  await page.mouse.move(x, y);
  await page.mouse.up();
  expect(await said(page)).toMatch(/^same as recorded/);
  expect(await tokens()).toEqual(['nmi 2', 'nmi 75']);
});

test('no key is lost that comes while a run is made, and the focus stays where it was', async () => {
  await page.locator('.tokens [role=slider]').first().focus();
  await Promise.all(Array.from({ length: 5 }, () => page.keyboard.press('ArrowRight')));
  await expect.poll(tokens).toContain('nmi 7');
  await expect.poll(focused).toBe('nmi 7');
  await page.getByRole('slider', { name: 'Time' }).press('Home');
  await Promise.all(['n', 'n', 'n'].map((key) => page.keyboard.press(key)));
  // Deliveries of the first NMI, of its #BP and of the second NMI.
  await expect.poll(() => boundary(page)).toBe(130);
  // Buttons that are disabled while the run is made have the focus again.
  await page.locator('.events .fire').press('Enter');
  await expect.poll(tokens).toHaveLength(3);
  await expect.poll(focused).toMatch(/^Fire an NMI/);
  await page
    .getByRole('button', { name: /^Remove/ })
    .first()
    .press('Enter');
  await expect.poll(tokens).toHaveLength(2);
  await expect.poll(focused).not.toMatch(/^The laboratory/);
  expect(await page.evaluate(() => document.activeElement?.closest('.events') !== null)).toBe(true);
});

test('undoing in one cell of the editor does not bring the text of another', async () => {
  await page.getByText('Edit the entry code').click();
  const field = page.locator('.cm-content');
  await field.waitFor();
  const first = await field.innerText();
  await page.getByLabel('cell').selectOption('linux-4.2#nested');
  await expect.poll(() => field.innerText()).toMatch(/^nested_nmi:/);
  const nested = await field.innerText();
  expect(nested).not.toBe(first);
  await field.click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('nop');
  for (let n = 0; n < 6; n++) await page.keyboard.press('Control+z');
  expect(await field.innerText()).toBe(nested);
  // A label that an edit loses is missed elsewhere: the place is told with its page.
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Control+Enter');
  await expect
    .poll(() => said(page))
    .toMatch(/^cannot run notebooks\/designs\/linux-4\.2\.mdx:\d+:\d+ unknown symbol: nested_nmi/);
});

test('a move that leads nowhere says why, once, and an end that is the flaw is told once', async () => {
  const told = page.locator('.travel output');
  await page.locator('.cpu').getByRole('button', { name: 'CR2', exact: true }).click();
  const at = await boundary(page);
  await page.getByRole('button', { name: 'Last writer' }).click();
  await expect.poll(() => told.innerText()).toBe('cr2 was there before this run.');
  await page.getByRole('button', { name: 'Next write' }).click();
  await expect.poll(() => told.innerText()).toBe('cr2 is not written after this.');
  expect(await boundary(page)).toBe(at);
  await page.getByRole('button', { name: 'One boundary back' }).click();
  await expect.poll(() => told.textContent()).toBe('');
  await page.locator('summary', { hasText: 'Recipe' }).first().click();
  const field = page.getByRole('textbox', { name: 'Recipe' });
  await field.fill(
    `${await field.inputValue()}edit linux-4.2#nested\n| nested_nmi:\n| ud2\n| nested_nmi_out:\n| popq %rdx\n| iretq\n`,
  );
  await field.press('Control+Enter');
  await expect
    .poll(() => page.locator('.outcome').innerText())
    .toMatch(
      /^lost I8 breaks at boundary \d+: the kernel dies: nobody expected #UD at nested_nmi\. Go there$/,
    );
});

test('a finger that scrolls the page over the score leaves the playhead where it was', async () => {
  await laboratory({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const track = page.locator('.head-track');
  await track.scrollIntoViewIfNeeded();
  const at = await boundary(page);
  const session = await page.context().newCDPSession(page);
  /** Puts a finger down on the track, wherever the page has been scrolled to, moves it in eight steps and takes it off. */
  const swipe = async (right: number, down: number) => {
    await page.evaluate(() => scrollTo(0, 0));
    await track.scrollIntoViewIfNeeded();
    const { x = 0, y = 0, height = 0 } = (await track.boundingBox()) ?? {};
    const finger = (n: number) => ({ x: x + 60 + n * right, y: Math.min(y + height - 10, 700) + n * down });
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints });
    await touch('touchStart', [finger(0)]);
    for (let n = 1; n <= 8; n++) await touch('touchMove', [finger(n)]);
    await touch('touchEnd', []);
  };
  const scrolled = () => page.evaluate(() => scrollY);
  await swipe(0, -20);
  await expect.poll(scrolled).toBeGreaterThan(50);
  expect(await boundary(page)).toBe(at);
  // One that goes sideways scrubs.
  await swipe(12, 0);
  await expect.poll(() => boundary(page)).not.toBe(at);
});

test('back from a link that cannot be opened to the page as it is, nothing is complained of', async () => {
  const was = await said(page);
  await page.evaluate(() => {
    location.hash = '#zzzz~aaaa';
  });
  await expect.poll(() => said(page)).toMatch(/^cannot run invalid digest: aaaa/);
  await page.evaluate(() => {
    location.hash = '';
  });
  await expect.poll(() => said(page)).toBe(was);
});

test('paper shows the state and no controls', async () => {
  await page.emulateMedia({ media: 'print' });
  for (const name of ['Next event', 'Place', 'Save SVG', 'Run']) {
    const button = page.getByRole('button', { name, exact: true }).first();
    expect({ name, shown: await button.isVisible() }).toEqual({ name, shown: false });
  }
  expect(await page.locator('svg.stacks').isVisible()).toBe(true);
  await page.emulateMedia({ media: null });
});
