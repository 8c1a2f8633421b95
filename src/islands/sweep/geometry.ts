/** Where things lie in the picture of a map, in the units of its SVG; the picture and what is laid over it agree by this. */
import { type SweepMap, unpack } from '../../explore/map.ts';

export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  /** Top of the first strip, and of the map. */
  readonly strips: number;
  readonly top: number;
  /** Size of a cell. */
  readonly across: number;
  readonly down: number;
  readonly columns: number;
  readonly rows: number;
  /** The functions of the run that are wide enough to be named over the picture. */
  readonly names: SweepMap['stretches'];
}

export const STRIP = 16;
export const STRIP_STEP = 22;
const LEFT = 118;
const RIGHT = 14;
/** Room for the names over the picture, at least. */
const HEAD = 84;
const FOOT = 40;
/** Cells grow up to their limits to fill a picture of this width. It is never less: a short run is not blown up. */
const WIDE = 860;
/** A function is named at its place if it is this many units wide. */
export const NAMED = 13;
/** How names over the picture are turned, in degrees, and how far a letter of them reaches up and to the right. */
export const TURNED = -38;
const UP = 4.1;
const ALONG = 5.2;

const within = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value));

export function geometryOf(map: SweepMap): Geometry {
  const columns = Math.max(map.columns, map.last + 1, 1);
  const rows = map.pair ? Math.max(map.rows.length, map.last + 1) : 0;
  const across = within(1, Math.floor(((WIDE - LEFT - RIGHT) / columns) * 2) / 2, 16);
  const down = within(1, across, 4);
  const names = map.stretches.filter(({ from, to }) => (to - from + 1) * across >= NAMED);
  const strips = Math.max(HEAD, ...names.map(({ name }) => 16 + name.length * UP));
  const ends = names.map(({ from, to, name }) => ((from + to + 1) / 2) * across + name.length * ALONG);
  const top = strips + map.strips.length * STRIP_STEP + (rows > 0 ? 14 : 0);
  return {
    width: Math.max(WIDE, LEFT + columns * across + RIGHT, ...ends.map((end) => LEFT + end)),
    height: top + rows * down + FOOT,
    left: LEFT,
    strips,
    top,
    across,
    down,
    columns,
    rows,
    names,
  };
}

/** A cell of a picture: row -1 and below are the strips, counted from the map upwards to the first. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Row of a strip, by its place among the strips. */
export const stripRow = (map: SweepMap, strip: number): number => strip - map.strips.length;

/** The letters of a row, strips included. */
export const lettersOf = (map: SweepMap, row: number): string =>
  unpack((row < 0 ? map.strips[map.strips.length + row]?.cells : map.rows[row]) ?? '');

/** Top edge and height of a row. */
export function rowBox(map: SweepMap, row: number): { readonly y: number; readonly height: number } {
  const { strips, top, down } = geometryOf(map);
  return row < 0
    ? { y: strips + (map.strips.length + row) * STRIP_STEP, height: STRIP }
    : { y: top + row * down, height: down };
}

/** The cell at a point of the picture; undefined outside. */
export function cellAt(map: SweepMap, x: number, y: number): Cell | undefined {
  const { left, across, down, columns, top, rows } = geometryOf(map);
  const column = Math.floor((x - left) / across);
  if (column < 0 || column >= columns) return undefined;
  for (const n of map.strips.keys()) {
    const row = stripRow(map, n);
    const box = rowBox(map, row);
    if (y >= box.y && y < box.y + box.height) return { row, column };
  }
  const row = Math.floor((y - top) / down);
  return y >= top && row < rows ? { row, column } : undefined;
}

/** Cells of one letter in neighbouring rows, as the outline of an SVG path. */
export interface Area {
  readonly letter: string;
  readonly d: string;
}

/** One row of an area. */
interface Span {
  readonly y: number;
  readonly height: number;
  readonly x1: number;
  readonly x2: number;
}

/** The whole picture as few outlines. They are written in steps from point to point, which packs well. */
export function areasOf(map: SweepMap): readonly Area[] {
  const { left, across } = geometryOf(map);
  const done: { readonly letter: string; readonly spans: Span[] }[] = [];
  let open: typeof done = [];
  const count = map.pair ? map.rows.length : 0;
  for (let row = -map.strips.length; row < count; row++) {
    const box = rowBox(map, row);
    const next: typeof done = [];
    for (const { 0: run, index } of lettersOf(map, row).matchAll(/([a-zA-Z])\1*/g)) {
      const x1 = left + index * across;
      const span = { ...box, x1, x2: x1 + run.length * across };
      const letter = run.charAt(0);
      const above =
        row > 0 ? open.find((area) => area.letter === letter && touch(area.spans.at(-1), span)) : undefined;
      if (above) open.splice(open.indexOf(above), 1);
      const area = above ?? { letter, spans: [] };
      area.spans.push(span);
      next.push(area);
      if (!above) done.push(area);
    }
    open = next;
  }
  return done.map(({ letter, spans }) => ({ letter, d: outline(spans) }));
}

const touch = (above: Span | undefined, below: Span): boolean =>
  above !== undefined && above.x1 < below.x2 && below.x1 < above.x2;

/** Down the right edge of the spans and up the left one. */
function outline(spans: readonly Span[]): string {
  const [first, last] = [spans[0], spans.at(-1)];
  if (!first || !last) return '';
  const edge = (all: readonly Span[], side: 'x1' | 'x2', sign: 1 | -1): string => {
    let path = '';
    let fall = 0;
    all.forEach((span, n) => {
      fall += span.height * sign;
      const step = (all[n + 1] ?? span)[side] - span[side];
      if (step === 0 && n < all.length - 1) return;
      path += `v${fall}${step === 0 ? '' : `h${step}`}`;
      fall = 0;
    });
    return path;
  };
  return `M${first.x1} ${first.y}H${first.x2}${edge(spans, 'x2', 1)}H${last.x1}${edge(spans.toReversed(), 'x1', -1)}z`;
}

/**
 * Where a key leads: arrows by a cell, Page Up and Page Down by ten rows, Home and End to the ends of the row.
 * Undefined for other keys.
 */
export function keyCell(map: SweepMap, key: string, { row, column }: Cell): Cell | undefined {
  const { columns, rows } = geometryOf(map);
  const lowest = rows > 0 ? Math.max(0, map.rows.length - 1) : -1;
  const down = (by: number): Cell => ({ row: within(-map.strips.length, row + by, lowest), column });
  const across = (by: number): Cell => ({ row, column: within(0, column + by, columns - 1) });
  const letters = lettersOf(map, row);
  switch (key) {
    case 'ArrowRight':
      return across(1);
    case 'ArrowLeft':
      return across(-1);
    case 'ArrowDown':
      return down(1);
    case 'ArrowUp':
      return down(-1);
    case 'PageDown':
      return down(10);
    case 'PageUp':
      return down(-10);
    case 'Home':
      return { row, column: Math.max(0, letters.search(/[a-zA-Z]/)) };
    case 'End':
      return { row, column: Math.max(0, letters.length - 1) };
    default:
      return undefined;
  }
}
