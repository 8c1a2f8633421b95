/** How a run that a sweep found is opened: through a scenario with a name, since links say only what differs from one. */
import { USUAL_SETUP } from '../kernel/boot.ts';
import { scenariosOf } from '../scenario/library.ts';
import { findNamed } from '../scenario/named.ts';
import { linkTo, type Opener } from '../scenario/open-link.ts';
import { parse, print } from '../scenario/recipe.ts';
import type { Recipe } from '../scenario/recipe-types.ts';
import { versionsOf } from '../scenario/registry.ts';
import { playRecipe } from '../scenario/run.ts';

/** A run under the name of a scenario, with its link from `/s/` on. */
export interface Door {
  readonly recipe: string;
  /** Undefined where no scenario on the site has this design and start. */
  readonly link: string | undefined;
}

const startOf = ({ start }: Recipe): string => start ?? USUAL_SETUP.start;

/** How much a scenario says of its own that another run would have to take back. */
const ownOf = ({ injects, without, edits }: Recipe): number =>
  injects.length + 10 * (without.length + edits.length);

/**
 * The door of a run: the scenario with the same design and start that has the least of its own; its newest
 * version. The text keeps what is expected of it. `boundary` is where the link opens.
 */
export function doorOf(text: string, boundary: number, opener: Opener): Door {
  const { recipe } = parse({ page: 'found', name: 'found', line: 1, lines: text.trimEnd().split('\n') });
  if (!recipe) return { recipe: text, link: undefined };
  const alike = scenariosOf(opener.pages)
    .map((slug) => findNamed(opener.pages, slug, versionsOf(opener.pages, slug).at(-1) ?? 0))
    .flatMap((named) => ('problem' in named ? [] : [named.recipe]))
    .filter((named) => named.design === recipe.design && startOf(named) === startOf(recipe))
    .toSorted((a, b) => ownOf(a) - ownOf(b));
  const [base] = alike;
  if (!base) return { recipe: text, link: undefined };
  const { slug, version } = base;
  const known: Recipe = { ...recipe, slug, version };
  const timeline = playRecipe(known, opener.pages);
  const at = Math.min(boundary, timeline.frames.length - 1);
  return { recipe: print(known), link: linkTo(known, timeline, at, opener) };
}
