/** The built site in Chromium, for figures that a reader's browser gives. */
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { launch } from '../browser.ts';
import { serve } from '../serve.ts';

const SITE = 'dist';

export interface Missing {
  /** What there must be, and how to get it. */
  readonly missing: string;
}

/** What `measure` finds, with the address of the site, a slash at its end; or why nothing can be measured. */
export async function inBuiltSite<T>(
  measure: (browser: Browser, url: string) => Promise<T>,
): Promise<T | Missing> {
  if (!existsSync(`${SITE}/index.html`)) return { missing: 'a built site (npm run build)' };
  const browser = await launch().catch(() => undefined);
  if (!browser) return { missing: 'Chromium' };
  const site = await serve(SITE);
  try {
    return await measure(browser, site.url);
  } finally {
    await browser.close();
    site.server.close();
  }
}
