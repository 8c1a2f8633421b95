/** gzip and zstd as Node has them, for kernels that are packed so. */
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Decompressor, Decompressors } from '../../image/compressed/decompress.ts';

/** Bytes of one piece: fewer would cost a turn of the event loop for each. */
const chunkSize = 1 << 20;

export const nodeDecompressors: Required<Decompressors> = {
  gzip: through(() => createGunzip({ chunkSize })),
  zstd: through(() => createZstdDecompress({ chunkSize })),
};

function through(create: () => ReturnType<typeof createGunzip | typeof createZstdDecompress>): Decompressor {
  return (compressed) => {
    const stream = create();
    stream.end(compressed);
    return stream;
  };
}
