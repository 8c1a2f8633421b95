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
}

export const STRIP = 16;
export const STRIP_STEP = 22;
const LEFT = 118;
const RIGHT = 14;
/** Room for the names over the picture. */
const HEAD = 84;
const FOOT = 40;
/** Widest picture: cells grow up to their limits to fill it. */
const WIDE = 860;

const within = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value));

export function geometryOf(map: SweepMap): Geometry {
  const columns = Math.max(map.columns, map.last + 1, 1);
  const rows = map.pair ? Math.max(map.rows.length, map.last + 1) : 0;
  const across = within(1, Math.floor(((WIDE - LEFT - RIGHT) / columns) * 2) / 2, 8);
  const down = within(1, across, 4);
  const top = HEAD + map.strips.length * STRIP_STEP + (rows > 0 ? 14 : 0);
  return {
    width: LEFT + columns * across + RIGHT,
    height: top + rows * down + FOOT,
    left: LEFT,
    strips: HEAD,
    top,
    across,
    down,
    columns,
    rows,
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

/** Cells that neighbour each other and have one letter, as one rectangle. */
export interface Block {
  readonly letter: string;
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
}

/** The whole picture as few rectangles; rows that are alike become one. */
export function blocksOf(map: SweepMap): readonly Block[] {
  const { left, across } = geometryOf(map);
  const done: Block[] = [];
  let open = new Map<string, Block>();
  const count = map.pair ? map.rows.length : 0;
  for (let row = -map.strips.length; row < count; row++) {
    const { y, height } = rowBox(map, row);
    const next = new Map<string, Block>();
    for (const { 0: run, index } of lettersOf(map, row).matchAll(/([a-zA-Z])\1*/g)) {
      const key = `${index} ${run.length} ${run[0]}`;
      const above = row > 0 ? open.get(key) : undefined;
      const x1 = left + index * across;
      next.set(
        key,
        above
          ? { ...above, y2: y + height }
          : { letter: run.charAt(0), x1, x2: x1 + run.length * across, y1: y, y2: y + height },
      );
      open.delete(key);
    }
    done.push(...open.values());
    open = next;
  }
  return [...done, ...open.values()];
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
