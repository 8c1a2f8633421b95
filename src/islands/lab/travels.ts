/** Moves through time that need to know the whole run: the worker says where they lead, and the playhead goes there. */
import type { Signal } from '@preact/signals';
import type { Asker, Travelled } from './protocol.ts';
import type { State } from './state.ts';

interface Travelling {
  readonly state: State;
  readonly ask: Asker;
}

/** Why a move led nowhere, and where it was asked for. */
export interface Standstill {
  readonly why: string;
  readonly boundary: number;
  readonly recipe: string;
}
export type Stuck = Signal<Standstill | undefined>;

/** Goes to a boundary, or says why there is no other one. */
function go(state: State, stuck: Stuck, target: number | undefined, why: string): void {
  const boundary = state.boundary.value;
  if (target !== undefined && target !== boundary) {
    stuck.value = undefined;
    state.moveTo(target);
  } else stuck.value = { why, boundary, recipe: state.outline.value.recipe };
}

/** Where the moves lead from the boundary in view. */
const travel = async (
  { state, ask }: Travelling,
  stuck: Stuck,
  to: (told: Travelled) => number | undefined,
  why: string,
): Promise<void> => {
  const { recipe } = state.outline.value;
  const told = await ask({ kind: 'travel', recipe, pick: state.pick.value, boundary: state.boundary.value });
  if (recipe !== state.outline.value.recipe) return;
  if (told.kind === 'failed') go(state, stuck, undefined, told.reason);
  else go(state, stuck, to(told), why);
};

/** Where the chosen word or register comes from, as the boundary in view has it. */
export const originOf = ({ state, ask }: Travelling) =>
  ask({
    kind: 'origin',
    recipe: state.outline.value.recipe,
    pick: state.pick.value,
    boundary: state.boundary.value,
    spot: state.register.value || state.selected.value,
  });

/** The moves of time travel that a worker answers, by the name of their action. */
export function travels(props: Travelling, stuck: Stuck): Readonly<Record<string, () => unknown>> {
  const { state } = props;
  const write = async (next: boolean) => {
    const told = await originOf(props);
    if (told.kind === 'failed') return go(state, stuck, undefined, told.reason);
    const [last] = told.trail;
    if (next) return go(state, stuck, told.next, `${told.place} is not written after this.`);
    const why =
      last?.boundary === undefined ? 'was there before this run.' : 'was written by the step that led here.';
    go(state, stuck, last?.boundary, `${told.place} ${why}`);
  };
  // One after the other, each from where the one before led: keys come faster than a worker answers.
  let before: Promise<void> = Promise.resolve();
  const then = (move: () => Promise<void>) => () => {
    before = before.then(move);
    return before;
  };
  const by = (to: (told: Travelled) => number | undefined, why: string) =>
    then(() => travel(props, stuck, to, why));
  return {
    'next-event': by(({ nextEvent }) => nextEvent, 'No event comes after this.'),
    'previous-event': by(({ previousEvent }) => previousEvent, 'No event comes before this.'),
    over: by(({ over }) => over, 'The run ends here.'),
    'back-over': by(({ backOver }) => backOver, 'The run begins here.'),
    writer: then(() => write(false)),
    'next-write': then(() => write(true)),
  };
}
