/**
 * Writes `module.ts`: the interpreter's bytes, made with binaryen. Run it after any change of semantics,
 * events or layout; a test makes them again and compares. Nothing at run time imports this.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeInterpreter } from './staging/interpreter.ts';

/** The text of `module.ts`. */
export function moduleText(level = 2): string {
  const bytes = makeInterpreter(level);
  return `/** Made by generate.ts; do not edit. */
// biome-ignore-all format: data
/** The module, ${bytes.length} bytes. In hexadecimal, because that compresses: a byte is never cut in two. */
export const MODULE_HEX = '${Buffer.from(bytes).toString('hex')}';
`;
}

export const MODULE_FILE = fileURLToPath(new URL('module.ts', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(MODULE_FILE, moduleText());
