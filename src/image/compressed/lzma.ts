/**
 * LZMA as LZMA2 carries it: bits from a range coder, each with a probability that learns; bits make literals and copies.
 * Format: the LZMA specification of LZMA SDK 9.35 and later (lzma-specification.txt).
 */
import { malformed } from '../reading.ts';
import type { Output } from './output.ts';

const READING = 'LZMA data';
const STATES = 12;
/** Most position states, of up to four bits of the position. */
const POSITIONS = 16;
const HALF = 1 << 10;
const FULL = 1 << 11;
const LEARN = 5;

/** Where the probabilities of each kind begin in their one array. */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POSITIONS;
const IS_REP_0 = IS_REP + STATES;
const IS_REP_1 = IS_REP_0 + STATES;
const IS_REP_2 = IS_REP_1 + STATES;
const IS_REP_0_LONG = IS_REP_2 + STATES;
const SLOTS = IS_REP_0_LONG + STATES * POSITIONS;
const SPECIAL = SLOTS + 4 * 64;
const ALIGN = SPECIAL + 128;
const LENGTH = ALIGN + 16;
/** Within the coder of a length: two choices, then trees for short, middle and long ones. */
const LOW = 2;
const MIDDLE = LOW + POSITIONS * 8;
const HIGH = MIDDLE + POSITIONS * 8;
const LENGTH_SIZE = HIGH + 256;
const REP_LENGTH = LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;
const LITERAL_SIZE = 0x300;

/** Slots from which on the low bits of a distance have no probabilities of their own. */
const DIRECT = 14;
const SHORTEST = 2;

/** The state that is kept from chunk to chunk. */
export class Lzma {
  readonly #output: Output;
  #probabilities = new Uint16Array(0);
  #literalContext = 0;
  #literalPosition = 0;
  #positionMask = 0;
  #state = 0;
  #distances = [0, 0, 0, 0];
  /** Where the dictionary begins in the output: nothing before it may be copied. */
  #start: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** Both are 32 bits without sign, kept as JavaScript keeps small numbers, with one: three times as fast. */
  #range = 0;
  #code = 0;

  constructor(output: Output) {
    this.#output = output;
    this.#start = output.length;
  }

  /** Forgets what was written before. */
  resetDictionary(): void {
    this.#start = this.#output.length;
  }

  /** @param properties the byte that holds lc, lp and pb; false where it holds none that LZMA2 allows */
  setProperties(properties: number): boolean {
    const context = properties % 9;
    const position = Math.floor(properties / 9) % 5;
    if (properties >= 9 * 5 * 5 || context + position > 4) return false;
    this.#literalContext = context;
    this.#literalPosition = position;
    this.#positionMask = (1 << Math.floor(properties / 45)) - 1;
    this.#probabilities = new Uint16Array(LITERAL + (LITERAL_SIZE << (context + position)));
    return true;
  }

  resetState(): void {
    this.#probabilities.fill(HALF);
    this.#state = 0;
    this.#distances = [0, 0, 0, 0];
  }

  /** Reads the chunk at `at`, of `compressed` bytes, which gives `size` bytes. */
  chunk(bytes: Uint8Array, at: number, compressed: number, size: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = at + compressed;
    this.#range = -1;
    this.#code = 0;
    if (this.#next() !== 0) malformed('invalid LZMA chunk: first byte not 0', READING, at);
    for (let n = 0; n < 4; n++) this.#code = (this.#code << 8) | this.#next();
    this.#output.reserve(size);
    this.#decode(this.#output.length + size);
    this.#normalize();
    if (this.#at !== this.#end) malformed('invalid LZMA chunk: bytes left over', READING, this.#at);
  }

  #next(): number {
    if (this.#at >= this.#end) malformed('truncated LZMA chunk', READING, this.#at);
    return this.#bytes[this.#at++] as number;
  }

  #normalize(): void {
    if (this.#range >>> 24 === 0) {
      this.#range <<= 8;
      this.#code = (this.#code << 8) | this.#next();
    }
  }

  /** A bit, and what it teaches its probability. */
  #bit(index: number): 0 | 1 {
    this.#normalize();
    const probability = this.#probabilities[index] as number;
    const bound = Math.imul(this.#range >>> 11, probability);
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      this.#probabilities[index] = probability + ((FULL - probability) >>> LEARN);
      return 0;
    }
    this.#range = (this.#range - bound) | 0;
    this.#code = (this.#code - bound) | 0;
    this.#probabilities[index] = probability - (probability >>> LEARN);
    return 1;
  }

  /** `count` bits, the highest first, each with a probability that knows those before it. */
  #tree(base: number, count: number): number {
    let node = 1;
    for (let n = 0; n < count; n++) node = (node << 1) | this.#bit(base + node);
    return node - (1 << count);
  }

  /** As `#tree`, the lowest bit first. */
  #reverseTree(base: number, count: number): number {
    let node = 1;
    let value = 0;
    for (let n = 0; n < count; n++) {
      const bit = this.#bit(base + node);
      node = (node << 1) | bit;
      value |= bit << n;
    }
    return value;
  }

  /** Bits that are as likely as not. */
  #direct(count: number): number {
    let value = 0;
    for (let n = 0; n < count; n++) {
      this.#normalize();
      this.#range >>>= 1;
      const bit = this.#code >>> 0 >= this.#range ? 1 : 0;
      if (bit) this.#code = (this.#code - this.#range) | 0;
      value = (value << 1) | bit;
    }
    return value;
  }

  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + LOW + (position << 3), 3);
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + MIDDLE + (position << 3), 3);
    return 16 + this.#tree(base + HIGH, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(SLOTS + (Math.min(length, 3) << 6), 6);
    if (slot < 4) return slot;
    const count = (slot >> 1) - 1;
    const high = ((2 | (slot & 1)) << count) >>> 0;
    if (slot < DIRECT) return high + this.#reverseTree(SPECIAL + high - slot, count);
    return high + ((this.#direct(count - 4) << 4) >>> 0) + this.#reverseTree(ALIGN, 4);
  }

  #literal(position: number): void {
    const { bytes, length } = this.#output;
    const before = position === 0 ? 0 : (bytes[length - 1] as number);
    const context =
      ((position & ((1 << this.#literalPosition) - 1)) << this.#literalContext) +
      (before >> (8 - this.#literalContext));
    const base = LITERAL + LITERAL_SIZE * context;
    let node = 1;
    if (this.#state >= 7) {
      // Behind a copy, the byte that would have gone on with it is a hint, up to the first bit that differs.
      let hint = bytes[length - (this.#distances[0] as number) - 1] as number;
      while (node < 0x100) {
        const expected = (hint >> 7) & 1;
        hint <<= 1;
        const bit = this.#bit(base + ((1 + expected) << 8) + node);
        node = (node << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (node < 0x100) node = (node << 1) | this.#bit(base + node);
    bytes[length] = node & 0xff;
    this.#output.length = length + 1;
    this.#state -= this.#state < 4 ? this.#state : this.#state < 10 ? 3 : 6;
  }

  /** Length of a copy from one of the last four distances, which then is the first of them. */
  #repeated(position: number): number {
    const state = this.#state;
    const distances = this.#distances;
    if (this.#bit(IS_REP_0 + state) === 0) {
      if (this.#bit(IS_REP_0_LONG + (state << 4) + position) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      const which = this.#bit(IS_REP_1 + state) === 0 ? 1 : this.#bit(IS_REP_2 + state) === 0 ? 2 : 3;
      const distance = distances[which] as number;
      for (let n = which; n > 0; n--) distances[n] = distances[n - 1] as number;
      distances[0] = distance;
    }
    this.#state = state < 7 ? 8 : 11;
    return SHORTEST + this.#length(REP_LENGTH, position);
  }

  #fresh(position: number): number {
    const length = this.#length(LENGTH, position);
    const distances = this.#distances;
    for (let n = 3; n > 0; n--) distances[n] = distances[n - 1] as number;
    distances[0] = this.#distance(length);
    this.#state = this.#state < 7 ? 7 : 10;
    return SHORTEST + length;
  }

  #decode(end: number): void {
    const output = this.#output;
    while (output.length < end) {
      const written = output.length - this.#start;
      const position = written & this.#positionMask;
      if (this.#bit(IS_MATCH + (this.#state << 4) + position) === 0) {
        // A hint must lie in the dictionary.
        if (this.#state >= 7 && (this.#distances[0] as number) >= written)
          malformed('invalid LZMA distance', READING, this.#at);
        this.#literal(written);
        continue;
      }
      const count = this.#bit(IS_REP + this.#state) ? this.#repeated(position) : this.#fresh(position);
      const distance = this.#distances[0] as number;
      if (distance >= written)
        malformed(`invalid LZMA distance: ${distance + 1} of ${written}`, READING, this.#at);
      if (output.length + count > end)
        malformed('invalid LZMA chunk: longer than it says', READING, this.#at);
      output.copy(distance + 1, count);
    }
  }
}
