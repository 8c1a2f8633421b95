import { constants, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/image/compressed/crc32.ts';
import { unpackLz4 } from '../../src/image/compressed/lz4.ts';
import { Output } from '../../src/image/compressed/output.ts';
import { unfilterX86 } from '../../src/image/compressed/x86-filter.ts';
import { unpackXz } from '../../src/image/compressed/xz.ts';
import { unpackZstd } from '../../src/image/compressed/zstd.ts';
import { attempt, fileProblemText, isProblem, Reader } from '../../src/image/reading.ts';
import { ascii, joined, little, random } from './build/bytes.ts';
import { xz } from './build/xz.ts';

const text = (length: number, seed = 1): Uint8Array => {
  const next = random(seed);
  const words = ['push ', 'pop ', 'iretq ', 'swapgs ', 'nmi ', '\0\0\0\0'];
  const bytes = ascii(Array.from({ length: length }, () => words[next() % words.length]).join(''));
  // Some bytes that repeat nothing.
  return Uint8Array.from(bytes.slice(0, length), (byte, n) => (n % 97 === 96 ? next() & 0xff : byte));
};
const unpack = (
  bytes: Uint8Array,
  how: (source: Reader, output: Output) => Generator<void>,
  size = 1 << 20,
): string | Uint8Array => {
  const found = attempt(() => {
    const output = new Output(size, bytes.length, 'data');
    for (const _ of how(new Reader(bytes, 'data'), output));
    return output.filled;
  });
  return isProblem(found) ? fileProblemText(found) : found;
};

test('CRC-32 of the check string of every such table', () => {
  expect(crc32(Uint8Array.from(ascii('123456789')))).toBe(0xcbf43926);
});

describe('xz', () => {
  test.each([1, 2, 3, 5, 100, 3000])('LZMA of %i bytes', (length) => {
    expect(unpack(xz(text(length)), unpackXz)).toEqual(text(length));
  });

  test('distances of every kind of code: near, some thousands, far', () => {
    const far = joined(text(40, 7), text(200, 1).fill(0x41), noise(6000), text(40, 7));
    expect(unpack(xz(far), unpackXz)).toEqual(far);
  });

  test('bytes as they are', () => {
    expect(unpack(xz(text(500), { plain: true }), unpackXz)).toEqual(text(500));
  });

  test('a wrong CRC32 is told, and where', () => {
    const file = xz(text(500), { plain: true });
    file[60] = (file[60] as number) ^ 1;
    expect(unpack(file, unpackXz)).toBe('invalid xz block: wrong CRC32 (data, at 0x210)');
  });

  test('a filter that is not known', () => {
    const file = xz(text(10));
    // Behind size and flags of the block header, with its CRC32.
    file[14] = 7;
    file.set(little(crc32(file.subarray(12, 20)), 4), 20);
    expect(unpack(file, unpackXz)).toBe('unknown xz filter: 0x7 (data, at 0xc)');
  });
});

function noise(length: number): Uint8Array {
  const next = random(99);
  return Uint8Array.from({ length }, () => next() & 0xff);
}

test('the x86 filter: a call of an address becomes one of a distance', () => {
  // At 16: call to address 0x1000, whatever stands before.
  const bytes = joined(
    new Uint8Array(16).fill(0x90),
    [0xe8],
    little(0x1000, 4),
    new Uint8Array(11).fill(0x90),
  );
  unfilterX86(bytes);
  expect(new DataView(bytes.buffer).getInt32(17, true)).toBe(0x1000 - 21);
});

describe('Zstandard', () => {
  const packed = (data: Uint8Array, level: number, checksum = 0): Uint8Array =>
    new Uint8Array(
      zstdCompressSync(data, {
        params: {
          [constants.ZSTD_c_compressionLevel]: level,
          [constants.ZSTD_c_checksumFlag]: checksum,
        },
      }),
    );
  const steps = Uint8Array.from({ length: 300_000 }, (_, n) => (n % 97 < 50 ? n % 7 : n >> 9));
  const data: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array(0)],
    ['a byte', Uint8Array.of(7)],
    ['one byte often', new Uint8Array(200_000).fill(3)],
    ['words', text(100_000)],
    ['few letters', noise(70_000).map((byte) => byte % 5)],
    ['bytes that repeat nothing', noise(3000)],
    ['several blocks', steps],
  ];
  test.each(data)('%s, at each level as another program packs it', (_, bytes) => {
    for (const level of [-5, 1, 3, 9, 19, 22])
      expect(unpack(packed(bytes, level, 1), unpackZstd)).toEqual(bytes);
  });

  test('frames one behind another, and one that is to be skipped', () => {
    const skipped = joined(little(0x184d2a53, 4), little(3, 4), [1, 2, 3]);
    const one = packed(text(500), 3);
    expect(unpack(joined(one, skipped, one), unpackZstd)).toEqual(joined(text(500), text(500)));
  });

  /** A frame whose window would be 128 MiB, with these blocks; the last one is marked so. */
  const frame = (...blocks: readonly (readonly [type: number, size: number, bytes: readonly number[]])[]) =>
    joined(
      [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3],
      ...blocks.map(([type, size, bytes], n) =>
        joined(little((size << 3) | (type << 1) | (n === blocks.length - 1 ? 1 : 0), 3), bytes),
      ),
    );

  test('what a window announces is not reserved', () => {
    const output = new Output(1 << 28, 20, 'data');
    for (const _ of unpackZstd(new Reader(frame([1, 100, [0x41]]), 'data'), output));
    expect([output.length, output.bytes.length]).toEqual([100, 1 << 16]);
  });

  // Literals `ab`, one sequence, each table of one symbol: length 2, the distance before, a match of 3; then the end mark.
  const sequence = (offset: number, match: number, stream: readonly number[]): readonly number[] => [
    ...[0x10, 0x61, 0x62],
    ...[1, 0x54, 2, offset, match],
    ...stream,
  ];
  const compressed = (bytes: readonly number[]) => frame([2, bytes.length, bytes]);
  test('one sequence by hand', () => {
    // A distance of 2: two bits of offset, 5 in all.
    expect(unpack(compressed(sequence(2, 0, [0b101])), unpackZstd)).toEqual(Uint8Array.from(ascii('ababa')));
  });
  test.each([
    ['a distance before the beginning', sequence(2, 0, [0b111]), 'invalid zstd distance: 4 (data, at 0x11)'],
    [
      'a distance that a frame begins with',
      sequence(1, 0, [0b11]),
      'invalid zstd distance: 8 (data, at 0x11)',
    ],
    ['bits left over', sequence(2, 0, [0b1010]), 'invalid zstd sequences: the stream does not end with them'],
    ['too few bits', sequence(2, 0, [0b10]), 'truncated zstd sequences (data, at 0x11)'],
    ['no end mark', sequence(2, 0, [0]), 'invalid zstd bit stream: no end mark (data, at 0x11)'],
    [
      'a match that is longer than a block',
      sequence(2, 52, [0xff, 0xff, 0xb]),
      'invalid zstd block: more than 131072',
    ],
    [
      'a symbol that is none',
      sequence(2, 53, [1]),
      'invalid zstd symbol of match lengths: 53 (data, at 0x10)',
    ],
    [
      'a table from before',
      [0x10, 0x61, 0x62, 1, 0xc0, 1],
      'missing zstd table of literal lengths (data, at 0xe)',
    ],
    [
      'a reserved bit',
      [0x10, 0x61, 0x62, 1, 1, 1],
      'invalid zstd block: a reserved bit is set (data, at 0xd)',
    ],
    ['weights from before', [0x13, 0, 0, 0], 'missing zstd weights (data, at 0x9)'],
    ['literals past the end', [0xf0, 0x61], 'truncated data: 30 bytes needed of 11 (data, at 0xa)'],
    [
      'no sequences, and more behind',
      [0x10, 0x61, 0x62, 0, 0],
      'invalid zstd block: more behind its literals',
    ],
  ])('%s', (_, block, problem) => {
    expect(unpack(compressed(block), unpackZstd)).toContain(problem);
  });

  test.each([
    ['a block type', frame([3, 0, []]), 'invalid zstd block type: 3 (data, at 0x9)'],
    [
      'a block size',
      frame([1, 131_073, [1]]),
      'invalid zstd block: 131073 bytes of 131072 at most (data, at 0x9)',
    ],
    [
      'a dictionary',
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 0, 5, 0, 0),
      'missing zstd dictionary (data, at 0x6)',
    ],
    ['another magic', Uint8Array.of(1, 2, 3, 4), 'invalid zstd magic: 0x4030201 (data, at 0x0)'],
  ])('%s', (_, file, problem) => {
    expect(unpack(file, unpackZstd)).toBe(problem);
  });
});

describe('LZ4, legacy frame', () => {
  const frame = (...blocks: readonly (readonly number[])[]): Uint8Array =>
    joined(little(0x184c2102, 4), ...blocks.map((block) => joined(little(block.length, 4), block)));

  test('literals, a copy that overlaps itself, literals', () => {
    // 2 literals, then 6 bytes from 2 back; 1 literal.
    const block = [0x22, ...ascii('ab'), 2, 0, 0x10, ...ascii('!')];
    expect(unpack(frame(block, block), unpackLz4)).toEqual(Uint8Array.from(ascii('abababab!abababab!')));
  });

  test('lengths of more than fifteen', () => {
    const many = ascii('x'.repeat(300));
    const block = [0xff, 255, 30, ...many, 1, 0, 241, 0x10, ...ascii('!')];
    expect(unpack(frame(block), unpackLz4)).toEqual(joined(ascii('x'.repeat(300 + 260)), ascii('!')));
  });

  test.each([
    ['a distance before the beginning', [0x10, 0x41, 2, 0], 'invalid LZ4 distance: 2 (data, at 0xa)'],
    ['a distance of none', [0x10, 0x41, 0, 0], 'invalid LZ4 distance: 0 (data, at 0xa)'],
    ['literals past the end', [0x50, 0x41], 'truncated LZ4 block: 5 literals (data, at 0x9)'],
    ['a length past the end', [0xf0, 255], 'truncated LZ4 block (data, at 0xa)'],
  ])('%s', (_, block, problem) => {
    expect(unpack(frame(block), unpackLz4)).toBe(problem);
  });

  test('a block of another block does not reach before its own beginning', () => {
    expect(unpack(frame([0x10, 0x41], [0x10, 0x41, 2, 0]), unpackLz4)).toBe(
      'invalid LZ4 distance: 2 (data, at 0x10)',
    );
  });
});

test('what is unpacked ends at its limit', () => {
  expect(unpack(xz(text(2000)), unpackXz, 1000)).toBe('too large data: more than 1000 bytes (data, at 0x0)');
});
