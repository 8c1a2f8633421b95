/** 128-bit products and quotients from 64-bit words, for backends that have no wider arithmetic. */
import type { Ops } from './ops.ts';

/** Schoolbook multiplication on 32-bit halves. */
export function mulHigh<V>(m: Ops<V>, a: V, b: V): V {
  const half = m.word(32),
    low = m.word(0xffff_ffffn);
  const [a0, a1, b0, b1] = [m.and(a, low), m.shr(a, half), m.and(b, low), m.shr(b, half)] as const;
  const middle = m.add(m.mul(a1, b0), m.shr(m.mul(a0, b0), half));
  const other = m.add(m.mul(a0, b1), m.and(middle, low));
  return m.add(m.mul(a1, b1), m.add(m.shr(middle, half), m.shr(other, half)));
}

/** Restoring division, one quotient bit a step; the staging loop unrolls it, so stage it once as a function. */
export function divWide<V>(m: Ops<V>, high: V, low: V, divisor: V): V {
  let remainder = high,
    quotient = low;
  for (let step = 0; step < 64; step++) {
    const carry = m.bit(remainder, 63);
    const shifted = m.or(m.shl(remainder, m.word(1)), m.bit(quotient, 63));
    const fits = m.or(carry, m.isZero(m.below(shifted, divisor)));
    remainder = m.select(fits, m.sub(shifted, divisor), shifted);
    quotient = m.or(m.shl(quotient, m.word(1)), fits);
  }
  return quotient;
}
