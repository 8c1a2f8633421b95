/** How long a sweep takes in a browser's worker, from a reader's click to the pictures. Needs a built site and Chromium. */
import type { Page } from 'playwright-core';
import { inBuiltSite, type Missing } from './built-site.ts';
import type { Figure } from './sweep.ts';

/** Two NMIs anywhere over a run that one has begun, which is over at boundary 163 without them. */
const SWEPT = 'notebooks/labs/sweep/#sweep.e_nmi_nmi.g_latch-opens-early.s_kernel-task.h_int3';
/** Safeguards that are taken away and put back, one after the other: each is assembled, booted and swept anew. */
const SWITCHES = ['test-c', 'test-d', 'copy-frames', 'set-in-repeat', 'std-before-clear'];

/** Milliseconds of the page's clock. */
interface Times {
  readonly paint: number;
  readonly all: number;
}

/** The figures, or why there are none. */
export const browserFigures = (): Promise<readonly Figure[] | Missing> =>
  inBuiltSite(async (browser, url) => {
    const page = await browser.newPage();
    await page.goto(url + SWEPT);
    await page.waitForSelector('.sweep .controls', { state: 'attached' });
    await page.waitForFunction(done, undefined, { timeout: 60_000 });
    const times: Times[] = [];
    for (const name of SWITCHES) {
      times.push(await timed(page, name));
      await timed(page, name); // put back
    }
    const made = await page.evaluate(said);
    const what = 'two NMIs, in a browser';
    return [
      { what: `${what}, first paint`, ms: times.map(({ paint }) => paint), barMs: 200, made: '' },
      { what: `${what}, all`, ms: times.map(({ all }) => all), barMs: 1000, made },
    ];
  });

/** Whether the sweep that the address asks for has ended; as it comes from the server the page is of another one. Runs in the page. */
const done = (): boolean => {
  const { ready, phase } = document.querySelector<HTMLElement>('.sweep:has(.controls)')?.dataset ?? {};
  return ready === 'true' && phase === 'done';
};

/** What was swept in the end. Runs in the page. */
const said = (): string =>
  /[\d,]+ schedules/.exec(document.querySelector('.sweep:has(.controls) .verdict')?.textContent ?? '')?.[0] ??
  '';

/** Flips a switch and waits for the first picture of the new sweep, and for the end. */
const timed = (page: Page, safeguard: string): Promise<Times> =>
  page.evaluate(async (name) => {
    const island = document.querySelector<HTMLElement>('.sweep:has(.controls)');
    const label = [...(island?.querySelectorAll('.switches label') ?? [])].find((one) =>
      one.textContent?.trim().startsWith(`${name} `),
    );
    const box = label?.querySelector('input');
    if (!island || !box) throw new Error(`missing switch: ${name}`);
    const from = performance.now();
    const painted = new Promise<number>((resolve) => {
      const watch = new MutationObserver(() => {
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)));
      });
      for (const picture of island.querySelectorAll('.drawn')) watch.observe(picture, { childList: true });
    });
    const phase = (): string | undefined => island.dataset.phase;
    // The end of the sweep before is no end of this one.
    let begun = false;
    const watch = new MutationObserver(() => {
      begun ||= phase() !== 'done';
    });
    watch.observe(island, { attributes: true, attributeFilter: ['data-phase'] });
    box.click();
    // What is quick runs at once; for the rest the button comes into its own with the next drawing.
    for (let clicked = false; !begun; await new Promise((resolve) => setTimeout(resolve, 1))) {
      const run = [...island.querySelectorAll('button')].find((one) => one.textContent === 'Run');
      if (clicked || !run || run.disabled) continue;
      clicked = true;
      run.click();
    }
    watch.disconnect();
    const paint = await painted;
    while (phase() !== 'done') await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return { paint, all: performance.now() - from };
  }, safeguard);
