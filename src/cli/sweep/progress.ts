/** A line on a terminal that says how far a sweep has come. */
import type { UnitReport } from '../../explore/merge.ts';
import type { Plan } from './plan.ts';
import { count, duration } from './text.ts';

/** Milliseconds between two looks. */
const EVERY = 200;

/** `nmi,nmi: 1,200 schedules, 2 broken, 5 of 16 units, about 12 s left`. */
export function progressText(
  { heading, own, before }: Pick<Plan, 'heading' | 'own' | 'before'>,
  done: readonly UnitReport[],
  elapsedMs: number,
): string {
  const sum = (of: readonly { readonly schedules: number }[]): number =>
    of.reduce((all, { schedules }) => all + schedules, 0);
  const broken = sum(done.flatMap(({ violations }) => violations));
  const fresh = done.length - before.length;
  const left = fresh > 0 ? `, about ${duration((elapsedMs / fresh) * (own.length - done.length))} left` : '';
  return `${heading.events.join()}: ${count(sum(done))} schedules, ${count(broken)} broken, ${done.length} of ${own.length} units${left}`;
}

/** Shows a text again and again on standard error if that is a terminal; the result ends it and wipes the line. */
export function showing(text: () => string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  const timer = setInterval(() => {
    stderr.write(`\r${text().slice(0, (stderr.columns || 80) - 1)}\x1b[K`);
  }, EVERY);
  return () => {
    clearInterval(timer);
    stderr.write('\r\x1b[K');
  };
}
