/**
 * The xz container: blocks of LZMA2, each perhaps filtered, and a check behind each. CRC32 is checked, as kernels have it;
 * CRC64 and SHA-256 are passed over. Format: xz-file-format 1.1.0; LZMA2 as in lzma2_decoder.c of liblzma.
 */
import { Reader } from '../reading.ts';
import { crc32 } from './crc32.ts';
import { Lzma } from './lzma.ts';
import type { Output } from './output.ts';
import { unfilterX86 } from './x86-filter.ts';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const;
const HEADER = 12;
/** Bytes of each kind of check (section 2.1.1.2). */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
const CRC32 = 1;
const FILTER_X86 = 4;
const FILTER_LZMA2 = 0x21;

/** Unpacks into `output`, a chunk at a time: at most 2 MiB. A filtered block comes as one. */
export function* unpackXz(source: Reader, output: Output): Generator<void> {
  if (MAGIC.some((byte, n) => source.u8(n) !== byte)) source.fail('invalid xz magic', 0);
  if (crc32(source.slice(6, 2)) !== source.u32(8)) source.fail('invalid xz header: wrong CRC32', 8);
  const check = source.u8(7) & 15;
  let at = HEADER;
  // Size 0 is that of the index, which ends the blocks.
  while (source.u8(at) !== 0) {
    const { end, filters } = blockHeader(source, at);
    const from = output.length;
    const chunks = unpackLzma2(source, end, output);
    let chunk = chunks.next();
    for (; !chunk.done; chunk = chunks.next()) if (filters.length === 0) yield;
    for (const start of filters) unfilterX86(output.bytes.subarray(from, output.length), start);
    const data = output.bytes.subarray(from, output.length);
    at = (chunk.value + 3) & ~3;
    if (check === CRC32 && crc32(data) !== source.u32(at)) source.fail('invalid xz block: wrong CRC32', at);
    at += CHECK_BYTES[check] as number;
    yield;
  }
}

/** A number of seven bits a byte, the lowest first (section 1.2). */
function readNumber(source: Reader, start: number): { readonly value: number; readonly at: number } {
  let value = 0;
  for (let n = 0; n < 7; n++) {
    const byte = source.u8(start + n);
    value += (byte & 127) * 2 ** (7 * n);
    if (byte < 128) return { value, at: start + n + 1 };
  }
  return source.fail('invalid xz number', start);
}

/** Where the data begin, and the start addresses of its x86 filters, the last one to undo last (section 3.1). */
function blockHeader(
  source: Reader,
  start: number,
): { readonly end: number; readonly filters: readonly number[] } {
  const size = (source.u8(start) + 1) * 4;
  const header = new Reader(source.slice(start, size), 'xz block header');
  if (crc32(header.slice(0, size - 4)) !== header.u32(size - 4))
    source.fail('invalid xz block header: wrong CRC32', start);
  const flags = header.u8(1);
  let at = 2;
  for (const bit of [0x40, 0x80]) if (flags & bit) at = readNumber(header, at).at;
  const filters: number[] = [];
  const count = (flags & 3) + 1;
  for (let n = 0; n < count; n++) {
    const id = readNumber(header, at);
    const properties = readNumber(header, id.at);
    const last = n === count - 1;
    if (id.value !== (last ? FILTER_LZMA2 : FILTER_X86))
      source.fail(`unknown xz filter: 0x${id.value.toString(16)}`, start);
    if (!last) filters.unshift(properties.value === 4 ? header.u32(properties.at) : 0);
    at = properties.at + properties.value;
  }
  return { end: start + size, filters };
}

/** Chunks of LZMA2; gives where they end. */
function* unpackLzma2(source: Reader, start: number, output: Output): Generator<void, number> {
  const lzma = new Lzma(output);
  /** What the next chunk must bring: a dictionary, then properties. */
  let needs: 'dictionary' | 'properties' | 'nothing' = 'dictionary';
  for (let at = start; ; ) {
    const control = source.u8(at);
    if (control === 0) return at + 1;
    const resets = control === 1 || control >= 0xe0;
    if (resets) lzma.resetDictionary();
    else if (needs === 'dictionary') source.fail('invalid LZMA2 chunk: no dictionary', at);
    if (resets) needs = needs === 'nothing' ? 'nothing' : 'properties';
    const low = ((source.u8(at + 1) << 8) | source.u8(at + 2)) + 1;
    if (control < 0x80) {
      if (control > 2) source.fail(`invalid LZMA2 chunk: 0x${control.toString(16)}`, at);
      output.append(source.slice(at + 3, low));
      at += 3 + low;
    } else {
      const size = ((control & 31) << 16) + low;
      const compressed = ((source.u8(at + 3) << 8) | source.u8(at + 4)) + 1;
      let data = at + 5;
      if (control >= 0xc0) {
        if (!lzma.setProperties(source.u8(data))) source.fail('invalid LZMA properties', data);
        data++;
        needs = 'nothing';
      } else if (needs !== 'nothing') source.fail('invalid LZMA2 chunk: no properties', at);
      if (control >= 0xa0) lzma.resetState();
      source.slice(data, compressed);
      lzma.chunk(source.bytes, data, compressed, size);
      at = data + compressed;
    }
    yield;
  }
}
