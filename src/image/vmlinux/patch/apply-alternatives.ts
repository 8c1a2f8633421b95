/**
 * Alternatives written in, moved to where they stand, nops made long (apply_alternatives() in arch/x86/kernel/alternative.c
 * of 6.1.192 and 6.12.117). What is written in was itself patched before, where it returns or calls through a register.
 */
import { decode } from '../../../isa/decode.ts';
import { type AlternativeSite, type Alternatives, applies } from '../alternatives.ts';
import { ALWAYS } from '../features.ts';
import { NOP, NOPS, optimizeNops, optimizeNopsOld } from './nops.ts';
import { BRANCH, CALL, INT3, JMP, JMP_SHORT, type TextCopy, wordsOf } from './text-copy.ts';

/** What direct calls are made of. */
export interface CallTargets {
  /** What a pointer of the kernel holds. */
  readonly pointer: (address: bigint) => bigint | undefined;
  /** `nop_func`: a direct call of it is left out. */
  readonly nopFunction: bigint | undefined;
}

/**
 * Applies all alternatives, in their order.
 *
 * @param features numbers of the features the processor has
 */
export function applyAlternatives(
  text: TextCopy,
  { record, sites }: Alternatives,
  features: ReadonlySet<number>,
  targets: CallTargets,
): void {
  const has = new Set([...features, ALWAYS]);
  // Of sites of one address, which follow each other, each writes as much as the longest.
  const lengths = new Map<bigint, number>();
  if (record === 14)
    for (const { address, length } of sites)
      lengths.set(address, Math.max(length, lengths.get(address) ?? 0));
  for (const site of sites) {
    const linked = text.at(site.address, lengths.get(site.address) ?? site.length);
    if (!linked) continue;
    const bytes = Uint8Array.from(linked);
    if (applies(site, has)) replace(text, site, bytes, record, targets);
    if (record === 14) optimizeNops(bytes);
    else optimizeNopsOld(bytes);
    if (bytes.some((byte, n) => byte !== linked[n])) text.write('alternative', site.address, bytes);
  }
}

/** Writes a replacement over `bytes`, which stand at the site. */
function replace(
  text: TextCopy,
  site: AlternativeSite,
  bytes: Uint8Array,
  record: Alternatives['record'],
  targets: CallTargets,
): void {
  const now = text.at(site.from, site.bytes.length) ?? site.bytes;
  const code = site.directCall ? directCall(text, site, now, targets) : now;
  bytes.fill(NOP);
  bytes.set(code);
  if (record === 14) relocate(bytes, site.from, site.address, code.length);
  else relocateOld(bytes, site, code.length);
}

/** `call *pointer(%rip)` becomes `call target`, with the target that the pointer has; of `nop_func`, nothing. */
function directCall(
  text: TextCopy,
  site: AlternativeSite,
  now: Uint8Array,
  { pointer, nopFunction }: CallTargets,
): Uint8Array {
  const call = text.at(site.address, 6);
  const code = Uint8Array.from(now);
  if (call?.[0] !== 0xff || call[1] !== 0x15 || code[0] !== CALL || code.length !== BRANCH) return code;
  const target =
    pointer(BigInt.asUintN(64, site.address + 6n + BigInt(wordsOf(call).getInt32(2, true)))) ?? 0n;
  if (target === nopFunction) return new Uint8Array(0);
  // Without a target the kernel leaves the call of BUG_func.
  if (target !== 0n)
    wordsOf(code).setInt32(1, Number(BigInt.asIntN(32, target - (site.from + BigInt(BRANCH)))), true);
  return code;
}

/**
 * 6.5 and later: every branch out of the code and every operand relative to RIP is moved (text_poke_apply_relocation()).
 *
 * @param size bytes of the code, which begins `bytes` and was linked at `from`
 */
export function relocate(bytes: Uint8Array, from: bigint, to: bigint, size: number): void {
  const moved = Number(BigInt.asIntN(64, from - to));
  const isOutside = (target: number): boolean => target < 0 || target > size;
  const data = wordsOf(bytes);
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
  if (size !== BRANCH || (bytes[0] !== CALL && bytes[0] !== JMP)) return;
  const moved = Number(BigInt.asIntN(64, site.from - site.address));
  const data = wordsOf(bytes);
  const distance = data.getInt32(1, true) + moved;
  data.setInt32(1, distance, true);
  // Only forwards: the test for jumps back never holds, by a comparison without sign.
  if (bytes[0] === JMP && distance + 5 >= 0 && isByte(distance + 3))
    bytes.set([JMP_SHORT, (distance + 3) & 0xff, ...(NOPS[3] as readonly number[])]);
}
