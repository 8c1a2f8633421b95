/** How the schedules of a sweep over a real kernel ended, counted. */
import type { KernelEnd } from '../../scenario/vmlinux/kernel-course.ts';

/** Schedules by verdict. */
export type KernelTally = Readonly<Record<KernelEnd['verdict'], number>>;

/** All that ended in one way. */
export interface KernelReason {
  readonly verdict: KernelEnd['verdict'];
  readonly invariant?: string;
  readonly reason: string;
  readonly schedules: number;
}

/** How many schedules ended in which way, by the number of the way. */
export type Counts = ReadonlyMap<number, number>;
export const NONE: Counts = new Map();

export function sumOf(a: Counts, b: Counts): Counts {
  if (a.size === 0 || b.size === 0) return a.size === 0 ? b : a;
  const sum = new Map(a);
  for (const [way, count] of b) sum.set(way, (sum.get(way) ?? 0) + count);
  return sum;
}

/** The worst that became of any; `-` for none. */
export const worstOf = ({ broken, stopped, returned }: KernelTally): KernelEnd['verdict'] | '-' =>
  broken > 0 ? 'broken' : stopped > 0 ? 'stopped' : returned > 0 ? 'returned' : '-';

export class Ends {
  readonly #numbers = new Map<string, number>();
  readonly #ends: KernelEnd[] = [];
  readonly #totals: number[] = [];

  /** The number of a way to end. */
  number(end: KernelEnd): number {
    const name = `${end.verdict} ${'reason' in end ? end.reason : ''}`;
    const known = this.#numbers.get(name) ?? this.#ends.push(end) - 1;
    this.#numbers.set(name, known);
    return known;
  }

  /** These are schedules of the sweep. */
  count(counts: Counts): KernelTally {
    const tally = { returned: 0, broken: 0, stopped: 0 };
    for (const [number, count] of counts) {
      const { verdict } = this.#ends[number] as KernelEnd;
      tally[verdict] += count;
      this.#totals[number] = (this.#totals[number] ?? 0) + count;
    }
    return tally;
  }

  /** Of those that did not return, the most frequent first. */
  get reasons(): readonly KernelReason[] {
    return this.#ends
      .flatMap((end, n) => (end.verdict === 'returned' ? [] : [{ ...end, schedules: this.#totals[n] ?? 0 }]))
      .toSorted((a, b) => b.schedules - a.schedules);
  }
}
