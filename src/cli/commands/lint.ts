import { findingText, lint as lintText } from '../../scenario/lint.ts';
import { args, type Command, isFile, json, readInput, refuse } from './command.ts';

export const lint: Command = {
  name: 'lint',
  summary: 'reads a mail or a changelog as a maintainer would',
  usage: 'lint FILE|- [--columns N] [--json]',
  help: [
    'FILE       text of a mail or a changelog; - is standard input. A patch below --- is not read',
    '--columns  widest line, 75 unless told; 72 leaves room for two quoting marks',
    '--json     [{rule, line, column, sentence, source}]',
    '',
    'Each finding names the section of the handbook, or the check of checkpatch.pl, that it comes from.',
    'Exit status: 0 nothing found, 1 something, 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' }, columns: { type: 'string' } }, 1);
    if (!parsed) return 2;
    const { values, positionals } = parsed;
    const [file] = positionals;
    if (file === undefined) return refuse('missing file: lab lint FILE|-') ?? 2;
    if (file !== '-' && !isFile(file)) return refuse(`unknown file: ${file}`) ?? 2;
    const columns = Number(values.columns ?? 75);
    if (!(Number.isInteger(columns) && columns >= 20 && columns <= 1_000))
      return refuse(`invalid columns: ${values.columns} (20 to 1000)`) ?? 2;
    const findings = lintText(readInput(file).toString(), { columns });
    const name = file === '-' ? 'standard input' : file;
    if (values.json) console.log(json(findings));
    else for (const finding of findings) console.log(findingText(name, finding));
    return findings.length > 0 ? 1 : 0;
  },
};
