/** A run as the command line prints it and the site serves it: as text, and as data. */
import { INVARIANTS } from './invariants.ts';
import type { Timeline } from './timeline.ts';

/** Names of records without their braces. */
const plain = (sentence: string): string => sentence.replace(/\{(\w+)\}/g, '$1');

/** What `lab run --json` holds; `at` is a boundary of the run. */
export function runData(timeline: Timeline, at: number) {
  const frame = timeline.frames[at];
  return {
    slug: timeline.slug,
    version: timeline.version,
    steps: timeline.frames.length - 1,
    boundary: at,
    digest: frame?.digest,
    verdict: timeline.outcome.verdict,
    counts: timeline.counts,
    broken: timeline.broken,
    traces: frame?.verdicts.map(({ unwinder, judgement, reason, printed }) => ({
      unwinder,
      judgement,
      reason: plain(reason),
      lines: printed,
    })),
    truth: frame?.truth.map(({ text, stack, how }) => ({ text, stack, how })),
    story: timeline.steps.map(({ boundary, name, checkpoint, sentence }) => ({
      boundary,
      name,
      checkpoint,
      sentence: plain(sentence),
    })),
    recipe: timeline.recipe,
    problems: timeline.problems,
  };
}

/** What `lab run` prints, without the last line feed: story, traces at boundary `at`, what broke, verdict. */
export function runText(timeline: Timeline, at: number, notes: readonly string[] = []): string {
  const { outcome, steps, counts } = timeline;
  const frame = timeline.frames[at];
  const width = Math.max(...steps.map(({ name }) => name.length));
  const names = new Map(timeline.rules.map(({ id, name }) => [id, name]));
  const verdict = 'sentence' in outcome ? `${outcome.verdict}: ${outcome.sentence}` : outcome.verdict;
  return [
    `${timeline.slug} v${timeline.version}: ${timeline.title} (${timeline.design})`,
    ...notes,
    '',
    ...steps.map(
      ({ boundary, name, sentence }) =>
        `${`b${boundary}`.padStart(5)}  ${name.padEnd(width)}  ${plain(sentence)}`,
    ),
    '',
    `at boundary ${at}, ${frame?.at}, RSP ${frame?.stack.text}, digest ${frame?.digest}`,
    '',
    'truth',
    ...(frame?.truth ?? []).map(
      ({ text, stack, how }) => `  ${(stack || 'user').padEnd(5)} ${how.padEnd(11)} ${text}`,
    ),
    '',
    ...(frame?.verdicts ?? []).flatMap(({ unwinder, judgement, reason, printed }) => [
      `${names.get(unwinder) ?? unwinder}: ${judgement}: ${plain(reason)}`,
      ...printed.map((line) => `  ${line}`),
      '',
    ]),
    ...timeline.broken.flatMap(({ invariant, boundary, sentence }) => [
      `${invariant} breaks at boundary ${boundary}: ${sentence}`,
      `  ${INVARIANTS[invariant]}`,
    ]),
    ...(timeline.broken.length > 0 ? [''] : []),
    `verdict ${verdict}; ${counts.boundaries} boundaries, ${counts.deliveries} deliveries, ${counts['nmi-served']} NMIs served, ${counts['nmi-merged']} merged`,
  ].join('\n');
}
