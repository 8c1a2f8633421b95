/** A run that keeps few frames makes the others on demand: the very ones that a run which keeps all of them has. */
import { expect, test } from 'vitest';
import { longRun } from '../../src/cli/bench/long-run.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { replayOf } from '../../src/scenario/record.ts';
import { play, stage } from '../../src/scenario/run.ts';
import { TAPED } from '../../src/scenario/tape.ts';
import type { Timeline } from '../../src/scenario/timeline.ts';

const pages = libraryOnDisk();
const source = (text: string) => ({ name: 'long', page: 'long', line: 1, lines: text.split('\n') });
const named = (slug: string) => scenarioOf(pages, slug) ?? source('');

/** Boundaries in an order that goes back and forth, the same on every run. */
function* walk(last: number, count: number): Generator<number> {
  for (let n = 0, x = 7; n < count; n++) {
    x = (x * 48_271) % 2_147_483_647;
    yield x % (last + 1);
  }
}

function sameFrames(short: Timeline, whole: Timeline, windows: number): void {
  const replay = replayOf(short);
  if (!replay) throw new Error('nothing was recorded');
  expect(short.frames.length).toBe(whole.frames.length);
  for (const from of walk(whole.frames.length - 1, windows)) {
    const to = Math.min(from + 3, whole.frames.length - 1);
    expect({ from, frames: replay.frames(from, to) }).toEqual({
      from,
      frames: whole.frames.slice(from, to + 1),
    });
  }
}

test.each(['nested-nmi', 'without-test-b-early', 'three-levels', 'without-cannot-fault-return'])(
  '%s: any window, in any order',
  (slug) => {
    const whole = play(named(slug), pages);
    const short = play(named(slug), pages, { whole: 5 });
    expect(whole.frames.length).toBeGreaterThan(100);
    expect(short.steps).toEqual(whole.steps);
    expect([short.blocked, short.pending]).toEqual([whole.blocked, whole.pending]);
    sameFrames(short, whole, 12);
  },
);

test('a run of thousands of boundaries, while others have the machine in between', () => {
  const text = source(longRun(600));
  const whole = play(text, pages);
  const short = play(text, pages, { whole: 100 });
  expect(whole.frames.length).toBeGreaterThan(1_300);
  expect(short.frames.filter(Boolean).length).toBeLessThan(500);
  sameFrames(short, whole, 6);
  play(source(`${longRun(600)}`.replace('cursor  nested_nmi_out', 'cursor  b3')), pages, { pick: 3 });
  sameFrames(short, whole, 6);
  expect(() => replayOf(short)?.seek(whole.frames.length)).toThrow(
    /^invalid boundary: \d+ \(the run has 0 to \d+\)$/,
  );
});

test('who wrote a word and what changed a register are what looking through all frames finds', () => {
  const whole = play(named('nested-nmi'), pages);
  const { tape } = replayOf(whole) ?? {};
  if (!tape) throw new Error('nothing was recorded');
  for (const boundary of walk(whole.frames.length - 1, 40)) {
    const frame = whole.frames[boundary];
    for (const { index, author } of frame?.words ?? []) {
      const address = whole.top + 8n * BigInt(index);
      expect({ boundary, index, at: tape.lastWrite(address, boundary) }).toEqual({
        boundary,
        index,
        at: author.boundary,
      });
      const next = whole.frames.findIndex(
        ({ words }, b) =>
          b > boundary && words.some((one) => one.index === index && one.author.boundary === b),
      );
      expect({ boundary, index, at: tape.nextWrite(address, boundary) ?? -1 }).toEqual({
        boundary,
        index,
        at: next,
      });
    }
    for (const register of TAPED) {
      const last = whole.frames.findLastIndex(
        ({ changed }, b) => b <= boundary && changed.includes(register),
      );
      expect({ boundary, register, at: tape.lastChange(register, boundary) ?? -1 }).toEqual({
        boundary,
        register,
        at: last,
      });
      const next = whole.frames.findIndex(({ changed }, b) => b > boundary && changed.includes(register));
      expect({ boundary, register, at: tape.nextChange(register, boundary) ?? -1 }).toEqual({
        boundary,
        register,
        at: next,
      });
    }
  }
});

test('equal states have equal numbers, other states others', () => {
  const staged = stage(named('nested-nmi'), pages);
  if ('problems' in staged) throw new Error('nothing ran');
  const { execution, injections } = staged;
  const { machine } = execution.booted;
  const numbers = new Map<string, number>();
  for (let round = 0; round < 2; round++)
    execution.run(injections, 5_000, () => {
      const text = machine.describeRegisters();
      const number = machine.sumRegisters();
      expect(numbers.get(text) ?? number).toBe(number);
      numbers.set(text, number);
    });
  expect(new Set(numbers.values()).size).toBe(numbers.size);
  expect(numbers.size).toBeGreaterThan(200);
});

test('a circle that begins behind the states that are all kept is found all the same', () => {
  const circle = '2: movl $4000, %edx\n|  3: decl %edx\n|  jnz 3b\n|  jmp 2b';
  const text = longRun(4_000)
    .replace(/jnz .*\n/, (jump) => `${jump}|  ${circle}\n`)
    .replace('cursor  nested_nmi_out\n', '');
  const { outcome, frames } = play(source(text), pages, { budget: 100_000, whole: 10 });
  expect(outcome.verdict).toBe('no-progress');
  expect(frames.length).toBeGreaterThan(16_000);
});
