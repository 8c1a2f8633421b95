/**
 * Maps of a sweep: for one event a strip, what becomes of it at each boundary of a run; for two a map, by boundary of the first and
 * of the second. Plain data, small enough for a page.
 */
import { symbolAt } from '../image/image.ts';
import { type Known, less, letterOf, letterOfCode, worst, worstCode } from './fate.ts';
import type { Strike } from './outcomes.ts';
import type { Fork, Path, PathEnd, Remaining } from './path.ts';
import { recipeOf } from './shrink.ts';
import type { Part, SweepAsk } from './sweep.ts';

/** Boundaries `from` to `to`, both included, at which control is in one function of the run without the swept events. */
export interface Stretch {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Fates of one event by boundary, as `pack` writes them. */
export interface Strip {
  readonly event: string;
  readonly cells: string;
}

export interface SweepMap {
  readonly start: string;
  readonly body: string;
  /** Boundaries at which something strikes in any case. */
  readonly given: readonly number[];
  /** Last boundary of the run without the swept events. */
  readonly last: number;
  readonly stretches: readonly Stretch[];
  /** Each kind of event alone. */
  readonly strips: readonly Strip[];
  /** The two events of the map; undefined for a sweep of one. */
  readonly pair: readonly [string, string] | undefined;
  /** By boundary of the first of the pair: fates by boundary of the second, packed. With more events to come, the worst. */
  readonly rows: readonly string[];
  /** Boundaries of the longest row. */
  readonly columns: number;
  /**
   * The unwinder whose judgements are the cells. With one event the map has them by the boundary at which it strikes and the
   * boundary of the dump, and the only strip is of the run without it; with two, each cell is the worst from the second on.
   */
  readonly judge?: string;
}

/** Second of the pair in a map of dumps. */
export const DUMP = 'dump';

/** No schedule: the event cannot strike there, or the same pair is told elsewhere. */
export const NOTHING = '.';

/** Letters, each with how often it comes in a row: `o3w120n` . */
export const pack = (cells: string): string =>
  cells.replace(/([a-zA-Z.])\1*/g, (run, letter: string) => (run.length > 1 ? letter + run.length : letter));

/** A letter for each boundary. Never throws: what `pack` does not write is left out. */
export const unpack = (packed: string): string =>
  [...packed.matchAll(/([a-zA-Z.])(\d{0,5})/g)]
    .map(([, letter = '', count]) => letter.repeat(count ? Number(count) : 1))
    .join('');

/** Makes the map of a part while it is explored. */
export class MapMaker {
  private readonly part: Part;
  private readonly judge: string | undefined;
  private readonly stretches: readonly Stretch[];
  /** Last boundary of the run without the swept events. */
  readonly last: number;
  /** Places of the kinds of the pair. */
  private readonly pair: readonly [number, number] | undefined;
  private readonly strips: string[][];
  private readonly rows: string[][] = [];
  private readonly known: Known = new Map();
  private taken = 0;
  private root: Path | undefined;

  /** Runs the part once without the swept events: to be made before it is explored. */
  constructor({ events, judge = [] }: SweepAsk, part: Part) {
    this.part = part;
    this.judge = judge[0];
    const { execution, given, kinds, bounds } = part;
    const { machine } = execution.booted;
    const names: string[] = [];
    const { boundary } = execution.run(
      given,
      bounds.budget,
      () => names.push(symbolAt(execution.image, machine.get('rip'))?.name ?? ''),
      bounds.window,
    );
    this.last = boundary;
    this.stretches = stretchesOf(names);
    const place = (name: string | undefined): number => kinds.findIndex(({ event }) => event === name);
    this.pair = events.length > 1 ? [place(events[0]), place(events[1])] : undefined;
    this.strips = kinds.map(() => []);
  }

  /** Takes in what has been explored since the last time. */
  take(root: Path): void {
    const { counts } = this.part;
    this.root = root;
    for (; this.taken < root.forks.length; this.taken++) {
      const fork = root.forks[this.taken];
      const left = fork && less(counts, fork.kind);
      if (!fork || !left) continue;
      const strip = this.strips[fork.kind];
      if (strip)
        strip[fork.at] = this.judge
          ? letterOfCode(worstCode(fork.path, 0))
          : letterOf(this.alone(fork), fork.met);
      if (this.isOfDumps) {
        this.rows[fork.at] = dumps(fork);
        continue;
      }
      for (const { row, column, letter } of this.cells(fork, left)) {
        const cells = this.rows[row] ?? [];
        this.rows[row] = cells;
        cells[column] = letter;
      }
    }
  }

  /** One event and a judge: the second axis is the dump. */
  private get isOfDumps(): boolean {
    return this.judge !== undefined && this.pair === undefined;
  }

  /** Where the event of a fork leads with nothing after it. */
  private alone({ path }: Fork): PathEnd | undefined {
    return worst(
      path,
      0,
      this.part.counts.map(() => 0),
      this.known,
    );
  }

  private *cells(first: Fork, left: Remaining) {
    if (!this.pair) return;
    const [down, across] = this.pair;
    const other = first.kind === down ? across : first.kind === across ? down : -1;
    for (const { fork, boundary } of further(first)) {
      const rest = fork.kind === other ? less(left, fork.kind) : undefined;
      if (!rest) continue;
      const letter = this.judge
        ? letterOfCode(worstCode(fork.path, 0))
        : letterOf(worst(fork.path, 0, rest, this.known), fork.met);
      const place =
        first.kind === down ? { row: first.at, column: boundary } : { row: boundary, column: first.at };
      yield { ...place, letter, fork, rest };
    }
  }

  /**
   * The schedule of a cell of the map; where more events may follow, the worst. Undefined where there is none, or not
   * yet.
   */
  schedule(row: number, column: number): readonly Strike[] | undefined {
    for (const first of this.root?.forks ?? []) {
      if (first.at !== row && first.at !== column) continue;
      const left = less(this.part.counts, first.kind);
      if (!left) continue;
      for (const cell of this.cells(first, left)) {
        if (cell.row !== row || cell.column !== column) continue;
        const { fork, rest } = cell;
        const boundary = first.at === row && first.kind === this.pair?.[0] ? column : row;
        return [
          { kind: first.kind, boundary: first.at },
          { kind: fork.kind, boundary },
          ...this.onwards({ ...fork, at: boundary }, rest),
        ];
      }
    }
    return undefined;
  }

  /** What else strikes in the worst schedule after a fork; its `at` is the boundary of the run. */
  private onwards(fork: Fork, remaining: Remaining): readonly Strike[] {
    const target = worst(fork.path, 0, remaining, this.known);
    if (target === this.alone(fork)) return [];
    for (const { fork: next, boundary } of further(fork)) {
      const left = less(remaining, next.kind);
      if (!left || worst(next.path, 0, left, this.known) !== target) continue;
      return [{ kind: next.kind, boundary }, ...this.onwards({ ...next, at: boundary }, left)];
    }
    return [];
  }

  /** What has been taken in so far. */
  get map(): SweepMap {
    const { part, stretches, last, strips, rows, pair, judge } = this;
    const { start, body, given, kinds } = part;
    const name = (n: number): string => kinds[n]?.event ?? '';
    const line = (cells: readonly string[] = []): string =>
      pack(Array.from(cells, (letter) => letter ?? NOTHING).join(''));
    return {
      start,
      body,
      given: given.map(({ boundary }) => boundary),
      last,
      stretches,
      strips: this.isOfDumps
        ? [{ event: DUMP, cells: line(this.root?.judged.map(letterOfCode)) }]
        : strips.map((cells, n) => ({ event: name(n), cells: line(cells) })),
      pair: this.isOfDumps ? [name(0), DUMP] : pair && [name(pair[0]), name(pair[1])],
      rows: Array.from(rows, line),
      columns: rows.reduce((most, row) => Math.max(most, row?.length ?? 0), 0),
      ...(judge !== undefined && { judge }),
    };
  }
}

/** The judgements of the run of a fork, by the boundary of the dump, from the one on at which the event strikes. */
function dumps({ path, at }: Fork): string[] {
  const cells: string[] = [];
  let begin = at;
  for (let spot: { path: Path; at: number } | undefined = { path, at: 0 }; spot; spot = spot.path.join) {
    for (let n = spot.at; n <= spot.path.length; n++)
      cells[begin + n - spot.at] ??= letterOfCode(spot.path.judged[n]);
    begin += spot.path.length - spot.at;
  }
  return cells;
}

/** The forks that follow a fork, along its path and those that it joins, with their boundaries in the run. */
function* further({ path, at }: Fork): Generator<{ readonly fork: Fork; readonly boundary: number }> {
  let begin = at;
  for (let spot: { path: Path; at: number } | undefined = { path, at: 0 }; spot; spot = spot.path.join) {
    for (const fork of spot.path.forks)
      if (fork.at >= spot.at) yield { fork, boundary: begin + fork.at - spot.at };
    begin += spot.path.length - spot.at;
  }
}

/** Neighbours of one name. */
export function stretchesOf(names: readonly string[]): readonly Stretch[] {
  const found: Stretch[] = [];
  names.forEach((name, boundary) => {
    const open = found.at(-1);
    if (open?.name === name) found[found.length - 1] = { ...open, to: boundary };
    else found.push({ name, from: boundary, to: boundary });
  });
  return found;
}

/** How often each fate comes, by letter. */
export function tally(rows: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const letter of rows.flatMap((row) => [...unpack(row)]))
    if (letter !== NOTHING) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return counts;
}

/** The fates of a map's rows, or of its only strip, gathered by where the first event struck. */
export function byPlace(
  map: SweepMap,
): readonly (Stretch & { readonly counts: ReadonlyMap<string, number> })[] {
  const rows = map.pair ? map.rows : [...unpack(map.strips[0]?.cells ?? '')];
  const later = { name: '', from: map.last + 1, to: rows.length - 1 };
  return [...map.stretches, ...(later.to < later.from ? [] : [later])].map((stretch) => ({
    ...stretch,
    counts: tally(rows.slice(stretch.from, stretch.to + 1)),
  }));
}

/** What one schedule of a part comes to, run by itself. */
export interface Shown {
  readonly recipe: string;
  /** Boundary at which it breaks something, or at which it is over. */
  readonly boundary: number;
  /** What breaks; empty if nothing does. */
  readonly sentence: string;
}

/** Runs one schedule of a part and gives its recipe. */
export function show(ask: SweepAsk, part: Part, schedule: readonly Strike[]): Shown {
  const { execution, given, kinds, bounds } = part;
  const strikes = schedule.map(({ kind, boundary }) => ({ event: kinds[kind]?.event ?? 'nmi', boundary }));
  const ended = execution.run([...given, ...strikes], bounds.budget);
  const [broken] = ended.broken;
  const boundary = broken?.boundary ?? ended.boundary;
  const end: PathEnd = broken ? { kind: 'violated', ...broken } : { kind: 'returned' };
  return {
    recipe: recipeOf(ask, part, { schedule, end }),
    boundary,
    sentence: broken?.sentence ?? '',
  };
}
