/**
 * Zstandard, written here since a kernel's frame announces a window of 128 MiB: whoever reserves what is announced can be made
 * to reserve anything. Here bytes go straight to the output, which is the window too. The checksum of a frame is passed over.
 * Format: RFC 8878.
 */
import type { Reader } from '../reading.ts';
import {
  beginning,
  bitsAt,
  type Fse,
  type Huffman,
  makeFse,
  onlyFse,
  readFse,
  readHuffman,
  unpackHuffman,
} from './entropy.ts';
import type { Output } from './output.ts';

const MAGIC = 0xfd2fb528;
const SKIPPED = 0x184d2a50;
/** Bytes that a block gives at most. */
const BLOCK = 1 << 17;
const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;
const SHORT = 32;
const MOST_OFFSET_BITS = 28;

/** What one kind of code is: how each of its symbols goes on, and the table that goes without saying (section 3.1.1.3.2). */
interface Kind {
  readonly name: string;
  readonly longest: number;
  readonly usual: Fse;
  readonly most: number;
}

/** Sums of the powers that bits stand for, from `first` on. */
const bases = (first: number, bits: readonly number[]): readonly number[] => {
  let base = first;
  return bits.map((count) => {
    const one = base;
    base += 2 ** count;
    return one;
  });
};
const zeros = (count: number): number[] => new Array<number>(count).fill(0);
const LITERAL_BITS = [...zeros(16), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS = [...zeros(32), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const LITERAL_BASE = bases(0, LITERAL_BITS);
const MATCH_BASE = bases(3, MATCH_BITS);

const LITERALS: Kind = {
  name: 'literal lengths',
  longest: 9,
  most: LITERAL_BITS.length,
  usual: makeFse(
    [
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1],
      [2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
    ].flat(),
    6,
  ),
};
const OFFSETS: Kind = {
  name: 'offsets',
  longest: 8,
  most: 32,
  usual: makeFse(
    [
      [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    ].flat(),
    5,
  ),
};
const MATCHES: Kind = {
  name: 'match lengths',
  longest: 9,
  most: MATCH_BITS.length,
  usual: makeFse(
    [1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1), ...new Array<number>(7).fill(-1)],
    6,
  ),
};

/** What blocks of a frame hand on to the next. */
interface Frame {
  /** Where the output of the frame begins. */
  readonly first: number;
  huffman: Huffman | undefined;
  readonly tables: (Fse | undefined)[];
  readonly repeats: [number, number, number];
}

/** Unpacks into `output`, a block at a time. */
export function* unpackZstd(source: Reader, output: Output): Generator<void> {
  for (let at = 0; at < source.length; ) {
    const magic = source.u32(at);
    // 16 kinds of frames that hold something else.
    if ((magic & ~15) >>> 0 === SKIPPED) {
      at += 8 + source.u32(at + 4);
      continue;
    }
    if (magic !== MAGIC) source.fail(`invalid zstd magic: 0x${magic.toString(16)}`, at);
    const flags = source.u8(at + 4);
    const single = (flags >> 5) & 1;
    const dictionary = [0, 1, 2, 4][flags & 3] as number;
    if (flags & 8) source.fail('invalid zstd frame: a reserved bit is set', at + 4);
    for (let n = 0; n < dictionary; n++)
      if (source.u8(at + 6 - single + n) !== 0) source.fail('missing zstd dictionary', at + 6 - single);
    const size = flags >> 6 ? 1 << (flags >> 6) : single;
    at += 6 - single + dictionary + size;
    const frame: Frame = { first: output.length, huffman: undefined, tables: [], repeats: [1, 4, 8] };
    for (let last = false; !last; yield) {
      const header = source.u8(at) | (source.u8(at + 1) << 8) | (source.u8(at + 2) << 16);
      last = (header & 1) !== 0;
      at = unpackBlock(source, at + 3, (header >> 1) & 3, header >> 3, frame, output);
    }
    if (flags & 4) at += 4;
  }
}

/** A block of any type; gives where it ends (section 3.1.1.2). */
function unpackBlock(
  source: Reader,
  at: number,
  type: number,
  size: number,
  frame: Frame,
  output: Output,
): number {
  if (size > BLOCK) source.fail(`invalid zstd block: ${size} bytes of ${BLOCK} at most`, at);
  if (type === RLE) {
    const byte = source.u8(at);
    output.reserve(size);
    output.bytes.fill(byte, output.length, output.length + size);
    output.length += size;
    return at + 1;
  }
  if (type !== RAW && type !== COMPRESSED) source.fail(`invalid zstd block type: ${type}`, at);
  const bytes = source.slice(at, size);
  if (type === RAW) output.append(bytes);
  else {
    const end = at + size;
    const { literals, at: sequences } = readLiterals(source, at, end, frame);
    unpackSequences(source, sequences, end, literals, frame, output);
  }
  return at + size;
}

/** The bytes that are not copied from before, of all sequences one behind the other (section 3.1.1.3.1). */
function readLiterals(
  source: Reader,
  start: number,
  end: number,
  frame: Frame,
): { readonly literals: Uint8Array; readonly at: number } {
  const first = source.u8(start);
  const [type, format] = [first & 3, (first >> 2) & 3];
  if (type < 2) {
    const [bytes, bits] = format % 2 === 0 ? [1, 5] : format === 1 ? [2, 12] : [3, 20];
    const count = bitsAt(source.slice(start, bytes), 8 * bytes - bits, bits);
    const at = start + bytes;
    if (count > BLOCK) source.fail(`invalid zstd literals: ${count} bytes`, start);
    if (type === RLE) return { literals: new Uint8Array(count).fill(source.u8(at)), at: at + 1 };
    return { literals: source.slice(at, count), at: at + count };
  }
  const [bytes, bits] = format < 2 ? [3, 10] : format === 2 ? [4, 14] : [5, 18];
  const header = source.slice(start, bytes);
  const [count, packed] = [bitsAt(header, 4, bits), bitsAt(header, 4 + bits, bits)];
  let at = start + bytes;
  const ends = at + packed;
  if (count > BLOCK || ends > end) source.fail(`invalid zstd literals: ${count} bytes of ${packed}`, start);
  if (type === COMPRESSED) {
    const { code, at: behind } = readHuffman(source, at, ends);
    frame.huffman = code;
    at = behind;
  }
  const code = frame.huffman ?? source.fail('missing zstd weights', start);
  const literals = new Uint8Array(count);
  if (format === 0) unpackHuffman(source, at, ends, code, literals);
  else {
    const quarter = (count + 3) >> 2;
    let from = at + 6;
    for (let n = 0; n < 4; n++) {
      const to = n < 3 ? from + source.u16(at + 2 * n) : ends;
      if (to > ends || quarter * 3 > count) source.fail('invalid zstd literals: their streams overlap', at);
      unpackHuffman(
        source,
        from,
        to,
        code,
        literals.subarray(n * quarter, n < 3 ? (n + 1) * quarter : count),
      );
      from = to;
    }
  }
  return { literals, at: ends };
}

/** The table that two bits choose, and where what follows begins. */
function tableOf(
  source: Reader,
  at: number,
  end: number,
  mode: number,
  { name, longest, usual, most }: Kind,
  before: Fse | undefined,
): { readonly table: Fse; readonly at: number } {
  if (mode === 0) return { table: usual, at };
  if (mode === 2) return readFse(source, at, end, longest, most);
  if (mode === 3) return { table: before ?? source.fail(`missing zstd table of ${name}`, at), at };
  const symbol = source.u8(at);
  if (symbol >= most) source.fail(`invalid zstd symbol of ${name}: ${symbol}`, at);
  return { table: onlyFse(symbol), at: at + 1 };
}

/** Literals and copies in turn, and the literals that are left (section 3.1.1.4). */
function unpackSequences(
  source: Reader,
  start: number,
  end: number,
  literals: Uint8Array,
  frame: Frame,
  output: Output,
): void {
  const { bytes } = source;
  const { repeats, first } = frame;
  const begun = output.length;
  let at = start + 1;
  let count = source.u8(start);
  if (count === 255) {
    count = source.u16(at) + 0x7f00;
    at += 2;
  } else if (count > 127) count = ((count - 128) << 8) | source.u8(at++);
  if (count === 0) {
    if (at !== end) source.fail('invalid zstd block: more behind its literals', at);
    output.append(literals);
    return;
  }
  const modes = source.u8(at++);
  if (modes & 3) source.fail('invalid zstd block: a reserved bit is set', at - 1);
  for (const [n, kind] of [LITERALS, OFFSETS, MATCHES].entries()) {
    const { table, at: behind } = tableOf(source, at, end, (modes >> (6 - 2 * n)) & 3, kind, frame.tables[n]);
    frame.tables[n] = table;
    at = behind;
  }
  const [lengths, offsets, matches] = frame.tables as [Fse, Fse, Fse];
  const least = 8 * at;
  let bit = beginning(source, at, end);
  let [length, offset, match] = [0, 0, 0];
  bit -= lengths.log;
  if (bit >= least) length = bitsAt(bytes, bit, lengths.log);
  bit -= offsets.log;
  if (bit >= least) offset = bitsAt(bytes, bit, offsets.log);
  bit -= matches.log;
  if (bit >= least) match = bitsAt(bytes, bit, matches.log);
  let read = 0;
  for (let n = 0; n < count; n++) {
    if (bit < least) source.fail('truncated zstd sequences', at);
    const offsetBits = offsets.symbols[offset] as number;
    if (offsetBits > MOST_OFFSET_BITS) source.fail(`too large zstd offset: ${offsetBits} bits`, at);
    let value = 2 ** offsetBits;
    // At most 25 bits are read at once.
    const high = Math.max(0, offsetBits - 16);
    bit -= high;
    if (high > 0) value += bitsAt(bytes, bit, high) * 2 ** (offsetBits - high);
    bit -= offsetBits - high;
    value += bitsAt(bytes, bit, offsetBits - high);
    const matchSymbol = matches.symbols[match] as number;
    const matchBits = MATCH_BITS[matchSymbol] as number;
    bit -= matchBits;
    const copied = (MATCH_BASE[matchSymbol] as number) + bitsAt(bytes, bit, matchBits);
    const lengthSymbol = lengths.symbols[length] as number;
    const lengthBits = LITERAL_BITS[lengthSymbol] as number;
    bit -= lengthBits;
    const plain = (LITERAL_BASE[lengthSymbol] as number) + bitsAt(bytes, bit, lengthBits);
    if (n < count - 1) {
      bit -= lengths.bits[length] as number;
      length = (lengths.next[length] as number) + bitsAt(bytes, bit, lengths.bits[length] as number);
      bit -= matches.bits[match] as number;
      match = (matches.next[match] as number) + bitsAt(bytes, bit, matches.bits[match] as number);
      bit -= offsets.bits[offset] as number;
      offset = (offsets.next[offset] as number) + bitsAt(bytes, bit, offsets.bits[offset] as number);
    }
    if (bit < least) source.fail('truncated zstd sequences', at);
    const distance = distanceOf(value, plain === 0, repeats);
    if (read + plain > literals.length) source.fail('invalid zstd sequence: no literals left', at);
    if (output.length + plain + copied - begun > BLOCK)
      source.fail(`invalid zstd block: more than ${BLOCK} bytes`, at);
    if (distance <= 0 || distance > output.length + plain - first)
      source.fail(`invalid zstd distance: ${distance}`, at);
    output.reserve(plain + copied);
    const [to, write] = [output.bytes, output.length];
    // Most are short: a view of each would cost more than its bytes.
    if (plain > SHORT) to.set(literals.subarray(read, read + plain), write);
    else for (let m = 0; m < plain; m++) to[write + m] = literals[read + m] as number;
    read += plain;
    output.length += plain;
    output.copy(distance, copied);
  }
  if (bit !== least) source.fail('invalid zstd sequences: the stream does not end with them', at);
  if (output.length - begun + literals.length - read > BLOCK)
    source.fail(`invalid zstd block: more than ${BLOCK} bytes`, at);
  output.append(literals.subarray(read));
}

/** How far back, from a value of which the smallest name one of the last three (section 3.1.1.5). */
function distanceOf(value: number, noLiterals: boolean, repeats: [number, number, number]): number {
  if (value > 3) {
    repeats[2] = repeats[1];
    repeats[1] = repeats[0];
    repeats[0] = value - 3;
    return repeats[0];
  }
  const which = value - 1 + (noLiterals ? 1 : 0);
  if (which === 0) return repeats[0];
  const distance = which === 3 ? repeats[0] - 1 : (repeats[which] as number);
  if (which > 1) repeats[2] = repeats[1];
  repeats[1] = repeats[0];
  repeats[0] = distance;
  return distance;
}
