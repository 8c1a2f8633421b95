/** Every row, and every combination of widths and operand kinds semantics are asked for. */
import type { Row } from '../instruction.ts';
import { type Encoding, shapeOf, understand } from '../notation.ts';
import type { Semantics, Shape, Width } from '../ops.ts';
import { ARITHMETIC_ROWS } from './arithmetic.ts';
import { CONTROL, FLAG_ROWS, STACK, STRING } from './control.ts';
import { DATA } from './data.ts';
import { REFUSED } from './refused.ts';
import { SYSTEM } from './system.ts';

export const ROWS: readonly Row[] = [
  ...STACK,
  ...DATA,
  ...ARITHMETIC_ROWS,
  ...CONTROL,
  ...STRING,
  ...FLAG_ROWS,
  ...SYSTEM,
  ...REFUSED,
];

/** The rows, understood, in the same order. Where two encodings are equally long, the encoder takes the first. */
export const ENCODINGS: readonly Encoding[] = ROWS.map(understand);

/** The widths a shape of this encoding can have; one nominal width where width means nothing. */
export const widthsOf = ({ row }: Encoding): readonly Width[] => (row.widths.length > 0 ? row.widths : [64]);

/** What a backend makes a meaning of: one semantics in one shape. */
export interface Case {
  /** `add/32 m,r`: mnemonic, width, kinds as semantics see them. Unique. */
  readonly name: string;
  readonly shape: Shape;
  readonly semantics: Semantics;
}

/** The cases of one encoding; other encodings may have the same. */
export function casesOf(encoding: Encoding): readonly Case[] {
  const rm = encoding.forms.find((form) => form.place === 'rm');
  const kinds = [...(rm?.register ? [false] : []), ...(rm?.memory ? [true] : []), ...(rm ? [] : [false])];
  return widthsOf(encoding).flatMap((width) =>
    kinds.map((memory) => {
      const shape = shapeOf(encoding, width, memory);
      return { name: shape.name, shape, semantics: encoding.row.semantics };
    }),
  );
}

/** Every case once; encodings that differ only in bytes share one. */
export const CASES: readonly Case[] = [
  ...new Map(
    ENCODINGS.flatMap(casesOf)
      .reverse()
      .map((found) => [found.name, found]),
  ).values(),
].reverse();
