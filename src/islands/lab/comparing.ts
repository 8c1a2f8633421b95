/** The state of a comparison: which other run is asked for, and what came. */
import { batch, computed, effect, signal } from '@preact/signals';
import type { Frame } from '../../scenario/timeline.ts';
import { rowsOf } from './bake.ts';
import { beside, compare, partText, type Side } from './compare.ts';
import type { Asker, PlayAsk, Reply } from './protocol.ts';
import { withBoundaries, withDesign, withoutSafeguards } from './recipe-text.ts';
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

/**
 * The other run, and what is not the same about its schedule. A design of another make does not have the labels that events
 * strike at here; it has boundaries.
 *
 * @param struck boundaries at which the events of this run strike
 */
async function otherRun(
  recipe: string,
  struck: readonly number[],
  play: (recipe: string) => Promise<Reply<PlayAsk>>,
): Promise<readonly [answer: Reply<PlayAsk>, note: string]> {
  const answer = await play(recipe);
  const [problem] = answer.kind === 'played' ? answer.timeline.problems : [];
  if (!problem?.message.startsWith('unknown label')) return [answer, ''];
  const again = await play(withBoundaries(recipe, struck));
  if (again.kind !== 'played' || again.timeline.frames.length === 0) return [answer, ''];
  const places = struck.join(', ');
  return [
    again,
    `${problem.message} there, so each event strikes at the boundary where it does here: ${places}`,
  ];
}

/** State of the comparison of an island. It follows the run in view. */
export function createComparing(state: State, own: string, ask: Asker) {
  const choice = state.compare;
  const other = signal<{ readonly side: Side; readonly frames: readonly Frame[] } | undefined>(undefined);
  const problem = signal('');
  /** What is not the same about the schedule of the other run, a sentence; empty for nothing. */
  const note = signal('');
  /** Where the two part. It stays while another run is made: it is announced, and half of a pair says nothing. */
  const told = signal('');
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
        note.value = '';
        told.value = '';
        busy.value = false;
      });
      return;
    }
    busy.value = true;
    const struck = state.outline.value.injections.map(({ boundary }) => boundary);
    const [answer, said] = await otherRun(recipe, struck, (text) =>
      ask({ kind: 'play', recipe: text, pick: state.pick.value }),
    );
    if (mine !== latest) return;
    batch(() => {
      busy.value = false;
      problem.value = '';
      note.value = said;
      told.value = '';
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
      if (comparison.value) told.value = partText(comparison.value, here.value, other.value.side);
    });
  }

  return {
    choice,
    other,
    problem,
    note,
    told,
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
