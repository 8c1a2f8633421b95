/** Seeded choices (SplitMix64): the same on every machine. */
const mask = (value: bigint): bigint => BigInt.asUintN(64, value);

export class Random {
  private state: bigint;
  constructor(seed: number) {
    this.state = mask(BigInt(seed) * 0x9e37_79b9_7f4a_7c15n + 1n);
  }
  /** 64 bits. */
  word(): bigint {
    this.state = mask(this.state + 0x9e37_79b9_7f4a_7c15n);
    let z = this.state;
    z = mask((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = mask((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  }
  /** 0 to n - 1. */
  below(n: number): number {
    return Number(this.word() % BigInt(n));
  }
  /** True once in n times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

/** Where results change: the ends of every width, small numbers, powers of two and their neighbours. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 63n) + 1n,
  (1n << 64n) - 2n,
  (1n << 64n) - 1n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_ff80n,
  0x5555_5555_5555_5555n,
  0x0f0f_0f0f_0f0f_0f0fn,
];

/** Numbers without a pattern; few, so that recorded vectors stay small. */
const PLAIN: readonly bigint[] = (() => {
  const random = new Random(2016);
  return Array.from({ length: 24 }, () => random.word());
})();

/** 64 bits: mostly an edge, of which only the low `width` bits may be kept, else a number without a pattern. */
export function edge(random: Random, width = 64): bigint {
  if (random.oneIn(4)) return random.pick(PLAIN);
  const value = random.pick(EDGES);
  if (width === 64 || random.oneIn(2)) return value;
  const low = (1n << BigInt(width)) - 1n;
  return (value & low) | (0x1122_3344_5566_7788n & ~low);
}
