/**
 * A moment of a run as mail: a claim in words, a race table, the trimmed trace, the recipe that runs it, one sentence on
 * what the link adds, and the link. Plain text that survives quoting, and stands by itself when the link is dead.
 * The rules it follows are those of Documentation/process/ (submitting-patches.rst, maintainer-tip.rst, email-clients.rst).
 */
import { isAtCursor } from './expect.ts';
import { claimOf, type Said } from './mail-claim.ts';
import { ascii, wrap } from './mail-text.ts';
import { eventRows, labelAt, neededRows, type Race, raceOf, trimRace } from './race.ts';
import { printRace } from './race-table.ts';
import { print } from './recipe.ts';
import type { Claim, Position, Recipe } from './recipe-types.ts';
import type { Timeline, Verdict } from './timeline.ts';

/** Where links lead unless told otherwise: the site that `astro.config.mjs` names. */
export const HOST = 'entrylab.example';

export const MAIL_COLUMNS = 72;
export const MAIL_LINES = 25;
/** submitting-patches.rst, *The canonical patch format*. */
export const CHANGELOG_COLUMNS = 75;

export interface MailOptions {
  /** Host of the site, with a folder if it lies in one: `example.org/lab`. */
  readonly host?: string;
  /** The form for a changelog: no recipe, one `Link:` tag. */
  readonly changelog?: boolean;
  /** What the sender says instead of the claim that is computed. */
  readonly claim?: string;
}

export interface Mail {
  /** Lines, each ended by a line feed; empty if there is nothing to tell. */
  readonly text: string;
  /** What keeps it from being what it should be; one sentence each. */
  readonly problems: readonly string[];
}

/** Most rows of a race table and lines of a trace, however much room there is. */
const ROWS = 9;
const TRACE = 8;

/**
 * The block for a boundary of a run. `recipe` is what ran, `link` what `linkTo` says of the boundary (a path, or a whole
 * address); undefined if no link can say it. Never throws; equal arguments give equal bytes.
 */
export function mailFor(
  timeline: Timeline,
  recipe: Recipe,
  boundary: number,
  link: string | undefined,
  options: MailOptions = {},
): Mail {
  if (!timeline.frames[boundary]) {
    const last = timeline.frames.length - 1;
    const problem =
      last < 0
        ? `missing run: ${timeline.problems[0]?.message ?? 'nothing ran'}`
        : `invalid boundary: ${boundary} (0 to ${last})`;
    return { text: '', problems: [problem] };
  }
  const said = claimOf(timeline, recipe, boundary);
  const address = link === undefined ? undefined : addressOf(link, options.host ?? HOST);
  const parts: Parts = {
    said: options.claim ? { ...said, sentences: [options.claim] } : said,
    race: raceOf(timeline, boundary),
    boundary,
    trace: trimTrace(said.verdict),
  };
  return options.changelog
    ? changelog(parts, timeline, recipe, address)
    : block(parts, timeline, recipe, address);
}

interface Parts {
  readonly said: Said;
  readonly race: Race;
  readonly boundary: number;
  readonly trace: readonly string[];
}

/** `https://HOST/s/...` of a path; an address that is whole already stays. */
export const addressOf = (link: string, host: string): string =>
  link.startsWith('/') ? `https://${host.replace(/^https?:\/\//, '').replace(/\/+$/, '')}${link}` : link;

/**
 * A trace without what distracts (submitting-patches.rst, *Backtraces in commit messages*): no registers, no addresses,
 * which would also be taken for commit ids. What is left are names and offsets, as kernels print them.
 */
function trimTrace(verdict: Verdict | undefined): readonly string[] {
  if (!verdict) return [];
  return verdict.printed.flatMap((line) => {
    const text = line
      .replace(/\[<[\da-f]+>\] ?/g, '')
      .replace(/\b[\da-f]{16}\b/g, '...')
      .trimEnd();
    return /^RIP:/.test(text) ? [] : [ascii(text)];
  });
}

/** At most `most` lines: the first ones and the last, which shows how it ended; what is cut out is said. */
function cutTrace(trace: readonly string[], most: number): readonly string[] {
  if (trace.length <= most) return trace.length === 1 ? [...trace, ' (empty)'] : trace;
  if (most < 4) return [];
  const head = trace.slice(0, most - 2);
  return [...head, ` ... (${trace.length - most + 1} lines)`, ...trace.slice(-1)];
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`.trimEnd());

/** The cursor as the pasted recipe needs it: at this very boundary. */
function cursorAt(timeline: Timeline, recipe: Recipe, boundary: number): Position {
  if (boundary === timeline.cursor && recipe.cursor?.kind === 'label') return recipe.cursor;
  return labelAt(timeline, boundary) ?? { kind: 'boundary', n: boundary };
}

/** How much of each optional part there is. */
interface Share {
  readonly rows: number;
  readonly trace: number;
  readonly claims: number;
  readonly title: boolean;
  /** 0 for the first one cut short. */
  readonly sentences: number;
}

/** Lines of the block in order, an empty one between parts. */
const joined = (parts: readonly (readonly string[])[]): string[] =>
  parts.filter((part) => part.length > 0).flatMap((part, n) => (n === 0 ? [...part] : ['', ...part]));

function block(parts: Parts, timeline: Timeline, recipe: Recipe, address: string | undefined): Mail {
  const { said, race, boundary, trace } = parts;
  const problems: string[] = [];
  const edited = recipe.edits.length > 0;
  const closing = closingOf(timeline, recipe, address, edited, problems);
  const cursor = cursorAt(timeline, recipe, boundary);
  const claims = claimsOf(said, timeline, recipe, boundary);

  const build = (share: Share): string[] => {
    const { title, notes: _, ...rest } = recipe;
    const source = print({
      ...rest,
      notes: [],
      ...(share.title && title !== undefined && { title }),
      cursor,
      expects: claims.slice(0, share.claims),
    });
    return joined([
      wrap(claimText(said, share.sentences), MAIL_COLUMNS),
      printRace(trimRace(race, share.rows, boundary)),
      indented(cutTrace(trace, share.trace)),
      indented(source.trimEnd().split('\n')),
      closing,
    ]);
  };

  const extra = recipe.edits.reduce((sum, { lines }) => sum + 1 + lines.length, 0);
  const limit = MAIL_LINES + extra;
  const events = eventRows(race);
  const needed = neededRows(race, boundary);
  // The least that tells the race; without even that, the recipe alone still holds every event. Half a table would be read as a whole one.
  const least: Share = { rows: events, trace: 0, claims: 0, title: false, sentences: 0 };
  const fits = (share: Share): boolean => build(share).length <= limit;
  const told = fits(least);
  const rows = (most: number): Partial<Share> => (told ? { rows: Math.max(events, most) } : {});
  const wishes: readonly Partial<Share>[] = [
    rows(needed),
    { sentences: 1 },
    { trace: Math.min(4, trace.length) },
    { claims: Math.min(1, claims.length) },
    rows(Math.min(Math.max(needed, 6), ROWS)),
    { sentences: 2 },
    { trace: Math.min(trace.length, TRACE) },
    rows(ROWS),
    { claims: Math.min(2, claims.length) },
    { title: true },
    { sentences: said.sentences.length },
    { claims: claims.length },
  ];
  let share: Share = told ? least : { ...least, rows: 0 };
  for (const wish of wishes) share = grown(share, wish, fits);
  const lines = build(share);

  if (!told && events > 0)
    problems.push('invalid block: no room for the race table; the recipe holds every event');
  if (lines.length > limit) problems.push(`invalid block: ${lines.length} lines (at most ${MAIL_LINES})`);
  else if (lines.length > MAIL_LINES)
    problems.push(
      `invalid block: ${lines.length} lines (at most ${MAIL_LINES}); ${extra} of them are edited code`,
    );
  const wide = lines.filter((line) => line.length > MAIL_COLUMNS && line !== closing.at(-1));
  if (wide.length > 0)
    problems.push(
      `invalid block: ${wide.length === 1 ? 'a line' : `${wide.length} lines`} of more than ${MAIL_COLUMNS} columns, the first is ${wide[0]?.trim().slice(0, 30)}`,
    );
  return { text: `${lines.join('\n')}\n`, problems };
}

/** As much of a wish as fits: numbers shrink towards what there is. */
function grown(share: Share, wish: Partial<Share>, fits: (share: Share) => boolean): Share {
  const whole = { ...share, ...wish };
  if (fits(whole)) return whole;
  for (const key of ['rows', 'trace', 'claims', 'sentences'] as const) {
    const most = wish[key];
    if (most === undefined) continue;
    for (let n = most - 1; n > share[key]; n--) {
      const less = { ...share, [key]: n };
      if (fits(less)) return less;
    }
  }
  return share;
}

const claimText = ({ sentences }: Said, most: number): string =>
  ascii(most > 0 ? sentences.slice(0, most).join(' ') : (sentences[0] ?? '').replace(/; .*$/, '.'));

/** The claim's own expectations first, then those of the recipe that hold at this boundary. */
function claimsOf(said: Said, timeline: Timeline, recipe: Recipe, boundary: number): readonly Claim[] {
  const same = timeline.recipe === print(recipe) && timeline.problems.length === 0;
  const own = new Set(said.expects.map((claim) => print({ ...EMPTY, expects: [claim] })));
  const others = recipe.expects.filter((claim) => {
    const moves = isAtCursor(claim);
    return (
      same && (!moves || boundary === timeline.cursor) && !own.has(print({ ...EMPTY, expects: [claim] }))
    );
  });
  return [...said.expects, ...others];
}

const EMPTY: Recipe = {
  slug: 'x',
  version: 0,
  notes: [],
  sets: [],
  without: [],
  injects: [],
  edits: [],
  expects: [],
};

/** One sentence that says what the link adds, and the link; edited code is too long for one and travels as text. */
function closingOf(
  timeline: Timeline,
  recipe: Recipe,
  address: string | undefined,
  edited: boolean,
  problems: string[],
): readonly string[] {
  if (address === undefined) {
    problems.push(
      `missing link: no page has the scenario ${recipe.slug} v${recipe.version} with this set-up`,
    );
    return [];
  }
  const line = `[1] ${address}`;
  if (line.length <= MAIL_COLUMNS) return [replayText(timeline), line];
  if (!edited) {
    problems.push(`invalid link: its line has ${line.length} columns (at most ${MAIL_COLUMNS})`);
    return [replayText(timeline), line];
  }
  problems.push(
    `invalid link: its line would have ${line.length} columns with the edited code; the code stands in the recipe instead`,
  );
  return [
    'The edited code travels as text: paste this block into the page [1].',
    `[1] ${address.replace(/(\/s\/[^/]+\/v\d+).*$/s, '$1')}`,
  ];
}

const replayText = ({ frames }: Timeline): string =>
  `Replay in ${frames.length - 1} steps, forwards and back, every stack word named: [1]`;

function changelog(parts: Parts, timeline: Timeline, recipe: Recipe, address: string | undefined): Mail {
  const { said, race, boundary, trace } = parts;
  const problems: string[] = [];
  const edited = recipe.edits.length > 0;
  if (address === undefined)
    problems.push(
      `missing link: no page has the scenario ${recipe.slug} v${recipe.version} with this set-up`,
    );
  if (recipe.version === 0)
    problems.push(`invalid citation: ${recipe.slug} v0 is a draft and may change; a changelog stays`);
  if (edited) problems.push('invalid citation: a changelog cannot carry edited code; cite a named scenario');
  const adds = `The link replays this in ${timeline.frames.length - 1} steps and names every word on the NMI stack.`;
  const lines = joined([
    wrap(claimText(said, said.sentences.length), CHANGELOG_COLUMNS),
    printRace(trimRace(race, Math.max(ROWS, eventRows(race)), boundary)),
    indented(cutTrace(trace, TRACE)),
    ...(address === undefined ? [] : [wrap(adds, CHANGELOG_COLUMNS), [`Link: ${address}`]]),
  ]);
  return { text: `${lines.join('\n')}\n`, problems };
}
