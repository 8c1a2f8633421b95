/** The texts of a family: one for all shapes that differ only in width or in where an operand is. */
import { type Told, textOf, unique } from './told.ts';

/** Shapes that say the same, and the one of them that is shown. */
export interface Sense {
  readonly group: readonly Told[];
  readonly best: Told;
  /** `div, 8 bits`: what tells it from the family's other senses; empty if there is only one. */
  readonly label: string;
  /** The same in fewer bits. */
  readonly narrow: boolean;
}

/** What goes with the width and says nothing new: registers, the top bit, the size of a step. */
function skeleton({ printer, shape: { width } }: Told): string {
  const bytes = width / 8;
  return printer
    .text()
    .join('\n')
    .replace(/memory\d+\[(dst|src2?|RSI)\]/g, '$1')
    .replace(/\b(memory|flags|signed)\d+\b/g, '$1')
    .replace(/\blow\d+(?=\()/g, '')
    .replace(/\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)$/gm, '$1')
    .replace(/\b[ER]?(AX|DX)\b/g, '$1')
    .replace(/\bAL\b/g, 'AX')
    .replaceAll(`[${width - 1}]`, '[top]')
    .replaceAll(`[${width}]`, '[width]')
    .replaceAll(`(${width} - `, '(width - ')
    .replace(new RegExp(`(<<|>>s?) ${width}\\b`, 'g'), '$1 width')
    .replaceAll(`>> ${width - 1}`, '>> top')
    .replaceAll(`& ${width - 1})`, '& top)')
    .replaceAll(`>>s ${Math.log2(width)})`, '>>s log)')
    .replaceAll(`* ${bytes})`, '* size)')
    .replaceAll(`? -${bytes} : ${bytes}`, '? -size : size')
    .replace(new RegExp(`(R[SB]P [+-]) ${bytes}\\b`, 'g'), '$1 size');
}

/** 64 bits and registers are plainest. */
const plainness = ({ shape }: Told): number =>
  shape.width + (shape.a.kind === 'm' ? 0 : 1) + (shape.b.kind === 'r' ? 1 : 0);

/** The senses of a family, the widest first; what has no width counts as the widest. */
export function sensesOf(told: readonly Told[]): readonly Sense[] {
  const groups = new Map<string, Told[]>();
  for (const one of told) {
    const key = skeleton(one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .map((group) => ({
      group,
      best: group.reduce((best, one) => (plainness(one) > plainness(best) ? one : best)),
      label: groups.size > 1 ? labelOf(group, told) : '',
    }))
    .sort((one, other) => other.best.shape.width - one.best.shape.width)
    .map((sense, _, [widest]) => ({
      ...sense,
      narrow: sense.best.shape.width < (widest?.best.shape.width ?? 0),
    }));
}

/** By mnemonic; if that does not tell them apart by width, and if that does not either by operands. */
function labelOf(group: readonly Told[], all: readonly Told[]): string {
  const others = all.filter((one) => !group.includes(one));
  const tells = (of: (one: Told) => string): boolean => {
    const mine = new Set(group.map(of));
    return !others.some((one) => mine.has(of(one)));
  };
  const name = ({ encoding }: Told): string => encoding.row.mnemonic;
  const width = ({ encoding, shape }: Told): string =>
    encoding.row.widths.length > 0 ? `${shape.width}` : '';
  const text = ({ encoding, shape }: Told): string => textOf(encoding, shape);
  const list = (of: (one: Told) => string): string => unique(group.map(of)).join(', ');
  const bits = `${list(width)} bits`;
  const severalNames = unique(all.map(name)).length > 1;
  const named = (rest: string): string => (severalNames ? `${list(name)}, ${rest}` : rest);
  if (tells(name)) return list(name);
  if (tells((one) => `${name(one)} ${width(one)}`)) return named(bits);
  const texts = unique(group.map(text)).join(' or ');
  return tells(text) ? texts : `${texts}, ${bits}`;
}
