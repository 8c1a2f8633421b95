/** Sweeps that a page asks for more than once, by several of its cells and claims: each is made once for a library. */
import type { Library } from '../scenario/library.ts';
import { type SweepAsk, type SweepReport, sweep } from './sweep.ts';

const made = new WeakMap<Library, Map<string, SweepReport>>();

/** What a whole sweep says. Throws for an ask that is none, with every problem. */
export function sweepOnce(ask: SweepAsk, pages: Library): SweepReport {
  const kept = made.get(pages) ?? new Map<string, SweepReport>();
  made.set(pages, kept);
  const key = JSON.stringify(ask);
  const known = kept.get(key);
  if (known) return known;
  const report = sweep(ask, pages);
  if ('problems' in report) throw new Error(report.problems.map(({ message }) => message).join('\n'));
  kept.set(key, report);
  return report;
}
