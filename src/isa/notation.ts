/**
 * How a row of the table is written, and what decoder, encoder and printer take from it.
 *
 * Opcode, after the manual (SDM vol 2, 3.1.1.1):
 *   67            the prefix is required, and text says it (addr32) or has another name (jecxz)
 *   NP 66 F2 F3   the mandatory prefix; NP: none of them, NFx: neither F2 nor F3. A row without one ignores F2 and F3
 *   VEX.LZ.F2.0F38  a VEX prefix with L = 0, with what stands for the mandatory prefix, and the opcode map
 *   REX.W REX.R   this bit is required; NB: REX.B must be clear (90 is NOP, 41 90 is XCHG)
 *   0F 1E FA      opcode bytes; the byte behind the opcode of a ModRM group is a fixed ModRM byte
 *   +r            the low three bits of the opcode name a register
 *   /r /0 to /7   a ModRM byte with a register or an opcode extension in its reg field
 *   ib iw id io   an immediate of 1, 2, 4, 8 bytes; iz: 2 for 16-bit operands, else 4; cb cd: a branch distance
 *   iw ib         two of them, one value of 24 bits to the semantics (ENTER)
 *
 * Operands, destination first, each of the row's width unless a number follows:
 *   r       register in ModRM.reg       rm  register or memory     m   memory     R  register in ModRM.rm
 *   R*      the same, whatever mod says (MOV CR)                   *rm a branch target in register or memory; *m
 *   Rs      register of which text may name 16, 32 or 64 bits (a selector)
 *   ea      memory that is an address only: no segment, no access  m(rsp)  memory whose base is RSP
 *   o       register in the opcode      A   the accumulator        cl  the CL register
 *   i       immediate                   1   the immediate one      j   branch target
 *   v       register in VEX.vvvv        size level  the two immediates of ENTER; `size` holds both
 *   moffs   absolute address            si bx   hidden memory at RSI (string source), at RBX (XLAT)
 *   dx      the port in DX, no operand of the semantics
 *   other names (cr3, fs) are that register and no operand of the semantics
 *
 * Widths: without 32 the default is 64 (PUSH, CALL), unless REX.W is written. A width the row does not
 * have falls back to its default, and the 66 prefix is ignored.
 *
 * A star after the mnemonic stands for a width suffix that is always written.
 */
import type { FlagEffects, Row } from './instruction.ts';
import type { Operand, OperandKind, Semantics, Shape, Slot, Width } from './ops.ts';

export type Place =
  | 'reg'
  | 'rm'
  | 'opcode'
  | 'accumulator'
  | 'cl'
  | 'immediate'
  | 'one'
  | 'target'
  | 'vex'
  | 'size'
  | 'level'
  | 'port'
  | 'moffs'
  | 'hidden'
  | 'fixed';

/** One operand form of a row. */
export interface Form {
  readonly place: Place;
  readonly text: string;
  /** Undefined: the row's width. */
  readonly width: Width | undefined;
  readonly register: boolean;
  readonly memory: boolean;
  readonly addressOnly: boolean;
  readonly stackBase: boolean;
  readonly indirect: boolean;
  /** The register may be named at any width of 16 or more. */
  readonly anyWidth: boolean;
}

export type ModRm = 'none' | 'r' | { readonly digit: number } | { readonly byte: number };
export type Immediate = 'none' | 'ib' | 'iw' | 'iw ib' | 'id' | 'iz' | 'io' | 'cb' | 'cd';
/** The escape bytes before the opcode. */
export type OpcodeMap = 0 | 0x0f | 0x0f38 | 0x0f3a;

/** A row, understood. */
export interface Encoding {
  readonly row: Row;
  readonly prefix: 'any' | 'none' | 'no repeat' | 0x66 | 0xf2 | 0xf3;
  readonly rexW: boolean;
  readonly rexR: boolean;
  readonly noRexB: boolean;
  /** Whether the row is for the prefix 67 only. */
  readonly addr32: boolean;
  /** Whether the prefix is VEX, which holds the mandatory prefix and the map. */
  readonly vex: boolean;
  readonly map: OpcodeMap;
  readonly byte: number;
  readonly plusRegister: boolean;
  readonly modrm: ModRm;
  /** MOV CR and MOV DR take ModRM.rm as a register even where mod means memory. */
  readonly ignoresMod: boolean;
  readonly immediate: Immediate;
  readonly forms: readonly Form[];
  /** Width without prefixes. */
  readonly standard: Width;
  /** Whether an operand, or at least the stack, has the row's width, so that a suffix may be written. */
  readonly suffixable: boolean;
  /** The width that text without a suffix means although no operand tells it: the stack's 64 bits, 32 of far transfers. */
  readonly unsaid: Width | undefined;
  readonly lockable: boolean;
}

const LOCKABLE = new Set([
  'add',
  'adc',
  'and',
  'btc',
  'btr',
  'bts',
  'cmpxchg',
  'cmpxchg8b',
  'cmpxchg16b',
  'dec',
  'inc',
  'neg',
  'not',
  'or',
  'sbb',
  'sub',
  'xor',
  'xadd',
  'xchg',
]);

/** Far transfers: an operand size of 32 bits also in 64-bit mode (SDM vol 1, 6.3.7). */
const FAR = new Set(['iret', 'lcall', 'ljmp', 'lret']);

/** Status and other flags a row touches, as letters: `r` reads, `w` writes, `u` leaves undefined. */
export const effects = (writes = '', undefinedFlags = '', reads = ''): FlagEffects => ({
  reads,
  writes,
  undefined: undefinedFlags,
});

/** One row. Widths are numbers in a string: `8`, `16 32 64`, or empty. */
export function row(
  opcode: string,
  operands: string,
  mnemonic: string,
  widths: string,
  flags: FlagEffects,
  semantics: Semantics,
): Row {
  const always = mnemonic.endsWith('*');
  return {
    mnemonic: always ? mnemonic.slice(0, -1) : mnemonic,
    opcode,
    operands,
    widths: widths
      .split(' ')
      .filter(Boolean)
      .map((text) => widthOf(text)),
    suffix: always ? 'always' : 'where needed',
    flags,
    semantics,
  };
}

function widthOf(text: string): Width {
  const width = Number(text);
  if (width === 8 || width === 16 || width === 32 || width === 64) return width;
  throw new Error(`invalid width: ${text}`);
}

const PLACES: Readonly<Record<string, Place>> = {
  r: 'reg',
  rm: 'rm',
  m: 'rm',
  R: 'rm',
  'R*': 'rm',
  Rs: 'rm',
  '*rm': 'rm',
  '*m': 'rm',
  ea: 'rm',
  'm(rsp)': 'rm',
  o: 'opcode',
  A: 'accumulator',
  i: 'immediate',
  j: 'target',
  moffs: 'moffs',
  si: 'hidden',
  bx: 'hidden',
  dx: 'port',
  v: 'vex',
  size: 'size',
  level: 'level',
};
const REGISTER_ONLY = new Set(['r', 'R', 'R*', 'Rs', 'o', 'A', 'cl', 'v']);
const MEMORY_ONLY = new Set(['m', '*m', 'ea', 'm(rsp)', 'moffs', 'si', 'bx']);
/** Widths that places have of themselves. */
const WIDTHS: Readonly<Record<string, Width>> = { cl: 8, one: 8, size: 32 };

function formOf(text: string): Form {
  const [, name = text, size] = /^([a-z*]+|m\(rsp\))(8|16|32|64)?$/i.exec(text) ?? [];
  const known = text === '1' ? 'one' : text === 'cl' ? 'cl' : PLACES[name];
  const place: Place = known ?? 'fixed';
  const either = name === 'rm' || name === '*rm';
  return {
    place,
    text: known === undefined || place === 'one' ? text : name,
    width: known !== undefined && size ? widthOf(size) : WIDTHS[place],
    register: either || REGISTER_ONLY.has(name),
    memory: either || MEMORY_ONLY.has(name),
    addressOnly: name === 'ea',
    stackBase: name === 'm(rsp)',
    indirect: name.startsWith('*'),
    anyWidth: name === 'Rs',
  };
}

const IMMEDIATES: ReadonlySet<string> = new Set<Immediate>([
  'ib',
  'iw',
  'iw ib',
  'id',
  'iz',
  'io',
  'cb',
  'cd',
]);
const isImmediate = (token: string): token is Immediate => IMMEDIATES.has(token);

const MAPS: Readonly<Record<string, OpcodeMap>> = { '0F': 0x0f, '0F38': 0x0f38, '0F3A': 0x0f3a };
const PREFIX_BYTES = { NP: 'none', NFx: 'no repeat', '66': 0x66, F2: 0xf2, F3: 0xf3 } as const;
type PrefixToken = keyof typeof PREFIX_BYTES;

/** Understand a row. Throws on a row that is not written as the head of this file says. */
export function understand(source: Row): Encoding {
  const tokens = source.opcode.split(' ');
  const take = (...wanted: readonly string[]): string | undefined =>
    wanted.includes(tokens[0] ?? '') ? tokens.shift() : undefined;
  const addr32 = tokens.length > 1 && take('67') !== undefined;
  const [, vexPrefix = 'NP', vexMap] = /^VEX\.LZ(?:\.(66|F2|F3))?\.(0F38|0F3A)$/.exec(tokens[0] ?? '') ?? [];
  if (vexMap !== undefined) tokens.shift();
  // `F3 90` has a prefix, `F3` alone would be an opcode; no row has F2, F3 or 66 as its opcode.
  const prefix = vexMap === undefined ? take('NP', 'NFx', '66', 'F2', 'F3') : vexPrefix;
  const rexW = take('REX.W') !== undefined;
  const rexR = take('REX.R') !== undefined;
  const noRexB = take('NB') !== undefined;

  const bytes: number[] = [];
  while (/^[0-9A-F]{2}(\+r)?$/.test(tokens[0] ?? ''))
    bytes.push(Number.parseInt(tokens[0] ?? '', 16) + (tokens.shift()?.endsWith('+r') ? 0x100 : 0));
  const map = vexMap === undefined ? takeMap(bytes) : (MAPS[vexMap] ?? 0);
  const opcode = bytes.shift();
  if (opcode === undefined) throw new Error(`invalid opcode: ${source.opcode}`);
  const fixed = bytes.shift();
  const digit = take('/r', '/0', '/1', '/2', '/3', '/4', '/5', '/6', '/7')?.slice(1);
  const last = tokens[0] === 'iw' && tokens[1] === 'ib' ? tokens.splice(0).join(' ') : tokens.shift();
  const immediate: Immediate = last === undefined ? 'none' : isImmediate(last) ? last : 'none';
  if (bytes.length > 0 || tokens.length > 0 || (last !== undefined && immediate === 'none'))
    throw new Error(`invalid opcode: ${source.opcode}`);

  const forms = source.operands.split(',').filter(Boolean).map(formOf);
  const standard: Width = source.widths.includes(32)
    ? 32
    : source.widths.includes(64)
      ? 64
      : (source.widths[0] ?? 64);
  const default64 = !rexW && standard === 64 && source.widths.length > 0;
  const isFar = FAR.has(source.mnemonic);
  const unsized = forms.some(
    (form) => form.width === undefined && (form.register || form.memory || form.place === 'immediate'),
  );
  return {
    row: source,
    prefix: prefix === undefined ? 'any' : PREFIX_BYTES[prefix as PrefixToken],
    rexW,
    rexR,
    noRexB,
    addr32,
    vex: vexMap !== undefined,
    map,
    byte: opcode & 0xff,
    plusRegister: opcode >= 0x100,
    modrm:
      fixed !== undefined
        ? { byte: fixed }
        : digit === undefined
          ? 'none'
          : digit === 'r'
            ? 'r'
            : { digit: Number(digit) },
    ignoresMod: source.operands.includes('R*'),
    immediate,
    forms,
    standard,
    suffixable:
      !source.mnemonic.startsWith('(') && (source.suffix === 'always' || unsized || default64 || isFar),
    unsaid: standard === 64 ? 64 : isFar ? 32 : undefined,
    lockable: LOCKABLE.has(source.mnemonic),
  };
}

/** The escape bytes at the front, which are taken away. */
function takeMap(bytes: number[]): OpcodeMap {
  const [first, second] = bytes;
  const map = first !== 0x0f ? 0 : second === 0x38 ? 0x0f38 : second === 0x3a ? 0x0f3a : 0x0f;
  bytes.splice(0, map === 0 ? 0 : map === 0x0f ? 1 : 2);
  return map;
}

const SLOTS: readonly Slot[] = ['a', 'b', 'c'];

/** The kind an operand form has for semantics. `memory`: whether the instruction's ModRM names memory. */
function kindOf(form: Form, memory: boolean): OperandKind {
  switch (form.place) {
    case 'rm':
      return memory ? 'm' : 'r';
    case 'reg':
    case 'opcode':
    case 'accumulator':
    case 'cl':
    case 'vex':
      return 'r';
    case 'moffs':
    case 'hidden':
      return 'm';
    case 'immediate':
    case 'one':
    case 'size':
      return 'i';
    case 'target':
      return 'j';
    case 'fixed':
    case 'port':
    case 'level':
      return '-';
  }
}

/** The shape of an encoding at a width, named after what the semantics see: `add/32 m,r`. */
export function shapeOf(
  { row: { mnemonic, widths }, forms }: Encoding,
  width: Width,
  memory: boolean,
): Shape {
  const operand = (n: number): Operand => {
    const form = forms[n];
    return { slot: SLOTS[n] ?? 'a', kind: form ? kindOf(form, memory) : '-', width: form?.width ?? width };
  };
  const text = forms.map((form, n) => {
    const kind = operand(n).kind;
    if (kind === '-') return form.text;
    const name = form.stackBase ? 'm(rsp)' : form.indirect ? `*${kind}` : kind;
    return form.width === undefined || form.width === width ? name : `${name}${form.width}`;
  });
  const name = `${mnemonic}${widths.length > 0 ? `/${width}` : ''} ${text.join(',')}`.trimEnd();
  return { name, width, a: operand(0), b: operand(1), c: operand(2) };
}

export const SUFFIX: Readonly<Record<Width, string>> = { 8: 'b', 16: 'w', 32: 'l', 64: 'q' };
