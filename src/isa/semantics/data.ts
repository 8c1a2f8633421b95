/** Moves, extensions and exchanges (SDM vol 1, 5.1.1). */
import type { ConditionCode } from '../flags.ts';
import type { Ops, Semantics, Width } from '../ops.ts';

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

/** The bytes in reverse order, by swapping halves, quarters and eighths. */
export const bswap: Semantics = (m, { width, a }) => {
  const swapHalves = <V>(ops: Ops<V>, x: V, count: number, low: bigint): V =>
    ops.or(
      ops.and(ops.shr(x, ops.word(count)), ops.word(low)),
      ops.shl(ops.and(x, ops.word(low)), ops.word(count)),
    );
  const x = m.read(a);
  const reversed = m.known('bytes_reversed', [x], () => {
    const pairs = swapHalves(m, x, 8, 0x00ff_00ff_00ff_00ffn);
    const words = swapHalves(m, pairs, 16, 0x0000_ffff_0000_ffffn);
    return width === 64 ? swapHalves(m, words, 32, 0xffff_ffffn) : words;
  });
  m.write(a, reversed);
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
