/** What the editor asks of the worker: cells of assembly, and words to complete. Fetched when somebody edits. */
import { mnemonics } from '../../isa/encode.ts';
import type { Library } from '../../scenario/library.ts';
import { cellsOfDesign, programOf } from '../../scenario/program.ts';
import { parse } from '../../scenario/recipe.ts';
import { rawLine } from '../../scenario/recipe-tokens.ts';
import type { Cells, CellsAsk, Failed } from './protocol.ts';
import { own } from './standing.ts';

/** The cells of the design that a recipe names, with the recipe's edits. */
export function answerCells({ recipe: text }: CellsAsk, pages: Library): Cells | Failed {
  const { recipe } = parse(own(text));
  const design = recipe?.design;
  if (!recipe || design === undefined) return { kind: 'failed', reason: 'the recipe names no design' };
  const slugs = new Map([...pages.values()].map(({ page, slug }) => [page, slug]));
  const cells = cellsOfDesign(pages, design).map(({ page, name, lines }) => {
    const block = `${slugs.get(page) ?? design}#${name}`;
    const edit = recipe.edits.find((one) => one.block === block);
    // As a recipe would hold them: without tabs, so that what was not touched is not different.
    const text = (of: readonly string[]): string => of.map(rawLine).join('\n');
    return { block, original: text(lines), text: text(edit?.lines ?? lines) };
  });
  const { symbols } = programOf(pages, design).image;
  return { kind: 'cells', cells, labels: symbols.map(({ name }) => name), mnemonics };
}
