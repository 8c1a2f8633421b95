/** A sweep on every core, for jobs that take too long for `npm test`. */
import { availableParallelism } from 'node:os';
import { spread } from '../../src/cli/sweep/pool.ts';
import { type Counts, cut, mergeUnits, type UnitReport } from '../../src/explore/merge.ts';
import { partsOf, type SweepAsk } from '../../src/explore/sweep.ts';
import type { Library } from '../../src/scenario/library.ts';

/** What a whole sweep says, and the milliseconds that it took. Throws for an ask that is none. */
export async function swept(ask: SweepAsk, pages: Library): Promise<Counts & { readonly ms: number }> {
  const from = performance.now();
  const ready = partsOf(ask, pages);
  if ('problems' in ready) throw new Error(ready.problems.map(({ message }) => message).join('\n'));
  const { parts } = ready;
  const reports: UnitReport[] = [];
  const failure = await spread({
    ask,
    parts,
    units: cut(ask, parts).units,
    jobs: availableParallelism(),
    done: (report) => reports.push(report),
    signal: new AbortController().signal,
  });
  if (failure) throw new Error(failure);
  return { ...mergeUnits(reports), ms: performance.now() - from };
}

/** Counts what held, prints what did not, and says both in the closing line. */
export class Tally {
  private passed = 0;
  private failed = 0;

  /** @param wrong what speaks against it, a sentence each */
  add(name: string, wrong: readonly string[]): void {
    if (wrong.length === 0) this.passed++;
    else this.failed++;
    console.log(`${wrong.length === 0 ? 'ok' : 'FAILED'}  ${name}`);
    for (const sentence of wrong) console.log(sentence.replace(/^/gm, '    '));
  }

  close(): void {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed > 0 || this.passed === 0 ? 1 : 0;
  }
}
