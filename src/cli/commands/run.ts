import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { problemText, type Source } from '../../asm/source.ts';
import { codec } from '../../literate/codec.ts';
import { PageError, scan } from '../../literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../literate/shelves.ts';
import { known, type Library, scenariosOf } from '../../scenario/library.ts';
import { readPaste } from '../../scenario/mail-in.ts';
import { openLink } from '../../scenario/open-link.ts';
import records from '../../scenario/records.json' with { type: 'json' };
import type { Records } from '../../scenario/records.ts';
import { onPage } from '../../scenario/registry.ts';
import { play } from '../../scenario/run.ts';
import { runData, runText } from '../../scenario/run-text.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import { args, type Command, isFile, json, refuse } from './command.ts';

type Found =
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'link'; readonly text: string }
  | { readonly kind: 'problem'; readonly sentence: string };

export const run: Command = {
  name: 'run',
  summary: 'runs a scenario and prints story, traces, what broke and verdict',
  usage: 'run FILE|SLUG|LINK|- [--json] [--at BOUNDARY|CHECKPOINT] [--pick K]',
  help: [
    'FILE   a recipe, or a page (.mdx) with one scenario; - is standard input, also a mail that quotes a recipe',
    'SLUG   a scenario of the pages (lab list)',
    'LINK   a link to a moment, whole or from /s/ on',
    '--at   where the traces are taken; the cursor of the recipe unless told',
    "--pick the reader's own rule end[-K], 9 unless told",
    '--json {slug, version, steps, digest, verdict, broken: [{invariant, boundary, sentence}], traces, story, recipe}',
    '',
    'Exit status: 0 what the recipe expects (or what the link was made for), 1 something else, 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(
      given,
      { json: { type: 'boolean' }, at: { type: 'string' }, pick: { type: 'string' } },
      1,
    );
    if (!parsed) return 2;
    const { values, positionals } = parsed;
    const [what] = positionals;
    if (what === undefined) return refuse('missing scenario: lab run FILE|SLUG|LINK|-') ?? 2;
    const pick = values.pick === undefined ? undefined : Number(values.pick);
    if (pick !== undefined && !(Number.isInteger(pick) && pick >= 1 && pick <= 512))
      return refuse(`invalid pick: ${values.pick} (1 to 512)`) ?? 2;
    const options = pick === undefined ? {} : { pick };
    const pages = libraryOnDisk();

    const found = find(what, pages);
    if (found.kind === 'problem') return refuse(found.sentence) ?? 2;
    let timeline: Timeline;
    let expected = true;
    const notes: string[] = [];
    if (found.kind === 'link') {
      const opened = openLink(found.text, { pages, records: records as Records, codec }, undefined, options);
      if (opened.kind === 'cannot-run') {
        refuse(`cannot run: ${opened.sentence}`);
        for (const line of opened.recorded) refuse(`  recorded ${line}`);
        return 2;
      }
      timeline = opened.timeline;
      expected = opened.kind === 'same';
      notes.push(opened.sentence);
    } else {
      timeline = play(found.source, pages, options);
      if (timeline.frames.length === 0) {
        for (const problem of timeline.problems) refuse(problemText(problem));
        return 2;
      }
      expected = timeline.problems.length === 0;
    }

    const at = boundaryOf(values.at, timeline);
    if (typeof at === 'string') return refuse(at) ?? 2;
    console.log(values.json ? json(runData(timeline, at)) : runText(timeline, at, notes));
    for (const problem of timeline.problems) refuse(problemText(problem));
    return expected ? 0 : 1;
  },
};

/** A file if there is one, else a link if it looks like one, else a slug. */
function find(what: string, pages: Library): Found {
  if (what === '-') {
    const pasted = readPaste(readFileSync(0, 'utf8'));
    if (pasted.kind === 'nothing') return { kind: 'problem', sentence: pasted.problem };
    return pasted.kind === 'link'
      ? { kind: 'link', text: pasted.text }
      : { kind: 'source', source: pasted.source };
  }
  if (isFile(what)) {
    const text = readFileSync(what, 'utf8');
    const page = relative(process.cwd(), what);
    if (!what.endsWith('.mdx'))
      return { kind: 'source', source: { page, name: page, line: 1, lines: text.split(/\r?\n/) } };
    try {
      const { scenarios } = shelfOf(scan(text, page));
      const [source, more] = scenarios;
      if (!source) return { kind: 'problem', sentence: `missing scenario: ${page} has none` };
      if (more)
        return {
          kind: 'problem',
          sentence: `invalid page: ${page} has several scenarios (${scenarios.map(({ name }) => name).join(', ')}); name one`,
        };
      return { kind: 'source', source };
    } catch (error) {
      if (error instanceof PageError) return { kind: 'problem', sentence: error.message };
      throw error;
    }
  }
  if (/[/#]/.test(what)) return { kind: 'link', text: what };
  const source = onPage(pages, what);
  return source
    ? { kind: 'source', source }
    : { kind: 'problem', sentence: `unknown scenario: ${what}${known('there is', scenariosOf(pages))}` };
}

function boundaryOf(at: string | undefined, { cursor, frames, steps }: Timeline): number | string {
  if (at === undefined) return cursor;
  const number = /^b?\d+$/.test(at)
    ? Number(at.replace('b', ''))
    : steps.find(({ checkpoint }) => checkpoint === at)?.boundary;
  if (number === undefined)
    return `unknown checkpoint: ${at}${known(
      'there is',
      steps.map(({ checkpoint }) => checkpoint),
    )}`;
  return number < frames.length ? number : `invalid boundary: ${at} (0 to ${frames.length - 1})`;
}
