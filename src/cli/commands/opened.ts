/** What an argument of a command means, as a run that can be mailed or linked: a scenario, a link, a file, a pasted mail. */
import { relative } from 'node:path';
import { problemText, type Source } from '../../asm/source.ts';
import { codec } from '../../literate/codec.ts';
import { PageError, scan } from '../../literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../literate/shelves.ts';
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
import { isFile, readInput, refuse } from './command.ts';

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
  const found = named(what, opener.pages);
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
    const own = findNamed(opener.pages, opened.link.slug, opened.link.version);
    const cursor = { kind: 'boundary', n: opened.timeline.cursor } as const;
    if (!('problem' in own)) recipe = { ...applyLink(own.recipe, opened.link), cursor };
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

/** Options of a command about one moment of a run. */
export const MOMENT = {
  json: { type: 'boolean' },
  at: { type: 'string' },
  host: { type: 'string' },
} as const;

/** Opens the argument of `lab NAME`; without one, or if there is no run, undefined after the sentences that say so. */
export function openMoment(
  name: string,
  { values, positionals: [what] }: { values: { at?: string | undefined }; positionals: readonly string[] },
): (OpenedRun & { readonly opener: Opener }) | undefined {
  if (what === undefined) return refuse(`missing scenario: lab ${name} SLUG|LINK|FILE|-`);
  const opener = openerOnDisk();
  const opened = openArgument(what, values.at, opener);
  if (!('problems' in opened)) return { ...opened, opener };
  for (const problem of opened.problems) refuse(problem);
  return undefined;
}

/** What an argument names: a scenario as text, a link, or why there is neither. */
export type Named = { readonly source: Source } | { readonly link: string } | { readonly problem: string };

/** A file if there is one, else a link if it looks like one, else the slug of a scenario; `-` is standard input. */
export function named(what: string, pages: Library): Named {
  if (what === '-') return paste(readInput(what).toString(), 'standard input');
  if (isFile(what)) {
    const text = readInput(what).toString();
    const page = relative(process.cwd(), what);
    if (what.endsWith('.mdx')) return onlyScenario(text, page);
    // A recipe from its first word is read to its last one; in a mail it ends where prose begins.
    if (!/^\s*scenario\s/.test(text)) return paste(text, page);
    return { source: { page, name: page, line: 1, lines: text.split(/\r?\n/) } };
  }
  if (/[/#]/.test(what)) return { link: what };
  const source = onPage(pages, what);
  return source
    ? { source }
    : { problem: `unknown scenario: ${what}${known('there is', scenariosOf(pages))}` };
}

function paste(text: string, page: string): Named {
  const pasted = readPaste(text);
  if (pasted.kind === 'nothing') return { problem: pasted.problem };
  return pasted.kind === 'link' ? { link: pasted.text } : { source: { ...pasted.source, page } };
}

function onlyScenario(text: string, page: string): Named {
  try {
    const { scenarios } = shelfOf(scan(text, page));
    const [source, more] = scenarios;
    if (!source) return { problem: `missing scenario: ${page} has none` };
    if (!more) return { source };
    const names = scenarios.map(({ name }) => name).join(', ');
    return { problem: `invalid page: ${page} has several scenarios (${names}); name one` };
  } catch (error) {
    if (error instanceof PageError) return { problem: error.message };
    throw error;
  }
}

/** The boundary that `--at` names, the cursor without it; a text says why there is none. */
export function boundaryOf(at: string | undefined, { cursor, frames, steps }: Timeline): number | string {
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
