/**
 * The axis of a timeline: each stretch between two named steps gets equal room and is linear in boundaries
 * inside. Most boundaries lie in long handlers; the ones that matter lie close together.
 */

/** Boundaries at which steps stand, each once, ascending; the first is 0, the last ends the run. */
export type Axis = readonly number[];

/** The axis of a run that ends at boundary `last`. */
export function axisOf(steps: readonly { readonly boundary: number }[], last: number): Axis {
  const inside = steps
    .map(({ boundary }) => boundary)
    .filter((boundary) => boundary >= 0 && boundary <= last);
  return [...new Set([0, ...inside, last])].sort((a, b) => a - b);
}

/** Last boundary of the run. */
export const lastOf = (axis: Axis): number => axis.at(-1) ?? 0;

/** Index of the stop at or before a boundary. */
export function stopAt(axis: Axis, boundary: number): number {
  let index = 0;
  for (let i = 0; i < axis.length; i++) if ((axis[i] ?? 0) <= boundary) index = i;
  return index;
}

/** Where a boundary (or a point between two) lies on the axis, 0 to 1; outside the run: at its ends. */
export function placeOf(axis: Axis, boundary: number): number {
  const parts = axis.length - 1;
  if (parts < 1) return 0;
  const i = Math.min(stopAt(axis, boundary), parts - 1);
  const [from, to] = [axis[i] ?? 0, axis[i + 1] ?? 0];
  const inside = Math.min(1, Math.max(0, (boundary - from) / (to - from)));
  return (i + inside) / parts;
}

/** The boundary nearest to a place, 0 to 1. */
export function boundaryAt(axis: Axis, place: number): number {
  const parts = axis.length - 1;
  if (parts < 1) return 0;
  const x = Math.min(1, Math.max(0, place)) * parts;
  const i = Math.min(Math.floor(x), parts - 1);
  const [from, to] = [axis[i] ?? 0, axis[i + 1] ?? 0];
  return Math.round(from + (x - i) * (to - from));
}

/** A place as CSS wants it: `61.538%`. */
export const percent = (place: number): string => `${+(place * 100).toFixed(2)}%`;
