/** Does what a plan says, keeps what is done, and can be stopped. */
import type { UnitReport } from '../../explore/merge.ts';
import { fileOf, type SweepFile, writeSweep } from './file.ts';
import { type Plan, same } from './plan.ts';
import { spread } from './pool.ts';
import { progressText, showing } from './progress.ts';

/** Milliseconds after which what is done is written once more, for those whose process is ended without a word. */
const WRITTEN_EVERY = 30_000;

/** Ctrl-C, the end of a batch job, the end of a terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface CarriedOut {
  readonly file: SweepFile;
  /** Why a thread failed, or the last writing. */
  readonly failure: string | undefined;
}

/**
 * Explores the units of a plan that are not done yet. A signal stops it; what is done by then is in the result.
 *
 * @param jobs threads
 * @param out file in which what is done is kept, from the beginning on
 */
export async function carryOut(
  plan: Plan,
  jobs: number,
  out: string | undefined,
): Promise<CarriedOut | { readonly problem: string }> {
  const { ask, parts, own, before } = plan;
  const started = performance.now();
  let written = started;
  const done: UnitReport[] = [...before];
  const standing = (): SweepFile => standingOf(plan, done, performance.now() - started);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const signal of SIGNALS) process.once(signal, stop);
  if (out !== undefined) {
    const problem = writeSweep(out, standing());
    if (problem) return { problem };
  }
  const hide = showing(() => progressText(plan, done, performance.now() - started));
  const failure = await spread({
    ask,
    parts,
    units: own.filter((unit) => !before.some((one) => same(one, unit))),
    jobs,
    done(report) {
      done.push(report);
      if (out === undefined || performance.now() - written < WRITTEN_EVERY) return;
      written = performance.now();
      writeSweep(out, standing());
    },
    signal: abort.signal,
  });
  hide();
  for (const signal of SIGNALS) process.off(signal, stop);
  const file = standing();
  const problem = out === undefined ? undefined : writeSweep(out, file);
  return { file, failure: failure ?? problem };
}

/** The file of a plan with these units done. */
const standingOf = (
  { heading, edits, shard, of, own, spentMs }: Plan,
  done: readonly UnitReport[],
  elapsedMs: number,
): SweepFile => fileOf({ heading, edits, shard, of, own: own.length, done, elapsedMs: spentMs + elapsedMs });
