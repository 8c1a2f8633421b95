/**
 * The two entropy codes of Zstandard: finite state entropy, and Huffman. Both are read backwards, from a bit that marks the end.
 * Format: RFC 8878, sections 4.1 and 4.2.
 */
import type { Reader } from '../reading.ts';

/** A table of finite state entropy: what a state stands for, how many bits lead on, and where to. */
export interface Fse {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly next: Uint16Array;
}

/** `symbol * 16 + bits` for every code of `log` bits. */
export interface Huffman {
  readonly log: number;
  readonly codes: Uint16Array;
}

const MOST_WEIGHTS = 255;
const LONGEST_WEIGHT_LOG = 6;
const LONGEST_CODE = 11;

const highest = (value: number): number => 31 - Math.clz32(value);

/** `count` bits, 25 at most, from the bit `at` of `bytes` on; beyond the end are zeros. */
export const bitsAt = (bytes: Uint8Array, at: number, count: number): number => {
  const byte = at >> 3;
  const word =
    (bytes[byte] as number) |
    ((bytes[byte + 1] as number) << 8) |
    ((bytes[byte + 2] as number) << 16) |
    ((bytes[byte + 3] as number) << 24);
  return (word >>> (at & 7)) & ((1 << count) - 1);
};

/** Where a stream that is read backwards begins, in bits: below the highest bit of its last byte. */
export function beginning(source: Reader, start: number, end: number): number {
  const last = end > start ? source.u8(end - 1) : 0;
  if (last === 0) source.fail('invalid zstd bit stream: no end mark', Math.max(start, end - 1));
  return 8 * (end - 1) + highest(last);
}

/** The table whose probabilities stand at `start`, and where they end (section 4.1.1). */
export function readFse(
  source: Reader,
  start: number,
  end: number,
  longest: number,
  most: number,
): { readonly table: Fse; readonly at: number } {
  const { bytes } = source;
  const log = (source.u8(start) & 15) + 5;
  if (log > longest) source.fail(`invalid zstd table: accuracy ${log} of ${longest} at most`, start);
  let at = 8 * start + 4;
  let left = 1 << log;
  const chances: number[] = [];
  while (left > 0) {
    if (at > 8 * end) source.fail('truncated zstd table', start);
    const size = highest(left + 1) + 1;
    const short = (1 << size) - 2 - left;
    let value = bitsAt(bytes, at, size - 1);
    if (value < short) at += size - 1;
    else {
      value = bitsAt(bytes, at, size);
      if (value >= 1 << (size - 1)) value -= short;
      at += size;
    }
    // One less than what stands there: -1 is a symbol that is seldom met.
    const chance = value - 1;
    left -= Math.abs(chance);
    chances.push(chance);
    if (chance === 0)
      for (let zeros = 3; zeros === 3; at += 2) {
        zeros = bitsAt(bytes, at, 2);
        for (let n = 0; n < zeros; n++) chances.push(0);
        if (chances.length > most) break;
      }
    if (chances.length > most) source.fail(`invalid zstd table: more than ${most} symbols`, start);
  }
  const ends = (at + 7) >> 3;
  if (left < 0 || ends > end) source.fail('invalid zstd table: its chances are not one in all', start);
  return { table: makeFse(chances, log), at: ends };
}

/** The states of a table: seldom symbols at its end, the others spread over the rest (section 4.1.1). */
export function makeFse(chances: readonly number[], log: number): Fse {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  const next = new Uint16Array(size);
  const counts = chances.map((chance) => Math.abs(chance));
  let last = size - 1;
  for (const [symbol, chance] of chances.entries()) if (chance === -1) symbols[last--] = symbol;
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  for (const [symbol, chance] of chances.entries())
    for (let n = 0; n < chance; n++) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place > last);
    }
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const nth = counts[symbol] as number;
    counts[symbol] = nth + 1;
    bits[state] = log - highest(nth);
    next[state] = (nth << (bits[state] as number)) - size;
  }
  return { log, symbols, bits, next };
}

/** A table of one state: the same symbol for ever. */
export const onlyFse = (symbol: number): Fse => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: Uint8Array.of(0),
  next: Uint16Array.of(0),
});

/** The code whose weights stand at `start`, and where they end (section 4.2.1). */
export function readHuffman(
  source: Reader,
  start: number,
  end: number,
): { readonly code: Huffman; readonly at: number } {
  const first = source.u8(start);
  const direct = first >= 128;
  const count = direct ? first - 127 : 0;
  const at = start + 1 + (direct ? (count + 1) >> 1 : first);
  if (at > end) source.fail('truncated zstd weights', start);
  const weights = direct
    ? Array.from({ length: count }, (_, n) => {
        const byte = source.u8(start + 1 + (n >> 1));
        return n % 2 === 0 ? byte >> 4 : byte & 15;
      })
    : packedWeights(source, start + 1, at);
  return { code: makeHuffman(source, start, weights), at };
}

/** Weights in finite state entropy, with two states that take turns. */
function packedWeights(source: Reader, start: number, end: number): number[] {
  const { table, at: from } = readFse(source, start, end, LONGEST_WEIGHT_LOG, MOST_WEIGHTS);
  const { bytes } = source;
  let at = beginning(source, from, end);
  const take = (count: number): number => {
    at -= count;
    // What lies before the stream counts as zeros.
    const missing = Math.max(0, Math.min(count, 8 * from - at));
    return bitsAt(bytes, at + missing, count - missing) << missing;
  };
  const weights: number[] = [];
  const states = [take(table.log), take(table.log)];
  for (let turn = 0; weights.length < MOST_WEIGHTS; turn ^= 1) {
    const state = states[turn] as number;
    weights.push(table.symbols[state] as number);
    const more = table.bits[state] as number;
    if (at - more < 8 * from) {
      // The other state has one more symbol.
      weights.push(table.symbols[states[turn ^ 1] as number] as number);
      return weights;
    }
    states[turn] = (table.next[state] as number) + take(more);
  }
  return source.fail('invalid zstd weights: too many', start);
}

/** Codes by their weights; the last symbol has what is left. */
function makeHuffman(source: Reader, start: number, given: readonly number[]): Huffman {
  const room = given.reduce((sum, weight) => sum + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  const log = room > 0 ? Math.floor(Math.log2(room)) + 1 : 0;
  const left = 2 ** log - room;
  if (log === 0 || log > LONGEST_CODE || (left & (left - 1)) !== 0 || given.length > MOST_WEIGHTS)
    source.fail('invalid zstd weights', start);
  const weights = [...given, highest(left) + 1];
  const codes = new Uint16Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++)
    for (const [symbol, one] of weights.entries())
      if (one === weight) {
        const size = 1 << (weight - 1);
        codes.fill(symbol * 16 + log + 1 - weight, at, at + size);
        at += size;
      }
  return { log, codes };
}

/** Unpacks one stream of literals into `to`, which it must fill (section 4.2.2). */
export function unpackHuffman(
  source: Reader,
  start: number,
  end: number,
  { log, codes }: Huffman,
  to: Uint8Array,
): void {
  const { bytes } = source;
  const from = 8 * start;
  let at = beginning(source, start, end);
  for (let n = 0; n < to.length; n++) {
    // Bits from before the stream do no harm: a code is told by its first ones.
    const code = codes[at >= log ? bitsAt(bytes, at - log, log) : 0] as number;
    to[n] = code >> 4;
    at -= code & 15;
  }
  if (at !== from) source.fail('invalid zstd literals: the stream does not end with them', start);
}
