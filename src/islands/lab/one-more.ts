/** One more event at every boundary of the run in view: what was asked, how far it is, what came of it. */
import { batch, computed, signal } from '@preact/signals';
import type { SweepMap } from '../../explore/map.ts';
import type { SweepReport } from '../../explore/sweep.ts';
import type { createClient } from '../sweep/client.ts';
import type { Cell } from '../sweep/geometry.ts';
import type { Message } from '../sweep/protocol.ts';
import { type Phase, strikesOf } from '../sweep/state.ts';
import { withBoundaries, withInjection } from './recipe-text.ts';
import type { State } from './state.ts';

/** A run with more boundaries has no map: its cells would be too many to be pointed at. */
export const MOST = 4_000;

const EMPTY: SweepMap = {
  ...{ start: '', body: '', given: [], last: 0, columns: 0 },
  ...{ stretches: [], strips: [], pair: undefined, rows: [] },
};

/** What a map is of. */
interface Asked {
  /** Recipe of the run that was in view. */
  readonly shown: string;
  /** The same with each event at its boundary: one more may move the labels that they stand at. */
  readonly fixed: string;
  readonly event: string;
}

export type OneMore = ReturnType<typeof createOneMore>;

export function createOneMore(state: State, start: typeof createClient) {
  const map = signal(EMPTY);
  const report = signal<SweepReport | undefined>(undefined);
  const phase = signal<Phase>({ kind: 'done', elapsed: undefined });
  const cell = signal<Cell | undefined>(undefined);
  const asked = signal<Asked | undefined>(undefined);
  /** Recipe of a cell's run, once that was opened: the map is still of the run without it. */
  const opened = signal('');
  /** Whether the map is of another run, or another event, than the reader has before them. */
  const strayed = computed(() => {
    const of = asked.value;
    const { recipe } = state.outline.value;
    return of?.event !== state.event.value || (of.shown !== recipe && opened.value !== recipe);
  });

  let sweeping = 0;
  const client = start(hear);

  function hear(message: Message): void {
    if (message.id !== sweeping) return;
    batch(() => {
      if (message.kind === 'going') {
        const { done, of, paths } = message;
        map.value = message.map;
        phase.value = { kind: 'running', done, of, paths };
      } else if (message.kind === 'swept') {
        map.value = message.map;
        report.value = message.report;
        phase.value = { kind: 'done', elapsed: message.elapsed };
      } else if (message.kind === 'refused') phase.value = { kind: 'refused', problems: message.problems };
      else if (message.kind === 'failed') phase.value = { kind: 'refused', problems: [message.reason] };
    });
  }

  function stop(): void {
    client.cancel();
    sweeping = 0;
  }

  return {
    ...{ title: 'one more event', live: state.live, map, report, phase, cell, asked, strayed },
    /** Makes the map of the run in view. */
    sweep(): void {
      const { recipe, injections } = state.outline.value;
      const { last } = state.lanes.value;
      const event = state.event.value;
      const fixed = withBoundaries(
        recipe,
        injections.map(({ boundary }) => boundary),
      );
      stop();
      batch(() => {
        asked.value = { shown: recipe, fixed, event };
        opened.value = '';
        map.value = { ...EMPTY };
        report.value = undefined;
        cell.value = undefined;
        phase.value =
          last > MOST
            ? { kind: 'refused', problems: [`invalid run: ${last} boundaries (a map has ${MOST} at most)`] }
            : { kind: 'running', done: 0, of: 0, paths: 0 };
      });
      if (last <= MOST) sweeping = client.ask({ kind: 'around', recipe: fixed, events: [event] });
    },
    select(to: Cell | undefined): void {
      cell.value = to;
    },
    /** The run of the chosen cell, the playhead where the event strikes. */
    async open(): Promise<void> {
      const strike = cell.value && strikesOf(map.value, cell.value)?.[0];
      const of = asked.value;
      if (!strike || !of) return;
      await state.play(withInjection(of.fixed, strike.event, strike.boundary));
      opened.value = state.outline.value.recipe;
      state.moveTo(strike.boundary);
    },
    /** Ends the sweep. What is drawn stays, and nothing is claimed of it. */
    cancel(): void {
      stop();
      if (phase.value.kind === 'running') phase.value = { kind: 'cancelled' };
    },
  };
}
