/** What an argument of a command means, as a run that can be mailed or linked: a scenario, a link, a file, a pasted mail. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { problemText, type Source } from '../../asm/source.ts';
import { codec } from '../../literate/codec.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';
import { known, type Library, scenariosOf } from '../../scenario/library.ts';
import { applyLink } from '../../scenario/link.ts';
import { readPaste } from '../../scenario/mail-in.ts';
import { findNamed } from '../../scenario/named.ts';
import { type Opener, openLink } from '../../scenario/open-link.ts';
import { parse, type Recipe } from '../../scenario/recipe.ts';
import records from '../../scenario/records.json' with { type: 'json' };
import type { Records } from '../../scenario/records.ts';
import { onPage } from '../../scenario/registry.ts';
import { playRecipe } from '../../scenario/run.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import { isFile } from './command.ts';

export interface OpenedRun {
  readonly recipe: Recipe;
  readonly timeline: Timeline;
  readonly boundary: number;
  /** What the reader should know: that a link no longer shows what it was made for. */
  readonly warnings: readonly string[];
}

/** The pages on disk, with what was recorded of them. */
export const openerOnDisk = (): Opener => ({ pages: libraryOnDisk(), records: records as Records, codec });

/** A run, or the sentences that say why there is none. `at` is a boundary or a checkpoint; the cursor without it. */
export function openArgument(
  what: string,
  at: string | undefined,
  opener: Opener,
): OpenedRun | { readonly problems: readonly string[] } {
  const found = sourceOf(what, opener.pages);
  if ('problem' in found) return { problems: [found.problem] };
  const warnings: string[] = [];
  let recipe: Recipe | undefined;
  if ('link' in found) {
    const opened = openLink(found.link, opener);
    if (opened.kind === 'cannot-run')
      return {
        problems: [`cannot run: ${opened.sentence}`, ...opened.recorded.map((line) => `  recorded ${line}`)],
      };
    if (opened.kind === 'changed') warnings.push(opened.sentence);
    const named = findNamed(opener.pages, opened.link.slug, opened.link.version);
    const cursor = { kind: 'boundary', n: opened.timeline.cursor } as const;
    if (!('problem' in named)) recipe = { ...applyLink(named.recipe, opened.link), cursor };
  } else {
    const read = parse(found.source);
    if (read.problems.length > 0) return { problems: read.problems.map(problemText) };
    recipe = read.recipe;
  }
  if (!recipe) return { problems: [`missing recipe: ${what}`] };
  const timeline = playRecipe(recipe, opener.pages);
  if (timeline.frames.length === 0) return { problems: timeline.problems.map(problemText) };
  const boundary = boundaryOf(at, timeline);
  return typeof boundary === 'string' ? { problems: [boundary] } : { recipe, timeline, boundary, warnings };
}

function sourceOf(
  what: string,
  pages: Library,
): { readonly source: Source } | { readonly link: string } | { readonly problem: string } {
  const file = what !== '-' && isFile(what);
  if (what === '-' || file) {
    const pasted = readPaste(readFileSync(file ? what : 0, 'utf8'));
    if (pasted.kind === 'nothing') return { problem: pasted.problem };
    if (pasted.kind === 'link') return { link: pasted.text };
    return { source: { ...pasted.source, page: file ? relative(process.cwd(), what) : 'standard input' } };
  }
  if (/[/#]/.test(what)) return { link: what };
  const source = onPage(pages, what);
  return source
    ? { source }
    : { problem: `unknown scenario: ${what}${known('there is', scenariosOf(pages))}` };
}

function boundaryOf(at: string | undefined, { cursor, frames, steps }: Timeline): number | string {
  if (at === undefined) return cursor;
  const boundary = /^b?\d+$/.test(at)
    ? Number(at.replace('b', ''))
    : steps.find(({ checkpoint }) => checkpoint === at)?.boundary;
  if (boundary === undefined)
    return `unknown checkpoint: ${at}${known(
      'there is',
      steps.map(({ checkpoint }) => checkpoint),
    )}`;
  return boundary < frames.length ? boundary : `invalid boundary: ${at} (0 to ${frames.length - 1})`;
}
