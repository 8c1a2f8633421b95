/** Bits and sums without a detour through flags: BMI1, BMI2, ADX (SDM vol 1, 5.1.13; vol 2). */
import { carriesOfAdd } from '../flags.ts';
import type { Ops, Semantics, Width } from '../ops.ts';

/** CF as given, OF cleared; AF and PF are undefined, here 0 and the result's. */
const flags = <V>(m: Ops<V>, width: Width, result: V, carry: V): void =>
  m.carryFlags(width, result, carry, m.word(0));

export const andn: Semantics = (m, { width, a, b, c }) => {
  const result = m.and(m.not(m.read(b)), m.read(c));
  m.write(a, result);
  m.logicFlags(width, result);
};

/** The low bits of the third operand: start in bits 7:0, length in bits 15:8. Only ZF means something. */
export const bextr: Semantics = (m, { width, a, b, c }) => {
  const x = m.read(b);
  const control = m.read(c);
  const start = m.named('start', m.bits(control, 0, 8));
  const length = m.named('length', m.bits(control, 8, 8));
  const inside = m.below(start, m.word(width));
  const rest = m.named('rest', m.select(inside, m.shr(x, m.bits(start, 0, 6)), m.word(0)));
  const mask = m.named('mask', m.sub(m.shl(m.word(1), m.bits(length, 0, 6)), m.word(1)));
  const result = m.named('result', m.select(m.below(length, m.word(width)), m.and(rest, mask), rest));
  m.write(a, result);
  flags(m, width, result, m.word(0));
};

/** CF tells of BLSI a source that is not zero, of the others one that is. */
const lowest =
  (make: <V>(m: Ops<V>, x: V, less: V) => V, carryOfZero: boolean): Semantics =>
  (m, { width, a, b }) => {
    const x = m.read(b);
    const result = m.truncate(width, make(m, x, m.sub(x, m.word(1))));
    m.write(a, result);
    flags(m, width, result, carryOfZero ? m.isZero(x) : m.isZero(m.isZero(x)));
  };
export const blsi = lowest((m, x, less) => m.and(x, m.not(less)), false);
export const blsr = lowest((m, x, less) => m.and(x, less), true);
export const blsmsk = lowest((m, x, less) => m.xor(x, less), true);

/** Bits from a number up cleared; a number beyond the width clears none and sets CF. */
export const bzhi: Semantics = (m, { width, a, b, c }) => {
  const x = m.read(b);
  const from = m.named('from', m.bits(m.read(c), 0, 8));
  const inside = m.below(from, m.word(width));
  const mask = m.named('mask', m.sub(m.shl(m.word(1), m.bits(from, 0, 6)), m.word(1)));
  const result = m.named('result', m.select(inside, m.and(x, mask), x));
  m.write(a, result);
  flags(m, width, result, m.isZero(inside));
};

/** The product of EDX or RDX, no flags; the high half is written last. */
export const mulx: Semantics = (m, { width, a, b, c }) => {
  const x = m.reg(width, 'rdx');
  const y = m.read(c);
  const low = m.mul(x, y);
  const high = width === 64 ? m.mulHigh(x, y) : m.shr(low, m.word(width));
  m.write(b, low);
  m.write(a, high);
};

/** Shifts by a register without flags. */
const shift =
  (make: <V>(m: Ops<V>, width: Width, x: V, count: V) => V): Semantics =>
  (m, { width, a, b, c }) => {
    const x = m.read(b);
    const count = m.bits(m.read(c), 0, width === 64 ? 6 : 5);
    m.write(a, make(m, width, x, count));
  };
export const shlx = shift((m, _, x, count) => m.shl(x, count));
export const shrx = shift((m, _, x, count) => m.shr(x, count));
export const sarx = shift((m, width, x, count) => m.sar(m.signed(width, x), count));
export const rorx: Semantics = (m, { width, a, b, c }) => {
  const x = m.read(b);
  const right = m.and(m.read(c), m.word(width - 1));
  const left = m.and(m.sub(m.word(width), right), m.word(width - 1));
  m.write(a, m.or(m.shr(x, right), m.shl(x, left)));
};

/** For every one of the mask a bit: PDEP puts the next low bit there, PEXT collects it. */
const scatter = <V>(m: Ops<V>, x: V, mask: V, deposit: boolean): V => {
  let result = m.word(0);
  let n = m.word(0);
  for (let at = 0; at < 64; at++) {
    const wanted = m.bits(mask, at, 1);
    const bit = deposit ? m.bits(m.shr(x, n), 0, 1) : m.bits(x, at, 1);
    result = m.or(result, m.shl(m.and(bit, wanted), deposit ? m.word(at) : n));
    n = m.add(n, wanted);
  }
  return result;
};
export const pdep: Semantics = (m, { a, b, c }) =>
  m.write(
    a,
    m.routine('deposit', [m.read(b), m.read(c)], (r, x, mask) => scatter(r, x, mask, true)),
  );
export const pext: Semantics = (m, { a, b, c }) =>
  m.write(
    a,
    m.routine('extract', [m.read(b), m.read(c)], (r, x, mask) => scatter(r, x, mask, false)),
  );

/** Two chains of carries side by side: ADCX takes and changes CF alone, ADOX takes and changes OF alone. */
const addWith =
  (overflow: boolean): Semantics =>
  (m, { width, a, b }) => {
    const x = m.read(a);
    const y = m.read(b);
    const sum = m.named('sum', m.add(m.add(x, y), m.condition(overflow ? 'o' : 'b')));
    const carry = m.known('carry_out', [x, y, sum], () => m.bit(carriesOfAdd(m, x, y, sum), width - 1));
    m.write(a, sum);
    if (overflow) m.setOverflow(carry);
    else m.setCarry(carry);
  };
export const adcx = addWith(false);
export const adox = addWith(true);

/** The polynomial 11EDC6F41, bits reversed (SDM vol 2, CRC32). */
const POLYNOMIAL = 0x82f6_3b78;
/** One byte of CRC-32C, already combined with the sum. */
const crcByte = <V>(m: Ops<V>, sum: V): V => {
  let rest = sum;
  for (let n = 0; n < 8; n++)
    rest = m.xor(m.shr(rest, m.word(1)), m.mul(m.bits(rest, 0, 1), m.word(POLYNOMIAL)));
  return rest;
};
export const crc32: Semantics = (m, { a, b }) => {
  const x = m.read(b);
  let sum = m.truncate(32, m.read(a));
  for (let byte = 0; byte < b.width / 8; byte++)
    sum = m.routine('crc32c', [m.xor(sum, m.bits(x, 8 * byte, 8))], (r, one) => crcByte(r, one));
  m.write(a, sum);
};
