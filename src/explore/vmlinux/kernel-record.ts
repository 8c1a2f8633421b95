/** What sweeps over a shipped kernel said: plain data that a page shows, and that `npm run test:kernels` makes again and compares. */
import type { UnwindFinding, UnwoundCounts } from '../../scenario/vmlinux/unwound-count.ts';
import type { KernelReason, KernelTally } from './kernel-ends.ts';
import type { KernelSweep } from './kernel-sweep.ts';

/** Traces that are wrong or short in one way, and nothing shows it. */
export interface RecordedTraces {
  /** The function that they come to last. */
  readonly last: string;
  readonly judgement: string;
  /** The first place, as `--at` takes it, and what had struck. */
  readonly at: string;
  readonly strikes: UnwindFinding['strikes'];
  readonly reason: string;
  readonly states: number;
}

/** What ORC said of the states of a sweep. */
export interface RecordedOrc {
  readonly states: number;
  readonly right: number;
  /** By the name of the gap by design. */
  readonly gaps: Readonly<Record<string, number>>;
  /** Wrong or short, and the unwinder says so. */
  readonly reported: number;
  readonly silent: readonly RecordedTraces[];
}

export interface RecordedSweep {
  readonly path: KernelSweep['path'];
  readonly user: boolean;
  readonly text: KernelSweep['text'];
  readonly boundaries: number;
  /** By schedule, at how many of them it could begin. */
  readonly tried: Readonly<Record<string, number>>;
  readonly outcomes: KernelTally;
  readonly reasons: readonly KernelReason[];
  /** First events that lead to a broken run: at how many boundaries, the first and the last. */
  readonly broken: { readonly boundaries: number; readonly from: string; readonly to: string } | undefined;
  readonly cut: readonly string[];
  /** Undefined in sweeps of pairs: their states are those of single events and what a broken run makes of them. */
  readonly orc: RecordedOrc | undefined;
}

export interface RecordedKernel {
  readonly package: string;
  readonly version: string;
  readonly buildId: string;
  /** What the text was patched for where it was. */
  readonly features: readonly string[];
  readonly sweeps: readonly RecordedSweep[];
}

function orcOf({ boundaries, right, gaps, reported, findings }: UnwoundCounts): RecordedOrc {
  const silent = findings.map(({ last, judgement, at, strikes, reason, times }) => {
    return { last, judgement, at, strikes, reason, states: times };
  });
  return {
    states: boundaries,
    right,
    gaps,
    reported: reported.reduce((sum, { times }) => sum + times, 0),
    silent,
  };
}

/** What is kept of a sweep. */
export function recordOf(swept: KernelSweep): RecordedSweep {
  const { path, user, text, boundaries, schedules, outcomes, reasons, cut, unwound } = swept;
  const at = (name: string): number => boundaries.filter(({ verdicts }) => verdicts[name] !== '-').length;
  const broken = boundaries.filter(({ verdicts }) => Object.values(verdicts).includes('broken'));
  const [first] = broken;
  return {
    path,
    user,
    text,
    boundaries: boundaries.length,
    tried: Object.fromEntries(schedules.map((name) => [name, at(name)])),
    outcomes,
    reasons,
    broken: first && { boundaries: broken.length, from: first.at, to: broken.at(-1)?.at ?? first.at },
    cut,
    orc: unwound && !schedules.some((name) => name.includes('+')) ? orcOf(unwound) : undefined,
  };
}
