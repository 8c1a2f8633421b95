/**
 * Random strings of bytes executed on both backends: whatever they are, a run ends with its budget used up or with a
 * reason to stop that has a name, and the two machines are in the same state. ENTRYLAB_FUZZ=100000 goes on longer.
 */
import { expect, test } from 'vitest';
import { FIELDS, type Field } from '../../src/isa/state.ts';
import { Random } from './guest.ts';
import { enter, situation } from './situation.ts';
import { Pair } from './wasm-pair.ts';

const ROUNDS = Number(process.env.ENTRYLAB_FUZZ ?? 1500);
const TRANSITIONS = 24;
const LENGTH = 40;

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x4f];
/** Where long encodings begin. */
const ESCAPES = [
  [0x0f],
  [0x0f],
  [0x0f, 0x38],
  [0x0f, 0x3a],
  [0xc4],
  [0xc5],
  [0x62],
  [0x0f, 0x01],
  [0x0f, 0xae],
  [0x0f, 0xc7],
];

/** Bytes without a plan, with many prefixes, or with the heads of long encodings among them. */
function bytesOf(random: Random): Uint8Array {
  const kind = random.below(3);
  const found: number[] = [];
  while (found.length < LENGTH) {
    if (kind === 1 && random.below(3) === 0) found.push(random.pick(PREFIXES));
    else if (kind === 2 && random.below(4) === 0) found.push(...random.pick(ESCAPES));
    else found.push(random.below(256));
  }
  return Uint8Array.from(found);
}

const ENDS = /^(none|halted|shutdown|journal or log full|not modelled: \w.*)$/;

test(`${ROUNDS} random strings of bytes`, { timeout: 3_600_000 }, () => {
  const random = new Random(41);
  const pair = new Pair();
  const base = FIELDS.map((name): [Field, bigint] => [name, pair.machine.get(name)]);
  const words = pair.both.map(({ machine }) =>
    Uint8Array.from(
      new Uint8Array(
        BigUint64Array.from({ length: (machine.frames * 0x1000) / 8 }, (_, n) => machine.physicalWord(8 * n))
          .buffer,
      ),
    ),
  );
  const outcomes = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = bytesOf(random);
    const chosen = situation(random, bytes);
    const where = `round ${round}: ${Buffer.from(bytes).toString('hex')}`;
    for (const [n, one] of pair.both.entries()) {
      if (round % 50 === 0) one.machine.writeGuest(0, words[n] as Uint8Array);
      for (const [name, value] of base) one.machine.set(name, value);
      enter(one, chosen);
      one.machine.keyframe();
    }
    const made = pair.do(({ machine }) => machine.run(TRANSITIONS));
    const end = pair.do(({ machine }) => machine.stopReason);
    expect(made, where).toBeLessThanOrEqual(TRANSITIONS);
    expect(end, where).toMatch(ENDS);
    expect(end === 'none', where).toBe(made === TRANSITIONS);
    pair.expectSame(where);
    outcomes.set(end, (outcomes.get(end) ?? 0) + 1);
  }
  if (process.env.VERBOSE) console.log([...outcomes].sort((a, b) => b[1] - a[1]));
  expect(outcomes.get('none')).toBeGreaterThan(0);
  expect(outcomes.size).toBeGreaterThan(10);
});
