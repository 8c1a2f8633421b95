import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HERE, visits } from './visit.ts';

const site = visits(HERE);
let page: Page;
const open = async (javaScriptEnabled = true, fragment = ''): Promise<void> => {
  page = await site.open(`notebooks/labs/sweep/${fragment}`, { javaScriptEnabled });
};

const island = (n: number): Locator => page.locator('.sweep').nth(n);
const map = (one: Locator): Locator => one.getByRole('application');
async function ready(one: Locator): Promise<void> {
  await one.scrollIntoViewIfNeeded();
  await expect.poll(() => one.getAttribute('data-ready')).toBe('true');
}
const readout = (one: Locator): Promise<string> => one.locator('.readout').innerText();
const phase = (one: Locator): Promise<string | null> => one.getAttribute('data-phase');
const verdict = (one: Locator): Promise<string> => one.locator('.verdict').innerText();
/** What was changed is swept at once where that is quick; on a slow machine it waits for the button. */
async function swept(one: Locator): Promise<void> {
  const run = one.getByRole('button', { name: 'Run', exact: true });
  if (await run.isEnabled()) await run.click();
  await expect.poll(() => phase(one)).toBe('done');
}
const LIVE = 2;

test('without JavaScript picture, verdict, table and links to what was found are there', async () => {
  await open(false);
  const [clean, hole, live] = [island(0), island(1), island(LIVE)];
  expect(await clean.locator('svg path').count()).toBeGreaterThan(3);
  expect(await verdict(clean)).toMatch(/Clean over exactly this: 29,570 schedules/);
  expect(await verdict(clean)).toMatch(/Start kernel-task; handler body int3.*at most two NMIs/s);
  expect(await clean.getByRole('table').innerText()).toMatch(/int3_entry\s+75 to 99/);
  expect(await clean.locator('.readout').isVisible()).toBe(false);
  expect(await live.locator('.controls').isVisible()).toBe(false);
  for (const one of [hole, live]) {
    expect(await verdict(one)).toMatch(/schedules break an invariant/);
    const link = one.getByRole('link', { name: 'Open this run' }).first();
    expect(await link.getAttribute('href')).toMatch(new RegExp(`^${HERE}s/[\\w-]+/v\\d+#t\\d+\\.`));
  }
});

test('keys move about in the map, and Enter opens the run of the cell', async () => {
  await open();
  const one = island(0);
  await ready(one);
  await map(one).focus();
  await map(one).press('PageDown');
  await map(one).press('PageDown');
  await map(one).press('ArrowDown');
  await map(one).press('End');
  await map(one).press('ArrowLeft');
  await expect.poll(() => readout(one)).toMatch(/NMI at boundary 11 in nmi_from_kernel, NMI at boundary 261/);
  await map(one).press('Home');
  await expect.poll(() => readout(one)).toMatch(/NMI at boundary 12/);
  await map(one).press('ArrowLeft');
  await expect.poll(() => readout(one)).toMatch(/No run here/);
  await map(one).press('ArrowRight');
  await map(one).press('Enter');
  await page.waitForURL(new RegExp(`${HERE}s/latch-opens-early/v0/?#t12\\.n2\\.n11\\.n12`));
  await expect.poll(() => page.locator('.standing').first().innerText()).toMatch(/same as the link/);
  await page.goBack();
  await ready(island(0));
});

test('a click opens the run that breaks, and the door shows what broke', async () => {
  await open();
  const one = island(1);
  await ready(one);
  await map(one).focus();
  for (let n = 0; n < 10; n++) await map(one).press('ArrowDown');
  await map(one).press('Home');
  for (let n = 0; n < 40; n++) await map(one).press('ArrowRight');
  await expect.poll(() => readout(one)).toMatch(/wrong, silent/);
  const frame = await one.locator('.over .frame').boundingBox();
  if (!frame) throw new Error('no cell is chosen');
  await page.mouse.move(frame.x + frame.width / 2, frame.y + frame.height / 2);
  await page.mouse.click(frame.x + frame.width / 2, frame.y + frame.height / 2);
  await page.waitForURL(/\/s\/latch-opens-early\/v0\/?#t\d+\./, { timeout: 50_000 });
  await expect
    .poll(() => page.locator('.outcome').first().innerText(), { timeout: 50_000 })
    .toMatch(/^[\w-]+ I1 breaks at boundary \d+: NMI 2 overwrote the record of NMI 1/);
  // It opens there, and from anywhere else a button leads back.
  const lab = page.locator('.island').first();
  const first = Number(/boundary (\d+)/.exec(await page.locator('.outcome').first().innerText())?.[1]);
  expect(Number(await lab.getAttribute('data-boundary'))).toBe(first);
  await lab.press('[');
  await lab.getByRole('button', { name: 'Go there' }).click();
  await expect.poll(() => lab.getAttribute('data-boundary')).toBe(String(first));
});

test('a safeguard put back clears the map; a recipe that was found is linked, copied and mailed', async () => {
  await open();
  const one = island(LIVE);
  await ready(one);
  const found = one.getByRole('region', { name: /^Shortest recipes/ });
  await found.getByRole('button', { name: 'For a mail' }).first().click();
  await expect.poll(() => found.locator('.mail pre').innerText()).toMatch(/without +std/);
  const lines = (await found.locator('.mail pre').innerText()).split('\n');
  expect(lines.filter((line) => line.length > 72 && !/^\[1\] http/.test(line))).toEqual([]);
  await one.getByRole('checkbox', { name: /std-before-clear/ }).check();
  await swept(one);
  expect(await verdict(one)).toMatch(/Clean over exactly this: 29,570 schedules/);
  expect(await found.count()).toBe(0);
  await one.getByRole('checkbox', { name: /^test-b/ }).uncheck();
  await swept(one);
  expect(await verdict(one)).toMatch(/break an invariant.*without test-b/s);
  const link = found.getByRole('link', { name: 'Open this run' }).first();
  await expect.poll(() => link.getAttribute('href')).toContain('.w_test-b');
  await one.getByRole('button', { name: 'Reset' }).click();
  expect(await verdict(one)).toMatch(/without std-before-clear/);
});

test('what is chosen is in the address, and the address opens it', async () => {
  await open();
  const one = island(LIVE);
  await ready(one);
  expect(new URL(page.url()).hash).toBe('');
  await one.getByLabel('second, anywhere').selectOption('');
  await one.getByLabel('start').selectOption('syscall-gap');
  await one.getByRole('checkbox', { name: /^std-before-clear/ }).check();
  await one.getByRole('checkbox', { name: /^test-e/ }).uncheck();
  await swept(one);
  const said = '#sweep.e_nmi.s_syscall-gap.h_int3.w_test-e';
  await expect.poll(() => new URL(page.url()).hash).toBe(said);
  const then = await verdict(one);
  expect(then).toMatch(/Start syscall-gap.*at most one NMI/s);
  await one.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(() => new URL(page.url()).hash).toBe('');

  await open(true, said);
  const again = island(LIVE);
  const told = async () => (await verdict(again)).replace(/Took.*/, '');
  await expect.poll(told, { timeout: 50_000 }).toBe(then.replace(/Took.*/, ''));
  await expect
    .poll(() => again.evaluate((node) => node.getBoundingClientRect().top < innerHeight))
    .toBe(true);
  await page.evaluate(() => {
    location.hash = '#sweep.e_nmi.h_loud';
  });
  await expect.poll(() => phase(again)).toBe('refused');
  expect(await again.getByRole('alert').innerText()).toMatch(/^unknown body: loud \(there is /);
});

test('impossible runs are a mode of their own, and say so', async () => {
  await open();
  const one = island(LIVE);
  await ready(one);
  const first = one.getByLabel('first, anywhere');
  expect(await first.locator('option').allInnerTexts()).not.toContain('#GP');
  await one.getByRole('checkbox', { name: /impossible/ }).check();
  await first.selectOption('gp');
  await one.getByLabel('second, anywhere').selectOption('');
  await swept(one);
  expect(await verdict(one)).toMatch(/#GP: at any boundary, cause or not: some of these runs are impossible/);
  expect(await one.locator('.found pre').first().innerText()).toMatch(/set +impossible allow/);
  await one.getByRole('checkbox', { name: /impossible/ }).uncheck();
  expect(await first.inputValue()).toBe('nmi');
});

test('a long sweep is cancelled at once, claims nothing, and the next one runs', async () => {
  await open();
  const one = island(LIVE);
  await ready(one);
  await one.getByLabel('third, anywhere').selectOption('nmi');
  await one.getByRole('button', { name: 'Run', exact: true }).click();
  expect(await phase(one)).toBe('running');
  await one.getByRole('button', { name: 'Cancel' }).click();
  await expect.poll(() => phase(one)).toBe('cancelled');
  expect(await verdict(one)).toMatch(/nothing is claimed/);
  await one.getByLabel('third, anywhere').selectOption('');
  await one.getByLabel('second, anywhere').selectOption('');
  await swept(one);
  expect(await verdict(one)).toMatch(/schedules.*at most one NMI/s);
  // Workers of sweeps only: that of the laboratory is not needed here.
  expect(site.requests.filter((request) => /\/worker-[^/.]*\.js/.test(request.url()))).toEqual([]);
});

test('what cannot be swept is a sentence, and the island goes on', async () => {
  await open();
  const one = island(LIVE);
  await ready(one);
  // No control makes such an ask: one that is stale, as an old page would send it.
  await one.getByLabel('handler body').evaluate((select: HTMLSelectElement) => {
    select.add(new Option('loud', 'loud'));
    select.value = 'loud';
    select.dispatchEvent(new Event('change', { bubbles: true }));
  });
  const run = one.getByRole('button', { name: 'Run', exact: true });
  if (await run.isEnabled()) await run.click();
  await expect.poll(() => phase(one)).toBe('refused');
  expect(await one.getByRole('alert').innerText()).toMatch(/unknown body: loud/);
  await one.getByLabel('handler body').selectOption('quiet');
  await swept(one);
  expect(await verdict(one)).toMatch(/handler body quiet/);
});
