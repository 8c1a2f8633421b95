/** One more NMI, at every boundary of a run in turn: where each is taken, and what becomes of everybody. */
import type { Problem, Source } from '../asm/source.ts';
import type { Ended } from '../scenario/execution.ts';
import type { Library } from '../scenario/library.ts';
import { BUDGET, stage } from '../scenario/run.ts';

/** What became of the run with one more NMI. */
export interface Landing {
  /** Boundary at which it strikes. */
  readonly boundary: number;
  /** Boundary at which it is delivered; undefined if it never is. */
  readonly taken: number | undefined;
  /** Whether the entry code found it nested and turned back at once. */
  readonly nested: boolean;
  /** How often control came to the label that goes round again, the first time included. */
  readonly rounds: number;
  readonly ended: Ended;
}

/**
 * Runs the recipe once for every boundary from the delivery of its first NMI to its end, each time with one more NMI there. The
 * recipe is run as it stands otherwise; its expectations are not looked at.
 */
export function oneMoreNmi(
  source: Source,
  pages: Library,
): readonly Landing[] | { readonly problems: readonly Problem[] } {
  const ready = stage(source, pages);
  if ('problems' in ready) return ready;
  const { execution, injections } = ready;
  const { machine } = execution.booted;
  const { labels } = execution.program.design;

  let first = 0;
  const { boundary: last } = execution.run(injections, BUDGET, ({ boundary, passage }) => {
    if (first === 0 && passage?.event === 'NMI 1') first = boundary;
  });
  return Array.from({ length: last - first + 1 }, (_, n): Landing => {
    const boundary = first + n;
    let taken: number | undefined;
    let nested = false;
    let rounds = 0;
    const ended = execution.run([...injections, { event: 'nmi', boundary }], BUDGET, (moment) => {
      const rip = machine.get('rip');
      if (moment.passage?.event === 'NMI 2') taken = moment.boundary;
      if (rip === labels.nested) nested = true;
      if (rip === labels.again) rounds++;
    });
    return { boundary, taken, nested, rounds, ended };
  });
}

/** A run of boundaries at which one more NMI has the same fate. */
export interface Fate {
  readonly fate: 'waits' | 'nested' | 'on its own';
  readonly from: number;
  readonly to: number;
  /** `125`, or `one boundary later`. */
  readonly taken: string;
  readonly sentence: string;
  readonly landings: readonly Landing[];
}

function sentenceOf(fate: Fate['fate'], nested: boolean): string {
  if (fate === 'nested')
    return 'The latch is open. It is delivered at once, found nested, and sends the first one round again.';
  if (fate === 'on its own') return 'No other NMI is in the way: it is handled as a first one.';
  return nested
    ? 'NMIs are blocked. It waits for an IRETQ inside the handler, and is nested then.'
    : "NMIs are blocked. It waits for the first one's last IRETQ, and is handled as a first one then.";
}

/** Neighbours of equal fate, in order. */
export function fates(landings: readonly Landing[]): readonly Fate[] {
  const groups: { fate: Fate['fate']; nested: boolean; landings: Landing[] }[] = [];
  for (const landing of landings) {
    const late = landing.taken !== undefined && landing.taken > landing.boundary + 1;
    const fate = late ? 'waits' : landing.nested ? 'nested' : 'on its own';
    const open = groups.at(-1);
    if (open?.fate === fate && open.nested === landing.nested) open.landings.push(landing);
    else groups.push({ fate, nested: landing.nested, landings: [landing] });
  }
  return groups.map(({ fate, nested, landings: all }) => {
    const [first, last] = [all[0], all.at(-1)];
    return {
      fate,
      from: first?.boundary ?? 0,
      to: last?.boundary ?? 0,
      taken: fate === 'waits' ? String(first?.taken ?? '') : 'one boundary later',
      sentence: sentenceOf(fate, nested),
      landings: all,
    };
  });
}
