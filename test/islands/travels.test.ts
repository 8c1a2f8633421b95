/** Moves that the worker answers: they go somewhere, or say why not. */
import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { bake } from '../../src/islands/lab/bake.ts';
import type { Ask, OriginTold, Travelled } from '../../src/islands/lab/protocol.ts';
import { type Asker, createState } from '../../src/islands/lab/state.ts';
import { type Standstill, travels } from '../../src/islands/lab/travels.ts';
import { nestedNmi } from './fixture.ts';

const timeline = nestedNmi();
const baked = bake(timeline);
if (!baked) throw new Error('missing frames');

/** An island whose worker says at once what these say. */
async function desk(travelled: Partial<Travelled>, origin: Partial<OriginTold> = {}) {
  const ask = (async ({ kind }: Ask) =>
    ({
      play: { kind: 'played', timeline, standing: { state: 'same' } },
      travel: { kind: 'travelled', over: 0, backOver: 0, ...travelled },
      origin: { kind: 'origin', place: 'cr2', trail: [], ...origin },
    })[kind as 'play' | 'travel' | 'origin']) as unknown as Asker;
  const state = createState(baked as NonNullable<typeof baked>, ask, {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
  });
  await state.load();
  const stuck = signal<Standstill | undefined>(undefined);
  const act = travels({ state, ask }, stuck);
  return async (action: string) => {
    await act[action]?.();
    return [state.boundary.value, stuck.value?.why];
  };
}
const HERE = timeline.cursor;

test('where there is a next event or a writer the playhead goes there, and nothing is said', async () => {
  const act = await desk(
    { nextEvent: 7, previousEvent: 3, over: 9, backOver: 2 },
    { trail: [{ place: 'cr2', boundary: 5, kind: 'hardware', how: '' }], next: 11 },
  );
  for (const [action, to] of [
    ['next-event', 7],
    ['previous-event', 3],
    ['over', 9],
    ['back-over', 2],
    ['writer', 5],
    ['next-write', 11],
  ] as const)
    expect(await act(action)).toEqual([to, undefined]);
});

test('where there is none the playhead stays, and it is said why', async () => {
  const act = await desk({ over: HERE, backOver: HERE });
  for (const [action, why] of [
    ['next-event', 'No event comes after this.'],
    ['previous-event', 'No event comes before this.'],
    ['over', 'The run ends here.'],
    ['back-over', 'The run begins here.'],
    ['writer', 'cr2 was there before this run.'],
    ['next-write', 'cr2 is not written after this.'],
  ] as const)
    expect(await act(action)).toEqual([HERE, why]);
  const written = await desk({}, { trail: [{ place: 'cr2', boundary: HERE, kind: 'hardware', how: '' }] });
  expect(await written('writer')).toEqual([HERE, 'cr2 was written by the step that led here.']);
});

test('a key that is pressed again while the worker is asked goes on from where the first one led', async () => {
  const asked: number[] = [];
  const ask = (async (question: Ask) => {
    if (question.kind !== 'travel') return { kind: 'played', timeline, standing: { state: 'same' } };
    asked.push(question.boundary);
    return { kind: 'travelled', over: 0, backOver: 0, nextEvent: question.boundary + 10 };
  }) as unknown as Asker;
  const state = createState(baked as NonNullable<typeof baked>, ask, {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
  });
  await state.load();
  state.moveTo(0);
  const act = travels({ state, ask }, signal());
  act['next-event']?.();
  act['next-event']?.();
  await act['next-event']?.();
  expect([asked, state.boundary.value]).toEqual([[0, 10, 20], 30]);
});
