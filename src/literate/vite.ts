import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { pagePath, pagePaths, readPage } from './pages.ts';
import { scan } from './scan.ts';
import { shelfOf } from './shelves.ts';
import { inBrowser, tangle } from './tangle.ts';

const SUFFIX = '.cells.ts';
const INDEX = 'virtual:cells';

/** `virtual:cells` maps a page's path to the import of its tangled module, a chunk of its own. */
export function cells(): Plugin {
  return {
    name: 'literate-cells',
    enforce: 'pre',
    resolveId(id) {
      if (id === INDEX) return `\0${INDEX}`;
      return id.endsWith(SUFFIX) ? id : undefined;
    },
    load(id) {
      if (id === `\0${INDEX}`) {
        const entries = pagePaths().map(
          (path) => `${JSON.stringify(path)}: () => import(${JSON.stringify(resolve(path) + SUFFIX)})`,
        );
        return `export const pages = {${entries.join(', ')}};`;
      }
      const file = id.endsWith(SUFFIX) ? id.slice(0, -SUFFIX.length) : '';
      const path = pagePath(file);
      if (!path) return undefined;
      this.addWatchFile(file);
      return tangle(scan(readFileSync(file, 'utf8'), path), inBrowser(path));
    },
  };
}

const LIBRARY = 'virtual:library';

/** `virtual:library` is every page's assembly and scenarios as data, for tests, the build and the browser alike. */
export function libraryModule(): Plugin {
  return {
    name: 'literate-library',
    enforce: 'pre',
    resolveId: (id) => (id === LIBRARY ? `\0${LIBRARY}` : undefined),
    load(id) {
      if (id !== `\0${LIBRARY}`) return undefined;
      const paths = pagePaths();
      for (const path of paths) this.addWatchFile(resolve(path));
      const shelves = paths.map((path) => shelfOf(readPage(path)));
      const room = JSON.stringify(resolve('src/scenario/library.ts'));
      return `import { library } from ${room}; export const pages = library(${JSON.stringify(shelves)});`;
    },
  };
}
