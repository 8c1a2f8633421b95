/**
 * Which words of guest memory differ from the start of a sweep, and a sum over those that mean something. It
 * follows the machine's journal forwards and, before an undo, backwards, so that it costs little per store.
 */
import { JOURNAL, JOURNAL_ENTRY } from '../engine/layout.ts';
import type { Guest } from '../kernel/boot.ts';
import { stir } from '../scenario/memory-watch.ts';

interface Word {
  readonly physical: number;
  readonly linear: bigint;
  readonly region: Region;
  /** At the start. */
  readonly start: bigint;
  /** Share in the two lanes of its region's sum; zero while the word is as at the start. */
  low: number;
  high: number;
}

/** A stretch of memory that is dead or alive as a whole, or word by word. */
interface Region {
  readonly name: string;
  low: number;
  high: number;
  /** Words that differ from the start. */
  readonly changed: Set<Word>;
}

/** A stretch of memory whose words may mean nothing for a while. */
export interface Stretch {
  readonly name: string;
  readonly begin: bigint;
  readonly end: bigint;
}

/** Whether a word of a stretch means nothing now; `true` and `false` stand for all its words. */
export type Dead = (stretch: Stretch) => boolean | ((address: bigint) => boolean);

export class LiveMemory {
  private readonly booted: Guest;
  private readonly view: DataView;
  private readonly stretches: readonly Stretch[];
  private readonly regions: readonly Region[];
  private readonly rest: Region = { name: 'rest', low: 0, high: 0, changed: new Set() };
  /** Words that never mean anything. */
  private readonly counters: ReadonlySet<bigint>;
  private readonly words = new Map<number, Word>();
  private seen: number;

  /** The machine stands at the start of the sweep. */
  constructor(booted: Guest, stretches: readonly Stretch[], counters: ReadonlySet<bigint>) {
    this.booted = booted;
    this.stretches = stretches;
    this.regions = stretches.map(({ name }) => ({ name, low: 0, high: 0, changed: new Set() }));
    this.counters = counters;
    this.view = new DataView(booted.machine.memory.buffer);
    this.seen = booted.machine.journalHead;
  }

  /** Two lanes of 32 bits over the words that differ from the start and mean something now. */
  sum(dead: Dead): readonly [number, number] {
    this.follow();
    let { low, high } = this.rest;
    for (const [n, region] of this.regions.entries()) {
      if (region.changed.size === 0) continue;
      const isDead = dead(this.stretches[n] as Stretch);
      if (isDead === true) continue;
      low = (low + region.low) | 0;
      high = (high + region.high) | 0;
      if (isDead === false) continue;
      for (const word of region.changed) {
        if (!isDead(word.linear)) continue;
        low = (low - word.low) | 0;
        high = (high - word.high) | 0;
      }
    }
    return [low, high];
  }

  /** Stores down to `head` were just taken back. */
  rewind(head: number): void {
    while (this.seen > head) {
      this.seen -= JOURNAL_ENTRY;
      this.update(this.wordAt(this.seen));
    }
  }

  private follow(): void {
    const head = this.booted.machine.journalHead;
    const from = this.seen;
    for (; this.seen < head; this.seen += JOURNAL_ENTRY) this.wordAt(this.seen);
    for (let at = from; at < head; at += JOURNAL_ENTRY) this.update(this.wordAt(at));
  }

  /** The word of a journal entry. Its first entry ever holds its value at the start. */
  private wordAt(at: number): Word {
    if (at < JOURNAL) throw new RangeError('invalid journal: the start of the sweep is forgotten');
    const physical = this.view.getUint32(at, true);
    const known = this.words.get(physical);
    if (known) return known;
    const linear = this.booted.space.linear(physical) ?? BigInt(physical);
    const stretch = this.stretches.findIndex(({ begin, end }) => linear >= begin && linear < end);
    const region = this.regions[stretch] ?? this.rest;
    const start = this.view.getBigUint64(at + 8, true);
    const word: Word = { physical, linear, region, start, low: 0, high: 0 };
    this.words.set(physical, word);
    return word;
  }

  private update(word: Word): void {
    if (this.counters.has(word.linear)) return;
    const { region } = word;
    const now = this.booted.machine.physicalWord(word.physical);
    const same = now === word.start;
    const [a, b] = [Number(now & 0xffff_ffffn), Number(now >> 32n)];
    const low = same ? 0 : mix(word.physical, a, b, 0x9e37_79b1);
    const high = same ? 0 : mix(word.physical, b, a, 0x85eb_ca77);
    region.low = (region.low - word.low + low) | 0;
    region.high = (region.high - word.high + high) | 0;
    word.low = low;
    word.high = high;
    if (same) region.changed.delete(word);
    else region.changed.add(word);
  }
}

/** A 32-bit hash of three numbers. */
export const mix = (a: number, b: number, c: number, seed: number): number => stir(stir(stir(seed, a), b), c);
