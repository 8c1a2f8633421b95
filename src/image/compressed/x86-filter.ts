/**
 * The x86 filter of xz. Before compression the displacement of CALL and JMP (e8, e9) is made an address, so that calls of one
 * function look alike; this undoes it. Format: xz-file-format 1.1.0, section 5.3.2; the rule which bytes count is
 * that of x86.c in liblzma, which every implementation must follow to the bit.
 */

/** By the last three bytes, whether one of them was an opcode: may the one at hand be converted? */
const ALLOWED: readonly boolean[] = [true, true, true, false, true, false, false, false];
/** Which byte of the operand those opcodes lie in. */
const BIT: readonly number[] = [0, 1, 2, 2, 3, 3, 3, 3];

const isHigh = (byte: number): boolean => byte === 0 || byte === 0xff;

/**
 * Undoes the filter in place.
 *
 * @param start address of the first byte, as the filter counted
 */
export function unfilterX86(bytes: Uint8Array, start = 0): void {
  const end = bytes.length - 4;
  /** Where the last opcode was, and which of the three bytes before the next one were opcodes. */
  let before = -1;
  let mask = 0;
  for (let at = 0; at < end; at++) {
    if (((bytes[at] as number) & 0xfe) !== 0xe8) continue;
    const distance = at - before;
    before = at;
    if (distance > 3) mask = 0;
    else {
      mask = (mask << (distance - 1)) & 7;
      if (mask !== 0) {
        const suspect = bytes[at + 4 - (BIT[mask] as number)] as number;
        if (!ALLOWED[mask] || isHigh(suspect)) {
          mask = (mask << 1) | 1;
          continue;
        }
      }
    }
    if (!isHigh(bytes[at + 4] as number)) {
      mask = (mask << 1) | 1;
      continue;
    }
    let value =
      (bytes[at + 1] as number) |
      ((bytes[at + 2] as number) << 8) |
      ((bytes[at + 3] as number) << 16) |
      ((bytes[at + 4] as number) << 24);
    for (;;) {
      value = (value - (start + at + 5)) | 0;
      if (mask === 0) break;
      const shift = (BIT[mask] as number) * 8;
      if (!isHigh((value >>> (24 - shift)) & 0xff)) break;
      value ^= (1 << (32 - shift)) - 1;
    }
    bytes[at + 1] = value & 0xff;
    bytes[at + 2] = (value >>> 8) & 0xff;
    bytes[at + 3] = (value >>> 16) & 0xff;
    bytes[at + 4] = (value >>> 24) & 1 ? 0xff : 0;
    at += 4;
    mask = 0;
  }
}
