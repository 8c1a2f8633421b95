import { libraryOnDisk } from '../../literate/shelves.ts';
import { parse } from '../../scenario/recipe.ts';
import { args, type Command, json } from './command.ts';

export const list: Command = {
  name: 'list',
  summary: 'all scenarios with their designs',
  usage: 'list [--json]',
  help: 'Prints slug, design and title of every scenario on the pages.\n--json   [{slug, title, design}]',
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' } }, 0);
    if (!parsed) return 2;
    const rows = [...libraryOnDisk().values()].flatMap((shelf) =>
      shelf.scenarios.map((cell) => {
        const { recipe } = parse(cell);
        return { slug: cell.name, title: recipe?.title ?? cell.name, design: recipe?.design ?? '' };
      }),
    );
    if (parsed.values.json) console.log(json(rows));
    else
      for (const { slug, title, design } of rows)
        console.log(`${slug.padEnd(24)} ${design.padEnd(12)} ${title}`);
    return 0;
  },
};
