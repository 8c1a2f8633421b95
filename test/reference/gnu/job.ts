/**
 * Our assembler against GNU as, bytes for bytes, and our disassembler against objdump. The texts are those that
 * our printer makes of every row with random operands.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLines, differenceText } from '../../../src/cli/commands/asm-lines.ts';
import { decode } from '../../../src/isa/decode.ts';
import { print } from '../../../src/isa/print.ts';
import { alike } from '../alike.ts';
import { corpus } from '../corpus.ts';
import { giveUp, need } from '../tools.ts';
import { assembled, disassembled, version } from './binutils.ts';

const INSTRUCTIONS = 40_000;
const SHOWN = 100;
const AT = 0x10_0000n;

/** What GNU as refuses of what we print, and why that is no mistake of ours. */
const REFUSED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^(erets|eretu|lkgs|wrmsrns)\b/, 'newer than some versions of GNU as'],
  [/^bswap %(\w[xip]|r\d+w)$/, 'BSWAP of 16 bits is undefined'],
  [/^(movdir64b|enqcmds?) .*\(,%eiz,1\)/, 'a 32-bit address without registers, which it does not take here'],
  [/^mov[sz]ww /, 'has a name in objdump only'],
  [/^movsxd .*%\w+$/, 'another operand width on AMD'],
  [/^(l(jmp|call)q |l[fgs]s .*,%r(\w\w|\d+)$)/, 'AMD has no far pointer of 80 bits; GNU as wants -mintel64'],
  [/^(j\w+|loop\w*|call) \.[+-]/, 'a distance at the end of its range, from a longer encoding'],
];
/** What objdump says otherwise: `ours | objdump`. */
const KNOWN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^nop .*\| (bnd\w+|cldemote|prefetch\w+) /, 'a name for a hint, of MPX or newer'],
  [/^(lkgs|erets|eretu|wrmsrns) ?.*\| (\(bad\)|clac) /, 'newer than some versions of objdump'],
  [/^movsxd .*\| movsxd /, 'another operand width on AMD'],
  [/^[lms]fence .*\| \(bad\)/, 'ModRM.rm, which the processor ignores'],
  [/^fwait .*\| rex/, 'a prefix on its own'],
  [/^xchg %rax,%rax .*\| nop /, 'the same'],
];

/** Counts what a list explains, prints the rest; returns how many those are. */
function explained(lines: readonly string[], list: typeof KNOWN): number {
  const counts = new Map<string, number>();
  const rest: string[] = [];
  for (const line of lines) {
    const why = list.find(([pattern]) => pattern.test(line))?.[1];
    if (why === undefined) rest.push(line);
    else counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  for (const line of rest.slice(0, SHOWN)) console.log(line);
  for (const [why, count] of counts) console.log(`  not compared, ${why}: ${count}`);
  return rest.length;
}

function assembler(folder: string, codes: readonly Uint8Array[]): readonly [number, number] {
  const texts = new Set<string>();
  for (const code of codes) {
    const found = decode(code);
    if (!('problem' in found)) texts.add(print(found));
  }
  const lines = [...texts];
  const bytes = assembled(folder, lines);
  const rows = lines.flatMap((line, n) => (bytes[n] === undefined ? [] : [`${line}\t${bytes[n]}`]));
  const refused = lines.filter((_, n) => bytes[n] === undefined);
  const { passed, differences, problems } = checkLines('GNU as', rows.join('\n'));
  for (const problem of problems) console.log(problem);
  for (const one of differences.slice(0, SHOWN)) console.log(differenceText('GNU as', one));
  console.log(`${version('as')}: ${passed} lines with the same bytes, ${differences.length} with others`);
  return [
    passed,
    differences.length +
      problems.length +
      explained(
        refused.map((one) => `${one}`),
        REFUSED,
      ),
  ];
}

function disassembler(folder: string, codes: readonly Uint8Array[]): readonly [number, number] {
  const found = disassembled(folder, codes, AT);
  const clean = (text: string): string =>
    alike(
      text
        .replace(/^rex\.W\w* (ljmp|lcall)w? /, '$1q ')
        .replace(/\s+#.*$/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    );
  const different: string[] = [];
  let same = 0;
  codes.forEach((code, n) => {
    const mine = decode(code);
    const other = found[n];
    const ours =
      'problem' in mine ? '(bad)' : `${clean(print(mine, AT + 16n * BigInt(n)))} (${mine.length} bytes)`;
    const theirs = other ? `${clean(other.text)} (${other.length} bytes)` : '(bad)';
    if (ours === theirs || ('problem' in mine && theirs.startsWith('(bad)'))) same++;
    else different.push(`${ours} | ${theirs} ${Buffer.from(code).toString('hex')}`);
  });
  console.log(`${version('objdump')}: ${same} instructions alike`);
  return [same, explained(different, KNOWN)];
}

const folder = mkdtempSync(join(tmpdir(), 'gnu-'));
try {
  need('as', 'binutils');
  const codes = [...corpus(INSTRUCTIONS, 5, false)];
  const [one, two] = [assembler(folder, codes), disassembler(folder, codes)];
  const failed = one[1] + two[1];
  console.log(`${one[0] + two[0]} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
} catch (reason) {
  giveUp(reason);
} finally {
  rmSync(folder, { recursive: true });
}
