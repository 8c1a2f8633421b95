/**
 * Unwinders, asked and judged at every state that a sweep comes to, each state once. What they say there is counted, and where
 * one says something wrong or stops, and nothing shows it (invariant I6), the shortest schedule is kept.
 */
import type { Execution } from '../scenario/execution.ts';
import { Views } from '../scenario/views.ts';
import { place } from '../scenario/words.ts';
import { breaksI6, gapOf } from '../unwind/eras/gaps.ts';
import { judge } from '../unwind/judge.ts';
import type { Unwinder } from '../unwind/rules.ts';
import type { TruthLog } from '../unwind/truth.ts';
import { CODES, type Judgement } from '../unwind/view.ts';
import { mix } from './live-memory.ts';
import type { Strike } from './outcomes.ts';
import { half, type StateKey } from './state-key.ts';

/** States at which an unwinder broke I6, or I12, alike. */
export interface Unsaid {
  readonly invariant: 'I6' | 'I12';
  readonly judgement: Judgement;
  readonly sentence: string;
  /** The shortest way there. */
  readonly schedule: readonly Strike[];
  readonly boundary: number;
  readonly states: number;
}

/** What one unwinder made of the distinct states. */
export interface Asked {
  readonly unwinder: string;
  /** How many by judgement, in the order of `CODES`. */
  readonly states: readonly number[];
  /** How many are no break of I6 only since the unwinder cannot do better by its design, by the name of the gap. */
  readonly gaps: Readonly<Record<string, number>>;
  readonly unsaid: readonly Unsaid[];
}

/** Registers that a trace may depend on beside memory. */
const FIELDS = ['rip', 'rsp', 'rbp', 'rax', 'rdx', 'rdi', 'r10', 'r13', 'cpl'] as const;
/** What a lane of a key counts up to. */
const LANE = 0x1_0000_0000;
/** Kinds of breaks that are told. */
const TOLD = 50;

interface Kept {
  readonly unwinder: Unwinder;
  readonly states: number[];
  readonly gaps: Map<string, number>;
  readonly unsaid: Map<string, Unsaid>;
}

export class Judging {
  private readonly execution: Execution;
  private readonly right: boolean;
  private readonly key: StateKey;
  private readonly views: Views;
  private readonly kept: readonly Kept[];
  /** By state: code of the first unwinder's judgement. */
  private readonly known = new Map<number, number>();

  /** @param right whether they must be right, and not only say so where they are not */
  constructor(execution: Execution, key: StateKey, unwinders: readonly Unwinder[], right: boolean) {
    this.right = right;
    this.execution = execution;
    this.key = key;
    this.views = new Views(execution);
    this.kept = unwinders.map((unwinder) => ({
      unwinder,
      states: CODES.map(() => 0),
      gaps: new Map(),
      unsaid: new Map(),
    }));
  }

  /**
   * Code of the first unwinder's judgement here.
   *
   * @param schedule and `boundary` how the run came here; a shorter way to the same state comes first, or is not told
   * @param counts whether the state is one of this sweep, and not of another shard
   */
  at(truth: TruthLog, schedule: readonly Strike[], boundary: number, counts: boolean): number {
    const key = this.keyOf(truth);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const view = this.views.now();
    const live = truth.truth(view.rip, view.rsp, view.stacks);
    const name = (address: bigint): string => place(this.execution.image, address);
    let first = -1;
    for (const { unwinder, states, gaps, unsaid } of this.kept) {
      const { id, always = false } = unwinder;
      const trace = unwinder.unwind(view);
      const judged = judge(trace, live, view, name, always);
      const code = CODES.indexOf(judged.judgement);
      if (first < 0) first = code;
      if (!counts) continue;
      states[code] = (states[code] ?? 0) + 1;
      const { judgement, reason } = judged;
      const wanting = this.right && !live.lost && judgement !== 'right' && judgement !== 'not-asked';
      const { breaks, gap = wanting ? gapOf(id, trace, live, view) : undefined } = breaksI6(
        id,
        judged,
        trace,
        live,
        view,
      );
      if (gap) {
        gaps.set(gap.id, (gaps.get(gap.id) ?? 0) + 1);
        continue;
      }
      if (!breaks && !wanting) continue;
      const invariant: Unsaid['invariant'] = breaks ? 'I6' : 'I12';
      const like = `${judgement} ${reason.replace(/[+-](?:0x)?[\da-f]+\b|\d+/g, '')}`;
      const before = unsaid.get(like);
      const shorter =
        !before ||
        schedule.length < before.schedule.length ||
        (schedule.length === before.schedule.length && boundary < before.boundary);
      const best = shorter
        ? { invariant, judgement, sentence: `${id} ${reason}`, schedule, boundary }
        : before;
      unsaid.set(like, { ...best, states: (before?.states ?? 0) + 1 });
    }
    this.known.set(key, first);
    return first;
  }

  /**
   * Where runs may meet: in states that go on alike, by `key`, and of which unwinders say the same from then on. Words that mean nothing
   * to the code may mean something to them: a stale link is followed, a stale address is listed.
   */
  meeting(key: number, truth: TruthLog): number {
    const all = this.keyOf(truth);
    const [high, highOfAll] = [Math.floor(key / LANE), Math.floor(all / LANE)];
    const a = mix(key | 0, all | 0, highOfAll, 0x0824_3f6a);
    const b = mix(high, highOfAll, all | 0, 0x1e37_79b9);
    return (b & 0x1f_ffff) * LANE + (a >>> 0);
  }

  /** What was counted so far. */
  get asked(): readonly Asked[] {
    return this.kept.map(({ unwinder, states, gaps, unsaid }) => ({
      unwinder: unwinder.id,
      states,
      gaps: Object.fromEntries(gaps),
      unsaid: [...unsaid.values()]
        .toSorted((a, b) => a.schedule.length - b.schedule.length || a.boundary - b.boundary)
        .slice(0, TOLD),
    }));
  }

  /** Equal for states that every unwinder sees alike: registers, every word of memory, dead ones too, and what is alive. */
  private keyOf(truth: TruthLog): number {
    const { machine } = this.execution.booted;
    const [low, high] = this.key.whole();
    let a = mix(low, truth.sum, 0, 0x243f_6a88);
    let b = mix(high, truth.sum, 0, 0x1319_8a2e);
    for (const field of FIELDS) {
      const value = machine.get(field);
      a = mix(a, half(value), half(value >> 32n), 0x7f4a_7c15);
      b = mix(b, half(value), half(value >> 32n), 0x27d4_eb2f);
    }
    return ((b ^ (b >>> 16)) & 0x1f_ffff) * LANE + (a >>> 0);
  }
}
