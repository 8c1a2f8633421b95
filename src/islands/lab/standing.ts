/** Text of the reader's, and how what it runs stands to what was recorded. */
import type { Source } from '../../asm/source.ts';
import { changesOfRun } from '../../scenario/named.ts';
import type { Opened, Opener } from '../../scenario/open-link.ts';
import type { Standing } from './protocol.ts';

/** Text a reader may have changed: problems are placed in it, counted from its first line. */
export const own = (text: string): Source => ({
  page: 'recipe',
  name: 'recipe',
  line: 1,
  lines: text.split('\n'),
});

/** How a run that a link leads to stands to what the link was made for. */
export function standingOfLink(
  { kind, timeline, link, sentence, differences }: Exclude<Opened, { kind: 'cannot-run' }>,
  { pages, records }: Opener,
): Standing {
  if (kind === 'changed') return { state: 'changed', difference: sentence, differences };
  // Only the named scenario's own run has a record, and a link vouches for one state of a run, not for all.
  if (changesOfRun(timeline, pages, records)?.length === 0) return { state: 'same' };
  return link.digest === undefined ? { state: 'draft' } : { state: 'same', as: 'link' };
}
