/** Cells that have moved to another page, and designs that were renamed, answer to the name that links and recipes of others know. */
import { expect, test } from 'vitest';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { blockOf, cellOf, designsOf } from '../../src/scenario/library.ts';
import { runOfText } from '../../src/scenario/reader.ts';

const pages = libraryOnDisk();

test('the old name finds the cell, and every cell that moved has one', () => {
  expect(blockOf(pages, 'kernel-4.2#warn')).toBe('bodies-4.2#warn');
  expect(blockOf(pages, 'kernel-4.2#task')).toBe('kernel-4.2#task');
  expect(blockOf(pages, 'naive-ist#warn')).toBe('naive-ist#warn');
  expect(cellOf(pages, 'kernel-4.2#warn')).toBe(cellOf(pages, 'bodies-4.2#warn'));
  expect(cellOf(pages, 'kernel-4.2#nothing')).toBeUndefined();
});

test('a design that was renamed runs under its old name, and is listed once', () => {
  const [renamed, now] = ['linux-3.7', 'linux-3.8'].map((name) =>
    runOfText(pages, name, 'inject nmi at task+2'),
  );
  expect(renamed?.timeline.problems).toEqual([]);
  expect(renamed?.timeline.outcome).toEqual(now?.timeline.outcome);
  expect(designsOf(pages).filter((name) => name.startsWith('linux-3.'))).toEqual(['linux-3.3', 'linux-3.8']);
  expect(blockOf(pages, 'linux-3.7#first')).toBe('linux-3.8#first');
});

test('an edit under the old name is put in', () => {
  const lines = cellOf(pages, 'bodies-4.2#gp-fixup')?.lines.map((line) => line.replaceAll('\t', '        '));
  const without = lines?.map((line) => `| ${line.replace(/rdmsr\b/, 'nop')}`) ?? [];
  const deliveries = (...statements: readonly string[]) =>
    runOfText(pages, 'linux-4.2', 'body gp-fixup', 'inject nmi at task+2', ...statements).timeline.counts
      .deliveries;
  expect(deliveries()).toBe(2);
  expect(deliveries('edit bodies-4.2#gp-fixup', ...without)).toBe(1);
  expect(deliveries('edit kernel-4.2#gp-fixup', ...without)).toBe(1);
});
