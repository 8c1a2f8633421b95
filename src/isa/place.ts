/** Fit one text operand into one operand form of an encoding. */
import type { AsmOperand } from './asm-operand.ts';
import type { Prefix } from './instruction.ts';
import type { Encoding, Form } from './notation.ts';
import type { Width } from './ops.ts';
import { isHighByte, numberOf, registerOf } from './registers.ts';

/** Why an operand does not fit. The higher the rank, the more the reader learns from it. */
export interface Misfit {
  readonly rank: number;
  readonly problem?: string;
  readonly operand?: number;
}

/** ModRM.mod and ModRM.rm, and what follows the ModRM byte. */
interface RegisterOrMemory {
  readonly memory: boolean;
  readonly mod: number;
  readonly low: number;
  readonly tail: readonly number[];
}

/** An instruction while its operands are being placed. */
export interface Field {
  readonly encoding: Encoding;
  readonly width: Width;
  readonly wideOnly: boolean;
  readonly segments: Prefix[];
  /** REX bits X, R, B; `needsRex` for SPL to DIL, which need an empty one. */
  rex: number;
  needsRex: boolean;
  /** The register in VEX.vvvv. */
  vex: number;
  /** Whether the address has 32-bit registers, so that prefix 67 is needed. */
  short: boolean;
  highByte: string | undefined;
  reg: number;
  rm: RegisterOrMemory | undefined;
  opcode: number;
  tail: readonly number[];
}

const WRONG_KIND: Misfit = { rank: 1 };
const hex = (value: bigint): string =>
  value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

/** Little-endian bytes. */
const bytesOf = (value: bigint, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
const fitsSigned = (value: bigint, bits: number): boolean => BigInt.asIntN(bits, value) === value;

/** Put an operand where the form wants it, or say why it does not fit. */
export function place(field: Field, form: Form, operand: AsmOperand): Misfit | undefined {
  const width = form.width ?? field.width;
  if (form.indirect)
    return operand.kind === 'indirect' ? placeRm(field, form, operand.operand, width) : WRONG_KIND;
  switch (form.place) {
    case 'fixed':
      return operand.kind === 'register' && operand.name === form.text ? undefined : WRONG_KIND;
    case 'port':
      return isPort(operand) ? undefined : WRONG_KIND;
    case 'size':
      return operand.kind === 'immediate' ? placeUnsigned(field, operand, 16) : WRONG_KIND;
    case 'level':
      return operand.kind === 'immediate' ? placeUnsigned(field, operand, 8) : WRONG_KIND;
    case 'target':
      return operand.kind === 'target' ? placeTarget(field, operand) : WRONG_KIND;
    case 'one':
      return operand.kind === 'immediate' && operand.value === 1n && !operand.wide ? undefined : WRONG_KIND;
    case 'immediate':
      return operand.kind === 'immediate' ? placeImmediate(field, width, operand) : WRONG_KIND;
    case 'moffs':
      return operand.kind === 'memory' ? placeOffset(field, operand) : WRONG_KIND;
    case 'rm':
      return placeRm(field, form, operand, width);
    default:
      return operand.kind === 'register' ? placeRegister(field, form.place, operand.name, width) : WRONG_KIND;
  }
}

/** `%dx` or `(%dx)`. */
const isPort = (operand: AsmOperand): boolean =>
  operand.kind === 'register'
    ? operand.name === 'dx'
    : operand.kind === 'memory' &&
      operand.base === 'dx' &&
      operand.index === undefined &&
      operand.displacement === 0n &&
      !operand.wide;

function placeUnsigned(
  field: Field,
  { value }: Extract<AsmOperand, { kind: 'immediate' }>,
  bits: 8 | 16,
): Misfit | undefined {
  if (value < 0n || value >> BigInt(bits) !== 0n)
    return { rank: 2, problem: `invalid immediate: ${hex(value)} does not fit ${bits} bits` };
  field.tail = [...field.tail, ...bytesOf(value, bits / 8)];
  return undefined;
}

function placeRegister(field: Field, at: Form['place'], name: string, width: Width): Misfit | undefined {
  const named = registerOf(name);
  if (named === undefined || named.width !== width) return WRONG_KIND;
  const number = numberOf(named.register);
  if (isHighByte(named.register)) field.highByte = name;
  else if (width === 8 && number >= 4 && number < 8) field.needsRex = true;
  if (at === 'accumulator' || at === 'cl') return number === (at === 'cl' ? 1 : 0) ? undefined : WRONG_KIND;
  const high = number >> 3;
  if (at === 'vex') field.vex = number;
  else if (at === 'reg') {
    field.reg = number & 7;
    field.rex |= high << 2;
  } else {
    field.rex |= high;
    if (at === 'opcode') field.opcode = number & 7;
    else field.rm = { memory: false, mod: 3, low: number & 7, tail: [] };
    // 90 with REX.B clear is NOP: XCHG of RAX and RAX has no short form but at 16 and 64 bits.
    if (at === 'opcode' && field.encoding.byte === 0x90 && number === 0 && width === 32) return WRONG_KIND;
  }
  return undefined;
}

function placeRm(field: Field, form: Form, operand: AsmOperand, width: Width): Misfit | undefined {
  if (operand.kind === 'register') {
    if (!form.register) return WRONG_KIND;
    const named = form.anyWidth ? registerOf(operand.name) : undefined;
    return placeRegister(
      field,
      'rm',
      operand.name,
      named !== undefined && named.width !== 8 ? named.width : width,
    );
  }
  if (operand.kind !== 'memory' || !form.memory) return WRONG_KIND;
  if (form.stackBase && operand.base !== 'rsp') return WRONG_KIND;
  return placeMemory(field, operand);
}

type Memory = Extract<AsmOperand, { kind: 'memory' }>;

function placeMemory(
  field: Field,
  { segment, base, index: named, scale, displacement: given, wide }: Memory,
): Misfit | undefined {
  const index = named === 'eiz' ? undefined : named;
  const numbers: number[] = [];
  const widths = new Set<Width>(named === 'eiz' ? [32] : []);
  for (const name of [base, index]) {
    if (name === undefined) continue;
    const relative = name === base && (name === 'rip' || name === 'eip');
    const found = relative ? undefined : registerOf(name);
    if (!relative && found?.width !== 64 && found?.width !== 32)
      return {
        rank: 3,
        problem:
          found === undefined
            ? `unknown register: %${name}`
            : `invalid address: %${name} is not a 32-bit or 64-bit register`,
      };
    widths.add(found?.width ?? (name === 'rip' ? 64 : 32));
    if (found) numbers.push(numberOf(found.register));
  }
  if (widths.size > 1) return { rank: 3, problem: `invalid address: %${base} and %${index} differ in width` };
  field.short = widths.has(32);
  const width = field.short ? 32 : 64;
  const whole = BigInt.asIntN(64, given);
  const displacement = BigInt.asIntN(width, whole);
  if (!fitsSigned(field.short ? whole >> 1n : whole, 32))
    return { rank: 3, problem: `invalid displacement: ${hex(given)} does not fit 32 bits` };
  const relative = base === 'rip' || base === 'eip';
  if (relative && index !== undefined)
    return { rank: 3, problem: `invalid address: %${base} takes no index` };
  if (index === 'rsp' || index === 'esp')
    return { rank: 3, problem: `invalid address: %${index} cannot be an index` };
  if (segment !== undefined) field.segments.push(segment);
  const indexNumber = index === undefined ? 4 : (numbers[base === undefined ? 0 : 1] ?? 4);
  if (index !== undefined) field.rex |= (indexNumber >> 3) << 1;
  const sib = (low: number): number => (Math.log2(scale) << 6) | ((indexNumber & 7) << 3) | low;
  const long = bytesOf(displacement, 4);

  if (relative) field.rm = { memory: true, mod: 0, low: 5, tail: long };
  else if (base === undefined) field.rm = { memory: true, mod: 0, low: 4, tail: [sib(5), ...long] };
  else {
    const number = numbers[0] ?? 0,
      low = number & 7;
    field.rex |= number >> 3;
    // RBP and R13 have no form without a displacement.
    const mod = wide || !fitsSigned(displacement, 8) ? 2 : displacement === 0n && low !== 5 ? 0 : 1;
    const tail = mod === 2 ? long : mod === 1 ? bytesOf(displacement, 1) : [];
    const needsSib = index !== undefined || low === 4;
    field.rm = { memory: true, mod, low: needsSib ? 4 : low, tail: needsSib ? [sib(low), ...tail] : tail };
  }
  return undefined;
}

function placeOffset(field: Field, { segment, base, index, displacement }: Memory): Misfit | undefined {
  if (base !== undefined || index !== undefined) return WRONG_KIND;
  if (field.encoding.addr32 && displacement >> 32n !== 0n)
    return { rank: 3, problem: `invalid address: ${hex(displacement)} does not fit 32 bits` };
  if (segment !== undefined) field.segments.push(segment);
  field.tail = bytesOf(displacement, field.encoding.addr32 ? 4 : 8);
  return undefined;
}

/**
 * A value is given signed or unsigned at its operand's width. A field shorter than the operand is
 * sign-extended, so the value must survive that.
 */
function placeImmediate(
  field: Field,
  width: Width,
  { value, wide }: Extract<AsmOperand, { kind: 'immediate' }>,
): Misfit | undefined {
  const { immediate } = field.encoding;
  const full = field.width === 16 ? 2 : 4;
  const size = { none: 0, ib: 1, iw: 2, 'iw ib': 3, id: 4, io: 8, iz: full, cb: 0, cd: 0 }[immediate];
  const tooLarge = (bits: number): Misfit => ({
    rank: 2 + bits / 100,
    problem: `invalid immediate: ${hex(value)} does not fit ${bits} bits`,
  });
  const limit = 1n << BigInt(width);
  if (value >= limit || value < -(limit >> 1n)) return tooLarge(Math.min(width, 8 * size));
  const signed = BigInt.asIntN(width, value);
  const shrinks = size * 8 < width;
  if (shrinks && !fitsSigned(signed, 8 * size)) return tooLarge(8 * size);
  // A symbolic value gets the full field, however small it is now.
  if (wide && immediate === 'ib' && width > 8) return WRONG_KIND;
  if (field.wideOnly && (wide || fitsSigned(signed, 32))) return WRONG_KIND;
  field.tail = bytesOf(signed, size);
  return undefined;
}

function placeTarget(
  field: Field,
  { distance, wide }: Extract<AsmOperand, { kind: 'target' }>,
): Misfit | undefined {
  const size = field.encoding.immediate === 'cb' ? 1 : 4;
  if (wide && size === 1 && hasLongForm(field)) return WRONG_KIND;
  if (!fitsSigned(distance, 8 * size))
    return {
      rank: 2 + size / 100,
      problem: `invalid target: ${hex(distance)} does not fit ${8 * size} bits`,
    };
  field.tail = bytesOf(distance, size);
  return undefined;
}

/** JRCXZ and LOOP reach 127 bytes and no further. */
const hasLongForm = ({ encoding: { row } }: Field): boolean =>
  !/^(j[er]cxz|(addr32 )?loop)/.test(row.mnemonic);
