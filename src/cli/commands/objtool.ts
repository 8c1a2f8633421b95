import { problemText } from '../../asm/source.ts';
import { symbolize } from '../../image/image.ts';
import { orcText } from '../../image/orc.ts';
import { checkStacks } from '../../unwind/objtool/objtool.ts';
import { assembleFile } from './assembly.ts';
import { args, type Command, isFile, json, refuse } from './command.ts';

export const objtool: Command = {
  name: 'objtool',
  summary: "walks all paths of a page's code and prints how to unwind from each instruction",
  usage: 'objtool FILE [--json]',
  help: [
    'FILE is a page (.mdx: its asm cells in order) or plain assembly; - is standard input. Prints one ORC row for each',
    'change, and warnings: code that nothing leads to, paths that meet and disagree about the stack, hints that are missing.',
    '--json     {rows, warnings}',
    'Exit status: 0 without warnings, 1 with some, 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' } }, 1);
    const [file] = parsed?.positionals ?? [];
    if (!parsed) return 2;
    if (!file) return refuse('missing file: lab objtool FILE') ?? 2;
    if (file !== '-' && !isFile(file)) return refuse(`unknown file: ${file}`) ?? 2;
    const assembled = assembleFile(file);
    if (!assembled) return 2;
    const { image, problems } = assembled;
    if (problems.length > 0) {
      for (const problem of problems) refuse(problemText(problem));
      return 2;
    }
    const { rows, warnings } = checkStacks(image);
    if (parsed.values.json) console.log(json({ rows, warnings }));
    else {
      for (const row of rows)
        console.log(
          `${row.address.toString(16)}  ${symbolize(image, row.address).replace(/\/.*$/, '').padEnd(28)} ${orcText(row)}`,
        );
      for (const warning of warnings) refuse(`warning: ${problemText(warning)}`);
    }
    return warnings.length > 0 ? 1 : 0;
  },
};
