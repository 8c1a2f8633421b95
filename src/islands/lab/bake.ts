/**
 * What a page needs of a timeline before any script has run: one frame, the lanes of the score and the rows of
 * the step table, small enough for HTML. The island computes the same three from the whole timeline later.
 */
import type { CodeLine, Frame, Span, Timeline } from '../../scenario/timeline.ts';
import type { Judgement } from '../../unwind/view.ts';
import { chosenFirst, type Provenance, provenanceOf } from './provenance.ts';
import { brief, latchText, wordAt } from './words.ts';

/** A timeline without what grows with the run or the code. */
export type Outline = Omit<Timeline, 'frames' | 'code'>;

/** What a listing shows of a line. */
export type Listed = Pick<CodeLine, 'kind' | 'depth' | 'text' | 'comment'>;

/** Boundaries `from` to `to`, both included, over which a rule's judgement stays the same. */
export interface Run extends Span {
  readonly judgement: Judgement;
}

export interface Lanes {
  /** Last boundary. */
  readonly last: number;
  /** Corners of the curve of RSP: boundary, then words below T, or -1 where RSP is on another stack. */
  readonly depth: readonly number[];
  /** By rule, in the order of `Timeline.rules`. */
  readonly rules: readonly (readonly Run[])[];
  /** Index into `Timeline.code` of the instruction at which each injection strikes, or -1. */
  readonly strikes: readonly number[];
}

/** A row of the step table. */
export interface Row {
  readonly boundary: number;
  readonly rsp: string;
  readonly executing: string;
  readonly latch: string;
  /** RSP and RIP of each of `Timeline.records` in short: `S / A`. */
  readonly records: readonly string[];
  /** By rule. */
  readonly judgements: readonly Judgement[];
}

export interface Baked {
  readonly timeline: Outline;
  /** The listing, packed: hundreds of lines as objects would weigh more than the rest of the page. */
  readonly code: string;
  /** Index of the first line of `code` in `Timeline.code`. */
  readonly from: number;
  /** Address of the page with the rest, where listing and table are not whole. */
  readonly rest?: string;
  readonly frame: Frame;
  readonly lanes: Lanes;
  /** Of the word that is told of at first; undefined where the design has none there. */
  readonly history: Provenance | undefined;
  /** One for each of `Timeline.steps`, or none where `rest` tells where they are. */
  readonly rows: readonly Row[];
}

/** What is the same at all moments of a run, packed once: a page stands for each. */
const packed = new WeakMap<Timeline, Omit<Baked, 'frame' | 'history'>>();

/** Bakes a timeline at a boundary; undefined when nothing ran. */
export function bake(timeline: Timeline, cursor = timeline.cursor): Baked | undefined {
  const { frames, code, ...outline } = timeline;
  const frame = frames[cursor] ?? frames[0];
  if (!frame) return undefined;
  const all = packed.get(timeline) ?? {
    timeline: outline,
    code: pack(code),
    from: 0,
    lanes: lanesOf(timeline),
    rows: rowsOf(timeline),
  };
  packed.set(timeline, all);
  const history = provenanceOf(frames, frame, chosenFirst(timeline));
  return { ...all, timeline: { ...all.timeline, cursor }, frame, history };
}

/** Lines of the listing that a page of one moment has before and after the next instruction. */
const NEAR = 20;

/** Only what is near the moment; the page at the address `rest` has all, and so has the island once it has made the run. */
export function nearby(baked: Baked, rest: string): Baked {
  const from = Math.max(0, baked.frame.line - NEAR);
  const code = baked.code
    .split('\n')
    .slice(from, from + 2 * NEAR + 1)
    .join('\n');
  return { ...baked, code, from, rows: [], rest };
}

const KINDS: Readonly<Record<string, CodeLine['kind']>> = {
  l: 'label',
  i: 'instruction',
  d: 'directive',
  r: 'removed',
};

/** A line each: letter of its kind, depth, text, tab, comment. */
export const pack = (code: readonly Listed[]): string =>
  code
    .map(({ kind, depth, text, comment }) => {
      const [left, right] = [text, comment].map((part) => part.replace(/\s/g, ' '));
      return `${kind.charAt(0)}${Math.min(9, depth)}${left}\t${right}`;
    })
    .join('\n');

/** The lines, each at its index in the whole listing: there is nothing before `from`. */
export function unpack(packed: string, from = 0): readonly Listed[] {
  const lines: Listed[] = [];
  if (!packed) return lines;
  packed.split('\n').forEach((line, i) => {
    const [text = '', comment = ''] = line.slice(2).split('\t');
    const kind = KINDS[line.charAt(0)] ?? 'instruction';
    lines[from + i] = { kind, depth: Number(line.charAt(1)), text, comment };
  });
  return lines;
}

/**
 * Lanes of a whole timeline. Where frames are missing, a rule's judgement is that of the last frame before.
 *
 * @param depths words of RSP below T at each boundary, where frames are missing
 */
export function lanesOf(
  { frames, rules, injections }: Pick<Timeline, 'frames' | 'rules' | 'injections'>,
  depths: readonly number[] = frames.map(({ stack }) => stack.depth ?? -1),
): Lanes {
  return {
    last: Math.max(0, frames.length - 1),
    depth: corners(depths),
    rules: rules.map((_, i) => runs(frames, i)),
    strikes: injections.map(({ boundary }) => frames[boundary]?.line ?? -1),
  };
}

/** Rows of the step table. */
export function rowsOf({ frames, steps, records, executing }: Timeline): readonly Row[] {
  return steps.flatMap(({ boundary }) => {
    const frame = frames[boundary];
    if (!frame) return [];
    const meaning = (index: number) => brief(wordAt(frame, index)?.meaning ?? '');
    return {
      boundary,
      rsp: frame.stack.text,
      executing: executing === undefined ? '' : meaning(executing),
      latch: latchText(frame.latch),
      records: records.map(({ rsp, rip }) => `${meaning(rsp)} / ${meaning(rip)}`),
      judgements: frame.verdicts.map(({ judgement }) => judgement),
    };
  });
}

function runs(frames: readonly Frame[], rule: number): readonly Run[] {
  const found: Run[] = [];
  const last = frames.length - 1;
  let from = 0;
  let judgement: Judgement | undefined;
  const close = (to: number): void => {
    if (judgement !== undefined && from <= to) found.push({ judgement, from, to });
  };
  frames.forEach(({ verdicts }, boundary) => {
    const now = verdicts[rule]?.judgement ?? 'not-asked';
    if (now === judgement) return;
    close(boundary - 1);
    judgement = now;
    from = boundary;
  });
  close(last);
  return found;
}

/** Corners that are drawn at most; a curve with more is drawn in as many columns, each from its lowest to its highest point. */
const MOST_CORNERS = 4_000;

/** Drops the points of a curve that lie on a straight line between their neighbours. */
function corners(heights: readonly number[]): readonly number[] {
  const kept: number[] = [];
  for (let x = 0; x < heights.length; x++) {
    const [before, height = 0, after] = [heights[x - 1], heights[x], heights[x + 1]];
    if (before === undefined || after === undefined || height - before !== after - height)
      kept.push(x, height);
  }
  return kept.length <= 2 * MOST_CORNERS ? kept : columns(kept);
}

function columns(points: readonly number[]): readonly number[] {
  const last = points.at(-2) ?? 0;
  const width = Math.ceil((2 * last) / MOST_CORNERS);
  const kept: number[] = points.slice(0, 2);
  for (let i = 0; i < points.length; ) {
    const end = (Math.floor((points[i] ?? 0) / width) + 1) * width;
    let [low, high] = [i, i];
    for (; i < points.length && (points[i] ?? 0) < end; i += 2) {
      if ((points[i + 1] ?? 0) < (points[low + 1] ?? 0)) low = i;
      if ((points[i + 1] ?? 0) > (points[high + 1] ?? 0)) high = i;
    }
    for (const at of new Set([Math.min(low, high), Math.max(low, high)]))
      if ((points[at] ?? 0) > (kept.at(-2) ?? 0)) kept.push(points[at] ?? 0, points[at + 1] ?? 0);
  }
  return last > (kept.at(-2) ?? 0) ? [...kept, ...points.slice(-2)] : kept;
}
