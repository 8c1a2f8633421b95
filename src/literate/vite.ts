import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { library } from '../scenario/library.ts';
import { rowFile } from '../scenario/registry-row.ts';
import { type BuiltProgram, programsOf } from './built.ts';
import { pagePath, pagePaths, readPage } from './pages.ts';
import { REGISTRY, readEntries } from './registry.ts';
import { scan } from './scan.ts';
import { shelfOf } from './shelves.ts';
import { inBrowser, tangle } from './tangle.ts';

const LIBRARY = 'virtual:library';
const SUFFIX = '.cells.ts';
const INDEX = 'virtual:cells';
/** The library as cells see it: a cell is a test of its text, so nothing of it comes from the build. */
const OF_TEXT = 'virtual:library-of-text';

/** `virtual:cells` maps a page's path to the import of its tangled module, a chunk of its own. */
export function cells(): Plugin {
  return {
    name: 'literate-cells',
    enforce: 'pre',
    resolveId(id) {
      if (id === INDEX || id === OF_TEXT) return `\0${id}`;
      return id.endsWith(SUFFIX) ? id : undefined;
    },
    load(id) {
      if (id === `\0${INDEX}`) {
        const entries = pagePaths().map(
          (path) => `${JSON.stringify(path)}: () => import(${JSON.stringify(resolve(path) + SUFFIX)})`,
        );
        return `export const pages = {${entries.join(', ')}};`;
      }
      if (id === `\0${OF_TEXT}`)
        return `import { pages as all } from '${LIBRARY}'; import { copyOf } from '#scenario/library.ts'; export const pages = copyOf(all);`;
      const file = id.endsWith(SUFFIX) ? id.slice(0, -SUFFIX.length) : '';
      const path = pagePath(file);
      if (!path) return undefined;
      this.addWatchFile(file);
      const text = tangle(scan(readFileSync(file, 'utf8'), path), inBrowser(path));
      return text.replaceAll(`'${LIBRARY}'`, `'${OF_TEXT}'`);
    },
  };
}

const PROGRAM = 'virtual:program-';

/**
 * `virtual:library` is every page's assembly and scenarios as data, with the registry, for tests, the build and the
 * browser alike. A browser fetches a frozen row or a program when it needs it: each is a chunk of its own.
 */
export function libraryModule(): Plugin {
  let programs: readonly BuiltProgram[] = [];
  return {
    name: 'literate-library',
    enforce: 'pre',
    resolveId: (id) => (id === LIBRARY || id.startsWith(PROGRAM) ? `\0${id}` : undefined),
    load(id, options) {
      if (id.startsWith(`\0${PROGRAM}`)) {
        for (const path of pagePaths()) this.addWatchFile(resolve(path));
        return `export default ${JSON.stringify(programs[Number(id.slice(PROGRAM.length + 1))]?.row)};`;
      }
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
      const imports = (list: readonly (readonly [key: string, file: string])[]) =>
        `{${list.map(([key, name]) => `${JSON.stringify(key)}: () => import(${name})`).join(', ')}}`;
      if (!options?.ssr) programs = programsOf(library(shelves));
      const brought = options?.ssr
        ? [
            ...rows.map((name, n) => `import row${n} from ${file(name)};`),
            `import { readRow } from ${room('registry-row.ts')};`,
            `import { registry } from ${room('registry.ts')};`,
            `import { loadAssembler } from ${room('on-demand.ts')};`,
            `await loadAssembler();`,
            `const built = undefined;`,
            `const frozen = registry(${list}, [${rows.map((_, n) => `row${n}`).join(', ')}].map(readRow));`,
          ]
        : [
            `import { fetchedRegistry } from ${room('registry-row.ts')};`,
            `import { fetchedPrograms } from ${room('on-demand.ts')};`,
            `const frozen = fetchedRegistry(${list}, ${imports(rows.map((name) => [name, file(name)]))});`,
            `const built = fetchedPrograms(${imports(programs.map(({ key }, n) => [key, JSON.stringify(PROGRAM + n)]))});`,
          ];
      return [
        `import { library } from ${room('library.ts')};`,
        ...brought,
        `export const pages = library(${JSON.stringify(shelves)}, frozen, built);`,
      ].join('\n');
    },
  };
}
