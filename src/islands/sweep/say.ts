/** What a sweep says in words: what was swept, what came of it, and nothing beyond. */
import { fateOf } from '../../explore/fate.ts';
import { isOfUnwinder } from '../../explore/found.ts';
import type { Judged } from '../../explore/judged.ts';
import { type SweepMap, tally } from '../../explore/map.ts';
import type { SweepAsk, SweepReport } from '../../explore/sweep.ts';

const SMALL = ['no', 'one', 'two', 'three', 'four', 'five'];
export const count = (n: number): string => n.toLocaleString('en-US');
const NAMES: Readonly<Record<string, string>> = {
  nmi: 'NMI',
  mc: '#MC',
  db: '#DB',
  bp: '#BP',
  pf: '#PF',
  gp: '#GP',
  irq: 'IRQ',
  vc: '#VC',
  ve: '#VE',
};

/** An event as prose says it: `NMI`, `#MC`. */
export const eventName = (event: string): string => NAMES[event] ?? event;

/** `at most two NMIs and one #MC`. */
export function eventsText(events: readonly string[]): string {
  const parts = [...Map.groupBy(events, (event) => event)].map(
    ([event, { length }]) => `${SMALL[length] ?? length} ${eventName(event)}${length > 1 ? 's' : ''}`,
  );
  const last = parts.pop() ?? 'no event';
  return parts.length > 0 ? `at most ${parts.join(', ')} and ${last}` : `at most ${last}`;
}

/** Everything that a verdict is about, one sentence each. */
export function scopeOf(report: SweepReport): readonly string[] {
  const { design, without, starts, bodies, events, given, where, window, budget } = report;
  return [
    `Design ${design}, ${without.length > 0 ? `without ${without.join(', ')}` : 'every safeguard in place'}.`,
    `Start ${starts.join(', ')}; handler body ${bodies.join(', ')}.`,
    ...(given.length > 0 ? [`In any case: ${given.join('; ')}.`] : []),
    `Beside that, ${eventsText(events)}, in every order.`,
    ...Object.entries(where).map(([event, text]) => `${eventName(event)}: ${text}.`),
    ...(report.judged ?? []).map(judgedText),
    `The last may strike ${window} instructions of the task after all is over; a run of ${count(budget)} steps is taken to be endless.`,
  ];
}

/** What an unwinder made of the states. */
function judgedText({ unwinder, states, gaps }: Judged): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${name.replaceAll('-', ' ')} at ${count(n)}`)
      .join(', ');
  const excused = list(gaps);
  return `Of the distinct states ${unwinder} is ${list(states)}.${excused && ` By design: ${excused}.`}`;
}

/** The verdict in a line. */
export function verdictOf(report: SweepReport): { readonly clean: boolean; readonly text: string } {
  const { schedules, violations, untold } = report;
  const unsaid = violations.filter(({ invariant }) => isOfUnwinder(invariant));
  const silent = unsaid.reduce((sum, one) => sum + one.schedules, 0);
  const broken = violations.reduce((sum, one) => sum + one.schedules, 0) - silent;
  const unclear = untold.reduce((sum, one) => sum + one.schedules, 0);
  const rest =
    unclear > 0
      ? ` ${count(unclear)} schedules are not judged: ${untold.map(({ name }) => name).join(', ')}.`
      : '';
  const also = silent > 0 ? ` At ${count(silent)} states an unwinder breaks one.` : '';
  const astray = report.judged?.some(({ states }) =>
    Object.entries(states).some(([name, n]) => n > 0 && !['right', 'not-asked'].includes(name)),
  );
  const traces = astray ? ' That is about the runs; their traces are told below.' : '';
  return violations.length === 0
    ? { clean: true, text: `Clean over exactly this: ${count(schedules)} schedules.${traces}${rest}` }
    : {
        clean: false,
        text: `${count(broken)} of ${count(schedules)} schedules break an invariant.${also}${rest}`,
      };
}

/** The same sweep from a command line. */
export function commandOf({
  design,
  events,
  starts = [],
  bodies = [],
  without = [],
  anywhere = false,
  judge = [],
}: SweepAsk): string {
  return [
    `lab sweep ${design} --events ${events.join(',')}`,
    ...(starts.length > 0 ? [`--start ${starts.join(',')}`] : []),
    ...(bodies.length > 0 ? [`--body ${bodies.join(',')}`] : []),
    ...(without.length > 0 ? [`--without ${without.join(',')}`] : []),
    ...(judge.length > 0 ? [`--judge ${judge.join(',')}`] : []),
    ...(anywhere ? ['--anywhere'] : []),
  ].join(' ');
}

/** What a picture says to those who do not see it. */
export function pictureText(map: SweepMap): string {
  const { pair, strips, judge } = map;
  const rows = pair ? map.rows : strips.map(({ cells }) => cells);
  const counts = [...tally(rows)].map(([letter, n]) => `${count(n)} ${fateOf(letter)?.text ?? ''}`);
  const what = judge
    ? `Map of what ${judge} makes of it`
    : pair
      ? `Map of ${eventName(pair[0])} (down) and ${eventName(pair[1])} (across)`
      : `Strip of ${strips.map(({ event }) => eventName(event)).join(', ')}`;
  return `${what}: ${counts.join('; ') || 'nothing yet'}`;
}

/** Where a boundary lies in the run without the swept events. */
export const placeOf = ({ stretches }: SweepMap, boundary: number): string =>
  stretches.find(({ from, to }) => boundary >= from && boundary <= to)?.name ?? '';
