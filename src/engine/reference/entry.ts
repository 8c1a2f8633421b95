/**
 * What the reference pages say of instructions. All of it is made from the table and from the semantics that run:
 * the text by the printer, what is read and written by the recorder, flags from the rows.
 */
import { familyOf } from '../../isa/family.ts';
import type { OperandKind, Slot, Width } from '../../isa/ops.ts';
import { DESCRIPTIONS, type Description } from '../../isa/table/descriptions.ts';
import { casesOf, ENCODINGS } from '../../isa/table/index.ts';
import { type Edge, edgesOf, type FaultLine, type FlagLine, faultsOf, flagsOf } from './effects.ts';
import { sensesOf } from './meanings.ts';
import { type Told, tell, textOf, unique } from './told.ts';

/** Encodings that read the same as text. */
export interface FormLine {
  readonly opcodes: readonly string[];
  /** `add %reg, %reg/mem`; empty where no text means it. */
  readonly text: string;
  readonly widths: readonly Width[];
  readonly lockable: boolean;
  /** Name of what is not modelled, where it stops the run. */
  readonly refused: string | undefined;
}
/** The pseudo-code of one meaning. */
export interface Meaning {
  /** What tells it from the others; empty if there are none. */
  readonly label: string;
  /** The same as another in fewer bits. */
  readonly narrow: boolean;
  readonly lines: readonly string[];
}
/** One family of instructions: a page. */
export interface Entry extends Description {
  readonly family: string;
  readonly mnemonics: readonly string[];
  readonly forms: readonly FormLine[];
  readonly meanings: readonly Meaning[];
  /** What the names of operands in the text may be: `dst` a register or memory. */
  readonly operands: readonly (readonly [name: string, kinds: readonly string[]])[];
  readonly flags: readonly FlagLine[];
  readonly faults: readonly FaultLine[];
  readonly reads: readonly string[];
  readonly writes: readonly Edge[];
  /** Names of what is not modelled that it may stop with. */
  readonly refusals: readonly string[];
  /** Whether any of its encodings runs. */
  readonly runs: boolean;
}

/** Every family, in the order of the descriptions. Throws on a family of rows that has none. */
export function instructionReference(): readonly Entry[] {
  const families = new Map<string, Told[]>();
  for (const encoding of ENCODINGS) {
    const family = familyOf(encoding.row);
    const told = casesOf(encoding).map((found) => tell(encoding, found));
    families.set(family, [...(families.get(family) ?? []), ...told]);
  }
  const missing = [...families.keys()].find((family) => !DESCRIPTIONS.has(family));
  if (missing !== undefined)
    throw new Error(`missing description: ${missing}, in src/isa/table/descriptions.ts`);
  return [...DESCRIPTIONS].flatMap(([family, description]) => {
    const told = families.get(family);
    return told === undefined ? [] : [entryOf(family, description, told)];
  });
}

function entryOf(family: string, description: Description, told: readonly Told[]): Entry {
  const run = told.filter(({ refused }) => refused === undefined);
  const senses = sensesOf(run);
  return {
    ...description,
    family,
    mnemonics: unique(told.map(({ encoding }) => encoding.row.mnemonic)).filter(
      (name) => !name.startsWith('('),
    ),
    forms: formsOf(told),
    meanings: senses.map(({ label, narrow, best }) => ({ label, narrow, lines: best.printer.text() })),
    operands: operandsOf(run),
    flags: flagsOf(run),
    faults: faultsOf(senses),
    ...edgesOf(run),
    refusals: unique(told.flatMap(({ recorder }) => [...recorder.stops].flatMap(refusalOf))),
    runs: run.length > 0,
  };
}

const refusalOf = (stop: string): readonly string[] => /^not modelled: (.*)$/.exec(stop)?.slice(1) ?? [];

function formsOf(told: readonly Told[]): readonly FormLine[] {
  const lines = new Map<string, FormLine>();
  for (const { encoding, refused } of told) {
    const text = textOf(encoding);
    const { row, lockable } = encoding;
    const key = [text, row.widths, lockable, refused].join('|');
    const opcodes = unique([...(lines.get(key)?.opcodes ?? []), row.opcode]);
    lines.set(key, { opcodes, text, widths: row.widths, lockable, refused });
  }
  return [...lines.values()];
}

const KINDS: Readonly<Record<OperandKind, string>> = {
  r: 'register',
  m: 'memory',
  i: 'immediate',
  j: 'where the branch goes',
  '-': '',
};
const SLOTS: readonly Slot[] = ['a', 'b', 'c'];

function operandsOf(told: readonly Told[]): Entry['operands'] {
  const kinds = new Map<string, Set<string>>();
  for (const { labels, shape, encoding } of told)
    SLOTS.forEach((slot, n) => {
      const { kind } = shape[slot];
      const label = labels[slot];
      if (kind === '-' || label === undefined || label === 'RSI') return;
      const word = encoding.forms[n]?.place === 'cl' ? 'CL' : KINDS[kind];
      kinds.set(label, (kinds.get(label) ?? new Set()).add(word));
    });
  return [...kinds].map(([name, words]) => [name, [...words]] as const);
}
