/** The rows of a race table: which context does what, in the order of time. */
import { printPosition, readPosition } from './recipe.ts';
import type { Position } from './recipe-types.ts';
import type { Frame, Step, Timeline } from './timeline.ts';

export interface RaceRow {
  readonly boundary: number;
  /** Index into `Race.columns`. */
  readonly column: number;
  readonly text: string;
  /** 0 for what the schedule needs; the larger, the sooner it can go. */
  readonly rank: number;
}

export interface Race {
  /** `task`, `NMI 1`, `NMI 2`; never more than three. */
  readonly columns: readonly string[];
  readonly rows: readonly RaceRow[];
}

/** Widest position that a row repeats as the recipe has it; others are told by boundary. */
const LONGEST_POSITION = 24;

/** `do_work+0x11` of `do_work+0x11/0x22`, `nmi` of `nmi+0x0/0x7`. */
export const placeText = (at: string): string => at.replace(/\/0x[\da-f]+$/, '').replace(/\+0x0$/, '');

/** Stack addresses for those who have not read the page: T is the top of the NMI stack. */
export const fromTopText = (text: string): string => text.replace(/\bT(?=-\d)/g, 'top');

/** What the steps of a kind are called where no label is reached. */
const EVENT_NAME = /^(?:nmi|iret|start|end|[a-z]{2}|vector)(?:-|$)/;

/**
 * The label position at which control stands at a boundary, as a recipe writes it: `repeat_nmi#2`. Undefined where
 * control has not just reached a label. The occurrence is counted as `locate` counts it.
 */
export function labelAt({ frames, steps }: Timeline, boundary: number): Position | undefined {
  const frame = frames[boundary];
  if (!frame || frames[boundary - 1]?.rip === frame.rip) return undefined;
  // No symbol holds a `-`: what follows one in a checkpoint is its number.
  const checkpoint = steps.find((step) => step.boundary === boundary)?.checkpoint ?? '';
  const named = checkpoint !== '' && !EVENT_NAME.test(checkpoint);
  const label = named ? checkpoint.split('-')[0] : /^([^+\s]+)\+0x0\//.exec(frame.at)?.[1];
  if (!label) return undefined;
  let occurrence = 0;
  for (let b = 0; b <= boundary; b++)
    if (frames[b]?.rip === frame.rip && frames[b - 1]?.rip !== frame.rip) occurrence++;
  const position = { kind: 'label', label, occurrence, steps: 0, bytes: 0 } as const;
  return typeof readPosition(printPosition(position)) === 'string' ? undefined : position;
}

/** Where control stands, in words: a label if there is one. */
export function whereText(timeline: Timeline, boundary: number): string {
  const position = labelAt(timeline, boundary);
  if (position?.kind === 'label') return position.label;
  return placeText(timeline.frames[boundary]?.at ?? '');
}

/** Names of the events that are alive at each boundary, the youngest last. */
function contextsOf({ frames, steps }: Timeline): readonly (readonly string[])[] {
  const delivered = new Map(
    steps.flatMap(({ kind, boundary, name }) =>
      kind === 'nmi' || kind === 'event' ? [[boundary, name] as const] : [],
    ),
  );
  const depthOf = (frame: Frame | undefined): number =>
    (frame?.truth ?? []).filter(({ how }) => how === 'interrupted').length;
  const start = depthOf(frames[0]);
  let alive: readonly string[] = [];
  return frames.map((frame, boundary) => {
    const name = delivered.get(boundary);
    const depth = Math.max(0, depthOf(frame) - start);
    alive = alive.slice(0, name === undefined ? depth : Math.max(0, depth - 1));
    if (name !== undefined) alive = [...alive, name];
    return alive;
  });
}

/**
 * How events are written: as the recipe has them if a second reading, in the order of time, finds the same
 * boundaries, and by boundary otherwise.
 */
function schedule({ injections }: Timeline): readonly string[] {
  const inOrder = injections.every(({ boundary }, n) => boundary >= (injections[n - 1]?.boundary ?? 0));
  return injections.map(({ event, boundary, text }) => {
    const word = text.slice(text.lastIndexOf(' ') + 1);
    const read = readPosition(word);
    const kept =
      inOrder && typeof read !== 'string' && read.kind !== 'cursor' && word.length <= LONGEST_POSITION;
    return `${event} at ${kept ? word : `b${boundary}`}`;
  });
}

/** All rows of a run; no rows if nothing strikes. `at` is the boundary that the table is about. */
export function raceOf(timeline: Timeline, at?: number): Race {
  const { frames, injections, steps } = timeline;
  if (injections.length === 0 || frames.length === 0) return { columns: [], rows: [] };
  const nmis = steps.filter(({ kind }) => kind === 'nmi').length;
  const columns = nmis < 2 ? ['task', 'NMI'] : ['task', 'NMI 1', nmis === 2 ? 'NMI 2' : `NMI 2-${nmis}`];
  const contexts = contextsOf(timeline);
  const columnAt = (boundary: number): number => {
    const youngest = contexts[boundary]?.findLast((name) => name.startsWith('NMI'));
    return youngest === undefined ? 0 : youngest === 'NMI 1' ? 1 : 2;
  };
  const written = schedule(timeline);
  const strikes = injections
    .map(({ boundary }, n): RaceRow => {
      const waits = frames[boundary]?.latch.blocked === true;
      const text = `${written[n]}${waits ? ', waits' : ''}`;
      return { boundary, column: columnAt(boundary), text, rank: 0 };
    })
    .toSorted((a, b) => a.boundary - b.boundary);
  const told = steps.flatMap((step): RaceRow[] => {
    const row = rowOf(step, timeline, contexts, nmis > 2);
    return row ? [{ ...row, boundary: step.boundary, column: columnAt(step.boundary) }] : [];
  });
  if (at !== undefined && !told.some(({ boundary }) => boundary === at)) {
    const text = whereText(timeline, at);
    told.push({ boundary: at, column: columnAt(at), text, rank: 0 });
  }
  // What strikes at a boundary comes behind how control got there.
  const rows = [...told, ...strikes].toSorted((a, b) => a.boundary - b.boundary);
  const mark = rows.findLastIndex((row) => row.boundary === at && !strikes.includes(row));
  return {
    columns,
    rows: rows.map((row, n) => (n === mark ? { ...row, text: `${row.text}  <--`, rank: 0 } : row)),
  };
}

function rowOf(
  { kind, boundary, name }: Step,
  timeline: Timeline,
  contexts: readonly (readonly string[])[],
  numbered: boolean,
): Pick<RaceRow, 'text' | 'rank'> | undefined {
  const { frames, steps, injections } = timeline;
  const frame = frames[boundary];
  if (!frame || kind === 'start' || kind === 'end') return undefined;
  const before = steps.find((step) => step.boundary === boundary - 1);
  const stack = fromTopText(frame.stack.text);
  if (kind === 'nmi') {
    const who = numbered ? `${name} ` : '';
    const how = before?.kind === 'return' ? `after ${before.name.toLowerCase()}:` : 'delivered,';
    return { text: `${who}${how} RSP ${stack}`, rank: name === 'NMI 1' ? 4 : 1 };
  }
  if (kind === 'event') return { text: `${name} delivered, ${frame.stack.name} stack`, rank: 3 };
  if (kind === 'return') {
    const deeper = contexts[boundary - 1]?.length ?? 0;
    const over = (contexts[boundary]?.length ?? 0) < deeper;
    const next = steps.find((step) => step.boundary === boundary + 1);
    // The delivery that follows says it too.
    const rank = next?.kind === 'nmi' ? 5 : over ? 4 : 2;
    return { text: `${name.toLowerCase()} to ${whereText(timeline, boundary)}`, rank };
  }
  const last = injections.at(-1)?.boundary ?? 0;
  return { text: name, rank: boundary > last ? 6 : 5 };
}

/** Rows without which a table is not the whole schedule: every event, and the moment it is about. */
export const eventRows = ({ rows }: Race): number => rows.filter(({ rank }) => rank === 0).length;

/** Rows without which the race up to boundary `at` is not told: all events, and what they became. */
export const neededRows = ({ rows }: Race, at: number): number =>
  rows.filter(({ rank, boundary }) => rank === 0 || (rank === 1 && boundary <= at)).length;

/**
 * The `most` rows that matter most for boundary `at`, still in the order of time: of what comes later only events. Of
 * equal rows those close to `at` stay.
 */
export function trimRace({ columns, rows }: Race, most: number, at: number): Race {
  const kept = new Set(
    rows
      .filter(({ boundary, rank }) => boundary <= at || rank === 0)
      .toSorted((a, b) => a.rank - b.rank || Math.abs(a.boundary - at) - Math.abs(b.boundary - at))
      .slice(0, most),
  );
  return { columns, rows: rows.filter((row) => kept.has(row)) };
}
