/** Runs as the worker keeps them: the last few, so that frames of a long one can be asked for. */
import { kept } from '../../scenario/kept.ts';
import type { Library } from '../../scenario/library.ts';
import { replayOf } from '../../scenario/record.ts';
import { type PlayOptions, play } from '../../scenario/run.ts';
import type { Frame, Timeline } from '../../scenario/timeline.ts';
import { type Lanes, lanesOf } from './bake.ts';
import type { Framed, FramesAsk, Played } from './protocol.ts';
import { own } from './standing.ts';

/** Boundaries of a run at most, and how many of them come with a frame at once. */
const BUDGET = 200_000;
const WHOLE = 600;
/** This run, and one that it is compared with; each may hold a machine and marks. */
const KEPT = 2;

export const options = (pick: number | undefined): PlayOptions => ({
  budget: BUDGET,
  whole: WHOLE,
  ...(pick === undefined ? {} : { pick }),
});

const shelves = new WeakMap<Library, Map<string, Timeline>>();
const keyOf = (recipe: string, pick: number | undefined): string => `${pick ?? ''} ${recipe}`;

/** Keeps a run that is about to be shown. */
function keep(timeline: Timeline, pick: number | undefined, pages: Library): void {
  const runs = shelves.get(pages) ?? new Map<string, Timeline>();
  shelves.set(pages, runs);
  const key = keyOf(timeline.recipe, pick);
  runs.delete(key);
  kept(runs, key, KEPT, () => timeline);
}

/** Runs what a reader wrote: where it no longer comes to its cursor, its end is what one wants to see. */
export const playShown = (recipe: string, pick: number | undefined, pages: Library): Timeline =>
  play(own(recipe), pages, { ...options(pick), astray: true });

/** A run of a recipe, with a frame at this boundary if it has one. */
export function runOf(recipe: string, pick: number | undefined, pages: Library, boundary?: number): Timeline {
  const found = shelves.get(pages)?.get(keyOf(recipe, pick));
  const timeline = found ?? playShown(recipe, pick, pages);
  keep(timeline, pick, pages);
  if (boundary !== undefined && boundary < timeline.frames.length && !timeline.frames[boundary]) {
    const [frame] = replayOf(timeline)?.frames(boundary, boundary) ?? [];
    if (frame) (timeline.frames as Frame[])[boundary] = frame;
  }
  return timeline;
}

/** Lanes of a long run; undefined where the frames are all there. */
function lanes(timeline: Timeline): Lanes | undefined {
  const { tape } = replayOf(timeline) ?? {};
  if (!tape || timeline.frames.length <= WHOLE) return undefined;
  return lanesOf(
    timeline,
    Array.from({ length: tape.last + 1 }, (_, b) => tape.depth(b)),
  );
}

/** The answer that shows a run. */
export function played(
  timeline: Timeline,
  pick: number | undefined,
  pages: Library,
  standing: Played['standing'],
): Played {
  keep(timeline, pick, pages);
  return { kind: 'played', timeline, standing, lanes: lanes(timeline) };
}

/** Frames of a run, as far as it has these boundaries. */
export function answerFrames({ recipe, pick, from, to }: FramesAsk, pages: Library): Framed {
  const timeline = runOf(recipe, pick, pages);
  const last = timeline.frames.length - 1;
  const [first, end] = [Math.max(0, from), Math.min(to, last)];
  return { kind: 'framed', frames: first > end ? [] : (replayOf(timeline)?.frames(first, end) ?? []) };
}
