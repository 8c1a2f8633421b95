/** The state of a comparison: which other run is asked for, and what came. */
import { batch, computed, effect, signal } from '@preact/signals';
import type { Frame } from '../../scenario/timeline.ts';
import { rowsOf } from './bake.ts';
import { beside, compare, type Side } from './compare.ts';
import type { Asker } from './protocol.ts';
import { withDesign, withoutSafeguards } from './recipe-text.ts';
import type { State } from './state.ts';

export type Comparing = ReturnType<typeof createComparing>;

/**
 * The recipe of the other run; undefined for none.
 *
 * @param choice `own` for the page's own run, `without NAME`, `with NAME`, `design NAME`; empty for none
 */
export function otherRecipe(
  choice: string,
  recipe: string,
  own: string,
  without: readonly string[],
): string | undefined {
  const [kind, name = ''] = choice.split(' ');
  switch (kind) {
    case 'own':
      return own;
    case 'without':
      return withoutSafeguards(recipe, [...without, name]);
    case 'with':
      return withoutSafeguards(
        recipe,
        without.filter((one) => one !== name),
      );
    case 'design':
      return withDesign(recipe, name);
    default:
      return undefined;
  }
}

/** State of the comparison of an island. It follows the run in view. */
export function createComparing(state: State, own: string, ask: Asker) {
  const choice = state.compare;
  const other = signal<{ readonly side: Side; readonly frames: readonly Frame[] } | undefined>(undefined);
  const problem = signal('');
  const busy = signal(false);
  let latest = 0;

  const here = computed((): Side => {
    const { steps, records, rules, outcome } = state.outline.value;
    return { steps, records, rules, outcome, rows: state.rows.value, last: state.lanes.value.last };
  });
  const comparison = computed(() => other.value && compare(here.value, other.value.side));
  /** The other run's frame beside the one in view. */
  const there = computed(() => {
    const found = other.value;
    if (!found || !comparison.value) return undefined;
    return found.frames[beside(comparison.value, state.frame.value.boundary, found.side.last)];
  });

  async function fetch(recipe: string | undefined): Promise<void> {
    const mine = ++latest;
    if (recipe === undefined) {
      batch(() => {
        other.value = undefined;
        problem.value = '';
        busy.value = false;
      });
      return;
    }
    busy.value = true;
    const answer = await ask({ kind: 'play', recipe, pick: state.pick.value });
    if (mine !== latest) return;
    batch(() => {
      busy.value = false;
      problem.value = '';
      if (answer.kind === 'failed') {
        problem.value = answer.reason;
        other.value = undefined;
        return;
      }
      const { timeline } = answer;
      if (timeline.frames.length === 0) {
        problem.value = timeline.problems[0]?.message ?? 'nothing ran';
        other.value = undefined;
        return;
      }
      const { steps, records, rules, outcome, frames } = timeline;
      other.value = {
        side: { steps, records, rules, outcome, rows: rowsOf(timeline), last: frames.length - 1 },
        frames,
      };
    });
  }

  return {
    choice,
    other,
    problem,
    busy,
    here,
    comparison,
    there,
    /** Keeps the other run that of the choice, whatever run comes into view; gives what ends that. */
    follow: () =>
      effect(() => {
        const { recipe, without } = state.outline.value;
        void fetch(otherRecipe(choice.value, recipe, own, without));
      }),
  };
}
