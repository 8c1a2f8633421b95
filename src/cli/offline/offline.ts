/** The service worker of a build: which files it keeps from the first visit on, and under which name. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';

const HASHED = '_astro';
const LABORATORY = 'notebooks/labs/laboratory/';
/** What every page asks for beside hashed files. */
const OF_ALL_PAGES = ['theme.js', 'offline.js', 'favicon.svg'];
/** Without a program the worker assembles the text of the design, which it has; the cells of a page are kept with it. */
const LEFT_OUT = /^_virtual_program|\.mdx\.cells\./;

/** What makes the laboratory's map, and what checks numbers again, comes once its page was opened, as with any other page. */
const WHEN_OPENED = new RegExp(`${LEFT_OUT.source}|^sweep-worker|^live\\.`);

/** Names of hashed files that a text names, and those that these name in turn: workers, and what is loaded later, too. */
function named(site: string, text: string, without = LEFT_OUT): readonly string[] {
  const names = new Set(readdirSync(join(site, HASHED)));
  const found = new Set<string>();
  const read = (one: string): void => {
    for (const [name] of one.matchAll(/[\w.~-]+\.(?:js|css|wasm|woff2)\b/g)) {
      if (found.has(name) || !names.has(name) || without.test(name)) continue;
      found.add(name);
      // A style names a font for each script; the page names those that it is written in.
      if (name.endsWith('.js')) read(hashed(site, name));
    }
  };
  read(text);
  return [...found].sort().map((name) => `${HASHED}/${name}`);
}

const hashed = (site: string, name: string): string => readFileSync(join(site, HASHED, name), 'utf8');
const pageText = (site: string, path: string): string => readFileSync(join(site, path, 'index.html'), 'utf8');

/** Paths from the root of the site of what the laboratory needs to work without a network, but for its map. */
export const precached = (site: string): readonly string[] => [
  LABORATORY,
  ...OF_ALL_PAGES,
  ...named(site, pageText(site, LABORATORY), WHEN_OPENED),
];

/** The script that holds the cells of each page, by the page's path. The list of them lies in whichever chunk the bundler chose. */
function cellsOf(site: string): ReadonlyMap<string, string> {
  const scripts = readdirSync(join(site, HASHED)).filter((one) => one.endsWith('.js') && !LEFT_OUT.test(one));
  const entry = /["'`]([\w/.-]+\.mdx)["'`]:[^:]*?\.\/([\w.~-]+\.mdx\.cells\.[\w.~-]+\.js)/g;
  const found = scripts.flatMap((name) => [...hashed(site, name).matchAll(entry)]);
  if (found.length === 0) throw new Error('missing list of cells: no chunk names them');
  return new Map(found.map(([, source = '', cells = '']) => [source, cells]));
}

/**
 * What a page needs beyond what is precached, by a text that is found in it: the name of the script of an island, and the
 * path of its source, as the island of a cell has it, for the cells. Scripts that are in no page but those of scenarios
 * need nothing more.
 */
export function needs(site: string): Readonly<Record<string, readonly string[]>> {
  const beforehand = new Set(precached(site));
  const unknown = (path: string) => !beforehand.has(path);
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('index.html') && !file.startsWith('s/'),
  );
  const scripts = pages.flatMap((file) => [
    ...readFileSync(join(site, file), 'utf8').matchAll(/_astro\/([\w.~-]+\.js)/g),
  ]);
  const found = new Map<string, readonly string[]>();
  for (const name of new Set(scripts.map(([, name = '']) => name)))
    found.set(name, named(site, name).filter(unknown));
  for (const [source, cells] of cellsOf(site))
    found.set(`&quot;${source}&quot;`, [
      `${HASHED}/${cells}`,
      ...named(site, hashed(site, cells)).filter(unknown),
    ]);
  return Object.fromEntries([...found].filter(([, paths]) => paths.length > 0));
}

/** The text of the service worker for a built site that will lie under `base`, which has a slash at each end. */
export function serviceWorker(site: string, base: string): string {
  const files = precached(site);
  const source = readFileSync(new URL('service-worker.js', import.meta.url), 'utf8');
  const hash = createHash('sha256')
    .update(source)
    .update(readdirSync(join(site, HASHED)).sort().join());
  for (const file of files.filter((one) => !one.startsWith(HASHED)))
    hash.update(readFileSync(join(site, file, file.endsWith('/') ? 'index.html' : '')));
  const constants = {
    PREFIX: `entrylab ${base} `,
    BUILD: hash.digest('hex').slice(0, 16),
    BASE: base,
    FILES: files,
    NEEDS: needs(site),
  };
  const head = Object.entries(constants).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  return `${head.join('\n')}\n${source}`;
}

/**
 * Writes `sw.js` into a build. Without this, or with ENTRYLAB_OFFLINE=no in the environment, the site has the one of
 * `public/`, which takes an earlier one and all that it kept out of the browsers that have it.
 */
export function offline(): AstroIntegration {
  let base = '/';
  return {
    name: 'offline',
    hooks: {
      'astro:config:done': ({ config }) => {
        base = `${config.base.replace(/\/$/, '')}/`;
      },
      'astro:build:done': ({ dir }) => {
        if (process.env.ENTRYLAB_OFFLINE === 'no') return;
        const site = fileURLToPath(dir);
        writeFileSync(join(site, 'sw.js'), serviceWorker(site, base));
      },
    },
  };
}
