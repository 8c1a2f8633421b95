/** The picture of all stacks, drawn from a run of the page's own scenario. */
import { expect, test } from 'vitest';
import { cpuRows } from '../../src/islands/lab/cpu.ts';
import { type Column, wordMove } from '../../src/islands/lab/stack-rows.ts';
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

/** The picture with a word chosen, by its offset from T. */
const chosen = (frame: Frame, spot: number, narrow = false) =>
  pictureOf(run, frame, narrow, { spot, words: [] });
const rowOf = (columns: readonly Column[], spot: number) =>
  columns.flatMap(({ rows }) => rows).find((row) => row.kind === 'word' && row.spot === spot);

test('every row that is not free says which word it is chosen by, and each of its words can be reached', () => {
  const frame = at('int3_entry');
  const { columns } = pictureOf(run, frame);
  expect(columns.map(({ name }) => name)).toEqual(['TASK', '#DB', 'NMI']);
  for (const row of columns.flatMap(({ rows }) => rows)) {
    const highest = row.kind === 'rest' ? undefined : Number((row.to - 8n - run.top) / 8n);
    expect({ text: row.text, spot: row.spot }).toEqual({ text: row.text, spot: highest });
  }
  for (const { name, rows } of columns)
    for (const row of rows.filter(({ kind }) => kind !== 'rest'))
      for (let address = row.from; address < row.to; address += 8n) {
        const spot = Number((address - run.top) / 8n);
        const column = chosen(frame, spot).columns.find((one) => one.name === name);
        expect(column && rowOf([column], spot)).toMatchObject({ from: address, to: address + 8n });
      }
});

test('an opened block is its words, each by its role, and the picture in words stays as it was', () => {
  const frame = at('int3_entry');
  const texts = (name: string, spot: number) =>
    chosen(frame, spot)
      .columns.find((column) => column.name === name)
      ?.rows.map(({ text }) => text);
  const record = pictureOf(run, frame).columns[1]?.rows[0]?.spot ?? 0;
  expect(texts('#DB', record)).toEqual(['7ff8 SS', '7ff0 RSP', '7fe8 RFLAGS', '7fe0 CS', '7fd8 RIP', '']);
  expect(texts('NMI', -18)?.slice(17, 21)).toEqual(['-18 orig_ax', '-19 di', '-20 si', '-21 dx']);
  const told = pictureText(pictureOf(run, frame), frame);
  for (const spot of [record, -18, Number((0xffff_8800_3d00_3f18n - run.top) / 8n)])
    expect(pictureText(chosen(frame, spot), frame)).toBe(told);
});

test('a chosen word is in the picture at every boundary, on a stack that is in use or empty, and rows still touch', () => {
  const db = run.stacks.find(({ name }) => name === '#DB');
  for (const address of [0xffff_8800_3d00_3f18n, (db?.end ?? 0n) - 40n, run.top - 0x158n]) {
    const spot = Number((address - run.top) / 8n);
    for (const frame of run.frames.filter((_, b) => b % 5 === 0)) {
      const { columns } = chosen(frame, spot, frame.boundary % 2 === 0);
      expect({ b: frame.boundary, from: rowOf(columns, spot)?.from }).toEqual({
        b: frame.boundary,
        from: address,
      });
      for (const { rows } of columns)
        expect(rows.slice(1).map(({ to, y }) => ({ to, y }))).toEqual(
          rows.slice(0, -1).map(({ from, y, height }) => ({ to: from, y: y + height })),
        );
    }
  }
});

test('arrow keys go from word to word, through blocks, and to the stack beside; where nothing tells of others, the named ones', () => {
  const frame = at('nested_nmi_out');
  const go = (spot: number, key: string, all = true) => wordMove(key, chosen(frame, spot).columns, spot, all);
  const task = Number((0xffff_8800_3d00_3f28n - run.top) / 8n);
  expect([go(task, 'ArrowDown'), go(task, 'ArrowUp')]).toEqual([task - 1, task + 1]);
  expect([go(-17, 'ArrowDown'), go(-18, 'ArrowUp'), go(-1, 'ArrowUp')]).toEqual([-18, -17, undefined]);
  // Down from the first word of the NMI stack to the last that is in use: none is left out.
  const passed = [-1];
  for (let spot = go(-1, 'ArrowDown'); spot !== undefined; spot = go(spot, 'ArrowDown')) passed.push(spot);
  expect(passed).toEqual(passed.map((_, n) => -1 - n));
  expect(passed.length).toBe(Number((run.top - (chosen(frame, -1).columns[1]?.rows.at(-1)?.to ?? 0n)) / 8n));
  expect(go(task, 'ArrowRight')).toBe(-6);
  expect(go(-17, 'ArrowLeft')).toBe(Number((0xffff_8800_3d00_3f28n - run.top) / 8n));
  expect(go(-17, 'x')).toBeUndefined();
  expect([go(-17, 'ArrowLeft', false), go(-17, 'ArrowUp', false)]).toEqual([undefined, -16]);
});
