import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/image/compressed/crc32.ts';
import { unpackLz4 } from '../../src/image/compressed/lz4.ts';
import { Output } from '../../src/image/compressed/output.ts';
import { unfilterX86 } from '../../src/image/compressed/x86-filter.ts';
import { unpackXz } from '../../src/image/compressed/xz.ts';
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
