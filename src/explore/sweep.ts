/**
 * A sweep: every schedule of a set of events over a design, from each start and with each handler body. What it
 * claims, it claims for these and for nothing else; the report names them all.
 */
import type { Problem, Source } from '../asm/source.ts';
import type { Sweep } from '../kernel/design.ts';
import type { Execution, Injection } from '../scenario/execution.ts';
import { spoken } from '../scenario/invariants.ts';
import { designsOf, type Library } from '../scenario/library.ts';
import { type Edit, programOf } from '../scenario/program.ts';
import { printEdit } from '../scenario/recipe-print.ts';
import { BUDGET, stage } from '../scenario/run.ts';
import { asked, UNWINDER_NAMES } from '../unwind/eras/unwinders.ts';
import type { Unwinder } from '../unwind/rules.ts';
import type { Bounds, Progress } from './bounds.ts';
import { KINDS, type Strikes } from './events.ts';
import { type Found, likeness, shortest } from './found.ts';
import { type Judged, judgedOf, together, unsaidOf } from './judged.ts';
import type { Asked } from './judging.ts';
import { Counter, type Outcome, outcomes, violations } from './outcomes.ts';
import type { Path } from './path.ts';
import { Explorer } from './paths.ts';
import { recipeOf } from './shrink.ts';

/** What is swept. Lists that are left out are the design's own. */
export interface SweepAsk {
  readonly design: string;
  /** Names of events, one for each that may strike: `['nmi', 'nmi']` for at most two NMIs. */
  readonly events: readonly string[];
  readonly starts?: readonly string[];
  readonly bodies?: readonly string[];
  /** Safeguards that are taken away. */
  readonly without?: readonly string[];
  /** Cells of the design that a reader has changed. */
  readonly edits?: readonly Edit[];
  /** Events that strike in any case, beside those that are swept, as a recipe says them: `nmi at task+2`. */
  readonly given?: readonly string[];
  /** Transitions of the task during which something may still strike; 8 unless told. */
  readonly window?: number;
  readonly budget?: number;
  /** Whether events strike where they have no cause, too: impossible runs; false unless told. */
  readonly anywhere?: boolean;
  /** Whether runs that meet are followed once; true unless told. */
  readonly pruned?: boolean;
  /** Unwinders to be judged at every state: `orc-6.12`, `end-2`. */
  readonly judge?: readonly string[];
  /** Whether they must be right (I12), and not only say so where they are not (I6). */
  readonly right?: boolean;
  /** One part of `of`, counted from 0. */
  readonly shard?: { readonly index: number; readonly of: number };
}

/** What a sweep says; plain data. */
export interface SweepReport {
  readonly design: string;
  readonly events: readonly string[];
  /** Events that struck in any case. */
  readonly given: readonly string[];
  /** Where each kind of event was taken to strike. */
  readonly where: Readonly<Record<string, string>>;
  readonly without: readonly string[];
  readonly starts: readonly string[];
  readonly bodies: readonly string[];
  readonly window: number;
  readonly budget: number;
  readonly anywhere: boolean;
  readonly pruned: boolean;
  /** Boundaries of the longest run with one event. */
  readonly boundaries: number;
  readonly schedules: number;
  /** Runs that were made; the other schedules meet one of them. */
  readonly distinct: number;
  readonly violations: readonly Found[];
  /** What a run needed and the model does not have; such schedules are not judged. */
  readonly untold: readonly { readonly name: string; readonly schedules: number }[];
  /** Unwinders that were asked for, and what they made of the states of all runs. */
  readonly judge?: readonly string[];
  readonly right?: boolean;
  readonly judged?: readonly Judged[];
  readonly shard?: { readonly index: number; readonly of: number };
}

/** One start with one body. */
export interface Part {
  readonly start: string;
  readonly body: string;
  readonly execution: Execution;
  readonly given: readonly Injection[];
  readonly kinds: readonly Strikes[];
  readonly counts: readonly number[];
  readonly bounds: Bounds;
  readonly unwinders: readonly Unwinder[];
  /** Whether they must be right. */
  readonly right: boolean;
}

export const WINDOW = 8;
/** Schedules that are looked at one by one, in each part, to find the shortest. */
const LISTED = 100_000;
const ANYWHERE = 'at any boundary, cause or not: some of these runs are impossible';

const sourceOf = (
  { design, without = [], given = [], edits = [] }: SweepAsk,
  start: string,
  body: string,
): Source => ({
  page: 'sweep',
  name: 'sweep',
  line: 1,
  lines: [
    'scenario sweep v0',
    `design ${design}`,
    ...(without.length > 0 ? [`without ${without.join(', ')}`] : []),
    `start ${start}`,
    `body ${body}`,
    ...given.map((event) => `inject ${event}`),
    ...edits.flatMap(printEdit),
  ],
});

/**
 * The starts and bodies that a sweep takes unless told: those of the first promise, or documented hole, of the design
 * that speaks of these kinds of events; else all it has.
 */
export function usualOf(
  { design: slug, events, ...variant }: SweepAsk,
  pages: Library,
): Pick<Sweep, 'starts' | 'bodies'> {
  if (!designsOf(pages).includes(slug)) return { starts: ['kernel-task'], bodies: ['quiet'] };
  const { design } = programOf(pages, slug, variant);
  const said = [...design.promises, ...design.breaks.filter((one) => one.without.length === 0)].find((one) =>
    events.every((event) => one.events.some((name) => name === event)),
  );
  const named = (all: readonly { readonly name: string }[]): readonly string[] => all.map(({ name }) => name);
  return said ?? { starts: named(design.starts), bodies: named(design.bodies) };
}

/** Checks an ask and makes it ready: one part for each start and body. */
export function partsOf(
  ask: SweepAsk,
  pages: Library,
): { readonly parts: readonly Part[] } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const refuse = (message: string): void => {
    problems.push({ page: 'sweep', line: 1, column: 1, message });
  };
  const names = KINDS.map(({ event }) => event as string);
  for (const event of ask.events)
    if (!names.includes(event)) refuse(`unknown event: ${event} (there is ${names.join(', ')})`);
  if (ask.events.length === 0) refuse('missing events');
  const { judge = [] } = ask;
  const unwinders = asked(judge);
  for (const name of judge)
    if (!unwinders.some(({ id }) => id === name))
      refuse(`unknown unwinder: ${name} (there is ${UNWINDER_NAMES.join(', ')})`);
  if (problems.length > 0) return { problems };
  const kinds = KINDS.filter(({ event }) => ask.events.includes(event));
  const counts = kinds.map(({ event }) => ask.events.filter((name) => name === event).length);
  const parts: Part[] = [];
  const usual = usualOf(ask, pages);
  for (const start of ask.starts ?? usual.starts)
    for (const body of ask.bodies ?? usual.bodies) {
      const ready = stage(sourceOf(ask, start, body), pages);
      if ('problems' in ready) {
        problems.push(...ready.problems);
        continue;
      }
      const nth = parts.length;
      const { shard } = ask;
      const bounds: Bounds = {
        kinds,
        counts,
        window: ask.window ?? WINDOW,
        budget: ask.budget ?? BUDGET,
        pruned: ask.pruned ?? true,
        anywhere: ask.anywhere ?? false,
        ...(shard ? { takes: (fork) => (fork + nth) % shard.of === shard.index } : {}),
        countsFirst: shard === undefined || shard.index === 0,
      };
      const { execution, injections: given } = ready;
      parts.push({
        start,
        body,
        execution,
        given,
        kinds,
        counts,
        bounds,
        unwinders,
        right: ask.right === true,
      });
    }
  return problems.length > 0 ? { problems } : { parts };
}

/** What exploring one part gave. */
export interface Explored {
  readonly part: Part;
  readonly root: Path;
  readonly paths: number;
  /** What unwinders made of its states. */
  readonly asked: readonly Asked[];
}

/** Explores one part; the generator can be left at any time. */
export function* explorePart(part: Part): Generator<Progress, Explored> {
  const explorer = new Explorer(part.execution, part.given, part.bounds, part);
  const root = yield* explorer.explore(part.bounds.window);
  return { part, root, paths: explorer.paths, asked: explorer.asked };
}

/** A whole sweep at once. Those who show progress or share the work go part by part. */
export function sweep(
  ask: SweepAsk,
  pages: Library,
): SweepReport | { readonly problems: readonly Problem[] } {
  const ready = partsOf(ask, pages);
  if ('problems' in ready) return ready;
  const explored = ready.parts.map((part) => {
    const run = explorePart(part);
    for (;;) {
      const { done, value } = run.next();
      if (done) return value;
    }
  });
  return reportOf(ask, explored);
}

/** What the exploration of all parts says. */
export function reportOf(ask: SweepAsk, explored: readonly Explored[]): SweepReport {
  const [first] = explored;
  const kinds = first?.part.kinds ?? [];
  const untold = new Map<string, number>();
  const found: Found[] = [];
  let schedules = 0;
  let boundaries = 0;
  for (const { part, root, asked } of explored) {
    const counter = new Counter();
    // The run without any event belongs to the first shard.
    const shared = ask.shard !== undefined && ask.shard.index > 0 ? 1 : 0;
    schedules += counter.count(root, 0, part.counts).schedules - shared;
    boundaries = Math.max(boundaries, ...root.forks.map(({ at, path }) => at + lengthOf(path)), root.length);
    for (const { end, schedule } of outcomes(root, counter, ({ untold: some }) => some > 0))
      if (end.kind === 'not-modelled' && (schedule.length > 0 || shared === 0))
        untold.set(end.name, (untold.get(end.name) ?? 0) + 1);
    found.push(...foundIn(ask, part, root, counter, shared > 0), ...unsaidOf(ask, part, asked));
  }
  return {
    design: ask.design,
    events: ask.events,
    given: ask.given ?? [],
    where: Object.fromEntries(kinds.map(({ event, where }) => [event, ask.anywhere ? ANYWHERE : where])),
    without: ask.without ?? [],
    starts: [...new Set(explored.map(({ part }) => part.start))],
    bodies: [...new Set(explored.map(({ part }) => part.body))],
    window: ask.window ?? WINDOW,
    budget: ask.budget ?? BUDGET,
    anywhere: ask.anywhere ?? false,
    pruned: ask.pruned ?? true,
    boundaries,
    schedules,
    distinct: explored.reduce((sum, { paths }) => sum + paths, 0),
    violations: shortest(found),
    untold: [...untold].map(([name, n]) => ({ name, schedules: n })),
    ...(ask.judge?.length && {
      judge: ask.judge,
      right: ask.right === true,
      judged: together(explored.map((one) => judgedOf(one.asked))),
    }),
    ...(ask.shard ? { shard: ask.shard } : {}),
  };
}

function lengthOf(path: Path): number {
  let length = 0;
  for (let spot: { path: Path; at: number } | undefined = { path, at: 0 }; spot; spot = spot.path.join)
    length += spot.path.length - spot.at;
  return length;
}

/** Whether one schedule is told before another: fewer events, then earlier to show, then earlier events. */
function before(a: Outcome, b: Outcome): boolean {
  if (a.schedule.length !== b.schedule.length) return a.schedule.length < b.schedule.length;
  if (a.boundary !== b.boundary) return a.boundary < b.boundary;
  const n = a.schedule.findIndex(({ boundary }, i) => boundary !== b.schedule[i]?.boundary);
  return n >= 0 && (a.schedule[n]?.boundary ?? 0) < (b.schedule[n]?.boundary ?? 0);
}

function foundIn(ask: SweepAsk, part: Part, root: Path, counter: Counter, shared: boolean): readonly Found[] {
  const groups = new Map<string, { best: Outcome; schedules: number }>();
  let listed = 0;
  for (const outcome of violations(root, counter)) {
    if (outcome.end.kind !== 'violated' || (shared && outcome.schedule.length === 0)) continue;
    if (++listed > LISTED) break;
    const name = likeness(outcome.end.invariant, outcome.end.sentence);
    const group = groups.get(name);
    if (!group) groups.set(name, { best: outcome, schedules: 1 });
    else {
      group.schedules++;
      if (before(outcome, group.best)) group.best = outcome;
    }
  }
  return [...groups.values()].flatMap(({ best, schedules }): Found[] => {
    const { end, boundary: step } = best;
    if (end.kind !== 'violated') return [];
    const { start, body } = part;
    const { invariant } = end;
    const sentence = spoken(end.sentence, part.execution.image, part.execution.program.design);
    const recipe = recipeOf(ask, part, best);
    return [{ invariant, recipe, step, sentence, start, body, schedules }];
  });
}
