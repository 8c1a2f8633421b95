/** Where unpacked bytes go: one piece of memory that grows with what comes, never with what a file claims. */
import { malformed } from '../reading.ts';

/** Bytes that unpacking may give at most: no kernel is near it, and a hostile file gets no further. */
export const MOST_UNPACKED = 256 * 1024 * 1024;

/** Bytes reserved at first for one byte of input: kernels shrink to an eighth. */
const RATIO = 12;
const LEAST = 1 << 16;
/** A call costs as much as a loop over so many bytes. */
const SHORT = 32;

export class Output {
  bytes: Uint8Array;
  length = 0;
  readonly #limit: number;
  readonly #reading: string;

  /**
   * @param size bytes there will be at most
   * @param compressed bytes of input: what is reserved at first grows with them
   * @param reading what is unpacked, for problems
   */
  constructor(size: number, compressed: number, reading: string) {
    this.#limit = Math.min(size, MOST_UNPACKED);
    this.#reading = reading;
    this.bytes = new Uint8Array(Math.min(this.#limit, Math.max(LEAST, compressed * RATIO)));
  }

  /** Makes room for `count` more bytes, or ends the reading with a problem. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    if (needed > this.#limit)
      malformed(`too large ${this.#reading}: more than ${this.#limit} bytes`, this.#reading, this.length);
    const grown = new Uint8Array(Math.min(this.#limit, Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  append(piece: Uint8Array): void {
    this.reserve(piece.length);
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  /** Writes again what stands `distance` bytes back; the two may overlap, so that a short piece repeats. */
  copy(distance: number, count: number): void {
    this.reserve(count);
    const { bytes, length } = this;
    const from = length - distance;
    if (distance >= count && count > SHORT) bytes.copyWithin(length, from, from + count);
    else for (let n = 0; n < count; n++) bytes[length + n] = bytes[from + n] as number;
    this.length = length + count;
  }

  /** What is there, not a copy. */
  get filled(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
