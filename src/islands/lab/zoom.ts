/** The stretch of a run that the score shows: how it is chosen, and what is drawn of it. Pure. */
import type { Frame, Span, Timeline } from '../../scenario/timeline.ts';
import { type Axis, axisOf } from './axis.ts';
import { type Lanes, lanesOf } from './bake.ts';

/** Shortest stretch that is shown. */
export const SHORTEST = 16;
const BY = 4;

const within = (from: number, length: number, last: number): Span | undefined => {
  if (length >= last) return undefined;
  const begin = Math.max(0, Math.min(Math.round(from), last - length));
  return { from: begin, to: begin + length };
};

/** A stretch a quarter as long, around a boundary. */
export function zoomedIn(window: Span | undefined, at: number, last: number): Span | undefined {
  const length = window ? window.to - window.from : last;
  const next = Math.max(SHORTEST, Math.round(length / BY));
  return next >= length ? window : within(at - next / 2, next, last);
}

/** A stretch four times as long; undefined for the whole run. */
export const zoomedOut = (window: Span | undefined, at: number, last: number): Span | undefined =>
  window && within(at - ((window.to - window.from) * BY) / 2, (window.to - window.from) * BY, last);

/** The stretch moved on, if the playhead has left it. */
export function following(window: Span, at: number, last: number): Span {
  if (at >= window.from && at <= window.to) return window;
  return within(at - (window.to - window.from) / 2, window.to - window.from, last) ?? window;
}

export interface View {
  readonly axis: Axis;
  readonly lanes: Lanes;
  /** Steps inside. */
  readonly steps: Timeline['steps'];
}

/** What the score draws. Where all frames of a stretch are here, its lanes are exact; else they are those of the whole run. */
export function viewOf(
  window: Span | undefined,
  { steps, rules, injections }: Pick<Timeline, 'steps' | 'rules' | 'injections'>,
  lanes: Lanes,
  frames: readonly Frame[],
): View {
  if (!window) return { axis: axisOf(steps, lanes.last), lanes, steps };
  const { from, to } = window;
  const inside = steps.filter(({ boundary }) => boundary >= from && boundary <= to);
  const axis = [...new Set([from, ...inside.map(({ boundary }) => boundary), to])];
  const part = frames.slice(from, to + 1);
  let complete = part.length === to - from + 1;
  for (let n = 0; complete && n < part.length; n++) complete = part[n] !== undefined;
  return {
    axis,
    steps: inside,
    lanes: complete
      ? moved(lanesOf({ frames: part, rules, injections }), from, lanes)
      : clipped(lanes, window),
  };
}

/** Lanes that were made from boundary 0 on, at the place where they belong. */
const moved = ({ depth, rules }: Lanes, by: number, { last, strikes }: Lanes): Lanes => ({
  last,
  strikes,
  depth: depth.map((value, i) => (i % 2 === 0 ? value + by : value)),
  rules: rules.map((runs) => runs.map((run) => ({ ...run, from: run.from + by, to: run.to + by }))),
});

const clipped = (lanes: Lanes, { from, to }: Span): Lanes => {
  const depth: number[] = [];
  for (let i = 0; i < lanes.depth.length; i += 2) {
    const [x = 0, next = Infinity, before = -1] = [lanes.depth[i], lanes.depth[i + 2], lanes.depth[i - 2]];
    // One corner on each side, so that the curve runs on to the edges.
    if (x > to && before > to) break;
    if (next >= from) depth.push(x, lanes.depth[i + 1] ?? 0);
  }
  return {
    ...lanes,
    depth,
    rules: lanes.rules.map((runs) => runs.filter((run) => run.to >= from && run.from <= to)),
  };
};
