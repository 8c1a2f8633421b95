/** How fates look: one fill, pattern, glyph and word wherever one is named. */
import { type Fate, fateOf, type Verdict } from '../../explore/fate.ts';

export interface Look {
  readonly fill: string;
  /** Over the fill; patterns are in the sprite of the page. */
  readonly pattern: string | undefined;
  /** Class of a verdict's chip, and name of its glyph. */
  readonly style: 'right' | 'stop' | 'said' | 'silent' | 'none';
  readonly text: string;
}

const BROKEN: Readonly<Record<Exclude<Verdict, 'intact'>, Look>> = {
  endless: { fill: 'var(--stopped-fill)', pattern: 'url(#p-stop)', style: 'stop', text: 'goes on for ever' },
  dies: { fill: 'var(--said-fill)', pattern: 'url(#p-said)', style: 'said', text: 'dies aloud' },
  wrong: { fill: 'var(--silent-fill)', pattern: 'url(#p-silent)', style: 'silent', text: 'wrong, silent' },
  'not-judged': { fill: 'var(--kept-fill)', pattern: 'url(#p-untold)', style: 'none', text: 'not judged' },
};

const RIGHT = { style: 'right', text: 'intact' } as const;
const INTACT: Readonly<Record<string, Look>> = {
  o: { ...RIGHT, fill: 'var(--right-fill)', pattern: undefined },
  n: { ...RIGHT, fill: 'var(--select)', pattern: undefined },
  w: { ...RIGHT, fill: 'var(--sunken)', pattern: 'url(#p-waits)' },
  m: { ...RIGHT, fill: 'var(--paper)', pattern: 'url(#p-merged)' },
};

/** The look of a fate's letter. */
export function looksOf(letter: string): Look {
  const verdict = fateOf(letter)?.verdict ?? 'not-judged';
  return verdict === 'intact' ? (INTACT[letter] ?? BROKEN['not-judged']) : BROKEN[verdict];
}

/** A fate in a few words, without its verdict where that stands beside it. */
export const detailOf = ({ text, verdict }: Fate): string =>
  verdict === 'intact' || verdict === 'not-judged' ? text.replace(/^[^:]*: /, '') : text;
