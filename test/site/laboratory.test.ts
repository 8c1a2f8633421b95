/** The laboratory, as a reader uses it: every stack, two runs side by side, entry code edited. */
import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { boundary, ready, said, visits } from './visit.ts';

const site = visits('/');
let page: Page;
beforeEach(async () => {
  page = await site.open('notebooks/labs/laboratory/');
  await ready(page);
});

test('the picture of all stacks follows the playhead, and a word in it is a word of the table', async () => {
  const picture = page.getByRole('img', { name: /^RSP is on/ });
  const slider = page.getByRole('slider', { name: 'Time' });
  await slider.focus();
  await page.keyboard.press('Home');
  await expect.poll(() => picture.getAttribute('aria-label')).toMatch(/^RSP is on the task stack/);
  await page.getByLabel('jump to').fill('NMI 2');
  await page.keyboard.press('Enter');
  await expect.poll(() => picture.getAttribute('aria-label')).toMatch(/^RSP is on the NMI stack, at T-40\./);
  await picture.locator('[data-word="-14"]').click();
  await expect.poll(() => page.locator('.prov').innerText()).toContain('q(-14) outermost.rsp');
});

test('what the last step changed is marked in the registers, with what it was', async () => {
  await page.getByRole('slider', { name: 'Time' }).focus();
  const rsp = page.getByRole('table', { name: 'Registers of control' }).getByRole('row', { name: /^RSP/ });
  await page.keyboard.press('Home');
  const before = await rsp.innerText();
  for (let n = 0; n < 40 && !(await rsp.getAttribute('class'))?.includes('changed'); n++)
    await page.keyboard.press('ArrowRight');
  expect(await rsp.getAttribute('class')).toContain('changed');
  expect(await rsp.innerText()).not.toBe(before);
});

test('two runs side by side: where they part, how each ends, and what differs at the playhead', async () => {
  await page.getByLabel('compare with').selectOption('without test-c');
  const told = page.locator('.compare').getByRole('status');
  await expect.poll(() => told.innerText()).toMatch(/^They part at nested_nmi_out, boundary \d+/);
  expect(await told.innerText()).toMatch(/Here the run returns, there it ends as lost\.$/);
  const rows = page.locator('.compare tbody tr', { hasText: 'outermost.rsp' });
  await page.locator('.compare .parts').getByRole('button').click();
  await expect.poll(() => rows.count()).toBe(1);
  // The other run follows when this one changes: the same without the safeguard, that is with it again.
  await page.getByText(/^Safeguards/).click();
  // The box stays as it was set while the run is made: as it was before, it would say that nothing was heard.
  const seen = await page.getByRole('checkbox', { name: /^test-c\b/ }).evaluate(async (box) => {
    if (!(box instanceof HTMLInputElement)) throw new Error('no box');
    box.click();
    const states: boolean[] = [];
    do {
      await new Promise(requestAnimationFrame);
      states.push(box.checked);
    } while (box.disabled || states.length < 3);
    return states;
  });
  expect(seen).not.toContain(true);
  await expect.poll(() => told.innerText()).toMatch(/No named step differs/);
  await page.getByLabel('compare with').selectOption('design naive-ist');
  await expect.poll(() => told.innerText()).toMatch(/^They part at/);
});

test('an edit with a mistake says where it is and keeps text and run; a good one runs, is in the link, and goes back', async () => {
  const was = await said(page);
  await page.getByText('Edit the entry code').click();
  const field = page.locator('.cm-content');
  await field.waitFor();
  await page.getByLabel('cell').selectOption('linux-4.2#nested');
  await expect.poll(() => field.innerText()).toContain('nested_nmi:');
  await field.click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('movqq %rax, %rbx\n');
  await page.keyboard.press('Control+Enter');
  const problem = page.locator('.edit .problems');
  await expect.poll(() => problem.innerText()).toBe('1:1 unknown mnemonic: movqq (did you mean movq?)');
  expect(await page.locator('.wrong-here').innerText()).toContain('movqq');
  expect(await field.innerText()).toContain('movqq %rax, %rbx');
  const at = await boundary(page);
  await page.getByRole('slider', { name: 'Time' }).press('ArrowRight');
  await expect.poll(() => boundary(page)).toBe(at + 1);

  await page.locator('.edit .problems .place').click();
  await page.keyboard.press('Shift+End');
  await page.keyboard.type('nop');
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => said(page)).toMatch(/^draft, edited: linux-4\.2#nested/);
  expect(await page.locator('.difference').innerText()).toContain('0 lines gone, 1 new');
  await expect.poll(() => page.url()).toMatch(/#t\d+\S*\.z[\w-]+~\w{8}$/);
  // A loop without an end is a verdict, and the page goes on.
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.type('\n1: jmp 1b');
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => page.locator('.outcome').first().innerText()).toMatch(/^lost|^no-progress|^budget/);
  await page.getByRole('button', { name: "Back to the page's text" }).click();
  await expect.poll(() => said(page)).toBe(was);
});
