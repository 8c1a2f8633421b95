import { expect, test } from 'vitest';
import { pack, type SweepMap } from '../../src/explore/map.ts';
import type { SweepReport } from '../../src/explore/sweep.ts';
import { areasOf, cellAt, geometryOf, keyCell, lettersOf, rowBox } from '../../src/islands/sweep/geometry.ts';
import type { Message, Request } from '../../src/islands/sweep/protocol.ts';
import { eventsText, pictureText, verdictOf } from '../../src/islands/sweep/say.ts';
import { createState, strikesOf } from '../../src/islands/sweep/state.ts';

const rows = ['.wwwnn', '..wwnnA', '...oo', '', 'oA.A'];
const map: SweepMap = {
  start: 'kernel-task',
  body: 'int3',
  given: [2],
  last: 4,
  stretches: [
    { name: 'nmi', from: 0, to: 1 },
    { name: 'task', from: 2, to: 4 },
  ],
  strips: [{ event: 'nmi', cells: 'ow2n' }],
  pair: ['nmi', 'nmi'],
  rows: rows.map(pack),
  columns: 7,
};

test('the outlines of a picture enclose the cells and nothing else', () => {
  const { across, down } = geometryOf(map);
  /** Twice the area inside a path of horizontal and vertical steps, each outline by itself. */
  const enclosed = (d: string): number =>
    d
      .split('z')
      .filter(Boolean)
      .reduce((sum, one) => {
        let [x, y, area] = [0, 0, 0];
        for (const [, step, a = '', b = ''] of one.matchAll(/([MHhv])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
          const before = x;
          if (step === 'M') [x, y] = [Number(a), Number(b)];
          else if (step === 'H') x = Number(a);
          else if (step === 'h') x += Number(a);
          else y += Number(a);
          if (step !== 'M') area += (before - x) * y;
        }
        return sum + Math.abs(area);
      }, 0);
  for (const letter of 'wnoA') {
    const cells = rows.join('').split(letter).length - 1;
    const strip = lettersOf(map, -1).split(letter).length - 1;
    const areas = areasOf(map).filter((one) => one.letter === letter);
    const total = areas.reduce((sum, { d }) => sum + enclosed(d), 0);
    expect({ letter, total }).toEqual({
      letter,
      total: cells * across * down + strip * across * rowBox(map, -1).height,
    });
  }
});

test('a point is the cell that is drawn there', () => {
  const { left, across, columns, rows: count, width } = geometryOf(map);
  for (let row = -1; row < count; row++) {
    const { y, height } = rowBox(map, row);
    for (let column = 0; column < columns; column++)
      expect(cellAt(map, left + (column + 0.5) * across, y + height / 2)).toEqual({ row, column });
  }
  expect(cellAt(map, left - 1, rowBox(map, 0).y)).toBeUndefined();
  expect(cellAt(map, width, rowBox(map, 0).y)).toBeUndefined();
  expect(cellAt(map, left + 1, 0)).toBeUndefined();
});

test('a map of few boundaries is as wide as others, and the names over it have room', () => {
  expect(geometryOf(map)).toMatchObject({ across: 16, width: 860, strips: 84 });
  const name = 'search_exception_table';
  const long = geometryOf({ ...map, columns: 91, last: 90, stretches: [{ name, from: 89, to: 90 }] });
  // turned by 38 degrees, a letter some 6.5 units wide: 88 up and 113 along
  expect(long.strips - 8).toBeGreaterThan(name.length * 6.5 * Math.sin((38 * Math.PI) / 180));
  expect(long.width).toBeGreaterThan(
    long.left + 90 * long.across + name.length * 6.5 * Math.cos((38 * Math.PI) / 180),
  );
});

test('keys stay on the map, and Home goes to the first run of a row', () => {
  const at = { row: 0, column: 3 };
  expect(keyCell(map, 'ArrowRight', at)).toEqual({ row: 0, column: 4 });
  expect(keyCell(map, 'ArrowUp', { row: -1, column: 3 })).toEqual({ row: -1, column: 3 });
  expect(keyCell(map, 'PageDown', at)).toEqual({ row: 4, column: 3 });
  expect(keyCell(map, 'ArrowLeft', { row: 0, column: 0 })).toEqual({ row: 0, column: 0 });
  expect(keyCell(map, 'Home', { row: 1, column: 6 })).toEqual({ row: 1, column: 2 });
  expect(keyCell(map, 'End', { row: 2, column: 0 })).toEqual({ row: 2, column: 4 });
  expect(keyCell(map, 'x', at)).toBeUndefined();
  expect(strikesOf(map, { row: 1, column: 0 })).toBeUndefined();
  expect(strikesOf(map, { row: 1, column: 2 })).toEqual([
    { event: 'nmi', boundary: 1 },
    { event: 'nmi', boundary: 2 },
  ]);
  expect(strikesOf(map, { row: -1, column: 2 })).toEqual([{ event: 'nmi', boundary: 2 }]);
});

test('events are said as a reader says them', () => {
  expect(eventsText(['nmi'])).toBe('at most one NMI');
  expect(eventsText(['nmi', 'mc', 'nmi'])).toBe('at most two NMIs and one #MC');
  expect(pictureText(map)).toMatch(/^Map of NMI \(down\) and NMI \(across\): 5 .*waits.*3 breaks I1/);
});

test('runs that all come back are clean, and traces that go astray are spoken of beside them', () => {
  const verdict = (states?: Readonly<Record<string, number>>) => {
    const judged = states && [{ unwinder: 'orc-6.12', states, gaps: {} }];
    const report = { schedules: 5, violations: [], untold: [], ...(judged && { judged }) };
    return verdictOf(report as unknown as SweepReport).text;
  };
  expect(verdict()).toBe('Clean over exactly this: 5 schedules.');
  expect(verdict({ right: 189, 'not-asked': 3, 'wrong-silently': 0 })).toBe(verdict());
  expect(verdict({ right: 189, 'stops-early-silently': 4 })).toBe(
    `${verdict()} That is about the runs; their traces are told below.`,
  );
});

/** An island whose worker is this test. */
function island() {
  const ask = { design: 'linux-4.2', events: ['nmi'], starts: ['kernel-task'], bodies: ['int3'] };
  const report = { events: ['nmi'], violations: [] } as unknown as SweepReport;
  const asked: { id: number; kind: Request['kind'] }[] = [];
  let hear: (message: Message) => void = () => {};
  let cancelled = 0;
  const state = createState(
    { ask, map, report, doors: [] },
    (told) => {
      hear = told;
      return {
        ask: (question) => asked.push({ id: asked.length + 1, kind: question.kind }),
        cancel: () => {
          cancelled++;
        },
      };
    },
    'here',
  );
  const swept = (id: number, elapsed: number) => hear({ kind: 'swept', id, map, report, elapsed });
  return { state, asked, report, swept, tell: (message: Message) => hear(message), ends: () => cancelled };
}

test('what is quick is swept at once, what is slow waits; an answer to an earlier ask is not shown', () => {
  const { state, asked, swept } = island();
  state.change({ bodies: ['quiet'] });
  state.change({ bodies: ['int3'], window: 4 });
  expect(asked.map(({ kind }) => kind)).toEqual(['sweep', 'sweep']);
  swept(1, 10);
  expect(state.phase.value.kind).toBe('running');
  expect(state.report.value).toBeUndefined();
  swept(2, 4_000);
  expect(state.phase.value).toEqual({ kind: 'done', elapsed: 4_000 });
  state.change({ window: 5 });
  expect(asked).toHaveLength(2);
  expect(state.strayed.value).toBe(true);
});

test('a sweep that was cancelled claims nothing, whatever still arrives', () => {
  const { state, swept, ends } = island();
  state.change({ window: 3 });
  state.cancel();
  expect(ends()).toBe(1);
  expect(state.phase.value.kind).toBe('cancelled');
  swept(1, 10);
  expect(state.report.value).toBeUndefined();
  state.reset();
  expect(state.report.value).toBeDefined();
  expect(state.strayed.value).toBe(false);
});

test('what is refused says why, and a worker that does not start too', () => {
  const { state, tell } = island();
  state.change({ bodies: ['loud'] });
  tell({ kind: 'refused', id: 1, problems: ['unknown body: loud'] });
  expect(state.phase.value).toEqual({ kind: 'refused', problems: ['unknown body: loud'] });
  state.run();
  tell({ kind: 'failed', id: 2, reason: 'the worker did not start' });
  expect(state.phase.value).toEqual({ kind: 'refused', problems: ['the worker did not start'] });
});

test('a map of dumps: a cell is one event and the boundary of the dump', () => {
  const dumps: SweepMap = {
    ...map,
    strips: [{ event: 'dump', cells: 'r5' }],
    pair: ['nmi', 'dump'],
    judge: 'orc-6.12',
  };
  const cells = { ...dumps, rows: ['r4', '.r3', '..ru'] };
  expect(strikesOf(cells, { row: 2, column: 3 })).toEqual([{ event: 'nmi', boundary: 2 }]);
  expect(strikesOf(cells, { row: 2, column: 1 })).toBeUndefined();
  expect(strikesOf(cells, { row: -1, column: 1 })).toEqual([]);
  expect(pictureText(cells)).toBe(
    'Map of what orc-6.12 makes of it: 8 right: all that is alive is listed; 1 wrong, and nothing shows it',
  );
});
