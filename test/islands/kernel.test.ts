import { expect, test } from 'vitest';
import { fragmentOf, type Place, readFragment } from '../../src/islands/kernel/address.ts';
import { createAnswers } from '../../src/islands/kernel/answers.ts';
import type { Message, Request } from '../../src/islands/kernel/protocol.ts';
import { createState } from '../../src/islands/kernel/state.ts';
import { vmlinux } from '../image/build/kernel.ts';

test.each<Place>([
  { symbol: 'asm_exc_nmi', features: undefined, build: undefined },
  { symbol: 'foo.cold', features: [], build: '0123456789ab' },
  { symbol: '__UNIQUE_ID_a&b=c#d', features: ['pti', '9*32+20'], build: undefined },
])('an address and its place: %o', (place) => {
  expect(readFragment(`#${fragmentOf(place)}`)).toEqual(place);
});

test('what is no address of a kernel is none, and a build is digits only', () => {
  expect(readFragment('#what-it-opens')).toBeUndefined();
  expect(readFragment('')).toBeUndefined();
  expect(readFragment('#symbol=a&build=<b>')?.build).toBeUndefined();
});

/** A worker that answers at once, and what is in the address. */
function island() {
  const places: Place[] = [];
  let waits: Promise<void> = Promise.resolve();
  const state = createState(
    (hear) => {
      let asked = 0;
      const answer = createAnswers({}, async (bytes) => bytes, hear as (message: Message) => void);
      return {
        ask(question) {
          const id = ++asked;
          waits = waits.then(() => answer({ ...question, id } as Request));
          return id;
        },
        cancel() {},
      };
    },
    (place) => places.push(place),
  );
  return { state, places, settled: () => waits.then(() => waits) };
}
const file = (bytes: Uint8Array, name = 'vmlinux'): File =>
  new File([bytes as Uint8Array<ArrayBuffer>], name);

test('a file is opened, its first entry comes into view, and the address follows', async () => {
  const { state, places, settled } = island();
  state.open(file(vmlinux()));
  expect(state.phase.value.kind).toBe('opening');
  await settled();
  expect(state.kernel.value?.entries).toEqual(['asm_exc_nmi']);
  expect(places).toEqual([{ symbol: 'asm_exc_nmi', features: undefined, build: 'cafebabe' }]);
  expect(state.view.value?.listing.asked).toEqual(['9*32+20', 'kernel_ibrs', 'xenpv']);
  state.show('asm_exc_nmi', ['xenvp']);
  await settled();
  expect(state.problem.value).toBe('unknown feature: xenvp (did you mean xenpv?)');
  expect(state.view.value?.listing.features).toBeUndefined();
});

test('an address that waits is followed when a kernel is open', async () => {
  const { state, places, settled } = island();
  state.follow({ symbol: 'other', features: ['xenpv'], build: undefined });
  state.open(file(vmlinux()));
  await settled();
  expect(state.view.value?.listing.symbol).toBe('other');
  expect(state.view.value?.listing.features).toEqual(['xenpv']);
  expect(places).toEqual([]);
});

test('names that begin so come first, the shortest of them before the others', async () => {
  const { state, settled } = island();
  state.open(file(vmlinux()));
  await settled();
  state.complete('nmi');
  await settled();
  expect(state.completions.value).toMatchObject({ names: ['asm_exc_nmi'], count: 1 });
  state.complete('function_59');
  await settled();
  expect(state.completions.value.names.slice(0, 2)).toEqual(['function_59', 'function_590']);
  expect(state.completions.value.count).toBe(11);
});

test('a file that is none leaves nothing open', async () => {
  const { state, settled } = island();
  state.open(file(Uint8Array.of(1, 2, 3), 'notes'));
  await settled();
  expect(state.phase.value).toEqual({
    kind: 'refused',
    name: 'notes',
    problem: 'unknown kind of file: no .deb, vmlinuz or vmlinux (file, at 0x0)',
  });
  expect(state.kernel.value).toBeUndefined();
});
