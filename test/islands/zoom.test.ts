import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { lanesOf } from '../../src/islands/lab/bake.ts';
import { createFetching } from '../../src/islands/lab/fetching.ts';
import type { Framed } from '../../src/islands/lab/protocol.ts';
import { following, viewOf, zoomedIn, zoomedOut } from '../../src/islands/lab/zoom.ts';
import type { Frame, Span } from '../../src/scenario/timeline.ts';
import { nestedNmi } from './fixture.ts';

const timeline = nestedNmi();
const last = timeline.frames.length - 1;

test('zooming in keeps the playhead in view, zooming out ends at the whole run', () => {
  expect(zoomedIn(undefined, 100_000, 200_000)).toEqual({ from: 75_000, to: 125_000 });
  expect(zoomedIn({ from: 0, to: 64 }, 60, 200_000)).toEqual({ from: 52, to: 68 });
  expect(zoomedIn({ from: 52, to: 68 }, 60, 200_000)).toEqual({ from: 52, to: 68 });
  expect(zoomedIn(undefined, 199_999, 200_000)).toEqual({ from: 150_000, to: 200_000 });
  expect(zoomedIn(undefined, 3, 12)).toBeUndefined();
  expect(zoomedOut({ from: 75_000, to: 125_000 }, 100_000, 200_000)).toBeUndefined();
  expect(zoomedOut({ from: 52, to: 68 }, 60, 200_000)).toEqual({ from: 28, to: 92 });
});

test('a stretch goes with a playhead that leaves it', () => {
  expect(following({ from: 10, to: 30 }, 30, 100)).toEqual({ from: 10, to: 30 });
  expect(following({ from: 10, to: 30 }, 31, 100)).toEqual({ from: 21, to: 41 });
  expect(following({ from: 10, to: 30 }, 100, 100)).toEqual({ from: 80, to: 100 });
});

test('a stretch shows what the whole run shows there, whether its frames are here or not', () => {
  const lanes = lanesOf(timeline);
  const window = { from: 40, to: 90 };
  const exact = viewOf(window, timeline, lanes, timeline.frames);
  expect([exact.axis[0], exact.axis.at(-1)]).toEqual([40, 90]);
  expect(exact.steps).toEqual(timeline.steps.filter(({ boundary }) => boundary >= 40 && boundary <= 90));
  const clipped = viewOf(window, timeline, lanes, []);
  timeline.rules.forEach((_, rule) => {
    for (let b = 40; b <= 90; b++) {
      const there = timeline.frames[b]?.verdicts[rule]?.judgement;
      for (const { lanes: one } of [exact, clipped])
        expect({
          b,
          rule,
          said: one.rules[rule]?.find(({ from, to }) => from <= b && b <= to)?.judgement,
        }).toEqual({
          b,
          rule,
          said: there,
        });
    }
  });
  expect(viewOf(undefined, timeline, lanes, []).lanes).toBe(lanes);
});

test('a curve with more corners than are drawn keeps its highest and lowest points', () => {
  const depths = Array.from({ length: 50_000 }, (_, b) => (b === 31_234 ? 500 : b === 12_345 ? -1 : b % 7));
  const { depth } = lanesOf({ frames: [], rules: [], injections: [] }, depths);
  expect(depth.length).toBeLessThan(12_000);
  const points = Array.from({ length: depth.length / 2 }, (_, i) => [depth[2 * i], depth[2 * i + 1]]);
  expect(points).toContainEqual([31_234, 500]);
  expect(points).toContainEqual([12_345, -1]);
  expect([points[0], points.at(-1)]).toEqual([
    [0, 0],
    [49_999, depths[49_999]],
  ]);
  for (let i = 1; i < points.length; i++) expect(points[i]?.[0]).toBeGreaterThan(points[i - 1]?.[0] ?? 0);
});

test('frames are fetched around the playhead, the one under it first, and far ones go again', async () => {
  const frames = signal<readonly Frame[]>(Object.assign(new Array(100_000), { 0: { boundary: 0 } }));
  const boundary = signal(0);
  const window = signal<Span | undefined>(undefined);
  const came = signal(0);
  const asked: [number, number][] = [];
  const ask = (from: number, to: number): Promise<Framed> => {
    asked.push([from, to]);
    const list = Array.from({ length: to - from + 1 }, (_, n) => ({ boundary: from + n }) as Frame);
    return Promise.resolve({ kind: 'framed', frames: list });
  };
  const fetching = createFetching({ frames, boundary, window, came, ask });
  boundary.value = 50_000;
  fetching.need();
  await expect.poll(() => frames.value[49_990]?.boundary).toBe(49_990);
  expect(asked[0]).toEqual([50_000, 50_000]);
  expect(frames.value[50_020]?.boundary).toBe(50_020);
  expect(came.value).toBe(3);
  for (let b = 60_000; b < 90_000; b += 300) {
    boundary.value = b;
    window.value = { from: b, to: b + 290 };
    await fetching.stretch(window.value);
  }
  expect(frames.value[50_000]).toBeUndefined();
  // All of the stretch in view is here, and little else.
  for (let b = 89_700; b <= 89_990; b++) expect(frames.value[b]?.boundary).toBe(b);
  expect(Object.keys(frames.value).length).toBeLessThan(500);
  expect(frames.value[0]?.boundary).toBe(0);
  const before = asked.length;
  await fetching.stretch({ from: 0, to: 5_000 });
  expect(asked.length).toBe(before);
});

test('the last boundary is in no way special', () => {
  expect(
    viewOf({ from: last - 16, to: last }, timeline, lanesOf(timeline), timeline.frames).axis.at(-1),
  ).toBe(last);
});
