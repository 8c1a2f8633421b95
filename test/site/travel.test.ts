/** Going back, as the built site does it: every state is that of a run in which nobody went back. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { longRun } from '../../src/cli/bench/long-run.ts';
import { GPR } from '../../src/isa/state.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { loadAssembler } from '../../src/scenario/on-demand.ts';
import { play } from '../../src/scenario/run.ts';
import { STRIDE } from '../../src/scenario/tape.ts';
import { boundary, ready, visits } from './visit.ts';

const site = visits('/');
/** Those that the loop may count in: RDX is its own, RSP leads back. */
const COUNTED = GPR.filter((name) => name !== 'rsp' && name !== 'rdx');
const TURNS = 60;
const lines = (text: (register: string) => string): string =>
  COUNTED.map((one) => `| ${text(one)}\n`).join('');
/**
 * Long enough that its second half is made from marks and by running again; an NMI is delivered right behind an IRET there.
 * Each turn counts in every register, and all are as before when the turns are over: one that a mark does not bring back is
 * wrong in every state that is made from it.
 */
const RECIPE = longRun(TURNS)
  .replace(/^\| 1:.*\n/m, `| 1:\n${lines((one) => `incq %${one}`)}| decl %edx\n`)
  .replace(
    /^(?=\| +leaq +-88)/m,
    lines((one) => `subq $${TURNS}, %${one}`),
  )
  .replace('cursor ', 'inject  nmi at nested_nmi_out\ncursor ');
/** Boundaries before the first IRET of that half, and after the delivery. */
const AROUND = 9;

/** The run as it is recorded, in one go. */
async function recorded() {
  await loadAssembler();
  const source = { page: 'recipe', name: 'recipe', line: 1, lines: RECIPE.split('\n') };
  return play(source, libraryOnDisk(), { budget: 200_000, whole: Number.POSITIVE_INFINITY });
}

const digest = (page: Page): Promise<string | null> =>
  page.locator('.island').first().getAttribute('data-digest');

test('back through a delivery and an IRET, the state is the very one of a run that never went back', async () => {
  const truth = await recorded();
  const last = truth.frames.length - 1;
  const crossed = truth.steps.filter(({ boundary, kind }) => boundary > 600 && kind !== 'label');
  const [iret, delivery] = crossed;
  expect([iret?.kind, delivery?.kind]).toEqual(['return', 'nmi']);
  const [from, to] = [(iret?.boundary ?? 0) - AROUND, (delivery?.boundary ?? 0) + AROUND];
  const [marked, end] = [truth.frames[STRIDE * Math.floor(from / STRIDE)], truth.frames[last]].map((frame) =>
    COUNTED.map((one) => frame?.registers[one]),
  );
  for (const [n, register] of COUNTED.entries())
    expect({ register, value: marked?.[n] }).not.toEqual({ register, value: end?.[n] });

  const page = await site.open('notebooks/labs/laboratory/');
  await ready(page);
  await page.locator('summary', { hasText: 'Recipe' }).first().click();
  await page.getByRole('textbox', { name: 'Recipe' }).fill(RECIPE);
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  const slider = page.getByRole('slider', { name: 'Time' });
  await expect.poll(() => slider.getAttribute('aria-valuemax')).toBe(String(last));
  // From the end, where no NMI is blocked and every register is the task's again, into the middle of the second NMI.
  for (const at of [last, to]) {
    await page.getByLabel('jump to').fill(String(at));
    await page.keyboard.press('Enter');
    await expect.poll(() => boundary(page)).toBe(at);
  }
  await slider.focus();
  const walk = async (key: string, steps: readonly number[]) => {
    for (const b of steps) {
      await expect.poll(() => boundary(page)).toBe(b);
      expect({ b, digest: await digest(page) }).toEqual({ b, digest: truth.frames[b]?.digest });
      await page.keyboard.press(key);
    }
  };
  const back = Array.from({ length: to - from + 1 }, (_, n) => to - n);
  await walk('ArrowLeft', back);
  await walk('ArrowRight', [from - 1, ...back.toReversed()]);
  // What is said of the latch there is what was recorded as well.
  await page.getByLabel('jump to').fill(String(iret?.boundary));
  await page.keyboard.press('Enter');
  const blocked = truth.frames[iret?.boundary ?? 0]?.latch.blocked;
  await expect
    .poll(() => page.locator('.lamps').innerText())
    .toContain(blocked ? 'NMIs blocked' : 'NMIs open');
});
