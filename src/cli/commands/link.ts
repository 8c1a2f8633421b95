import { doorOf } from '../../explore/door.ts';
import { addressOf, HOST } from '../../scenario/mail-out.ts';
import { linkTo } from '../../scenario/open-link.ts';
import { print } from '../../scenario/recipe.ts';
import { args, type Command, json, refuse } from './command.ts';
import { MOMENT, openMoment } from './opened.ts';

export const link: Command = {
  name: 'link',
  summary: 'prints the link to a moment of a scenario',
  usage: 'link SLUG|LINK|FILE|- [--at BOUNDARY|CHECKPOINT] [--host HOST] [--json]',
  help: [
    'SLUG    a scenario of the pages (lab list); LINK, FILE and - as for lab run',
    '--at    the moment; the cursor of the recipe unless told',
    '--host  the site that the link leads to',
    '--json  {link, path, boundary, digest}',
    '',
    'A link says what a recipe says beyond a named scenario; a recipe without a page, as lab sweep prints it, is said by the',
    'nearest that has one. Exit status 1: no link can say this one.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, MOMENT, 1);
    if (!parsed) return 2;
    const opened = openMoment('link', parsed);
    if (!opened) return 2;
    const { values } = parsed;
    const { recipe, timeline, boundary, warnings, opener } = opened;
    // What has no page of its own, as what a sweep finds, is said by what differs from a scenario that has one.
    const path = linkTo(recipe, timeline, boundary, opener) ?? doorOf(print(recipe), boundary, opener).link;
    if (path === undefined)
      return (
        refuse(
          `missing link: no page has the scenario ${recipe.slug} v${recipe.version}, nor another with this design and start`,
        ) ?? 1
      );
    const address = addressOf(path, values.host ?? HOST);
    const digest = timeline.frames[boundary]?.digest;
    console.log(values.json ? json({ link: address, path, boundary, digest }) : address);
    for (const warning of warnings) refuse(warning);
    return warnings.length > 0 ? 1 : 0;
  },
};
