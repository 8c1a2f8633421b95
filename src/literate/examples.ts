/** The blocks that test instructions, as examples on their pages: the very lines, never a copy. */
import { readdirSync, readFileSync } from 'node:fs';
import { type Block, parseBlocks, runBlock } from '../engine/example/block.ts';
import { engineDriver } from '../engine/example/driver.ts';
import { type View, view } from '../engine/example/view.ts';
import { decode } from '../isa/decode.ts';
import { familyOf } from '../isa/family.ts';
import type { Instruction } from '../isa/instruction.ts';

const FOLDER = 'test/isa';

/** A block, run. */
export interface Example extends Block {
  readonly view: View;
}
/** What the page of a family shows: a few chosen blocks, run, and all of them. */
export interface Examples {
  readonly chosen: readonly Example[];
  readonly all: readonly Block[];
}
interface Known {
  readonly block: Block;
  readonly instruction: Instruction;
}

const driver = engineDriver();

function blocks(): ReadonlyMap<string, readonly Known[]> {
  const found = new Map<string, Known[]>();
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.txt') && name !== 'corpus.txt'))
    for (const block of parseBlocks(readFileSync(`${FOLDER}/${file}`, 'utf8'))) {
      const instruction = decode(block.bytes);
      if ('problem' in instruction) continue;
      const family = familyOf(instruction.row);
      found.set(family, [...(found.get(family) ?? []), { block, instruction }]);
    }
  return found;
}

/** Examples by family. Throws where a block is not what the engine does: a page shows no state that is not so. */
export function examples(): ReadonlyMap<string, Examples> {
  return new Map(
    [...blocks()].map(([family, known]) => [
      family,
      { chosen: choose(known).map(run), all: known.map(({ block }) => block) },
    ]),
  );
}

function run(block: Block): Example {
  const [difference] = runBlock(driver, block);
  if (difference !== undefined)
    throw new Error(`invalid example: ${block.text}, line ${block.line}: ${difference}`);
  return { ...block, view: view(driver, block.bytes, block.before) };
}

const MOST = 6;

/** A plain one for each of a few mnemonics, one in memory, and one for each event; the shortest that change something. */
function choose(known: readonly Known[]): readonly Block[] {
  const cost = ({ block, instruction }: Known): number =>
    block.written.length +
    block.text.length +
    (64 - instruction.shape.width) +
    (changes(block) ? 0 : 100) +
    (instruction.memory ? 40 : 0);
  const best = (list: readonly Known[]): readonly Known[] =>
    list.length === 0 ? [] : [list.reduce((least, one) => (cost(one) < cost(least) ? one : least))];
  const plain = known.filter(({ block }) => block.after.event === undefined);
  const mnemonics = new Map(plain.map((one) => [one.instruction.row.mnemonic, one]));
  const few = mnemonics.size > 3 ? [...mnemonics.keys()].slice(0, 1) : [...mnemonics.keys()];
  const events = new Set(known.flatMap(({ block }) => block.after.event?.replace(/\(.*/, '') ?? []));
  const chosen = [
    ...few.flatMap((name) => best(plain.filter(({ instruction }) => instruction.row.mnemonic === name))),
    ...best(plain.filter(({ instruction }) => instruction.memory !== undefined)),
    ...[...events].flatMap((event) =>
      best(known.filter(({ block }) => block.after.event?.startsWith(event))),
    ),
  ];
  return [...new Set(chosen.map(({ block }) => block))].slice(0, MOST);
}
const changes = ({ after }: Block): boolean => after.state.size + after.memory.size > 0;
