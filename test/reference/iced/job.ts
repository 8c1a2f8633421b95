/**
 * Our decoder and printer against iced-x86: length and text of every row with random operands and prefixes, and
 * of random bytes, which must not become an instruction on one side only.
 */
import { corpus, noise } from '../corpus.ts';
import { judgeAll } from './compare.ts';

const INSTRUCTIONS = 220_000;
const RANDOM = 100_000;
const SHOWN = 100;

let [passed, failed] = [0, 0];
for (const [name, codes] of [
  ['distinct instructions of the table', corpus(INSTRUCTIONS, 1, true)],
  ['strings of random bytes', noise(RANDOM, 2)],
] as const) {
  const { same, known, different } = judgeAll(codes);
  for (const line of different.slice(0, SHOWN)) console.log(line);
  console.log(`${name}: ${same} alike, ${different.length} different`);
  for (const [why, count] of known) console.log(`  not compared, ${why}: ${count}`);
  passed += same;
  failed += different.length;
}
if (passed < 200_000) {
  console.log(`too few instructions: ${passed}`);
  failed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
