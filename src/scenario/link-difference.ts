/** Between a named scenario, a link, and what a reader made of the scenario. */
import { type LinkState, type Strike, sortNames, sortSets, sortStrikes } from './link-state.ts';
import { canonicalise, sortEdits } from './recipe-print.ts';
import type { Edit, Recipe, Setting } from './recipe-types.ts';

/**
 * The named scenario as the link wants it. The link's own `checkpoint` is for the caller to find among the
 * steps of the run; slug and version stay those of `recipe`.
 */
export function applyLink(recipe: Recipe, state: LinkState): Recipe {
  const { cursor, injections, without, sets, body, edits } = state;
  return canonicalise({
    ...recipe,
    ...(cursor !== undefined && { cursor: { kind: 'boundary', n: cursor } }),
    ...(injections && {
      injects: injections.map(({ event, boundary }) => ({
        event,
        position: { kind: 'boundary', n: boundary },
      })),
    }),
    ...(without && { without }),
    ...(sets && { sets }),
    ...(body !== undefined && { body: body ?? undefined }),
    ...(edits && { edits }),
  });
}

/** What is on the screen, events resolved to boundaries. */
export interface Current {
  readonly cursor: number;
  readonly checkpoint?: string;
  readonly injections: readonly Strike[];
  readonly without: readonly string[];
  readonly sets: readonly Pick<Setting, 'name' | 'value'>[];
  readonly body?: string | undefined;
  readonly edits: readonly Edit[];
}

/**
 * The link to what is on the screen: the cursor always, else what differs from `base`. `resolved` are the
 * boundaries at which base's own events strike, from a run of it; without them, events that base puts at
 * labels count as different and are written.
 */
export function linkOf(
  base: Recipe,
  current: Current,
  digest?: string,
  resolved: readonly Strike[] | undefined = numbered(base),
): LinkState {
  const injections = sortStrikes(current.injections);
  const without = sortNames(current.without);
  const sets = sortSets(current.sets);
  const edits = sortEdits(current.edits).map(({ block, lines }) => ({ block, lines }));
  const baseEdits = sortEdits(base.edits).map(({ block, lines }) => ({ block, lines }));
  return {
    slug: base.slug,
    version: base.version,
    ...(current.checkpoint !== undefined && { checkpoint: current.checkpoint }),
    cursor: current.cursor,
    ...((!resolved || !same(injections, sortStrikes(resolved))) && { injections }),
    ...(!same(without, sortNames(base.without)) && { without }),
    ...(!same(sets, sortSets(base.sets)) && { sets }),
    ...(current.body !== base.body && { body: current.body ?? null }),
    ...(!same(edits, baseEdits) && { edits }),
    ...(digest !== undefined && { digest }),
  };
}

/** The events of a recipe, if all of them stand at numbered boundaries. */
function numbered({ injects }: Recipe): Strike[] | undefined {
  const strikes = injects.flatMap(({ event, position }) =>
    position.kind === 'boundary' ? [{ event, boundary: position.n }] : [],
  );
  return strikes.length === injects.length ? strikes : undefined;
}

/** Whether two lists of plain data, their fields in the same order, are equal. */
const same = <T>(a: readonly T[], b: readonly T[]): boolean => JSON.stringify(a) === JSON.stringify(b);
