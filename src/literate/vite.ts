import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { rowFile } from '../scenario/registry-row.ts';
import { pagePath, pagePaths, readPage } from './pages.ts';
import { REGISTRY, readEntries } from './registry.ts';
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

/**
 * `virtual:library` is every page's assembly and scenarios as data, with the registry, for tests, the build and the
 * browser alike. A browser fetches a frozen row when it needs it: each is a chunk of its own.
 */
export function libraryModule(): Plugin {
  return {
    name: 'literate-library',
    enforce: 'pre',
    resolveId: (id) => (id === LIBRARY ? `\0${LIBRARY}` : undefined),
    load(id, options) {
      if (id !== `\0${LIBRARY}`) return undefined;
      const paths = pagePaths();
      const index = join(REGISTRY, 'index.json');
      for (const path of [...paths, index]) this.addWatchFile(resolve(path));
      const shelves = paths.map((path) => shelfOf(readPage(path)));
      const entries = readEntries(REGISTRY);
      const rows = entries.flatMap(({ slug, versions }) => versions.map((n) => rowFile(slug, n)));
      const file = (name: string) => JSON.stringify(resolve(REGISTRY, name));
      const room = (name: string) => JSON.stringify(resolve('src/scenario', name));
      const list = JSON.stringify(entries);
      const registry = options?.ssr
        ? [
            ...rows.map((name, n) => `import row${n} from ${file(name)};`),
            `import { readRow } from ${room('registry-row.ts')};`,
            `import { registry } from ${room('registry.ts')};`,
            `const frozen = registry(${list}, [${rows.map((_, n) => `row${n}`).join(', ')}].map(readRow));`,
          ]
        : [
            `import { fetchedRegistry } from ${room('registry-row.ts')};`,
            `const frozen = fetchedRegistry(${list}, {${rows
              .map((name) => `${JSON.stringify(name)}: () => import(${file(name)})`)
              .join(', ')}});`,
          ];
      return [
        `import { library } from ${room('library.ts')};`,
        ...registry,
        `export const pages = library(${JSON.stringify(shelves)}, frozen);`,
      ].join('\n');
    },
  };
}
