/** Shifts, rotates, single bits and bit counts (SDM vol 1, 5.1.5 and 5.1.6). */
import { STATUS } from '../flags.ts';
import type { Ops, Semantics, Width } from '../ops.ts';

/** The count is masked to 5 bits, 6 for 64-bit operands. */
const shiftCount = <V>(m: Ops<V>, width: Width, count: V): V =>
  m.named('count', m.bits(count, 0, width === 64 ? 6 : 5));

/**
 * A count of zero changes no flag (SDM vol 2, SAL). OF is defined for a count of one, and follows the
 * same rule here for others; AF is undefined, here 0.
 */
export const shl: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const count = shiftCount(m, width, m.read(b));
  const result = m.named('result', m.truncate(width, m.shl(x, count)));
  m.write(a, result);
  m.when(count, () => {
    const carry = width === 64 ? m.bit(m.shr(x, m.sub(m.word(64), count)), 0) : m.bit(m.shl(x, count), width);
    m.carryFlags(width, result, carry, m.xor(m.bit(result, width - 1), carry));
  });
};

/** OF is the operand's sign. */
export const shr: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const count = shiftCount(m, width, m.read(b));
  const result = m.named('result', m.shr(x, count));
  m.write(a, result);
  m.when(count, () =>
    m.carryFlags(width, result, m.bit(m.shr(x, m.sub(count, m.word(1))), 0), m.bit(x, width - 1)),
  );
};

export const sar: Semantics = (m, { width, a, b }) => {
  const x = m.signed(width, m.readToModify(a));
  const count = shiftCount(m, width, m.read(b));
  const result = m.named('result', m.sar(x, count));
  m.write(a, result);
  m.when(count, () => m.carryFlags(width, result, m.bit(m.sar(x, m.sub(count, m.word(1))), 0), m.word(0)));
};

/** Rotates change CF and OF only, and those only when the masked count is not zero (SDM vol 2, RCL). */
export const rol: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const count = shiftCount(m, width, m.read(b));
  const left = m.named('left', m.and(count, m.word(width - 1)));
  const right = m.named('right', m.and(m.sub(m.word(width), left), m.word(width - 1)));
  const result = m.named('result', m.truncate(width, m.or(m.shl(x, left), m.shr(x, right))));
  m.write(a, result);
  m.when(count, () => {
    const carry = m.bit(result, 0);
    m.setCarryOverflow(carry, m.xor(m.bit(result, width - 1), carry));
  });
};

export const ror: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const count = shiftCount(m, width, m.read(b));
  const right = m.named('right', m.and(count, m.word(width - 1)));
  const left = m.named('left', m.and(m.sub(m.word(width), right), m.word(width - 1)));
  const result = m.named('result', m.truncate(width, m.or(m.shl(x, left), m.shr(x, right))));
  m.write(a, result);
  m.when(count, () => {
    const carry = m.bit(result, width - 1);
    m.setCarryOverflow(carry, m.xor(carry, m.bit(result, width - 2)));
  });
};

/** Rotates through CF go round in width + 1 bits. */
const throughCarryCount = <V>(m: Ops<V>, width: Width, raw: V): V => {
  const count = shiftCount(m, width, raw);
  if (width >= 32) return count;
  const round = m.word(width + 1);
  const rest = (): V => m.sub(count, m.mul(m.div(count, round), round));
  return m.named('places', m.known('remainder', [count, round], rest));
};

export const rcl: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const count = throughCarryCount(m, width, m.read(b));
  const carry = m.condition('b');
  // From bit 0 up: the carry at count - 1, and above all what left at the top.
  const rest = m.sub(m.word(width), count);
  const around = m.or(
    m.shl(carry, m.and(m.sub(count, m.word(1)), m.word(63))),
    m.shr(m.shr(x, m.word(1)), m.and(rest, m.word(63))),
  );
  const wrapped = m.named('wrapped', around);
  const rotated = m.truncate(width, m.or(m.shl(x, count), wrapped));
  const result = m.named('result', m.select(m.isZero(count), x, rotated));
  m.write(a, result);
  m.when(count, () => {
    const out = m.bit(m.shr(x, rest), 0);
    m.setCarryOverflow(out, m.xor(m.bit(result, width - 1), out));
  });
};

export const rcr: Semantics = (m, { width, a, b }) => {
  const x = m.readToModify(a);
  const count = throughCarryCount(m, width, m.read(b));
  const carry = m.condition('b');
  const rest = m.sub(m.word(width), count);
  const around = m.or(
    m.shl(carry, m.and(rest, m.word(63))),
    m.shl(m.shl(x, m.word(1)), m.and(rest, m.word(63))),
  );
  const wrapped = m.named('wrapped', around);
  const rotated = m.truncate(width, m.or(m.shr(x, count), wrapped));
  const result = m.named('result', m.select(m.isZero(count), x, rotated));
  m.write(a, result);
  m.when(count, () => {
    const out = m.bit(m.shr(x, m.sub(count, m.word(1))), 0);
    m.setCarryOverflow(out, m.xor(m.bit(result, width - 1), m.bit(result, width - 2)));
  });
};

/** SHLD: bits enter from the second operand. A 16-bit count above 16 is undefined, here as if x:y:x were shifted. */
export const shld: Semantics = (m, { width, a, b, c }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const count = shiftCount(m, width, m.read(c));
  const rest = m.and(m.sub(m.word(width), count), m.word(63));
  const pair =
    width === 16 ? m.named('triple', m.or(m.shl(m.or(m.shl(x, m.word(16)), y), m.word(16)), x)) : x;
  const shifted =
    width === 16
      ? m.bits(m.shl(pair, count), 32, 16)
      : m.truncate(width, m.or(m.shl(x, count), m.shr(y, rest)));
  const result = m.named('result', m.select(m.isZero(count), x, shifted));
  m.write(a, result);
  m.when(count, () => {
    const carry = width === 16 ? m.bit(m.shl(pair, count), 48) : m.bit(m.shr(x, rest), 0);
    m.carryFlags(width, result, carry, m.xor(m.bit(result, width - 1), m.bit(x, width - 1)));
  });
};

export const shrd: Semantics = (m, { width, a, b, c }) => {
  const x = m.readToModify(a);
  const y = m.read(b);
  const count = shiftCount(m, width, m.read(c));
  const rest = m.and(m.sub(m.word(width), count), m.word(63));
  const pair =
    width === 16 ? m.named('triple', m.or(m.or(m.shl(x, m.word(32)), m.shl(y, m.word(16))), x)) : x;
  const shifted =
    width === 16
      ? m.bits(m.shr(pair, count), 0, 16)
      : m.truncate(width, m.or(m.shr(x, count), m.shl(y, rest)));
  const result = m.named('result', m.select(m.isZero(count), x, shifted));
  m.write(a, result);
  m.when(count, () => {
    const carry = m.bit(m.shr(pair, m.sub(count, m.word(1))), 0);
    m.carryFlags(width, result, carry, m.xor(m.bit(result, width - 1), m.bit(x, width - 1)));
  });
};

type BitChange = <V>(m: Ops<V>, x: V, mask: V) => V;

/**
 * BT, BTS, BTR, BTC change CF only (OF, SF, AF, PF are undefined, here kept). A register offset into
 * memory is signed and reaches beyond the operand (SDM vol 2, BT; vol 1, 3.7.3); such an access takes a
 * data segment's rights, so that a non-canonical address raises #GP even with a base of RSP.
 */
const bitTest =
  (change?: BitChange): Semantics =>
  (m, { width, a, b }) => {
    const raw = m.read(b);
    const offset = m.and(raw, m.word(width - 1));
    const mask = m.shl(m.word(1), offset);
    if (a.kind === 'm' && b.kind === 'r') {
      const units = m.sar(m.signed(width, raw), m.word(Math.log2(width)));
      const at = m.named('unit', m.addressAt(a, m.mul(units, m.word(width / 8))));
      if (change) m.probe(at, width / 8, a);
      const x = m.load(width, at, a);
      if (change) m.store(width, at, change(m, x, mask), a);
      m.setCarry(m.bit(m.shr(x, offset), 0));
    } else {
      const x = change ? m.readToModify(a) : m.read(a);
      if (change) m.write(a, change(m, x, mask));
      m.setCarry(m.bit(m.shr(x, offset), 0));
    }
  };
export const bt = bitTest();
export const bts = bitTest((m, x, mask) => m.or(x, mask));
export const btr = bitTest((m, x, mask) => m.and(x, m.not(mask)));
export const btc = bitTest((m, x, mask) => m.xor(x, mask));

/** Number of the lowest one; 63 for zero. Halves the range six times. */
const lowestOne = <V>(m: Ops<V>, x: V): V => m.known('lowest_one', [x], () => findLowest(m, x));
function findLowest<V>(m: Ops<V>, x: V): V {
  let rest = x;
  let n = m.word(0);
  for (const step of [32, 16, 8, 4, 2, 1]) {
    const empty = m.isZero(m.bits(rest, 0, step));
    n = m.add(n, m.select(empty, m.word(step), m.word(0)));
    rest = m.select(empty, m.shr(rest, m.word(step)), rest);
  }
  return n;
}

/** Number of the highest one; 0 for zero. */
const highestOne = <V>(m: Ops<V>, x: V): V => m.known('highest_one', [x], () => findHighest(m, x));
function findHighest<V>(m: Ops<V>, x: V): V {
  let rest = x;
  let n = m.word(0);
  for (const step of [32, 16, 8, 4, 2, 1]) {
    const upper = m.shr(rest, m.word(step));
    const used = m.isZero(m.isZero(upper));
    n = m.add(n, m.select(used, m.word(step), m.word(0)));
    rest = m.select(used, upper, rest);
  }
  return n;
}

/** A zero source sets ZF and leaves the destination alone; the other flags are undefined, here those of the source. */
const scan =
  (find: <V>(m: Ops<V>, x: V) => V): Semantics =>
  (m, { width, a, b }) => {
    const x = m.read(b);
    m.when(x, () => m.write(a, find(m, x)));
    m.logicFlags(width, x);
  };
export const bsf = scan(lowestOne);
export const bsr = scan(highestOne);

/** A zero source gives the width and CF; OF, SF, AF, PF are undefined, here those of the result. */
const countZeros =
  (find: <V>(m: Ops<V>, width: Width, x: V) => V): Semantics =>
  (m, { width, a, b }) => {
    const x = m.read(b);
    const none = m.isZero(x);
    const count = m.named('zeros', m.select(none, m.word(width), find(m, width, x)));
    m.write(a, count);
    m.carryFlags(width, count, none, m.word(0));
  };
export const tzcnt = countZeros((m, _, x) => lowestOne(m, x));
export const lzcnt = countZeros((m, width, x) => m.sub(m.word(width - 1), highestOne(m, x)));

/** Sums of pairs, nibbles and bytes; the product adds the bytes up at its top. */
function countOnes<V>(m: Ops<V>, x: V): V {
  const pairs = m.sub(x, m.and(m.shr(x, m.word(1)), m.word(0x5555_5555_5555_5555n)));
  const low = m.word(0x3333_3333_3333_3333n);
  const nibbles = m.add(m.and(pairs, low), m.and(m.shr(pairs, m.word(2)), low));
  const bytes = m.and(m.add(nibbles, m.shr(nibbles, m.word(4))), m.word(0x0f0f_0f0f_0f0f_0f0fn));
  return m.shr(m.mul(bytes, m.word(0x0101_0101_0101_0101n)), m.word(56));
}

/** ZF tells a zero source; the other five flags are cleared (SDM vol 2, POPCNT). */
export const popcnt: Semantics = (m, { a, b }) => {
  const x = m.read(b);
  m.write(
    a,
    m.known('ones', [x], () => countOnes(m, x)),
  );
  // PF of a result is its parity; through an image it can be cleared as well.
  m.setRflags(m.shl(m.isZero(x), m.word(6)), STATUS);
};
