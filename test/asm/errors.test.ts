import { expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { build, cell, problemsOf } from './pages.ts';

/** A text, and what is wrong with it; the text starts on line 10. */
const cases: readonly (readonly [text: string, ...problems: string[]])[] = [
  ['  movqq %rax, %rbx', '10:3: unknown mnemonic: movqq (did you mean movq?)'],
  ['xyzzy', '10:1: unknown mnemonic: xyzzy'],
  ['lock  iretqq', '10:7: unknown mnemonic: iretqq (did you mean iretq?)'],
  ['.macro save\nnop\n.endm\nsav', '13:1: unknown mnemonic: sav (did you mean save?)'],
  ['.balgin 8', '10:1: unknown directive: .balgin (did you mean .balign?)'],
  ['nop\nentry: nop\nentry: nop', '12:1: duplicate label: entry (first at page.mdx:11)'],
  ['KERNEL_CS: nop', '10:1: duplicate label: KERNEL_CS (known from outside)'],
  ['a: .set a, 5', '10:9: duplicate symbol: a (first at page.mdx:10)'],
  ['.equiv a, 1\n.equiv a, 2', '11:8: duplicate symbol: a (first at page.mdx:10)'],
  ['  jmp foo', '10:7: unknown symbol: foo'],
  ['movq $1+foo, bar(%rip)', '10:9: unknown symbol: foo'],
  ['jmp 1f\n2: jmp 1b', '10:5: unknown symbol: 1f', '11:8: unknown symbol: 1b'],
  ['.quad a, b', '10:7: unknown symbol: a'],
  ['.globl a, entry', '10:8: unknown symbol: a', '10:11: unknown symbol: entry'],
  ['.set a, b\n.quad a', '11:7: unknown symbol: b'],
  ['.set a, b\n.set b, a\n.quad a', '12:7: invalid expression: a symbol is defined by itself'],
  ['.quad (1+2', '10:11: missing )'],
  ['movq 8(%rsp, %rax', '10:18: missing )'],
  ['.quad 1 +', '10:10: missing expression'],
  ['.quad 1,', '10:9: missing expression'],
  ['.quad @', '10:7: invalid expression: @'],
  ['.quad 1 2', '10:9: unexpected text: 2'],
  ['.quad 5/(1-1)', '10:8: invalid expression: division by zero'],
  ['a: .quad a*2', '10:11: invalid expression: * of an address'],
  ['a: .quad -a', '10:10: invalid expression: - of an address'],
  ['.quad 1<<2+1', '10:7: ambiguous expression: 1<<2+1 (C and GNU as group it differently, add parentheses)'],
  ['.quad 0x', '10:7: invalid number: 0x'],
  ['.quad 12ab', '10:7: invalid number: 12ab'],
  ['.quad 089', '10:7: invalid number: 089'],
  ['.quad 0x10000000000000000', '10:7: invalid number: 0x10000000000000000 (over 64 bits)'],
  ['.byte 256, -129', '10:7: invalid value: 256 (over 8 bits)'],
  ['a: .word a', '10:10: invalid value: -2130706432 (over 16 bits)'],
  [".byte '", '10:7: invalid character constant'],
  ['.ascii "a\\q"', '10:10: unknown escape: \\q'],
  ['.ascii "abc', '10:8: missing "'],
  ['.ascii abc', '10:8: missing string'],
  ['nop /* open', '10:5: missing */'],
  ['/* one */ nop\n/* two\nnop', '11:1: missing */'],
  ['movq %rax,', '10:11: missing operand'],
  ['movq ,%rax', '10:6: missing operand'],
  ['movq %, %rax', '10:6: missing register after %'],
  ['movq %ds:8, %rax', '10:6: invalid segment: %ds (only %fs and %gs have a base in 64-bit mode)'],
  ['movq (%rax,%rbx,3), %rax', '10:17: invalid scale: 3 (1, 2, 4 or 8)'],
  ['movq (%rax,%rbx,), %rax', '10:17: missing scale'],
  ['movq (,), %rax', '10:8: missing register'],
  ['jmp **%rax', '10:6: invalid operand: *%rax'],
  ['%rax', '10:1: invalid statement: %rax'],
  ['rep\nret: nop', '10:1: missing instruction after rep'],
  ['nop; lock', '10:6: missing instruction after lock'],
  [
    '.section .nowhere\nnop\nmovqq',
    '10:10: unknown section: .nowhere',
    '12:1: unknown mnemonic: movqq (did you mean movq?)',
  ],
  ['.section', '10:9: missing name of a section'],
  ['.popsection', '10:1: .popsection without .pushsection'],
  ['.section .user\n.zero 4000\n.zero 97', '12:1: section .user is full: 4096 bytes'],
  ['.zero -1', '10:7: invalid count: -1'],
  ['.balign 3', '10:9: invalid alignment: 3 (a power of two)'],
  ['.p2align 99', '10:10: invalid alignment: 2^99'],
  ['a: .skip (b-a < 10) * -20\nb:', '10:4: invalid count: it hangs on its own length'],
  ['.set 5, 5', '10:6: missing name of a symbol'],
  ['.set a 5', '10:8: missing ,'],
  ['. = 5', '10:1: invalid symbol: . (its value cannot be set)'],
  ['a: .size a, b', '10:13: unknown symbol: b'],
  ['.error "this block needs a frame"', '10:1: this block needs a frame'],
  ['.rept a-b\nnop\n.endr\na:nop;b:', '10:7: invalid expression: a-b (its value must be known here)'],
  ['.rept -1\nnop\n.endr', '10:1: invalid count: -1 (0 to 100000)'],
  ['.rept 100001\nnop\n.endr', '10:1: invalid count: 100001 (0 to 100000)'],
  ['nop\n  .rept 2\nnop', '11:3: missing .endr'],
  ['.macro m\nnop', '10:1: missing .endm'],
  ['.endr', '10:1: .endr without .rept'],
  ['.endm', '10:1: .endm without .macro'],
  ['.exitm', '10:1: .exitm outside of a macro'],
  ['.if 1\nnop', '10:1: missing .endif'],
  ['.else', '10:1: .else without .if'],
  ['.endif', '10:1: .endif without .if'],
  ['.macro m\n.endif\n.endm\n.if 1\nm\n.endif', '11:1: .endif without .if\npage.mdx:14:1: used here'],
  ['.if 1\n.else\n.else\n.endif', '12:1: .else after .else'],
  ['.if nothing\n.endif', '10:5: invalid expression: nothing (its value must be known here)'],
  ['.purgem m', '10:1: unknown macro: m'],
  ['.macro m\n.endm\n.macro m\nmovqq\n.endm', '12:8: duplicate macro: m'],
  ['.macro\nmovqq\n.endm', '10:7: missing name of a macro'],
  ['.macro m 5\n.endm', '10:10: invalid parameter: 5'],
  ['.macro m a, a\n.endm', '10:13: duplicate parameter: a'],
  ['.macro m a:opt\n.endm', '10:10: invalid parameter: a:opt (req or vararg)'],
  ['.macro m a:vararg, b\n.endm', '10:20: invalid parameter: b (nothing follows a vararg)'],
  ['.macro m a:req\n.endm\n m', '12:2: missing argument: a of macro m'],
  ['.macro m a\n.endm\nm 1, 2', '12:6: too many arguments: macro m takes 1'],
  ['.macro m a\n.endm\nm b=2', '12:3: unknown parameter: b of macro m'],
  ['.macro m a, b\n.endm\nm a=1, 2', '12:8: invalid argument: one without a name follows one with a name'],
  ['.include "page.mdx#none"', '10:10: unknown block: page.mdx#none'],
  ['.include page', '10:10: missing string'],
  ['jmp %rax', '10:5: missing * before the operand of an indirect jmp'],
  ['call 8(%rax)', '10:6: missing * before the operand of an indirect call'],
  ['jrcxz far\n.skip 200\nfar:', '10:7: invalid target: 0xc8 does not fit 8 bits'],
  // The encoder's own sentences, at the operand they are about.
  ['movl %rax, %ebx', '10:1: invalid operands: movl does not take %rax, %ebx'],
];

test.each(cases)('%s', (text, ...problems) => {
  expect(problemsOf(text)).toEqual(problems.map((one) => `page.mdx:${one}`));
});

test('all mistakes of a text are told at once, in its order', () => {
  const text = 'jmp nowhere\nmovqq %rax\nentry: .quad 1 +\nentry: nop\n.foo';
  expect(problemsOf(text)).toEqual([
    'page.mdx:10:5: unknown symbol: nowhere',
    'page.mdx:11:1: unknown mnemonic: movqq (did you mean movq?)',
    'page.mdx:12:17: missing expression',
    'page.mdx:13:1: duplicate label: entry (first at page.mdx:12)',
    'page.mdx:14:1: unknown directive: .foo',
  ]);
});

test('what made sense is in the image all the same', () => {
  const { image } = build('nop\nmovqq\na: ret');
  expect(Buffer.from(image.segments[0]?.bytes ?? []).toString('hex')).toBe('90c3');
  expect(image.symbols.map(({ name }) => name)).toEqual(['a']);
});

test('a mistake in a macro names the line of the macro and every use', () => {
  const text = '.macro inner x\n  movq \\x, %rbx\n.endm\n.macro outer\n  inner $nowhere\n.endm\n  outer; nop';
  expect(problemsOf(text)).toEqual([
    'page.mdx:11:8: unknown symbol: nowhere\npage.mdx:14:3: used here\npage.mdx:16:3: used here',
  ]);
});

test('a mistake in an included block names the block and the include', () => {
  const other = cell('nop\n  movqq %rax', 'block', 3, 'other.mdx');
  expect(problemsOf('nop\n .include "other.mdx#block"', [other])).toEqual([
    'other.mdx:4:3: unknown mnemonic: movqq (did you mean movq?)\npage.mdx:11:2: used here',
  ]);
});

test('an include of itself is endless', () => {
  const a = cell('.include "other.mdx#b"', 'a', 3, 'other.mdx');
  const b = cell('nop\n.include "#a"', 'b', 8, 'other.mdx');
  expect(problemsOf('.include "other.mdx#a"', [a, b])).toEqual([
    'other.mdx:9:10: endless include: #a\nother.mdx:3:1: used here\npage.mdx:10:1: used here',
  ]);
});

test('a macro that calls itself without end stops at depth 100', () => {
  const [problem] = build('.macro m\nm\n.endm\nm').problems;
  expect(problem?.message).toBe('macro depth over 100: m');
  expect(problem?.via).toHaveLength(100);
});

test('names within names end somewhere', () => {
  const chain = Array.from({ length: 12_000 }, (_, n) => `.set s${n}, s${n + 1}+s${n + 1}`).join('\n');
  expect(problemsOf(`.quad s0\n${chain}`)).toEqual(['page.mdx:10:7: invalid expression: nested too deeply']);
});

test('a gap of any size in a section that goes nowhere costs nothing', () => {
  expect(problemsOf('.section .nowhere\n.zero 1<<62')).toEqual(['page.mdx:10:10: unknown section: .nowhere']);
});

test('a repeated block says what is wrong once', () => {
  expect(problemsOf('.rept 50\nmovqq\n.endr')).toHaveLength(1);
});

test('at most a hundred problems are told', () => {
  expect(problemsOf(Array.from({ length: 500 }, () => 'movqq').join('\n'))).toHaveLength(100);
});

test('problems of included blocks stand where the include does', () => {
  const other = cell('movqq', 'block', 3, 'other.mdx');
  const { problems } = build('xyzzy\n.include "other.mdx#block"\nxyzzy', [other]);
  expect(problems.map(problemText).map((text) => text.split(': ')[0])).toEqual([
    'page.mdx:10:1',
    'other.mdx:3:1',
    'page.mdx:12:1',
  ]);
});

test('behind a section that is much too full nothing more is read', () => {
  const full = 'page.mdx:12:1: section .user is full: 4096 bytes\npage.mdx:11:1: used here';
  expect(problemsOf('.section .user\n.rept 90000\nnop\n.endr\nmovqq')).toEqual([full]);
  // A little too long: the rest is read, and has its own mistakes.
  expect(problemsOf('.section .user\n.rept 4097\nnop\n.endr\nmovqq')).toEqual([
    full,
    'page.mdx:14:1: unknown mnemonic: movqq (did you mean movq?)',
  ]);
});

test('text that expands too far is stopped', () => {
  const rounds = problemsOf('.rept 100000\n.rept 100000\n.endr\n.endr');
  expect(rounds).toEqual([
    'page.mdx:11:1: text expands too far: over 100000 statements\npage.mdx:10:1: used here',
  ]);
  const twice = problemsOf('.macro m a\nm \\a\\a\n.endm\nm xxxx').join('\n');
  expect(twice).toContain('invalid line: over 4096 characters');
  const long = `.macro m a\n.ifc \\a,y\n.endif\n.endm\n.rept 90000\nm ${'x'.repeat(4000)}\n.endr`;
  expect(problemsOf(`.ascii "${'x'.repeat(5000)}"`)).toEqual([
    'page.mdx:10:1: invalid line: over 4096 characters',
  ]);
  expect(problemsOf(long)[0]).toContain('text expands too far: over 4000000 characters');
});
