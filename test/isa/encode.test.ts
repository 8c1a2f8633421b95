/** Text to bytes and back, against what GNU as made of the same text. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decode } from '../../src/isa/decode.ts';
import { type AsmOperand, encode, mnemonics } from '../../src/isa/encode.ts';
import { print } from '../../src/isa/print.ts';
import { assemble, hex, unhex } from './att.ts';

const corpus = readFileSync(new URL('corpus.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('|').map((part) => part.trim()) as [text: string, bytes: string]);

const result = (text: string, length = 0): string => {
  const made = assemble(text, length);
  return 'bytes' in made ? hex(made.bytes) : made.problem;
};

test('the corpus: the same bytes as GNU as', () => {
  expect(corpus.length).toBeGreaterThan(1500);
  const wrong = corpus.filter(([text, bytes]) => result(text, unhex(bytes).length) !== bytes);
  expect(wrong.map(([text, bytes]) => `${text}: ${bytes}, not ${result(text, unhex(bytes).length)}`)).toEqual(
    [],
  );
});

test('the corpus: printed text makes the same bytes again, and prints the same again', () => {
  const wrong = corpus.flatMap(([, bytes]) => {
    const first = decode(unhex(bytes));
    if ('problem' in first) return [`${bytes}: ${first.problem}`];
    const text = print(first);
    if (first.length !== unhex(bytes).length) return [`${bytes}: length ${first.length}`];
    return result(text, first.length) === bytes
      ? []
      : [`${bytes}: ${text} makes ${result(text, first.length)}`];
  });
  expect(wrong).toEqual([]);
});

const memory = (displacement: bigint, wide: boolean, base: string | undefined = 'rax'): AsmOperand => ({
  kind: 'memory',
  segment: undefined,
  base,
  index: undefined,
  scale: 1,
  displacement,
  wide,
});
const immediate = (value: bigint, wide: boolean): AsmOperand => ({ kind: 'immediate', value, wide });
const register = (name: string): AsmOperand => ({ kind: 'register', name });
const target = (distance: bigint, wide: boolean): AsmOperand => ({ kind: 'target', distance, wide });
const made = (...[mnemonic, operands, prefixes]: Parameters<typeof encode>): string => {
  const encoded = encode(mnemonic, operands, prefixes);
  return 'bytes' in encoded ? hex(encoded.bytes) : encoded.problem;
};

test('wide operands keep their full field', () => {
  expect(made('addq', [immediate(8n, true), register('rbx')])).toBe('48 81 c3 08 00 00 00');
  expect(made('pushq', [immediate(8n, true)])).toBe('68 08 00 00 00');
  expect(made('movq', [immediate(8n, true), register('rdx')])).toBe('48 c7 c2 08 00 00 00');
  expect(made('movabs', [immediate(8n, true), register('rdx')])).toBe('48 ba 08 00 00 00 00 00 00 00');
  expect(made('movq', [memory(8n, true), register('rdx')])).toBe('48 8b 90 08 00 00 00');
  expect(made('jmp', [target(8n, true)])).toBe('e9 08 00 00 00');
  expect(made('jmp', [target(8n, false)])).toBe('eb 08');
  expect(made('je', [target(8n, true)])).toBe('0f 84 08 00 00 00');
  expect(made('jrcxz', [target(8n, true)])).toBe('e3 08');
  expect(made('int', [immediate(128n, true)])).toBe('cd 80');
  expect(made('shlq', [immediate(1n, true), register('rax')])).toBe('48 c1 e0 01');
});

test('operands given as unsigned words', () => {
  expect(made('movq', [immediate(0xffff_ffff_8100_0000n, true), register('rdx')])).toBe(
    '48 c7 c2 00 00 00 81',
  );
  expect(made('movq', [memory(0xffff_ffff_ffff_fff8n, false, 'rsp'), register('rdx')])).toBe(
    '48 8b 54 24 f8',
  );
  expect(made('cmpb', [immediate(0xffn, false), memory(0n, false)])).toBe('80 38 ff');
  expect(made('addw', [immediate(0xffffn, false), register('ax')])).toBe('66 83 c0 ff');
});

test('prefixes', () => {
  expect(made('movsq', [], ['rep'])).toBe('f3 48 a5');
  expect(made('cmpsb', [], ['repne'])).toBe('f2 a6');
  expect(made('ret', [], ['rep'])).toBe('f3 c3');
  expect(made('addl', [immediate(1n, false), memory(0n, false)], ['lock'])).toBe('f0 83 00 01');
});

test('problems, in one sentence', () => {
  const problems = [
    'movqq %rax',
    'frob',
    'movq $1,$2',
    'movq %eax,%rax',
    'push',
    'addq $0x123456789,%rax',
    'movl $0x100000000,%eax',
    'int $256',
    'addb $0x100,%al',
    'mov $1,(%rax)',
    'shl $3,8(%rsp)',
    'movb %ah,%r8b',
    'mov (%ax),%eax',
    'mov (%eax,%rbx),%ecx',
    'mov (%rax,%rsp,2),%eax',
    'mov 8(%rip,%rax,1),%eax',
    'mov 0x100000000(%rax),%eax',
    'lock mov %rax,(%rbx)',
    'lock addl $1,%eax',
    'mov (%rax),(%rbx)',
    'mov %foo,%rax',
    'cmovne %al,%bl',
    'lea %rax,%rbx',
    'movl $sym',
    'jrcxz .+0x200',
    'push %eax',
    'iretq %rax',
  ].map((text) => (text === 'movl $sym' ? made('movl', []) : result(text)));
  expect(problems).toMatchInlineSnapshot(`
    [
      "unknown mnemonic: movqq",
      "unknown mnemonic: frob",
      "invalid operands: movq does not take $1, $2",
      "invalid operands: movq does not take %eax, %rax",
      "missing operands: push",
      "invalid immediate: 0x123456789 does not fit 32 bits",
      "invalid immediate: 0x100000000 does not fit 32 bits",
      "invalid immediate: 0x100 does not fit 8 bits",
      "invalid immediate: 0x100 does not fit 8 bits",
      "missing width: mov $1, (%rax) needs a suffix",
      "missing width: shl $3, 8(%rsp) needs a suffix",
      "invalid operands: %ah cannot be used with a register or width that needs REX",
      "invalid address: %ax is not a 32-bit or 64-bit register",
      "invalid address: %eax and %rbx differ in width",
      "invalid address: %rsp cannot be an index",
      "invalid address: %rip takes no index",
      "invalid displacement: 0x100000000 does not fit 32 bits",
      "invalid prefix: lock before mov",
      "invalid prefix: lock needs a memory destination",
      "invalid operands: mov does not take (%rax), (%rbx)",
      "unknown register: %foo",
      "invalid operands: cmovne does not take %al, %bl",
      "invalid operands: lea does not take %rax, %rbx",
      "missing operands: movl",
      "invalid target: 0x200 does not fit 8 bits",
      "invalid operands: push does not take %eax",
      "invalid operands: iretq does not take %rax",
    ]
  `);
  expect(encode('nop', [], ['foo'])).toEqual({ problem: 'unknown prefix: foo' });
  expect(encode('addq', [immediate(0x1_2345_6789n, false), register('rax')])).toEqual({
    problem: 'invalid immediate: 0x123456789 does not fit 32 bits',
    operand: 0,
  });
});

test('movq of a symbol stays a 32-bit immediate even if its value needs more', () => {
  expect(made('movq', [immediate(0x1_2345_6789n, true), register('rax')])).toBe(
    'invalid immediate: 0x123456789 does not fit 32 bits',
  );
});

test('mnemonics', () => {
  for (const name of [
    'push',
    'pushq',
    'movabs',
    'jz',
    'je',
    'iretq',
    'movzbl',
    'movsq',
    'swapgs',
    'ud2',
    'sarq',
  ])
    expect(mnemonics).toContain(name);
  for (const name of mnemonics) expect(name).toMatch(/^[a-z0-9]+$/);
  expect(new Set(mnemonics).size).toBe(mnemonics.length);
});
