/** Random runs of a named scenario: events anywhere, any body, any start. */
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { parse, type Recipe } from '../../src/scenario/recipe.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import type { Timeline } from '../../src/scenario/timeline.ts';
import type { Random } from './recipe-random.ts';

export const pages = libraryOnDisk();

/** The recipe of a scenario on the pages. */
export function named(slug: string): Recipe {
  const source = scenarioOf(pages, slug);
  const recipe = source && parse(source).recipe;
  if (!recipe) throw new Error(`unknown scenario: ${slug}`);
  return recipe;
}

const LABELS = ['task', 'first_nmi', 'repeat_nmi', 'int3_entry', 'after_int3', 'nmi'];

/** The named scenario with other events and another body; half of the events at labels, if they can be found. */
export function randomRecipe(r: Random, start = named('nested-nmi').start): Recipe {
  const { expects: _, notes: __, ...rest } = named('nested-nmi');
  const first = start === 'user-task' ? 'user_task' : 'task';
  const strike = (n: number) => {
    const label = n === 0 ? first : r.pick(LABELS);
    const position = r.chance(50)
      ? ({ kind: 'label', label, occurrence: 1, steps: n === 0 ? r.below(6) : r.below(4), bytes: 0 } as const)
      : ({ kind: 'boundary', n: n === 0 ? r.below(8) : 4 + r.below(220) } as const);
    return { event: 'nmi', position } as const;
  };
  return {
    ...rest,
    notes: [],
    start,
    body: r.pick(['int3', 'int3', 'quiet', undefined]),
    injects: Array.from({ length: r.pick([0, 1, 2, 2, 3, 3, 4]) }, (_, n) => strike(n)),
    expects: [],
  };
}

/** A run that has boundaries, and one of them. */
export function randomRun(
  r: Random,
  start?: string,
): { readonly recipe: Recipe; readonly timeline: Timeline; readonly boundary: number } {
  for (;;) {
    const recipe = randomRecipe(r, start);
    const timeline = playRecipe({ ...recipe, cursor: undefined }, pages);
    if (timeline.frames.length === 0) continue; // a label that this run never reaches
    const boundary = r.below(timeline.frames.length);
    const cursor = { kind: 'boundary', n: boundary } as const;
    return { recipe: { ...recipe, cursor }, timeline: { ...timeline, cursor: boundary }, boundary };
  }
}
