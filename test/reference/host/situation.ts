/** The state before an instruction, while it is being made up. */
import { CODE, DATA, type Range, type VectorState } from '../../../src/cli/vectors/format.ts';
import type { Address } from '../code.ts';
import type { Random } from '../random.ts';

export const [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
/** Where RSP points unless a case says otherwise. */
export const STACK = DATA + 0x8000n;
/** CF PF AF ZF SF OF. */
const STATUS = 0x8d5n;
/** Displacements of 32 bits. */
const FAR = [0x1000n, -0x1000n, 0x80n, -0x81n, 0x7fff_ffffn, -0x8000_0000n, 0x1234_5678n];
/** Bit 1 and IF, which ring 3 cannot change here. */
const PLAIN = 0x202n;

const word = (value: bigint): bigint => BigInt.asUintN(64, value);

const isCanonical = (at: bigint): boolean => word(BigInt.asIntN(48, at)) === word(at);

export class Situation {
  readonly registers: bigint[];
  rip: bigint;
  rflags: bigint;
  fsBase = 0n;
  gsBase = 0n;
  /** Registers that a part of the case relies on. */
  private readonly fixed = new Set<number>();
  private readonly cells = new Map<bigint, number>();
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
    // Nobody's registers: recognisable, and no addresses.
    this.registers = Array.from({ length: 16 }, (_, n) => 0xa5a5_0000_0000_0000n + BigInt(n) * 0x1_0001n);
    this.registers[RSP] = STACK;
    this.rip = CODE + BigInt(random.pick([0, 0x100, 0x7f0]));
    this.rflags = PLAIN | (random.word() & STATUS);
  }

  /** Give a register a value, unless it has one that matters. */
  set(n: number, value: bigint): void {
    if (this.fixed.has(n)) return;
    this.registers[n] = word(value);
    this.fixed.add(n);
  }
  get(n: number): bigint {
    return this.registers[n] ?? 0n;
  }
  /** Put a value of `width` bits into memory, as far as it lies in the data. */
  put(at: bigint, width: number, value: bigint): void {
    for (let n = 0n; n < BigInt(width / 8); n++) {
      const place = at + n;
      if (place >= DATA && place < DATA + 0x1_0000n)
        this.cells.set(place, Number((word(value) >> (8n * n)) & 0xffn));
    }
  }

  /**
   * Address `target` in one of the ways there are: free registers get values that lead there. A displacement
   * from RIP counts from the start of the instruction, whose length is not known yet.
   */
  address(target: bigint, free: readonly number[], segments = true): Address {
    const { random } = this;
    const start = random.pick([0x1000n, DATA, 0x7fff_ffff_0000n, 8n]);
    // AMD's processors refuse an offset that is not canonical, even if the address with the base is.
    const plainOffset = isCanonical(target) === isCanonical(target - start);
    const segment =
      segments && random.oneIn(8) && plainOffset ? random.pick(['fs', 'gs'] as const) : undefined;
    const from = segment === undefined ? 0n : start;
    if (segment === 'fs') this.fsBase = from;
    if (segment === 'gs') this.gsBase = from;
    const offset = word(target - from);
    const near = (to: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(32, to)) === to;
    const plain = { index: undefined, scale: 1, size: 4, segment } as const;
    const relative = word(offset - this.rip);
    if (near(relative) && random.oneIn(10)) return { ...plain, base: 'rip', displacement: relative };
    if (near(offset) && random.oneIn(12)) return { ...plain, base: undefined, displacement: offset };

    const open = free.filter((n) => !this.fixed.has(n));
    const base = random.pick(open);
    const indexes = open.filter((n) => n !== base && n !== RSP);
    const index = random.oneIn(3) && indexes.length > 0 ? random.pick(indexes) : undefined;
    const scale = index === undefined ? 1 : random.pick([1, 2, 4, 8] as const);
    const size = random.pick([0, 1, 4] as const);
    const displacement = word(
      size === 0 ? 0n : size === 1 ? BigInt(random.below(256) - 128) : random.pick(FAR),
    );
    if (index !== undefined) this.set(index, random.pick([0n, 1n, 7n, word(-3n), 0x1_0000_0000n]));
    const scaled = index === undefined ? 0n : this.get(index) * BigInt(scale);
    // A base without a form of size 0 takes one byte, which is 0.
    this.set(base, offset - displacement - scaled);
    return { base, index, scale, displacement, size, segment };
  }

  state(): VectorState {
    const { registers, rip, rflags, fsBase, gsBase } = this;
    return { registers: [...registers], rip, rflags, fsBase, gsBase, memory: this.ranges() };
  }
  /** What is not zero, in runs. */
  private ranges(): readonly Range[] {
    const ranges: { at: bigint; bytes: number[] }[] = [];
    for (const at of [...this.cells.keys()].sort((a, b) => (a < b ? -1 : 1))) {
      const byte = this.cells.get(at) ?? 0;
      const last = ranges.at(-1);
      if (last && last.at + BigInt(last.bytes.length) === at) last.bytes.push(byte);
      else ranges.push({ at, bytes: [byte] });
    }
    return ranges
      .filter(({ bytes }) => bytes.some((byte) => byte !== 0))
      .map(({ at, bytes }) => ({ at, bytes: Uint8Array.from(bytes) }));
  }
}
