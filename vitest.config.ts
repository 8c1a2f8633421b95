import { defineConfig } from 'vitest/config';
import { PAGES } from './src/literate/pages.ts';
import { libraryModule } from './src/literate/vite.ts';
import { literate } from './src/literate/vitest.ts';

export default defineConfig({
  plugins: [literate(), libraryModule()],
  test: {
    includeTaskLocation: true,
    testTimeout: 60_000, // a hang ends, a busy machine does not fail
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'units', include: ['test/**/*.test.ts'], exclude: ['test/site/**'] },
      },
      // A page costs a worker each unless they share one: 0.4 s instead of 3 s for 22 pages.
      { extends: true, test: { name: 'pages', include: [PAGES], isolate: false } },
      {
        extends: true,
        test: {
          name: 'site',
          include: ['test/site/**/*.test.ts'],
          expect: { poll: { timeout: 50_000 } }, // as long as a test may last
        },
      },
    ],
  },
});
