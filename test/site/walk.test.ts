/**
 * A whole experiment by keyboard alone, as a screen reader tells it. The transcript is kept: it must be good to read.
 */
import type { CDPSession, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ready, visits } from './visit.ts';

const site = visits('/');

/** What has the focus, by the accessibility tree: role, name, value. */
async function focused(session: CDPSession): Promise<string> {
  const { result } = await session.send('Runtime.evaluate', { expression: 'document.activeElement' });
  const { nodes } = await session.send('Accessibility.getPartialAXTree', {
    objectId: result.objectId ?? '',
    fetchRelatives: false,
  });
  const [node] = nodes;
  const valuetext = node?.properties?.find(({ name }) => (name as string) === 'valuetext')?.value.value;
  // A row has no name of its own: its cells are read.
  const cells = "[...(document.activeElement.cells ?? [])].map((cell) => cell.innerText.trim()).join(', ')";
  const read = (await session.send('Runtime.evaluate', { expression: cells })).result.value;
  const name = node?.name?.value || read;
  const told = [node?.role?.value, name, valuetext ?? node?.value?.value].filter(Boolean);
  return told.map((one) => String(one).replace(/\s+/g, ' ')).join(', ');
}

/** What `listen` puts into the page. */
interface Listening {
  readonly said: string[];
  /** Timers and questions to a worker that are not over yet. */
  readonly pending: Set<unknown>;
}

/** Notes what live regions say from now on, and what may still make them speak. */
const listen = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const said: string[] = [];
    const pending = new Set<unknown>();
    Object.assign(window, { said, pending } satisfies Listening);
    const { setTimeout: set, clearTimeout: clear } = window;
    Object.assign(window, {
      setTimeout: (run: () => void, wait: number) => {
        const timer = set(() => {
          pending.delete(timer);
          run();
        }, wait);
        pending.add(timer);
        return timer;
      },
      clearTimeout: (timer: number) => {
        pending.delete(timer);
        clear(timer);
      },
    });
    const asked = new WeakSet<Worker>();
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (question: { readonly id: number }) {
      if (!asked.has(this)) this.addEventListener('message', ({ data }) => pending.delete(`ask ${data.id}`));
      asked.add(this);
      pending.add(`ask ${question.id}`);
      postMessage.call(this, question);
    };
    const region = (node: Node | null): Element | null | undefined =>
      (node instanceof Element ? node : node?.parentElement)?.closest(
        '[role=status], [role=alert], [aria-live=polite], output',
      );
    new MutationObserver((records) => {
      for (const one of new Set(records.map(({ target }) => region(target)))) {
        const text = one?.textContent?.replace(/\s+/g, ' ').trim();
        if (text && said.at(-1) !== text) said.push(text);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });

test('place an NMI, follow it, ask where a word comes from, compare, and take the NMI away: with keys only', async () => {
  const page = await site.open('notebooks/labs/laboratory/');
  await ready(page);
  await page.locator('.travel').waitFor();
  // What is said of the first state is said before anybody listens, or after it: the walk begins when it was.
  await expect.poll(() => page.locator('.origin').innerText()).toContain('q(-9)');
  const session = await page.context().newCDPSession(page);
  await listen(page);
  const transcript: string[] = [];
  const island = page.locator('.island').first();
  const settle = async () => {
    await expect.poll(() => page.locator('.standing').first().innerText()).not.toBe('running');
    // Regions speak after a pause, and some when a worker has answered: until nothing is under way.
    await page.evaluate(async () => {
      const { pending } = window as unknown as Listening;
      for (let calm = 0; calm < 3; calm = pending.size > 0 ? 0 : calm + 1)
        await new Promise(requestAnimationFrame);
    });
  };
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
    await settle();
    transcript.push(`press ${keys.join(' ')}`, `    ${await focused(session)}`);
    const said = await page.evaluate(() => (window as unknown as Listening).said.splice(0));
    transcript.push(...said.map((one) => `    says: ${one}`));
  };
  const tabTo = async (what: RegExp) => {
    const passed: string[] = [];
    for (let n = 0; n < 250; n++) {
      const told = await focused(session);
      if (what.test(told)) {
        transcript.push(`tab to`, `    ${told}`);
        return;
      }
      passed.push(told);
      await page.keyboard.press('Tab');
    }
    throw new Error(`not reached by Tab: ${what}; passed ${[...new Set(passed)].join('; ')}`);
  };
  const at = async () => Number(await island.getAttribute('data-boundary'));

  await settle();
  await page.evaluate(() => (window as unknown as Listening).said.splice(0));
  await tabTo(/^slider, Time/);
  await press('Home');
  await press('n');
  expect(await at()).toBe(3);
  await press(']');
  await press('ArrowRight');
  await press('f');
  await press('n');
  await press('o');
  await press('b');
  await tabTo(/^slider, nmi, arrows move it/);
  await press('ArrowRight');
  await press('Delete');
  await tabTo(/^combobox, compare with/);
  await press('ArrowDown');
  await press('ArrowDown');
  await tabTo(/^row, /);
  await press('ArrowDown');
  await press('w');
  await tabTo(/^option, /);
  await press('ArrowLeft');
  await press('ArrowDown');
  await press('w');
  await press('?');
  await press('?');
  await tabTo(/^button, RSP/);
  await press('Enter');
  expect(await page.locator('.origin').innerText()).toContain('rsp');
  await expect(`${transcript.join('\n')}\n`).toMatchFileSnapshot('walk.txt');
});
