/** A sweep as people read it. */

import { type Found, isOfUnwinder } from '../../explore/found.ts';
import type { Judged } from '../../explore/judged.ts';
import { INVARIANTS } from '../../scenario/invariants.ts';
import type { SweepFile } from './file.ts';

export const count = (n: number): string => n.toLocaleString('en-US');
const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** `80 ms`, `1.8 s`, `12 s`, `3 min`, `2 h`. */
export function duration(ms: number): string {
  if (ms < 950) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

const said = (key: string, value: string): string => `  ${key.padEnd(8)} ${value}`;

/** What `lab sweep` prints: what was swept, what was found, what that does not say. */
export function sweepText(file: SweepFile): string {
  const { design, events, where, starts, bodies, without, edits, window, budget, pruned } = file;
  const { boundaries, schedules, distinct, violations, untold, elapsedMs } = file;
  const list = (names: readonly string[]): string => names.join(', ');
  return [
    `sweep of ${design}${file.shard === undefined ? '' : `, shard ${file.shard}`}`,
    '',
    said('events', `${list(events)}: in one run at most ${events.length === 1 ? 'this one' : 'these'}`),
    ...Object.entries(where).map(([event, place]) => said(event, place + never(file, event))),
    said('start', list(starts)),
    said('body', list(bodies)),
    ...(without.length > 0 ? [said('without', list(without))] : []),
    ...(edits ? [said('edits', list(edits.map(({ block }) => block)))] : []),
    said(
      'window',
      `${counted(window, 'transition')} of the task, with no event alive, in which an event may still strike`,
    ),
    said('bound', `${counted(budget, 'transition')}; a run that takes more has no end`),
    said('pruning', pruned ? 'runs that meet in one state are followed once' : 'none: every schedule is run'),
    said('code', `${file.code}, model ${file.model}`),
    '',
    `${counted(schedules, 'schedule')}, ${counted(distinct, 'run')}, at most ${count(boundaries)} boundaries with one event; ${duration(elapsedMs)}`,
    ...untold.map(
      ({ name, schedules: n }) =>
        `not judged: ${counted(n, 'schedule')} that need what is not modelled: ${name}`,
    ),
    '',
    ...(file.judged ?? []).flatMap(judgedText),
    ...violations.flatMap((one) => foundText(one)),
    verdict(file),
  ].join('\n');
}

/** A break, and how to come to it. */
const foundText = ({
  invariant,
  sentence,
  start,
  body,
  step,
  schedules,
  recipe,
}: Found): readonly string[] => [
  `${invariant}: ${INVARIANTS[invariant] ?? 'unknown invariant'}`,
  `  ${sentence}`,
  `  ${counted(schedules, isOfUnwinder(invariant) ? 'state' : 'schedule')} like it; in the shortest (start ${start}, body ${body}) it shows at boundary ${step}:`,
  '',
  ...recipe
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`),
  '',
];

/** What an unwinder made of the states. */
function judgedText({ unwinder, states, gaps }: Judged): readonly string[] {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${name} ${count(n)}`)
      .join(', ');
  const all = Object.values(states).reduce((sum, n) => sum + n, 0);
  const excused = list(gaps);
  return [
    `${unwinder} at ${counted(all, 'state')}: ${list(states)}`,
    ...(excused ? [`  by design, and so no break of I6: ${excused}`] : []),
    '',
  ];
}

/** Whether events could strike at all, in a sweep that is done. */
export const isEmpty = ({ strikes, partial, shard }: SweepFile): boolean =>
  !partial && shard === undefined && Object.values(strikes).every((n) => n === 0);

const never = ({ strikes, partial, shard }: SweepFile, event: string): string =>
  strikes[event] || partial || shard !== undefined ? '' : ' (it never struck: nothing is cleared of it)';

function verdict(file: SweepFile): string {
  const { violations, untold, partial, shard, units } = file;
  const lines: string[] = [];
  if (violations.length > 0)
    lines.push(
      `${counted(violations.length, 'violation')}. Paste a recipe into lab run - to follow it, into lab mail - for a block to send.`,
    );
  else if (isEmpty(file)) lines.push('nothing struck, so nothing is cleared');
  else if (!partial && shard === undefined)
    lines.push(
      untold.length > 0
        ? 'no violation in the schedules that could be judged; the others are not cleared'
        : 'clean: no invariant breaks in any of these schedules. Nothing is said of any other.',
    );
  else lines.push('no violation so far');
  if (partial)
    lines.push(`partial: ${units?.done.length ?? 0} of ${units?.of ?? 0} units of the whole are done`);
  else if (shard !== undefined)
    lines.push(`one shard: lab sweep --merge FILE... says what all ${shard.split('/')[1]} say together`);
  return lines.join('\n');
}
