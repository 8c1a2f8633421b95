/** What the unwinder made of many boundaries, for people. */
import { RECORD_LOST } from './kernel-unwound.ts';
import type { UnwoundCounts } from './unwound-count.ts';

const SHOWN = 12;

/** A line of numbers, then those that nothing excuses. */
export function unwoundLines(counts: UnwoundCounts | undefined): readonly string[] {
  if (!counts) return ['ORC:       no rows'];
  const { boundaries, right, gaps, reported, findings } = counts;
  const said = reported.reduce((sum, { times }) => sum + times, 0);
  const silent = findings.reduce((sum, { times }) => sum + times, 0);
  const excused = Object.entries(gaps).map(([name, count]) =>
    name === RECORD_LOST ? `${count} ${name}` : `${count} ${name} (by design)`,
  );
  const list = (title: string, all: typeof findings): readonly string[] => [
    ...all.slice(0, SHOWN).map(({ last, at, strikes, times, judgement, reason }) => {
      const struck = strikes.map((one) => `${one.event} at ${one.at}`).join(', ');
      const first = `at ${at}${struck === '' ? '' : ` after ${struck}`}`;
      return `  ${title} ${last}, ${judgement}, ${times > 1 ? `${times} boundaries, the first ` : ''}${first}: ${reason}`;
    }),
    ...(all.length > SHOWN ? [`  ... and ${all.length - SHOWN} more functions`] : []),
  ];
  return [
    `ORC:       ${[`${right} of ${boundaries} boundaries right`, ...excused, `${said} reported by the unwinder itself`, `${silent} wrong or short in silence`].join(', ')}`,
    ...list('silent:', findings),
    ...list('reported:', reported),
  ];
}
