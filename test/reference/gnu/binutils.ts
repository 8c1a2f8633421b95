/** What GNU as and objdump make of instructions. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const version = (program: string): string =>
  execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? program;

/** Bytes of each line in hexadecimal; undefined for a line that GNU as refuses. */
export function assembled(folder: string, lines: readonly string[]): readonly (string | undefined)[] {
  const source = join(folder, 'lines.s');
  const listing = join(folder, 'lines.txt');
  const refused = new Set<number>();
  // Every refused line is told at once; without them the rest is assembled.
  for (let attempt = 0; attempt < 3; attempt++) {
    writeFileSync(source, `${lines.map((line, n) => (refused.has(n) ? '' : line)).join('\n')}\n`);
    const given = ['--64', `-aln=${listing}`, '--listing-lhs-width=8', '-o', join(folder, 'lines.o'), source];
    const { status, stderr } = spawnSync('as', given, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status === 0) break;
    for (const [, line] of stderr.matchAll(/^[^\n:]*:(\d+): Error/gm)) refused.add(Number(line) - 1);
  }
  const found = new Map<number, string>();
  for (const [, line, bytes] of readFileSync(listing, 'latin1').matchAll(
    /^ *(\d+) [\da-f]{4,} ((?:[\dA-F]+ ?)+?) *\t/gm,
  ))
    found.set(Number(line) - 1, (bytes ?? '').replaceAll(' ', '').toLowerCase());
  return lines.map((_, n) => (refused.has(n) ? undefined : found.get(n)));
}

export interface Disassembled {
  readonly length: number;
  readonly text: string;
}

const SLOT = 16;

/** What objdump says at the start of each instruction; they lie 16 bytes apart, from `at` on. */
export function disassembled(
  folder: string,
  codes: readonly Uint8Array[],
  at: bigint,
): readonly (Disassembled | undefined)[] {
  const image = Buffer.alloc(codes.length * SLOT, 0x90);
  for (const [n, code] of codes.entries()) image.set(code, n * SLOT);
  const file = join(folder, 'code.bin');
  writeFileSync(file, image);
  const given = ['-D', '-b', 'binary', '-m', 'i386:x86-64', '--insn-width=16', `--adjust-vma=${at}`, file];
  const text = execFileSync('objdump', given, { encoding: 'utf8', maxBuffer: 1 << 29 });
  const found: (Disassembled | undefined)[] = codes.map(() => undefined);
  for (const [, address, bytes, line] of text.matchAll(/^ *([\da-f]+):\t((?:[\da-f]{2} )+) *\t(.*)$/gm)) {
    const offset = BigInt(`0x${address}`) - at;
    if (offset % BigInt(SLOT) !== 0n) continue;
    found[Number(offset) / SLOT] = { length: (bytes ?? '').trim().split(' ').length, text: line ?? '' };
  }
  return found;
}
