/** What the arguments of `lab sweep` ask for. */
import type { SweepAsk } from '../../explore/sweep.ts';
import { designsOf, known } from '../../scenario/library.ts';
import type { Opener } from '../../scenario/open-link.ts';
import { onPage } from '../../scenario/registry.ts';
import { isFile } from '../commands/command.ts';
import { openArgument } from '../commands/opened.ts';

export interface Wishes {
  readonly events?: readonly string[] | undefined;
  readonly start?: readonly string[] | undefined;
  readonly body?: readonly string[] | undefined;
  readonly without?: readonly string[] | undefined;
  readonly window?: string | undefined;
  readonly budget?: string | undefined;
  readonly judge?: readonly string[] | undefined;
  readonly right?: boolean | undefined;
  readonly anywhere?: boolean | undefined;
  readonly unpruned?: boolean | undefined;
}

/** More events than this are beyond any sweep. */
const MOST_EVENTS = 16;

/** The sweep of a design, or of what a recipe makes of it; a problem is one sentence. */
export function askOf(
  what: string,
  wishes: Wishes,
  opener: Opener,
): { readonly ask: SweepAsk } | { readonly problems: readonly string[] } {
  const events = names(wishes.events) ?? [];
  const refused = (problem: string) => ({ problems: [problem] });
  if (events.length === 0) return refused('missing events: lab sweep DESIGN --events nmi,nmi');
  if (events.length > MOST_EVENTS) return refused(`invalid events: ${events.length} (1 to ${MOST_EVENTS})`);
  const window = whole(wishes.window, 'window', 10_000);
  if (typeof window === 'string') return refused(window);
  const budget = whole(wishes.budget, 'budget', 1_000_000);
  if (typeof budget === 'string') return refused(budget);
  const base = baseOf(what, opener);
  if ('problems' in base) return base;
  const starts = unique(names(wishes.start)) ?? base.starts;
  const bodies = unique(names(wishes.body)) ?? base.bodies;
  const judge = unique(names(wishes.judge));
  const without = [...new Set([...(base.without ?? []), ...(names(wishes.without) ?? [])])].toSorted();
  return {
    ask: {
      ...base,
      events,
      without,
      ...(starts && { starts }),
      ...(bodies && { bodies }),
      ...(judge && { judge, right: wishes.right === true }),
      ...(window !== undefined && { window }),
      ...(budget !== undefined && { budget }),
      anywhere: wishes.anywhere === true,
      pruned: wishes.unpruned !== true,
    },
  };
}

type Base = Pick<SweepAsk, 'design' | 'starts' | 'bodies' | 'without' | 'edits'>;

/** A design by its name, else the set-up of a scenario, a link or a file: everything but its events. */
function baseOf(what: string, opener: Opener): Base | { readonly problems: readonly string[] } {
  const named = opener.pages.get(what);
  if (named?.design) return { design: named.slug };
  if (what !== '-' && !isFile(what) && !/[/#]/.test(what) && !onPage(opener.pages, what))
    return { problems: [`unknown design: ${what}${known('there is', designsOf(opener.pages))}`] };
  const opened = openArgument(what, undefined, opener);
  if ('problems' in opened) return opened;
  const { design = '', start, body, without, edits } = opened.recipe;
  return {
    design,
    without,
    edits: edits.map(({ block, lines }) => ({ block, lines })),
    ...(start !== undefined && { starts: [start] }),
    ...(body !== undefined && { bodies: [body] }),
  };
}

/** `a,b` and a second `c` are three names. */
const names = (given: readonly string[] | undefined): readonly string[] | undefined =>
  given
    ?.flatMap((list) => list.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');

const unique = (given: readonly string[] | undefined): readonly string[] | undefined =>
  given && given.length > 0 ? [...new Set(given)] : undefined;

/** A whole number from 1; a text is what is wrong with it. */
export function whole(text: string | undefined, name: string, most: number): number | string | undefined {
  if (text === undefined) return undefined;
  const n = /^\d+$/.test(text) ? Number(text) : 0;
  return n >= 1 && n <= most ? n : `invalid ${name}: ${text} (1 to ${most})`;
}
