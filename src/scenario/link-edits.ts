/** Changed cells inside a link: `edit` statements, deflated, base64url. */
import { parseEdits } from './recipe.ts';
import { printEdit, sortEdits } from './recipe-print.ts';
import type { Edit } from './recipe-types.ts';

/** Raw deflate (RFC 1951), brought by the caller: rooms have no packages. */
export interface Codec {
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  /** Undefined if the bytes are damaged, or unpack to more than `limit` bytes. */
  readonly inflate: (bytes: Uint8Array, limit: number) => Uint8Array | undefined;
}

/** Most bytes that the cells of a link may unpack to. */
export const EDITS_LIMIT = 65_536;

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, i) => [digit, i]));

/** base64url (RFC 4648, section 5) without padding. */
function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const group = (a << 16) | (b << 8) | c;
    const digits = Math.min(bytes.length - i, 3) + 1;
    for (let d = 0; d < digits; d++) text += DIGITS[(group >> (18 - 6 * d)) & 63];
  }
  return text;
}

/** Undefined unless every character is a digit and the bits left over are 0: equal bytes have one text. */
function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array((text.length * 6) >> 3);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const digit of text) {
    const value = VALUES.get(digit);
    if (value === undefined) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = bits >> held;
    }
  }
  return bits & ((1 << held) - 1) ? undefined : bytes;
}

/**
 * Cells as a link carries them. Throws a RangeError if they are longer than `EDITS_LIMIT`, since such a link
 * could never be opened; a page must say so to its reader instead of writing one.
 */
export function packEdits(edits: readonly Edit[], codec: Codec): string {
  const text = sortEdits(edits).flatMap(printEdit).join('\n');
  // Edits are ASCII, see `rawLine`: a character is a byte.
  if (text.length > EDITS_LIMIT) {
    throw new RangeError(`invalid edits: ${text.length} bytes (at most ${EDITS_LIMIT})`);
  }
  return toBase64(codec.deflate(Uint8Array.from(text, (char) => char.charCodeAt(0))));
}

/** The cells, or a sentence that says why there are none. Never throws. */
export function unpackEdits(text: string, codec: Codec): readonly Edit[] | string {
  const packed = fromBase64(text);
  if (!packed) return 'invalid edits: not base64url';
  const bytes = inflated(packed, codec);
  if (!bytes || bytes.length > EDITS_LIMIT) {
    return `invalid edits: damaged, or more than ${EDITS_LIMIT} bytes`;
  }
  let unpacked = '';
  for (const byte of bytes) unpacked += String.fromCharCode(byte);
  const { edits, problems } = parseEdits({
    page: 'link',
    name: 'edits',
    line: 1,
    lines: unpacked.split('\n'),
  });
  const [problem] = problems;
  if (problem) return `invalid edits: line ${problem.line}: ${problem.message}`;
  return edits.length > 0 ? edits : 'invalid edits: empty';
}

function inflated(bytes: Uint8Array, codec: Codec): Uint8Array | undefined {
  try {
    return codec.inflate(bytes, EDITS_LIMIT);
  } catch {
    return undefined;
  }
}
