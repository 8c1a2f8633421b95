/** Bytes to instructions: prefixes, operands, and what is no instruction. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../../src/isa/decode.ts';
import { usesStackSegment } from '../../src/isa/instruction.ts';
import { print } from '../../src/isa/print.ts';
import { CASES, casesOf, ENCODINGS, ROWS } from '../../src/isa/table/index.ts';
import { unhex } from './att.ts';

const decoded = (bytes: string) => {
  const found = decode(unhex(bytes));
  if ('problem' in found) throw new Error(`${bytes}: ${found.problem}`);
  return found;
};
const textOf = (bytes: string, at?: bigint, name?: (address: bigint) => string | undefined): string =>
  print(decoded(bytes), at, name);
const problemOf = (bytes: string): string => {
  const found = decode(unhex(bytes));
  return 'problem' in found ? found.problem : `none: ${print(found)}`;
};

test('random bytes never throw, and no instruction is longer than 15 bytes or than the bytes there are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(4), (bytes, offset) => {
      const found = decode(bytes, offset);
      if ('problem' in found) return;
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThanOrEqual(15);
      expect(offset + found.length).toBeLessThanOrEqual(bytes.length);
      expect(print(found).length).toBeGreaterThan(0);
      // Nothing behind the instruction was looked at, and nothing before it is missing.
      expect(decode(bytes.subarray(0, offset + found.length), offset)).toEqual(found);
      const short = decode(bytes.subarray(0, offset + found.length - 1), offset);
      expect('problem' in short && short.problem).toBe('truncated');
    }),
    { numRuns: 20_000, seed: 1 },
  );
});

test('what is no instruction', () => {
  expect(problemOf('')).toBe('truncated');
  expect(problemOf('48')).toBe('truncated');
  expect(problemOf('0f')).toBe('truncated');
  expect(problemOf('48 81 c0 01 02 03')).toBe('truncated');
  expect(problemOf('66 '.repeat(14))).toBe('truncated');
  expect(problemOf('66 '.repeat(15))).toBe('too long');
  expect(problemOf(`${'66 '.repeat(11)}81 c0 01 02`)).toBe(
    'none: '.concat(`${'data16 '.repeat(10)}add $0x201,%ax`),
  );
  expect(problemOf(`${'66 '.repeat(12)}81 c0 01 02`)).toBe('too long');
  // Opcodes that 64-bit mode has taken away (SDM vol 2, table A-2).
  for (const opcode of [
    '06',
    '07',
    '0e',
    '16',
    '17',
    '1e',
    '1f',
    '27',
    '2f',
    '37',
    '3f',
    '60',
    '61',
    '82',
    '9a',
    'ce',
    'd4',
    'd5',
    'd6',
    'ea',
  ])
    expect(problemOf(`${opcode} 00 00 00 00 00 00`)).toBe('undefined');
  expect(problemOf('8e c8')).toBe('undefined');
  expect(problemOf('8d c0')).toBe('undefined');
  expect(problemOf('0f 22 c8')).toBe('undefined');
  expect(problemOf('44 0f 20 d0')).toBe('undefined');
  expect(problemOf('fe d0')).toBe('undefined');
  expect(problemOf('0f 0a')).toBe('undefined');
});

test('LOCK is for read-modify-write of memory only', () => {
  expect(textOf('f0 48 01 08')).toBe('lock add %rcx,(%rax)');
  expect(textOf('f0 48 87 08')).toBe('lock xchg %rcx,(%rax)');
  for (const bytes of [
    'f0 48 01 c8',
    'f0 48 03 08',
    'f0 48 89 08',
    'f0 90',
    'f0 48 39 08',
    'f0 c3',
    'f0 0f ba 20 01',
  ])
    expect(problemOf(bytes)).toBe('undefined');
});

test('prefixes', () => {
  expect(textOf('f3 c3')).toBe('repz ret');
  expect(textOf('f2 e9 00 00 00 00')).toBe('bnd jmp .+0x6');
  expect(textOf('3e ff e0')).toBe('notrack jmp *%rax');
  expect(textOf('66 66 2e 0f 1f 84 00 00 00 00 00')).toBe('data16 cs nopw (%rax,%rax,1)');
  expect(textOf('66 90')).toBe('xchg %ax,%ax');
  expect(textOf('90')).toBe('nop');
  expect(textOf('41 90')).toBe('xchg %eax,%r8d');
  expect(textOf('f3 90')).toBe('pause');
  expect(textOf('48 66 01 c0')).toBe('add %ax,%ax');
  expect(textOf('66 48 01 c0')).toBe('data16 add %rax,%rax');
  expect(textOf('64 65 8b 00')).toBe('fs mov %gs:(%rax),%eax');
  expect(textOf('2e 8b 00')).toBe('cs mov (%rax),%eax');
  expect(textOf('66 0f c8')).toBe('bswap %ax');
  expect(textOf('f3 0f bc c1')).toBe('tzcnt %ecx,%eax');
  expect(textOf('0f bc c1')).toBe('bsf %ecx,%eax');
  expect(textOf('f3 0f 01 ca')).toBe('eretu');
  expect(textOf('0f 01 ca')).toBe('clac');
  expect(textOf('66 50')).toBe('push %ax');
  expect(textOf('66 6a 08')).toBe('pushw $0x8');
  expect(textOf('48 cf')).toBe('iretq');
  expect(textOf('66 98')).toBe('cbtw');
  expect(textOf('98')).toBe('cwtl');
});

test('prefix 67', () => {
  expect(textOf('67 8b 04 58')).toBe('mov (%eax,%ebx,2),%eax');
  expect(textOf('67 41 8d 40 fc')).toBe('lea -0x4(%r8d),%eax');
  expect(textOf('67 8b 05 10 00 00 00')).toBe('mov 0x10(%eip),%eax');
  expect(textOf('67 8b 04 25 10 00 00 80')).toBe('mov 0x80000010(,%eiz,1),%eax');
  expect(textOf('67 a0 01 77 23 65')).toBe('addr32 mov 0x65237701,%al');
  expect(textOf('67 f3 a4')).toBe('addr32 rep movsb');
  expect(textOf('f3 67 a4')).toBe('addr32 rep movsb');
  expect(textOf('67 e2 00')).toBe('loopl .+0x3');
  expect(textOf('67 e3 00')).toBe('jecxz .+0x3');
  expect(textOf('67 66 0f 38 f8 08')).toBe('movdir64b (%eax),%ecx');
  expect(textOf('67 50')).toBe('addr32 push %rax');
});

test('VEX', () => {
  expect(textOf('c4 e2 78 f7 0b')).toBe('bextr %eax,(%rbx),%ecx');
  expect(textOf('c4 e3 7b f0 c8 05')).toBe('rorx $0x5,%eax,%ecx');
  expect(textOf('c4 e2 a8 f3 08')).toBe('blsr (%rax),%r10');
  expect(textOf('64 67 c4 e2 a8 f3 08')).toBe('blsr %fs:(%eax),%r10');
  // L, another W, a register that no operand names, prefixes that VEX holds itself.
  for (const bytes of [
    'c4 e2 74 f2 c1',
    'c4 e3 73 f0 c1 05',
    'c4 e2 78 f3 c1',
    '66 c4 e2 70 f2 c1',
    '48 c4 e2 70 f2 c1',
  ])
    expect(problemOf(bytes)).toBe('undefined');
  // What is refused has its length all the same.
  for (const bytes of [
    'c5 f8 77',
    'c4 e2 79 18 00',
    'c5 f9 70 c1 00',
    'c4 e3 7d 39 c1 01',
    '62 f1 7c 48 28 c0',
    '62 f3 75 48 3e c2 01',
  ])
    expect(decoded(bytes).length).toBe(unhex(bytes).length);
});

test('byte registers with and without REX', () => {
  expect(textOf('88 e0')).toBe('mov %ah,%al');
  expect(textOf('40 88 e0')).toBe('mov %spl,%al');
  expect(textOf('44 88 c4')).toBe('mov %r8b,%spl');
  expect(textOf('b4 01')).toBe('mov $0x1,%ah');
  expect(textOf('40 b4 01')).toBe('mov $0x1,%spl');
});

test('memory operands', () => {
  expect(decoded('48 8b 44 24 f8').memory).toEqual({
    segment: undefined,
    short: false,
    base: 'rsp',
    index: undefined,
    scale: 1,
    displacement: 0xffff_ffff_ffff_fff8n,
  });
  expect(decoded('65 4a 8b 04 e5 10 00 00 00').memory).toEqual({
    segment: 'gs',
    short: false,
    base: undefined,
    index: 'r12',
    scale: 8,
    displacement: 0x10n,
  });
  expect(textOf('8b 45 00')).toBe('mov (%rbp),%eax');
  expect(textOf('41 8b 45 00')).toBe('mov (%r13),%eax');
  expect(textOf('8b 04 25 00 00 00 80')).toBe('mov 0xffffffff80000000,%eax');
  expect(textOf('a0 88 77 66 55 44 33 22 11')).toBe('movabs 0x1122334455667788,%al');
  // LEA has no segment in its operand, and text shows the override all the same.
  expect(decoded('65 48 8d 00').memory?.segment).toBeUndefined();
  expect(textOf('65 48 8d 00')).toBe('lea %gs:(%rax),%rax');
  // POP to memory based on RSP is a shape of its own and keeps the displacement that was written.
  expect(decoded('8f 44 24 08').shape.name).toBe('pop/64 m(rsp)');
  expect(decoded('8f 44 24 08').memory?.displacement).toBe(8n);
  expect(decoded('8f 45 08').shape.name).toBe('pop/64 m');
});

test('which operands lie in the stack segment', () => {
  const uses = (bytes: string): boolean | undefined => {
    const { memory } = decoded(bytes);
    return memory && usesStackSegment(memory);
  };
  expect(uses('8b 04 24')).toBe(true);
  expect(uses('8b 45 00')).toBe(true);
  expect(uses('65 8b 45 00')).toBe(false);
  expect(uses('41 8b 45 00')).toBe(false);
  expect(uses('8b 04 28')).toBe(false);
});

test('branches and addresses, with and without names', () => {
  const name = (address: bigint): string | undefined =>
    address === 0xffff_ffff_8100_0010n ? 'first_nmi' : undefined;
  expect(textOf('74 fe')).toBe('je .+0x0');
  expect(textOf('74 00')).toBe('je .+0x2');
  expect(textOf('e8 f0 ff ff ff')).toBe('call .-0xb');
  expect(textOf('eb 0e', 0xffff_ffff_8100_0000n)).toBe('jmp 0xffffffff81000010');
  expect(textOf('eb 0e', 0xffff_ffff_8100_0000n, name)).toBe('jmp ffffffff81000010 <first_nmi>');
  expect(textOf('48 8d 05 09 00 00 00', 0xffff_ffff_8100_0000n, name)).toBe(
    'lea 0x9(%rip),%rax  # ffffffff81000010 <first_nmi>',
  );
  expect(textOf('48 8d 05 09 00 00 00')).toBe('lea 0x9(%rip),%rax');
  expect(decoded('74 fe').distance).toBe(-2n);
});

test('the table', () => {
  expect(new Set(CASES.map((found) => found.name)).size).toBe(CASES.length);
  expect(CASES.map((found) => found.name)).toEqual(
    expect.arrayContaining([
      'add/32 m,r',
      'mov/64 r,i',
      'pop/64 m(rsp)',
      'rep movs/64 m',
      'je j',
      'swapgs',
      'call/64 *m',
    ]),
  );
  // Encodings that share a case share its semantics.
  const semantics = new Map(CASES.map((found) => [found.name, found.semantics]));
  for (const found of ENCODINGS.flatMap(casesOf))
    expect(semantics.get(found.name), found.name).toBe(found.semantics);
  expect(new Set(ROWS).size).toBe(ROWS.length);
  // The rows of one opcode agree on whether a ModRM byte follows: the decoder reads it before it chooses.
  for (const { map, byte, modrm, row } of ENCODINGS) {
    const kin = ENCODINGS.filter((other) => other.map === map && other.byte === byte);
    expect(
      kin.every((other) => (other.modrm === 'none') === (modrm === 'none')),
      row.opcode,
    ).toBe(true);
  }
});

test('every case is what decoding its bytes gives: instructions of one shape share its object', () => {
  expect(decoded('48 01 d8').shape).toBe(decoded('48 01 c0').shape);
  expect(decoded('48 01 d8').shape.name).toBe('add/64 r,r');
  expect(CASES.find((found) => found.name === 'add/64 r,r')?.semantics).toBe(
    decoded('48 01 d8').row.semantics,
  );
});
