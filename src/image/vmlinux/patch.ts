/**
 * Text as it is after boot on a processor with chosen features: alternatives written in, moved to where they stand, nops made
 * long (apply_alternatives in arch/x86/kernel/alternative.c of 6.1 and 6.12). Returns, retpolines and static calls stay
 * as they were linked. Compared with the memory of 6.1.192 and 6.12.117 amd64 after boot, at all 9144 sites outside of init
 * text: the only differences are returns.
 */
import { decode } from '../../isa/decode.ts';
import { type AlternativeSite, type Alternatives, applies } from './alternatives.ts';
import { ALWAYS } from './features.ts';
import type { KernelMemory } from './memory.ts';

/** Longest nop that a kernel writes: since 6.5, and before. */
const LONGEST_NOP = 11;
const LONGEST_NOP_OLD = 8;
const NOP = 0x90;
const INT3 = 0xcc;
const CALL = 0xe8;
const JMP = 0xe9;
const JMP_SHORT = 0xeb;

/** By their length. */
const NOPS: readonly (readonly number[])[] = [
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

/** A place of the text and what stands there after boot. */
export interface Patch {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** A kernel that is to be patched. */
export interface Patchable {
  readonly memory: KernelMemory;
  readonly alternatives: Alternatives;
  /** `nop_func`: a direct call of it is left out. */
  readonly nopFunction: bigint | undefined;
}

/**
 * What alternatives make of the text between two addresses.
 *
 * @param features numbers of the features the processor has
 */
export function patches(
  kernel: Patchable,
  features: ReadonlySet<number>,
  from: bigint,
  to: bigint,
): readonly Patch[] {
  const has = new Set([...features, ALWAYS]);
  const { record, sites } = kernel.alternatives;
  const found = new Map<bigint, Uint8Array>();
  const chosen = sites.filter(({ address }) => address >= from && address < to);
  // Of sites of one address, which follow each other, each writes as much as the longest of those still to come.
  const lengths = new Map<bigint, number>();
  for (const { address, length } of chosen) lengths.set(address, Math.max(length, lengths.get(address) ?? 0));
  for (const site of chosen) {
    const length = record === 14 ? (lengths.get(site.address) ?? 0) : site.length;
    const text = kernel.memory.upTo(site.address, length);
    if (text?.length !== length) continue;
    const bytes = Uint8Array.from(text);
    bytes.set(found.get(site.address)?.subarray(0, length) ?? []);
    if (applies(site, has)) replace(kernel, site, bytes);
    if (record === 14) optimizeNops(bytes);
    else optimizeNopsOld(bytes);
    found.set(site.address, bytes);
  }
  return [...found].map(([address, bytes]) => ({ address, bytes }));
}

/** Text with patches written over it. */
export function patchedText(text: Uint8Array, address: bigint, done: readonly Patch[]): Uint8Array {
  const result = Uint8Array.from(text);
  for (const patch of done) {
    const at = Number(patch.address - address);
    const part = patch.bytes.subarray(Math.max(0, -at), Math.max(0, result.length - at));
    if (part.length > 0) result.set(part, Math.max(0, at));
  }
  return result;
}

/** Writes a replacement over `bytes`, which stand at the site. */
function replace(kernel: Patchable, site: AlternativeSite, bytes: Uint8Array): void {
  const code = site.directCall ? directCall(kernel, site) : site.bytes;
  bytes.fill(NOP);
  bytes.set(code);
  if (kernel.alternatives.record === 14) relocate(bytes, site, code.length);
  else relocateOld(bytes, site, code.length);
}

/** `call *pointer(%rip)` becomes `call target`, with the target that the pointer has in the file; of `nop_func`, nothing. */
function directCall({ memory, nopFunction }: Patchable, site: AlternativeSite): Uint8Array {
  const call = memory.upTo(site.address, 6);
  const code = Uint8Array.from(site.bytes);
  if (call?.length !== 6 || call[0] !== 0xff || call[1] !== 0x15 || code[0] !== CALL || code.length !== 5)
    return code;
  const pointer = BigInt.asUintN(64, site.address + 6n + BigInt(view(call).getInt32(2, true)));
  const word = memory.upTo(pointer, 8);
  const target = word?.length === 8 ? view(word).getBigUint64(0, true) : 0n;
  if (target === nopFunction) return new Uint8Array(0);
  // Without a target the kernel leaves the call of BUG_func.
  if (target !== 0n) view(code).setInt32(1, Number(BigInt.asIntN(32, target - (site.from + 5n))), true);
  return code;
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** 6.5 and later: every branch out of the replacement and every operand relative to RIP is moved to the site. */
function relocate(bytes: Uint8Array, site: AlternativeSite, size: number): void {
  const moved = Number(BigInt.asIntN(64, site.from - site.address));
  const isOutside = (target: number): boolean => target < 0 || target > size;
  const data = view(bytes);
  for (let at = 0; at < size; ) {
    const found = decode(bytes, at);
    if ('problem' in found) return;
    const next = at + found.length;
    const [byte, second] = [bytes[at] as number, bytes[at + 1] as number];
    const wide = byte === CALL || byte === JMP || (byte === 0x0f && second >= 0x80 && second <= 0x8f);
    if (wide && isOutside(next + data.getInt32(next - 4, true))) {
      const distance = data.getInt32(next - 4, true) + moved;
      data.setInt32(next - 4, distance, true);
      // Where two bytes do for a jump, five are not used.
      if (byte === JMP && isByte(distance + 3)) {
        bytes.set([JMP_SHORT, (distance + 3) & 0xff, INT3, INT3, INT3], at);
      }
    }
    if (found.memory?.base === 'rip') {
      // The displacement is the last but the immediate; it is found by its value.
      const old = Number(BigInt.asIntN(32, found.memory.displacement));
      if (isOutside(next + old))
        for (let place = next - 4; place > at; place--)
          if (data.getInt32(place, true) === old) {
            data.setInt32(place, old + moved, true);
            break;
          }
    }
    at = next;
  }
}

const isByte = (value: number): boolean => value >= -128 && value <= 127;

/** Up to 6.4: only a call or a jump that is the whole replacement. */
function relocateOld(bytes: Uint8Array, site: AlternativeSite, size: number): void {
  if (size !== 5 || (bytes[0] !== CALL && bytes[0] !== JMP)) return;
  const moved = Number(BigInt.asIntN(64, site.from - site.address));
  const data = view(bytes);
  const distance = data.getInt32(1, true) + moved;
  data.setInt32(1, distance, true);
  // Only forwards: the test for jumps back never holds, by a comparison without sign.
  if (bytes[0] === JMP && distance + 5 >= 0 && isByte(distance + 3))
    bytes.set([JMP_SHORT, (distance + 3) & 0xff, ...(NOPS[3] as readonly number[])]);
}

/** Length of the nop at `at`; 0 where there is none. */
function nopAt(bytes: Uint8Array, at: number): number {
  let opcode = at;
  while (bytes[opcode] === 0x66 || bytes[opcode] === 0x2e) opcode++;
  if (bytes[opcode] === NOP) return opcode + 1 - at;
  if (bytes[opcode] !== 0x0f || bytes[opcode + 1] !== 0x1f) return 0;
  const found = decode(bytes, at);
  return 'problem' in found ? 0 : found.length;
}

/** Up to 6.4: runs of single bytes, eight at most at a time. */
function optimizeNopsOld(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const found = decode(bytes, at);
    if ('problem' in found) return;
    let end = at;
    while (bytes[end] === NOP) end++;
    if (end - at > 1) {
      for (let from = at; from < end; from += LONGEST_NOP_OLD)
        bytes.set(NOPS[Math.min(LONGEST_NOP_OLD, end - from)] as readonly number[], from);
      at = end;
    } else at += found.length;
  }
}

/** 6.5 and later: neighbouring nops become one. */
function optimizeNops(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const found = decode(bytes, at);
    if ('problem' in found) return;
    let next = at + found.length;
    if (nopAt(bytes, at) > 0) {
      for (let length = 1; next < bytes.length && length > 0; next += length) length = nopAt(bytes, next);
      writeNop(bytes, at, next);
    }
    at = next;
  }
}

/** One nop, or where that is too long a jump over what is left. */
function writeNop(bytes: Uint8Array, from: number, to: number): void {
  const count = to - from;
  if (count <= LONGEST_NOP) {
    bytes.set(NOPS[count] as readonly number[], from);
    return;
  }
  bytes.fill(INT3, from, to);
  if (count < 128) bytes.set([JMP_SHORT, count - 2], from);
  else {
    bytes[from] = JMP;
    view(bytes).setInt32(from + 1, count - 5, true);
  }
}
