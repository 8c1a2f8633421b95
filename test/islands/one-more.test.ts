/** The map of the laboratory: what is swept, what a cell shows, and what is claimed once the run is another. */
import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { around } from '../../src/explore/around.ts';
import { unpack } from '../../src/explore/map.ts';
import { surveyAll } from '../../src/explore/survey.ts';
import { createOneMore, MOST } from '../../src/islands/lab/one-more.ts';
import { runOf } from '../../src/islands/lab/runs.ts';
import { own } from '../../src/islands/lab/standing.ts';
import type { State } from '../../src/islands/lab/state.ts';
import { tokenRows } from '../../src/islands/lab/Tokens.tsx';
import type { Message, Request } from '../../src/islands/sweep/protocol.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { parse } from '../../src/scenario/recipe.ts';

const pages = libraryOnDisk();
const recipe = scenarioOf(pages, 'nested-nmi')?.lines.join('\n') ?? '';

/** The map beside a laboratory that shows the run, and the worker that answers when it is told to. */
function bench() {
  const shown = (text: string) => runOf(text, undefined, pages);
  const outline = signal(shown(recipe));
  const last = signal({ last: outline.value.frames.length - 1 });
  const moved: number[] = [];
  const state = {
    live: signal(true),
    event: signal('nmi'),
    outline,
    lanes: last,
    play: async (text: string) => {
      outline.value = shown(text);
    },
    moveTo: (boundary: number) => moved.push(boundary),
  } as unknown as State;
  const asked: Request[] = [];
  let hear: (message: Message) => void = () => {};
  const more = createOneMore(state, (told) => {
    hear = told;
    return {
      ask: (question) => {
        const id = asked.length + 1;
        asked.push({ ...question, id } as Request);
        return id;
      },
      cancel: () => {},
    };
  });
  /** What the worker does with the question of a number. */
  const answer = (id: number): void => {
    const question = asked[id - 1];
    const read = question?.kind === 'around' ? parse(own(question.recipe)).recipe : undefined;
    if (question?.kind !== 'around' || !read) throw new Error('nothing was asked');
    const made = surveyAll(around(read, { events: question.events }), pages);
    if ('problems' in made) throw new Error(made.problems[0]?.message);
    hear({ kind: 'swept', id, map: made.map, report: made.report, elapsed: 1 });
  };
  return { more, state, outline, last, moved, asked, answer };
}

test('a cell shows the run of which the map tells the outcome, wherever the event strikes', async () => {
  const { more, outline, moved, answer } = bench();
  const before = outline.value.injections.map(({ boundary }) => boundary);
  const { deliveries } = outline.value.counts;
  more.sweep();
  answer(1);
  const letters = unpack(more.map.value.strips[0]?.cells ?? '');
  expect(letters.length).toBeGreaterThan(outline.value.frames.length - 1);
  // Of each outcome one cell, and one before the events that the run has: their labels come later then.
  const columns = [...new Set(letters)].map((letter) => letters.lastIndexOf(letter));
  expect(columns.length).toBeGreaterThan(2);
  for (const column of [0, ...columns]) {
    more.select({ row: -1, column });
    await more.open();
    const now = outline.value.injections.map(({ boundary }) => boundary);
    expect(now).toEqual([...before, column].toSorted((a, b) => a - b));
    expect(moved.at(-1)).toBe(column);
    // Merged, it is not delivered by itself; before the others it may make those merge.
    const extra = outline.value.counts.deliveries - deliveries;
    if (column > 0)
      expect({ column, extra }).toEqual({ column, extra: letters.charAt(column) === 'm' ? 0 : 1 });
    // The map stays of the run without the event, and another cell is opened in its place.
    expect(more.strayed.value).toBe(false);
  }
});

test('of another run or event the map says that it is not of it; cancelled or too long, it claims nothing', () => {
  const { more, state, outline, last, asked, answer } = bench();
  more.sweep();
  answer(1);
  expect(more.strayed.value).toBe(false);
  state.event.value = 'mc';
  expect(more.strayed.value).toBe(true);
  more.sweep();
  expect(asked.at(-1)).toMatchObject({ kind: 'around', events: ['mc'] });
  more.cancel();
  expect(more.phase.value).toEqual({ kind: 'cancelled' });
  answer(2);
  expect(more.report.value).toBeUndefined();
  outline.value = runOf(recipe.replace('inject  nmi at int3_entry', ''), undefined, pages);
  expect(more.strayed.value).toBe(true);
  last.value = { last: MOST + 1 };
  more.sweep();
  expect(more.phase.value.kind).toBe('refused');
  expect(asked).toHaveLength(2);
});

test('where a recipe allows what has no cause, so does the sweep around it', () => {
  const text =
    'scenario odd v0\ndesign linux-4.2\nset impossible allow\nbody int3\ninject nmi at task+2\ninject bp at b1\n';
  const read = parse(own(text)).recipe;
  if (!read) throw new Error('not read');
  const made = surveyAll(around(read, { events: ['nmi'] }), pages);
  expect('problems' in made ? made.problems : made.report.anywhere).toBe(true);
});

test('no token lies on another as long as a row has room', () => {
  expect(tokenRows([0, 0.5, 0.1, 1], 12.5)).toEqual([0, 0, 1, 1]);
  expect(tokenRows([0.2, 0.2, 0.2], 68)).toEqual([0, 1, 2]);
  expect(tokenRows([], 68)).toEqual([]);
});
