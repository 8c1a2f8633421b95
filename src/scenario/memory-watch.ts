/** Which words of guest memory differ from the start of a run, and a sum over them that costs little per store. */
import type { JournalEntry } from '../engine/machine.ts';
import type { Guest } from '../kernel/boot.ts';

interface Watched {
  /** Value at the start. */
  readonly start: bigint;
  readonly linear: bigint;
  /** Share in the two lanes of the sum; zero where the word is again as at the start. */
  low: number;
  high: number;
}

export class MemoryWatch {
  private readonly booted: Guest;
  /** By physical address; every word that was ever stored to. */
  private readonly words = new Map<number, Watched>();
  private low = 0;
  private high = 0;
  /** Words that decide nothing, and the part of the sum that is theirs. */
  private readonly counters: ReadonlySet<bigint>;
  private countersLow = 0;
  private countersHigh = 0;

  constructor(booted: Guest, counters: readonly bigint[] = []) {
    this.booted = booted;
    this.counters = new Set(counters);
  }

  /** Forget all changes: memory is again as at the start. */
  reset(): void {
    this.words.clear();
    this.low = this.high = this.countersLow = this.countersHigh = 0;
  }

  /** Note stores just made; returns the linear addresses of their words. */
  note(stores: readonly JournalEntry[]): readonly bigint[] {
    const linear = new Set<bigint>();
    for (const { physical, old } of stores) {
      linear.add(this.watched(physical, old).linear);
    }
    for (const physical of new Set(stores.map((store) => store.physical))) this.update(physical);
    return [...linear];
  }

  /** These words may hold other values now; by physical address, with what lay there before the first store. */
  refresh(words: ReadonlyMap<number, bigint>): void {
    for (const [physical, old] of words) {
      this.watched(physical, old);
      this.update(physical);
    }
  }

  /** Sixteen hexadecimal digits over the words that differ from the start, whatever the order of the stores. */
  get digest(): string {
    return hex(this.high) + hex(this.low);
  }
  /** The same over all words but the counters, as two numbers of 32 bits. */
  get essence(): readonly [number, number] {
    return [(this.high - this.countersHigh) | 0, (this.low - this.countersLow) | 0];
  }

  private watched(physical: number, old: bigint): Watched {
    const known = this.words.get(physical);
    if (known) return known;
    const linear = this.booted.space.linear(physical) ?? BigInt(physical);
    const word = { start: old, linear, low: 0, high: 0 };
    this.words.set(physical, word);
    return word;
  }

  private update(physical: number): void {
    const word = this.words.get(physical);
    if (!word) return;
    const now = this.booted.machine.physicalWord(physical);
    const halves = (value: bigint): number[] => [Number(value & 0xffff_ffffn), Number(value >> 32n)];
    const parts = now === word.start ? undefined : [...halves(word.linear), ...halves(now)];
    const [low, high] = parts ? [parts.reduce(stir, 0x9e37_79b1), parts.reduce(stir, 0x85eb_ca77)] : [0, 0];
    this.low = (this.low - word.low + low) | 0;
    this.high = (this.high - word.high + high) | 0;
    if (this.counters.has(word.linear)) {
      this.countersLow = (this.countersLow - word.low + low) | 0;
      this.countersHigh = (this.countersHigh - word.high + high) | 0;
    }
    word.low = low;
    word.high = high;
  }
}

const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, '0');

/** Adds a word to a 32-bit hash: the mixing steps of MurmurHash3, which is in the public domain. */
export function stir(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0xcc9e_2d51);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x1b87_3593);
  return mixed ^ (mixed >>> 13);
}
