/** CRC-32 as gzip, xz and Ethernet have it: polynomial 0x04c11db7, bits reversed. */

/** Four tables, so that four bytes take one step. */
const TABLES: readonly Int32Array[] = (() => {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  const next = (before: Int32Array): Int32Array =>
    before.map((value) => (value >>> 8) ^ (first[value & 0xff] as number));
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
})();

/** As an unsigned number of 32 bits. */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = TABLES as readonly [Int32Array, Int32Array, Int32Array, Int32Array];
  const whole = bytes.length & ~3;
  let value = -1;
  let at = 0;
  for (; at < whole; at += 4) {
    value ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    value =
      (t3[value & 0xff] as number) ^
      (t2[(value >>> 8) & 0xff] as number) ^
      (t1[(value >>> 16) & 0xff] as number) ^
      (t0[value >>> 24] as number);
  }
  for (; at < bytes.length; at++)
    value = (value >>> 8) ^ (t0[(value ^ (bytes[at] as number)) & 0xff] as number);
  return ~value >>> 0;
}
