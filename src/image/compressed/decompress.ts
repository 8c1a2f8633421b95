/** Compressed data by their first bytes. All but gzip can be unpacked here; that every browser has, and Node. */
import type { Reader } from '../reading.ts';
import { unpackLz4 } from './lz4.ts';
import type { Output } from './output.ts';
import { unpackXz } from './xz.ts';
import { unpackZstd } from './zstd.ts';

/**
 * Unpacks one stream, piece by piece, and stops when it is no longer asked. It throws where the stream is damaged, and
 * ends where it ends.
 */
export type Decompressor = (compressed: Uint8Array) => AsyncIterable<Uint8Array>;

/** What a platform brings along. Without gzip such a file cannot be opened; zstd is otherwise unpacked here. */
export interface Decompressors {
  readonly gzip?: Decompressor;
  readonly zstd?: Decompressor;
}

/** Formats by their first bytes; those without a way to unpack them are known by name. */
const FORMATS = [
  { name: 'gzip', magic: [0x1f, 0x8b] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'lz4', magic: [0x02, 0x21, 0x4c, 0x18] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lzma', magic: [0x5d, 0, 0] },
  { name: 'lzo', magic: [0x89, 0x4c, 0x5a] },
] as const;

export type Compression = (typeof FORMATS)[number]['name'];

/** The format that data begin like. */
export const compressionOf = (bytes: Uint8Array): Compression | undefined =>
  FORMATS.find(({ magic }) => magic.every((byte, n) => bytes[n] === byte))?.name;

const spaced = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Unpacks into `output`; whoever has seen enough need not ask for more. */
export async function* decompress(
  source: Reader,
  output: Output,
  decompressors: Decompressors,
): AsyncGenerator<void> {
  const name = compressionOf(source.bytes);
  if (name === 'lz4') yield* unpackLz4(source, output);
  else if (name === 'xz') yield* unpackXz(source, output);
  else if (name === 'zstd' && !decompressors.zstd) yield* unpackZstd(source, output);
  else if (name === 'gzip' || name === 'zstd') {
    const unpack = decompressors[name];
    if (!unpack) return source.fail(`missing decompressor: ${name}`, 0);
    const pieces = unpack(source.bytes)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await pieces.next().catch((reason: unknown) => {
          const said = reason instanceof Error ? reason.message : String(reason);
          return source.fail(`invalid ${name} data: ${said}`, 0);
        });
        if (piece.done) return;
        output.append(piece.value);
        yield;
      }
    } finally {
      await pieces.return?.();
    }
  } else
    source.fail(
      name === undefined
        ? `unknown compression: ${spaced(source.bytes.subarray(0, 4))}`
        : `unknown compression: ${name}`,
      0,
    );
}
