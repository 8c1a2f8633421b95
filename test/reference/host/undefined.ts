/** What the manuals leave undefined, for one instruction in one situation (SDM vol 2, each instruction's page). */
import { effectiveAddress } from '../../../src/cli/vectors/compare.ts';
import type { VectorState } from '../../../src/cli/vectors/format.ts';
import type { Instruction } from '../../../src/isa/instruction.ts';
import type { Operand } from '../../../src/isa/ops.ts';
import { isHighByte, numberOf } from '../../../src/isa/registers.ts';

const [CF, PF, AF, ZF, SF, OF] = [1n, 4n, 0x10n, 0x40n, 0x80n, 0x800n] as const;
const ALL = CF | PF | AF | ZF | SF | OF;

export interface Undefined {
  readonly flags: bigint;
  readonly destination: boolean;
}
const DEFINED: Undefined = { flags: 0n, destination: false };

/** Value of an operand before the instruction, zero-extended. */
function operandBefore(instruction: Instruction, operand: Operand, before: VectorState): bigint {
  const { kind, width, slot } = operand;
  if (kind === 'i') return BigInt.asUintN(width, instruction.immediate);
  if (kind === 'm') return memoryValue(before, effectiveAddress(instruction, before), width / 8);
  const register = instruction.registers[slot];
  if (register === undefined) return 0n;
  const number = numberOf(register);
  return isHighByte(register)
    ? ((before.registers[number - 4] ?? 0n) >> 8n) & 0xffn
    : BigInt.asUintN(width, before.registers[number] ?? 0n);
}

function memoryValue({ memory }: VectorState, from: bigint, length: number): bigint {
  let value = 0n;
  for (const { at, bytes } of memory)
    bytes.forEach((byte, n) => {
      const place = at + BigInt(n) - from;
      if (place >= 0n && place < BigInt(length)) value |= BigInt(byte) << (8n * place);
    });
  return value;
}

export function undefinedOf(instruction: Instruction, before: VectorState): Undefined {
  const { shape, row } = instruction;
  const { mnemonic } = row;
  const { width } = shape;
  const flags = (mask: bigint): Undefined => ({ flags: mask, destination: false });
  if (/^(and|or|xor|test)$/.test(mnemonic)) return flags(AF);
  if (/^i?mul$/.test(mnemonic)) return flags(SF | ZF | AF | PF);
  if (/^i?div$/.test(mnemonic)) return flags(ALL);
  if (/^bt[src]?$/.test(mnemonic)) return flags(OF | SF | AF | PF);
  if (/^[tl]zcnt$/.test(mnemonic)) return flags(OF | SF | AF | PF);
  if (/^bs[fr]$/.test(mnemonic))
    return { flags: ALL & ~ZF, destination: operandBefore(instruction, shape.b, before) === 0n };
  if (mnemonic === 'bswap' && width === 16) return { flags: 0n, destination: true };
  if (mnemonic === 'bextr') return flags(SF | AF | PF);
  if (/^(andn|bls.*|bzhi)$/.test(mnemonic)) return flags(AF | PF);
  const shift = /^(sh[lr]|sa[lr]|ro[lr]|rc[lr])(d?)$/.exec(mnemonic);
  if (!shift) return DEFINED;
  const raw = operandBefore(instruction, shift[2] ? shape.c : shape.b, before);
  const count = Number(raw & (width === 64 ? 63n : 31n));
  if (count === 0) return DEFINED;
  const overflow = count === 1 ? 0n : OF;
  // SHLD and SHRD: of a count above the width nothing is left.
  if (shift[2]) return count > width ? { flags: ALL, destination: true } : flags(AF | overflow);
  if (/^r/.test(mnemonic)) return flags(overflow);
  return flags(AF | overflow | (count >= width && mnemonic !== 'sar' ? CF : 0n));
}
