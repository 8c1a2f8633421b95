import { expect, test } from 'vitest';
import { fragmentOf, type Place, readFragment } from '../../src/islands/kernel/address.ts';
import { createAnswers } from '../../src/islands/kernel/answers.ts';
import type { Message, Request } from '../../src/islands/kernel/protocol.ts';
import { createRuns } from '../../src/islands/kernel/runs.ts';
import { createState } from '../../src/islands/kernel/state.ts';
import { vmlinux } from '../image/build/kernel.ts';
import { runningKernel } from '../image/build/running-kernel.ts';

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

/** A kernel that runs, opened, with what runs it. */
async function running() {
  const { state, settled } = island();
  state.open(file(runningKernel()));
  await settled();
  return { state, settled, runs: createRuns(state) };
}

test('a run is shown at its first delivery; one more event leaves the reader where they are, and its line names it', async () => {
  const { runs, settled } = await running();
  runs.openRun([]);
  await settled();
  expect(runs.ran.value?.run).toMatchObject({ verdict: 'returned', steps: 42 });
  await expect.poll(() => runs.lab.value?.ready.value).toBe(true);
  expect(runs.lab.value?.boundary.value).toBe(1);
  runs.lab.value?.moveTo(20);
  runs.strike('mc');
  await settled();
  expect(runs.strikes.value).toEqual([{ event: 'mc', at: 'asm_exc_nmi+0x29' }]);
  expect(runs.lab.value?.boundary.value).toBe(20);
  expect(runs.runLine).toBe('npm run -s lab -- kernel FILE run --path nmi --event mc --at asm_exc_nmi+0x29');
  runs.strikes.value = [{ event: 'pf', at: 'exc_nmi' }];
  runs.run();
  await settled();
  expect(runs.problem.value).toBe('invalid event: pf cannot occur at exc_nmi');
  expect(runs.ran.value?.run.struck).toHaveLength(1);
});

test('a click on a truth line leads to what pushed the word, also on another stack', async () => {
  const { runs, settled } = await running();
  runs.openRun([]);
  await settled();
  const lab = runs.lab.value;
  await expect.poll(() => lab?.ready.value).toBe(true);
  lab?.moveTo(30);
  const { top = 0n } = runs.ran.value?.timeline ?? {};
  await lab?.toWriter(top - 8n);
  expect([lab?.boundary.value, lab?.selected.value]).toEqual([1, -1]);
});

test('a sweep ends with its counts, a cell of it is a run, and the next question ends one that is under way', async () => {
  const { runs, settled } = await running();
  runs.sweep();
  await expect.poll(() => runs.phase.value.kind).toBe('done');
  const phase = runs.phase.value;
  expect(phase.kind === 'done' && phase.swept.sweep).toMatchObject({ runs: 82, outcomes: { returned: 82 } });
  runs.select({ row: -3, column: 21 });
  runs.open();
  await settled();
  expect(runs.strikes.value).toEqual([{ event: 'mc', at: 'exc_nmi' }]);
  runs.first.value = 'nmi';
  runs.second.value = 'mc';
  runs.sweep();
  runs.cancel();
  await settled();
  expect(runs.phase.value.kind).toBe('cancelled');
  // What was asked before and is still told is not heard any more.
  runs.first.value = 'mc';
  runs.second.value = '';
  runs.sweep();
  await expect.poll(() => runs.phase.value.kind).toBe('done');
  expect(runs.map.value.strips.map(({ event }) => event)).toEqual(['mc']);
});

test('a kernel without what a run needs says so; of a capsule, that the kernel has it', async () => {
  const { state, settled } = island();
  state.open(file(vmlinux()));
  await settled();
  const runs = createRuns(state);
  runs.openRun([]);
  await settled();
  expect(runs.problem.value).toBe('missing per-CPU block: .data..percpu');
  const capsule = await (async () => {
    const made = state.capsule();
    await settled();
    return made;
  })();
  state.open(file(capsule as Uint8Array));
  await settled();
  runs.openRun([]);
  await settled();
  expect(runs.problem.value).toBe(
    'missing per-CPU block: .data..percpu. A capsule of routines holds their text only: open the kernel itself',
  );
});
