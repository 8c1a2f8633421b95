/**
 * Writes `module.ts`: the interpreter's bytes, made with binaryen. Run it after any change of semantics,
 * events or layout; a test makes them again and compares. Nothing at run time imports this.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeInterpreter } from './staging/interpreter.ts';

/**
 * Characters that a string holds as they are, whatever bundles it. All but two stand for a byte by themselves, for one of the
 * frequent ones; each of those two stands for one of the others together with the character behind it.
 */
const CHARACTERS = Array.from({ length: 0x7f - 0x20 }, (_, n) => String.fromCharCode(0x20 + n))
  .filter((character) => !"'\\`$".includes(character))
  .join('');
const SINGLE = CHARACTERS.length - 2;

/** All byte values, the most frequent first. */
function byFrequency(bytes: Uint8Array): readonly number[] {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return [...counts.keys()].sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
}

/** The text of `module.ts`. */
export function moduleText(level = 2): string {
  const bytes = makeInterpreter(level);
  const order = byFrequency(bytes);
  const texts = new Map(
    order.map((byte, n) => {
      const character = CHARACTERS.charAt(n % SINGLE);
      return [
        byte,
        n < SINGLE ? character : CHARACTERS.charAt(SINGLE - 1 + Math.floor(n / SINGLE)) + character,
      ];
    }),
  );
  const text = Array.from(bytes, (byte) => texts.get(byte)).join('');
  return `/** Made by generate.ts; do not edit. */
// biome-ignore-all format: data
/** The characters of \`MODULE_TEXT\`; in hexadecimal the bytes that they stand for, by themselves and then behind each of the last two. */
export const CHARACTERS = '${CHARACTERS}';
export const BYTES = '${Buffer.from(order).toString('hex')}';
/** The module, ${bytes.length} bytes; frequent ones are a character each: that compresses nearly as the bytes would. */
export const MODULE_TEXT = '${text}';
`;
}

export const MODULE_FILE = fileURLToPath(new URL('module.ts', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(MODULE_FILE, moduleText());
