/** What an unwinder made of many boundaries, counted; what nothing excuses, by the function that walks come to last. */
import type { KernelUnwound } from './kernel-unwound.ts';

/** Boundaries at which traces are wrong or short in one way. */
export interface UnwindFinding {
  /** The function that the walks come to last: what lies outside of it is missing, or something else is listed. */
  readonly last: string;
  /** Where it was found first, as `--at` counts. */
  readonly at: string;
  /** What had struck there, for a replay. */
  readonly strikes: readonly { readonly event: string; readonly at: string }[];
  readonly judgement: string;
  readonly reason: string;
  /** How many. */
  readonly times: number;
}

export interface UnwoundCounts {
  /** Boundaries in the kernel. */
  readonly boundaries: number;
  readonly right: number;
  /** Where the unwinder says so: unwind_error(), or a warning. */
  readonly reported: readonly UnwindFinding[];
  /** Excused by a gap by design, by its name. */
  readonly gaps: Readonly<Record<string, number>>;
  /** Where nobody is told. */
  readonly findings: readonly UnwindFinding[];
}

export class UnwoundCount {
  #boundaries = 0;
  #right = 0;
  readonly #gaps = new Map<string, number>();
  readonly #reported = new Map<string, UnwindFinding>();
  readonly #findings = new Map<string, UnwindFinding>();

  /** @param visit how often control has come there */
  add(
    at: string,
    visit: number,
    unwound: KernelUnwound | undefined,
    strikes: UnwindFinding['strikes'] = [],
  ): void {
    if (!unwound) return;
    const { judgement, gap, finding, reason, last } = unwound;
    this.#boundaries++;
    if (judgement === 'right') this.#right++;
    else if (gap !== undefined) this.#gaps.set(gap, (this.#gaps.get(gap) ?? 0) + 1);
    else {
      const list = finding ? this.#findings : this.#reported;
      const key = `${last} ${judgement}`;
      const place = visit > 1 ? `${at}#${visit}` : at;
      const known = list.get(key) ?? { last, at: place, strikes, judgement, reason, times: 0 };
      list.set(key, { ...known, times: known.times + 1 });
    }
  }

  get counts(): UnwoundCounts {
    return {
      boundaries: this.#boundaries,
      right: this.#right,
      reported: [...this.#reported.values()],
      gaps: Object.fromEntries([...this.#gaps].sort(([a], [b]) => (a < b ? -1 : 1))),
      findings: [...this.#findings.values()],
    };
  }
}
