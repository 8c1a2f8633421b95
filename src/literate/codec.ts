/** Deflate for links, synchronous and the same in a browser and in Node. */
import { deflateSync, Inflate } from 'fflate';
import type { Codec } from '../scenario/link.ts';

export const codec: Codec = {
  deflate: (bytes) => deflateSync(bytes, { level: 9 }),
  inflate(bytes, limit) {
    const parts: Uint8Array[] = [];
    let length = 0;
    const stream = new Inflate((part) => {
      length += part.length;
      if (length <= limit) parts.push(part);
    });
    try {
      // In small pieces, so that a few bytes cannot become many before the limit is seen.
      for (let at = 0; at < bytes.length && length <= limit; at += 1024) {
        stream.push(bytes.subarray(at, at + 1024), at + 1024 >= bytes.length);
      }
    } catch {
      return undefined;
    }
    if (length > limit) return undefined;
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  },
};
