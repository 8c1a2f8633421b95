/** The JSON of a sweep, whole or in part: what `--json` prints and `--out` writes, `--resume` and `--merge` read. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Counts, type Heading, mergeUnits, type UnitReport } from '../../explore/merge.ts';
import type { SweepAsk } from '../../explore/sweep.ts';
import type { Edit } from '../../scenario/program.ts';
import { isFile, json } from '../commands/command.ts';

export interface SweepFile extends Heading, Counts {
  /** Cells of the design that a reader has changed; missing if there are none. */
  readonly edits?: readonly Edit[];
  /** `2/4`: one part of four, counted from 1. */
  readonly shard?: string;
  /** Milliseconds; of a merged or resumed sweep, those of all its pieces. */
  readonly elapsedMs: number;
  /** Not all units are done: the sweep was stopped. */
  readonly partial?: true;
  /** Where units are missing, by shard or because the sweep was stopped: how many the whole has, and those that are done. */
  readonly units?: { readonly of: number; readonly done: readonly UnitReport[] };
}

/** A sweep under way, or at its end. */
export interface Standing {
  readonly heading: Heading;
  readonly edits: readonly Edit[];
  readonly shard: string | undefined;
  /** Units of the whole sweep, and of this shard. */
  readonly of: number;
  readonly own: number;
  readonly done: readonly UnitReport[];
  readonly elapsedMs: number;
}

export function fileOf({ heading, edits, shard, of, own, done, elapsedMs }: Standing): SweepFile {
  const ordered = done.toSorted((a, b) => a.part - b.part || a.fork - b.fork);
  return {
    ...heading,
    ...(edits.length > 0 && { edits }),
    ...(shard !== undefined && { shard }),
    ...mergeUnits(ordered),
    elapsedMs: Math.round(elapsedMs),
    ...(done.length < own && { partial: true }),
    ...((shard !== undefined || done.length < of) && { units: { of, done: ordered } }),
  };
}

/** Puts a file in place in one go: whoever reads it sees the old one or the new one. A sentence says why it cannot. */
export function writeSweep(path: string, file: SweepFile): string | undefined {
  const fresh = `${path}.new`;
  try {
    writeFileSync(fresh, `${json(file)}\n`);
    renameSync(fresh, path);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.split(',')[0] : error;
    return `invalid file: ${path} cannot be written (${why})`;
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (is: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(is);
const or = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);
const shaped = (shape: Readonly<Record<string, (value: unknown) => boolean>>) => (value: unknown) =>
  isObject(value) && Object.entries(shape).every(([key, is]) => is(value[key]));

const isCounted = (value: unknown): boolean => isObject(value) && Object.values(value).every(isCount);
const FOUND = shaped({
  invariant: isText,
  recipe: isText,
  step: isCount,
  sentence: isText,
  start: isText,
  body: isText,
  schedules: isCount,
});
const COUNTS = {
  boundaries: isCount,
  schedules: isCount,
  distinct: isCount,
  strikes: isCounted,
  violations: listOf(FOUND),
  judged: or(listOf(shaped({ unwinder: isText, states: isCounted, gaps: isCounted }))),
  untold: listOf(shaped({ name: isText, schedules: isCount })),
};
const SHAPE = {
  design: isText,
  events: listOf(isText),
  where: (value: unknown) => isObject(value) && Object.values(value).every(isText),
  without: listOf(isText),
  edits: or(listOf(shaped({ block: isText, lines: listOf(isText) }))),
  starts: listOf(isText),
  bodies: listOf(isText),
  window: isCount,
  budget: isCount,
  anywhere: isFlag,
  pruned: isFlag,
  judge: or(listOf(isText)),
  right: or(isFlag),
  code: isText,
  model: isCount,
  shard: or(isText),
  ...COUNTS,
  elapsedMs: isCount,
  partial: or((value) => value === true),
  units: or(shaped({ of: isCount, done: listOf(shaped({ part: isCount, fork: isCount, ...COUNTS })) })),
};

/** Reads a file of a sweep; a problem is one sentence. */
export function readSweep(path: string): SweepFile | { readonly problem: string } {
  if (!isFile(path)) return { problem: `unknown file: ${path}` };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { problem: `invalid file: ${path} is no JSON` };
  }
  if (!isObject(value)) return { problem: `invalid file: ${path} is no sweep` };
  for (const [key, is] of Object.entries(SHAPE))
    if (!is(value[key]))
      return {
        problem: `invalid file: ${path} is no sweep (${key in value ? 'invalid' : 'missing'} ${key})`,
      };
  return value as unknown as SweepFile;
}

/** What was asked for when a file was made. */
export const askOfFile = (file: SweepFile): SweepAsk => {
  const { design, events, starts, bodies, without, edits, window, budget, anywhere, pruned, judge, right } =
    file;
  return {
    design,
    events,
    starts,
    bodies,
    without,
    window,
    budget,
    anywhere,
    pruned,
    ...(edits && { edits }),
    ...(judge && { judge, right: right === true }),
  };
};

const SAME = [
  'design',
  'events',
  'starts',
  'bodies',
  'without',
  'edits',
  'window',
  'budget',
  'anywhere',
  'pruned',
  'judge',
  'right',
  'model',
  'code',
] as const satisfies readonly (keyof SweepFile)[];

/** In what a sweep differs from another, which `whose` names: `events nmi; FILE has nmi,nmi`. Undefined if they are the same. */
export function difference(
  one: Pick<SweepFile, (typeof SAME)[number]>,
  other: Pick<SweepFile, (typeof SAME)[number]>,
  whose: string,
): string | undefined {
  const key = SAME.find((name) => JSON.stringify(one[name] ?? []) !== JSON.stringify(other[name] ?? []));
  if (key === undefined) return undefined;
  if (key === 'edits') return `other edits than ${whose}`;
  const text = (value: unknown): string =>
    Array.isArray(value)
      ? value.join() || 'none'
      : typeof value === 'boolean'
        ? value
          ? 'yes'
          : 'no'
        : `${value}`;
  return `${key} ${text(one[key])}; ${whose} has ${text(other[key])}`;
}

/** Shards put together; a problem is one sentence. */
export function mergeFiles(paths: readonly string[]): SweepFile | { readonly problem: string } {
  const files: { readonly path: string; readonly file: SweepFile; readonly index: number }[] = [];
  let count: string | undefined;
  for (const path of paths) {
    const file = readSweep(path);
    if ('problem' in file) return file;
    const [, index, of] = /^(\d+)\/(\d+)$/.exec(file.shard ?? '') ?? [];
    if (file.partial)
      return { problem: `invalid file: ${path} is partial (lab sweep --resume ${path} goes on with it)` };
    if (index === undefined || of === undefined || !file.units)
      return { problem: `invalid file: ${path} is no shard` };
    const [first] = files;
    const other = first && difference(file, first.file, first.path);
    if (other) return { problem: `invalid file: ${path} is of another sweep (${other})` };
    count ??= of;
    if (first && (of !== count || file.units.of !== first.file.units?.of))
      return {
        problem: `invalid file: ${path} is shard ${file.shard}, ${first.path} is ${first.file.shard}`,
      };
    const twin = files.find((one) => one.index === Number(index));
    if (twin) return { problem: `duplicate shard: ${file.shard} (${twin.path} and ${path})` };
    files.push({ path, file, index: Number(index) });
  }
  const [first] = files;
  if (!first?.file.units) return { problem: 'missing files: lab sweep --merge FILE...' };
  const missing = Array.from({ length: Number(count) }, (_, n) => n + 1).filter(
    (n) => !files.some(({ index }) => index === n),
  );
  if (missing.length > 0)
    return {
      problem: `missing shard${missing.length > 1 ? 's' : ''}: ${missing.map((n) => `${n}/${count}`).join(', ')}`,
    };
  const done = files.flatMap(({ file }) => file.units?.done ?? []);
  const { of } = first.file.units;
  if (new Set(done.map(({ part, fork }) => `${part} ${fork}`)).size !== of || done.length !== of)
    return { problem: `invalid files: ${done.length} units (the sweep has ${of})` };
  const { edits = [], shard, elapsedMs, partial, units, ...rest } = first.file;
  const { boundaries, schedules, distinct, strikes, violations, untold, judged, ...heading } = rest;
  const all = files.reduce((sum, { file }) => sum + file.elapsedMs, 0);
  return fileOf({ heading, edits, shard: undefined, of, own: of, done, elapsedMs: all });
}
