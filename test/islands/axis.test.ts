import fc from 'fast-check';
import { expect, test } from 'vitest';
import { axisOf, boundaryAt, placeOf, stopAt } from '../../src/islands/lab/axis.ts';

const at = (...boundaries: number[]) => boundaries.map((boundary) => ({ boundary }));

test('each stretch between steps has equal room and is linear inside', () => {
  const axis = axisOf(at(0, 10, 110, 112), 112);
  expect(axis).toEqual([0, 10, 110, 112]);
  expect([0, 5, 10, 60, 110, 111, 112].map((b) => placeOf(axis, b) * 6)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('steps may miss the ends and share a boundary', () => {
  expect(axisOf(at(4, 4, 7), 9)).toEqual([0, 4, 7, 9]);
  expect(axisOf([], 3)).toEqual([0, 3]);
  expect(axisOf(at(0, 5), 3)).toEqual([0, 3]);
});

test('points outside the run lie at its ends', () => {
  const axis = axisOf(at(0, 4, 9), 9);
  expect([placeOf(axis, -0.5), placeOf(axis, 9.5), boundaryAt(axis, -1), boundaryAt(axis, 2)]).toEqual([
    0, 1, 0, 9,
  ]);
});

test('a run of one boundary has a place', () => {
  expect(placeOf(axisOf(at(0), 0), 0)).toBe(0);
  expect(boundaryAt(axisOf(at(0), 0), 0.7)).toBe(0);
});

test('the stop of a boundary is the last one at or before it', () => {
  expect([0, 9, 10, 11, 109, 112].map((b) => stopAt([0, 10, 110, 112], b))).toEqual([0, 0, 1, 1, 1, 3]);
});

test('every boundary is found again at its place, and places ascend', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.array(fc.nat(400), { maxLength: 20 }), (last, stops) => {
      const axis = axisOf(at(...stops), last);
      let before = -1;
      for (let b = 0; b <= last; b++) {
        const place = placeOf(axis, b);
        if (boundaryAt(axis, place) !== b || place <= before) return false;
        before = place;
      }
      return before === 1;
    }),
    { seed: 2016 },
  );
});
