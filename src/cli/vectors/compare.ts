/** A vector against what the engine made of it. */

import { decode } from '../../isa/decode.ts';
import { RF, TF } from '../../isa/flags.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { isHighByte, numberOf } from '../../isa/registers.ts';
import { GPR } from '../../isa/state.ts';
import { DATA, DATA_SIZE, type Vector, type VectorState } from './format.ts';
import { dataOf, type Outcome } from './machine.ts';

/** One field that differs, values as text. */
export interface Mismatch {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Every difference; none where the engine does what the vector says. */
export function compare(vector: Vector, outcome: Outcome): readonly Mismatch[] {
  const { before, after, fault, cr2, undefinedFlags, undefinedDestination } = vector;
  const mismatches: Mismatch[] = [];
  const check = (field: string, expected: bigint, got: bigint, mask = ~0n): void => {
    if (((expected ^ got) & mask) !== 0n) mismatches.push({ field, expected: hex(expected), got: hex(got) });
  };
  if (fault !== outcome.event)
    mismatches.push({ field: 'fault', expected: fault ?? 'none', got: outcome.event ?? 'none' });
  const free = undefinedDestination ? destinationOf(vector) : undefined;
  GPR.forEach((name, n) => {
    const mask = free?.register === n ? ~free.mask : ~0n;
    check(name, after.registers[n] ?? 0n, outcome.registers[n] ?? 0n, mask);
  });
  check('rip', after.rip, outcome.rip);
  check('rflags', after.rflags & ~(RF | TF), outcome.rflags, ~undefinedFlags);
  check('fsbase', after.fsBase, outcome.fsBase);
  check('gsbase', after.gsBase, outcome.gsBase);
  if (fault === '#PF' && outcome.event === '#PF') check('cr2', cr2 ?? 0n, outcome.cr2);
  const expected = dataOf(after.memory, dataOf(before.memory));
  if (Buffer.compare(expected, outcome.data) !== 0)
    mismatches.push(...memoryMismatches(expected, outcome.data, free?.memory));
  return mismatches;
}

/** Runs of bytes that differ. */
function memoryMismatches(
  expected: Uint8Array,
  got: Uint8Array,
  free: { readonly at: bigint; readonly length: number } | undefined,
): readonly Mismatch[] {
  const from = free === undefined ? -1 : Number(free.at - DATA);
  const differs = (at: number): boolean =>
    expected[at] !== got[at] && !(free !== undefined && at >= from && at < from + free.length);
  const text = (bytes: Uint8Array, at: number, end: number): string =>
    Buffer.from(bytes.subarray(at, end)).toString('hex');
  const found: Mismatch[] = [];
  for (let at = 0; at < DATA_SIZE; at++) {
    let end = at;
    while (end < DATA_SIZE && differs(end)) end++;
    if (end === at) continue;
    found.push({
      field: `mem[${hex(DATA + BigInt(at))}]`,
      expected: text(expected, at, end),
      got: text(got, at, end),
    });
    at = end;
  }
  return found;
}

interface Destination {
  readonly register?: number;
  /** Bits of the register that are free. */
  readonly mask: bigint;
  readonly memory?: { readonly at: bigint; readonly length: number };
}

/** The first operand of an instruction: a register, or memory at an address. */
function destinationOf({ bytes, before }: Vector): Destination | undefined {
  const found = decode(bytes);
  if ('problem' in found) return undefined;
  const { registers, shape } = found;
  const { width } = shape.a;
  // 32 bits clear the rest, or leave it with the destination.
  const mask = width >= 32 ? ~0n : (1n << BigInt(width)) - 1n;
  if (registers.a !== undefined)
    return isHighByte(registers.a)
      ? { register: numberOf(registers.a) - 4, mask: mask << 8n }
      : { register: numberOf(registers.a), mask };
  if (shape.a.kind !== 'm') return undefined;
  return { mask, memory: { at: effectiveAddress(found, before), length: width / 8 } };
}

/** Linear address of the memory operand. */
export function effectiveAddress(
  { memory, length }: Instruction,
  { registers, rip, fsBase, gsBase }: VectorState,
): bigint {
  if (memory === undefined) return 0n;
  const { base, index, scale, displacement, segment } = memory;
  const value = (name: string | undefined): bigint =>
    name === undefined
      ? 0n
      : name === 'rip'
        ? rip + BigInt(length)
        : (registers[numberOf(name as 'rax')] ?? 0n);
  const from = segment === 'fs' ? fsBase : segment === 'gs' ? gsBase : 0n;
  return BigInt.asUintN(64, from + value(base) + value(index) * BigInt(scale) + displacement);
}
