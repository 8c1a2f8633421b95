/** What is sent: sizes in bytes, compressed as a server would. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { precached } from '../../src/cli/offline/offline.ts';
import { SITES } from './visit.ts';

test('pages stay within their budgets', () => {
  const size = (file: string) => gzipSync(readFileSync(file)).length;
  const all = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name));
  const assets = all(`${SITES['/']}/_astro`);
  const sum = (pattern: RegExp) =>
    assets.filter((file) => pattern.test(file)).reduce((total, file) => total + size(file), 0);
  const heavy = all(SITES['/']).filter((file) => file.endsWith('.html') && size(file) > 60_000);
  expect(heavy).toEqual([]);
  expect(sum(/\.css$/)).toBeLessThan(14_000);
  expect(sum(/\/(Lab|client|preact|signals|jsxRuntime|preload)[^/]*\.js$/)).toBeLessThan(35_000);
  // Engine and all unwinders have a budget of their own, 90 kB, in test/bundle.test.ts; here the heads of all pages come on top. An
  // island fetches one program and the text of its pages beside it, and the assembler to edit. A page with one island
  // may have 220 kB in all: these five sum up to 214.
  expect(sum(/\/worker[^/]*\.js$/)).toBeLessThan(130_000);
  expect(assets.filter((file) => /virtual_program/.test(file) && size(file) > 27_000)).toEqual([]);
  expect(assets.filter((file) => /virtual_text/.test(file) && size(file) > 8_000)).toEqual([]);
});

test('what mails need is loaded when first asked for, and small', () => {
  const assets = readdirSync(`${SITES['/']}/_astro`).filter((name) => /^mail-answers.*\.js$/.test(name));
  // Each island's worker has a bundle of its own.
  expect(assets.length).toBeGreaterThan(0);
  for (const name of assets)
    expect(gzipSync(readFileSync(join(`${SITES['/']}/_astro`, name))).length).toBeLessThan(15_000);
});

test('what is fetched for later is modest', () => {
  const files = precached(SITES['/']).map((path) => join(SITES['/'], path.replace(/\/$/, '/index.html')));
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
  expect(bytes).toBeLessThan(700_000);
  expect(files.filter((file) => /sweep-worker|kernel-worker|_virtual_program/.test(file))).toEqual([]);
});
