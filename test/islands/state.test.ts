import { expect, test } from 'vitest';
import { bake } from '../../src/islands/lab/bake.ts';
import type { Ask, Failed, Played } from '../../src/islands/lab/protocol.ts';
import { whyNot } from '../../src/islands/lab/recipe-text.ts';
import { type Asker, createState } from '../../src/islands/lab/state.ts';
import { nestedNmi } from './fixture.ts';

const timeline = nestedNmi();
const baked = bake(timeline);
if (!baked) throw new Error('missing frames');

/** A worker that answers when told to. */
function desk() {
  const asked: Ask[] = [];
  const answers: ((answer: Played | Failed) => void)[] = [];
  const ask = ((question: Ask) => {
    asked.push(question);
    return new Promise((resolve) => answers.push(resolve as never));
  }) as Asker;
  const state = createState(baked as NonNullable<typeof baked>, ask, {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
  });
  return { asked, answers, state };
}
const played = (change: Partial<typeof timeline> = {}, draft = false): Played => ({
  kind: 'played',
  timeline: { ...timeline, ...change },
  standing: draft ? { state: 'draft' } : { state: 'same' },
});

async function loaded() {
  const { asked, answers, state } = desk();
  const done = state.load();
  answers[0]?.(played());
  await done;
  return { asked, answers, state };
}

test('before the run is here nothing moves', () => {
  const { state } = desk();
  state.moveTo(3);
  expect([state.boundary.value, state.ready.value]).toEqual([timeline.cursor, false]);
});

test('the run arrives and the playhead stays where it was', async () => {
  const { state } = await loaded();
  expect([state.ready.value, state.boundary.value]).toEqual([true, timeline.cursor]);
  state.moveTo(9999);
  expect(state.boundary.value).toBe(165);
  state.moveTo(-3);
  expect(state.frame.value.boundary).toBe(0);
});

test('an NMI is fired at the playhead, which stays', async () => {
  const { asked, answers, state } = await loaded();
  state.moveTo(20);
  const done = state.fire('nmi');
  expect((asked[1] as { recipe: string }).recipe).toContain('inject  nmi at b20\n');
  answers[1]?.(played({ recipe: 'scenario nested-nmi v1\n' }, true));
  await done;
  expect([state.boundary.value, state.standing.value.state]).toEqual([20, 'draft']);
});

test('only the last question counts', async () => {
  const { answers, state } = await loaded();
  const slow = state.setPick(5);
  const fast = state.setPick(7);
  answers[2]?.(played({ title: 'fast' }));
  answers[1]?.(played({ title: 'slow' }));
  await Promise.all([slow, fast]);
  expect([state.outline.value.title, state.pick.value, state.busy.value]).toEqual(['fast', 7, false]);
});

test('text that cannot run stays, and so does the run in view', async () => {
  const { asked, answers, state } = await loaded();
  state.text.value = 'scenario x v1\ndesign nowhere';
  const problem = { page: 'recipe', line: 2, column: 8, message: 'unknown design: nowhere' };
  const done = state.run();
  answers[1]?.({
    ...played({ frames: [], problems: [problem] }),
    standing: { state: 'draft' },
  });
  await done;
  expect([state.text.value, state.problems.value, state.frames.value.length]).toEqual([
    'scenario x v1\ndesign nowhere',
    [problem],
    166,
  ]);
  // Another question about the run in view does not throw the typed text away.
  const picked = state.setPick(14);
  answers[2]?.(played());
  await picked;
  expect([state.text.value, state.edited.value]).toEqual(['scenario x v1\ndesign nowhere', true]);
  const reset = state.reset();
  answers[3]?.(played());
  await reset;
  expect([state.text.value, state.edited.value, asked.length]).toEqual([timeline.recipe, false, 4]);
});

test('text that runs is replaced by its canonical form', async () => {
  const { answers, state } = await loaded();
  state.text.value = timeline.recipe.replaceAll('\n', ' ');
  const done = state.run();
  answers[1]?.(played());
  await done;
  expect([state.text.value, state.edited.value]).toEqual([timeline.recipe, false]);
});

test('an error of ours is said', async () => {
  const { answers, state } = desk();
  const done = state.load();
  answers[0]?.({ kind: 'failed', reason: 'the worker did not start' });
  await done;
  expect(state.standing.value).toEqual({ state: 'cannot-run', reason: 'the worker did not start' });
});

test('after a broken link the banner speaks of the run in view once the reader has moved on', async () => {
  const { answers, state } = desk();
  const done = state.open('#t9999');
  answers[0]?.({ ...played(), standing: { state: 'cannot-run', reason: 'invalid position: b9999' } });
  await done;
  expect([state.settle(), state.standing.value.state]).toEqual([false, 'cannot-run']);
  state.moveTo(3);
  expect([state.settle(), state.standing.value]).toEqual([true, { state: 'same' }]);
  // A later run that is a draft, then another broken link: the draft is what stays in view.
  const fired = state.fire('nmi');
  answers[1]?.(played({}, true));
  await fired;
  const again = state.open('#t9999');
  answers[2]?.({ ...played(), standing: { state: 'cannot-run', reason: 'invalid position: b9999' } });
  await again;
  state.moveTo(4);
  expect([state.settle(), state.standing.value]).toEqual([true, { state: 'draft' }]);
});

test('what is wrong in an edited cell is told first; what its labels are missed by, with the page', () => {
  const recipe = 'scenario x v0\nedit    linux-4.2#nested\n| nop\n';
  const missed = { page: 'notebooks/x.mdx', line: 101, column: 5, message: 'unknown symbol: nested_nmi' };
  const typed = { page: 'linux-4.2#nested', line: 2, column: 1, message: 'unknown mnemonic: movqq' };
  const key = { page: 'recipe', line: 3, column: 1, message: 'unknown key: x' };
  expect(whyNot({ recipe, problems: [missed, key, typed] })).toBe('2:1 unknown mnemonic: movqq');
  expect(whyNot({ recipe, problems: [missed, key] })).toBe('3:1 unknown key: x');
  expect(whyNot({ recipe, problems: [missed] })).toBe('notebooks/x.mdx:101:5 unknown symbol: nested_nmi');
  expect(whyNot({ recipe, problems: [] })).toBe('nothing ran');
});

test('back from a broken link to the page as it is, the banner speaks of the run in view', async () => {
  const { answers, state } = await loaded();
  const again = state.open('#t9999');
  answers[1]?.({ ...played(), standing: { state: 'cannot-run', reason: 'invalid position: b9999' } });
  await again;
  expect(state.standing.value.state).toBe('cannot-run');
  state.forgive();
  expect(state.standing.value).toEqual({ state: 'same' });
});

test('a link that was asked for is of the boundary in view, also when a later one was asked meanwhile', async () => {
  const { asked, answers, state } = await loaded();
  state.moveTo(3);
  const copied = state.askLink();
  state.moveTo(4);
  const rested = state.askLink();
  expect(asked.slice(1)).toMatchObject([{ boundary: 3 }, { boundary: 4 }]);
  answers[1]?.({ kind: 'linked', link: '/s/nested-nmi/v1#t3' } as never);
  answers[2]?.({ kind: 'linked', link: '/s/nested-nmi/v1#t4' } as never);
  expect([await copied, await rested, state.link.value]).toEqual([
    '/s/nested-nmi/v1#t3',
    '/s/nested-nmi/v1#t4',
    '/s/nested-nmi/v1#t4',
  ]);
});
