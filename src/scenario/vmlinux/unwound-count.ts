/** What an unwinder made of many boundaries, counted; what nothing excuses, by place. */
import type { KernelUnwound } from './kernel-unwound.ts';

/** A boundary at which a trace is wrong or short. */
export interface UnwindFinding {
  /** As `--at` takes it. */
  readonly at: string;
  readonly judgement: string;
  readonly reason: string;
  /** How often, where many runs came by. */
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
  add(at: string, visit: number, unwound: KernelUnwound | undefined): void {
    if (!unwound) return;
    const { judgement, gap, finding, reason } = unwound;
    this.#boundaries++;
    if (judgement === 'right') this.#right++;
    else if (gap !== undefined) this.#gaps.set(gap, (this.#gaps.get(gap) ?? 0) + 1);
    else {
      const list = finding ? this.#findings : this.#reported;
      const known = list.get(at) ?? { at: visit > 1 ? `${at}#${visit}` : at, judgement, reason, times: 0 };
      list.set(at, { ...known, times: known.times + 1 });
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
