/** Cells that have moved to another page answer to the name that links and recipes of others know. */
import { expect, test } from 'vitest';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { blockOf, cellOf } from '../../src/scenario/library.ts';
import { runOfText } from '../../src/scenario/reader.ts';

const pages = libraryOnDisk();

test('the old name finds the cell, and every cell that moved has one', () => {
  expect(blockOf(pages, 'kernel-4.2#warn')).toBe('bodies-4.2#warn');
  expect(blockOf(pages, 'kernel-4.2#task')).toBe('kernel-4.2#task');
  expect(blockOf(pages, 'naive-ist#warn')).toBe('naive-ist#warn');
  expect(cellOf(pages, 'kernel-4.2#warn')).toBe(cellOf(pages, 'bodies-4.2#warn'));
  expect(cellOf(pages, 'kernel-4.2#nothing')).toBeUndefined();
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
