/** Two runs of one schedule in lockstep: their named steps side by side, where they part, and what differs there. Pure. */

import { align } from '../../asm/align.ts';
import type { Frame, Outcome, Timeline } from '../../scenario/timeline.ts';
import type { Row } from './bake.ts';
import { latchText } from './words.ts';

/** A run as far as it is compared. `rows` has one for each of `steps`. */
export interface Side extends Pick<Timeline, 'steps' | 'records' | 'rules' | 'outcome'> {
  readonly rows: readonly Row[];
  /** Last boundary. */
  readonly last: number;
}

/** A step of both runs, or of one of them. */
export interface Pair {
  readonly checkpoint: string;
  readonly name: string;
  /** Boundaries; undefined where the run has no such step. */
  readonly here: number | undefined;
  readonly there: number | undefined;
  /** What is not the same at this step, a phrase each: `RSP T-48, there T-40`. */
  readonly differs: readonly string[];
}

export interface Comparison {
  readonly pairs: readonly Pair[];
  /** Index of the first pair that is not the same; undefined if there is none. */
  readonly parts: number | undefined;
}

/** Sets two runs side by side. Steps are paired by their checkpoint. */
export function compare(here: Side, there: Side): Comparison {
  const pairs = align(here.steps, there.steps, (a, b) => a.checkpoint === b.checkpoint).map(
    ([a, b]): Pair => {
      const [step, other] = [here.steps[a ?? -1], there.steps[b ?? -1]];
      const both = step && other;
      return {
        checkpoint: (step ?? other)?.checkpoint ?? '',
        name: (step ?? other)?.name ?? '',
        here: step?.boundary,
        there: other?.boundary,
        differs: both ? differences(here, here.rows[a ?? -1], there, there.rows[b ?? -1]) : [],
      };
    },
  );
  const parts = pairs.findIndex(
    (pair) => pair.here === undefined || pair.there === undefined || pair.differs.length > 0,
  );
  return { pairs, parts: parts < 0 ? undefined : parts };
}

function differences(
  here: Side,
  row: Row | undefined,
  there: Side,
  other: Row | undefined,
): readonly string[] {
  if (!row || !other) return [];
  const found: string[] = [];
  const check = (what: string, a: string, b: string): void => {
    if (a !== b) found.push(`${what} ${a || 'nothing'}, there ${b || 'nothing'}`);
  };
  check('RSP', row.rsp, other.rsp);
  if (row.executing && other.executing) check('NMI executing:', row.executing, other.executing);
  check('NMIs', row.latch, other.latch);
  here.records.forEach(({ name }, n) => {
    const m = there.records.findIndex((one) => one.name === name);
    if (m >= 0) check(name, row.records[n] ?? '', other.records[m] ?? '');
  });
  here.rules.forEach(({ id, name }, n) => {
    const m = there.rules.findIndex((one) => one.id === id);
    if (m >= 0) check(name, wordsOf(row.judgements[n]), wordsOf(other.judgements[m]));
  });
  return found;
}

const wordsOf = (judgement: string | undefined): string => (judgement ?? '').replaceAll('-', ' ');

/** How a run ended, in words. */
export const endText = (outcome: Outcome): string =>
  outcome.verdict === 'returns' ? 'returns' : `${outcome.verdict}: ${outcome.sentence}`;

/** Where the two part, one or two sentences. */
export function partText({ pairs, parts }: Comparison, here: Side, there: Side): string {
  const ends = `Here the run ${endingOf(here.outcome)}, there it ${endingOf(there.outcome)}.`;
  const pair = parts === undefined ? undefined : pairs[parts];
  if (!pair) return `No named step differs. ${ends}`;
  if (pair.there === undefined)
    return `They part at ${pair.name}, boundary ${pair.here}: the other run never gets there at this point. ${ends}`;
  if (pair.here === undefined)
    return `They part at ${pair.name}, boundary ${pair.there} of the other run: this run never gets there at this point. ${ends}`;
  return `They part at ${pair.name}, boundary ${pair.here}, there ${pair.there}: ${pair.differs[0]}. ${ends}`;
}

const endingOf = (outcome: Outcome): string =>
  outcome.verdict === 'returns' ? 'returns' : `ends as ${outcome.verdict.replaceAll('-', ' ')}`;

/**
 * Boundary of the other run that stands beside a boundary of this one: as far behind the last common step, and never
 * past the next one.
 */
export function beside({ pairs }: Comparison, boundary: number, last: number): number {
  const common = pairs.filter(({ here, there }) => here !== undefined && there !== undefined);
  const next = common.findIndex(({ here = 0 }) => here > boundary);
  const from = common[next < 0 ? common.length - 1 : next - 1];
  const until = next < 0 ? last : (common[next]?.there ?? last) - 1;
  const there = (from?.there ?? 0) + boundary - (from?.here ?? 0);
  return Math.max(0, Math.min(there, Math.max(until, from?.there ?? 0), last));
}

/** A word or register that two frames do not agree about. */
export interface Contrast {
  readonly what: string;
  readonly here: string;
  readonly there: string;
  /** The word of the stack, or the register, whose history tells why; undefined for what is neither. */
  readonly spot?: number | string;
}

/** What differs between two frames, words of the NMI stack first; roles that only one design has are left out. */
export function contrasts(here: Frame, there: Frame): readonly Contrast[] {
  const found: Contrast[] = [];
  const check = (what: string, a: string, b: string, spot?: number | string): void => {
    if (a !== b) found.push({ what, here: a, there: b, ...(spot === undefined ? {} : { spot }) });
  };
  check('next instruction', here.at, there.at, 'rip');
  check('RSP', here.stack.text, there.stack.text, 'rsp');
  check('flags', here.flags, there.flags, 'rflags');
  check('NMIs', latchText(here.latch), latchText(there.latch));
  for (const word of here.words) {
    const other = there.words.find(({ role }) => role === word.role);
    if (!other || word.group === 'regs') continue;
    const told = word.meaning && other.meaning;
    check(
      word.role,
      told ? word.meaning : word.value.toString(16),
      told ? other.meaning : other.value.toString(16),
      word.index,
    );
  }
  return found;
}
