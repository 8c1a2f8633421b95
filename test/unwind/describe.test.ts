import { expect, test } from 'vitest';
import { addressText, functionText, listText } from '../../src/unwind/describe.ts';
import { DB_END, S, STACKS, T } from './world.ts';

test('addresses are told from T, from S, or from the end of their stack', () => {
  const text = (address: bigint) => addressText(STACKS, address, S);
  expect([T - 136n, S, S + 200n, S - 8n, DB_END - 48n, 0x1234n].map(text)).toEqual([
    'T-136',
    'S',
    'S+200',
    'S-8',
    '#DB end-48',
    '0x1234',
  ]);
  expect(addressText(STACKS, S)).toBe(`0x${S.toString(16)}`);
});

test('lists of up to four names are written out', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd', 'e']].map(listText)).toEqual([
    '',
    'a',
    'a and b',
    'a, b, c and d',
    '5 functions from a to e',
  ]);
  expect(functionText('do_work+0x1c/0x40')).toBe('do_work');
});
