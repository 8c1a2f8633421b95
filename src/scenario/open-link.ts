/** What becomes of a link: the run it means, and whether that run is still what it was. */
import { known, type Library } from './library.ts';
import { applyLink, type Codec, type LinkState, linkOf, parseLink, printLink } from './link.ts';
import { bodyOf, changesOf, findNamed, type Named, recordedOf, startOf } from './named.ts';
import { printPosition } from './recipe-position.ts';
import type { Recipe } from './recipe-types.ts';
import { type Difference, differenceText, type RecordedRun, type Records, recordedLines } from './records.ts';
import { type PlayOptions, pickOf, playRecipe } from './run.ts';
import type { Timeline } from './timeline.ts';

export type Opened =
  | {
      readonly kind: 'same' | 'changed';
      readonly timeline: Timeline;
      readonly link: LinkState;
      /** In what the run differs from what was recorded, the earliest first; at least one where `changed`. */
      readonly differences: readonly Difference[];
      /** One sentence for a banner, or a few. */
      readonly sentence: string;
    }
  | {
      readonly kind: 'cannot-run';
      /** Why, one sentence. */
      readonly sentence: string;
      /** What was recorded of the named scenario, a line a step; empty if there is no record. */
      readonly recorded: readonly string[];
    };

export interface Opener {
  /** With the registry, so that frozen versions are found. */
  readonly pages: Library;
  readonly records: Records;
  readonly codec: Codec;
}

/**
 * Opens a link: full address, path, or fragment where `base` names the scenario. In order: it is parsed; the row of
 * its version is taken, or the page for a draft; the run is made, and compared with the digest and with the record.
 * Never throws, never falls back to another state: what does not run says so, what runs differently says how.
 */
export function openLink(
  text: string,
  { pages, records, codec }: Opener,
  base?: { readonly slug: string; readonly version: number },
  options: PlayOptions = {},
): Opened {
  const read = parseLink(text, codec, base);
  if ('problem' in read) return refused(read.problem, undefined);
  const { state } = read;
  const record = recordedOf(pages, records, state.slug, state.version);
  const named = findNamed(pages, state.slug, state.version);
  if ('problem' in named) return refused(named.problem, record);

  const found = runOf(state, named, pages, options);
  if ('problem' in found) return refused(`${found.problem}${aliasText(state, named)}`, record);
  const { timeline, note } = found;
  const changes = changesOf(named, pages, records);
  const draft = state.version === 0 ? ' This scenario is a draft and may change.' : '';
  const opened = (
    kind: 'same' | 'changed',
    said: string,
    differences: readonly Difference[] = [],
  ): Opened => ({
    kind,
    timeline,
    link: state,
    differences,
    sentence: `${kind === 'changed' ? 'changed: ' : ''}${said}${note}${aliasText(state, named)}${draft}`,
  });
  return compared(state, timeline, changes, opened);
}

/** The run that a link means, and what is to be said of where it opens. */
function runOf(
  state: LinkState,
  { recipe }: Named,
  pages: Library,
  options: PlayOptions,
): { readonly timeline: Timeline; readonly note: string } | { readonly problem: string } {
  // What the scenario expects is said of its own run, not of the one the link means.
  const { cursor, ...rest } = { ...applyLink(recipe, state), expects: [] };
  const asked = { pick: options.pick ?? pickOf(recipe), ...options };
  let at = cursor;
  let note = '';
  if (state.checkpoint !== undefined) {
    const { steps, problems } = playRecipe(rest, pages, asked);
    if (steps.length === 0) return { problem: problems[0]?.message ?? 'nothing ran' };
    const step = steps.find(({ checkpoint }) => checkpoint === state.checkpoint);
    const names = steps.map(({ checkpoint }) => checkpoint);
    const missing = `unknown checkpoint: ${state.checkpoint}${known(`${state.slug} reaches`, names)}`;
    if (state.cursor !== undefined) note = step ? '' : ` What decides is the boundary; ${missing}.`;
    else if (!step) return { problem: missing };
    else at = { kind: 'boundary', n: step.boundary };
  }
  const timeline = playRecipe({ ...rest, cursor: at }, pages, asked);
  return timeline.frames.length > 0
    ? { timeline, note }
    : { problem: timeline.problems[0]?.message ?? 'nothing ran' };
}

type Verdict = (kind: 'same' | 'changed', said: string, differences?: readonly Difference[]) => Opened;

function compared(
  state: LinkState,
  timeline: Timeline,
  changes: readonly Difference[] | undefined,
  opened: Verdict,
): Opened {
  const { cursor } = timeline;
  const digest = timeline.frames[cursor]?.digest ?? '';
  const [first] = changes ?? [];
  if (state.digest !== undefined && state.digest !== digest) {
    const here: Difference = {
      where: `boundary ${cursor}`,
      field: 'digest',
      recorded: state.digest,
      now: digest,
    };
    const cause = first
      ? ` The first difference to the record is ${differenceText(first)}.`
      : changes
        ? ' The record of the named scenario shows no difference, so the link itself may be damaged.'
        : ' Nothing is recorded of the named scenario.';
    return opened('changed', `the link was made for state ${state.digest}, this is ${digest}.${cause}`, [
      here,
      ...(changes ?? []),
    ]);
  }
  const own = isNamed(state);
  if (state.digest !== undefined) {
    const here = own ? (changes ?? []).filter(({ where }) => where.endsWith(`(boundary ${cursor})`)) : [];
    const [seen] = here;
    if (seen) {
      const said = `the state is the one the link was made for, but ${differenceText(seen)}.`;
      return opened('changed', said, changes);
    }
    const elsewhere =
      own && first ? ` Elsewhere the scenario differs from its record, first ${differenceText(first)}.` : '';
    return opened('same', `same: the state is the one the link was made for.${elsewhere}`);
  }
  if (first) return opened('changed', `${differenceText(first)}.`, changes);
  if (own && changes) return opened('same', 'as recorded; the link carries no digest.');
  return opened('same', 'nothing is recorded of this run, and the link carries no digest to compare.');
}

/** Whether a link means the run of the named scenario itself. */
const isNamed = ({ injections, without, sets, body, edits }: LinkState): boolean =>
  [injections, without, sets, body, edits].every((said) => said === undefined);

const aliasText = ({ slug }: LinkState, { renamed }: Named): string =>
  renamed === undefined ? '' : ` ${slug} is called ${renamed} now.`;

const refused = (sentence: string, record: RecordedRun | undefined): Opened => ({
  kind: 'cannot-run',
  sentence,
  recorded: record ? recordedLines(record) : [],
});

/** What strikes in a recipe, and where, as it is written. */
const eventsOf = ({ injects }: Recipe): string =>
  injects.map(({ event, position }) => `${event} ${printPosition(position)}`).join();

/**
 * The link to a boundary of a run: only what differs from the named scenario is written. Undefined where there is
 * no such scenario, or where the run differs in what a link cannot say: design, start.
 */
export function linkTo(
  recipe: Recipe,
  timeline: Timeline,
  boundary: number,
  { pages, codec }: Opener,
  compare?: string,
): string | undefined {
  const named = findNamed(pages, recipe.slug, recipe.version);
  const digest = timeline.frames[boundary]?.digest;
  if ('problem' in named || digest === undefined) return undefined;
  const base = named.recipe;
  if (base.design !== recipe.design || startOf(base) !== startOf(recipe)) return undefined;
  const { without, sets, body, edits } = recipe;
  // Where the named scenario's own events would strike in this run, so that equal ones are not written again. Another
  // body or other code can move them, or leave no place for them at all.
  const like = { ...base, without, sets, body, edits, cursor: undefined, expects: [] };
  // A run with the very same events shows it itself.
  const { frames, injections } =
    eventsOf(recipe) === eventsOf(base) ? timeline : playRecipe(like, pages, { whole: 1 });
  const state = {
    ...linkOf(
      { ...base, body: bodyOf(base) },
      { cursor: boundary, injections: timeline.injections, without, sets, body: bodyOf(recipe), edits },
      digest,
      frames.length > 0 ? injections : undefined,
    ),
    ...(compare && { compare }),
  };
  return printLink(state, codec);
}
