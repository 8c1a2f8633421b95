/** The words on values and control, said at once on bigints. A value lies in 0 ... 2^64 - 1. */
import type { Width } from '../../isa/ops.ts';
import { type StopReason, stopNumber } from '../../isa/stop-reason.ts';
import { Processor } from '../processor.ts';

/** Thrown by `raise` and by `stop`; which fault and which reason stand in the state block. */
export const RAISED = { what: 'raised' } as const;
export const STOPPED = { what: 'stopped' } as const;

const WORD = 0xffff_ffff_ffff_ffffn;
const HALF = 0x8000_0000_0000_0000n;
const truth = (condition: boolean): bigint => (condition ? 1n : 0n);

/** Even parity of every byte. */
const PARITY = Array.from({ length: 256 }, (_, byte) => {
  let odd = 0;
  for (let n = 0; n < 8; n++) odd ^= (byte >> n) & 1;
  return odd === 0 ? 1n : 0n;
});

/** Small numbers as words: making a bigint costs more than any operation on it. */
const SMALL = Array.from({ length: 0x1001 }, (_, n) => BigInt(n));

export abstract class BigintWords extends Processor<bigint> {
  word(value: bigint | number): bigint {
    const small = typeof value === 'number' ? SMALL[value] : undefined;
    return small ?? BigInt.asUintN(64, BigInt(value));
  }
  add(a: bigint, b: bigint): bigint {
    return (a + b) & WORD;
  }
  sub(a: bigint, b: bigint): bigint {
    return BigInt.asUintN(64, a - b);
  }
  mul(a: bigint, b: bigint): bigint {
    return (a * b) & WORD;
  }
  div(a: bigint, b: bigint): bigint {
    return a / b;
  }
  and(a: bigint, b: bigint): bigint {
    return a & b;
  }
  or(a: bigint, b: bigint): bigint {
    return a | b;
  }
  xor(a: bigint, b: bigint): bigint {
    return a ^ b;
  }
  shl(a: bigint, count: bigint): bigint {
    return (a << (count & 63n)) & WORD;
  }
  shr(a: bigint, count: bigint): bigint {
    return a >> (count & 63n);
  }
  sar(a: bigint, count: bigint): bigint {
    return BigInt.asUintN(64, BigInt.asIntN(64, a) >> (count & 63n));
  }
  signed(width: Width, a: bigint): bigint {
    return BigInt.asUintN(64, BigInt.asIntN(width, a));
  }
  eq(a: bigint, b: bigint): bigint {
    return truth(a === b);
  }
  below(a: bigint, b: bigint): bigint {
    return truth(a < b);
  }
  less(a: bigint, b: bigint): bigint {
    return truth((a ^ HALF) < (b ^ HALF));
  }
  select(condition: bigint, a: bigint, b: bigint): bigint {
    return condition !== 0n ? a : b;
  }
  parity(a: bigint): bigint {
    return PARITY[Number(a & 0xffn)] ?? 0n;
  }
  override bits(a: bigint, low: number, count: number): bigint {
    return BigInt.asUintN(count, a >> this.word(low));
  }
  override isZero(a: bigint): bigint {
    return truth(a === 0n);
  }
  override not(a: bigint): bigint {
    return a ^ WORD;
  }
  override mulHigh(a: bigint, b: bigint): bigint {
    return (a * b) >> 64n;
  }
  override divWide(high: bigint, low: bigint, divisor: bigint): bigint {
    return (((high << 64n) | low) / divisor) & WORD;
  }

  when(condition: bigint, then: () => void, otherwise?: () => void): void {
    if (condition !== 0n) then();
    else otherwise?.();
  }
  choose(condition: bigint, then: () => bigint, otherwise: () => bigint): bigint {
    return condition !== 0n ? then() : otherwise();
  }
  raise(vector: number, errorCode: bigint): void {
    this.set('raisedVector', BigInt(vector));
    this.set('raisedCode', errorCode);
    throw RAISED;
  }
  reraise(): void {
    throw RAISED;
  }
  attempt(body: () => void, onRaise: () => void): void {
    try {
      body();
    } catch (reason) {
      if (reason !== RAISED) throw reason;
      onRaise();
    }
  }
  stop(reason: StopReason): void {
    this.set('stop', BigInt(stopNumber(reason)));
    throw STOPPED;
  }
}
