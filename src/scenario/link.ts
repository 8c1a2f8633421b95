/**
 * A scenario as a link:
 * `/s/SLUG/vN[/CHECKPOINT]#tCURSOR{.eBOUNDARY}{.w_SAFEGUARD}{.s_SWITCH_VALUE}{.h_BODY}[.c_COMPARED][.zEDITS]~DIGEST`.
 *
 * Only what differs from the named scenario is written. A kind of part that is written replaces, whole, what
 * the scenario says of that kind: `n6.n29` are all its events, not two more. To say *none* where the scenario
 * says something, the kind stands alone: `.0` no event, `.w` every safeguard, `.s` no switch, `.h` no body,
 * `.z` no edit. Every piece but slug and version may be missing; without `t` the scenario's own cursor holds.
 */
import { type Codec, packEdits } from './link-edits.ts';
import { type Failure, readFragment } from './link-fragment.ts';
import { LETTERS, type LinkState, sortNames, sortSets, sortStrikes } from './link-state.ts';
import { wholeNumber } from './recipe-position.ts';
import { shown } from './recipe-tokens.ts';
import { EVENTS, isSlug } from './recipe-types.ts';

export { applyLink, type Current, linkOf } from './link-difference.ts';
export { type Codec, EDITS_LIMIT } from './link-edits.ts';
export type { LinkState } from './link-state.ts';

/** Longest link that is looked at: cells of `EDITS_LIMIT` bytes fit even if they cannot be compressed. */
const LONGEST = 131_072;

/**
 * The canonical link: path and fragment, no host. Equal states give equal text (edits as far as the codec
 * compresses alike). Throws if there are edits and no codec, or too many (see `packEdits`): mistakes of the caller.
 */
export function printLink(state: LinkState, codec?: Codec): string {
  const { slug, version, checkpoint, cursor, injections, without, sets, body, edits, compare, digest } =
    state;
  const fragment = [
    ...(cursor === undefined ? [] : [`t${cursor}`]),
    ...parts('0', injections, (strikes) =>
      sortStrikes(strikes).map(({ event, boundary }) => `${LETTERS[EVENTS.indexOf(event)]}${boundary}`),
    ),
    ...parts('w', without, (names) => sortNames(names).map((name) => `w_${name}`)),
    ...parts('s', sets, (list) => sortSets(list).map(({ name, value }) => `s_${name}_${value}`)),
    ...parts('h', body === null ? [] : body === undefined ? undefined : [body], ([name]) => [`h_${name}`]),
    ...(compare === undefined ? [] : [`c_${compare.replace(' ', '_')}`]),
    ...parts('z', edits, (cells) => {
      if (!codec) throw new Error('missing codec: a link with edits needs one');
      return [`z${packEdits(cells, codec)}`];
    }),
  ].join('.');
  const path = `/s/${slug}/v${version}${checkpoint === undefined ? '' : `/${checkpoint}`}`;
  const said = digest === undefined ? fragment : `${fragment}~${digest}`;
  return said ? `${path}#${said}` : path;
}

/** Nothing, the kind alone, or its parts. */
function parts<T>(
  none: string,
  list: readonly T[] | undefined,
  some: (list: readonly T[]) => string[],
): string[] {
  if (!list) return [];
  return list.length > 0 ? some(list) : [none];
}

/**
 * Reads a link: a full address with any host and any folder before `/s/`, a path, or a fragment alone if `base`
 * names the scenario. Parts may come in any order. What is not understood is a problem that names it, never
 * skipped. Never throws; time is linear in the text.
 */
export function parseLink(
  text: string,
  codec?: Codec,
  base?: Pick<LinkState, 'slug' | 'version'>,
): { readonly state: LinkState } | Failure {
  const link = text.trim();
  const before = text.length - text.trimStart().length;
  if (!link) return { problem: 'missing link' };
  if (link.length > LONGEST)
    return { problem: `invalid link: ${link.length} characters (at most ${LONGEST})` };
  const hash = link.indexOf('#');
  const path = hash < 0 ? link : link.slice(0, hash);
  const named = path ? readPath(path) : base && { slug: base.slug, version: base.version };
  if (!named) return { problem: 'missing scenario: a fragment alone names none', at: before };
  if ('problem' in named) return { ...named, at: before + (named.at ?? 0) };
  const said = hash < 0 ? {} : readFragment(link.slice(hash + 1), codec);
  if ('problem' in said) return { ...said, at: before + hash + 1 + (said.at ?? 0) };
  return { state: { ...named, ...said } };
}

type Named = Pick<LinkState, 'slug' | 'version' | 'checkpoint'>;

const isVersion = (segment: string): boolean => /^v\d+$/.test(segment);
const isCheckpoint = (segment: string): boolean => /^\w[\w.-]*$/.test(segment) && !segment.endsWith('.');

/** The scenario ends the path, whatever comes before it: `.../s/SLUG/vN` or `.../s/SLUG/vN/CHECKPOINT`. */
function readPath(path: string): Named | Failure {
  const segments = path.split('/');
  if (segments.at(-1) === '') segments.pop();
  const end = segments.length;
  const marks = (length: number) => segments[end - length] === 's';
  const long = marks(4) && (isVersion(segments[end - 2] ?? '') || !marks(3));
  const start = long ? end - 4 : end - 3;
  const place = (index: number) => segments.slice(0, index).join('/').length + 1;
  if (start < 0 || segments[start] !== 's') {
    if (marks(2))
      return { problem: `missing version: ${shown(segments[end - 1] ?? '')}/vN`, at: path.length };
    return { problem: `missing scenario: no /s/SLUG/vN in ${shown(path)}`, at: 0 };
  }
  const [slug = '', version = '', checkpoint] = segments.slice(start + 1);
  if (!isSlug(slug)) return { problem: `invalid slug: ${shown(slug)}`, at: place(start + 1) };
  const n = isVersion(version) ? wholeNumber(version.slice(1)) : undefined;
  if (n === undefined) return { problem: `invalid version: ${shown(version)}`, at: place(start + 2) };
  if (checkpoint === undefined) return { slug, version: n };
  if (isCheckpoint(checkpoint)) return { slug, version: n, checkpoint };
  return { problem: `invalid checkpoint: ${shown(checkpoint)}`, at: place(start + 3) };
}
