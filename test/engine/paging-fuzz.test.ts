/**
 * Page tables of random words under the lower half of the address space, and code that walks them: a run never
 * hangs, both backends agree byte for byte after every transition and in one slice, undo leads back. Bigint's
 * own cache runs along.
 */
import { expect, test } from 'vitest';
import { guest, Random } from './guest.ts';
import { BIT, putWord } from './page-entries.ts';
import { Pair } from './wasm-pair.ts';

/** ROUNDS=10000 looks further. */
const ROUNDS = Number(process.env.ROUNDS ?? 150);
const TRANSITIONS = 24;
/** Frames that hold random tables; the guest itself needs fewer than fifty. */
const FIRST = 60;
const COUNT = 10;
/** Entries in use of each table, so that walks meet again. */
const USED_ENTRIES = 4;
const FRAMES = FIRST + COUNT + 4;
/** Loads, stores, a read that will be written, push and pop, a copy, a store across words, an atomic exchange. */
const TEXT =
  '48 8b 08 48 89 08 48 01 0e 8f 00 48 a5 ff 36 66 89 17 48 89 4f 05 48 87 1e f3 a4 48 8b 1b 0f 01 cb 48 89 0f 0f 01 ca';
/** Skip three bytes of the instruction that faulted, for the next one to fault in its turn. */
const SKIP = '48 83 c4 08 48 83 04 24 03 48 cf';

/** An entry: mostly one that a walk gets past, now and then any word at all. */
function entry(random: Random): bigint {
  if (random.below(30) === 0) return random.word();
  const present = random.below(16) === 0 ? 0n : BIT.present;
  const rights = random.word() & random.pick([BIT.writable | BIT.user, BIT.user]);
  const flags = (random.word() & (BIT.accessed | BIT.dirty)) | (random.below(3) === 0 ? 0n : BIT.writable);
  const top = random.below(6) === 0 ? BIT.noExecute : 0n;
  // What a large page maps begins at 0, to lie in memory.
  const address = random.below(8) === 0 ? BIT.large : BigInt(FIRST + random.below(COUNT + 4)) << 12n;
  return address | present | rights | flags | top;
}
/** An address that few indices lead to, often near a page's end. */
function low(random: Random): bigint {
  const page = [39n, 30n, 21n, 12n].reduce(
    (va, shift) => va | (BigInt(random.below(USED_ENTRIES)) << shift),
    0n,
  );
  return page | random.pick([0n, 8n, 0xffcn, 0xff9n, random.word() & 0xfffn]);
}

test('random page tables: both backends agree, nothing hangs, undo leads back', { timeout: 300_000 }, () => {
  const random = new Random(46);
  const options = { frames: FRAMES, text: TEXT, handlers: { 14: SKIP, 13: SKIP } };
  const pair = new Pair(options);
  const cached = guest({ ...options, cached: true });
  const all = [...pair.both, cached];
  const clean = all.map(({ machine }) => memoryOf(machine));
  const start = all.map(({ machine }) => machine.mark());
  const outcomes = new Map<string, number>();
  let marked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const tables = Array.from({ length: COUNT * 512 }, (_, n) =>
      n % 512 < USED_ENTRIES ? entry(random) : 0n,
    );
    const roots = Array.from({ length: USED_ENTRIES }, () => entry(random));
    const registers = (['rax', 'rsi', 'rdi', 'rbx', 'rdx'] as const).map(
      (name) => [name, low(random)] as const,
    );
    const cr0 = random.pick([0x8005_0033n, 0x8005_0033n, 0x8004_0033n]);
    const cr4 = random.pick([0x20n, 0x20_0020n, 0x30_0020n]);
    for (const [n, { machine, space }] of all.entries()) {
      machine.undo(start[n] as never);
      machine.writeGuest(0, clean[n] as Uint8Array);
      machine.writeGuest(FIRST * 0x1000, new Uint8Array(BigUint64Array.from(tables).buffer));
      for (const [at, word] of roots.entries()) putWord(machine, Number(space.root) + 8 * at, word);
      for (const [name, value] of registers) machine.set(name, value);
      machine.set('cr0', cr0);
      machine.set('cr4', cr4);
      machine.set('rcx', 3n);
    }
    const marks = all.map(({ machine }) => machine.mark());
    let made = 0;
    for (; made < TRANSITIONS; made++) {
      const ran = pair.do(({ machine }) => machine.run(1));
      expect(cached.machine.run(1)).toBe(ran);
      pair.expectSame(`round ${round}, transition ${made}`);
      const { machine } = pair.oracle;
      const outcome =
        ran === 0
          ? machine.stopReason
          : `${machine.get('pendingKind')} ${machine.get('pendingVector')} ${machine.get('pendingCode')}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (ran === 0) break;
    }
    const end = pair.oracle.machine.describe();
    const stored = cached.machine.journalSince(0).map(({ physical }) => physical);
    marked += stored.filter((at) => at >= FIRST * 0x1000).length;
    expect(cached.machine.describe()).toBe(end);
    for (const [n, { machine }] of all.entries()) machine.undo(marks[n] as never);
    pair.expectSame(`round ${round}, undone`);
    expect(pair.do(({ machine }) => machine.run(TRANSITIONS))).toBe(made);
    expect(pair.do(({ machine }) => machine.describe())).toBe(end);
    pair.expectSame(`round ${round}, in one slice`);
  }
  if (process.env.VERBOSE)
    console.log(
      marked,
      [...outcomes].sort((a, b) => b[1] - a[1]),
    );
  expect(marked).toBeGreaterThan(ROUNDS);
  // Absent, written to without the right, reserved bits, user pages under SMAP, and what lies beyond memory.
  for (const needed of ['0 0 0', '1 14 0', '1 14 2', '1 14 3', '1 14 9', '1 14 1'])
    expect(outcomes.get(needed), needed).toBeGreaterThan(0);
  expect(outcomes.get('not modelled: physical address outside memory')).toBeGreaterThan(0);
});

const memoryOf = (machine: ReturnType<typeof guest>['machine']): Uint8Array =>
  new Uint8Array(
    BigUint64Array.from({ length: machine.frames * 512 }, (_, n) => machine.physicalWord(8 * n)).buffer,
  );
