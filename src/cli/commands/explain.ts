import { explainedText, explain as explainLink } from '../../scenario/explain.ts';
import { args, type Command, json, refuse } from './command.ts';
import { openerOnDisk } from './opened.ts';

const STATUS = { same: 0, changed: 1, 'cannot-run': 2 } as const;

export const explain: Command = {
  name: 'explain',
  summary: 'says what a link holds, in words',
  usage: 'explain LINK [--json]',
  help: [
    'LINK    a whole address, or from /s/ on; in quotes, since # begins a comment in a shell',
    '--json  {canonical, parts, recipe, edits, outcome, sentence, details, digest, at}',
    '',
    'Prints every part, the differences from the named scenario, and what became of it. Exit status: 0 same, 1 changed,',
    '2 cannot run.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' } }, 1);
    if (!parsed) return 2;
    const [text] = parsed.positionals;
    if (text === undefined) return refuse('missing link: lab explain LINK') ?? 2;
    const explained = explainLink(text, openerOnDisk());
    console.log(parsed.values.json ? json(explained) : explainedText(explained).join('\n'));
    return STATUS[explained.outcome];
  },
};
