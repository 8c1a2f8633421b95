import { readFileSync } from 'node:fs';
import { problemText } from '../../asm/source.ts';
import { symbolize } from '../../image/image.ts';
import { checkLines, differenceText } from './asm-lines.ts';
import { assembleFile, inputName } from './assembly.ts';
import { args, type Command, isFile, json, readInput, refuse } from './command.ts';

export const asm: Command = {
  name: 'asm',
  summary: 'assembles a page, or a file of AT&T assembly',
  usage: 'asm FILE [--lines [--prelude FILE]] [--json]',
  help: [
    'Prints address, bytes and text of every statement. FILE is a page (.mdx: its asm cells in order) or plain',
    'assembly; - is standard input. Sections and symbols are those of the modelled kernel.',
    '--json     {segments, symbols, lines, problems}',
    '',
    '--lines    FILE holds rows of text, TAB and bytes in hexadecimal. Each is assembled alone; every difference is',
    '           printed, then one line that counts; a row that is none has failed. With --json {passed, failed, differences, problems}',
    '--prelude  a file that stands before each of them',
    'Exit status: 0 as expected, 1 differences, 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(
      given,
      { json: { type: 'boolean' }, lines: { type: 'boolean' }, prelude: { type: 'string' } },
      1,
    );
    const [file] = parsed?.positionals ?? [];
    if (!parsed) return 2;
    const { prelude } = parsed.values;
    if (!file) return refuse('missing file: lab asm FILE') ?? 2;
    for (const one of [file, prelude ?? '-'])
      if (one !== '-' && !isFile(one)) return refuse(`unknown file: ${one}`) ?? 2;
    if (parsed.values.lines)
      return compareLines(inputName(file), readInput(file).toString(), prelude, parsed.values.json);
    if (prelude !== undefined) return refuse('invalid option: --prelude belongs to --lines') ?? 2;
    const assembled = assembleFile(file);
    if (!assembled) return 2;
    const { image, problems } = assembled;
    if (parsed.values.json) {
      const segments = image.segments.map((one) => ({
        ...one,
        bytes: Buffer.from(one.bytes).toString('hex'),
      }));
      console.log(json({ segments, symbols: image.symbols, lines: image.lines, problems }));
    } else {
      for (const { address, length, text: statement, origins } of image.lines) {
        const segment = image.segments.find(
          (one) => address >= one.address && address < one.address + BigInt(one.bytes.length),
        );
        const at = Number(address - (segment?.address ?? 0n));
        const bytes = Buffer.from(segment?.bytes.slice(at, at + length) ?? []).toString('hex');
        const symbol = symbolize(image, address).replace(/\/.*$/, '');
        const [place] = origins;
        console.log(
          `${address.toString(16).padStart(16, '0')}  ${bytes.padEnd(24)} ${statement.replace(/\s+/g, ' ').padEnd(34)} ${symbol.padEnd(28)} ${place.page}:${place.line}`,
        );
      }
      for (const problem of problems) refuse(problemText(problem));
    }
    return problems.length > 0 ? 2 : 0;
  },
};

/** Rows of text and bytes; see `asm-lines.ts`. */
function compareLines(
  name: string,
  text: string,
  prelude: string | undefined,
  asJson: boolean | undefined,
): 0 | 1 | 2 {
  const before = prelude === undefined ? undefined : { name: prelude, text: readFileSync(prelude, 'utf8') };
  const { passed, differences, problems } = checkLines(name, text, before);
  for (const problem of problems) refuse(problem);
  const failed = differences.length + problems.length;
  if (asJson) console.log(json({ passed, failed, differences, problems }));
  else {
    for (const difference of differences) console.log(differenceText(name, difference));
    console.log(`${passed} passed, ${failed} failed`);
  }
  if (problems.length > 0) return 2;
  if (passed + failed === 0) return refuse(`${name}: missing rows`) ?? 2;
  return failed > 0 ? 1 : 0;
}
