import { expect, test } from 'vitest';
import { sweepOnce } from '../../src/explore/once.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { copyOf } from '../../src/scenario/library.ts';

const pages = libraryOnDisk();
const ask = { design: 'naive-ist', events: ['nmi'], starts: ['kernel-task'], bodies: ['quiet'], window: 0 };

test('the same ask of the same library is answered with the same report, any other with its own', () => {
  const one = sweepOnce(ask, pages);
  expect(sweepOnce({ ...ask }, pages)).toBe(one);
  expect(sweepOnce({ ...ask, bodies: ['int3'] }, pages).bodies).toEqual(['int3']);
  const other = sweepOnce(ask, copyOf(pages));
  expect(other).not.toBe(one);
  expect(other).toEqual(one);
});

test('what is no ask says all that is wrong', () => {
  expect(() => sweepOnce({ ...ask, events: ['smi'] }, pages)).toThrow(/^unknown event: smi \(there is pf, /);
});
