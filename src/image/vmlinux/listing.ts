/** A routine as it is shown: its instructions, what may be written over them at boot, and the ORC rows in force. */
import type { Kernel } from '../kernel-file.ts';
import { type OrcRow, type OrcTable, orcText } from '../orc.ts';
import { type FileProblem, fileProblemText, hex, isProblem } from '../reading.ts';
import type { AlternativeSite } from './alternatives.ts';
import { ALWAYS } from './features.ts';
import { type Listed, listRoutine, routineEnd } from './routine.ts';

/** Alike names that are told where one is not known. */
const SHOWN = 5;

/** The address of a symbol, or of text that is one in hexadecimal; else a sentence. */
export function locate({ symbols }: Kernel, name: string): bigint | { readonly problem: string } {
  const found = symbols.address(name);
  if (found !== undefined) return found;
  if (/^(0x)?[\da-f]{8,16}$/i.test(name)) return BigInt(`0x${name.replace(/^0x/i, '')}`);
  const alike = symbols.all.filter((one) => one.name.includes(name)).map((one) => one.name);
  const more = alike.length > SHOWN ? ', ...' : '';
  return {
    problem: `unknown symbol: ${name}${alike.length > 0 ? ` (there is ${alike.slice(0, SHOWN).join(', ')}${more})` : ''}`,
  };
}

/** The names of a list with commas; `none` alone is an empty one. */
export const featureNames = (list: string): readonly string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'none');

/** Numbers of features by their names, or the first name that this kernel does not know. */
export function featureNumbers(
  { features }: Kernel,
  names: readonly string[],
): ReadonlySet<number> | { readonly unknown: string } {
  const numbers = new Set<number>();
  for (const name of names) {
    const number = features.number(name);
    if (number === undefined) return { unknown: name };
    numbers.add(number);
  }
  return numbers;
}

export interface ListingRow {
  readonly address: bigint;
  /** From the beginning of the routine. */
  readonly offset: number;
  /** Two digits a byte. */
  readonly bytes: string;
  readonly text: string;
  /** What it branches to, as the text has it: `repeat_nmi+0x4`. */
  readonly target: string | undefined;
  /** That place as an offset, where an instruction of this listing begins there. */
  readonly inside: number | undefined;
  readonly labels: readonly string[];
  /** What may be written over it: `if smap: 0f01ca`; nothing in text that is patched already. */
  readonly alternatives: readonly string[];
  /** ORC rows that begin to be in force at this instruction, and `+0x7: ...` so far inside it. */
  readonly orc: readonly string[];
}

export interface Listing {
  readonly symbol: string;
  /** Names of features it was patched for; undefined as it was linked. */
  readonly features: readonly string[] | undefined;
  readonly rows: readonly ListingRow[];
  /** Features that alternatives of this routine ask for. */
  readonly asked: readonly string[];
  /** Why there are no ORC rows, where they were wanted. */
  readonly noOrc: string | undefined;
}

/** `if smap: 0f01ca`, what would be written here. */
const alternativeText = (kernel: Kernel, { feature, not, bytes, directCall }: AlternativeSite): string =>
  `${not ? 'if not' : 'if'} ${kernel.features.name(feature)}: ${directCall ? 'a direct call' : hex(bytes) || 'nops'}`;

/** Where an instruction branches to, other than by a register or memory. */
function targetOf({ address, bytes, instruction }: Listed): bigint | undefined {
  const { mnemonic = '' } = instruction?.row ?? {};
  // By a register or memory there is no distance.
  if (!instruction?.distance || !(mnemonic === 'call' || mnemonic.startsWith('j'))) return undefined;
  const target = address + BigInt(bytes.length) + instruction.distance;
  return BigInt.asUintN(64, target);
}

/**
 * The routine at `from`.
 *
 * @param features names that the kernel knows; without them the text as it was linked
 * @param orc whether its ORC rows are wanted: all of the kernel are read for that
 */
export function listing(
  kernel: Kernel,
  symbol: string,
  from: bigint,
  {
    features,
    orc = false,
  }: { readonly features?: readonly string[] | undefined; readonly orc?: boolean } = {},
): Listing | FileProblem {
  const to = routineEnd(kernel, from);
  const chosen = features && featureNumbers(kernel, features);
  if (chosen && 'unknown' in chosen)
    return { problem: `unknown feature: ${chosen.unknown}`, reading: 'features', at: 0 };
  const listed = listRoutine(kernel, from, to, chosen);
  if (isProblem(listed)) return listed;
  const { alternatives } = kernel;
  const sites = isProblem(alternatives)
    ? []
    : alternatives.sites.filter(({ address }) => address >= from && address < to);
  const table = orc ? kernel.orcTable : undefined;
  const rowsAt = table && !isProblem(table) ? orcRowsBeside(table) : () => [];
  const starts = new Set(listed.map(({ address }) => address));
  return {
    symbol,
    features,
    asked: [...new Set(sites.map(({ feature }) => feature))]
      .filter((feature) => feature !== ALWAYS)
      .map(kernel.features.name),
    noOrc: table && isProblem(table) ? fileProblemText(table) : undefined,
    rows: listed.map((one): ListingRow => {
      const target = targetOf(one);
      return {
        address: one.address,
        offset: Number(one.address - from),
        bytes: hex(one.bytes),
        text: one.text,
        target: target === undefined ? undefined : kernel.symbols.name(target),
        inside: target !== undefined && starts.has(target) ? Number(target - from) : undefined,
        labels: one.labels,
        alternatives: chosen
          ? []
          : sites
              .filter(({ address }) => address === one.address)
              .map((site) => alternativeText(kernel, site)),
        orc: rowsAt(one),
      };
    }),
  };
}

/** Tells, of instructions in their order, the rows that come into force with each. */
function orcRowsBeside(table: OrcTable): (one: Listed) => readonly string[] {
  let before: OrcRow | undefined;
  return ({ address, bytes }) => {
    const end = address + BigInt(bytes.length);
    const [first, ...inside] = table.within(address, end);
    const said = first && first !== before ? [orcText(first)] : [];
    before = inside.at(-1) ?? first;
    return [...said, ...inside.map((row) => `${offsetText(Number(row.address - address))}: ${orcText(row)}`)];
  };
}

/** `+0x1c`. */
export const offsetText = (offset: number): string => `+0x${offset.toString(16)}`;

/** As text: ORC rows stand before the instruction that they are in force at. */
export function listingLines({ symbol, features, rows }: Listing): readonly string[] {
  return [
    `${symbol}: ${features ? `text patched for a processor with: ${features.join(',') || 'none'}` : 'text as linked'}`,
    ...rows.flatMap(({ address, offset, bytes, text, labels, alternatives, orc }) => [
      ...labels.map((label) => `${label}:`),
      ...orc.map((row) => `      orc ${row}`),
      `  ${address.toString(16)} ${offsetText(offset).padEnd(7)} ${bytes.padEnd(22)} ${text}${alternatives.map((one) => `  ; ${one}`).join('')}`,
    ]),
  ];
}
