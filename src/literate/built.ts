/** Programs that a reader's browser need not assemble: made while the site is built. */
import { designsOf, type Library } from '../scenario/library.ts';
import { cellsOfDesign, keyOf, programOf, type Variant } from '../scenario/program.ts';
import { type PackedProgram, packProgram } from '../scenario/program-row.ts';
import { parse } from '../scenario/recipe.ts';

export interface BuiltProgram {
  readonly key: string;
  /** Slugs of the pages whose text it is made of. */
  readonly pages: readonly string[];
  readonly row: PackedProgram;
}

/**
 * Every design as it stands, and as scenarios on pages change it. What has a problem is left to the reader's own
 * assembler, which says so.
 */
export function programsOf(pages: Library): readonly BuiltProgram[] {
  const found = new Map<string, BuiltProgram>();
  const slugs = new Map([...pages.values()].map(({ page, slug }) => [page, slug] as const));
  const add = (design: string, variant: Variant): void => {
    const key = keyOf(design, variant);
    if (found.has(key)) return;
    const program = programOf(pages, design, variant);
    if (program.problems.length > 0) return;
    const read = new Set(cellsOfDesign(pages, design).flatMap(({ page }) => slugs.get(page) ?? []));
    found.set(key, { key, pages: [...read], row: packProgram(program) });
  };
  for (const design of designsOf(pages)) add(design, {});
  for (const { scenarios } of pages.values())
    for (const source of scenarios) {
      const { recipe } = parse(source);
      if (recipe?.design !== undefined && pages.get(recipe.design)?.design) add(recipe.design, recipe);
    }
  return [...found.values()];
}
