/** What fills a gap in code. */

/** Nops of 1 to 11 bytes as GNU as 2.40 pads code with for a generic x86-64 processor. */
const NOPS = [
  '90',
  '6690',
  '0f1f00',
  '0f1f4000',
  '0f1f440000',
  '660f1f440000',
  '0f1f8000000000',
  '0f1f840000000000',
  '660f1f840000000000',
  '662e0f1f840000000000',
  '66662e0f1f840000000000',
].map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
const LONGEST = NOPS.length;
/** A gap of more whole nops than this is jumped over. */
const MOST_NOPS = 7;

/** What fills a gap of `size` bytes in code. */
export function nops(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  if (Math.floor(size / LONGEST) > MOST_NOPS) {
    const short = size - 2 < 128;
    at = short ? 2 : 5;
    bytes[0] = short ? 0xeb : 0xe9;
    const distance = size - at;
    for (let n = 1; n < at; n++) bytes[n] = distance >>> (8 * (n - 1));
  }
  while (at < size) {
    const nop = NOPS[Math.min(size - at, LONGEST) - 1] ?? bytes;
    bytes.set(nop, at);
    at += nop.length;
  }
  return bytes;
}
