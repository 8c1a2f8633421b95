/** Eight characters that tell whether two states are equal. */

/** Digits and consonants: no vowel, so no word; no 0, 1, l, y, which are read as o, i, i, i. */
const ALPHABET = '23456789bcdfghjkmnpqrstvwxz';
/** Those that are no hex digit. One of them comes first, so that a digest is never taken for a commit id. */
const FIRST = 'ghjkmnpqrstvwxz';
const LENGTH = 8;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** MurmurHash3's 32-bit finaliser (Austin Appleby, public domain): every bit in moves every bit out. */
function avalanche(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * The digest of a text: 64 bits in two lanes of 32, cut down to 37 (15 * 27^7 values). Not cryptographic: it
 * detects a change, it does not resist a forger. The same text has the same digest for ever: links carry it.
 */
export function digestOf(text: string): string {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(rotate(a ^ Math.imul(unit, 0xcc9e2d51), 13), 5) + 0xe6546b64;
    b = Math.imul(rotate(b ^ Math.imul(unit, 0x1b873593), 19) + a, 9) + 0x38495ab5;
  }
  a = avalanche(a ^ text.length);
  b = avalanche(b + a);
  a = avalanche(a + b);
  let digest = '';
  let rest = a >>> 0;
  for (let i = 0; i < LENGTH; i++) {
    if (i === LENGTH / 2) rest = b >>> 0;
    const letters = i === 0 ? FIRST : ALPHABET;
    digest += letters[rest % letters.length];
    rest = Math.floor(rest / letters.length);
  }
  return digest;
}

/** Whether a word can be a digest. */
export const isDigest = (word: string): boolean =>
  word.length === LENGTH &&
  FIRST.includes(word.charAt(0)) &&
  [...word].every((letter) => ALPHABET.includes(letter));
