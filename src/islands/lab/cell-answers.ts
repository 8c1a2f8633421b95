/** What the editor asks of the worker: cells of assembly, and words to complete. Fetched when somebody edits. */

import type { Problem } from '../../asm/source.ts';
import { mnemonics } from '../../isa/encode.ts';
import { blockOf, copyOf, type Library } from '../../scenario/library.ts';
import { loadAssembler } from '../../scenario/on-demand.ts';
import { cellsOfDesign, programOf } from '../../scenario/program.ts';
import { parse, type Recipe } from '../../scenario/recipe.ts';
import { rawLine } from '../../scenario/recipe-tokens.ts';
import type { Cells, CellsAsk, Failed } from './protocol.ts';
import { own } from './standing.ts';

/** The cells of the design that a recipe names, with the recipe's edits. */
export async function answerCells({ recipe: text }: CellsAsk, pages: Library): Promise<Cells | Failed> {
  const { recipe } = parse(own(text));
  const design = recipe?.design;
  if (!recipe || design === undefined) return { kind: 'failed', reason: 'the recipe names no design' };
  const slugs = new Map([...pages.values()].map(({ page, slug }) => [page, slug]));
  const cells = cellsOfDesign(pages, design).map(({ page, name, lines }) => {
    const block = `${slugs.get(page) ?? design}#${name}`;
    const edit = recipe.edits.find((one) => blockOf(pages, one.block) === block);
    // As a recipe would hold them: without tabs, so that what was not touched is not different.
    const text = (of: readonly string[]): string => of.map(rawLine).join('\n');
    return { block, original: text(lines), text: text(edit?.lines ?? lines) };
  });
  const { symbols } = programOf(pages, design).image;
  const labels = symbols.map(({ name }) => name);
  return { kind: 'cells', cells, labels, mnemonics, warnings: await warningsOf(recipe, pages, slugs) };
}

/**
 * What the stack checker has to say of the code as the recipe has it, each at the line of its cell. The program is assembled
 * anew: one that the site was built with does not keep what the checker looks at.
 */
async function warningsOf(
  recipe: Recipe,
  pages: Library,
  slugs: ReadonlyMap<string, string>,
): Promise<readonly Problem[]> {
  await loadAssembler();
  const { checkStacks } = await import('../../unwind/objtool/objtool.ts');
  const design = recipe.design ?? '';
  const fresh = programOf(copyOf(pages), design, recipe);
  if (fresh.problems.length > 0) return [];
  const cells = cellsOfDesign(pages, design);
  return checkStacks(fresh.image).warnings.map((warning) => {
    const cell = cells.find(
      ({ page, line, lines }) =>
        page === warning.page && warning.line >= line && warning.line < line + lines.length,
    );
    const block = cell && `${slugs.get(cell.page) ?? design}#${cell.name}`;
    return block ? { ...warning, page: block, line: warning.line - cell.line + 1 } : warning;
  });
}
