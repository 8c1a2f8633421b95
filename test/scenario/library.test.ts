import { expect, test } from 'vitest';
import { scan } from '../../src/literate/scan.ts';
import { shelfOf } from '../../src/literate/shelves.ts';
import { designsInOrder, library } from '../../src/scenario/library.ts';

const shelf = (path: string, ...cells: string[]) =>
  shelfOf(scan(['---', `title: "${path}"`, '---', ...cells].join('\n'), path));

test('slugs come from the path, and index pages take their folder', () => {
  const slug = (path: string) => shelf(path).slug;
  expect(slug('content/index.mdx')).toBe('index');
  expect(slug('content/reference/index.mdx')).toBe('reference');
  expect(slug('notebooks/designs/linux-4.2.mdx')).toBe('linux-4.2');
  const path = 'notebooks/designs/x.mdx';
  expect(shelf(path, '```asm entry', 'nmi: iretq', '```')).toMatchObject({ design: true, title: path });
  expect(shelf(path)).toMatchObject({ design: false }); // an overview of the others
});

test('designs stand in reading order, one without a place behind them, and neighbours last', () => {
  const design = (name: string, ...facts: string[]) => {
    const lines = ['---', `title: ${name}`, ...facts, '---', '```asm entry', `${name}: iretq`, '```'];
    return shelfOf(scan(lines.join('\n'), `notebooks/designs/${name}.mdx`));
  };
  const all = library([
    design('beside', 'order: 2', 'neighbour: true'),
    design('third'),
    design('second', 'order: 9'),
    design('first', 'order: 1'),
  ]);
  expect(designsInOrder(all).map(({ slug }) => slug)).toEqual(['first', 'second', 'third', 'beside']);
});

test('nothing is found under two names', () => {
  const run = ['```scenario twice', 'scenario twice v0', '```'];
  expect(() => library([shelf('content/a.mdx'), shelf('notebooks/a.mdx')])).toThrow(
    'duplicate page: a (content/a.mdx and notebooks/a.mdx)',
  );
  expect(() => library([shelf('content/a.mdx', ...run), shelf('content/b.mdx', ...run)])).toThrow(
    'duplicate scenario: twice (content/a.mdx and content/b.mdx)',
  );
});
