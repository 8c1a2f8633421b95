/**
 * The six status flags, kept lazily as a result and a carry-out vector (one bit per full adder).
 *
 * Why lazy: of ten flag writes about one is read, and the six flags cost some twenty operations eagerly
 * and four lazily. Why a *vector* and not (operation, operands): no branch on the operation when read,
 * and CF, OF and AF of any width are single bits of it. POPF and IRET may set what no result can have
 * (ZF with SF); two delta bits of the carry word express that, as in Bochs' lazy flags.
 *
 * flagResult  the result, sign-extended from its width: ZF, SF, and PF of its low byte
 * flagCarry   63: CF   62: carry into the sign bit, so OF is 63 xor 62   3: AF   16: SF inverted   17: PF inverted
 *
 * Two states with the same RFLAGS may differ in these words: compare and digest `toImage` only.
 */
import type { Ops, Width } from './ops.ts';

export const CF = 1n << 0n,
  PF = 1n << 2n,
  AF = 1n << 4n,
  ZF = 1n << 6n,
  SF = 1n << 7n,
  TF = 1n << 8n,
  IF = 1n << 9n,
  DF = 1n << 10n,
  OF = 1n << 11n,
  IOPL = 3n << 12n,
  NT = 1n << 14n,
  RF = 1n << 16n,
  AC = 1n << 18n,
  ID = 1n << 21n;
export const STATUS = CF | PF | AF | ZF | SF | OF;

/** Bits of flagCarry that mean something. */
const SIGN_DELTA = 16,
  PARITY_DELTA = 17,
  VECTOR_BITS = (3n << 62n) | (1n << 3n);

/** Jcc, SETcc, CMOVcc without their negations, in encoding order (SDM vol 1, appendix B). */
export type ConditionCode =
  | 'o'
  | 'no'
  | 'b'
  | 'ae'
  | 'e'
  | 'ne'
  | 'be'
  | 'a'
  | 's'
  | 'ns'
  | 'p'
  | 'np'
  | 'l'
  | 'ge'
  | 'le'
  | 'g';

export const carriesOfAdd = <V>(m: Ops<V>, a: V, b: V, sum: V): V =>
  m.or(m.and(a, b), m.and(m.or(a, b), m.not(sum)));

export const carriesOfSub = <V>(m: Ops<V>, a: V, b: V, difference: V): V =>
  m.or(m.and(m.not(a), b), m.and(m.or(m.not(a), b), difference));

/** All six flags from a result and its carry-out vector; bits above `width` are ignored. */
export function set<V>(m: Ops<V>, width: Width, result: V, carries: V): void {
  const top =
    width === 64 ? carries : m.or(m.shl(carries, m.word(64 - width)), m.and(carries, m.word(1n << 3n)));
  m.set('flagResult', m.signed(width, result));
  m.set('flagCarry', m.and(top, m.word(VECTOR_BITS)));
}

export function setCarry<V>(m: Ops<V>, width: Width, result: V, carry: V, overflow: V): void {
  m.set('flagResult', m.signed(width, result));
  m.set('flagCarry', m.or(m.shl(carry, m.word(63)), m.shl(m.xor(carry, overflow), m.word(62))));
}

export function keepCarry<V>(m: Ops<V>, body: () => void): void {
  const before = m.get('flagCarry');
  body();
  // Where CF changes, the bit below it must change too, or OF would.
  const after = m.get('flagCarry'),
    change = m.shr(m.xor(before, after), m.word(63));
  m.set('flagCarry', m.xor(after, m.shl(m.mul(change, m.word(3)), m.word(62))));
}

export function replaceCarry<V>(m: Ops<V>, carry: V): void {
  const before = m.get('flagCarry'),
    change = m.xor(m.shr(before, m.word(63)), carry);
  m.set('flagCarry', m.xor(before, m.shl(m.mul(change, m.word(3)), m.word(62))));
}

export function replaceOverflow<V>(m: Ops<V>, wanted: V): void {
  const change = m.xor(overflow(m), wanted);
  m.set('flagCarry', m.xor(m.get('flagCarry'), m.shl(change, m.word(62))));
}

export function replaceCarryOverflow<V>(m: Ops<V>, carry: V, overflow: V): void {
  const rest = m.and(m.get('flagCarry'), m.word((1n << 62n) - 1n));
  const top = m.or(m.shl(carry, m.word(63)), m.shl(m.xor(carry, overflow), m.word(62)));
  m.set('flagCarry', m.or(rest, top));
}

export function replaceZero<V>(m: Ops<V>, zero: V): void {
  const others = m.and(m.rflags(), m.word(STATUS & ~ZF));
  m.setRflags(m.or(others, m.shl(zero, m.word(6))), STATUS);
}

const carry = <V>(m: Ops<V>): V => m.shr(m.get('flagCarry'), m.word(63));
const zero = <V>(m: Ops<V>): V => m.isZero(m.get('flagResult'));
const overflow = <V>(m: Ops<V>): V => m.xor(carry(m), m.bit(m.get('flagCarry'), 62));
const sign = <V>(m: Ops<V>): V =>
  m.xor(m.shr(m.get('flagResult'), m.word(63)), m.bit(m.get('flagCarry'), SIGN_DELTA));
const parity = <V>(m: Ops<V>): V =>
  m.xor(m.parity(m.get('flagResult')), m.bit(m.get('flagCarry'), PARITY_DELTA));
const adjust = <V>(m: Ops<V>): V => m.bit(m.get('flagCarry'), 3);

export function condition<V>(m: Ops<V>, code: ConditionCode): V {
  switch (code) {
    case 'o':
      return overflow(m);
    case 'b':
      return carry(m);
    case 'e':
      return zero(m);
    case 'be':
      return m.or(carry(m), zero(m));
    case 's':
      return sign(m);
    case 'p':
      return parity(m);
    case 'l':
      return m.xor(sign(m), overflow(m));
    case 'le':
      return m.or(zero(m), m.xor(sign(m), overflow(m)));
    case 'no':
      return m.isZero(overflow(m));
    case 'ae':
      return m.isZero(carry(m));
    case 'ne':
      return m.isZero(zero(m));
    case 'a':
      return m.isZero(m.or(carry(m), zero(m)));
    case 'ns':
      return m.isZero(sign(m));
    case 'np':
      return m.isZero(parity(m));
    case 'ge':
      return m.isZero(m.xor(sign(m), overflow(m)));
    case 'g':
      return m.isZero(m.or(zero(m), m.xor(sign(m), overflow(m))));
  }
}

/** Canonical RFLAGS. */
export function toImage<V>(m: Ops<V>): V {
  const at = (flag: V, n: number): V => m.shl(flag, m.word(n));
  return [
    carry(m),
    at(parity(m), 2),
    at(adjust(m), 4),
    at(zero(m), 6),
    at(sign(m), 7),
    at(overflow(m), 11),
  ].reduce((image, flag) => m.or(image, flag), m.get('rflagsRest'));
}

export function fromImage<V>(m: Ops<V>, image: V, mask: bigint): void {
  const rest = m.word(mask & ~STATUS);
  m.set('rflagsRest', m.or(m.and(image, rest), m.and(m.get('rflagsRest'), m.not(rest))));
  if ((mask & STATUS) !== STATUS) return;
  // A result of 0 or 1 gives ZF; its own sign is 0 and its own parity equals ZF.
  const z = m.bit(image, 6),
    cf = m.bit(image, 0);
  const delta = m.or(
    m.shl(m.bit(image, 7), m.word(SIGN_DELTA)),
    m.shl(m.xor(m.bit(image, 2), z), m.word(PARITY_DELTA)),
  );
  const carries = m.or(m.shl(cf, m.word(63)), m.shl(m.xor(cf, m.bit(image, 11)), m.word(62)));
  m.set('flagResult', m.xor(z, m.word(1)));
  m.set('flagCarry', m.or(m.or(carries, m.shl(m.bit(image, 4), m.word(3))), delta));
}
