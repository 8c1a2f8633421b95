/** Moving about in a run: keys, and what the reader types into the jump field. */
import type { Frame, Step } from '../../scenario/timeline.ts';
import { type Axis, lastOf, stopAt } from './axis.ts';
import type { Listed } from './bake.ts';

/** Boundary of the named step before a boundary. */
export function stepBefore(axis: Axis, boundary: number): number {
  const at = stopAt(axis, boundary);
  const stop = axis[at] ?? 0;
  return stop < boundary ? stop : (axis[at - 1] ?? 0);
}

/** Boundary of the named step after a boundary. */
export const stepAfter = (axis: Axis, boundary: number): number =>
  axis[stopAt(axis, boundary) + 1] ?? lastOf(axis);

/**
 * Where a key leads from a boundary; undefined for other keys. Arrows go by boundary, Page Up and Page Down
 * by step and Home and End to the ends, in the directions of a slider (ARIA Authoring Practices, slider).
 */
export function keyMove(key: string, boundary: number, axis: Axis): number | undefined {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(lastOf(axis), boundary + 1);
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, boundary - 1);
    case 'PageUp':
      return stepAfter(axis, boundary);
    case 'PageDown':
      return stepBefore(axis, boundary);
    case 'Home':
      return 0;
    case 'End':
      return lastOf(axis);
    default:
      return bracketMove(key, boundary, axis);
  }
}

/** The keys that work anywhere in the island outside text fields: `[` and `]` go by step. */
export function bracketMove(key: string, boundary: number, axis: Axis): number | undefined {
  if (key === '[') return stepBefore(axis, boundary);
  if (key === ']') return stepAfter(axis, boundary);
  return undefined;
}

/** The next instruction of a listing above or below a line; from none, the next one at or below `from`. */
export function lineMove(
  key: string,
  code: readonly Listed[],
  chosen: number,
  from: number,
): number | undefined {
  const by = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (by === undefined) return undefined;
  let line = chosen < 0 ? Math.max(0, from) : chosen + by;
  while (code[line] && (code[line]?.kind !== 'instruction' || !code[line]?.text)) line += by;
  return code[line] ? line : chosen;
}

/** Boundary at which control is at a line of the listing: the first at or behind `at`, else the first; undefined where none is known. */
export function boundaryOfLine(frames: readonly Frame[], line: number, at: number): number | undefined {
  const there = frames.flatMap((frame) => (frame.line === line ? [frame.boundary] : []));
  return there.find((boundary) => boundary >= at) ?? there[0];
}

/** Whether a fragment is a link to a moment: any is, unless it names a place of the page itself. */
export function isLink(hash: string, hasPlace: (id: string) => boolean): boolean {
  const id = hash.replace(/^#/, '');
  if (!id || hasPlace(id)) return false;
  try {
    return !hasPlace(decodeURIComponent(id));
  } catch {
    return true; // a stray %: the reader of links says what is wrong
  }
}

/**
 * Reads the jump field: a boundary (`101`, `b101`), or a step by the name a link gives it or the one the axis
 * shows, with an offset in boundaries (`repeat_nmi-2`, `repeat_nmi#2`, `NMI 2+3`).
 */
export function readJump(
  text: string,
  steps: readonly Step[],
  last: number,
): { readonly boundary: number } | { readonly problem: string } {
  const typed = text.trim();
  if (!typed) return { problem: 'missing boundary or step' };
  const number = /^b?(\d+)$/.exec(typed)?.[1];
  if (number !== undefined) {
    const boundary = Number(number);
    return boundary <= last
      ? { boundary }
      : { problem: `invalid boundary: ${number} (the run ends at ${last})` };
  }
  const find = (name: string) =>
    steps.find(({ checkpoint }) => checkpoint === name || checkpoint === name.replace('#', '-')) ??
    steps.find((step) => step.name.toLowerCase() === name.toLowerCase());
  const whole = find(typed);
  if (whole) return { boundary: whole.boundary };
  const [, name = '', sign, by] = /^(.*?)\s*([+-])(\d+)$/.exec(typed) ?? [];
  const step = find(name);
  if (!step) return { problem: `unknown step: ${typed}` };
  const boundary = step.boundary + Number(by) * (sign === '-' ? -1 : 1);
  if (boundary < 0 || boundary > last)
    return { problem: `invalid boundary: ${boundary} (the run ends at ${last})` };
  return { boundary };
}
