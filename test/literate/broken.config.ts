import { defineConfig } from 'vitest/config';
import { libraryModule } from '../../src/literate/vite.ts';
import { literate } from '../../src/literate/vitest.ts';

export default defineConfig({
  plugins: [literate(), libraryModule()],
  test: { include: ['test/literate/broken.mdx'], includeTaskLocation: true },
});
