/** gzip and zstd as Node has them: zstd is in Node since 22.15, and four times as fast as ours. */
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Decompressor, Decompressors } from '../../image/compressed/decompress.ts';

/** Bytes of one piece: fewer would cost a turn of the event loop for each. */
const chunkSize = 1 << 20;

const by =
  (make: typeof createGunzip | typeof createZstdDecompress): Decompressor =>
  (compressed) => {
    const stream = make({ chunkSize });
    stream.end(compressed);
    return stream;
  };

export const nodeDecompressors: Required<Decompressors> = {
  gzip: by(createGunzip),
  zstd: by(createZstdDecompress),
};
