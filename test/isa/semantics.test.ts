/** Every row does what its blocks say, and every row has one. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Block, hex, parseBlocks, runBlock } from '../../src/engine/example/block.ts';
import { engineDriver } from '../../src/engine/example/driver.ts';
import { decode } from '../../src/isa/decode.ts';
import type { Row } from '../../src/isa/instruction.ts';
import { print } from '../../src/isa/print.ts';
import { ROWS } from '../../src/isa/table/index.ts';

const here = new URL('.', import.meta.url);
const files = readdirSync(here).filter((name) => name.endsWith('.txt') && name !== 'corpus.txt');
const driver = engineDriver();
const blocksOf = (file: string): readonly Block[] => parseBlocks(readFileSync(new URL(file, here), 'utf8'));

for (const file of files) {
  test(file, () => {
    const failures: string[] = [];
    for (const block of blocksOf(file)) {
      const instruction = decode(block.bytes);
      const place = `${file}:${block.line} ${hex(block.bytes)}`;
      if ('problem' in instruction) {
        failures.push(`${place}: ${instruction.problem}`);
        continue;
      }
      if (instruction.length !== block.bytes.length) failures.push(`${place}: length ${instruction.length}`);
      if (print(instruction) !== block.text) failures.push(`${place}: prints ${print(instruction)}`);
      failures.push(...runBlock(driver, block).map((difference) => `${place} ${block.text}: ${difference}`));
    }
    expect(failures).toEqual([]);
  });
}

test('every row has a block', () => {
  const covered = new Set<Row>();
  for (const { bytes } of files.flatMap(blocksOf)) {
    const instruction = decode(bytes);
    if (!('problem' in instruction)) covered.add(instruction.row);
  }
  const missing = ROWS.filter((row) => !covered.has(row)).map(
    ({ opcode, mnemonic }) => `${opcode} ${mnemonic}`,
  );
  expect(missing).toEqual([]);
});
