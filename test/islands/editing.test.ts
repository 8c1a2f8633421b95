/** The editor's recipes and differences, and what the worker answers it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { align, diff } from '../../src/asm/align.ts';
import { answerCells } from '../../src/islands/lab/cell-answers.ts';
import { withEdit } from '../../src/islands/lab/recipe-text.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { parse, print } from '../../src/scenario/recipe.ts';
import { rawLine } from '../../src/scenario/recipe-tokens.ts';
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const RECIPE =
  'scenario mine v0\ndesign  linux-4.2\nbody    int3\ninject  nmi at task+2\nexpect  verdict returns\n';
const cellsOf = async (recipe: string) => {
  const answer = await answerCells({ kind: 'cells', recipe }, pages);
  if (answer.kind === 'failed') throw new Error(answer.reason);
  return answer;
};

test("the design's own cells come first, as the page has them, and what they include behind", async () => {
  const { cells, labels, mnemonics } = await cellsOf(RECIPE);
  expect(cells[0]?.block).toBe('linux-4.2#entry');
  expect(cells.map(({ block }) => block)).toContain('kernel-4.2#macros');
  const own = cells.findLastIndex(({ block }) => block.startsWith('linux-4.2#'));
  expect(cells.slice(0, own).every(({ block }) => block.startsWith('linux-4.2#'))).toBe(true);
  for (const { block, text } of cells) {
    const [slug = '', name] = block.split('#');
    expect(text).toBe(
      pages
        .get(slug)
        ?.asm.find((cell) => cell.name === name)
        ?.lines.map(rawLine)
        .join('\n'),
    );
  }
  expect(labels).toContain('repeat_nmi');
  expect(mnemonics).toContain('iretq');
});

test('an edited cell is a statement of the recipe, is edited again in place, and goes with the text of its page', async () => {
  const cell = (await cellsOf(RECIPE)).cells.find(({ block }) => block === 'linux-4.2#nested');
  if (!cell) throw new Error('no cell: nested');
  const once = withEdit(RECIPE, { ...cell, text: `\tnop\n${cell.text}` });
  expect(once).not.toContain('expect');
  const source = { page: 'mine', name: 'mine', line: 1, lines: once.trimEnd().split('\n') };
  const { recipe, problems } = parse(source);
  expect(problems).toEqual([]);
  expect(recipe && print(recipe)).toBe(once);
  expect((await cellsOf(once)).cells.find(({ block }) => block === cell.block)?.text).toBe(
    `        nop\n${cell.text}`,
  );
  const run = play(source, pages);
  expect(run.problems).toEqual([]);
  expect(run.code.some(({ text }) => text === 'nop')).toBe(true);

  const twice = withEdit(once, { ...cell, text: `\tcld\n${cell.text}` });
  expect(twice.match(/^edit /gm)).toHaveLength(1);
  expect(twice).toContain('|        cld\n');
  const other = (await cellsOf(RECIPE)).cells[0];
  if (!other) throw new Error('no cell');
  const both = withEdit(twice, { ...other, text: `${other.text}\n` });
  expect(both.match(/^edit /gm)).toHaveLength(2);
  expect(withEdit(withEdit(both, other), cell)).toBe(RECIPE.replace(/expect.*\n/, ''));
});

test('a mistake has the place of the cell as it was typed', async () => {
  const cell = (await cellsOf(RECIPE)).cells.find(({ block }) => block === 'linux-4.2#nested');
  if (!cell) throw new Error('no cell: nested');
  const text = withEdit(RECIPE, { ...cell, text: `${cell.text}\n\tmovqq %rax, %rbx` });
  const { problems, frames } = play({ page: 'mine', name: 'mine', line: 1, lines: text.split('\n') }, pages);
  expect(frames).toEqual([]);
  expect(problems[0]).toMatchObject({ page: 'linux-4.2#nested', line: cell.text.split('\n').length + 1 });
});

test('the stack checker warns at the line of the cell as it was typed', async () => {
  expect((await cellsOf(RECIPE)).warnings).toEqual([]);
  const cell = (await cellsOf(RECIPE)).cells.find(({ block }) => block === 'linux-4.2#nested');
  if (!cell) throw new Error('no cell: nested');
  // Two paths meet with the stack at different heights.
  const text = withEdit(RECIPE, {
    ...cell,
    text: `nested_nmi:\n\tjz 1f\n\tpushq %rax\n1:\n${cell.text.replace('nested_nmi:', '')}`,
  });
  const { warnings } = await cellsOf(text);
  expect(warnings.map(({ page, line }) => `${page}:${line}`)).toContain('linux-4.2#nested:6');
});

test('a recipe without a design is a sentence', async () => {
  expect(await answerCells({ kind: 'cells', recipe: 'scenario a v0\n' }, pages)).toEqual({
    kind: 'failed',
    reason: 'the recipe names no design',
  });
});

test('a difference has every line of both texts, in order, and no more changes than it needs', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 8 }).map((list) => list.join('\n'));
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const found = diff(before, after);
      const side = (without: string) =>
        found.flatMap(({ kind, text }) => (kind === without ? [] : [text])).join('\n');
      expect([side('added'), side('removed')]).toEqual([before, after]);
      if (before === after) expect(found.every(({ kind }) => kind === 'same')).toBe(true);
    }),
  );
  expect(
    align([1, 2, 3, 4], [2, 3, 5], (a, b) => a === b).filter(([a, b]) => a !== undefined && b !== undefined),
  ).toEqual([
    [1, 0],
    [2, 1],
  ]);
});
