/**
 * The text form of instruction tests, one a line:
 *
 *     48 01 d8 | add %rbx,%rax | rax=1 rbx=2 => rax=3 cf=0
 *
 * Bytes, their text as the printer gives it, the situation before, and everything that is different
 * after. What is not named before is as the driver has it; what is not named after is as before, but for
 * RIP, which is behind the instruction, and flags the row leaves undefined. `q[0x200010]` is eight bytes
 * of memory, `l[`, `w[` and `b[` are four, two and one. An event ends the line: `#PF(2)`, `int 3`,
 * `stop: halted`; a fault has RIP at the instruction.
 */
import { decode } from '../../isa/decode.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { CODE, type Driver, isMapped, NAMES, type Outcome, type Situation, shown } from './driver.ts';

export interface Block {
  readonly line: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly before: Situation;
  readonly after: Outcome;
  /** Both sides of the arrow, as they are written. */
  readonly written: string;
  readonly ending: string;
}

const SIZES: Readonly<Record<string, number>> = { b: 1, w: 2, l: 4, q: 8 };
const TOKEN = /^(?:(\w+)|([bwlq])\[(0x[0-9a-f]{1,16})\])=(0x[0-9a-f]{1,16}|[0-9]{1,20})$/;

export interface SituationProblem {
  readonly problem: string;
}

/** Values by name and cells of memory; or `invalid value: rax=x`, `unknown name: rxa`, `invalid address: 0x0`. */
export function situationOf(text: string): Situation | SituationProblem {
  const state = new Map<string, bigint>();
  const memory = new Map<bigint, number>();
  for (const token of text.split(/\s+/).filter(Boolean)) {
    const [, name, size, at, value] = TOKEN.exec(token) ?? [];
    if (value === undefined) return { problem: `invalid value: ${token}` };
    if (name !== undefined) {
      if (!NAMES.includes(name)) return { problem: `unknown name: ${name}` };
      state.set(name, BigInt.asUintN(64, BigInt(value)));
      continue;
    }
    const bytes = BigInt(SIZES[size ?? 'q'] ?? 8);
    if (!isMapped(BigInt(at ?? 0), bytes)) return { problem: `invalid address: ${at}` };
    for (let n = 0n; n < bytes; n++)
      memory.set(BigInt(at ?? 0) + n, Number((BigInt(value) >> (8n * n)) & 0xffn));
  }
  return { state, memory };
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
export const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** The blocks of a file. Throws on a line that is none: the files are ours. */
export function parseBlocks(file: string): readonly Block[] {
  const situation = (text: string): Situation => {
    const found = situationOf(text);
    if ('problem' in found) throw new Error(found.problem);
    return found;
  };
  return file.split('\n').flatMap((text, n): Block[] => {
    if (text.trim() === '' || text.startsWith('#')) return [];
    const [bytes = '', assembly = '', line = ''] = text.split('|').map((part) => part.trim());
    const [before = '', ending = ''] = line.split('=>').map((part) => part.trim());
    const [, changes = '', event] = /^(.*?)\s*(#[A-Z]{2}.*|int \d+|stop: .*)?$/.exec(ending) ?? [];
    return [
      {
        line: n + 1,
        bytes: unhex(bytes),
        text: assembly,
        before: situation(before),
        after: { ...situation(changes), event },
        written: before,
        ending,
      },
    ];
  });
}

const FLAG_LETTERS: Readonly<Record<string, string>> = {
  O: 'of',
  S: 'sf',
  Z: 'zf',
  A: 'af',
  P: 'pf',
  C: 'cf',
};

/** Names of the flags a row leaves undefined. */
export const undefinedFlags = ({ row }: Instruction): readonly string[] =>
  [...row.flags.undefined].map((letter) => FLAG_LETTERS[letter] ?? letter);

/** Differences between what a block says and what the driver does, as lines; none if it agrees. */
export function runBlock(driver: Driver, { bytes, before, after }: Block): readonly string[] {
  const instruction = decode(bytes);
  if ('problem' in instruction) return [`invalid bytes: ${instruction.problem}`];
  const outcome = driver.run(bytes, before);
  const ignored = new Set(undefinedFlags(instruction));
  const differences: string[] = [];
  if (outcome.event !== after.event)
    differences.push(`event: expected ${after.event ?? 'none'}, got ${outcome.event ?? 'none'}`);
  const stays = after.event !== undefined && !after.event.startsWith('int');
  for (const [name, got] of outcome.state) {
    const next = stays ? CODE : CODE + BigInt(instruction.length);
    const expected =
      after.state.get(name) ??
      (name === 'rip' ? next : (before.state.get(name) ?? driver.standard.get(name)));
    if (got !== expected && (!ignored.has(name) || after.state.has(name)))
      differences.push(`${name}: expected ${shown(expected ?? 0n)}, got ${shown(got)}`);
  }
  for (const at of new Set([...outcome.memory.keys(), ...after.memory.keys()])) {
    const expected = after.memory.get(at) ?? before.memory.get(at) ?? 0;
    const got = outcome.memory.get(at) ?? before.memory.get(at) ?? 0;
    if (got !== expected) differences.push(`[${shown(at)}]: expected ${expected}, got ${got}`);
  }
  return differences;
}
