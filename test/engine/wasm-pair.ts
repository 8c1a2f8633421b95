/** Two machines in the same situation: the oracle, which walks at every access, and the interpreter. */
import type { Backend } from '../../src/engine/backends/executor.ts';
import { wasm } from '../../src/engine/backends/wasm/backend.ts';
import { FRAMES, JOURNAL, LOG, LOG_ENTRY, offsetOf, STATE_SIZE } from '../../src/engine/layout.ts';
import type { Machine, Mark } from '../../src/engine/machine.ts';
import { FIELDS } from '../../src/isa/state.ts';
import { type Guest, type GuestOptions, guest } from './guest.ts';

export class Pair {
  readonly oracle: Guest;
  readonly subject: Guest;
  readonly both: readonly Guest[];

  constructor(options: GuestOptions = {}, backend: Backend = wasm()) {
    this.oracle = guest({ ...options, cached: false });
    this.subject = guest({ ...options, backend });
    this.both = [this.oracle, this.subject];
  }
  /** The same to both; what it returns must be equal, too. */
  do<T>(what: (one: Guest) => T): T {
    const [first, second] = [what(this.oracle), what(this.subject)];
    if (JSON.stringify(first, text) !== JSON.stringify(second, text))
      throw new Error(`${JSON.stringify(first, text)} against ${JSON.stringify(second, text)}`);
    return first;
  }
  /** The first difference in state block, journal, log or guest memory. */
  difference(): string | undefined {
    const [one, two] = [this.oracle.machine, this.subject.machine];
    const a = Buffer.from(one.memory.buffer);
    const b = Buffer.from(two.memory.buffer);
    const same = (from: number, to: number): boolean => a.compare(b, from, to, from, to) === 0;
    if (!same(0, STATE_SIZE)) {
      const name = FIELDS.find((field) => !same(offsetOf[field], offsetOf[field] + 8)) ?? 'rip';
      return `${name}: ${one.get(name).toString(16)} against ${two.get(name).toString(16)}`;
    }
    if (!same(LOG, LOG + one.logLength * LOG_ENTRY)) return 'log';
    if (!same(JOURNAL, one.journalHead)) return 'journal';
    if (!same(FRAMES, FRAMES + one.frames * 0x1000)) return 'memory';
    return undefined;
  }
  /** @throws Error with `where` if the two differ */
  expectSame(where: string): void {
    const found = this.difference();
    if (found !== undefined) throw new Error(`${where}: ${found}`);
  }
  get machine(): Machine {
    return this.oracle.machine;
  }
}

/** Accessed and dirty flags of a page-table entry. */
const MARKS = 0x60n;
/** Whether all that was stored since the journal ended at `head` are flags of page tables, which a walk sets that then raises. */
export const onlyMarks = (machine: Machine, head: bigint): boolean =>
  machine.journalSince(Number(head)).every(({ physical, old }) => {
    const added = machine.physicalWord(physical) & ~old;
    return (old & ~machine.physicalWord(physical)) === 0n && (added & ~MARKS) === 0n;
  });

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

/** Both machines after every transition, then once more in one slice, and back each time. */
export function same(pair: Pair, transitions: number): void {
  const marks = pair.both.map(({ machine }): Mark => machine.mark());
  const back = (where: string): void => {
    for (const [n, { machine }] of pair.both.entries()) machine.undo(marks[n] as Mark);
    pair.expectSame(where);
  };
  for (let n = 0; n < transitions; n++) {
    pair.do(({ machine }) => machine.run(1));
    pair.expectSame(`transition ${n}`);
  }
  back('undone');
  pair.do(({ machine }) => machine.run(transitions));
  pair.expectSame('in one slice');
  back('undone again');
  // With all caches warm.
  pair.do(({ machine }) => machine.run(transitions));
  pair.expectSame('in one slice, warm');
}
export const get = (pair: Pair, name: Parameters<Machine['get']>[0]): bigint =>
  pair.do(({ machine }) => machine.get(name));

const MASK = 0x000f_ffff_ffff_f000n;
/** The tables of an address space once more, in frames of their own. */
export function cloneSpace({ machine, space }: Guest): bigint {
  let fresh = 80;
  const copy = (table: bigint, level: number): bigint => {
    const to = fresh++ * 0x1000;
    for (let at = 0; at < 0x1000; at += 8) {
      const entry = machine.physicalWord(Number(table) + at);
      const inner =
        (entry & 1n) === 1n && level > 1 ? copy(entry & MASK, level - 1) | (entry & ~MASK) : entry;
      machine.writeGuest(to + at, new Uint8Array(new BigUint64Array([inner]).buffer));
    }
    return BigInt(to);
  };
  return copy(space.root, 4);
}
export function remap(machine: Machine, root: bigint, va: bigint, frame: number): void {
  const at = entryPlace(machine, root, va);
  const changed = (machine.physicalWord(at) & ~MASK) | BigInt(frame);
  machine.writeGuest(at, new Uint8Array(new BigUint64Array([changed]).buffer));
}
/** Physical address of the entry that maps a page. */
export function entryPlace(machine: Machine, root: bigint, va: bigint): number {
  let table = root;
  for (const shift of [39n, 30n, 21n]) table = machine.physicalWord(Number(table) + index(va, shift)) & MASK;
  return Number(table) + index(va, 12n);
}
const index = (va: bigint, shift: bigint): number => Number((va >> shift) & 511n) * 8;
