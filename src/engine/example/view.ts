/** An example as a table: every place it names or changes, before and after. */
import { decode } from '../../isa/decode.ts';
import { undefinedFlags } from './block.ts';
import { CODE, type Driver, FLAGS, NAMES, type Situation, shown } from './driver.ts';

export interface Row {
  /** `rax`, `cf`, `q[0x200010]` for eight bytes of memory. */
  readonly place: string;
  readonly before: string;
  readonly after: string;
  readonly changed: boolean;
  /** The manual leaves the flag undefined: this is what the model makes of it. */
  readonly free: boolean;
}
export interface View {
  readonly rows: readonly Row[];
  /** `#GP(0x10)`, `int 3`, `stop: halted`; undefined when the instruction retired. */
  readonly event: string | undefined;
}

/** Run `bytes` in a situation and tell what was there and what became of it. */
export function view(driver: Driver, bytes: Uint8Array, before: Situation): View {
  const instruction = decode(bytes);
  if ('problem' in instruction) return { rows: [], event: instruction.problem };
  const outcome = driver.run(bytes, before);
  const free = new Set(undefinedFlags(instruction));
  const rows: Row[] = [];
  for (const name of NAMES) {
    const was = before.state.get(name) ?? driver.standard.get(name) ?? 0n;
    const is = outcome.state.get(name) ?? was;
    // That RIP is behind an instruction that retired goes without saying.
    const plain = name === 'rip' && (is === CODE + BigInt(instruction.length) || is === CODE);
    const named = before.state.has(name) || is !== was;
    if (!named || plain) continue;
    rows.push(row(name, was, is, name in FLAGS && free.has(name)));
  }
  const touched = [...before.memory.keys(), ...outcome.memory.keys()].map((at) => at & ~7n);
  for (const at of [...new Set(touched)].sort((a, b) => (a < b ? -1 : 1))) {
    const word = (...cells: readonly ReadonlyMap<bigint, number>[]): bigint => {
      const byte = (n: bigint): number => cells.find((one) => one.has(at + n))?.get(at + n) ?? 0;
      return [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].reduce((sum, n) => sum | (BigInt(byte(n)) << (8n * n)), 0n);
    };
    rows.push(row(`q[${shown(at)}]`, word(before.memory), word(outcome.memory, before.memory), false));
  }
  return { rows, event: outcome.event };
}

const row = (place: string, was: bigint, is: bigint, free: boolean): Row => ({
  place,
  before: shown(was),
  after: shown(is),
  changed: was !== is,
  free,
});
