/** gzip as Node has it, for kernels that are packed so. */
import { createGunzip } from 'node:zlib';
import type { Decompressors } from '../../image/compressed/decompress.ts';

/** Bytes of one piece: fewer would cost a turn of the event loop for each. */
const chunkSize = 1 << 20;

export const nodeDecompressors: Required<Decompressors> = {
  gzip(compressed) {
    const stream = createGunzip({ chunkSize });
    stream.end(compressed);
    return stream;
  },
};
