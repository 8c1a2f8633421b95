/** What a stranger can check for himself in the laboratory: designs on one schedule, unwinders beside the truth, no network. */
import { expect, test } from 'vitest';
import { boundary, ready, said, visits } from './visit.ts';

const site = visits('/');
const laboratory = async () => {
  const page = await site.open('notebooks/labs/laboratory/');
  await ready(page);
  return page;
};

test('one schedule on five designs: where each parts from this one, and how it ends', async () => {
  const page = await laboratory();
  const told = page.locator('.compare').getByRole('status');
  // No two neighbours in this list part at the same place: what is said is of the design chosen last.
  for (const [design, where, ends] of [
    ['naive-ist', 'NMI 1, boundary 3, there 3', 'ends as lost'],
    ['popf-ret', 'NMI 1, boundary 3, there 3', 'returns'],
    ['i386-latch', 'task, boundary 0, there 0', 'returns'],
    ['nested-stack', 'NMI 1, boundary 3, there 3', 'returns'],
    ['fred', 'NMI 1, boundary 3: the other run never gets there', 'returns'],
  ] as const) {
    await page.getByLabel('compare with').selectOption(`design ${design}`);
    await expect.poll(() => page.url()).toContain(`.c_design_${design}~`);
    await expect
      .poll(() => told.innerText())
      .toMatch(new RegExp(`^They part at ${where}.* Here the run returns, there it ${ends}\\.$`));
  }
  // FRED has one entry for all events, and no label of the others.
  expect(await page.locator('.compare').innerText()).toContain('unknown label: int3_entry');
  expect(await page.locator('.compare .lockstep').first().innerText()).toContain('fred_event');
});

test('frame pointers, ORC and guess stand beside the truth, each with its verdict', async () => {
  const page = await laboratory();
  await page.locator('summary', { hasText: 'Recipe' }).first().click();
  const field = page.getByRole('textbox', { name: 'Recipe' });
  const kept = (await field.inputValue()).split('\n').filter((line) => !line.startsWith('expect'));
  await field.fill(
    `${kept.join('\n')}\nexpect unwind orc-6.12 stops-early-and-says\nexpect unwind guess-4.9 stops-early-silently\n`,
  );
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  const heads = page.locator('.tm thead abbr');
  const names = async () => Promise.all((await heads.all()).map((one) => one.getAttribute('title')));
  await expect.poll(names).toEqual(['end[-2]', 'end[-9]', 'end[-14]', 'frame pointer', 'guess', 'ORC']);
  const verdict = (name: string) => page.locator('.vl li', { hasText: name }).innerText();
  expect(await verdict('ORC')).toMatch(/^stops early, says so/);
  expect(await verdict('guess')).toMatch(/^stops early/);
  expect(await page.locator('.edit .problems, .recipe .problems').count()).toBe(0);
  // The truth lists the calls of handler and task, innermost first.
  const truth = await page.locator('.tm tbody th[scope=row]').allInnerTexts();
  expect(truth.slice(0, 3)).toEqual([
    'nested_nmi_out+0x0/0x3',
    'nmi_body_int3+0x22/0x2d',
    'do_nmi+0x32/0x66',
  ]);
});

test('a laboratory that is open goes on without a network', async () => {
  const page = await laboratory();
  await expect.poll(() => page.locator('.origin').innerText()).toContain('q(-9)');
  await page.context().setOffline(true);
  await page.getByRole('slider', { name: 'Time' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('n');
  await expect.poll(() => boundary(page)).toBe(3);
  await page.keyboard.press('f');
  await expect.poll(() => said(page)).toMatch(/^draft, \d+ boundaries$/);
  await page.locator('.cpu').getByRole('button', { name: 'RIP', exact: true }).click();
  await expect
    .poll(() => page.locator('.origin').innerText())
    .toContain('loaded by the CPU, delivering NMI 1');
  // A new address makes some browsers ask for the icon once more; nothing else was asked for.
  site.tolerated(/favicon\.svg$|^Failed to load resource: net::ERR_INTERNET_DISCONNECTED$/);
});

test('every tested number of a page is checked again in the page, and what does not hold any more is marked', async () => {
  const page = await site.open('');
  const button = page.getByRole('button', { name: /^Check the \d+ tested numbers and words/ });
  const said = page.locator('.recheck output');
  await ready(page);
  const parts = await page.locator('.island *').count();
  await button.click();
  await expect.poll(() => said.textContent()).toMatch(/^All \d+ hold\.$/);
  expect(await page.locator('.untrue, .measured').count()).toBe(0);
  // The island beside it, which marks what is current in its own way, is left alone.
  expect(await page.locator('.island *').count()).toBe(parts);
  // As if the page had been written when the model gave another number.
  const other = await site.open('');
  await other.route('**/index.mdx.cells*.js', async (route) => {
    const text = await (await route.fetch()).text();
    await route.fulfill({ contentType: 'text/javascript', body: text.replaceAll('`125`', '`126`') });
  });
  const claim = other.locator('data.claim', { hasText: '125' }).first();
  await claim.evaluate((node) => {
    node.textContent = '126';
  });
  await other.getByRole('button', { name: /^Check the/ }).click();
  await expect
    .poll(() => other.locator('.recheck output').textContent())
    .toMatch(/^1 of \d+ do not hold any more\.$/);
  expect(await other.locator('.untrue').allTextContents()).toEqual(['126']);
  expect(await other.locator('.measured').allTextContents()).toEqual(['now 125']);
});

test('a number in prose is a control: changed, the island runs anew, and the number follows the island', async () => {
  const page = await site.open('');
  await ready(page);
  const field = page.getByRole('spinbutton', { name: 'boundary of nmi 2' });
  expect(await field.inputValue()).toBe('75');
  for (const nonsense of ['', '7.5']) {
    await field.fill(nonsense);
    await field.press('Enter');
    await expect.poll(() => field.inputValue()).toBe('75');
  }
  expect(await said(page)).toMatch(/^same as recorded/);
  await field.fill('80');
  await field.press('Enter');
  await expect.poll(() => said(page)).toMatch(/^draft/);
  await expect.poll(() => page.url()).toMatch(/\.n80|n2\.n80|\bn80\b/);
  await page.getByRole('button', { name: /Reset/ }).click();
  await expect.poll(() => field.inputValue()).toBe('75');
});
