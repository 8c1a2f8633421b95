/** The instruction reference as the site builds it: made once, from the tables, the semantics and the test blocks. */
import { type Entry, instructionReference } from '../engine/reference/entry.ts';
import { familiesOf, MNEMONICS } from '../isa/mnemonics.ts';
import { type Examples, examples } from './examples.ts';

export interface InstructionPage extends Entry, Examples {
  /** Families that a mnemonic of this one may also mean: `mov-cr` beside `mov`. */
  readonly alsoMeans: readonly string[];
}

export const INSTRUCTIONS: readonly InstructionPage[] = (() => {
  const blocks = examples();
  const sharing = (family: string, names: readonly string[]) =>
    new Set(
      MNEMONICS.filter((spelling) => names.some((name) => spelling.startsWith(name)))
        .map(familiesOf)
        .filter((families) => families.includes(family))
        .flat(),
    );
  return instructionReference().map((entry) => ({
    ...entry,
    ...(blocks.get(entry.family) ?? { chosen: [], all: [] }),
    alsoMeans: [...sharing(entry.family, entry.mnemonics)].filter((family) => family !== entry.family),
  }));
})();

/** Every spelling an assembler takes that is not the name of a family, and the family it leads to. */
export const SPELLINGS: readonly (readonly [spelling: string, family: string])[] = (() => {
  const families = new Set(INSTRUCTIONS.map(({ family }) => family));
  return MNEMONICS.flatMap((spelling) => {
    const [family] = familiesOf(spelling);
    return family === undefined || families.has(spelling) ? [] : [[spelling, family] as const];
  });
})();
