/** Registers and memory that instructions use without naming them, and values that matter to them. */
import { CODE, DATA } from '../../../src/cli/vectors/format.ts';
import type { Width } from '../../../src/isa/ops.ts';
import { edge, type Random } from '../random.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, type Situation, STACK } from './situation.ts';

/** Shift counts around every width's mask. */
const COUNTS = [0, 1, 1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 63, 64, 65, 127, 128, 255].map(BigInt);
const SELECTORS = [0n, 3n, 0x2bn, 0x2bn, 0x28n, 0x33n, 0x10n, 0x18n, 0xfffbn];
/** Where branches lead: into the page, elsewhere, to the last canonical address and beyond. */
const TARGETS = [
  CODE + 0x40n,
  CODE + 0xfffn,
  DATA,
  0n,
  0x7fff_ffff_efffn,
  0xffff_ffff_8100_0000n,
  0x8000_0000_0000n,
  1n << 63n,
  0xffff_7fff_ffff_ffffn,
];
const TF = 0x100n;

export const isShift = (mnemonic: string): boolean => /^(sh[lr]|sa[lr]|ro[lr]|rc[lr])d?$/.test(mnemonic);
export const isStack = (mnemonic: string): boolean =>
  /^(push|pop|call|l?ret|enter|leave|iret)/.test(mnemonic) && mnemonic !== 'popcnt';
export const isString = (mnemonic: string): boolean =>
  /^(?:addr32 )?(?:rep(?:n?z)? )?(?:movs|stos|lods|cmps|scas)$/.test(mnemonic);

/** Start and length of a field of bits. */
const control = (random: Random): bigint =>
  (edge(random) & ~0xffffn) | random.pick(COUNTS) | (random.pick(COUNTS) << 8n);

/** An operand's value: of the kind that its instruction tells apart. */
export function operandValue(mnemonic: string, width: number, same: bigint, random: Random): bigint {
  if (/^(lsl|lar|verr|verw)$/.test(mnemonic)) return random.pick(SELECTORS);
  if (/^(cmp|cmpxchg|sub)$/.test(mnemonic) && random.oneIn(2)) return same;
  if (mnemonic === 'bextr') return random.oneIn(2) ? edge(random, width) : control(random);
  if (/^(bzhi|rorx|sarx|shlx|shrx)$/.test(mnemonic))
    return random.oneIn(2) ? edge(random, width) : (edge(random) & ~0xffn) | random.pick(COUNTS);
  if (/^wr[fg]sbase$/.test(mnemonic))
    return random.pick([edge(random), DATA, 0x7fff_ffff_ffffn, 0xffff_8000_0000_0000n]);
  return edge(random, width);
}
/** The first six of them are canonical. */
export const targetValue = (random: Random, canonical = false): bigint =>
  random.pick(canonical ? TARGETS.slice(0, 6) : TARGETS);
export const selectorValue = (random: Random): bigint => (edge(random) & ~0xffffn) | random.pick(SELECTORS);

export function immediateValue(mnemonic: string, width: number, random: Random): bigint {
  if (isShift(mnemonic) || mnemonic === 'rorx') return random.pick(COUNTS);
  if (mnemonic === 'enter') {
    const level = BigInt(random.pick([0, 0, 1, 2, 3, 5, 30, 31, 32, 35, 255]));
    // Where the check of the last RSP faults, AMD's processors have pushed already: no such sizes here.
    return (level << 16n) | random.pick([0n, 8n, 0x10n, 0x101n, 0x7000n]);
  }
  if (/^bt/.test(mnemonic)) return BigInt(random.below(256));
  if (mnemonic === 'ret') return random.pick([0n, 8n, 3n, 0x7ff8n, 0xfff8n]);
  return edge(random, width);
}

/** Fix the registers that `mnemonic` uses by itself, before an address takes any. */
export function implicit(s: Situation, mnemonic: string, width: Width, same: bigint, random: Random): void {
  if (/^i?mul$|^i?div$/.test(mnemonic)) {
    s.set(RAX, edge(random, width));
    const sign = BigInt.asIntN(width, s.get(RAX)) < 0n ? -1n : 0n;
    s.set(RDX, random.pick([0n, sign, sign, 1n, edge(random, width)]));
  }
  if (/^(c[bwlq]t|sahf|lahf)/.test(mnemonic)) s.set(RAX, edge(random, width));
  if (/^c[wlq]t/.test(mnemonic)) s.set(RDX, edge(random, width));
  if (/^cmpxchg/.test(mnemonic)) s.set(RAX, random.oneIn(2) ? same : edge(random, width));
  if (/^cmpxchg\d/.test(mnemonic)) {
    s.set(RDX, random.oneIn(3) ? edge(random, width) : same);
    s.set(RBX, edge(random, width));
    s.set(RCX, edge(random, width));
  }
  if (mnemonic === 'mulx') s.set(RDX, edge(random, width));
  if (isShift(mnemonic)) s.set(RCX, random.pick(COUNTS) | (random.oneIn(2) ? 0xff00n : 0n));
  if (/^(loop|j[er]cxz)/.test(mnemonic)) s.set(RCX, random.pick([0n, 1n, 2n, 0x1_0000_0000n, edge(random)]));
  if (isString(mnemonic)) strings(s, mnemonic, width, random);
  if (isStack(mnemonic)) stack(s, mnemonic, width, random);
}

function strings(s: Situation, mnemonic: string, width: Width, random: Random): void {
  const size = BigInt(width / 8);
  const repeated = mnemonic.includes('rep');
  const count = repeated ? random.below(7) : 1;
  if (repeated) s.set(RCX, BigInt(count));
  const down = random.oneIn(3);
  if (down) s.rflags |= 0x400n;
  const from = DATA + 0x100n + BigInt(random.below(4));
  // Overlapping regions show the order of reads and writes.
  const to = random.oneIn(4) ? from + BigInt(random.below(9)) : DATA + 0x2ff0n + BigInt(random.below(24));
  const value = edge(random, width);
  s.set(RSI, from);
  s.set(RDI, to);
  s.set(RAX, random.oneIn(3) ? edge(random, width) : value);
  for (let n = 0n; n <= count; n++) {
    const step = (down ? -n : n) * size;
    const read = random.oneIn(4) ? edge(random, width) : value;
    s.put(from + step, width, read);
    if (/cmps|scas/.test(mnemonic)) s.put(to + step, width, random.oneIn(4) ? edge(random, width) : value);
  }
}

function stack(s: Situation, mnemonic: string, width: number, random: Random): void {
  const top = STACK + random.pick([0n, 0n, 3n, 8n]);
  s.set(RSP, top);
  if (mnemonic === 'ret') s.put(top, 64, random.pick(TARGETS));
  else if (mnemonic === 'lret') {
    // AMD's processors read SS and RSP before they look at a CS of another ring.
    s.put(top, width, random.pick(TARGETS));
    s.put(top + BigInt(width / 8), width, random.pick([0x33n, 0x33n, 0x33n, ...SELECTORS]) | 3n);
  } else if (/^popf/.test(mnemonic)) s.put(top, 64, edge(random) & ~TF);
  else if (/^pop/.test(mnemonic)) s.put(top, 64, edge(random));
  if (/^(leave|enter)/.test(mnemonic)) {
    const frame = STACK + 0x48n;
    s.set(RBP, frame);
    for (let n = 0n; n < 5n; n++) s.put(frame - 8n * n, 64, edge(random));
  }
  if (/^iret/.test(mnemonic)) {
    if (random.oneIn(10)) s.rflags |= 0x4000n;
    const most = <T>(usual: T, others: readonly T[]): T => (random.oneIn(5) ? random.pick(others) : usual);
    const put = (n: number, word: bigint): void => s.put(top + BigInt((n * width) / 8), width, word);
    put(0, random.pick(TARGETS));
    put(1, most(0x33n, [0n, 3n, 0x10n, 0x30n, 0x2bn, 0xfffbn]));
    put(2, edge(random) & ~TF);
    put(3, edge(random));
    put(4, most(0x2bn, [0n, 3n, 0x18n, 0x28n, 0x33n, 0xfffbn]));
  }
}
