/** Instructions that do nothing, as kernels write them (arch/x86/include/asm/nops.h). */
import { decode } from '../../../isa/decode.ts';
import { INT3, JMP, JMP_SHORT, wordsOf } from './text-copy.ts';

/** Longest nop that a kernel writes: since 6.5, and before. */
const LONGEST = 11;
const LONGEST_OLD = 8;
export const NOP = 0x90;

/** By their length. */
export const NOPS: readonly (readonly number[])[] = [
  [],
  [NOP],
  [0x66, NOP],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0],
  [0x0f, 0x1f, 0x44, 0, 0],
  [0x66, 0x0f, 0x1f, 0x44, 0, 0],
  [0x0f, 0x1f, 0x80, 0, 0, 0, 0],
  [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
];

/** Length of the nop at `at`; 0 where there is none. */
function nopAt(bytes: Uint8Array, at: number): number {
  let opcode = at;
  while (bytes[opcode] === 0x66 || bytes[opcode] === 0x2e) opcode++;
  if (bytes[opcode] === NOP) return opcode + 1 - at;
  if (bytes[opcode] !== 0x0f || bytes[opcode + 1] !== 0x1f) return 0;
  const found = decode(bytes, at);
  return 'problem' in found ? 0 : found.length;
}

/** Fills with nops of eight bytes at most (add_nops(), until 6.4). */
export function fillNopsOld(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += LONGEST_OLD)
    bytes.set(NOPS[Math.min(LONGEST_OLD, to - at)] as readonly number[], at);
}

/** Up to 6.4: runs of single bytes become longer nops. */
export function optimizeNopsOld(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const found = decode(bytes, at);
    if ('problem' in found) return;
    let end = at;
    while (bytes[end] === NOP) end++;
    if (end - at > 1) {
      fillNopsOld(bytes, at, end);
      at = end;
    } else at += found.length;
  }
}

/** 6.5 and later: neighbouring nops become one; one that ends the code stays as it is. */
export function optimizeNops(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const found = decode(bytes, at);
    if ('problem' in found) return;
    let next = at + found.length;
    if (nopAt(bytes, at) > 0) {
      if (next === bytes.length) return;
      for (let length = 1; next < bytes.length && length > 0; next += length) length = nopAt(bytes, next);
      writeNop(bytes, at, next);
    }
    at = next;
  }
}

/** One nop, or where that is too long a jump over what is left. */
function writeNop(bytes: Uint8Array, from: number, to: number): void {
  const count = to - from;
  if (count <= LONGEST) {
    bytes.set(NOPS[count] as readonly number[], from);
    return;
  }
  bytes.fill(INT3, from, to);
  if (count < 128) bytes.set([JMP_SHORT, count - 2], from);
  else {
    bytes[from] = JMP;
    wordsOf(bytes).setInt32(from + 1, count - 5, true);
  }
}
