import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { assemble } from '../../asm/assemble.ts';
import { problemText } from '../../asm/source.ts';
import { symbolize } from '../../image/image.ts';
import { SECTIONS, SYMBOLS } from '../../kernel/memory-map.ts';
import { PageError, scan } from '../../literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../literate/shelves.ts';
import { cellOf } from '../../scenario/library.ts';
import { args, type Command, json, refuse } from './command.ts';

export const asm: Command = {
  name: 'asm',
  summary: 'assembles a page, or a file of AT&T assembly',
  usage: 'asm FILE [--json]',
  help: 'Prints address, bytes and text of every statement. FILE is a page (.mdx: its asm cells in order) or plain\nassembly; - is standard input. Sections and symbols are those of the modelled kernel.\n--json   {segments, symbols, lines, problems}',
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' } }, 1);
    const [file] = parsed?.positionals ?? [];
    if (!parsed) return 2;
    if (!file) return refuse('missing file: lab asm FILE') ?? 2;
    if (file !== '-' && !existsSync(file)) return refuse(`unknown file: ${file}`) ?? 2;
    const text = readFileSync(file === '-' ? 0 : file, 'utf8');
    const page = file === '-' ? 'standard input' : relative(process.cwd(), file);
    let sources = [{ page, name: page, line: 1, lines: text.split(/\r?\n/) }];
    if (file.endsWith('.mdx')) {
      try {
        sources = shelfOf(scan(text, page)).asm.map((cell) => ({ ...cell, lines: [...cell.lines] }));
      } catch (error) {
        if (error instanceof PageError) return refuse(error.message) ?? 2;
        throw error;
      }
    }
    const pages = libraryOnDisk();
    const { image, problems } = assemble(sources, {
      sections: SECTIONS,
      symbols: SYMBOLS,
      include: (reference) => cellOf(pages, reference),
    });
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
