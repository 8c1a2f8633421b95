/**
 * Our decoder and printer on the text of Debian's kernels: every instruction has a row or is refused by name, and
 * reads as objdump has it. The kernels are fetched for the job and thrown away; only counts are printed, and of
 * what differs the instruction.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decode } from '../../../src/isa/decode.ts';
import { print } from '../../../src/isa/print.ts';
import { REFUSED } from '../../../src/isa/table/refused.ts';
import { alike } from '../alike.ts';
import { version } from '../gnu/binutils.ts';
import { giveUp, need } from '../tools.ts';
import { kernels, unpackKernel } from './debian.ts';

/** Sections that hold instructions. */
const SECTIONS = ['.text', '.init.text', '.exit.text', '.altinstr_aux', '.altinstr_replacement'];
const SHOWN = 50;

/** What objdump says otherwise: `ours | objdump`. */
const KNOWN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^(lkgs|erets|eretu|wrmsrns)\b.*\| \(bad\)/, 'newer than some versions of objdump'],
  [/^fwait \(1 bytes\) \| f/, 'objdump takes FWAIT for a part of the next instruction'],
];

interface Counts {
  instructions: number;
  readonly seen: Set<string>;
  alike: number;
  /** Neither a row nor a refusal. */
  unknown: number;
  readonly refused: Map<string, number>;
  readonly explained: Map<string, number>;
  different: number;
}

const raise = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};

const clean = (text: string): string =>
  alike(
    text
      .replace(/\s+#.*$/, '')
      .replace(/ <.*>$/, '')
      .replace(/\b0x(?=[\da-f]+$)/, '')
      .replace(/\s+/g, ' ')
      .trim(),
  );

/** One line of objdump: address, bytes, text. */
const LINE = /^\s*([\da-f]+):\t((?:[\da-f]{2} )+)\s*\t?(.*)$/;

/** Each distinct string of bytes is compared once, with the text of its first place. */
function judge(counts: Counts, address: string, hex: string, theirs: string): void {
  counts.instructions++;
  if (counts.seen.has(hex)) return;
  counts.seen.add(hex);
  const bytes = Buffer.from(hex, 'hex');
  const found = decode(bytes);
  const bad = theirs.includes('(bad)');
  const other = `${bad ? '(bad)' : clean(theirs)} (${bytes.length} bytes)`;
  if ('problem' in found) {
    // What objdump does not know it cuts short.
    if (bad) return;
    counts.unknown++;
    report(counts, `(${found.problem}) | ${other}`, hex);
    return;
  }
  const { row, length } = found;
  if (REFUSED.includes(row)) raise(counts.refused, row.mnemonic);
  const text = row.mnemonic.startsWith('(') ? row.mnemonic : clean(print(found, BigInt(`0x${address}`)));
  const same = text === clean(theirs) || row.mnemonic.startsWith('(');
  if (same && length === bytes.length) counts.alike++;
  else report(counts, `${text} (${length} bytes) | ${other}`, hex);
}

function report(counts: Counts, line: string, hex: string): void {
  const why = KNOWN.find(([pattern]) => pattern.test(line))?.[1];
  if (why !== undefined) raise(counts.explained, why);
  else if (counts.different++ < SHOWN) console.log(`${hex}: ours ${line} objdump`);
}

async function compare(file: string): Promise<Counts> {
  const counts: Counts = {
    instructions: 0,
    seen: new Set(),
    alike: 0,
    unknown: 0,
    refused: new Map(),
    explained: new Map(),
    different: 0,
  };
  const given = ['-d', '--insn-width=15', ...SECTIONS.flatMap((section) => ['-j', section]), file];
  const objdump = spawn('objdump', given, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: objdump.stdout })) {
    const [, address = '', bytes = '', text = ''] = LINE.exec(line) ?? [];
    if (address !== '') judge(counts, address, bytes.replaceAll(' ', ''), text);
  }
  return counts;
}

async function run(folder: string): Promise<boolean> {
  need('objdump', 'binutils');
  let [passed, failed] = [0, 0];
  for (const { name, image } of kernels(folder)) {
    const file = join(folder, 'vmlinux');
    unpackKernel(image, file);
    const counts = await compare(file);
    if (counts.instructions < 1_000_000)
      throw new Error(`too few instructions: ${name} ${counts.instructions}`);
    const refusals = [...counts.refused.values()].reduce((sum, count) => sum + count, 0);
    console.log(
      `${name}: ${counts.instructions} instructions, ${counts.seen.size} distinct, ${counts.unknown} of them unknown, ${refusals} refused by name`,
    );
    for (const [why, count] of counts.explained) console.log(`  not compared, ${why}: ${count}`);
    passed += counts.alike;
    failed += counts.different;
  }
  console.log(`compared: length and text, with ${version('objdump')}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

const folder = mkdtempSync(join(tmpdir(), 'kernel-'));
try {
  process.exitCode = (await run(folder)) ? 0 : 1;
} catch (reason) {
  giveUp(reason);
} finally {
  rmSync(folder, { recursive: true });
}
