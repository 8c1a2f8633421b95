/**
 * Historic bugs: the page of each is a design with the cure as a safeguard, and a mark that says what breaks without it.
 * Here such a mark is hunted by sweeps that are told no place, and swept again with the cure in place.
 */
import { USUAL_SETUP } from '../kernel/boot.ts';
import { bugsInOrder, copyOf, type Library, type Shelf } from '../scenario/library.ts';
import { programOf } from '../scenario/program.ts';
import { parse } from '../scenario/recipe.ts';
import { printPosition } from '../scenario/recipe-position.ts';
import type { Recipe } from '../scenario/recipe-types.ts';
import { choices, shownOf } from './claims.ts';
import type { Found } from './found.ts';
import { type SweepAsk, type SweepReport, sweep } from './sweep.ts';

/** What sweeps say of one `breaks ... without` mark of a page. */
export interface Exhibit {
  /** What was told to the sweep: events up to the bound, starts, bodies, and the cure that is gone. */
  readonly ask: SweepAsk;
  /** The shortest that breaks something: with fewer events nothing does. */
  readonly found: Found;
  /** The events of that, as a recipe says them: `nmi at task+2`. */
  readonly injects: readonly string[];
  /** Schedules that were tried until something broke. */
  readonly tried: number;
  /**
   * With all events but the last where the shortest has them: at how many boundaries the last one breaks something, and
   * at how many it may strike. Both 0 where no event is needed.
   */
  readonly strikes: { readonly broken: number; readonly of: number };
  /** Schedules of the whole sweep with the cure in place, all clean. */
  readonly clean: number;
}

export interface Bug {
  readonly shelf: Shelf;
  readonly exhibits: readonly Exhibit[];
}

/** Unwinders are asked at every state: then two events strike as near to the start as they can tell something new. */
const JUDGED_WINDOW = 2;

const known = new WeakMap<Library, Map<string, readonly Exhibit[]>>();

/** All historic bugs, by family and number. */
export const bugs = (pages: Library): readonly Bug[] =>
  bugsInOrder(pages).map((shelf) => ({ shelf, exhibits: exhibitsOf(shelf.slug, pages) }));

/**
 * What sweeps say of the bug of a page, a mark each; made once for a library. Throws if the page claims none, if one does
 * not break or has no scenario that shows it in the shortest way, or if one still breaks with the cure.
 */
export function exhibitsOf(slug: string, pages: Library): readonly Exhibit[] {
  const kept = known.get(pages) ?? new Map<string, readonly Exhibit[]>();
  known.set(pages, kept);
  const found = kept.get(slug);
  if (found) return found;
  // In a library of its own, so that the machines of all starts go when it is done.
  const library = copyOf(pages);
  const { design } = programOf(library, slug);
  const marks = design.breaks.filter(({ without, cured }) => without.length + cured.length > 0);
  if (marks.length === 0) throw new Error(`missing mark: breaks ... without (${slug})`);
  const made = marks.map(({ events, bound, starts, bodies, without, judge, cured: then, right }) => {
    const ask = { design: slug, starts, bodies, without, ...(judge.length > 0 && { judge, right }) };
    const window = shownOf(design, starts);
    const asks = Array.from({ length: Math.max(bound, 1) }, (_, n) =>
      choices(events, n + 1).map((these) => ({
        ...ask,
        events: these,
        ...(n === 0 ? { window } : judge.length > 0 ? { window: JUDGED_WINDOW } : {}),
      })),
    );
    return exhibit(asks, then, library);
  });
  const told = pages.get(slug)?.scenarios.map(({ lines }) => setupOf(lines)) ?? [];
  for (const { found: one } of made)
    if (!told.includes(setupOf(one.recipe.trimEnd().split('\n'))))
      throw new Error(`missing scenario: the shortest that breaks ${slug}\n${one.recipe}`);
  kept.set(slug, made);
  return made;
}

/**
 * @param asks by number of events, from one to the bound
 * @param then unwinders that are the cure, where it is none of the code's
 */
function exhibit(asks: readonly (readonly SweepAsk[])[], then: readonly string[], pages: Library): Exhibit {
  let tried = 0;
  for (const ask of asks.flat()) {
    const report = made(ask, pages);
    tried += report.schedules;
    const [found] = report.violations;
    if (!found) continue;
    const injects = injectsOf(recipeOf(found.recipe.trimEnd().split('\n')));
    const strikes = lastOf(ask, found, injects, pages);
    const most = asks.at(-1) ?? [];
    return { ask, found, injects, tried, strikes, clean: cured(most, then, pages) };
  }
  const [ask] = asks.flat();
  throw new Error(`nothing breaks: ${ask?.design} without ${ask?.without?.join(', ')}`);
}

const recipeOf = (lines: readonly string[]): Recipe | undefined =>
  parse({ page: 'found', name: 'found', line: 1, lines }).recipe;

/** The events of a recipe, in order. */
const injectsOf = (recipe: Recipe | undefined): readonly string[] =>
  recipe?.injects.map(({ event, position }) => `${event} at ${printPosition(position)}`) ?? [];

/** What a recipe runs, whatever it is called and whatever it expects. */
function setupOf(lines: readonly string[]): string {
  const recipe = recipeOf(lines);
  const { start, body } = {
    ...USUAL_SETUP,
    ...(recipe?.start && { start: recipe.start }),
    ...(recipe?.body && { body: recipe.body }),
  };
  return [recipe?.design, start, body, ...(recipe?.without ?? []), ...injectsOf(recipe)].join('; ');
}

/** The last event of what was found, swept alone. */
function lastOf(
  ask: SweepAsk,
  { start, body }: Found,
  injects: readonly string[],
  pages: Library,
): Exhibit['strikes'] {
  const last = injects.at(-1);
  if (last === undefined) return { broken: 0, of: 0 };
  const alone = { ...ask, events: [last.replace(/ .*/, '')], given: injects.slice(0, -1) };
  const { schedules, violations } = made({ ...alone, starts: [start], bodies: [body] }, pages);
  // One schedule of these is that without the last event.
  return { broken: violations.reduce((sum, one) => sum + one.schedules, 0), of: schedules - 1 };
}

/** How many schedules are clean with the cure; one that is not is an error. */
function cured(asks: readonly SweepAsk[], then: readonly string[], pages: Library): number {
  return asks.reduce((sum, { without: _, ...ask }) => {
    const cure = then.length > 0 ? { ...ask, judge: then } : ask;
    const { schedules, violations, untold } = made(cure, pages);
    const [wrong] = [
      ...violations.map(({ recipe }) => recipe),
      ...untold.map(({ name }) => `not modelled: ${name}`),
    ];
    if (wrong !== undefined) throw new Error(`not cured: ${ask.design}\n${wrong}`);
    return sum + schedules;
  }, 0);
}

function made(ask: SweepAsk, pages: Library): SweepReport {
  const report = sweep(ask, pages);
  if ('problems' in report) throw new Error(report.problems.map(({ message }) => message).join('\n'));
  return report;
}
