import { expect, test } from 'vitest';
import { digestOf, isDigest } from '../../src/scenario/digest.ts';

test.each([
  ['', 'rjzwh854'],
  ['a', 'n2x5ms85'],
  ['b', 'wfnmjjsk'],
  ['rax=1\n', 'td43btvz'],
  ['rax=0\n', 'ghs5732b'],
  ['x'.repeat(1000), 'nzkcbjq4'],
])('the digest of %j is the same for ever', (text, digest) => {
  expect(digestOf(text)).toBe(digest);
});

test('eight digits and consonants, the first no hex digit', () => {
  for (let i = 0; i < 20_000; i++) {
    const digest = digestOf(`rip=${i}`);
    expect(digest).toMatch(/^[ghjkmnpqrstvwxz][2-9bcdfghjkmnpqrstvwxz]{7}$/);
    expect(isDigest(digest)).toBe(true);
  }
});

test.each(['', 'k3v9qdt', 'k3v9qdtww', 'K3v9qdtw', 'k3v9qdta', 'd3v9qdtw', '23456789'])(
  'no digest: %j',
  (word) => {
    expect(isDigest(word)).toBe(false);
  },
);

test('100,000 states that differ in little have digests of their own', () => {
  const states = Array.from({ length: 100_000 }, (_, i) => `rax=${i % 317} rbx=${Math.floor(i / 317)} cs=10`);
  expect(new Set(states.map(digestOf)).size).toBe(states.length);
});

test('one character more changes every place of the digest as often as chance would', () => {
  const equal = Array.from({ length: 8 }, () => 0);
  for (let i = 0; i < 4000; i++) {
    const [a, b] = [digestOf(`state ${i}`), digestOf(`state ${i}!`)];
    for (let k = 0; k < 8; k++) if (a[k] === b[k]) equal[k] = (equal[k] ?? 0) + 1;
  }
  for (const count of equal) expect(count).toBeLessThan(4000 * 0.1);
});
