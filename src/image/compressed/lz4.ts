/**
 * LZ4 in its legacy frame, as kernels use it: blocks of at most 8 MiB, each with its size before it.
 * Format: lz4_Frame_format.md and lz4_Block_format.md of lz4 1.9.
 */
import type { Reader } from '../reading.ts';
import type { Output } from './output.ts';

const LEGACY = 0x184c2102;
const BLOCK = 8 << 20;
const SHORT = 32;

/** Unpacks into `output`, a block at a time. */
export function* unpackLz4(source: Reader, output: Output): Generator<void> {
  if (source.u32(0) !== LEGACY) source.fail(`invalid magic: 0x${source.u32(0).toString(16)}`, 0);
  for (let at = 4; at < source.length; ) {
    const size = source.u32(at);
    at += 4;
    // A frame may be followed by another one.
    if (size === LEGACY) continue;
    source.slice(at, size);
    unpackBlock(source, at, at + size, output);
    at += size;
    yield;
  }
}

/** A block from `at` to `end`: literals and copies in turn; the last are literals. */
function unpackBlock(source: Reader, start: number, end: number, output: Output): void {
  const { bytes } = source;
  const first = output.length;
  let at = start;
  /** Length of four bits, and more bytes of it where all are set. */
  const more = (bits: number): number => {
    let length = bits;
    if (bits < 15) return length;
    for (;;) {
      if (at >= end) source.fail('truncated LZ4 block', at);
      const byte = bytes[at++] as number;
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < end) {
    const token = bytes[at++] as number;
    const literals = more(token >> 4);
    if (at + literals > end) source.fail(`truncated LZ4 block: ${literals} literals`, at);
    output.reserve(literals);
    const to = output.bytes;
    const write = output.length;
    // Most are short: a view of each would cost more than its bytes.
    if (literals > SHORT) to.set(bytes.subarray(at, at + literals), write);
    else for (let n = 0; n < literals; n++) to[write + n] = bytes[at + n] as number;
    output.length += literals;
    at += literals;
    if (at === end) return;
    if (at + 2 > end) source.fail('truncated LZ4 block', at);
    const distance = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    if (distance === 0 || distance > output.length - first)
      source.fail(`invalid LZ4 distance: ${distance}`, at);
    at += 2;
    const count = more(token & 15) + 4;
    if (output.length - first + count > BLOCK) source.fail('invalid LZ4 block: longer than 8 MiB', at);
    output.copy(distance, count);
  }
}
