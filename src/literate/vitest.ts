import { transformWithOxc } from 'vite';
import type { Plugin } from 'vitest/config';
import { mutantsOf } from './mutants.ts';
import { pagePath } from './pages.ts';
import { scan } from './scan.ts';
import { inVitest, tangle } from './tangle.ts';

/**
 * Makes a page a test file. With `mutate`, the file becomes a list of suites instead, one for each
 * changed expectation (`?mutant=N`), so that one run tries them all.
 */
export function literate({ mutate = false } = {}): Plugin {
  return {
    name: 'literate',
    enforce: 'pre',
    configureVitest({ defineCacheKeyGenerator }) {
      // Vitest keeps transformed files from run to run. Its key covers their text, the config file
      // and what that imports, but not a plugin given to `startVitest`: a changed tangler would
      // go unnoticed there. So pages are never kept.
      defineCacheKeyGenerator(({ id }) => (id.includes('.mdx') ? false : undefined));
    },
    async transform(text, id) {
      const [file = '', query = ''] = id.split('?');
      const path = pagePath(file);
      if (!path) return;
      const number = /^mutant=(\d+)/.exec(query)?.[1];
      let page = scan(text, path);
      if (mutate) {
        const mutants = mutantsOf(page);
        if (!number) return suites(file, mutants.length);
        page = scan(mutants[Number(number)]?.text ?? '', path);
      }
      return transformWithOxc(tangle(page, inVitest(path)), file, { lang: 'ts', sourcemap: true });
    },
  };
}

/** A mutant that is refused while loading counts as a failing test of its suite. */
function suites(file: string, count: number): string {
  if (count === 0) return `import { test } from 'vitest'; test.skip('nothing to change', () => {});`;
  const suite = (n: number) =>
    `describe('${n}', async () => {
      try { await import(${JSON.stringify(`${file}?mutant=${n}`)}); }
      catch (error) { test('loads', () => { throw error; }); }
    });`;
  const all = Array.from({ length: count }, (_, n) => suite(n));
  return `import { describe, test } from 'vitest';\n${all.join('\n')}`;
}
