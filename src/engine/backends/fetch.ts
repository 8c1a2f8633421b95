/** Instructions by where their bytes lie, each kept with its bytes: text that changes is decoded anew. */
import { type DecodeProblem, decode } from '../../isa/decode.ts';
import { type Instruction, usesStackSegment } from '../../isa/instruction.ts';
import type { Slot } from '../../isa/ops.ts';
import { offsetOf, registerOffset } from '../layout.ts';
import { RIGHTS } from '../paging.ts';

/** Bytes of the longest instruction (SDM vol 2, 2.3.11). */
export const LONGEST = 15;

/** An instruction and where its operands lie in the state block. */
export interface Fetched {
  readonly instruction: Instruction;
  readonly bytes: Uint8Array;
  /** Offsets of the operands of kind `r`. */
  readonly registers: Readonly<Partial<Record<Slot, number>>>;
  /** Whether there is a memory operand, and the parts of its address; absent ones are the word that is zero. */
  readonly memory: boolean;
  readonly base: number;
  readonly index: number;
  readonly scale: bigint;
  readonly segment: number;
  readonly displacement: bigint;
  readonly ripRelative: boolean;
  /** Bits that the address keeps before the segment base is added. */
  readonly addressWidth: 32 | 64;
  /** Rights of the memory operand, which may lie in the stack segment. */
  readonly rights: number;
  /** Whether there is a 3E prefix, whatever other segment prefix stands beside it. */
  readonly noTrack: boolean;
}

/** Where the operands of an instruction lie. */
export function prepare(instruction: Instruction, bytes: Uint8Array): Fetched {
  const { memory, registers } = instruction;
  const place = (register: string | undefined): number =>
    register === undefined || register === 'rip' ? offsetOf.zero : registerOffset(register as 'rax');
  return {
    instruction,
    bytes: bytes.slice(0, instruction.length),
    registers: Object.fromEntries(
      Object.entries(registers).map(([slot, register]) => [slot, registerOffset(register)]),
    ),
    memory: memory !== undefined,
    base: place(memory?.base),
    index: place(memory?.index),
    scale: BigInt(Math.log2(memory?.scale ?? 1)),
    segment: memory?.segment === undefined ? offsetOf.zero : offsetOf[`${memory.segment}Base`],
    displacement: memory?.displacement ?? 0n,
    ripRelative: memory?.base === 'rip',
    addressWidth: memory?.short ? 32 : 64,
    rights: memory !== undefined && usesStackSegment(memory) ? RIGHTS.stackSegment : 0,
    noTrack: instruction.prefixes.includes('ds'),
  };
}

export class FetchCache {
  private readonly known = new Map<number, Fetched>();

  /** The instruction whose bytes still lie at `at` in linear memory, `room` bytes before the page ends. */
  find(memory: Uint8Array, at: number, room: number): Fetched | undefined {
    const found = this.known.get(at);
    if (found === undefined || found.bytes.length > room) return undefined;
    const { bytes } = found;
    for (let n = 0; n < bytes.length; n++) if (memory[at + n] !== bytes[n]) return undefined;
    return found;
  }

  /** Decode at most 15 bytes; keep the result for place `at`, if one is given. */
  decode(bytes: Uint8Array, at: number | undefined): Fetched | DecodeProblem['problem'] {
    const found = decode(bytes);
    if ('problem' in found) return found.problem;
    const fetched = prepare(found, bytes);
    if (at !== undefined) this.known.set(at, fetched);
    return fetched;
  }
}
