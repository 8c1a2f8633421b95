/**
 * Race tables as maintainers draw them (Documentation/process/maintainer-tip.rst, *Changelog*): a column for each
 * context, one row after the other in the order of time. Rows of events are written as a recipe writes them, so that a
 * table can be read back into a schedule: columns help people, the reader needs words only.
 */
import { type Race, raceOf } from './race.ts';
import { parse, printPosition, readPosition } from './recipe.ts';
import { EVENTS, type EventName, isKey, type Position } from './recipe-types.ts';
import type { Timeline } from './timeline.ts';

/** Widest table, and its indentation. */
export const TABLE_COLUMNS = 72;
const INDENT = 4;
const GAP = 2;

/** An event and its position, as a recipe has them. */
export interface Strike {
  readonly event: EventName;
  readonly position: Position;
}

export type ReadRace =
  | {
      /** In the order of time. */
      readonly schedule: readonly Strike[];
      /** What the run needs beside its events, in the words of a recipe: `design linux-4.2 body int3`; empty if not said. */
      readonly setup: string;
      /** The lines it was read from: from the first to behind the last. */
      readonly from: number;
      readonly to: number;
    }
  | { readonly problem: string };

/** The lines of a table, a row each under a head of column names; none if there are no rows. */
export function printRace({ columns, rows }: Race): readonly string[] {
  if (rows.length === 0) return [];
  const width = (column: number): number =>
    Math.max(
      columns[column]?.length ?? 0,
      ...rows.filter((row) => row.column === column).map(({ text }) => text.length),
    );
  // As wide as their rows, but a later column never starts where its own rows would pass the margin: a row may reach under the next head.
  const starts = [INDENT];
  for (let column = 1; column < columns.length; column++) {
    const wanted = (starts[column - 1] ?? INDENT) + width(column - 1) + GAP;
    starts.push(wanted);
  }
  for (let column = columns.length - 1; column > 0; column--) {
    const latest = Math.min(
      TABLE_COLUMNS - width(column),
      (starts[column + 1] ?? TABLE_COLUMNS) - GAP - (columns[column]?.length ?? 0),
    );
    const least = INDENT + column * 8;
    starts[column] = Math.max(least, Math.min(starts[column] ?? 0, latest));
  }
  const head = columns.reduce((line, name, column) => line.padEnd(starts[column] ?? 0) + name, '');
  return [head, ...rows.map(({ column, text }) => ' '.repeat(starts[column] ?? 0) + text)];
}

/** `design linux-4.2  body int3`: what a table needs beside its rows to be run again, from the timeline's recipe. */
function setupOf(timeline: Timeline): string {
  const { recipe } = parse({ page: '', name: '', line: 1, lines: timeline.recipe.split('\n') });
  if (!recipe) return '';
  const { design, sets, without, start, body } = recipe;
  return [
    ...(design === undefined ? [] : [`design ${design}`]),
    ...sets.map(({ name, value }) => `set ${name} ${value}`),
    ...(without.length > 0 ? [`without ${without.join(', ')}`] : []),
    ...(start === undefined ? [] : [`start ${start}`]),
    ...(body === undefined ? [] : [`body ${body}`]),
  ].join('  ');
}

/**
 * The whole race of a run as text, at most 72 columns, with the set-up as its first line; empty if nothing strikes. An
 * edited design cannot be told in a table.
 */
export function raceTable(timeline: Timeline): string {
  const lines = printRace(raceOf(timeline));
  return lines.length === 0
    ? ''
    : [`${' '.repeat(INDENT)}${setupOf(timeline)}`.trimEnd(), ...lines, ''].join('\n');
}

interface WordAt {
  readonly text: string;
  readonly line: number;
}

/**
 * Reads the first race table of a text: a head that says `task` and `NMI`, and below it, in the same paragraph, events
 * as `nmi at task+2`. All else in the rows is for people. Undefined if there is none. Never throws; time is linear.
 */
export function readRaceTable(text: string | readonly string[]): ReadRace | undefined {
  const lines = typeof text === 'string' ? text.split(/\r?\n/) : text;
  let paragraph: WordAt[] = [];
  for (let line = 0; line <= lines.length; line++) {
    const words = (lines[line] ?? '').match(/\S+/g);
    if (words) for (const word of words) paragraph.push({ text: word, line });
    else {
      const read = paragraph.length > 0 ? readParagraph(paragraph) : undefined;
      if (read) return read;
      paragraph = [];
    }
  }
  return undefined;
}

const isEvent = (word: string | undefined): word is EventName => EVENTS.some((event) => event === word);

function readParagraph(words: readonly WordAt[]): ReadRace | undefined {
  const head = words.findIndex(({ text }, n) => text === 'task' && words[n + 1]?.text === 'NMI');
  if (head < 0) return undefined;
  const schedule: Strike[] = [];
  let last = head + 1;
  for (let n = head + 2; n < words.length; n++) {
    const event = words[n]?.text;
    if (!isEvent(event) || words[n + 1]?.text !== 'at') continue;
    const word = (words[n + 2]?.text ?? '').replace(/,$/, '');
    const position = readPosition(word);
    if (typeof position === 'string')
      return { problem: word ? position : 'missing position: a race table ends with at' };
    if (position.kind === 'cursor') return { problem: 'invalid position: cursor (in a race table)' };
    schedule.push({ event, position });
    last = n + 2;
  }
  if (schedule.length === 0) return undefined;
  const first = words.findIndex(({ text }, n) => n < head && isKey(text) && text === 'design');
  const setup =
    first < 0
      ? ''
      : words
          .slice(first, head)
          .map(({ text }) => text)
          .join(' ');
  const from = words[first < 0 ? head : first]?.line ?? 0;
  const to = (words[last]?.line ?? 0) + 1;
  return { schedule, setup, from, to };
}

/** A recipe that runs what a table shows. Without a set-up it says `missing design` when it is run. */
export function recipeOfRace({
  schedule,
  setup,
}: Extract<ReadRace, { schedule: unknown }>): readonly string[] {
  return [
    'scenario race-table v0',
    ...(setup ? [setup] : []),
    ...schedule.map(({ event, position }) => `inject  ${event} at ${printPosition(position)}`),
  ];
}
