/**
 * A sweep that ends with the first thing it finds: one event, then two, and so on; start by start, body by body. With so
 * many events and from that start there is no shorter way, and with fewer events there is none at all.
 */
import type { Problem } from '../asm/source.ts';
import { copyOf, type Library } from '../scenario/library.ts';
import type { Found } from './found.ts';
import { type SweepAsk, sweep, usualOf } from './sweep.ts';

export interface Hunted {
  /** What was found, the shortest first; nothing if the whole sweep is clean. */
  readonly found: readonly Found[];
  /** Events that it took, or all that were allowed. */
  readonly events: readonly string[];
  /** Schedules until then. */
  readonly schedules: number;
}

/** Hunts with the first event of the ask, the first two, and so on. */
export function hunt(ask: SweepAsk, pages: Library): Hunted | { readonly problems: readonly Problem[] } {
  const { starts, bodies } = { ...usualOf(ask, pages), ...ask };
  const setups = starts.flatMap((start) => bodies.map((body) => ({ starts: [start], bodies: [body] })));
  let schedules = 0;
  for (let count = 1; count <= ask.events.length; count++)
    for (const setup of setups) {
      const less = { ...ask, ...setup, events: ask.events.slice(0, count) };
      const report = sweep(less, pages);
      if ('problems' in report) return report;
      schedules += report.schedules;
      if (report.violations.length > 0) return { found: report.violations, events: less.events, schedules };
    }
  return { found: [], events: ask.events, schedules };
}

const known = new WeakMap<Library, Map<string, Hunted>>();

/** What is found without each safeguard of a design, by its name; each is hunted once. Throws for a design that cannot be swept. */
export function removed(
  ask: Omit<SweepAsk, 'without'>,
  safeguards: readonly string[],
  pages: Library,
): readonly (Hunted & { readonly safeguard: string })[] {
  const kept = known.get(pages) ?? new Map<string, Hunted>();
  known.set(pages, kept);
  return safeguards.map((safeguard) => {
    const one = { ...ask, without: [safeguard] };
    const key = JSON.stringify(one);
    // In a library of its own, so that the machines of all starts go when it is done.
    const hunted = kept.get(key) ?? hunt(one, copyOf(pages));
    if ('problems' in hunted) throw new Error(hunted.problems.map(({ message }) => message).join('\n'));
    kept.set(key, hunted);
    return { ...hunted, safeguard };
  });
}
