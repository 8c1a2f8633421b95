/** Small pieces that all parts of the island share. */
import { useMemo } from 'preact/hooks';
import type { Problem } from '../../asm/source.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import type { Judgement } from '../../unwind/view.ts';
import { halves, JUDGEMENTS } from './words.ts';

/** A glyph of the page's sprite. */
export const Glyph = ({ name }: { readonly name: string }) => (
  <svg class="g" viewBox="0 0 12 12" aria-hidden="true">
    <use href={`#g-${name}`} />
  </svg>
);

/**
 * Nodes of which one is lit. Of hundreds, two change in a step: the others are the same nodes again, which are not
 * compared again until what they are `about` is another.
 *
 * @param lit index of the lit one; any other number for none
 */
export function useLit<T>(
  count: number,
  lit: number,
  draw: (i: number, lit: boolean) => T,
  about: readonly unknown[],
): readonly T[] {
  const drawn = useMemo(() => Array.from({ length: count }, (_, i) => draw(i, false)), about);
  return lit in drawn ? drawn.with(lit, draw(lit, true)) : drawn;
}

/** Text in which the names of records look like records, in braces or (in comments) bare. */
export function Told({
  text,
  records,
  bare = false,
}: {
  readonly text: string;
  readonly records: Timeline['records'];
  readonly bare?: boolean;
}) {
  const names = records.map(({ name }) => name).join('|');
  const split = new RegExp(bare && names ? `\\{(\\w+)\\}|\\b(${names})\\b` : '\\{(\\w+)\\}', 'g');
  const look = (name: string): string => records.find((one) => one.name === name)?.group ?? '';
  const parts: (string | { readonly record: string })[] = [];
  let from = 0;
  for (const match of text.matchAll(split)) {
    parts.push(text.slice(from, match.index), { record: match[1] ?? match[2] ?? '' });
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return (
    <>
      {parts.map((part) =>
        typeof part === 'string' ? part : <span class={`rec ${look(part.record)}`}>{part.record}</span>,
      )}
    </>
  );
}

/** Sixteen digits in two halves, copied as one word. */
export function Hex({ value }: { readonly value: bigint }) {
  const [high, low] = halves(value);
  return (
    <>
      <span class="hx">{high}</span>
      <span class="hx">{low}</span>
    </>
  );
}

/** A verdict: fill, glyph and words. */
export function Verdict({ judgement }: { readonly judgement: Judgement }) {
  const { style, text } = JUDGEMENTS[judgement];
  return (
    <span class={`vd ${style}`}>
      <Glyph name={style} />
      {text}
    </span>
  );
}

/** Most problems that are listed: one mistake can make hundreds. */
const LISTED = 20;

/** Problems of a text; a click puts the caret at the place, where the text is at hand. */
export function Problems({
  problems,
  onPlace,
}: {
  readonly problems: readonly Problem[];
  readonly onPlace?: (problem: Problem) => void;
}) {
  return (
    <ul class="problems">
      {problems.slice(0, LISTED).map((problem) => (
        <li key={`${problem.page}:${problem.line}:${problem.column}:${problem.message}`}>
          <button type="button" class="place" disabled={!onPlace} onClick={() => onPlace?.(problem)}>
            {problem.page ? `${problem.page}:` : ''}
            {problem.line}:{problem.column}
          </button>{' '}
          {problem.message}
        </li>
      ))}
      {problems.length > LISTED && <li class="dim">and {problems.length - LISTED} more</li>}
    </ul>
  );
}
