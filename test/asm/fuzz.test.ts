/**
 * Whatever a text holds: no throw, no hang, and every problem has a place on a page. ENTRYLAB_FUZZ=100000 assembles so
 * many texts, a quarter of each kind.
 */
import { expect, test } from 'vitest';
import { listing } from '../../src/asm/listing.ts';
import { mnemonics } from '../../src/isa/encode.ts';
import { readCases } from './gnu.ts';
import { build, cell } from './pages.ts';
import { type Random, random } from './random.ts';

/** Of each kind. */
const TEXTS = Math.ceil(Number(process.env.ENTRYLAB_FUZZ ?? 6000) / 4);

const TOKENS = [
  '\n',
  '\n',
  '\n',
  ';',
  ' ',
  '"',
  "'",
  '\\',
  '\\a',
  '\\@',
  '\\()',
  '(',
  ')',
  '$',
  '%',
  ',',
  '*',
  '+',
  '-',
  '<<',
  '&',
  '/',
  '=',
  ':',
  '/*',
  '*/',
  '#',
  '//',
  '\0',
  '\t',
  'é',
  '\u2028',
  '.macro m a, b=1, c:req, d:vararg\n',
  '.macro m\n',
  '.endm\n',
  '.rept 3\n',
  '.rept 300\n',
  '.endr\n',
  '.irp x, 1,2\n',
  '.irpc q,ab\n',
  '\\x',
  '.if 1\n',
  '.if',
  '.else\n',
  '.elseif 0\n',
  '.endif\n',
  'm 1\n',
  'm',
  '.exitm\n',
  '.include "other.mdx#block"\n',
  '.include "#block"\n',
  '.set a, a+b\n',
  '.set b, a-1\n',
  'a',
  'b',
  '1:',
  '1b',
  '1f',
  'jmp 1f\n',
  'jmp a\n',
  'a:',
  '.',
  '.-a',
  '%rax',
  '%gs:',
  '(%rax,%rbx,4)',
  '.zero ',
  '.skip a-b\n',
  '.balign 64\n',
  '.p2align 30\n',
  '.byte ',
  '.quad ',
  '.ascii "x"\n',
  '.text\n',
  '.data\n',
  '.section .foo\n',
  '.pushsection .data\n',
  '.popsection\n',
  '.previous\n',
  '0x',
  '0b1',
  '9',
  '99999999999999999999',
  'constructor',
  '__proto__',
  '.globl a\n',
  '.size a, .-a\n',
  'rep ',
  'lock ',
  'nop\n',
  'movq ',
  'addl ',
  'pushq ',
  '.purgem m\n',
  '.end\n',
  '.fill 9,8,9\n',
  '.set x, y+y\n',
  '.set y, x+x\n',
  '.skip 1f-1b\n',
];

const SEEDS = readCases().map(({ source }) => source.join('\n'));

/** What a message would show of a value that is none. */
const SLIPS = /undefined|NaN|\[object/;

const soup = ({ int, pick }: Random): string => Array.from({ length: int(80) }, () => pick(TOKENS)).join('');

const noise = ({ int }: Random): string =>
  Array.from({ length: int(200) }, () => String.fromCharCode(int(8) > 0 ? 32 + int(96) : int(256))).join('');

/** A text that is right, with a few characters lost, doubled, replaced or put in. */
function mutant({ int, pick }: Random): string {
  let text = pick(SEEDS);
  for (let n = 1 + int(8); n > 0; n--) {
    const at = int(text.length + 1);
    const put = pick([
      () => '',
      () => pick(TOKENS),
      () => text.slice(at, at + int(60)),
      () => String.fromCharCode(int(128)),
    ])();
    text = text.slice(0, at) + put + text.slice(at + (int(2) === 0 ? int(12) : 0));
  }
  return text;
}

const REGISTERS = [
  'rax',
  'eax',
  'ax',
  'al',
  'ah',
  'r12',
  'r9d',
  'rsp',
  'ebp',
  'spl',
  'rip',
  'eip',
  'cr3',
  'dr7',
  'fs',
  'gs',
  'dx',
  'eiz',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '0x7f',
  '0x80',
  '-0x81',
  '0xffff',
  '0x7fffffff',
  '0x80000000',
  '0x123456789',
  '1<<63',
  '-(1<<63)',
  '999999999999999999999',
];
const ADDRESS_PARTS = ['%rax', '%rsp', '%r13', '%eax', '%rip', '%ax', '', '%xmm0'];

/** One instruction with operands that may suit it. */
function instruction({ int, pick }: Random): string {
  const address = (): string =>
    `${pick(['', '%gs:', '%fs:', '%es:'])}${pick([...NUMBERS, '', 'sym'])}(${pick(ADDRESS_PARTS)},${pick(ADDRESS_PARTS)},${pick([1, 2, 3, 8])})`;
  const operand = (): string =>
    pick([
      () => `%${pick(REGISTERS)}`,
      () => `$${pick([...NUMBERS, 'sym'])}`,
      address,
      () => pick(NUMBERS),
      () => `*${address()}`,
    ])();
  const operands = Array.from({ length: int(4) }, operand).join(', ');
  const prefix =
    int(4) === 0
      ? `${pick(['rep', 'repne', 'lock', 'addr32', 'data16', 'bnd', 'notrack', 'cs', 'gs'])} `
      : '';
  return `${prefix}${pick(mnemonics)} ${operands}`;
}

const OTHERS = [
  cell('inner: nop # here\n.include "page.mdx#block"', 'block', 100, 'other.mdx'),
  cell('m 1\n.include "other.mdx#block"', 'block', 200),
];

test.each([
  ['token soup', soup],
  ['noise', noise],
  ['mutated programs', mutant],
  ['instructions', instruction],
])(`${TEXTS} times %s`, { timeout: 3_600_000 }, (_, make) => {
  for (let seed = 1; seed <= TEXTS; seed++) {
    const text = make(random(seed));
    const why = `seed ${seed}: ${JSON.stringify(text)}`;
    const { image, problems } = build(text, OTHERS);
    for (const { page, line, column, message } of problems) {
      expect(['page.mdx', 'other.mdx'], why).toContain(page);
      expect(Number.isInteger(line) && line > 0 && Number.isInteger(column) && column > 0, why).toBe(true);
      expect(message, why).toMatch(/^\S.*\S$/);
      // Unless the text itself holds such a word.
      if (!SLIPS.test(text)) expect(message, why).not.toMatch(SLIPS);
    }
    let end = 0n;
    for (const { address, length, origins } of image.lines) {
      // Lines neither overlap nor lie outside of a segment.
      expect(address >= end && length > 0 && origins.length > 0, why).toBe(true);
      end = address + BigInt(length);
      const holds = image.segments.some(
        (one) => address >= one.address && end <= one.address + BigInt(one.bytes.length),
      );
      expect(holds, why).toBe(true);
    }
    listing([cell(text)], image);
  }
});
