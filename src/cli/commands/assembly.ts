/** What an argument of `lab asm` and `lab objtool` means: assembly in a file, or in the cells of a page. */
import { relative } from 'node:path';
import type { Source } from '../../asm/source.ts';
import { PageError, scan } from '../../literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../literate/shelves.ts';
import { cellOf } from '../../scenario/library.ts';
import { assembleText } from '../../scenario/on-demand.ts';
import { type Assembled, programText } from '../../scenario/program.ts';
import { readInput, refuse } from './command.ts';

/** A file as people read its name; `-` is standard input. */
export const inputName = (file: string): string =>
  file === '-' ? 'standard input' : relative(process.cwd(), file);

/** Assembles a file, of a page (.mdx) its asm cells in order. Undefined after a sentence if it is no page. */
export function assembleFile(file: string): Assembled | undefined {
  const text = readInput(file).toString();
  const page = inputName(file);
  let sources: readonly Source[] = [{ page, name: page, line: 1, lines: text.split(/\r?\n/) }];
  if (file.endsWith('.mdx')) {
    try {
      sources = shelfOf(scan(text, page)).asm;
    } catch (error) {
      if (error instanceof PageError) return refuse(error.message);
      throw error;
    }
  }
  const pages = libraryOnDisk();
  return assembleText(programText(sources, (reference) => cellOf(pages, reference)));
}
