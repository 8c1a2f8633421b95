/** How fates look: one fill, pattern, glyph and word wherever one is named. */
import { type Fate, fateOf, type Verdict } from '../../explore/fate.ts';

export interface Look {
  /** A colour, or a pattern of the page's sprite. */
  readonly fill: string;
  /** Class of a verdict's chip, and name of its glyph. */
  readonly style: 'right' | 'stop' | 'halt' | 'said' | 'silent' | 'none';
  readonly text: string;
}

const LOOKS: Readonly<Record<Exclude<Verdict, 'intact'>, Look>> = {
  endless: { fill: 'url(#p-stop)', style: 'stop', text: 'goes on for ever' },
  dies: { fill: 'url(#p-said)', style: 'said', text: 'dies aloud' },
  wrong: { fill: 'url(#p-silent)', style: 'silent', text: 'wrong, silent' },
  'not-judged': { fill: 'url(#p-untold)', style: 'none', text: 'not judged' },
  'not-asked': { fill: 'url(#p-untold)', style: 'none', text: 'not asked' },
  right: { fill: 'var(--right-fill)', style: 'right', text: 'right' },
  'stops-early-and-says': { fill: 'url(#p-waits)', style: 'halt', text: 'stops early, says so' },
  'stops-early-silently': { fill: 'url(#p-stop)', style: 'stop', text: 'stops early' },
  'wrong-and-says': { fill: 'url(#p-said)', style: 'said', text: 'wrong, says so' },
  'wrong-silently': { fill: 'url(#p-silent)', style: 'silent', text: 'wrong, silent' },
};

const RIGHT = { style: 'right', text: 'intact' } as const;
const INTACT: Readonly<Record<string, Look>> = {
  o: { ...RIGHT, fill: 'var(--right-fill)' },
  n: { ...RIGHT, fill: 'var(--select)' },
  w: { ...RIGHT, fill: 'url(#p-waits)' },
  m: { ...RIGHT, fill: 'url(#p-merged)' },
};

/** The look of a fate's letter. */
export function looksOf(letter: string): Look {
  const verdict = fateOf(letter)?.verdict ?? 'not-judged';
  return verdict === 'intact' ? (INTACT[letter] ?? LOOKS['not-judged']) : LOOKS[verdict];
}

/** A fate in a few words, without its verdict where that stands beside it. */
export const detailOf = ({ text, verdict }: Fate): string =>
  verdict === 'intact' || verdict === 'not-judged' ? text.replace(/^[^:]*: /, '') : text;
