/**
 * From AT&T text, already split into operands, to bytes: the shortest encoding, as GNU as picks it.
 * Reads the table and nothing else.
 */
import type { AsmOperand } from './asm-operand.ts';
import { PREFIX, type Prefix } from './instruction.ts';
import { type Meaning, MNEMONICS, meaningsOf } from './mnemonics.ts';
import type { Form } from './notation.ts';
import type { Width } from './ops.ts';
import { type Field, type Misfit, place } from './place.ts';
import { registerOf } from './registers.ts';
import { ENCODINGS } from './table/index.ts';
import { VEX_EXCLUDES } from './vex.ts';

export type { AsmOperand };

export interface EncodeProblem {
  /** One sentence: `invalid immediate: 0x123456789 does not fit 32 bits`. */
  readonly problem: string;
  /** Index of the operand it is about, in AT&T order. */
  readonly operand?: number;
}

/** Every mnemonic `encode` knows, sorted: for completion and for hints at unknown ones. */
export const mnemonics: readonly string[] = MNEMONICS;

const PREFIX_NAMES: ReadonlyMap<string, Prefix> = new Map([
  ...(Object.keys(PREFIX) as Prefix[]).map((name): [string, Prefix] => [name, name]),
  ['rep', 'repz'],
  ['repe', 'repz'],
  ['repne', 'repnz'],
  ['bnd', 'repnz'],
  ['notrack', 'ds'],
  ['addr', 'addr32'],
]);
/** The order GNU as writes prefixes in. */
const ORDER: readonly Prefix[] = [
  'es',
  'cs',
  'ss',
  'ds',
  'fs',
  'gs',
  'addr32',
  'data16',
  'repz',
  'repnz',
  'lock',
];

/** Registers that are named in the table only: segment, control and debug registers. */
const FIXED_REGISTERS: ReadonlySet<string> = new Set(
  ENCODINGS.flatMap(({ forms }) => forms.filter((form) => form.place === 'fixed').map((form) => form.text)),
);
const isRegister = (name: string): boolean => registerOf(name) !== undefined || FIXED_REGISTERS.has(name);

type Attempt =
  | { readonly bytes: Uint8Array; readonly width: Width; readonly unsaid: boolean }
  | { readonly misfit: Misfit };

/**
 * Encode one instruction. `mnemonic` with or without width suffix, operands in AT&T order, prefixes by
 * name (`rep`, `lock`). Never throws.
 */
export function encode(
  mnemonic: string,
  operands: readonly AsmOperand[],
  prefixes: readonly string[] = [],
): { readonly bytes: Uint8Array } | EncodeProblem {
  const known: Prefix[] = [];
  for (const name of prefixes) {
    const prefix = PREFIX_NAMES.get(name);
    if (prefix === undefined) return { problem: `unknown prefix: ${name}` };
    known.push(prefix);
  }
  const text = mnemonic.toLowerCase();
  // INT $3 has a form of one byte, which GNU as takes.
  const [first] = operands;
  if (
    text === 'int' &&
    operands.length === 1 &&
    first?.kind === 'immediate' &&
    first.value === 3n &&
    !first.wide
  )
    return encode('int3', [], prefixes);
  const repeat = known.findLast((prefix) => prefix === 'repz' || prefix === 'repnz');
  const short = known.includes('addr32') ? 'addr32' : undefined;
  const special = spelled(text, [short, repeat]);
  const made = encodeAs(mnemonic, text, operands, known, special);
  if ('bytes' in made || !special.own.has('addr32')) return made;
  const other = encodeAs(mnemonic, text, operands, known, spelled(text, [repeat]));
  return 'bytes' in other ? other : made;
}

/** What a spelling means, and which prefixes are part of it. */
interface Spelled {
  readonly meanings: readonly Meaning[];
  readonly own: ReadonlySet<Prefix>;
}

function encodeAs(
  mnemonic: string,
  text: string,
  operands: readonly AsmOperand[],
  known: readonly Prefix[],
  { meanings, own }: Spelled,
): { readonly bytes: Uint8Array } | EncodeProblem {
  if (meanings.length === 0) return { problem: `unknown mnemonic: ${mnemonic}` };
  const extra = known.filter((prefix) => !own.has(prefix));
  if (extra.includes('lock') && !meanings.some(({ encoding }) => encoding.lockable))
    return { problem: `invalid prefix: lock before ${mnemonic}` };

  const stranger = operands.findIndex((operand) => operand.kind === 'register' && !isRegister(operand.name));
  if (stranger >= 0)
    return {
      problem: `unknown register: ${textOf(operands[stranger] ?? { kind: 'register', name: '' })}`,
      operand: stranger,
    };
  const attempts = meanings.map((meaning) => attempt(meaning, text, operands, extra));
  const fits = attempts.filter((tried) => 'bytes' in tried);
  const widths = new Set(fits.map(({ width }) => width));
  const bare = meanings.some((meaning) => !meaning.suffixed);
  if (widths.size > 1 && bare && !meanings.every(({ encoding }) => encoding.unsaid !== undefined))
    return {
      problem: `missing width: ${[mnemonic, operands.map(textOf).join(', ')].join(' ')} needs a suffix`,
    };
  const best = fits
    .filter(({ unsaid }) => widths.size === 1 || unsaid)
    .sort((a, b) => a.bytes.length - b.bytes.length)[0];
  if (best !== undefined) return { bytes: best.bytes };
  return explain(mnemonic, operands, attempts);
}

/** The meanings of a mnemonic with those prefixes that are part of its name. */
function spelled(text: string, prefixes: readonly (Prefix | undefined)[]): Spelled {
  const given = prefixes.filter((prefix) => prefix !== undefined);
  for (const own of [given, ...given.map((prefix) => [prefix])]) {
    const meanings = meaningsOf([...own, text].join(' '));
    if (own.length > 0 && meanings.length > 0) return { meanings, own: new Set(own) };
  }
  return { meanings: meaningsOf(text), own: new Set() };
}

/** Instructions whose other operands have the size of the address. */
const ADDRESSED: ReadonlySet<string> = new Set(
  ENCODINGS.filter(
    ({ addr32, forms }) => addr32 && forms.some(({ place, memory }) => place === 'rm' && memory),
  ).map(({ row }) => row.mnemonic),
);

/** One meaning tried on the operands. */
function attempt(
  { encoding, width, wideOnly }: Meaning,
  text: string,
  operands: readonly AsmOperand[],
  extra: readonly Prefix[],
): Attempt {
  const forms = [...encoding.forms].filter((form) => form.place !== 'hidden').reverse();
  const given = completed(forms, operands, text);
  if (given === undefined) return { misfit: { rank: 0 } };
  const field: Field = {
    encoding,
    width,
    wideOnly,
    segments: [],
    rex: 0,
    needsRex: false,
    vex: 0,
    short: false,
    highByte: undefined,
    reg: 0,
    rm: undefined,
    opcode: 0,
    tail: [],
  };
  for (const [n, form] of forms.entries()) {
    const operand = given[n];
    if (operand === undefined) return { misfit: { rank: 0 } };
    const misfit = place(field, form, operand);
    if (misfit) return { misfit: { ...misfit, operand: Math.min(n, operands.length - 1) } };
  }
  if (ADDRESSED.has(encoding.row.mnemonic) && field.short !== encoding.addr32) return { misfit: { rank: 1 } };
  if (extra.includes('lock') && !(encoding.lockable && field.rm?.memory === true))
    return { misfit: { rank: 3, problem: 'invalid prefix: lock needs a memory destination' } };
  return assemble(field, extra);
}

/** Operands that may be left out or swapped in text: the count of a shift by one, IMUL's second source, TEST's and XCHG's order. */
function completed(
  forms: readonly Form[],
  operands: readonly AsmOperand[],
  text: string,
): readonly AsmOperand[] | undefined {
  if (forms[0]?.place === 'one' && operands.length === forms.length - 1)
    return [{ kind: 'immediate', value: 1n, wide: false }, ...operands];
  const [first, second] = operands;
  if (
    /^imul/.test(text) &&
    forms.length === 3 &&
    operands.length === 2 &&
    first?.kind === 'immediate' &&
    second
  )
    return [first, second, second];
  if (
    /^xchg/.test(text) &&
    forms[0]?.place === 'accumulator' &&
    second?.kind === 'register' &&
    /^[er]?ax$/.test(second.name) &&
    first
  )
    return [second, first];
  if (/^(test|xchg)/.test(text) && operands.length === 2 && first?.kind === 'memory' && second)
    return [second, first];
  return operands.length === forms.length ? operands : undefined;
}

/** Prefixes, REX, opcode, ModRM, SIB, displacement, immediate (SDM vol 2, figure 2-1). */
function assemble(field: Field, extra: readonly Prefix[]): Attempt {
  const { encoding, width } = field;
  const { standard, prefix, map, modrm, row } = encoding;
  if (encoding.vex) return assembleVex(field, extra);
  let { rex } = field;
  // Reading a selector into 32 bits clears the rest as well: GNU as leaves REX.W out.
  const selector = /^(8C|0F 00 \/[01])/.test(row.opcode);
  // XCHG of RAX with itself does nothing at 64 bits: GNU as takes NOP, which is the same without REX.W.
  const nothing = row.opcode === '90+r' && field.opcode === 0 && (rex & 1) === 0;
  if (width === 64 && row.widths.length > 0 && standard !== 64 && !selector && !nothing) rex |= 8;
  if (encoding.rexW) rex |= 8;
  if (encoding.rexR) rex |= 4;
  if (rex !== 0 || field.needsRex) rex |= 0x40;
  if (rex !== 0 && field.highByte !== undefined)
    return {
      misfit: {
        rank: 3,
        problem: `invalid operands: %${field.highByte} cannot be used with a register or width that needs REX`,
      },
    };

  const wanted = [...extra, ...field.segments];
  if (field.short || encoding.addr32) wanted.push('addr32');
  if ((width === 16 && row.widths.length > 0) || prefix === 0x66) wanted.push('data16');
  if (prefix === 0xf3) wanted.push('repz');
  if (prefix === 0xf2) wanted.push('repnz');
  const bytes = [...prefixBytes(wanted)];
  if (rex !== 0) bytes.push(rex);
  if (map !== 0) bytes.push(0x0f);
  if (map === 0x0f38 || map === 0x0f3a) bytes.push(map & 0xff);
  bytes.push(encoding.byte + field.opcode);
  if (typeof modrm === 'object' && 'byte' in modrm) bytes.push(modrm.byte);
  else if (modrm !== 'none') bytes.push(...modrmBytes(field, modrm === 'r' ? field.reg : modrm.digit));
  bytes.push(...field.tail);
  return { bytes: Uint8Array.from(bytes), width, unsaid: width === encoding.unsaid };
}

const prefixBytes = (prefixes: readonly Prefix[]): readonly number[] =>
  [...prefixes].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).map((name) => PREFIX[name]);

/** ModRM, SIB and displacement. */
function modrmBytes({ rm }: Field, reg: number): readonly number[] {
  const { mod, low, tail } = rm ?? { mod: 3, low: 0, tail: [] };
  return [(mod << 6) | (reg << 3) | low, ...tail];
}

/** The three-byte form: no row has the map that the short one is for (SDM vol 2, 2.3.5). */
function assembleVex(field: Field, extra: readonly Prefix[]): Attempt {
  const { encoding, width, rex, vex } = field;
  const { prefix, map, byte, modrm } = encoding;
  if (extra.some((one) => VEX_EXCLUDES.has(one)))
    return { misfit: { rank: 3, problem: `invalid prefix: ${extra[0]} before VEX` } };
  const prefixes = [...extra, ...field.segments, ...(field.short ? (['addr32'] as const) : [])];
  const pp = prefix === 0x66 ? 1 : prefix === 0xf3 ? 2 : prefix === 0xf2 ? 3 : 0;
  const reg = typeof modrm === 'object' && 'digit' in modrm ? modrm.digit : field.reg;
  const bytes = [
    ...prefixBytes(prefixes),
    0xc4,
    ((~rex & 7) << 5) | (map === 0x0f38 ? 2 : 3),
    (width === 64 ? 0x80 : 0) | ((~vex & 15) << 3) | pp,
    byte,
    ...modrmBytes(field, reg),
    ...field.tail,
  ];
  return { bytes: Uint8Array.from(bytes), width, unsaid: false };
}

/** The most telling of the reasons why no meaning fitted. */
function explain(
  mnemonic: string,
  operands: readonly AsmOperand[],
  attempts: readonly Attempt[],
): EncodeProblem {
  const misfit = attempts
    .map((tried) => ('misfit' in tried ? tried.misfit : { rank: 0 }))
    .reduce((best, next) => (next.rank > best.rank ? next : best));
  const problem =
    misfit.problem ??
    (operands.length === 0
      ? `missing operands: ${mnemonic}`
      : `invalid operands: ${mnemonic} does not take ${operands.map(textOf).join(', ')}`);
  return misfit.problem === undefined || misfit.operand === undefined
    ? { problem }
    : { problem, operand: misfit.operand };
}

const number = (value: bigint): string =>
  value >= -9n && value <= 9n
    ? `${value}`
    : value < 0n
      ? `-0x${(-value).toString(16)}`
      : `0x${value.toString(16)}`;

/** An operand as text. */
function textOf(operand: AsmOperand): string {
  switch (operand.kind) {
    case 'register':
      return `%${operand.name}`;
    case 'immediate':
      return `$${number(operand.value)}`;
    case 'target':
      return `.${operand.distance < 0n ? '' : '+'}${number(operand.distance)}`;
    case 'indirect':
      return `*${textOf(operand.operand)}`;
    case 'memory': {
      const { segment, base, index, scale, displacement } = operand;
      const inside = [
        base === undefined ? '' : `%${base}`,
        ...(index === undefined ? [] : [`%${index}`, `${scale}`]),
      ].join(',');
      const offset = displacement === 0n && inside !== '' ? '' : number(displacement);
      return `${segment === undefined ? '' : `%${segment}:`}${offset}${inside === '' ? '' : `(${inside})`}`;
    }
  }
}
