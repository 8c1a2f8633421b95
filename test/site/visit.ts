/** Visits of the built site in a browser. What goes wrong on one, however quietly, fails its test. */
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page, Request } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { serve } from '../../src/cli/serve.ts';
import { launch } from './browser.ts';

/** Where the site is built for each base; under the other one with frozen test rows. */
export const SITES = { '/': 'dist', '/a/b/': 'node_modules/.cache/based' } as const;
export type Base = keyof typeof SITES;
/** The base that this run of the tests is about: `/`, or by ENTRYLAB_BASE the other one. */
export const HERE: Base = process.env.ENTRYLAB_BASE === '/a/b/' ? '/a/b/' : '/';

const DESK = { width: 1280, height: 900 };

export interface Visits {
  /** Address of the site, with a slash at its end. */
  readonly url: string;
  /** What this test asked for, the requests of workers too. */
  readonly requests: readonly Request[];
  /** Ends the visit before, if there is one, and opens a page of the site. */
  readonly open: (path: string, options?: BrowserContextOptions) => Promise<Page>;
  /** Takes back complaints that a test provokes; there must be some. */
  readonly provoked: (pattern: RegExp) => void;
  /** Passes over complaints of this test that some browsers have and others have not. */
  readonly tolerated: (pattern: RegExp) => void;
}

// Files that run in one worker share all this: a browser and a page's process cost as much to start as a visit.
let browser: Promise<Browser> | undefined;
const servers = new Map<Base, ReturnType<typeof serve>>();
/** The page of visits without options, as `emptied` leaves it. */
let kept: Page | undefined;
let complaints: string[] = [];
let borne: RegExp[] = [];
let requests: Request[] = [];

async function launched(): Promise<Browser> {
  const started = await launch();
  started.once('disconnected', () => {
    browser = undefined;
  });
  return started;
}

async function newPage(options?: BrowserContextOptions): Promise<Page> {
  browser ??= launched();
  const context = await (await browser).newContext({
    viewport: DESK,
    serviceWorkers: 'block', // each visit would be the first one, and fetch what the laboratory needs
    ...options,
  });
  context.on('console', (message) => {
    const blocked = message.text() === 'Service Worker registration blocked by Playwright';
    if (['error', 'warning'].includes(message.type()) && !blocked) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => requests.push(request));
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText; // a worker still loading when the reader moves on is no fault
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${reason} ${request.url()}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  return context.newPage();
}

/**
 * Takes from a page what a visit may have left: what it shows, stored and was sent, what it may do, how it is shown.
 * Session storage stays, which the site does not use, and so do scripts of `addInitScript`, which need a context of their own.
 */
async function emptied(page: Page): Promise<void> {
  if (page.url() === 'about:blank') return;
  const context = page.context();
  await page.goto('about:blank');
  const session = await context.newCDPSession(page);
  for (const server of servers.values()) {
    const { origin } = new URL((await server).url);
    await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  }
  await session.detach();
  await Promise.all([context.clearPermissions(), context.setOffline(false), page.unrouteAll()]);
  await page.mouse.move(0, 0);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(DESK);
}

/**
 * Serves the site under a base for the tests of the `describe` (or file) that calls this. After each test nothing
 * may have been complained of: no error or warning on the console, no exception, no request that failed or was
 * answered with a status from 400 on.
 */
export function visits(base: Base): Visits {
  let url: string;
  /** Opened with options of its own, which no other visit shares. */
  let own: Page | undefined;
  const leave = async () => {
    await own?.context().close();
    own = undefined;
    const page = kept;
    kept = undefined; // one that cannot be emptied is not used again
    if (page) await emptied(page);
    kept = page;
  };
  beforeAll(async () => {
    const server = servers.get(base) ?? serve(SITES[base], { base });
    servers.set(base, server);
    url = (await server).url;
  });
  beforeEach(() => {
    complaints = [];
    borne = [];
    requests = [];
  });
  afterEach(async ({ task }) => {
    // Whatever ails a page after a failure, the next visit does not inherit it.
    if (task.result?.state === 'fail') {
      const broken = kept;
      kept = undefined;
      await broken?.context().close();
    }
    await leave();
    expect(complaints.filter((one) => !borne.some((pattern) => pattern.test(one)))).toEqual([]);
  });

  return {
    get url() {
      return url;
    },
    get requests() {
      return requests;
    },
    async open(path, options) {
      await leave();
      if (options) own = await newPage(options);
      else kept ??= await newPage();
      const page = own ?? kept;
      if (!page) throw new Error('missing page');
      await page.goto(url + path);
      return page;
    },
    provoked(pattern) {
      const rest = complaints.filter((one) => !pattern.test(one));
      expect(rest.length).toBeLessThan(complaints.length);
      complaints = rest;
    },
    tolerated(pattern) {
      borne.push(pattern);
    },
  };
}

/** Waits until the first island answers. */
export const ready = (page: Page): Promise<void> =>
  page.locator('.island[data-ready=true]').first().waitFor();

/** Boundary that the first island shows. */
export const boundary = async (page: Page): Promise<number> =>
  Number(await page.locator('.island').first().getAttribute('data-boundary'));

/** What the first island says of its run: the same as recorded, changed, a draft. */
export const said = async (page: Page): Promise<string> =>
  (await page.locator('.standing').first().innerText()).trim();

export const LOOKS = [
  { width: 1280, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const;

/** What axe finds on a desk by day and on a phone by night, and what scrolls sideways there. */
export async function flaws(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { width, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    found.push(...(await flawsAsShown(page)));
  }
  return found;
}

/** The same as the page is shown, of some of its parts. */
export async function flawsAsShown(page: Page, parts: readonly string[] = []): Promise<readonly string[]> {
  // Our pages have no frames. For such a page this mode runs the same rules, without a second page that is sent
  // every node which passes: a fifth of the time.
  expect(page.frames()).toHaveLength(1);
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  const { violations } = await parts.reduce((builder, part) => builder.include(part), axe).analyze();
  const [width, wide] = await page.evaluate(() => [
    window.innerWidth,
    document.documentElement.scrollWidth - window.innerWidth,
  ]);
  const found = violations.map(({ id, nodes }) => `${page.url()} ${width}: ${id}: ${nodes[0]?.html}`);
  return (wide ?? 0) > 0 ? [...found, `${page.url()} ${width}: ${wide} too wide`] : found;
}
