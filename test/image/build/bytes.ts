/** Small files written by hand, so that none of anybody else's bytes is needed to test readers. */

/** A number of `count` bytes, the lowest first. */
export const little = (value: number | bigint, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) =>
    Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * n)) & 0xffn),
  );

export const ascii = (text: string): readonly number[] => [...text].map((letter) => letter.charCodeAt(0));

export const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array => {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
};

/** Zeros up to a multiple of `to`. */
export const padded = (bytes: Uint8Array, to: number): Uint8Array =>
  joined(bytes, new Uint8Array(-bytes.length & (to - 1)));

/** Numbers below 2^32, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // xorshift32
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
