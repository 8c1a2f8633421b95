/** The laboratory, as a reader uses it: every stack, two runs side by side, entry code edited. */
import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { longRun } from '../../src/cli/bench/long-run.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { boundary, flawsAsShown, ready, said, visits } from './visit.ts';

const site = visits('/');
let page: Page;
beforeEach(async () => {
  page = await site.open('notebooks/labs/laboratory/');
  await ready(page);
});

test('the picture of all stacks follows the playhead, and a word in it is a word of the table', async () => {
  const picture = page.getByRole('listbox', { name: 'Words of all stacks' });
  const told = () => picture.locator('desc').textContent();
  const slider = page.getByRole('slider', { name: 'Time' });
  await slider.focus();
  await page.keyboard.press('Home');
  await expect.poll(told).toMatch(/^RSP is on the task stack/);
  await page.getByLabel('jump to').fill('NMI 2');
  await page.keyboard.press('Enter');
  await expect.poll(told).toMatch(/^RSP is on the NMI stack, at T-40\./);
  await picture.locator('[data-word="-14"]').click();
  await expect.poll(() => page.locator('.origin').innerText()).toContain('q(-14) outermost.rsp');
});

test('any word of any stack is chosen in the picture, by pointer and by key, told with its author, and stays in view', async () => {
  const origin = () => page.locator('.origin').innerText();
  const option = (name: RegExp) => page.getByRole('option', { name });
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  await page.locator('.travel').waitFor();
  // A block of the task stack opens, and one of its words was stored in this run.
  await option(/^do_work, /).click();
  await expect.poll(focused).toBe('3f28 ret, process_one+0x11');
  await option(/^3f18 /).click();
  const told = /task stack, ffff88003d003f18 00000000 00000007 stored by do_work\+0xd: .*\n.*boundary 2\b/s;
  await expect.poll(origin).toMatch(told);
  // The same by key: from a word of the NMI stack to the stack beside it, and down.
  await page.locator('svg.stacks [data-word="-9"]').click();
  await expect.poll(origin).toContain('q(-9) iret.rsp');
  await expect.poll(focused).toMatch(/^-9 RSP/);
  await page.keyboard.press('ArrowLeft');
  await expect.poll(focused).toMatch(/^3f28 ret/);
  for (const name of [/^3f20 /, /^3f18 do_work, 0x7$/]) {
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toMatch(name);
  }
  await expect.poll(origin).toMatch(told);
  expect(await flawsAsShown(page, ['.picture'])).toEqual([]);
  // To its last writer, before that, and to its next write; it is in view all the time and has the focus.
  await page.keyboard.press('w');
  await expect.poll(() => boundary(page)).toBe(2);
  await page.keyboard.press('b');
  await expect.poll(() => boundary(page)).toBe(1);
  await expect.poll(focused).toBe('3f18 do_work, 0x0');
  await page.keyboard.press('W');
  await expect.poll(() => boundary(page)).toBe(2);
  await expect.poll(focused).toBe('3f18 do_work, 0x7');
  // What was pushed on a stack that is empty again, and saved registers that are drawn as one.
  await page.getByLabel('jump to').fill('int3_entry');
  await page.keyboard.press('Enter');
  await option(/^SS to RIP/).click();
  await expect.poll(origin).toMatch(/#DB stack, ffff88003fc07ff8 .*pushed by the CPU, delivering #BP/s);
  await page.keyboard.press(']');
  await expect.poll(() => boundary(page)).toBe(124);
  await expect(option(/^7ff8/).getAttribute('aria-selected')).resolves.toBe('true');
  await option(/^pt_regs/).click();
  await expect.poll(origin).toContain('q(-18) regs.orig_ax');
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

test('one more event at every boundary: swept when it is opened, and a cell shows its run in place', async () => {
  const map = page.locator('.one-more');
  const fetched = () => site.requests.some((one) => /\/sweep-worker/.test(one.url()));
  expect(fetched()).toBe(false);
  await map.locator('summary').first().click();
  await map.locator('.sweep[data-phase=done]').waitFor();
  await expect
    .poll(() => map.locator('.verdict').innerText())
    .toMatch(/^intact\s+Clean over exactly this: 264 schedules/);
  expect(fetched()).toBe(true);
  expect(await flawsAsShown(page, ['.one-more'])).toEqual([]);
  await map.getByRole('application').focus();
  for (const key of ['Home', 'End', 'ArrowLeft', 'ArrowLeft']) await page.keyboard.press(key);
  await expect
    .poll(() => map.locator('.readout').innerText())
    .toMatch(/^intact\s+NMI at boundary 260 in do_work/);
  await page.keyboard.press('Enter');
  await expect.poll(() => boundary(page)).toBe(260);
  expect(await said(page)).toMatch(/^draft, 3\d\d boundaries/);
  expect(await page.locator('.island').first().getAttribute('data-struck')).toBe('2 75 260');
  // With another event chosen, the map says that it is not of that.
  await map.getByLabel('event of the map').selectOption('mc');
  await map.getByRole('button', { name: 'Sweep the run in view' }).click();
  await expect.poll(() => map.locator('.verdict').innerText()).toMatch(/at most one #MC/);
});

test('an edit with a mistake says where it is and keeps text and run; a good one runs, is in the link, and goes back', async () => {
  const was = await said(page);
  await page.getByText('Edit the entry code').click();
  const field = page.locator('.cm-content');
  await field.waitFor();
  // Regions that speak are there before they have anything to say.
  const regions = page.locator('.edit').locator('[role=alert], [role=status]');
  expect(await regions.allTextContents()).toEqual(['', '']);
  await page.getByLabel('cell').selectOption('linux-4.2#nested');
  await expect.poll(() => field.innerText()).toContain('nested_nmi:');
  await field.click();
  await page.keyboard.press('Control+Home');
  // Mnemonics and labels are completed.
  const offered = page.locator('.cm-tooltip-autocomplete li');
  await page.keyboard.type('iret');
  await expect.poll(() => offered.allInnerTexts()).toContain('iretq');
  await page.keyboard.type('q\njmp repeat_n');
  await expect.poll(() => offered.allInnerTexts()).toContain('repeat_nmi');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+Control+Home');
  await page.keyboard.press('Delete');
  await page.keyboard.type('movqq %rax, %rbx\n');
  await page.keyboard.press('Control+Enter');
  const problem = page.locator('.edit .problems');
  await expect.poll(() => problem.innerText()).toBe('1:1 unknown mnemonic: movqq (did you mean movq?)');
  expect(await page.locator('.wrong-here').innerText()).toContain('movqq');
  expect(await field.innerText()).toContain('movqq %rax, %rbx');
  await expect.poll(() => regions.last().textContent()).toMatch(/^cannot run: 1:1 unknown mnemonic: movqq/);
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
  expect(await field.innerText()).toContain('1: jmp 1b');
  // So is a fault, and a word that is no instruction at all; each time the text stays, and the page can be used.
  for (const [typed, verdict] of [
    ['movq 0, %rax', /page fault|#PF|lost|shutdown/],
    ['.byte 0x06', /#UD|lost|shutdown|not-modelled/],
  ] as const) {
    await page.keyboard.press('Shift+Home');
    await page.keyboard.type(typed);
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => page.locator('.edit summary').first().innerText()).toBe('Edit the entry code');
    await expect.poll(() => page.locator('.outcome').first().innerText()).toMatch(verdict);
    expect(await field.innerText()).toContain(typed);
    const slider = page.getByRole('slider', { name: 'Time' });
    await slider.press('Home');
    await expect.poll(() => boundary(page)).toBe(0);
    await field.click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
  }
  await page.getByRole('button', { name: "Back to the page's text" }).click();
  await expect.poll(() => said(page)).toBe(was);
});

/** What a reader sees of the machine at the boundary in view. */
const state = (): Promise<string> =>
  page.evaluate(() =>
    [...document.querySelectorAll('.island .wt, .island .cpu, .island .lamps, .island .tm')]
      .map((part) => {
        const copy = part.cloneNode(true) as Element;
        // What a value was before is shown where the boundary before is at hand.
        for (const struck of copy.querySelectorAll('s')) struck.remove();
        return copy.textContent?.replace(/\s+/g, ' ');
      })
      .join('\n'),
  );

test('back through deliveries and IRETs the state is the very one that was there before', async () => {
  const slider = page.getByRole('slider', { name: 'Time' });
  await slider.focus();
  await page.getByLabel('jump to').fill('118');
  await page.keyboard.press('Enter');
  await slider.focus();
  const seen: string[] = [];
  for (let b = 118; b < 150; b++) {
    await expect.poll(() => boundary(page)).toBe(b);
    seen.push(await state());
    await page.keyboard.press('ArrowRight');
  }
  expect(new Set(seen).size).toBe(seen.length);
  await expect.poll(() => boundary(page)).toBe(150);
  for (let b = 149; b >= 118; b--) {
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => boundary(page)).toBe(b);
    expect({ b, same: (await state()) === seen[b - 118] }).toEqual({ b, same: true });
  }
});

test('from a line of the trace one action leads to what pushed its address', async () => {
  const line = page.locator('.tm').getByRole('button', { name: 'do_nmi+0x32/0x66' });
  await line.click();
  // The address is pushed by the call, one transition before the function's first instruction.
  await expect.poll(() => page.locator('.origin').innerText()).toMatch(/stored by do_nmi\+0x30: call/);
  const there = await boundary(page);
  expect(there).toBeLessThan(75);
  expect(await page.locator('.tm').innerText()).toContain('nmi_body_int3');
  await page.locator('.tm').getByRole('button', { name: 'do_work+0x11/0x22' }).click();
  await expect.poll(() => boundary(page)).toBe(3);
  await expect
    .poll(() => page.locator('.origin').innerText())
    .toContain('pushed by the CPU, delivering NMI 1');
  // The first line is where RIP is; what comes there came from somewhere too.
  await page.locator('.tm tbody').getByRole('button').first().click();
  await expect.poll(() => page.locator('.origin').innerText()).toContain('\nrip ffffffff');
});

test('one action leads from a value to its author, wherever it shows', async () => {
  const origin = page.locator('.origin');
  // Two runs side by side: what differs.
  await page.getByLabel('compare with').selectOption('without test-c');
  await page.locator('.beside').getByRole('button', { name: 'RSP', exact: true }).click();
  await expect.poll(() => origin.innerText()).toContain('rsp ffff8800');
  // The dump of kernels: a word of a stack that has no table of its own.
  await page.locator('summary', { hasText: 'Unwinders of kernels' }).click();
  const words = page.getByRole('region', { name: 'Words of the TASK stack' });
  await words.getByRole('button').first().click();
  await expect.poll(() => origin.innerText()).toMatch(/task stack, ffff88003d003ff8 .*there before this run/);
  // The registers, and the picture.
  await page.locator('.cpu').getByRole('button', { name: 'CR2', exact: true }).click();
  await expect.poll(() => origin.innerText()).toContain('cr2');
  await page.locator('svg.stacks [data-word="-9"]').click();
  await expect.poll(() => origin.innerText()).toContain('q(-9) iret.rsp');
});

test('who is at work is told beside the latch: mode, interrupts, GS, CR3, and with FRED the stack level', async () => {
  const facts = () => page.locator('.facts').innerText();
  expect(await facts()).toMatch(/CPL\n0, kernel\nIF\n0, interrupts off\nGS base\nkernel\nCR3\none set$/);
  await page.getByRole('slider', { name: 'Time' }).press('Home');
  await expect.poll(facts).toContain('IF\n1, interrupts on');
  const run = async (slug: string) => {
    const lines = scenarioOf(libraryOnDisk(), slug)?.lines ?? [];
    await page.getByRole('textbox', { name: 'Recipe' }).fill(lines.join('\n'));
    await page.getByRole('button', { name: 'Run', exact: true }).first().click();
    await expect.poll(() => page.locator('.island header code').first().innerText()).toBe(slug);
  };
  await page.locator('summary', { hasText: 'Recipe' }).first().click();
  await run('user-tables');
  await page.getByLabel('jump to').fill('nmi');
  await page.keyboard.press('Enter');
  await expect.poll(facts).toMatch(/CR3\nuser$/);
  const control = page.getByRole('table', { name: 'Registers of control' });
  await expect.poll(() => control.getByRole('row', { name: /^CR3/ }).innerText()).toMatch(/user$/);
  await run('fred-nested');
  await expect.poll(facts).toMatch(/FRED level\n2$/);
  await run('f1-repeats');
  await page.getByRole('slider', { name: 'Time' }).press('End');
  await expect
    .poll(() => control.getByRole('row', { name: /^DR6/ }).innerText())
    .toMatch(/single step|breakpoint/);
});

test('keys travel by event, over events and to the writer of a register; the help lists them', async () => {
  const slider = page.getByRole('slider', { name: 'Time' });
  await page.locator('.travel').waitFor();
  await slider.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('n');
  await expect.poll(() => boundary(page)).toBe(3);
  await page.keyboard.press('n');
  await expect.poll(() => boundary(page)).toBe(75);
  await page.keyboard.press('p');
  await expect.poll(() => boundary(page)).toBe(3);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('o');
  await expect.poll(() => boundary(page)).toBe(255);
  await page.keyboard.press('b');
  await expect.poll(() => boundary(page)).toBe(2);
  await page.getByLabel('run to').selectOption('nested_nmi_out');
  await expect.poll(() => boundary(page)).toBe(144);
  await page
    .getByRole('table', { name: 'Registers of control' })
    .getByRole('button', { name: 'RSP', exact: true })
    .click();
  await expect.poll(() => page.locator('.origin').innerText()).toMatch(/rsp .* loaded by nested_nmi\+0x18/);
  await page.keyboard.press('?');
  await page.getByRole('table', { name: 'Keys' }).getByText('last writer of the chosen word').waitFor();
  // Pseudo-code of what comes next.
  await page.getByText('What the processor does next').click();
  await expect.poll(() => page.locator('.pseudo-now').innerText()).toContain('SDM volume 2B, "POP"');
});

test('a token is moved by key and by pointer, onto the timeline and onto the code, and taken away', async () => {
  await page.locator('.tokens').waitFor();
  const tokens = page.locator('.tokens [role=slider]');
  const said = page.locator('.tokens').getByRole('status');
  const places = async () =>
    Promise.all((await tokens.all()).map((one) => one.getAttribute('aria-valuenow')));
  await expect.poll(places).toEqual(['2', '75']);
  await tokens.last().focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(places).toEqual(['2', '76']);
  await expect
    .poll(() => said.innerText())
    .toBe('nmi moved from boundary 75 to 76. The run ends as: returns.');
  const from = await tokens.last().boundingBox();
  const track = await page.locator('.tokens ul').boundingBox();
  if (!from || !track) throw new Error('missing token');
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(track.x + track.width * 0.3, from.y + 5, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => said.innerText()).toMatch(/^nmi moved from boundary 76 to \d+\./);
  // Onto an instruction: the boundary at which control comes there.
  const again = await tokens.last().boundingBox();
  const line = await page.locator('.panel.code li.ins', { hasText: 'iretq' }).last().elementHandle();
  await line?.scrollIntoViewIfNeeded();
  const target = await line?.boundingBox();
  const now = await tokens.last().boundingBox();
  if (!again || !now || !target) throw new Error('missing line');
  await page.mouse.move(now.x + 5, now.y + 5);
  await page.mouse.down();
  await page.mouse.move(target.x + 40, target.y + 5, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => (await places()).length).toBe(2);
  await tokens.last().focus();
  await page.keyboard.press('Delete');
  await expect.poll(async () => (await places()).length).toBe(1);
  await expect.poll(() => said.innerText()).toContain('taken away');
});

test('by key a line of the code is chosen, gone to, and given an event', async () => {
  await page.locator('.tokens').waitFor();
  const list = page.getByRole('list', { name: 'Entry code' });
  const chosen = page.locator('.panel.code').getByRole('status');
  await list.focus();
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => chosen.innerText()).toBe('popq %rdx, boundary 144');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => chosen.innerText()).toBe('iretq, boundary 145');
  await page.keyboard.press('Enter');
  await expect.poll(() => boundary(page)).toBe(145);
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => chosen.innerText()).toBe('popq %rdx, boundary 144');
  await page.keyboard.press('f');
  const tokens = page.locator('.tokens [role=slider]');
  await expect.poll(async () => (await tokens.allInnerTexts()).map((one) => one.trim())).toContain('nmi 144');
  expect(await boundary(page)).toBe(145);
  await page.keyboard.press('Escape');
  await expect.poll(() => chosen.innerText()).toBe('');
});

test('a state as text, SVG and PNG; a presentation shows one part at a time in large type', async () => {
  await page.locator('.files').waitFor();
  for (const [name, ending, begins] of [
    ['Save SVG', 'svg', '<svg'],
    ['Save PNG', 'png', '\u{fffd}PNG'],
  ] as const) {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe(`nested-nmi-b144.${ending}`);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    expect(text.startsWith(begins)).toBe(true);
    if (ending === 'svg') expect(text).toContain('outermost');
  }
  await page.getByRole('button', { name: 'Present' }).click();
  const part = (name: string) => page.locator(`.panel.${name}`);
  await expect.poll(() => part('picture').isVisible()).toBe(true);
  expect(await part('code').isVisible()).toBe(false);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe('24px');
  await page.getByRole('slider', { name: 'Time' }).focus();
  await page.keyboard.press('3');
  await expect.poll(() => part('words').isVisible()).toBe(true);
  expect(await part('picture').isVisible()).toBe(false);
  // By named step, wherever the focus is, as a remote control sends it too.
  const at = await boundary(page);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => boundary(page)).toBe(146);
  await page.getByRole('button', { name: 'Present', exact: true }).focus();
  await page.keyboard.press('PageUp');
  await expect.poll(() => boundary(page)).toBe(at);
  await page.keyboard.press('Escape');
  await expect.poll(() => part('code').isVisible()).toBe(true);
});

test('what a run is compared with is in its link, and comes back with it', async () => {
  await page.getByLabel('compare with').selectOption('without test-c');
  await expect.poll(() => page.url()).toMatch(/#t144\.c_without_test-c~\w{8}$/);
  const address = page.url();
  await page.goto('about:blank');
  await page.goto(address);
  await ready(page);
  await expect.poll(() => page.getByLabel('compare with').inputValue()).toBe('without test-c');
  await expect.poll(() => page.locator('.parted').innerText()).toMatch(/^They part at nested_nmi_out/);
  expect(await said(page)).toMatch(/^same/);
});

test('a run of 200,000 boundaries: jumped about in, zoomed, and stepped through', async () => {
  await page.locator('summary', { hasText: 'Recipe' }).first().click();
  await page.getByRole('textbox', { name: 'Recipe' }).fill(longRun());
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  const slider = page.getByRole('slider', { name: 'Time' });
  await expect.poll(async () => Number(await slider.getAttribute('aria-valuemax'))).toBeGreaterThan(190_000);
  const jump = async (to: string) => {
    await page.getByLabel('jump to').fill(to);
    await page.keyboard.press('Enter');
  };
  await jump('150001');
  await expect.poll(() => boundary(page)).toBe(150_001);
  const there = await state();
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => boundary(page)).toBe(150_002);
  expect(await state()).not.toBe(there);
  await jump('7');
  await expect.poll(() => boundary(page)).toBe(7);
  await jump('150001');
  await expect.poll(() => boundary(page)).toBe(150_001);
  expect(await state()).toBe(there);
  await slider.focus();
  for (let n = 0; n < 6; n++) await page.keyboard.press('+');
  await expect
    .poll(() => page.locator('.zoom output').innerText())
    .toMatch(/^boundaries 149\d{3} to 150\d{3} of \d+$/);
  await page.keyboard.press('0');
  await expect.poll(() => page.locator('.zoom output').innerText()).toMatch(/^all \d+ boundaries$/);
});

test('on a phone nothing scrolls sideways, and the NMI stack is in sight', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const picture = page.locator('svg.stacks');
  await expect.poll(async () => (await picture.boundingBox())?.width ?? 999).toBeLessThan(360);
  const box = await picture.getByText('NMI', { exact: true }).first().boundingBox();
  expect((box?.x ?? 999) + (box?.width ?? 0)).toBeLessThan(390);
  expect(await flawsAsShown(page, ['.island'])).toEqual([]);
});
