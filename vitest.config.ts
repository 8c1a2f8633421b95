import { defineConfig } from 'vitest/config';
import { PAGES } from './src/literate/pages.ts';
import { libraryModule } from './src/literate/vite.ts';
import { literate } from './src/literate/vitest.ts';

export default defineConfig({
  plugins: [literate(), libraryModule()],
  test: {
    includeTaskLocation: true,
    setupFiles: ['src/cli/heap.ts'],
    testTimeout: 60_000, // a hang ends, a busy machine does not fail
    hookTimeout: 60_000,
    projects: [
      // Files share a worker and its modules, which hold nothing but constants and caches: 0.3 s less for each.
      {
        extends: true,
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: ['test/site/**'],
          isolate: false,
          restoreMocks: true, // what one file spied on, the next one must not find
        },
      },
      { extends: true, test: { name: 'pages', include: [PAGES], isolate: false } },
      {
        extends: true,
        test: {
          name: 'site',
          include: ['test/site/**/*.test.ts'],
          isolate: false, // nor a browser, see visits()
          expect: { poll: { timeout: 50_000 } }, // as long as a test may last
        },
      },
    ],
  },
});
