/** A run recorded: everything of a timeline that does not come from the recipe's own words. */

import type { Image } from '../image/image.ts';
import type { Switches } from '../unwind/eras/switches.ts';
import type { Unwinder } from '../unwind/rules.ts';
import type { Ended, Execution, Injection } from './execution.ts';
import { FrameMaker } from './frames.ts';
import { spoken } from './invariants.ts';
import { kept } from './kept.ts';
import { locate } from './positions.ts';
import type { Program } from './program.ts';
import type { Position } from './recipe-types.ts';
import { Replay } from './replay.ts';
import { spansOf, stepsOf } from './steps.ts';
import { STRIDE, Tape } from './tape.ts';
import type { Frame, Outcome, Timeline } from './timeline.ts';

/** A recipe that can be run. */
export interface Ready {
  readonly program: Program;
  readonly execution: Execution;
  /** How many runs of it are kept. */
  readonly recordings: number;
}

export interface Recorded {
  readonly groundless: Ended['groundless'];
  readonly timeline: Timeline;
  readonly rips: readonly bigint[];
  readonly first: { readonly rip: bigint; readonly rsp: bigint } | undefined;
}

export interface Limits {
  readonly budget: number;
  /** Boundaries that get a frame at once. */
  readonly whole: number;
  /** What the recipe switches in the unwinders: `rules` do not tell it by their names. */
  readonly switches: Switches;
  /** Positions whose frames must be there in any case. */
  readonly needed: readonly (Position | undefined)[];
}

const recordings = new WeakMap<Execution, Map<string, Recorded>>();
const replays = new WeakMap<Timeline['frames'], Replay>();

/** What makes the frames that a long run lacks; undefined for a timeline that was not recorded here. */
export const replayOf = ({ frames }: Timeline): Replay | undefined => replays.get(frames);

/** The run itself. The same run is recorded once, whatever is asked of it. */
export function recorded(
  ready: Ready,
  injections: readonly Injection[],
  rules: readonly Unwinder[],
  limits: Limits,
): Recorded {
  const { execution } = ready;
  const made = recordings.get(execution) ?? new Map<string, Recorded>();
  recordings.set(execution, made);
  const { budget, whole, switches } = limits;
  const key = JSON.stringify([injections, rules.map(({ id }) => id), switches, budget, whole]);
  const found = kept(made, key, ready.recordings, () => record(ready, injections, rules, limits));
  fill(found, execution, limits.needed);
  return found;
}

/** The frames of these positions, where a long run has none yet. */
function fill(
  { timeline, rips }: Recorded,
  { image }: Execution,
  needed: readonly (Position | undefined)[],
): void {
  const frames = timeline.frames as Frame[];
  for (const position of needed) {
    const found = position && locate(position, image, rips, 0);
    if (!found || 'problem' in found || found.boundary >= frames.length || frames[found.boundary]) continue;
    const [frame] = replayOf(timeline)?.frames(found.boundary, found.boundary) ?? [];
    if (frame) frames[found.boundary] = frame;
  }
}

function record(
  { program, execution }: Ready,
  injections: readonly Injection[],
  rules: readonly Unwinder[],
  { budget, whole }: Limits,
): Recorded {
  const { machine } = execution.booted;
  const { begin, end } = program.design.nmi;
  const maker = new FrameMaker(execution, rules);
  let first: Recorded['first'];
  let tape: Tape | undefined;
  let replay: Replay | undefined;
  const ended = execution.run(injections, budget, (moment, course) => {
    first ??= moment.first;
    if (!tape || !replay) {
      tape = new Tape(machine, course.struck);
      replay = new Replay(execution, tape, rules, course);
    }
    const rsp = machine.get('rsp');
    tape.add(moment, course, rsp <= end && rsp >= begin ? Number((end - rsp) >> 3n) : -1);
    if (moment.boundary < whole) maker.add(moment);
  });
  if (!tape || !replay) throw new Error('nothing was run');
  tape.close();
  const { last } = tape;
  const { frames } = maker;
  const marks = [...maker.marks];
  for (const boundary of shownOf(tape, execution.image, whole)) {
    const made = replay.made(boundary, boundary);
    frames[boundary] = made.frames[0] as Frame;
    marks.push(...made.marks);
  }
  const timeline: Timeline = {
    slug: '',
    version: 0,
    title: '',
    design: '',
    recipe: '',
    frames,
    steps: stepsOf(marks, last),
    code: program.code,
    rules: rules.map(({ id, name }) => ({ id, name })),
    blocked: spansOf(last, (b) => tape?.blocked(b) ?? false),
    pending: spansOf(last, (b) => tape?.pending(b) ?? false),
    injections: [],
    counts: {
      boundaries: ended.boundary,
      deliveries: ended.counts.deliveries,
      'nmi-served': ended.counts.served,
      'nmi-merged': Math.max(0, ended.counts.edges - ended.counts.served),
    },
    outcome: outcomeOf(ended),
    broken: ended.broken.map((one) => ({
      ...one,
      sentence: spoken(one.sentence, execution.image, program.design),
    })),
    cursor: 0,
    ...placesOf(program),
    without: [],
    problems: [],
  };
  replays.set(frames, replay);
  return { groundless: ended.groundless, timeline, rips: tape.rips(), first };
}

/** Steps and samples that a long run shows behind the boundaries that have a frame at once. */
const MOST_STEPS = 300;
const SAMPLES = 100;

/**
 * Boundaries from `whole` on that get a frame although nobody has asked: deliveries and returns, arrivals at labels as
 * long as there is room for them, samples in between, and the last.
 */
function shownOf(tape: Tape, image: Image, whole: number): readonly number[] {
  const { last } = tape;
  if (last < whole) return [];
  const labels = new Set(image.symbols.flatMap(({ address, global }) => (global ? [address] : [])));
  const found = new Set(
    tape
      .crossings()
      .filter((b) => b >= whole)
      .slice(0, MOST_STEPS),
  );
  for (let b = whole; b <= last && found.size < MOST_STEPS; b++) {
    const rip = tape.rip(b);
    if (rip !== tape.rip(b - 1) && labels.has(rip)) found.add(b);
  }
  const apart = Math.ceil((last - whole) / SAMPLES / STRIDE) * STRIDE;
  for (let b = Math.ceil(whole / STRIDE) * STRIDE + 1; b < last; b += apart) found.add(b);
  found.add(last);
  return [...found].sort((a, b) => a - b);
}

/** How a run ended, as a timeline says it. */
export function outcomeOf({ end }: Ended): Outcome {
  if (end.kind === 'returned') return { verdict: 'returns' };
  if (end.kind === 'not-modelled')
    return {
      verdict: 'not-modelled',
      name: end.name,
      sentence: `the run needs what is not modelled: ${end.name}`,
    };
  if (end.kind === 'halted') return { verdict: 'no-progress', sentence: end.sentence };
  return { verdict: end.kind, sentence: end.sentence };
}

/** What a timeline says of its design. */
export const placesOf = (
  program: Program | undefined,
): Pick<Timeline, 'top' | 'stacks' | 'records' | 'executing' | 'safeguards'> => ({
  top: program?.design.top ?? 0n,
  stacks: program?.design.stacks ?? [],
  records: program?.design.records ?? [],
  executing: program?.design.executing?.index,
  safeguards: program?.safeguards.map(({ name, about }) => ({ name, about })) ?? [],
});
