/** The xz format written by hand: a range coder of large numbers, and copies found by looking everywhere. */
import { crc32 } from '../../../src/image/compressed/crc32.ts';
import { joined, little } from './bytes.ts';

/** Where each kind of probability begins. */
const REP = 192;
const REP_0 = REP + 12;
const REP_0_LONG = REP_0 + 36;
const SLOTS = REP_0_LONG + 192;
const SPECIAL = SLOTS + 256;
const ALIGN = SPECIAL + 128;
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + 514;
const LITERAL = REP_LENGTH + 514;
/** lc 3, lp 0, pb 2. */
const PROPERTIES = (2 * 5 + 0) * 9 + 3;

class Encoder {
  readonly #probabilities = new Uint16Array(LITERAL + (0x300 << 3)).fill(1024);
  /** The code is any number from `low` up to `low + range`, with a byte more for each shift. */
  #low = 0n;
  #range = 0xffffffffn;
  #bytes = 4;

  #narrowed(): void {
    if (this.#range >= 1n << 24n) return;
    this.#range <<= 8n;
    this.#low <<= 8n;
    this.#bytes++;
  }
  bit(index: number, bit: number): void {
    const probability = this.#probabilities[index] as number;
    const bound = (this.#range >> 11n) * BigInt(probability);
    this.#probabilities[index] = bit
      ? probability - (probability >> 5)
      : probability + ((2048 - probability) >> 5);
    if (bit) this.#low += bound;
    this.#range = bit ? this.#range - bound : bound;
    this.#narrowed();
  }
  direct(value: number, count: number): void {
    for (let n = count - 1; n >= 0; n--) {
      this.#range >>= 1n;
      if ((value >> n) & 1) this.#low += this.#range;
      this.#narrowed();
    }
  }
  tree(base: number, value: number, count: number): void {
    for (let n = count - 1; n >= 0; n--)
      this.bit(base + ((1 << (count - 1 - n)) | (value >> (n + 1))), (value >> n) & 1);
  }
  reverse(base: number, value: number, count: number): void {
    for (let n = 0, node = 1; n < count; n++) {
      const bit = (value >> n) & 1;
      this.bit(base + node, bit);
      node = (node << 1) | bit;
    }
  }
  length(base: number, length: number, position: number): void {
    const value = length - 2;
    this.bit(base, value < 8 ? 0 : 1);
    if (value < 8) {
      this.tree(base + 2 + position * 8, value, 3);
      return;
    }
    this.bit(base + 1, value < 16 ? 0 : 1);
    if (value < 16) this.tree(base + 130 + position * 8, value - 8, 3);
    else this.tree(base + 258, value - 16, 8);
  }
  distance(distance: number, length: number): void {
    const bits = 32 - Math.clz32(distance);
    const slot = distance < 4 ? distance : ((bits - 1) << 1) | ((distance >> (bits - 2)) & 1);
    this.tree(SLOTS + Math.min(length - 2, 3) * 64, slot, 6);
    if (slot < 4) return;
    const count = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << count;
    if (slot < 14) {
      this.reverse(SPECIAL + high - slot, distance - high, count);
      return;
    }
    this.direct((distance - high) >> 4, count - 4);
    this.reverse(ALIGN, (distance - high) & 15, 4);
  }
  literal(byte: number, before: number, hint: number | undefined): void {
    const base = LITERAL + 0x300 * (before >> 5);
    let known = hint;
    for (let n = 7, node = 1; n >= 0; n--) {
      const bit = (byte >> n) & 1;
      const expected = known === undefined ? 0 : (known >> n) & 1;
      this.bit(base + (known === undefined ? 0 : (1 + expected) << 8) + node, bit);
      if (bit !== expected) known = undefined;
      node = (node << 1) | bit;
    }
  }
  end(): Uint8Array {
    const code = this.#low.toString(16).padStart(2 * this.#bytes, '0');
    return joined(
      [0],
      (code.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)),
    );
  }
}

/** The longest copy for what stands at `at`; of equal ones the nearest. */
function longest(data: Uint8Array, at: number): readonly [distance: number, length: number] {
  let found: readonly [number, number] = [0, 0];
  for (let distance = 1; distance <= at; distance++) {
    let length = 0;
    while (length < 273 && at + length < data.length && data[at + length] === data[at + length - distance])
      length++;
    if (length > found[1]) found = [distance, length];
  }
  return found;
}

function lzma(data: Uint8Array): Uint8Array {
  const encoder = new Encoder();
  let state = 0;
  let last = 1;
  let earlier = 1;
  for (let at = 0; at < data.length; ) {
    const position = at & 3;
    const [distance, length] = longest(data, at);
    if (length < 2) {
      const byte = data[at] as number;
      encoder.bit(state * 16 + position, 0);
      encoder.literal(byte, data[at - 1] ?? 0, state >= 7 ? data[at - last] : undefined);
      state -= state < 4 ? state : state < 10 ? 3 : 6;
      at++;
      continue;
    }
    encoder.bit(state * 16 + position, 1);
    const repeated = distance === last || distance === earlier;
    encoder.bit(REP + state, repeated ? 1 : 0);
    if (repeated) {
      encoder.bit(REP_0 + state, distance === last ? 0 : 1);
      if (distance === last) encoder.bit(REP_0_LONG + state * 16 + position, 1);
      else encoder.bit(REP_0 + 12 + state, 0);
      encoder.length(REP_LENGTH, length, position);
      state = state < 7 ? 8 : 11;
    } else {
      encoder.length(LENGTH, length, position);
      encoder.distance(distance - 1, length);
      state = state < 7 ? 7 : 10;
    }
    if (distance !== last) [last, earlier] = [distance, last];
    at += length;
  }
  return encoder.end();
}

const big = (value: number): readonly number[] => [value >> 8, value & 0xff];

/** A chunk of LZMA2: `plain` bytes as they are, others compressed. */
function chunk(data: Uint8Array, plain: boolean): Uint8Array {
  if (plain) return joined([1], big(data.length - 1), data);
  const code = lzma(data);
  return joined(
    [0xe0 | ((data.length - 1) >> 16)],
    big((data.length - 1) & 0xffff),
    big(code.length - 1),
    [PROPERTIES],
    code,
  );
}

const sealed = (bytes: Uint8Array): Uint8Array => joined(bytes, little(crc32(bytes), 4));

/**
 * A file of one block and an index.
 *
 * @param filtered bytes that the x86 filter has gone over already: what comes out has it undone
 */
export function xz(
  data: Uint8Array,
  { plain = false, filtered, check }: { plain?: boolean; filtered?: Uint8Array; check?: number } = {},
): Uint8Array {
  const flags = [0, check ?? 1] as const;
  const filters = filtered ? [4, 0, 0x21, 1, 16] : [0x21, 1, 16];
  const body = joined([filtered ? 1 : 0], filters);
  const header = sealed(joined([2], body, new Uint8Array(7 - body.length)));
  const blocks = joined(chunk(filtered ?? data, plain), [0]);
  const block = joined(
    header,
    blocks,
    new Uint8Array(-blocks.length & 3),
    check === 0 ? [] : little(crc32(data), 4),
  );
  return joined(
    [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    flags,
    little(crc32(Uint8Array.from(flags)), 4),
    block,
    [0],
  );
}
