/** What a sweep says of unwinders: counts of states, and the shortest recipe of each break of I6. Plain data, and it adds up. */
import type { ExpectedJudgement } from '../scenario/recipe-types.ts';
import { CODES, type Judgement } from '../unwind/view.ts';
import type { Found } from './found.ts';
import type { Asked, Unsaid } from './judging.ts';
import { recipeOf } from './shrink.ts';
import type { Part, SweepAsk } from './sweep.ts';

export interface Judged {
  readonly unwinder: string;
  /** Distinct states by judgement. */
  readonly states: Readonly<Record<Judgement, number>>;
  /** States at which I6 holds only by an exception with a name, by that name. */
  readonly gaps: Readonly<Record<string, number>>;
}

/** Of one part. */
export const judgedOf = (asked: readonly Asked[]): readonly Judged[] =>
  asked.map(({ unwinder, states, gaps }) => ({
    unwinder,
    states: Object.fromEntries(CODES.map((name, code) => [name, states[code] ?? 0])) as Judged['states'],
    gaps,
  }));

/** Breaks of I6 in one part. */
export const unsaidOf = (ask: SweepAsk, part: Part, asked: readonly Asked[]): readonly Found[] =>
  asked.flatMap(({ unwinder, unsaid }) => unsaid.map((one) => foundOf(ask, part, unwinder, one)));

function foundOf(ask: SweepAsk, part: Part, unwinder: string, one: Unsaid): Found {
  const { schedule, boundary: step, sentence, states: schedules } = one;
  const judgement = one.judgement as ExpectedJudgement;
  const recipe = recipeOf(ask, part, { schedule, end: { kind: 'returned' } }, (positionAt) => [
    { kind: 'unwind', unwinder, judgement, at: positionAt(step) },
  ]);
  return { invariant: one.invariant, recipe, step, sentence, start: part.start, body: part.body, schedules };
}

/** What several parts or units say together, unwinder by unwinder. */
export function together(all: readonly (readonly Judged[])[]): readonly Judged[] {
  const sum = <Name extends string>(counts: readonly Readonly<Record<Name, number>>[]) => {
    const total: Partial<Record<Name, number>> = {};
    for (const one of counts)
      for (const [name, n] of Object.entries<number>(one))
        total[name as Name] = (total[name as Name] ?? 0) + n;
    return total as Record<Name, number>;
  };
  return [...Map.groupBy(all.flat(), ({ unwinder }) => unwinder)].map(([unwinder, ones]) => ({
    unwinder,
    states: sum(ones.map(({ states }) => states)),
    gaps: sum(ones.map(({ gaps }) => gaps)),
  }));
}
