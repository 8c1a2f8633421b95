/** What becomes of a link: the run it means, and whether that run is still what it was. */
import { known, type Library, scenarioOf, scenariosOf } from './library.ts';
import { applyLink, type Codec, type LinkState, linkOf, parseLink, printLink } from './link.ts';
import { parse } from './recipe.ts';
import type { Recipe } from './recipe-types.ts';
import { type Difference, differences, differenceText, type Records, recordOf } from './records.ts';
import { type PlayOptions, playRecipe } from './run.ts';
import type { Timeline } from './timeline.ts';

export type Opened =
  | {
      readonly kind: 'same' | 'changed';
      readonly timeline: Timeline;
      readonly link: LinkState;
      /** In what the run differs from what was recorded, the earliest first; at least one where `changed`. */
      readonly differences: readonly Difference[];
      /** One sentence for a banner. */
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
  readonly pages: Library;
  readonly records: Records;
  readonly codec: Codec;
}

/**
 * Opens a link: full address, path, or fragment where `base` names the scenario. Never throws, never falls back
 * to another state: what does not run says so, what runs differently says how.
 */
export function openLink(
  text: string,
  { pages, records, codec }: Opener,
  base?: { readonly slug: string; readonly version: number },
  options: PlayOptions = {},
): Opened {
  const read = parseLink(text, codec, base);
  if ('problem' in read) return refused(read.problem, undefined, records);
  const { state } = read;
  const source = scenarioOf(pages, state.slug);
  if (!source)
    return refused(
      `unknown scenario: ${state.slug}${known('there is', scenariosOf(pages))}`,
      state.slug,
      records,
    );
  const { recipe, problems } = parse(source);
  if (!recipe || problems.length > 0)
    return refused(
      `invalid scenario: ${state.slug} (${problems[0]?.message ?? 'no recipe'})`,
      state.slug,
      records,
    );
  if (recipe.version !== state.version)
    return refused(
      `unknown version: ${state.slug} v${state.version} (there is v${recipe.version})`,
      state.slug,
      records,
    );

  // What the scenario expects is said of its own run, not of the one the link means.
  const { cursor, ...rest } = applyLink(recipe, state);
  const named = playRecipe({ ...recipe, expects: [] }, pages, options);
  const checkpoint =
    state.checkpoint === undefined
      ? undefined
      : named.steps.find((step) => step.checkpoint === state.checkpoint);
  if (state.checkpoint !== undefined && !checkpoint && state.cursor === undefined) {
    return refused(
      `unknown checkpoint: ${state.checkpoint}${known(
        `${state.slug} reaches`,
        named.steps.map((step) => step.checkpoint),
      )}`,
      state.slug,
      records,
    );
  }
  const at =
    state.cursor === undefined && checkpoint
      ? ({ kind: 'boundary', n: checkpoint.boundary } as const)
      : cursor;
  const timeline = playRecipe({ ...rest, cursor: at, expects: [] }, pages, options);
  if (timeline.frames.length === 0)
    return refused(timeline.problems[0]?.message ?? 'nothing ran', state.slug, records);

  const record = records[state.slug];
  const changes = record ? differences(record, recordOf(named)) : [];
  const digest = timeline.frames[timeline.cursor]?.digest ?? '';
  const draft = state.version === 0 ? ' This scenario is a draft and may change.' : '';
  if (state.digest !== undefined && state.digest !== digest) {
    const here: Difference = {
      where: `boundary ${timeline.cursor}`,
      field: 'digest',
      recorded: state.digest,
      now: digest,
    };
    const [first] = changes;
    const cause = first
      ? ` The first difference to the record is ${differenceText(first)}.`
      : ' The record of the named scenario shows no difference, so the link itself may be damaged.';
    return {
      kind: 'changed',
      timeline,
      link: state,
      differences: [here, ...changes],
      sentence: `changed: the link was made for state ${state.digest}, this is ${digest}.${cause}${draft}`,
    };
  }
  const [first] = changes;
  if (first && state.digest === undefined) {
    return {
      kind: 'changed',
      timeline,
      link: state,
      differences: changes,
      sentence: `changed: ${differenceText(first)}.${draft}`,
    };
  }
  const said =
    state.digest === undefined
      ? 'as recorded; the link carries no digest'
      : 'same: the state is the one the link was made for';
  return { kind: 'same', timeline, link: state, differences: [], sentence: `${said}.${draft}` };
}

function refused(sentence: string, slug: string | undefined, records: Records): Opened {
  const record = slug === undefined ? undefined : records[slug];
  const recorded = (record?.steps ?? []).map(
    ({ boundary, checkpoint, at, rsp, latch }) =>
      `b${boundary} ${checkpoint}: ${at}, RSP ${rsp}, NMIs ${latch}`,
  );
  return { kind: 'cannot-run', sentence, recorded };
}

/**
 * The link to a boundary of a run: only what differs from the named scenario is written. Undefined where there is
 * no such scenario, or where the run differs in what a link cannot say: design, start, version.
 */
export function linkTo(
  recipe: Recipe,
  timeline: Timeline,
  boundary: number,
  { pages, codec }: Opener,
): string | undefined {
  const source = scenarioOf(pages, recipe.slug);
  const base = source ? parse(source).recipe : undefined;
  const digest = timeline.frames[boundary]?.digest;
  if (!base || digest === undefined) return undefined;
  if (base.version !== recipe.version || base.design !== recipe.design || base.start !== recipe.start)
    return undefined;
  // The named scenario's own events as boundaries, so that equal ones are not written again.
  const { injections } = playRecipe({ ...base, expects: [] }, pages);
  const { without, sets, body, edits } = recipe;
  return printLink(
    linkOf(
      base,
      { cursor: boundary, injections: timeline.injections, without, sets, body, edits },
      digest,
      injections,
    ),
    codec,
  );
}
