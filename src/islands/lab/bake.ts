/**
 * What a page needs of a timeline before any script has run: one frame, the lanes of the score and the rows of
 * the step table, small enough for HTML. The island computes the same three from the whole timeline later.
 */
import type { CodeLine, Frame, Span, Timeline } from '../../scenario/timeline.ts';
import type { Judgement } from '../../unwind/view.ts';
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
  readonly frame: Frame;
  readonly lanes: Lanes;
  /** One for each of `Timeline.steps`. */
  readonly rows: readonly Row[];
}

/** Bakes a timeline; undefined when nothing ran. */
export function bake(timeline: Timeline): Baked | undefined {
  const { frames, code, ...outline } = timeline;
  const frame = frames[timeline.cursor] ?? frames[0];
  if (!frame) return undefined;
  return { timeline: outline, code: pack(code), frame, lanes: lanesOf(timeline), rows: rowsOf(timeline) };
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

export function unpack(packed: string): readonly Listed[] {
  if (!packed) return [];
  return packed.split('\n').map((line) => {
    const [text = '', comment = ''] = line.slice(2).split('\t');
    return { kind: KINDS[line.charAt(0)] ?? 'instruction', depth: Number(line.charAt(1)), text, comment };
  });
}

/** Lanes of a whole timeline. */
export function lanesOf({ frames, rules, injections }: Timeline): Lanes {
  return {
    last: Math.max(0, frames.length - 1),
    depth: corners(frames.map(({ stack }) => stack.depth ?? -1)),
    rules: rules.map((_, i) => runs(frames.map(({ verdicts }) => verdicts[i]?.judgement ?? 'not-asked'))),
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

function runs(judgements: readonly Judgement[]): readonly Run[] {
  const found: Run[] = [];
  judgements.forEach((judgement, boundary) => {
    const open = found.at(-1);
    if (open?.judgement === judgement) found[found.length - 1] = { ...open, to: boundary };
    else found.push({ judgement, from: boundary, to: boundary });
  });
  return found;
}

/** Drops the points of a curve that lie on a straight line between their neighbours. */
function corners(heights: readonly number[]): readonly number[] {
  const kept: number[] = [];
  heights.forEach((height, x) => {
    const [before, after] = [heights[x - 1], heights[x + 1]];
    if (before === undefined || after === undefined || height - before !== after - height)
      kept.push(x, height);
  });
  return kept;
}
