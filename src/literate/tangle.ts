import type { Page } from './scan.ts';

/**
 * The page as a TypeScript module of as many lines: prose is blank, code keeps its line and column.
 * Each fence becomes one call, so the text is the same for tests, types and browser; only
 * `prelude`, which stands on line 1 and defines those calls, differs.
 */
export function tangle(page: Page, prelude: string): string {
  const out = page.lines.map(() => '');
  const put = (line: number, code: string) => {
    out[line - 1] += code;
  };
  put(1, prelude);
  // Reading such a page is its test: `scan` has looked for fences, claims and numbers without proof.
  if (page.cells.length + page.claims.length === 0) put(1, " run('reads', () => {});");

  for (const { kind, name, open, close, lines } of page.cells) {
    const title = JSON.stringify(name);
    if (kind === 'asm' || kind === 'scenario') {
      put(open, `export const ${identifier(name)} = ${kind}(${title}, ${open + 1}, [`);
      lines.forEach((line, i) => {
        put(open + 1 + i, `${JSON.stringify(line)},`);
      });
      put(close, ']);');
      continue;
    }
    lines.forEach((line, i) => {
      put(open + 1 + i, line);
    });
    if (kind === 'setup') continue;
    // Not in a `fails` cell: having no expectation would then count as the failure it wants.
    const atLeastOne = kind === 'run' ? ' expect.hasAssertions();' : '';
    put(open, `${kind}(${title}, async () => {${atLeastOne}`);
    put(close, '});');
  }

  for (const [line, claims] of Map.groupBy(page.claims, (claim) => claim.line)) {
    const places = claims.map((claim) => [claim.expression, claim.textColumn]);
    put(line - 1, ' claims(() => [');
    // <Claim is="EXPRESSION">TEXT</Claim> has room for [EXPRESSION,"TEXT"], at the same columns.
    for (const { expression, text, expressionColumn } of claims) {
      const gap = ' '.repeat(expressionColumn - 2 - (out[line - 1] ?? '').length);
      put(line, `${gap}[${expression},"${text}"],`);
    }
    put(line, `])(${line}, ${JSON.stringify(places)});`);
  }
  return out.join('\n');
}

/** `nested-nmi` as TypeScript may call it: `nestedNmi`. */
export const identifier = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const HARNESS = `import { harness } from '#literate/harness.ts'; import { pages as $pages } from 'virtual:library';`;
const CALLS = `const { run, fails, asm, scenario, claims } = harness`;

/** Prelude under Vitest. */
export const inVitest = (path: string): string =>
  `import { test, expect } from 'vitest'; ${HARNESS} ${CALLS}(${JSON.stringify(path)}, import.meta.filename, { test, fails: test.fails }, $pages);`;

/**
 * Prelude in the browser, and for the type checker: pages may use only what both `expect` know. A cell is a test: its
 * text is assembled anew, though the page has it from the build.
 */
export const inBrowser = (path: string): string =>
  `import { loadAssembler as $loadAssembler } from '#scenario/on-demand.ts'; await $loadAssembler(); import { collect } from '#literate/browser.ts'; ${HARNESS} const { test, testFails, expect, cells } = collect(); export { cells }; ${CALLS}(${JSON.stringify(path)}, ${JSON.stringify(path)}, { test, fails: testFails }, $pages);`;
