/**
 * What every scenario on the pages showed when it was last recorded: text in the repository, so that a change of
 * engine, page or recipe is seen by whoever makes it and by whoever opens an old link.
 */
import type { Frame, Timeline } from './timeline.ts';

/** One named moment of a recorded run. */
export interface RecordedStep {
  readonly checkpoint: string;
  readonly boundary: number;
  /** Where the next instruction stands, and RSP, in words. */
  readonly at: string;
  readonly rsp: string;
  readonly latch: string;
  /** Meanings of the saved RIP and RSP of the three records. */
  readonly records: string;
  /** Judgements, a word for each rule. */
  readonly verdicts: string;
  readonly digest: string;
  /** What every unwinder printed, its judgement first; only in frozen rows. */
  readonly traces?: readonly string[];
}

export interface RecordedRun {
  readonly version: number;
  readonly recipe: string;
  readonly verdict: string;
  readonly boundaries: number;
  readonly steps: readonly RecordedStep[];
}

/** By slug. */
export type Records = Readonly<Record<string, RecordedRun>>;

/** What there is to record of a run; with traces, what unwinders print too. */
export function recordOf(timeline: Timeline, { traces = false } = {}): RecordedRun {
  const { frames, steps, version, recipe, outcome } = timeline;
  return {
    version,
    recipe,
    verdict: outcome.verdict,
    boundaries: frames.length - 1,
    steps: steps.flatMap(({ checkpoint, boundary }): RecordedStep[] => {
      const frame = frames[boundary];
      if (!frame) return [];
      const meaning = (role: string): string => frame.words.find((word) => word.role === role)?.meaning ?? '';
      const pair = (group: string): string =>
        `${group} ${meaning(`${group}.rip`)} / ${meaning(`${group}.rsp`)}`;
      const { blocked, pending } = frame.latch;
      return [
        {
          checkpoint,
          boundary,
          at: frame.at,
          rsp: frame.stack.text,
          latch: `${blocked ? 'blocked' : 'open'}${pending ? ', 1 pending' : ''}`,
          records: timeline.records.map(({ name }) => pair(name)).join('; '),
          verdicts: frame.verdicts.map(({ unwinder, judgement }) => `${unwinder} ${judgement}`).join('; '),
          digest: frame.digest,
          ...(traces && { traces: tracesOf(frame) }),
        },
      ];
    }),
  };
}

const tracesOf = ({ verdicts }: Frame): readonly string[] =>
  verdicts.flatMap(({ unwinder, judgement, printed }) => [
    `${unwinder}: ${judgement}`,
    ...printed.map((line) => `  ${line}`),
  ]);

/** The steps of a record as lines for people. */
export const recordedLines = ({ steps }: RecordedRun): readonly string[] =>
  steps.map(
    ({ boundary, checkpoint, at, rsp, latch }) =>
      `b${boundary} ${checkpoint}: ${at}, RSP ${rsp}, NMIs ${latch}`,
  );

/** One difference between a recorded run and the run of today. */
export interface Difference {
  /** `repeat_nmi (boundary 21)`, or `verdict`. */
  readonly where: string;
  readonly field: string;
  readonly recorded: string;
  readonly now: string;
}

/** The differences, the earliest step first. */
export function differences(recorded: RecordedRun, now: RecordedRun): readonly Difference[] {
  const found: Difference[] = [];
  const compare = (where: string, field: string, before: string, after: string): void => {
    if (before !== after) found.push({ where, field, recorded: before, now: after });
  };
  compare('the whole run', 'recipe', recorded.recipe, now.recipe);
  const today = new Map(now.steps.map((step) => [step.checkpoint, step]));
  for (const step of recorded.steps) {
    const where = `${step.checkpoint} (boundary ${step.boundary})`;
    const other = today.get(step.checkpoint);
    if (!other) {
      found.push({ where, field: 'checkpoint', recorded: 'reached', now: 'not reached' });
      continue;
    }
    for (const field of ['boundary', 'at', 'rsp', 'latch', 'records', 'verdicts', 'digest'] as const) {
      compare(where, field, String(step[field]), String(other[field]));
    }
    if (step.traces) compare(where, 'traces', step.traces.join('\n'), (other.traces ?? []).join('\n'));
    today.delete(step.checkpoint);
  }
  for (const step of today.values()) {
    found.push({
      where: `${step.checkpoint} (boundary ${step.boundary})`,
      field: 'checkpoint',
      recorded: 'not reached',
      now: 'reached',
    });
  }
  compare('the whole run', 'boundaries', String(recorded.boundaries), String(now.boundaries));
  compare('the whole run', 'verdict', recorded.verdict, now.verdict);
  return found;
}

/** One line for people: `at first_nmi (boundary 18), rsp: recorded T-48, now T-56`; of longer texts the first line that differs. */
export function differenceText({ where, field, recorded, now }: Difference): string {
  const [before, after] = [recorded.trimEnd().split('\n'), now.trimEnd().split('\n')];
  const n = before.length > 1 || after.length > 1 ? before.findIndex((line, i) => line !== after[i]) : 0;
  const at = n < 0 ? before.length : n;
  const said = (lines: readonly string[]): string => lines[at]?.trim().replace(/\s+/g, ' ') ?? 'nothing';
  return `at ${where}, ${field}: recorded ${said(before)}, now ${said(after)}`;
}
