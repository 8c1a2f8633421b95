/** Two runs in lockstep, from the page's own scenario and the same without a safeguard. */
import { expect, test } from 'vitest';
import { bake, rowsOf } from '../../src/islands/lab/bake.ts';
import { beside, compare, contrasts, partText, type Side } from '../../src/islands/lab/compare.ts';
import { createComparing, otherRecipe } from '../../src/islands/lab/comparing.ts';
import type { Asker, PlayAsk } from '../../src/islands/lab/protocol.ts';
import { createState } from '../../src/islands/lab/state.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { play } from '../../src/scenario/run.ts';
import type { Frame, Timeline } from '../../src/scenario/timeline.ts';

const pages = libraryOnDisk();
const source = scenarioOf(pages, 'nested-nmi');
if (!source) throw new Error('no scenario: nested-nmi');
const intact = play(source, pages);
const variant = (choice: string): Timeline =>
  play(
    { ...source, lines: (otherRecipe(choice, intact.recipe, intact.recipe, []) ?? '').split('\n') },
    pages,
  );
const side = (timeline: Timeline): Side => ({
  ...timeline,
  rows: rowsOf(timeline),
  last: timeline.frames.length - 1,
});

test('a run beside itself: every step is paired, nothing differs, boundaries are the same', () => {
  const comparison = compare(side(intact), side(intact));
  expect(comparison.parts).toBeUndefined();
  expect(comparison.pairs.map(({ here, there, differs }) => [here === there, differs.length])).toEqual(
    intact.steps.map(() => [true, 0]),
  );
  for (const { boundary } of intact.frames)
    expect(beside(comparison, boundary, intact.frames.length - 1)).toBe(boundary);
  expect(contrasts(intact.frames[100] as Frame, intact.frames[100] as Frame)).toEqual([]);
});

test('without test C the runs part where the second NMI asks it, and the sentence says how both end', () => {
  const without = variant('without test-c');
  const comparison = compare(side(intact), side(without));
  const parted = comparison.pairs[comparison.parts ?? -1];
  expect(parted?.name).toBe('nested_nmi_out');
  expect(comparison.pairs.slice(0, comparison.parts).map(({ name }) => name)).toContain('NMI 2');
  expect(partText(comparison, side(intact), side(without))).toMatch(
    /^They part at nested_nmi_out, .*Here the run returns, there it/,
  );
});

test('what stands beside a boundary goes forward with it and stays between the same steps', () => {
  const without = variant('without test-c');
  const last = without.frames.length - 1;
  const comparison = compare(side(intact), side(without));
  let before = 0;
  for (const { boundary } of intact.frames) {
    const there = beside(comparison, boundary, last);
    expect(there).toBeGreaterThanOrEqual(before);
    expect(there).toBeLessThanOrEqual(last);
    before = there;
  }
  for (const { here, there } of comparison.pairs)
    if (here !== undefined && there !== undefined) expect(beside(comparison, here, last)).toBe(there);
});

test('what differs is said with both values', () => {
  const [a, b] = [intact.frames[100] as Frame, intact.frames[140] as Frame];
  const found = contrasts(a, b);
  expect(found.find(({ what }) => what === 'RSP')).toEqual({
    what: 'RSP',
    here: a.stack.text,
    there: b.stack.text,
    spot: 'rsp',
  });
});

test('choices are recipes', () => {
  expect(otherRecipe('', intact.recipe, 'own', [])).toBeUndefined();
  expect(otherRecipe('own', intact.recipe, 'own', [])).toBe('own');
  expect(otherRecipe('without test-b', intact.recipe, '', ['test-c'])).toMatch(/^without test-c, test-b$/m);
  expect(otherRecipe('with test-c', intact.recipe, '', ['test-c'])).not.toMatch(/^without/m);
  const moved = otherRecipe(
    'design other',
    'scenario a v0\ndesign  linux-4.2\nwithout test-c\nedit linux-4.2#entry\n| nop\n',
    '',
    [],
  );
  expect(moved).toBe('scenario a v0\ndesign  other\n');
});

test('a design without the labels of this one has the same schedule by boundaries, and that is said', async () => {
  const baked = bake(intact);
  if (!baked) throw new Error('nothing ran');
  const asked: string[] = [];
  const ask = (async (question: PlayAsk) => {
    asked.push(question.recipe);
    const timeline = play({ ...source, lines: question.recipe.split('\n') }, pages);
    return { kind: 'played', timeline, standing: { state: 'draft' } };
  }) as Asker;
  const state = createState(baked, ask, { standing: { state: 'draft' }, pick: undefined, link: '' });
  const comparing = createComparing(state, intact.recipe, ask);
  state.compare.value = 'design fred';
  const end = comparing.follow();
  await expect.poll(() => comparing.other.value?.side.outcome).toEqual({ verdict: 'returns' });
  expect(asked).toHaveLength(2);
  expect(asked[1]).toMatch(/^inject {2}nmi at b2\ninject {2}nmi at b75$/m);
  expect(comparing.note.value).toMatch(/^unknown label: int3_entry .*: 2, 75$/);
  expect(comparing.told.value).toMatch(/^They part at NMI 1, boundary 3: the other run never gets there/);
  state.compare.value = 'design naive-ist';
  await expect.poll(() => comparing.note.value).toBe('');
  expect(comparing.other.value?.side.outcome.verdict).toBe('lost');
  end();
});
