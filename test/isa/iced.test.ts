/** Length and text of instructions as iced-x86 has them; `npm run test:reference` compares a hundred times as many. */
import { expect, test } from 'vitest';
import { corpus, noise } from '../reference/corpus.ts';
import { judge, judgeAll } from '../reference/iced/compare.ts';
import { unhex } from './att.ts';

test('every row, with random operands and prefixes', () => {
  const { same, different } = judgeAll(corpus(12_000, 3, true));
  expect(different).toEqual([]);
  expect(same).toBeGreaterThan(11_000);
});

test('random bytes are an instruction for both or for neither', () => {
  const { same, different } = judgeAll(noise(10_000, 4));
  expect(different).toEqual([]);
  expect(same).toBeGreaterThan(5_000);
});

test('what has several spellings is alike, what has another meaning is not', () => {
  for (const bytes of ['d1e0', 'f348a5', '64a4', '0f03c8', '8f00', 'ff10', '2e7402', '6bc005', '660f00c8'])
    expect({ bytes, ...judge(unhex(bytes)) }).toEqual({ bytes, kind: 'same' });
  expect(judge(unhex('06'))).toEqual({ kind: 'nothing' });
  expect(judge(unhex('d8c0'))).toMatchObject({ kind: 'known' });
});
