/** Binary arithmetic and logic (SDM vol 1, 5.1.2 and 5.1.4). */
import { type Ops, type Semantics, VECTOR, type Width } from '../ops.ts';
import type { Gpr } from '../state.ts';

export const add: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const sum = m.add(x, y);
  m.write(a, sum);
  m.addFlags(width, x, y, sum);
};

/** The carry vector follows from operands and result, a carry in included. */
export const adc: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const sum = m.add(m.add(x, y), m.condition('b'));
  m.write(a, sum);
  m.addFlags(width, x, y, sum);
};

export const sub: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const difference = m.sub(x, y);
  m.write(a, difference);
  m.subFlags(width, x, y, difference);
};

export const sbb: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const difference = m.sub(m.sub(x, y), m.condition('b'));
  m.write(a, difference);
  m.subFlags(width, x, y, difference);
};

export const cmp: Semantics = (m, { width, a, b }) => {
  const x = m.read(a);
  const y = m.read(b);
  m.subFlags(width, x, y, m.sub(x, y));
};

/** AF is undefined after logic; silicon clears it. */
const logic =
  (combine: <V>(m: Ops<V>, x: V, y: V) => V): Semantics =>
  (m, { width, a, b }) => {
    const result = combine(m, m.readToModify(a), m.read(b));
    m.write(a, result);
    m.logicFlags(width, result);
  };
export const and = logic((m, x, y) => m.and(x, y));
export const or = logic((m, x, y) => m.or(x, y));
export const xor = logic((m, x, y) => m.xor(x, y));
export const test: Semantics = (m, { width, a, b }) => m.logicFlags(width, m.and(m.read(a), m.read(b)));

/** INC and DEC leave CF alone (SDM vol 2, INC). */
export const inc: Semantics = (m, { width, a }) => {
  const x = m.readToModify(a);
  const one = m.word(1);
  const sum = m.add(x, one);
  m.write(a, sum);
  m.keepingCarry(() => m.addFlags(width, x, one, sum));
};
export const dec: Semantics = (m, { width, a }) => {
  const x = m.readToModify(a);
  const one = m.word(1);
  const difference = m.sub(x, one);
  m.write(a, difference);
  m.keepingCarry(() => m.subFlags(width, x, one, difference));
};

/** NEG subtracts from zero: CF tells whether the operand was not zero. */
export const neg: Semantics = (m, { width, a }) => {
  const x = m.readToModify(a);
  const zero = m.word(0);
  const difference = m.sub(zero, x);
  m.write(a, difference);
  m.subFlags(width, zero, x, difference);
};
export const not: Semantics = (m, { a }) => m.write(a, m.not(m.readToModify(a)));

/** Where the upper half of a product or dividend lies: AH for bytes, else rDX. */
const highHalf = (width: Width): Gpr | 'ah' => (width === 8 ? 'ah' : 'rdx');

/** CF and OF tell whether the high half is used; SF, ZF, AF and PF are undefined, here those of the low half. */
export const mul: Semantics = (m, { width, a }) => {
  const x = m.reg(width, 'rax');
  const y = m.read(a);
  const low = m.named('product', m.mul(x, y));
  const high = m.named('high', width === 64 ? m.mulHigh(x, y) : m.shr(low, m.word(width)));
  const used = m.isZero(m.isZero(m.truncate(width, high)));
  m.setReg(width, 'rax', low);
  m.setReg(width, highHalf(width), high);
  m.carryFlags(width, low, used, used);
};

/** Low and high half of a signed product, and whether the low half alone does not hold it. */
function signedProduct<V>(m: Ops<V>, width: Width, a: V, b: V): { low: V; high: V; overflow: V } {
  const x = m.signed(width, a);
  const y = m.signed(width, b);
  const low = m.named('product', m.mul(x, y));
  const negative = (value: V): V => m.isZero(m.isZero(m.bit(value, 63)));
  const zero = m.word(0);
  // The unsigned high half counts a negative factor as 2^64 more than it is.
  const correction = (): V => m.add(m.select(negative(x), y, zero), m.select(negative(y), x, zero));
  const signedHigh = (): V => m.sub(m.mulHigh(x, y), correction());
  const high = m.named(
    'high',
    width === 64 ? m.known('signed_high64', [x, y], signedHigh) : m.sar(low, m.word(width)),
  );
  const extension = m.sar(m.signed(width, low), m.word(63));
  return { low, high, overflow: m.isZero(m.eq(high, extension)) };
}

/** One-operand IMUL: the double-width product, as MUL. */
export const imulWide: Semantics = (m, { width, a }) => {
  const { low, high, overflow } = signedProduct(m, width, m.reg(width, 'rax'), m.read(a));
  m.setReg(width, 'rax', low);
  m.setReg(width, highHalf(width), high);
  m.carryFlags(width, low, overflow, overflow);
};

/** Two and three operands: the product is truncated, and CF and OF tell whether something was lost. */
export const imul: Semantics = (m, { width, a, b, c }) => {
  const { low, overflow } = signedProduct(m, width, c.kind === '-' ? m.read(a) : m.read(c), m.read(b));
  m.write(a, low);
  m.carryFlags(width, low, overflow, overflow);
};

/** #DE when the quotient does not fit, zero divisors included; flags are undefined, here unchanged (SDM vol 2, DIV). */
export const div: Semantics = (m, { width, a }) => {
  const divisor = m.read(a);
  const high = m.reg(width, highHalf(width));
  const low = m.reg(width, 'rax');
  m.raiseUnless(m.below(high, divisor), VECTOR.DE, m.word(0));
  const dividend = width === 64 ? low : m.named('dividend', m.or(m.shl(high, m.word(width)), low));
  const quotient = m.named(
    'quotient',
    width === 64 ? m.divWide(high, low, divisor) : m.div(dividend, divisor),
  );
  m.setReg(width, 'rax', quotient);
  // The remainder fits in the low half, so the low half of the dividend is enough.
  m.setReg(width, highHalf(width), m.sub(dividend, m.mul(quotient, divisor)));
};

/** Division of magnitudes; the remainder has the sign of the dividend (SDM vol 2, IDIV). */
export const idiv: Semantics = (m, { width, a }) => {
  const divisor = m.signed(width, m.read(a));
  const high = m.signed(width, m.reg(width, highHalf(width)));
  const low = m.reg(width, 'rax');
  const negative = m.named('negative', m.bit(high, 63));
  const opposite = m.named('opposite_signs', m.xor(negative, m.bit(divisor, 63)));
  const negateIf = <V>(ops: Ops<V>, condition: V, x: V): V =>
    ops.select(condition, ops.sub(ops.word(0), x), x);
  const size = m.named('divisor_size', negateIf(m, m.bit(divisor, 63), divisor));

  m.raiseIf(m.isZero(size), VECTOR.DE, m.word(0));
  const whole = width === 64 ? low : m.or(m.shl(high, m.word(width)), low);
  const lowSize = m.named('low_size', negateIf(m, negative, whole));
  let quotient = lowSize;
  if (width === 64) {
    const borrow = m.isZero(m.isZero(low));
    const magnitude = m.select(negative, m.sub(m.sub(m.word(0), high), borrow), high);
    const highSize = m.named('high_size', magnitude);
    m.raiseUnless(m.below(highSize, size), VECTOR.DE, m.word(0));
    quotient = m.named('quotient', m.divWide(highSize, lowSize, size));
  } else {
    quotient = m.named('quotient', m.div(lowSize, size));
  }
  const limit = m.named('largest', m.add(m.word((1n << BigInt(width - 1)) - 1n), opposite));
  m.raiseIf(m.below(limit, quotient), VECTOR.DE, m.word(0));

  const remainder = m.named('remainder', m.sub(lowSize, m.mul(quotient, size)));
  m.setReg(width, 'rax', negateIf(m, opposite, quotient));
  m.setReg(width, highHalf(width), negateIf(m, negative, remainder));
};
