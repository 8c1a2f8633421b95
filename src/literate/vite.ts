import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { library } from '../scenario/library.ts';
import { parted, type ShelfText } from '../scenario/on-demand.ts';
import type { Records } from '../scenario/records.ts';
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
const ON_DEMAND = 'virtual:library-on-demand';

/** `virtual:cells` maps a page's path to the import of its tangled module, a chunk of its own. */
export function cells(): Plugin {
  return {
    name: 'literate-cells',
    enforce: 'pre',
    resolveId(id) {
      if (id === INDEX) return `\0${id}`;
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

const PROGRAM = 'virtual:program-';
const TEXT = 'virtual:text-of-';
const RECORDS = 'src/scenario/records.json';

/**
 * `virtual:library` is every page's assembly and scenarios as data, with the registry, for tests, the build and cells
 * in the browser alike: a cell is a test of its text, so nothing of it comes from the build. `virtual:library-on-demand` is
 * the same for workers, with the records: they fetch the text of a page or a program when they need it. A browser
 * fetches frozen rows in either case. Each of these is a chunk of its own.
 */
export function libraryModule(): Plugin {
  let programs: readonly BuiltProgram[] = [];
  const texts = new Map<string, ShelfText>();
  return {
    name: 'literate-library',
    enforce: 'pre',
    resolveId: (id) =>
      id === LIBRARY || id === ON_DEMAND || id.startsWith(PROGRAM) || id.startsWith(TEXT)
        ? `\0${id}`
        : undefined,
    load(id, options) {
      const [, kind = '', name = ''] = PART.exec(id) ?? [];
      if (!kind && id !== `\0${LIBRARY}` && id !== `\0${ON_DEMAND}`) return undefined;
      const paths = pagePaths();
      for (const path of [...paths, join(REGISTRY, 'index.json'), RECORDS]) this.addWatchFile(resolve(path));
      if (kind) return data(kind === PROGRAM ? programs[Number(name)]?.row : texts.get(name));

      const shelves = paths.map((path) => shelfOf(readPage(path)));
      const entries = readEntries(REGISTRY);
      const rows = entries.flatMap(({ slug, versions }) => versions.map((n) => rowFile(slug, n)));
      const fetched = `fetchedRegistry(${JSON.stringify(entries)}, ${imports(rows.map((name) => [name, row(name)]))})`;
      if (options?.ssr)
        return [
          ...rows.map((name, n) => `import row${n} from ${row(name)};`),
          `import { readRow } from ${room('registry-row.ts')};`,
          `import { registry } from ${room('registry.ts')};`,
          `import { library } from ${room('library.ts')};`,
          `import { loadAssembler } from ${room('on-demand.ts')};`,
          `await loadAssembler();`,
          `const frozen = registry(${JSON.stringify(entries)}, [${rows.map((_, n) => `row${n}`).join(', ')}].map(readRow));`,
          `export const pages = library(${JSON.stringify(shelves)}, frozen);`,
        ].join('\n');
      if (id === `\0${LIBRARY}`)
        return [
          `import { fetchedRegistry } from ${room('registry-row.ts')};`,
          `import { library } from ${room('library.ts')};`,
          `export const pages = library(${JSON.stringify(shelves)}, ${fetched});`,
        ].join('\n');

      const recorded: Records = JSON.parse(readFileSync(RECORDS, 'utf8'));
      const others = { ...recorded };
      const bare = shelves.map((shelf) => {
        const parts = parted(shelf, recorded);
        texts.set(shelf.slug, parts.text);
        for (const { name } of shelf.scenarios) delete others[name];
        return parts.bare;
      });
      const withText = shelves.filter(({ asm, scenarios }) => asm.length + scenarios.length > 0);
      programs = programsOf(library(shelves));
      const built = programs.map(
        ({ key, pages }, n) =>
          `${JSON.stringify(key)}: text.beside(${JSON.stringify(pages)}, () => import('${PROGRAM}${n}'))`,
      );
      return [
        `import { fetchedRegistry } from ${room('registry-row.ts')};`,
        `import { library } from ${room('library.ts')};`,
        `import { fetchedPrograms, fetchedText } from ${room('on-demand.ts')};`,
        `const files = ${imports(withText.map(({ slug }) => [slug, JSON.stringify(TEXT + slug)]))};`,
        `const text = fetchedText(${JSON.stringify(bare)}, files, ${JSON.stringify(others)});`,
        `const built = fetchedPrograms({${built.join(', ')}});`,
        `export const pages = library(text.shelves, ${fetched}, built, true);`,
        `export const { records } = text;`,
      ].join('\n');
    },
  };
}

/** What one module holds: a program by its number, the text of a page by its slug. */
const PART = new RegExp(`^\0(${PROGRAM}|${TEXT})(.*)$`);
const data = (value: unknown): string => `export default ${JSON.stringify(value)};`;
const row = (name: string): string => JSON.stringify(resolve(REGISTRY, name));
const room = (name: string): string => JSON.stringify(resolve('src/scenario', name));
const imports = (list: readonly (readonly [key: string, file: string])[]): string =>
  `{${list.map(([key, file]) => `${JSON.stringify(key)}: () => import(${file})`).join(', ')}}`;
