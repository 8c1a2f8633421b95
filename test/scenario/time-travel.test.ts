import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { FRAMES, STATE_SIZE } from '../../src/engine/layout.ts';
import type { Mark } from '../../src/engine/machine.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { stage } from '../../src/scenario/run.ts';

/** A small generator of numbers, the same on every run (xorshift). */
function* numbers(seed: number): Generator<number, never> {
  for (let x = seed; ; ) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x >>> 0;
  }
}

test('1,000 random steps back and forth through a nested NMI give byte-identical state', () => {
  const pages = libraryOnDisk();
  const source = scenarioOf(pages, 'nested-nmi');
  const ready = source && stage(source, pages);
  if (!ready || 'problems' in ready) throw new Error('nothing ran');
  const { execution, injections } = ready;
  const { boundary: last } = execution.run(injections, 5_000);
  execution.run([], 0); // back to boundary 0
  const { machine } = execution.booted;

  const bytes = new Uint8Array(machine.memory.buffer);
  const state = () =>
    createHash('sha1').update(bytes.subarray(0, STATE_SIZE)).update(bytes.subarray(FRAMES)).digest('hex');
  const seen: string[] = [state()];
  const marks: Mark[] = [];
  const forward = () => {
    marks.push(machine.mark());
    if (injections.some(({ boundary }) => boundary === marks.length - 1)) machine.injectNmi();
    machine.step();
    const at = marks.length;
    seen[at] ??= state();
    expect({ at, same: seen[at] === state() }).toEqual({ at, same: true });
  };
  const back = () => {
    const mark = marks.pop();
    if (mark) machine.undo(mark);
    expect({ at: marks.length, same: seen[marks.length] === state() }).toEqual({
      at: marks.length,
      same: true,
    });
  };

  while (marks.length < last) forward();
  const random = numbers(2016);
  for (let step = 0; step < 1_000; ) {
    // Runs of some length in one direction, so that deliveries and IRETs are crossed both ways.
    const backwards = random.next().value % 2 === 0;
    for (let n = random.next().value % 40; n > 0 && step < 1_000; n--, step++) {
      if (backwards ? marks.length > 0 : marks.length === last) back();
      else forward();
    }
  }
  while (marks.length > 0) back();
  expect(new Set(seen).size).toBe(last + 1);
});
