/** What taking safeguards out changes in a source, as the lines of a diff. */
import { REMOVED } from './clause.ts';
import { takeOut } from './safeguard.ts';
import type { Source } from './source.ts';

/** `-` stands only without the safeguards, `+` only with them, a space in both. */
export interface DiffLine {
  readonly sign: '-' | '+' | ' ';
  readonly text: string;
}

/** Lines beside a change that are shown with it. */
const CONTEXT = 2;

/**
 * The runs of lines of a source that differ when safeguards are taken out, from the text without them to the text with
 * them, each with a few lines around it. Marks of safeguards are left out; none if nothing differs.
 */
export function differenceOf(source: Source, without: ReadonlySet<string>): readonly (readonly DiffLine[])[] {
  const { lines: out } = takeOut(source, without);
  const all = source.lines.flatMap((line, n) => lineOf(line, out[n] ?? ''));
  const shown = all.map((_, n) =>
    all.slice(Math.max(0, n - CONTEXT), n + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  const runs: DiffLine[][] = [];
  for (const [n, line] of all.entries()) {
    if (!shown[n]) continue;
    if (!shown[n - 1]) runs.push([]);
    runs.at(-1)?.push(line);
  }
  return runs;
}

/** A line with every safeguard in place, and what it becomes without some. */
function lineOf(line: string, out: string): readonly DiffLine[] {
  const text = spoken(line);
  if (out.startsWith(REMOVED) || (out === '' && text !== '')) return [{ sign: '+', text }];
  if (line !== out && out !== '')
    return [{ sign: '-', text: out.replace(/^\s*(#: )?/, (_, mark = '\t') => mark) }];
  return text === '' ? [] : [{ sign: ' ', text }];
}

/** A line without marks of safeguards; other marks are what a page declares, and stay. */
const spoken = (line: string): string =>
  line.replace(/\s*#: (safeguard|without|about|\}).*$/, '').replace(/^\s+$/, '');
