/**
 * Corrupted stacks: random words, circles, pointers off every stack, one word flipped at each place. No unwinder hangs, throws or
 * reads outside the stacks, and each ends with a reason. ENTRYLAB_FUZZ=100000 corrupts so often for each unwinder.
 */
import { expect, test } from 'vitest';
import { symbolize as plain } from '../../src/image/image.ts';
import { startOrc } from '../../src/unwind/eras/orc.ts';
import { walkReliable } from '../../src/unwind/eras/reliable.ts';
import { KERNEL_UNWINDERS } from '../../src/unwind/eras/unwinders.ts';
import { startFramePointer } from '../../src/unwind/frame-pointer.ts';
import { unwinders } from '../../src/unwind/rules.ts';
import { MAX_FRAMES } from '../../src/unwind/unwind-state.ts';
import type { View } from '../../src/unwind/view.ts';
import { type Captured, capture, readOf } from './captured.ts';

const ROUNDS = Number(process.env.ENTRYLAB_FUZZ ?? 1500);
const ASKED = [...unwinders(), ...KERNEL_UNWINDERS];
const states: readonly Captured[] = [
  ...capture('start kernel-task', 'body int3', 'inject nmi at task+2', 'inject nmi at after_int3'),
  ...capture('start kernel-task', 'body quiet', 'inject nmi at task+2', 'inject mc at nmi+2'),
  ...capture('start user-task', 'body int3', 'inject nmi at user_task+2'),
].filter((_, n) => n % 5 === 0);

let seed = 0x5eedn;
const random = (below: number): number => {
  seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn;
  return Number((seed >> 33n) % BigInt(below));
};
const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
const wild = (): bigint =>
  (BigInt(random(2 ** 31)) << 33n) ^ (BigInt(random(2 ** 31)) << 2n) ^ BigInt(random(4));

/** A view whose reads are confined: anything outside the stacks is a mistake of the unwinder. */
function confined(view: View, words: ReadonlyMap<bigint, bigint>): View {
  const read = readOf(words);
  return {
    ...view,
    read: (address) => {
      const on = view.stacks.some(({ begin, end }) => address >= begin && address + 8n <= end);
      if (!on) throw new Error(`read outside the stacks: 0x${address.toString(16)}`);
      return read(address);
    },
  };
}

/** A state with some words and registers changed, and what was done to it. */
function corrupted({ view, words, at }: Captured): {
  readonly view: View;
  readonly words: Map<bigint, bigint>;
  readonly what: string;
} {
  const changed = new Map(words);
  const addresses = [...words.keys()];
  const stackPointer = (): bigint => {
    const { begin, end } = pick(view.stacks);
    return begin + BigInt(random(Number(end - begin) + 32)) - 16n;
  };
  const values: readonly (() => bigint)[] = [
    wild,
    stackPointer,
    () => pick(addresses) + BigInt(random(3)) - 1n,
    () => (view.orc?.rows[random(view.orc.rows.length)]?.address ?? 0n) + BigInt(random(3)),
    () => BigInt(random(3)),
    () => 0xffff_ffff_ffff_ffffn - BigInt(random(32)),
  ];
  const what: string[] = [at];
  for (let n = 1 + random(6); n > 0; n--) {
    const address = random(3) === 0 ? stackPointer() & ~7n : pick(addresses);
    const old = changed.get(address) ?? 0n;
    const value = random(3) === 0 ? old ^ (1n << BigInt(random(64))) : pick(values)();
    changed.set(address, value);
    what.push(`[${address.toString(16)}]=${value.toString(16)}`);
  }
  const one = { ...view };
  if (random(4) === 0) Object.assign(one, { rbp: pick(values)() });
  if (random(6) === 0) Object.assign(one, { rsp: stackPointer() });
  if (random(6) === 0) Object.assign(one, { rip: pick(values)() });
  what.push(`rip=${one.rip.toString(16)} rsp=${one.rsp.toString(16)} rbp=${one.rbp.toString(16)}`);
  return { view: one, words: changed, what: what.join(' ') };
}

/** Asks one unwinder; the trace must be sane. */
function ask(nth: number, view: View, words: ReadonlyMap<bigint, bigint>, what: string): void {
  const unwinder = ASKED[nth];
  if (!unwinder) return;
  try {
    const trace = unwinder.unwind(confined(view, words));
    if (trace.reason === '') throw new Error('no reason');
    if (trace.entries.length > MAX_FRAMES + 2) throw new Error(`${trace.entries.length} entries`);
  } catch (error) {
    throw new Error(`${unwinder.id}: ${error instanceof Error ? error.message : error}: ${what}`);
  }
}

test(`${ROUNDS} corruptions for each unwinder`, { timeout: 3_600_000 }, () => {
  expect(states.length).toBeGreaterThan(50);
  for (let round = 0; round < ROUNDS; round++) {
    const { view, words, what } = corrupted(pick(states));
    for (const nth of ASKED.keys()) ask(nth, view, words, what);
    // Printers read code, too, wherever a corrupted RIP says it is; and the reliable walk never takes an error for success.
    const loose = { ...view, read: readOf(words) };
    for (const { print } of ASKED) {
      const lines = print?.(loose, (address) => plain({ segments: [], symbols: [], lines: [] }, address)) ?? [
        '',
      ];
      expect(lines.length).toBeLessThan(20_000);
    }
    for (const start of [startOrc('6.12'), startFramePointer('6.12')]) {
      const state = start(confined(view, words));
      const { reliable } = walkReliable(view, state, false);
      if (reliable) expect({ error: state.error, what }).toEqual({ error: false, what });
    }
  }
});

test('one word flipped at each place', { timeout: 3_600_000 }, () => {
  const some = ROUNDS >= 10_000 ? states : states.filter((_, n) => n % 23 === 7);
  for (const { view, words, at } of some) {
    for (const [address, old] of words) {
      // A bit that matters little, one that matters much, and all of them.
      for (const flip of [1n, 1n << 12n, 0xffff_ffff_ffff_ffffn]) {
        const changed = new Map(words).set(address, old ^ flip);
        for (const nth of ASKED.keys())
          ask(nth, view, changed, `${at} [${address.toString(16)}]^${flip.toString(16)}`);
      }
    }
  }
});
