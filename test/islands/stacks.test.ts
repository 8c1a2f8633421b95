/** The picture of all stacks, drawn from a run of the page's own scenario. */
import { expect, test } from 'vitest';
import { cpuRows } from '../../src/islands/lab/cpu.ts';
import { pictureOf, pictureText } from '../../src/islands/lab/stacks.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { play } from '../../src/scenario/run.ts';
import type { Frame } from '../../src/scenario/timeline.ts';

const pages = libraryOnDisk();
const source = scenarioOf(pages, 'nested-nmi');
if (!source) throw new Error('no scenario: nested-nmi');
const run = play(source, pages);
const at = (checkpoint: string): Frame => {
  const step = run.steps.find((one) => one.checkpoint === checkpoint);
  const frame = step && run.frames[step.boundary];
  if (!frame) throw new Error(`unknown step: ${checkpoint}`);
  return frame;
};

test('before anything strikes only the task stack is in use, and RSP is on it', () => {
  const frame = run.frames[0] as Frame;
  const picture = pictureOf(run, frame);
  expect(picture.columns.map(({ name }) => name)).toEqual(['TASK', 'NMI']);
  expect(picture.empty.map(({ name }) => name)).toEqual(['#DF', '#DB', '#MC']);
  expect(picture.rsp?.stack).toBe('TASK');
});

test('each live function of a stack is a block, in the order of the chain', () => {
  const frame = at('nested_nmi_out');
  const task = pictureOf(run, frame).columns.find(({ name }) => name === 'TASK');
  const chain = frame.truth
    .filter(({ stack }) => stack === 'TASK')
    .map(({ text }) => text.replace(/\+.*/, ''));
  const blocks = task?.rows.filter(({ kind }) => kind === 'frame').map(({ text }) => text);
  expect(chain.length).toBeGreaterThan(3);
  expect(blocks).toEqual(chain.toReversed());
});

test('rows touch: no address of a stack is drawn twice or left out, at any boundary', () => {
  for (const frame of run.frames) {
    const { columns } = pictureOf(run, frame);
    for (const { name, rows, y, height } of columns) {
      const stack = run.stacks.find((one) => one.name === name);
      const { boundary } = frame;
      expect({ boundary, name, from: rows.at(-1)?.from, to: rows[0]?.to }).toEqual({
        boundary,
        name,
        from: stack?.begin,
        to: stack?.end,
      });
      rows.slice(1).forEach((row, n) => {
        const above = rows[n];
        expect({ boundary, to: row.to, y: row.y }).toEqual({
          boundary,
          to: above?.from,
          y: (above?.y ?? 0) + (above?.height ?? 0),
        });
      });
      const last = rows.at(-1);
      expect((last?.y ?? 0) + (last?.height ?? 0)).toBe(y + height);
    }
  }
});

test('an arrow ends on the stack that the saved RSP points into, between the rows around it', () => {
  const leads = (frame: Frame) => pictureOf(run, frame).arrows.map(({ record, to }) => `${record} ${to}`);
  expect(leads(at('nested_nmi_out'))).toEqual(['original NMI', 'iret NMI', 'outermost TASK']);
  const picture = pictureOf(run, at('nested_nmi_out'));
  const outermost = picture.arrows.find(({ record }) => record === 'outermost');
  const task = picture.columns.find(({ name }) => name === 'TASK');
  const lowest = task?.rows.find(({ text }) => text === 'do_work');
  expect(outermost?.path.at(-1)).toEqual([
    (task?.x ?? 0) + (task?.width ?? 0),
    (lowest?.y ?? 0) + (lowest?.height ?? 0),
  ]);
});

test('the flag stands at RSP on every boundary that is on a stack, and its height falls with pushes', () => {
  for (const frame of run.frames)
    expect({ b: frame.boundary, on: pictureOf(run, frame).rsp?.stack }).toEqual({
      b: frame.boundary,
      on: frame.stack.name,
    });
  const before = pictureOf(run, at('nmi')).rsp?.y ?? 0;
  const pushed = run.frames[at('nmi').boundary + 1] as Frame;
  expect(pushed.registers.rsp).toBe((at('nmi').registers.rsp ?? 0n) - 8n);
  expect(pictureOf(run, pushed).rsp?.y).toBeGreaterThan(before);
});

test('it is told in words too', () => {
  const frame = at('nested_nmi_out');
  const text = pictureText(pictureOf(run, frame), frame);
  expect(text).toContain('RSP is on the NMI stack, at T-48.');
  expect(text).toContain('outermost leads to the task stack');
  expect(text).toContain('Empty: #DF, #DB, #MC.');
});

test('registers say what changed, and what it was', () => {
  const frame = at('nmi');
  const { control, general } = cpuRows(frame, run.frames[frame.boundary - 1]);
  const rsp = control.find(({ name }) => name === 'RSP');
  expect(rsp).toMatchObject({ meaning: 'T-40', changed: true, before: 'task stack' });
  expect(control.find(({ name }) => name === 'CS')).toMatchObject({
    value: '10',
    meaning: 'CPL 0',
    changed: false,
  });
  expect(general).toHaveLength(15);
});

test('on a phone the NMI stack is at the top, the others below it, and every arrow stays inside', () => {
  for (const frame of run.frames.filter((_, b) => b % 20 === 4)) {
    const { columns, width, height, arrows } = pictureOf(run, frame, true);
    expect(width).toBeLessThan(360);
    expect(columns[0]?.name).toBe('NMI');
    columns.forEach((column, n) => {
      const above = columns[n - 1];
      if (above) expect(column.y).toBeGreaterThan(above.y + above.height);
    });
    for (const [x, y] of arrows.flatMap(({ path }) => path)) {
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(width);
      expect(y).toBeLessThan(height);
    }
  }
});
