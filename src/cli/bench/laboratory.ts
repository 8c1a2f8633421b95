/** How fast the laboratory answers in a run of almost 200,000 boundaries, and what it takes in memory. Needs a built site and Chromium. */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { inBuiltSite, type Missing } from './built-site.ts';
import { longRun, TURNS } from './long-run.ts';
import type { Figure } from './sweep.ts';

const PATH = 'notebooks/labs/laboratory/';
const STEPS = 40;
const JUMPS = 30;
const OPENINGS = 5;
const LOOPS = 3;
/** Milliseconds after which a verdict is not waited for any longer. */
const LIMIT = 30_000;
/** Other programs that are run first, and turns of the first of them. */
const EDITS = 8;
const SHORT = 300;
/** As a phone in the middle of the market is simulated. */
const THROTTLED = 4;

export interface Memory {
  readonly what: string;
  readonly megabytes: number;
  readonly bar: number;
}

/** The figures, or why there are none. */
export const laboratoryFigures = (): Promise<
  { readonly times: readonly Figure[]; readonly memory: Memory } | Missing
> =>
  inBuiltSite(async (browser, url) => {
    const page = await browser.newPage();
    await page.goto(url + PATH);
    await page.locator('.island[data-ready=true]').waitFor();
    await page.locator('summary', { hasText: 'Recipe' }).first().click();
    // What a reader has run before must not stay for ever.
    for (let n = 0; n < EDITS; n++) await run(page, SHORT + n);
    const last = await run(page);
    const forward = await page.evaluate(moved, steps('ArrowRight', STEPS));
    const back = await page.evaluate(moved, steps('ArrowLeft', STEPS));
    const jumps = await page.evaluate(moved, jumpsIn(last));
    const memory = await memoryOf(page);
    const loops = [];
    for (let n = 0; n < LOOPS; n++) {
      await run(page, SHORT + n);
      loops.push(await verdictOnLoop(page));
    }
    const first = [];
    for (let n = 0; n < OPENINGS; n++) first.push(await firstInteraction(browser, url + PATH));
    const figure = (what: string, ms: readonly number[], barMs: number): Figure => ({
      what,
      ms,
      barMs,
      made: '',
    });
    return {
      times: [
        figure(`a step forward in ${last}`, forward, 16),
        figure('a step back', back, 16),
        figure('a jump', jumps, 50),
        figure('verdict on code that loops', loops, 1000),
        figure(`first key, processor ${THROTTLED} times slower`, first, 100),
      ],
      memory: { what: `page, worker and machines, ${EDITS} edits before`, megabytes: memory, bar: 40 },
    };
  });

/** Milliseconds from the click that runs code without an end to the verdict on the screen. */
async function verdictOnLoop(page: Page): Promise<number> {
  await page.getByRole('textbox', { name: 'Recipe' }).fill(longRun(0));
  return page.evaluate(async (limit) => {
    const run = [...document.querySelectorAll<HTMLButtonElement>('.island .recipe button')].find(
      ({ textContent }) => textContent === 'Run',
    );
    const from = performance.now();
    run?.click();
    const told = (part: string) => document.querySelector(`.island ${part}`)?.textContent ?? '';
    while (!/^(budget|no-progress)/.test(told('.outcome'))) {
      if (performance.now() - from > limit)
        throw new Error(`missing verdict on a loop: ${told('.standing')}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return performance.now() - from;
  }, LIMIT);
}

interface Move {
  readonly key?: string;
  readonly to?: number;
}
const steps = (key: string, count: number): readonly Move[] => Array.from({ length: count }, () => ({ key }));
const jumpsIn = (last: number): readonly Move[] =>
  Array.from({ length: JUMPS }, (_, n) => ({ to: 2_000 + ((n * 7_919 * 31) % (last - 2_000)) }));

/** Puts a run with a count of so many turns into the page, the long one unless told; gives its last boundary. */
async function run(page: Page, turns = TURNS): Promise<number> {
  const slider = page.getByRole('slider', { name: 'Time' });
  const before = await slider.getAttribute('aria-valuemax');
  await page.getByRole('textbox', { name: 'Recipe' }).fill(longRun(turns));
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  for (let n = 0; n < 600; n++) {
    const last = await slider.getAttribute('aria-valuemax');
    if (last !== before) return Number(last);
    await page.waitForTimeout(100);
  }
  throw new Error('the long run did not come');
}

/** Milliseconds from each move to the paint that shows it. Runs in the page. */
async function moved(moves: readonly Move[]): Promise<readonly number[]> {
  const island = document.querySelector<HTMLElement>('.island');
  const slider = island?.querySelector<HTMLElement>('[role=slider]');
  const jump = island?.querySelector<HTMLInputElement>('input[name=to]');
  if (!island || !slider || !jump) throw new Error('missing laboratory');
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const times: number[] = [];
  for (const { key, to } of moves) {
    await pause(120);
    const before = island.dataset.boundary;
    const from = performance.now();
    const changed = new Promise<void>((resolve) => {
      const watch = new MutationObserver(() => {
        if (island.dataset.boundary === before) return;
        watch.disconnect();
        resolve();
      });
      watch.observe(island, { attributes: true, attributeFilter: ['data-boundary'] });
    });
    if (key) slider.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    else {
      jump.value = String(to);
      jump.form?.requestSubmit();
    }
    await changed;
    const made = performance.now();
    // The layout that the change asks for counts; waiting for the screen's next turn does not.
    island.getBoundingClientRect();
    times.push(Math.max(performance.now(), made) - from);
  }
  return times;
}

/** From the first key on a page just opened to the change on the screen, on a slow processor. */
async function firstInteraction(browser: Browser, address: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLED });
    await page.goto(address);
    await page.locator('.island[data-ready=true]').waitFor();
    const [time = 0] = await page.evaluate(moved, [{ key: 'ArrowLeft' }]);
    return time;
  } finally {
    await context.close();
  }
}

/** Megabytes that the page and its worker hold after a collection: heaps, buffers, and what of their machines was ever used. */
async function memoryOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const worker = new Promise<number>((resolve, reject) => {
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') heldIn(askIn(session, sessionId)).then(resolve, reject);
    });
  });
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const own = await heldIn((method, params) => session.send(method as 'Runtime.evaluate', params as never));
  return own + (await worker);
}

type Ask = (method: string, params?: object) => Promise<unknown>;

/** Megabytes of one thread: its heap, and the bytes of its buffers in pages that hold anything. */
async function heldIn(ask: Ask): Promise<number> {
  // Twice: the first collection lets go of what the second one finds.
  for (let n = 0; n < 2; n++) await ask('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = (await ask('Runtime.getHeapUsage')) as Usage;
  const { result } = (await ask('Runtime.evaluate', {
    expression: 'WebAssembly.Memory.prototype',
  })) as Remote;
  const { objects } = (await ask('Runtime.queryObjects', { prototypeObjectId: result.objectId })) as {
    objects: { objectId: string };
  };
  const machines = (await ask('Runtime.callFunctionOn', {
    ...{ objectId: objects.objectId, functionDeclaration: touched, returnByValue: true },
  })) as Remote;
  return (usedSize + backingStorageSize + Number(machines.result.value)) / 2 ** 20;
}
/** Bytes of the heap, and of the buffers beside it; memories of machines are in neither. */
interface Usage {
  readonly usedSize: number;
  readonly backingStorageSize: number;
}
interface Remote {
  readonly result: { readonly objectId?: string; readonly value?: unknown };
}

/** Bytes of all memories in pages of 4 KiB that hold anything: a page that was never written to takes no memory. */
const touched = `function () {
  let bytes = 0;
  for (const { buffer } of this)
    for (let at = 0; at < buffer.byteLength; at += 4096)
      if (new BigInt64Array(buffer, at, 512).some((word) => word !== 0n)) bytes += 4096;
  return bytes;
}`;
/** Sends a command to a worker through its page's session. */
function askIn(session: CDPSession, sessionId: string): Ask {
  let asked = 0;
  return (method, params = {}) => {
    const id = ++asked;
    return new Promise((resolve, reject) => {
      session.on('Target.receivedMessageFromTarget', (event) => {
        const answer = JSON.parse(event.message) as { id?: number; result?: unknown; error?: unknown };
        if (event.sessionId !== sessionId || answer.id !== id) return;
        if (answer.error) reject(new Error(JSON.stringify(answer.error)));
        else resolve(answer.result);
      });
      const message = JSON.stringify({ id, method, params });
      void session.send('Target.sendMessageToTarget', { sessionId, message });
    });
  };
}
