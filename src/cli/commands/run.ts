import { problemText } from '../../asm/source.ts';
import { openLink } from '../../scenario/open-link.ts';
import { play } from '../../scenario/run.ts';
import { runData, runText } from '../../scenario/run-text.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import { args, type Command, json, refuse } from './command.ts';
import { boundaryOf, named, openerOnDisk } from './opened.ts';

export const run: Command = {
  name: 'run',
  summary: 'runs a scenario and prints story, traces, what broke and verdict',
  usage: 'run FILE|SLUG|LINK|- [--json] [--at BOUNDARY|CHECKPOINT] [--pick K]',
  help: [
    'FILE   a recipe, a mail that quotes one, or a page (.mdx) with one scenario; - is standard input',
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
    const opener = openerOnDisk();

    const found = named(what, opener.pages);
    if ('problem' in found) return refuse(found.problem) ?? 2;
    let timeline: Timeline;
    let expected = true;
    const notes: string[] = [];
    if ('link' in found) {
      const opened = openLink(found.link, opener, undefined, options);
      if (opened.kind === 'cannot-run') {
        refuse(`cannot run: ${opened.sentence}`);
        for (const line of opened.recorded) refuse(`  recorded ${line}`);
        return 2;
      }
      timeline = opened.timeline;
      expected = opened.kind === 'same';
      notes.push(opened.sentence);
    } else {
      timeline = play(found.source, opener.pages, options);
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
