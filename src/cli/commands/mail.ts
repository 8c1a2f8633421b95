import { mailFor } from '../../scenario/mail-out.ts';
import { linkTo } from '../../scenario/open-link.ts';
import { args, type Command, json, refuse } from './command.ts';
import { MOMENT, openMoment } from './opened.ts';

export const mail: Command = {
  name: 'mail',
  summary: 'prints a scenario as mail: claim, race table, trace, recipe, link',
  usage: 'mail SLUG|LINK|FILE|- [--changelog] [--at BOUNDARY|CHECKPOINT] [--host HOST] [--json]',
  help: [
    'SLUG  a scenario of the pages (lab list); LINK, FILE and - as for lab run',
    '--changelog  the form for a changelog: no recipe, one Link: tag',
    '--at         the moment it is about; the cursor of the recipe unless told',
    '--host       the site that the link leads to',
    '--json       {text, problems, link, boundary}',
    '',
    'The bytes are those of copy for mail on the site. Exit status: 0 a block as it should be, 1 one with problems',
    '(each a sentence on standard error), 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { ...MOMENT, changelog: { type: 'boolean' } }, 1);
    if (!parsed) return 2;
    const opened = openMoment('mail', parsed);
    if (!opened) return 2;
    const { values } = parsed;
    const { recipe, timeline, boundary, warnings, opener } = opened;
    const link = linkTo(recipe, timeline, boundary, opener);
    const { host, changelog } = values;
    const made = mailFor(timeline, recipe, boundary, link, {
      ...(host !== undefined && { host }),
      ...(changelog && { changelog }),
    });
    const problems = [...warnings, ...made.problems];
    if (values.json) console.log(json({ text: made.text, problems, link, boundary }));
    else process.stdout.write(made.text);
    for (const problem of problems) refuse(problem);
    return problems.length > 0 ? 1 : 0;
  },
};
