/**
 * The rows of a stack in the picture: named words, and blocks of words that are drawn as one. The block that holds the
 * chosen word is opened, so that any word of any stack can be seen, chosen and kept in view. Pure.
 */
import { RECORD, type StackRange } from '../../kernel/memory-map.ts';
import type { Frame, Group } from '../../scenario/timeline.ts';
import type { SeenWord } from './protocol.ts';
import { shortly, tail, wordAt } from './words.ts';

/** A row of a stack, addresses `from` to `to`, the latter not included; `y` and `height` in pixels from the picture's top. */
export interface StackRow {
  readonly kind: 'word' | 'regs' | 'frame' | 'record' | 'rest';
  readonly from: bigint;
  readonly to: bigint;
  readonly y: number;
  readonly height: number;
  readonly text: string;
  /** At the right: the meaning of a word, the size of a block. */
  readonly note: string;
  /** How a word is drawn; undefined for blocks. */
  readonly group: Group | undefined;
  /** What lies in a word, if that is known; undefined for blocks. */
  readonly word: SeenWord | undefined;
  /** Name of the block that a word was opened from. */
  readonly of: string | undefined;
  /** Offset from T, in words, of its highest word: the one that is told of when the row is chosen. Undefined for what is free. */
  readonly spot: number | undefined;
}

export interface Column {
  readonly name: string;
  readonly size: bigint;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Highest address first. */
  readonly rows: readonly StackRow[];
}

/** What a row is made of before it has its place. */
export type Piece = Pick<StackRow, 'kind' | 'from' | 'to' | 'text' | 'note'> &
  Partial<Pick<StackRow, 'group' | 'word' | 'of'>>;

/** The word that the reader looks at, and what is known of words without a name. */
export interface Chosen {
  /** Offset from T in words. */
  readonly spot: number;
  readonly words: readonly SeenWord[];
}

const WORD = 18;
const BLOCK = 30;
export const REST = 44;
/** A block of so many words is opened whole, of a longer one as many above the chosen word and below it. */
const WHOLE = 24;
const AROUND = 8;
/** The same for what is free: words that were popped. */
const AROUND_FREE = 2;

const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

interface Opening {
  readonly top: bigint;
  readonly frame: Frame;
  /** The stack whose words are told by their offsets from T. */
  readonly nmi: StackRange | undefined;
  readonly chosen: Chosen | undefined;
}

/** Address of the chosen word, and what opens the block that holds it; every other piece stays as it is. */
export function opener({ top, frame, nmi, chosen }: Opening): {
  readonly at: bigint | undefined;
  readonly open: (piece: Piece) => readonly Piece[];
} {
  if (!chosen) return { at: undefined, open: (piece) => [piece] };
  const at = top + 8n * BigInt(chosen.spot);
  const wordIn = (piece: Piece, from: bigint): Piece => {
    const index = Number((from - top) / 8n);
    const named = wordAt(frame, index);
    const word = named ?? chosen.words.find((one) => one.index === index);
    const told = nmi !== undefined && from >= nmi.begin && from < top;
    const where = told ? String(index) : tail(from);
    const returns = frame.truth.some(({ how, slot }) => how === 'return' && slot === from);
    const role =
      piece.kind === 'record'
        ? RECORD[Number((from - piece.from) / 8n)]?.toUpperCase()
        : (named?.field ?? (returns ? 'ret' : piece.text));
    return {
      kind: 'word',
      from,
      to: from + 8n,
      text: `${where} ${role}`.trim(),
      note: word ? shortly(word) : '',
      group: piece.kind === 'regs' || piece.kind === 'record' ? 'regs' : 'kept',
      word,
      of: piece.text,
    };
  };
  const open = (piece: Piece): readonly Piece[] => {
    // An RSP that is not aligned cuts words in two: these stay in their block.
    const first = piece.from + ((top - piece.from) & 7n);
    const end = piece.to - ((piece.to - top) & 7n);
    if (piece.kind === 'word' || at < first || at >= end) return [piece];
    const around = piece.kind === 'rest' ? AROUND_FREE : end - first <= 8n * BigInt(WHOLE) ? WHOLE : AROUND;
    const low = most(first, at - 8n * BigInt(around));
    const high = least(end, at + 8n * BigInt(around + 1));
    const words: Piece[] = [];
    for (let from = high - 8n; from >= low; from -= 8n) words.push(wordIn(piece, from));
    return [
      ...(piece.to > high ? [{ ...piece, from: high }] : []),
      ...words,
      ...(low > piece.from ? [{ ...piece, to: low }] : []),
    ];
  };
  return { at, open };
}

/** Pieces, highest first, as rows from the top of a stack to its end; what lies between them and below is free. */
export function rowsOf({
  pieces,
  stack,
  y: from,
  top,
  open,
}: {
  readonly pieces: readonly Piece[];
  readonly stack: StackRange;
  /** Of the first row. */
  readonly y: number;
  readonly top: bigint;
  readonly open: (piece: Piece) => readonly Piece[];
}): readonly StackRow[] {
  const rows: StackRow[] = [];
  let y = from;
  let at = stack.end;
  const add = (whole: Piece, block: number): void => {
    for (const piece of open(whole)) {
      const height = piece.kind === 'word' ? WORD : block;
      const { group, word, of } = piece;
      const spot = piece.kind === 'rest' ? undefined : Number((piece.to - top) >> 3n) - 1;
      rows.push({ ...piece, group, word, of, spot, y, height });
      y += height;
    }
    at = whole.from;
  };
  for (const piece of pieces) {
    const to = least(piece.to, at);
    if (piece.from >= to) continue;
    // Eight bytes are a return address, which belongs to the frame below it; a real gap is drawn.
    if (at - to > 8n) add({ kind: 'rest', from: to, to: at, text: '', note: '' }, REST / 2);
    add({ ...piece, to: at - to > 8n ? to : at }, BLOCK);
  }
  if (at > stack.begin) add({ kind: 'rest', from: stack.begin, to: at, text: '', note: '' }, REST);
  return rows;
}

/** Whether a row can be chosen; where nothing tells of words without a name, only named ones can. */
export const canChoose = ({ spot, word }: StackRow, all: boolean): boolean =>
  spot !== undefined && (all || word !== undefined);

/**
 * The word that an arrow key leads to from the chosen one: up and down the next one of its stack, left and right the one
 * beside it on the next stack. From a word that is not in the picture, the first one. Undefined for other keys and at the ends.
 */
export function wordMove(
  key: string,
  columns: readonly Column[],
  chosen: number,
  all: boolean,
): number | undefined {
  const lists = columns
    .map(({ rows }) => rows.filter((row) => canChoose(row, all)))
    .filter((rows) => rows.length > 0);
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const down = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (across === undefined && down === undefined) return undefined;
  const is = ({ kind, spot }: StackRow): boolean => kind === 'word' && spot === chosen;
  const list = lists.findIndex((rows) => rows.some(is));
  const n = lists[list]?.findIndex(is) ?? -1;
  const row = lists[list]?.[n];
  if (!row) return lists[0]?.[0]?.spot;
  if (across !== undefined) {
    const away = (one: StackRow): number => Math.abs(one.y - row.y);
    return lists[list + across]?.reduce((best, one) => (away(one) < away(best) ? one : best)).spot;
  }
  const next = lists[list]?.[n + (down ?? 0)];
  // Upwards into a block: its lowest word.
  return next?.spot !== undefined && down === -1
    ? next.spot - Number((next.to - next.from) / 8n) + 1
    : next?.spot;
}
