/**
 * What rows declare about flags, against what running their blocks shows: a flag that is neither written
 * nor undefined stays; a flag that is not read has no influence; a flag that is written or read is seen
 * to change or to matter in at least one block.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Block, parseBlocks } from '../../src/engine/example/block.ts';
import { engineDriver, type FlagName, type Outcome } from '../../src/engine/example/driver.ts';
import { decode } from '../../src/isa/decode.ts';
import type { Row } from '../../src/isa/instruction.ts';

const LETTERS: Readonly<Record<string, FlagName>> = {
  O: 'of',
  S: 'sf',
  Z: 'zf',
  A: 'af',
  P: 'pf',
  C: 'cf',
  D: 'df',
  I: 'if',
  N: 'nt',
};
const STATUS = ['of', 'sf', 'zf', 'af', 'pf', 'cf'] as const;
/** Toggled, too, where toggling brings no event of its own. */
const TOGGLED: readonly FlagName[] = [...STATUS, 'df'];
const named = (letters: string): ReadonlySet<string> =>
  new Set([...letters].map((letter) => LETTERS[letter] ?? letter));

const here = new URL('.', import.meta.url);
const driver = engineDriver();
const blocks = new Map<Row, Block[]>();
for (const file of readdirSync(here).filter(
  (name) => name.endsWith('.txt') && !/^(corpus|refused)/.test(name),
)) {
  for (const block of parseBlocks(readFileSync(new URL(file, here), 'utf8'))) {
    const instruction = decode(block.bytes);
    // What a fault or a stop leaves behind says nothing about the row.
    if ('problem' in instruction || block.after.event !== undefined) continue;
    const list = blocks.get(instruction.row) ?? [];
    if (list.length < 2 || instruction.row.flags.reads !== '') list.push(block);
    blocks.set(instruction.row, list);
  }
}

/** Everything but the flags, as text. */
const rest = ({ state, memory, event }: Outcome): string =>
  [...[...state].filter(([name]) => !TOGGLED.includes(name as FlagName)), ...memory]
    .map(([name, value]) => `${name}=${value}`)
    .join(' ') + event;

function check(row: Row, list: readonly Block[]): readonly string[] {
  const failures = new Set<string>();
  const reads = named(row.flags.reads);
  const writes = named(row.flags.writes);
  const free = named(row.flags.undefined);
  const changed = new Set<string>();
  const mattered = new Set<string>();
  for (const { bytes, before } of list) {
    const plain = driver.run(bytes, before);
    const was = (name: string): bigint => before.state.get(name) ?? driver.standard.get(name) ?? 0n;
    for (const name of TOGGLED) {
      if (plain.state.get(name) !== was(name)) changed.add(name);
      const toggled = driver.run(bytes, {
        ...before,
        state: new Map([...before.state, [name, 1n - was(name)]]),
      });
      if (toggled.state.get(name) !== 1n - was(name)) changed.add(name);
      const others = TOGGLED.filter(
        (other) => other !== name && !free.has(other) && toggled.state.get(other) !== plain.state.get(other),
      );
      const own = plain.state.get(name) === was(name) ? 1n - was(name) : plain.state.get(name);
      const ownDiffers =
        writes.has(name) &&
        toggled.state.get(name) !== plain.state.get(name) &&
        toggled.state.get(name) !== own;
      if (others.length > 0 || rest(toggled) !== rest(plain) || ownDiffers) mattered.add(name);
      // CMC and SBB %al,%al: the flag's own new value depends on its old one.
      if (writes.has(name) && reads.has(name) && toggled.state.get(name) !== plain.state.get(name))
        mattered.add(name);
    }
  }
  for (const name of changed) if (!writes.has(name) && !free.has(name)) failures.add(`${name} changes`);
  for (const name of mattered) if (!reads.has(name)) failures.add(`${name} matters`);
  for (const name of writes)
    if (TOGGLED.includes(name as FlagName) && !changed.has(name)) failures.add(`${name} never changes`);
  for (const name of reads)
    if (TOGGLED.includes(name as FlagName) && !mattered.has(name)) failures.add(`${name} never matters`);
  return [...failures].map((failure) => `${row.opcode} ${row.mnemonic}: ${failure}`);
}

test('declared flags are what running shows', () => {
  expect(blocks.size).toBeGreaterThan(400);
  expect([...blocks].flatMap(([row, list]) => check(row, list))).toEqual([]);
});
