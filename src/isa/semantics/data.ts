/** Moves, extensions and exchanges (SDM vol 1, 5.1.1). */
import type { ConditionCode } from '../flags.ts';
import { type Ops, type Semantics, VECTOR, type Width } from '../ops.ts';

export const mov: Semantics = (m, { a, b }) => m.write(a, m.read(b));
/** Only the address: nothing is accessed, no segment base is added. */
export const lea: Semantics = (m, { a, b }) => m.write(a, m.address(b));
/** A read value is zero-extended already. */
export const movzx: Semantics = (m, { a, b }) => m.write(a, m.read(b));
export const movsx: Semantics = (m, { a, b }) => m.write(a, m.signed(b.width, m.read(b)));

/** CMOVcc reads its source and zero-extends a 32-bit destination whether or not the condition holds. */
export const cmov =
  (code: ConditionCode): Semantics =>
  (m, { a, b }) => {
    const source = m.read(b);
    m.write(a, m.select(m.condition(code), source, m.read(a)));
  };
export const setcc =
  (code: ConditionCode): Semantics =>
  (m, { a }) =>
    m.write(a, m.condition(code));

/** XCHG with memory is locked, hence a write whatever happens; memory is operand a. */
export const xchg: Semantics = (m, { a, b }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  m.write(a, y);
  m.write(b, x);
};

/** The sum goes to the destination last: XADD of a register with itself keeps it. */
export const xadd: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const sum = m.add(x, y);
  m.write(b, x);
  m.write(a, sum);
  m.addFlags(width, x, y, sum);
};

/**
 * A memory destination is written in either case (SDM vol 2, CMPXCHG). In a register destination that
 * does not match, bits 63:32 stay.
 */
export const cmpxchg: Semantics = (m, { width, a, b }) => {
  const expected = m.reg(width, 'rax');
  const found = m.readToModify(a);
  const source = m.read(b);
  const equal = m.eq(expected, found);
  if (a.kind === 'm') m.write(a, m.select(equal, source, found));
  m.when(
    equal,
    () => {
      if (a.kind === 'r') m.write(a, source);
    },
    () => m.setReg(width, 'rax', found),
  );
  m.subFlags(width, expected, found, m.sub(expected, found));
};

/**
 * CMPXCHG8B and CMPXCHG16B: rDX:rAX against two words in memory, which are written in either case. 16 bytes must
 * be aligned (SDM vol 2, CMPXCHG8B/CMPXCHG16B).
 */
export const cmpxchgPair =
  (half: 32 | 64): Semantics =>
  (m, { a }) => {
    const at = m.address(a);
    const above = m.add(at, m.word(half / 8));
    if (half === 64) m.raiseIf(m.bits(at, 0, 4), VECTOR.GP, m.word(0));
    m.probe(at, half / 4, a);
    const low = m.named('low', m.load(half, at, a));
    const high = m.named('high', m.load(half, above, a));
    const equal = m.named('equal', m.and(m.eq(low, m.reg(half, 'rax')), m.eq(high, m.reg(half, 'rdx'))));
    m.store(half, at, m.select(equal, m.reg(half, 'rbx'), low), a);
    m.store(half, above, m.select(equal, m.reg(half, 'rcx'), high), a);
    m.when(m.isZero(equal), () => {
      m.setReg(half, 'rax', low);
      m.setReg(half, 'rdx', high);
    });
    m.setZero(equal);
  };

/** The bytes in reverse order, by swapping halves, quarters and eighths. */
function reversed<V>(m: Ops<V>, width: Width, x: V): V {
  const swapHalves = (y: V, count: number, low: bigint): V =>
    m.or(m.and(m.shr(y, m.word(count)), m.word(low)), m.shl(m.and(y, m.word(low)), m.word(count)));
  return m.known('bytes_reversed', [x], () => {
    const pairs = swapHalves(x, 8, 0x00ff_00ff_00ff_00ffn);
    if (width === 16) return pairs;
    const words = swapHalves(pairs, 16, 0x0000_ffff_0000_ffffn);
    return width === 64 ? swapHalves(words, 32, 0xffff_ffffn) : words;
  });
}
/** The result of 16 bits is undefined (SDM vol 2, BSWAP); silicon gives zero. */
export const bswap: Semantics = (m, { width, a }) =>
  m.write(a, width === 16 ? m.word(0) : reversed(m, width, m.read(a)));
export const movbe: Semantics = (m, { width, a, b }) => m.write(a, reversed(m, width, m.read(b)));

/** AL from a table at RBX; the operand is its first byte. */
export const xlat: Semantics = (m, { a }) =>
  m.setReg(8, 'rax', m.load(8, m.addressAt(a, m.reg(8, 'rax')), a));

/** MOVDIR64B: 64 bytes to where a register says, in ES, 64-byte aligned (SDM vol 2, MOVDIR64B). */
export const movdir64b: Semantics = (m, { a, b }) => {
  const to = m.read(a);
  m.raiseIf(m.bits(to, 0, 6), VECTOR.GP, m.word(0));
  const moves = [0, 8, 16, 24, 32, 40, 48, 56].map((n) => {
    const offset = m.word(n);
    return { offset, word: m.load(64, m.addressAt(b, offset), b) };
  });
  m.probe(to, 64, 'data');
  for (const { offset, word } of moves) m.store(64, m.add(to, offset), word, 'data');
};

/** CBW, CWDE, CDQE: the accumulator's lower half, sign-extended into the whole. */
export const extendAccumulator =
  (from: Width, to: Width): Semantics =>
  (m) =>
    m.setReg(to, 'rax', m.signed(from, m.reg(from, 'rax')));
/** CWD, CDQ, CQO: the accumulator's sign in every bit of rDX. */
export const spreadSign =
  (width: Width): Semantics =>
  (m) =>
    m.setReg(width, 'rdx', m.sar(m.signed(width, m.reg(width, 'rax')), m.word(63)));
