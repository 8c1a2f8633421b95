/**
 * All stacks of the CPU as one picture: which blocks lie on each, where RSP points, where each saved RSP leads. Heights
 * say what lies above what and nothing else. Pure: the component only draws what is laid out here.
 */

import { RECORD_SIZE, type StackRange } from '../../kernel/memory-map.ts';
import type { Frame, Group, Timeline, Word } from '../../scenario/timeline.ts';
import { functionText, stackText } from '../../unwind/describe.ts';
import { type Chosen, type Column, opener, type Piece, REST, rowsOf } from './stack-rows.ts';
import { groupOf, shortly, wordAt } from './words.ts';

/** Name of a stack over its picture: `task`, `#DB`. */
export const stackTitle = (name: string): string => TITLES[name] ?? name;
const TITLES: Readonly<Record<string, string>> = { TASK: 'task', ENTRY_TRAMPOLINE: 'entry' };

type Place = Pick<Timeline, 'stacks' | 'records' | 'top'>;

/** Where a saved RSP leads. */
export interface Arrow {
  readonly record: string;
  readonly group: Group;
  /** Name of the stack it leads to; empty where it leads off every stack. */
  readonly to: string;
  /** Corners of the line, x and y. */
  readonly path: readonly (readonly [x: number, y: number])[];
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Stacks with something on them, the NMI stack last. */
  readonly columns: readonly Column[];
  /** Stacks with nothing on them. */
  readonly empty: readonly Column[];
  readonly arrows: readonly Arrow[];
  /** Where RSP points: the left edge of its stack. */
  readonly rsp: { readonly x: number; readonly y: number; readonly stack: string } | undefined;
}

const HEAD = 40;
const NARROW = 204;
const WIDE = 236;
const EMPTY = 58;
/** Between two empty ones. */
const BETWEEN = 15;
/** Between columns: room for the flag of RSP and for arrows. */
const GAP = 62;
/** Right of the NMI stack: room for arrows that lead back into it. */
const LOOPS = 46;

/** The stack that T is the top of: that of NMIs, unless a run is of another event's. */
export const toldStack = ({ stacks, top }: Pick<Place, 'stacks' | 'top'>): StackRange | undefined =>
  stacks.find(({ begin, end }) => top > begin && top <= end);

/**
 * The picture of a boundary. In a narrow one the NMI stack is at the top and the others below it, not beside it. The
 * chosen word is always a row: the block that holds it is opened.
 */
export function pictureOf(
  { stacks, records, top }: Place,
  frame: Frame,
  narrow = false,
  chosen?: Chosen,
): Picture {
  const nmi = toldStack({ stacks, top });
  const { at, open } = opener({ top, frame, nmi, chosen });
  const holds = ({ begin, end }: StackRange): boolean => at !== undefined && at >= begin && at < end;
  const used = stacks.filter((stack) => stack !== nmi && (holds(stack) || blocksOn(stack, frame).length > 0));
  const columns: Column[] = [];
  let x = GAP;
  let y = HEAD;
  const order = !nmi ? used : narrow ? [nmi, ...used] : [...used, nmi];
  for (const stack of order) {
    const width = stack === nmi || narrow ? WIDE : NARROW;
    const pieces =
      stack === nmi
        ? [...above(frame, stack, top), ...wordsOf(frame, top), ...under(frame, stack, top)]
        : blocksOn(stack, frame);
    const rows = rowsOf({ pieces, stack, y, top, open });
    const last = rows.at(-1);
    const height = last ? last.y + last.height - y : REST;
    columns.push({ name: stack.name, size: stack.end - stack.begin, x, y, width, height, rows });
    if (narrow) y += height + HEAD + 16;
    else x += width + GAP;
  }
  const width = narrow ? GAP + WIDE + LOOPS : x - GAP + LOOPS;
  const last = columns.at(-1);
  // Empty ones stand in the room that is left beside the tall column, or below everything.
  const room = narrow || !last ? 0 : last.x - GAP;
  const beside = room >= EMPTY + BETWEEN;
  const perRow = beside ? Math.floor(room / (EMPTY + BETWEEN)) : 4;
  const tallest =
    !beside && last
      ? last.y + last.height - HEAD
      : Math.max(0, ...columns.slice(0, -1).map(({ height }) => height));
  const empty = stacks
    .filter((stack) => stack !== nmi && !used.includes(stack))
    .map(
      ({ name, begin, end }, i): Column => ({
        name,
        size: end - begin,
        x: (narrow ? 8 : GAP) + (i % perRow) * (EMPTY + BETWEEN),
        y: HEAD + tallest + 56 + Math.floor(i / perRow) * 90,
        width: EMPTY,
        height: 40,
        rows: [],
      }),
    );
  const height = Math.max(
    ...columns.map((column) => column.y + column.height),
    ...empty.map((column) => column.y + column.height),
    HEAD + REST,
  );
  const from = columns.find(({ name }) => name === nmi?.name);
  const arrows = from ? records.flatMap((one, n) => arrowOf(one, n, frame, columns, from)) : [];
  const { rsp: sp = 0n } = frame.registers;
  const here = columns.find(({ name }) => name === frame.stack.name);
  const flag = here && heightOf(here, sp);
  return {
    width,
    height: height + 14,
    columns,
    empty,
    arrows,
    rsp: here && flag !== undefined ? { x: here.x, y: flag, stack: here.name } : undefined,
  };
}

/** The named words at the top of the NMI stack; the saved registers as one block. */
function wordsOf({ words }: Frame, top: bigint): readonly Piece[] {
  const address = ({ index }: Word): bigint => top + 8n * BigInt(index);
  const pieces: Piece[] = words
    .filter(({ group }) => group !== 'regs')
    .map((word) => ({
      kind: 'word',
      from: address(word),
      to: address(word) + 8n,
      text: `${word.index} ${word.field}`,
      note: shortly(word),
      group: word.group,
      word,
    }));
  const regs = words.filter(({ group }) => group === 'regs');
  const [first] = regs;
  const last = regs.at(-1);
  if (first && last)
    pieces.push({
      kind: 'regs',
      from: address(last),
      to: address(first) + 8n,
      text: `pt_regs, ${regs.length} words`,
      note: `T-${top - address(last)}`,
    });
  return pieces;
}

/** What lies above T, where T is not the end of its stack. */
const above = (frame: Frame, stack: StackRange, top: bigint): readonly Piece[] =>
  blocksOn(stack, frame).flatMap((piece) =>
    piece.to <= top ? [] : [{ ...piece, from: piece.from < top ? top : piece.from }],
  );

/** What lies on the NMI stack below its named words. */
function under(frame: Frame, stack: StackRange, top: bigint): readonly Piece[] {
  const lowest = frame.words.reduce((least, { index }) => Math.min(least, index), 0);
  const floor = top + 8n * BigInt(lowest);
  return blocksOn(stack, frame).flatMap((piece) =>
    piece.from >= floor ? [] : [{ ...piece, to: piece.to > floor ? floor : piece.to }],
  );
}

/**
 * Frames of live functions and records of events on a stack, highest first, as the truth has them. A frame reaches up to
 * the return address it will take, or to the record of the event that began it.
 */
function blocksOn({ begin, end }: StackRange, { truth }: Frame): readonly Piece[] {
  const pieces: Piece[] = [];
  truth.forEach(({ text, sp }, n) => {
    const outer = truth[n + 1];
    const slot =
      outer?.slot !== undefined && outer.slot >= begin && outer.slot < end ? outer.slot : undefined;
    if (slot !== undefined && outer?.how === 'interrupted')
      pieces.push({
        kind: 'record',
        from: slot,
        to: slot + RECORD_SIZE,
        text: 'SS to RIP',
        note: functionText(outer.text),
      });
    if (sp < begin || sp >= end) return;
    // Where a function has moved to another stack, its frame ends at what lies there already.
    const taken = pieces.reduce((low, { from }) => (from > sp && from < low ? from : low), end);
    const to = slot !== undefined && slot > sp ? slot : taken;
    if (to > sp)
      pieces.push({ kind: 'frame', from: sp, to, text: functionText(text), note: `${to - sp} bytes` });
  });
  return pieces.sort((a, b) => (a.to === b.to ? 0 : a.to > b.to ? -1 : 1));
}

/** Height at which an address lies in a column; at a row's lower edge where it is the row's first byte. */
function heightOf({ rows, y }: Column, address: bigint): number | undefined {
  const [first] = rows;
  if (first && address === first.to) return y;
  const row = rows.find(({ from, to }) => address >= from && address < to);
  if (!row) return undefined;
  if (row.kind === 'word') return row.y + row.height / 2;
  const share = Number(row.to - address) / Number(row.to - row.from);
  return row.y + row.height * share;
}

function arrowOf(
  { name, rsp }: Place['records'][number],
  n: number,
  frame: Frame,
  columns: readonly Column[],
  from: Column,
): readonly Arrow[] {
  const word = wordAt(frame, rsp);
  const row = from.rows.find(({ kind, spot }) => kind === 'word' && spot === rsp);
  if (!word || !row) return [];
  const target = columns.find(({ rows }) => {
    const [first] = rows;
    const last = rows.at(-1);
    return first !== undefined && last !== undefined && word.value >= last.from && word.value <= first.to;
  });
  const group = groupOf(name, frame);
  const y = target && heightOf(target, word.value);
  if (!target || y === undefined) return [{ record: name, group, to: '', path: [] }];
  const start = row.y + row.height / 2;
  const step = 9 * (n + 1);
  if (target === from) {
    const edge = from.x + from.width;
    return [
      {
        record: name,
        group,
        to: target.name,
        path: [
          [edge, start],
          [edge + step, start],
          [edge + step, y],
          [edge, y],
        ],
      },
    ];
  }
  // Below: down along the left side. Beside it: to the right edge.
  const edge = target.x === from.x ? target.x : target.x + target.width;
  const turn = from.x - 8 - step;
  return [
    {
      record: name,
      group,
      to: target.name,
      path: [
        [from.x, start],
        [turn, start],
        [turn, y],
        [edge, y],
      ],
    },
  ];
}

/** The picture in a sentence or two, for those who do not see it. */
export function pictureText({ columns, empty, arrows, rsp }: Picture, frame: Frame): string {
  const at = rsp
    ? `RSP is on ${stackText(rsp.stack)}, at ${frame.stack.text}.`
    : 'RSP is on no kernel stack.';
  const on = columns.map(
    ({ name, rows }) =>
      `On ${stackText(name)}, from the top: ${
        rows
          .filter(
            ({ kind, of }) => of !== undefined || kind === 'frame' || kind === 'regs' || kind === 'record',
          )
          .map(({ of, text }) => of ?? text)
          .filter((text, n, all) => text !== all[n - 1])
          .join(', ') || 'nothing but the named words'
      }.`,
  );
  const leads = arrows.map(
    ({ record, to }) => `${record} leads to ${to ? stackText(to) : 'no kernel stack'}`,
  );
  const none = empty.length ? ` Empty: ${empty.map(({ name }) => stackTitle(name)).join(', ')}.` : '';
  return `${at} ${on.join(' ')}${leads.length ? ` ${leads.join(', ')}.` : ''}${none}`;
}
