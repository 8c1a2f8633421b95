/** Text made into code. Nothing imports this file but on demand: it brings the assembler. */
import { assemble } from '../asm/assemble.ts';
import { listing } from '../asm/listing.ts';
import { stackSymbols } from '../kernel/design-of.ts';
import { SECTIONS, SYMBOLS } from '../kernel/memory-map.ts';
import { withOrc } from '../unwind/objtool/objtool.ts';
import type { Assembled, ProgramText } from './program.ts';

/** Directives that say nothing about what runs. */
const BOOKKEEPING = /^(\.(globl|global|size|type)\b|UNWIND_HINT)/;

/** Assembles a text. */
export function assembleText(text: ProgramText): Assembled {
  const { sources, include } = text;
  const stacks = stackSymbols(text.declared);
  const symbols = { ...SYMBOLS, ...stacks.symbols };
  const { image, problems } = assemble(sources, { sections: SECTIONS, symbols, include });
  const code = listing(sources, image).filter(
    ({ kind, text: line }) => kind !== 'directive' || !BOOKKEEPING.test(line),
  );
  // What does not assemble has no paths to walk.
  return {
    image: problems.length > 0 ? image : withOrc(image),
    code,
    problems: [...text.problems, ...stacks.problems, ...problems],
  };
}
