/** What an image tells about the text it was made from. */
import { expect, test } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { listing } from '../../src/asm/listing.ts';
import { lineAt, symbolize } from '../../src/image/image.ts';
import type { CodeLine } from '../../src/scenario/timeline.ts';
import { sections } from './gnu.ts';
import { build, bytesOf, cell, problemsOf } from './pages.ts';

const TEXT = 0xffffffff81000000n;

test('a symbol has its address, its sentence, and whether it is a checkpoint', () => {
  const { image } = build(
    'nop\n.globl entry\nentry: # The stub begins.\nnop\nlocal: ret # not a sentence of its own\n.Lx: 1: nop',
  );
  expect(image.symbols).toEqual([
    { name: 'entry', address: TEXT + 1n, size: 1, global: true, comment: 'The stub begins.' },
    { name: 'local', address: TEXT + 2n, size: 2, global: false, comment: 'not a sentence of its own' },
  ]);
});

test('lines of comment right above a label are its sentence, unless it carries one itself', () => {
  const { image } = build(
    'nop # no\n# Two lines\n# of it.\na: nop\n# above\nb: # beside\nnop\n# far\nnop\nc: nop',
  );
  expect(image.symbols.map(({ comment }) => comment)).toEqual(['Two lines of it.', 'beside', '']);
});

test('a symbol ends at the next one of its section; what alignment adds at the end belongs to none', () => {
  const { image } = build('a: nop; .Lx: nop\n.balign 8\nb: nop\n.balign 16\n.data\nc: .quad 0');
  expect(image.symbols.map(({ name, size }) => [name, size])).toEqual([
    ['a', 8],
    ['b', 1],
    ['c', 8],
  ]);
  expect(image.segments.map(({ bytes }) => bytes.length)).toEqual([16, 8]);
  expect(symbolize(image, TEXT + 9n)).toBe(`0x${(TEXT + 9n).toString(16)}`);
});

test('.size has the last word', () => {
  const { image } = build('a: nop\nb: nop\n.size a, .-a');
  expect(image.symbols.map(({ name, size }) => [name, size])).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});

test('of names for one address the checkpoint is the last and best', () => {
  const { image } = build('.globl a\na: b: nop');
  expect(image.symbols.map(({ name, size }) => [name, size])).toEqual([
    ['b', 1],
    ['a', 1],
  ]);
  expect(symbolize(image, TEXT)).toBe('a+0x0/0x1');
});

test('names for numbers are no symbols, names for addresses are', () => {
  const { image } = build('.set size, b-a\n.set here, a+1\na: nop; nop\nb: ret');
  expect(image.symbols.map(({ name }) => name)).toEqual(['a', 'here', 'b']);
});

test('a segment has the rights of its section', () => {
  const { image } = build('.section .user\nnop\n.data\n.byte 1\n.text');
  expect(image.segments.map(({ bytes, ...rest }) => ({ ...rest, length: bytes.length }))).toEqual([
    { name: '.user', address: 0x400000n, writable: false, executable: true, user: true, length: 1 },
    {
      name: '.data',
      address: 0xffffffff82000000n,
      writable: true,
      executable: false,
      user: false,
      length: 1,
    },
  ]);
});

test('every statement with bytes is a line: its text, its comment, its place', () => {
  const { image } = build(
    '  pushq   $0x10*2 # for later\n  .set x, 1; .byte  "#"[0]'.replace('"#"[0]', "'#'") +
      '\nrep; movsb # copy',
  );
  expect(image.lines).toEqual([
    {
      address: TEXT,
      length: 2,
      text: 'pushq $0x10*2',
      comment: 'for later',
      origins: [{ page: 'page.mdx', line: 10, column: 3 }],
    },
    {
      address: TEXT + 2n,
      length: 1,
      text: ".byte '#'",
      comment: '',
      origins: [{ page: 'page.mdx', line: 11, column: 14 }],
    },
    {
      address: TEXT + 3n,
      length: 2,
      text: 'rep movsb',
      comment: 'copy',
      origins: [{ page: 'page.mdx', line: 12, column: 6 }],
    },
  ]);
});

test('a line from a repeat in a macro in an included block has all its origins', () => {
  const text =
    '.macro save reg, count\n.rept \\count\n    pushq %\\reg # keep \\reg\n.endr\n.endm\n .include "other.mdx#block"';
  const { image, problems } = build(text, [cell('nop\n  save rax, 2', 'block', 40, 'other.mdx')]);
  expect(problems).toEqual([]);
  expect(image.lines.map(({ text: shown, comment }) => [shown, comment])).toEqual([
    ['nop', ''],
    ['pushq %rax', 'keep rax'],
    ['pushq %rax', 'keep rax'],
  ]);
  expect(lineAt(image, TEXT + 2n)?.origins).toEqual([
    { page: 'page.mdx', line: 12, column: 5 },
    { page: 'page.mdx', line: 11, column: 1 },
    { page: 'other.mdx', line: 41, column: 3 },
    { page: 'page.mdx', line: 15, column: 2 },
  ]);
});

test('columns stay those of the page behind an argument of another length', () => {
  const text = '.macro m a\n  movq $\\a, %rax; movq $\\a, nowhere1(%rip)\n.endm\n m 0x11223344';
  expect(problemsOf(text)).toEqual(['page.mdx:11:29: unknown symbol: nowhere1\npage.mdx:13:2: used here']);
});

test('sources follow each other as one text', () => {
  const { image, problems } = assemble([cell('.data\na: .byte b-a', 'one'), cell('b: .byte 7', 'two', 30)], {
    sections,
  });
  expect(problems).toEqual([]);
  expect(Buffer.from(image.segments[0]?.bytes ?? []).toString('hex')).toBe('0107');
});

test('arguments put in may hold several statements', () => {
  expect(bytesOf('.macro m body\n\\body\n.endm\nm "nop; ret"')).toBe('90c3');
});

test('numbers from outside are known at once, in .if too', () => {
  expect(bytesOf('.if KERNEL_CS == 16\npushq $KERNEL_CS\n.endif\n.ifdef OTHER\nnop\n.endif')).toBe('6a10');
});

test('a section that holds more than its place stops there', () => {
  const { image } = build('.section .user\n.zero 4095\nnop\nlast: nop\nbeyond: nop');
  expect(image.segments[0]?.bytes.length).toBe(4096);
  expect(image.lines).toHaveLength(2);
  expect(image.symbols.map(({ name }) => name)).toEqual(['last']);
});

/** Rows as one would print them. */
const shown = (text: string, others: Parameters<typeof build>[1] = []) => {
  const { image, problems } = build(text, others);
  expect(problems).toEqual([]);
  return listing([cell(text)], image).map(({ kind, text: code, comment, address, block, line, depth }) =>
    [
      `${block}:${line}`,
      kind,
      address === undefined ? '-' : `+${address - TEXT}`,
      '> '.repeat(depth) + `${code}${comment && ` # ${comment}`}`.trim(),
    ].join(' '),
  );
};

test('a listing shows a use as written and what it became under it', () => {
  const text = `# Enter.
.globl entry
entry: # first
1: pushq $0 # zero
.rept 2 # twice
  pushq %rax # copy
.endr
.macro leave_it how
  nop # \\how
2: ret
.endm
  leave_it fast # go
  .if 0
  cld
  .else
  std; nop # two
  .endif
  .byte 1`;
  expect(shown(text)).toEqual([
    'cell:10 directive - # Enter.',
    'cell:11 directive - .globl entry',
    'cell:12 label - entry: # first',
    'cell:13 label - 1:',
    'cell:13 instruction +0 pushq $0 # zero',
    'cell:14 directive - .rept 2 # twice',
    'cell:15 directive - pushq %rax # copy',
    'cell:16 directive - .endr',
    'cell:15 instruction +2 > pushq %rax # copy',
    'cell:15 instruction +3 > pushq %rax # copy',
    'cell:17 directive - .macro leave_it how',
    'cell:18 directive - nop # \\how',
    'cell:19 directive - 2: ret',
    'cell:20 directive - .endm',
    'cell:21 directive - leave_it fast # go',
    'cell:18 instruction +4 > nop # fast',
    'cell:19 label - > 2:',
    'cell:19 instruction +5 > ret',
    'cell:22 directive - .if 0',
    'cell:24 directive - .else',
    'cell:25 instruction +6 std',
    'cell:25 instruction +7 nop # two',
    'cell:26 directive - .endif',
    'cell:27 directive +8 .byte 1',
  ]);
});

test('a listing shows an included block under its include', () => {
  const text = '.include "other.mdx#block"\nret';
  expect(shown(text, [cell('# Why.\nb: nop', 'block', 40, 'other.mdx')])).toEqual([
    'cell:10 directive - .include "other.mdx#block"',
    'block:40 directive - > # Why.',
    'block:41 label - > b:',
    'block:41 instruction +0 > nop',
    'cell:11 instruction +1 ret',
  ]);
});

test('without an image a listing is the bare text', () => {
  // The rows are what a timeline shows.
  const rows: readonly CodeLine[] = listing([
    cell('entry: # first\n  nop; cld # two\n.set a, 1; b = 2\n\n# note'),
  ]);
  expect(rows.map(({ kind, text, comment, address, line }) => [kind, text, comment, address, line])).toEqual([
    ['label', 'entry:', 'first', undefined, 10],
    ['instruction', 'nop', '', undefined, 11],
    ['instruction', 'cld', 'two', undefined, 11],
    ['directive', '.set a, 1', '', undefined, 12],
    ['directive', 'b = 2', '', undefined, 12],
    ['directive', '', 'note', undefined, 14],
  ]);
});

test('a listing holds only what its sources hold', () => {
  const [one, two] = [cell('nop', 'one'), cell('ret', 'two', 30)];
  const { image } = assemble([one, two], { sections });
  expect(listing([two], image).map(({ text }) => text)).toEqual(['ret']);
});
