/** Files of test vectors. */
import { gunzipSync } from 'node:zlib';
import { parseVector, type Vector, type VectorProblem } from './format.ts';

const GZIP = [0x1f, 0x8b] as const;
const LINE_END = 10;

/** Plain bytes of a file that may be gzipped. */
export function plain(file: Uint8Array): Uint8Array | VectorProblem {
  if (file[0] !== GZIP[0] || file[1] !== GZIP[1]) return file;
  try {
    return gunzipSync(file);
  } catch (reason) {
    return { problem: `invalid gzip data: ${reason instanceof Error ? reason.message : String(reason)}` };
  }
}

/** One line of a file, counted from 1. */
export interface Read {
  readonly line: number;
  readonly vector: Vector | VectorProblem;
}

/** Every line that is not blank. A line is decoded when it is asked for: a file may be larger than a string. */
export function* readVectors(file: Uint8Array): Generator<Read> {
  const text = new TextDecoder();
  let line = 1;
  for (let at = 0; at < file.length; line++) {
    const found = file.indexOf(LINE_END, at);
    const end = found < 0 ? file.length : found;
    const content = text.decode(file.subarray(at, end)).trim();
    if (content !== '') yield { line, vector: parseVector(content) };
    at = end + 1;
  }
}
