/** The instructions of a routine. kallsyms tells where it begins and not where it ends. */
import { decode } from '../../isa/decode.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { print } from '../../isa/print.ts';
import type { Kernel } from '../kernel-file.ts';
import { type FileProblem, isProblem } from '../reading.ts';

/** Bytes of the longest routine, and how far a jump may lead that stays inside one. */
const LONGEST = 1 << 16;
const FURTHEST_JUMP = 1 << 12;
const ALIGNED = 16n;

/** What never goes on with the next instruction, and what stands between routines. */
const ENDS = new Set([
  'jmp',
  'ret',
  'iretq',
  'sysretq',
  'sysretl',
  'sysexit',
  'ud2',
  'hlt',
  'erets',
  'eretu',
  'int3',
  'nop',
]);

export interface Listed {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** AT&T text with names of symbols; of bytes that are no instruction, why. */
  readonly text: string;
  /** Symbols at this address. */
  readonly labels: readonly string[];
  /** Undefined where the bytes are no instruction; then this is the last. */
  readonly instruction: Instruction | undefined;
}

/**
 * Where the routine at `address` ends: at the next symbol that nothing before it runs into or jumps to. Entry code has
 * labels of its own, which are symbols too.
 */
export function routineEnd(kernel: Kernel, address: bigint): bigint {
  let end = address;
  let furthest = address;
  let at = address;
  do {
    const next = kernel.symbols.after(end)?.address ?? end;
    if (next <= end || next - address > LONGEST) return end > address ? end : address + BigInt(LONGEST);
    end = next;
    let runsOn = false;
    for (const one of list(kernel, at, end)) {
      const { instruction: found } = one;
      at = one.address + BigInt(one.bytes.length);
      runsOn = found !== undefined && !ENDS.has(found.row.mnemonic) && found.row.mnemonic !== 'call';
      if (!found?.row.mnemonic.startsWith('j') || found.distance <= 0n) continue;
      const target = at + found.distance;
      // A jump without a condition may be a call of the next function: those begin at a multiple of 16.
      const inside = found.row.mnemonic !== 'jmp' || target % ALIGNED !== 0n;
      if (inside && target > furthest && target - at < FURTHEST_JUMP) furthest = target;
    }
    if (runsOn) furthest = furthest > end ? furthest : end;
  } while (furthest >= end);
  return end;
}

type Decoded = Omit<Listed, 'labels' | 'text'> & { readonly problem?: string };

function list(kernel: Kernel, from: bigint, to: bigint): Iterable<Decoded> {
  const text = kernel.text(from, Number(to - from));
  return isProblem(text) ? [] : decoded(text, from);
}

function* decoded(text: Uint8Array, from: bigint): Generator<Decoded> {
  for (let at = 0; at < text.length; ) {
    const found = decode(text, at);
    const address = from + BigInt(at);
    if ('problem' in found) {
      yield { address, bytes: text.subarray(at), instruction: undefined, problem: found.problem };
      return;
    }
    yield { address, bytes: text.subarray(at, at + found.length), instruction: found };
    at += found.length;
  }
}

/**
 * All instructions between two addresses.
 *
 * @param features of the processor it was patched for; without them, as it was linked
 */
export function listRoutine(
  kernel: Kernel,
  from: bigint,
  to: bigint,
  features?: ReadonlySet<number>,
): readonly Listed[] | FileProblem {
  const text = kernel.text(from, Number(to - from), features);
  return isProblem(text) ? text : listBytes(kernel, text, from);
}

/** The instructions of bytes that lie at `from`, whatever has been written over them since the kernel was linked. */
export const listBytes = ({ symbols }: Kernel, text: Uint8Array, from: bigint): readonly Listed[] =>
  Array.from(decoded(text, from), ({ address, bytes, instruction, problem }) => ({
    address,
    bytes,
    instruction,
    labels: symbols.named(address),
    text: instruction
      ? print(instruction, address, (target) => symbols.name(BigInt.asUintN(64, target)))
      : `(${problem})`,
  }));
