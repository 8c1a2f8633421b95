import { resolve } from 'node:path';
import { startVitest, type TestCase } from 'vitest/node';
import { mutantsOf } from '../literate/mutants.ts';
import { PAGES, pagePaths, readPage } from '../literate/pages.ts';
import { libraryModule } from '../literate/vite.ts';
import { literate } from '../literate/vitest.ts';

// Changes and deletes every expected value on every page in turn; each must fail at its own line.
// Arguments choose pages, as they do for Vitest.
const vitest = await startVitest(
  process.argv.slice(2),
  {
    config: false,
    watch: false,
    include: [PAGES],
    setupFiles: ['src/cli/heap.ts'],
    isolate: false,
    includeTaskLocation: true,
    reporters: [{}],
  },
  { plugins: [literate({ mutate: true }), libraryModule()] },
);
const modules = vitest.state.getTestModules();
let killed = 0;
let survived = 0;

for (const path of pagePaths()) {
  const module = modules.find((candidate) => candidate.moduleId === resolve(path));
  if (!module) continue;
  for (const error of module.errors()) console.error(`${path}: ${error.message}`);
  const suites = new Map([...module.children.suites()].map((suite) => [suite.name, suite]));
  const page = readPage(path);
  mutantsOf(page).forEach(({ line, column, change }, n) => {
    const failed = [...(suites.get(String(n))?.children.allTests('failed') ?? [])];
    // A cell that lost its only expectation is reported at its opening fence.
    const open = page.cells.find((cell) => cell.open < line && line < cell.close)?.open;
    if (failed.some((test) => failsAt(test, path, [line, open]))) {
      killed++;
      return;
    }
    survived++;
    const verdict = failed.length > 0 ? 'failed elsewhere' : 'survived';
    console.error(`${path}:${line}:${column}: ${verdict}: ${change}`);
  });
}
await vitest.close();
console.log(`${killed} passed, ${survived} failed`);
process.exitCode = survived > 0 || killed === 0 ? 1 : 0;

function failsAt(test: TestCase, path: string, lines: readonly (number | undefined)[]): boolean {
  if (test.location?.line === lines[1]) return true;
  const errors = test.result().errors ?? [];
  return errors.some(
    ({ message, stacks }) =>
      stacks?.some((frame) => lines.includes(frame.line)) || message.includes(`${path}:${lines[0]}:`),
  );
}
