import { existsSync, statSync } from 'node:fs';
import { checkVectors, failureText } from '../vectors/check.ts';
import { plain } from '../vectors/read.ts';
import { args, type Command, json, readInput, refuse } from './command.ts';

export const vectors: Command = {
  name: 'vectors',
  summary: 'runs test vectors on the engine',
  usage: 'vectors FILE|- [--json]',
  help: [
    'FILE     vectors, one JSON object a line, plain or gzipped; - is standard input',
    '--json   {passed, failed, mismatches: [{id, line, field, expected, got}], problems: [{line, problem}]}',
    '',
    'A vector is {"id","class","att","bytes","in","out","fault","undef"}: one instruction in ring 3, with a code',
    'page at 0x10000000 and 64 KiB of data at 0x20000000. Every mismatch is printed, then one line that counts.',
    'A line that is no vector is told with its number and counts as failed.',
    'Exit status: 0 all passed, 1 some failed, 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' } }, 1);
    if (!parsed) return 2;
    const [file] = parsed.positionals;
    if (file === undefined) return refuse('missing file: lab vectors FILE|-') ?? 2;
    if (file !== '-' && !existsSync(file)) return refuse(`unknown file: ${file}`) ?? 2;
    if (file !== '-' && statSync(file).isDirectory())
      return refuse(`invalid file: ${file} is a directory`) ?? 2;
    const name = file === '-' ? 'standard input' : file;
    const bytes = plain(readInput(file));
    if ('problem' in bytes) return refuse(`${name}: ${bytes.problem}`) ?? 2;

    const mismatches: object[] = [];
    const { passed, failed, problems } = checkVectors(bytes, (failure) => {
      if (!parsed.values.json) console.log(failureText(failure));
      else
        for (const one of failure.mismatches)
          mismatches.push({ id: failure.vector.id, line: failure.line, ...one });
    });
    for (const { line, problem } of problems) refuse(`${name}:${line}: ${problem}`);
    if (parsed.values.json) console.log(json({ passed, failed, mismatches, problems }));
    else console.log(`${passed} passed, ${failed} failed`);
    if (problems.length > 0) return 2;
    if (passed + failed === 0) return refuse(`${name}: missing vectors`) ?? 2;
    return failed > 0 ? 1 : 0;
  },
};
