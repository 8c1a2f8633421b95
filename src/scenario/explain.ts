/** What a link holds, in words, before anybody trusts it. */

import { cellOf, known, type Library, scenariosOf } from './library.ts';
import { applyLink, type LinkState, parseLink, printLink } from './link.ts';
import { LETTERS } from './link-state.ts';
import { findNamed, type Named, type Unknown } from './named.ts';
import { type Opened, type Opener, openLink } from './open-link.ts';
import { whereText } from './race.ts';
import { print, rawLine } from './recipe.ts';
import { type Edit, EVENTS } from './recipe-types.ts';
import type { Difference } from './records.ts';

/** A piece of a link: `n29`, and what it says. */
export interface LinkPart {
  readonly text: string;
  readonly says: string;
}

export interface Explained {
  /** The link in its canonical form; undefined if it cannot be read. */
  readonly canonical: string | undefined;
  /** Every part of it, in its order. */
  readonly parts: readonly LinkPart[];
  /** The named scenario against what the link makes of it: lines with `-`, `+` or a space before them; empty if equal. */
  readonly recipe: readonly string[];
  /** By cell: the cell against its edited form, in the same way. */
  readonly edits: readonly { readonly block: string; readonly lines: readonly string[] }[];
  readonly outcome: Opened['kind'];
  /** One sentence: same, changed in what, or why it cannot run. */
  readonly sentence: string;
  /** Differences to the record, one a line; or, where nothing runs, what was recorded. */
  readonly details: readonly string[];
  /** Digest of the state at the cursor, as this build computes it. */
  readonly digest: string | undefined;
  /** Where the cursor stands, in words. */
  readonly at: string | undefined;
}

const EVENT_TEXT = {
  nmi: 'an NMI',
  mc: 'a machine check',
  db: 'a debug exception',
  bp: 'a breakpoint',
  pf: 'a page fault',
  gp: 'a general protection fault',
  irq: 'an interrupt',
  vc: 'a #VC exception',
  ve: 'a #VE exception',
} as const;

/**
 * Says what a link holds and what becomes of it here. The text may be a whole address, a path, or a fragment if `base`
 * names the scenario. Never throws.
 */
export function explain(
  text: string,
  opener: Opener,
  base?: { readonly slug: string; readonly version: number },
): Explained {
  const opened = openLink(text, opener, base);
  const read = parseLink(text, opener.codec, base);
  const runs = opened.kind === 'cannot-run' ? undefined : opened;
  const frame = runs?.timeline.frames[runs.timeline.cursor];
  const details =
    opened.kind === 'cannot-run'
      ? opened.recorded
      : opened.kind === 'changed'
        ? opened.differences.flatMap(detail)
        : [];
  const rest = {
    outcome: opened.kind,
    sentence: opened.sentence.replace(/\s+/g, ' '),
    details,
    digest: frame?.digest,
    at:
      frame && runs
        ? `boundary ${runs.timeline.cursor}, ${whereText(runs.timeline, runs.timeline.cursor)}`
        : undefined,
  };
  if ('problem' in read) return { canonical: undefined, parts: [], recipe: [], edits: [], ...rest };
  const { state } = read;
  const named = findNamed(opener.pages, state.slug, state.version);
  const known = 'problem' in named ? undefined : named;
  return {
    canonical: canonicalOf(state, opener, text),
    parts: partsOf(state, named, opener.pages),
    recipe: known ? recipeDifference(known, state) : [],
    edits: (state.edits ?? []).map((edit) => ({
      block: edit.block,
      lines: editDifference(edit, known?.pages ?? opener.pages),
    })),
    ...rest,
  };
}

/** A difference to the record; texts of several lines line by line. */
function detail({ where, field, recorded, now }: Difference): readonly string[] {
  if (!/\n/.test(recorded + now)) return [`${where}, ${field}: recorded ${recorded}, now ${now}`];
  const lines = difference(recorded.trimEnd().split('\n'), now.trimEnd().split('\n'));
  return [`${where}, ${field}, recorded (-) and now (+):`, ...lines.map((line) => `  ${line}`)];
}

/** Edits that just fit can grow beyond the limit when their tabs become spaces. */
function canonicalOf(state: LinkState, { codec }: Opener, text: string): string {
  try {
    return printLink(state, codec);
  } catch {
    return text.trim();
  }
}

/** Which scenario a link names. */
function scenarioText(named: Named | Unknown, pages: Library): string {
  if ('problem' in named) {
    const { row, problem } = named;
    if (row) return `the scenario "${row.title}", frozen from ${row.page}`;
    return problem.startsWith('unknown scenario')
      ? `a scenario that no page has${known('there is', scenariosOf(pages))}`
      : 'a scenario, but not in this version';
  }
  const { recipe, source, row, renamed } = named;
  const title = recipe.title === undefined ? '' : ` "${recipe.title}"`;
  const from = row ? `frozen from ${row.page}` : `on ${source.page}`;
  return `the scenario${title}, ${from}${renamed === undefined ? '' : `; its name is ${renamed} now`}`;
}

function partsOf(state: LinkState, scenario: Named | Unknown, pages: Library): readonly LinkPart[] {
  const { slug, version, checkpoint, cursor, injections, without, sets, body, edits, compare, digest } =
    state;
  const named = scenarioText(scenario, pages);
  const one = <T>(list: readonly T[] | undefined, none: LinkPart, some: (item: T) => LinkPart): LinkPart[] =>
    list ? (list.length > 0 ? list.map(some) : [none]) : [];
  return [
    { text: `/s/${slug}`, says: named },
    {
      text: `v${version}`,
      says: version === 0 ? 'a draft, which may change' : `version ${version}, frozen`,
    },
    ...(checkpoint === undefined
      ? []
      : [
          {
            text: checkpoint,
            says: `the page of the checkpoint ${checkpoint}${cursor === undefined ? '' : '; the cursor decides what is shown'}`,
          },
        ]),
    ...(cursor === undefined ? [] : [{ text: `t${cursor}`, says: `the cursor at boundary ${cursor}` }]),
    ...one(injections, { text: '0', says: 'nothing strikes' }, ({ event, boundary }) => ({
      text: `${LETTERS.charAt(EVENTS.indexOf(event))}${boundary}`,
      says: `${EVENT_TEXT[event]} strikes at boundary ${boundary}`,
    })),
    ...one(without, { text: 'w', says: 'every safeguard is there' }, (name) => ({
      text: `w_${name}`,
      says: `without the safeguard ${name}`,
    })),
    ...one(sets, { text: 's', says: 'no switch is set' }, ({ name, value }) => ({
      text: `s_${name}_${value}`,
      says: `the switch ${name} is ${value}`,
    })),
    ...(body === undefined
      ? []
      : [
          body === null
            ? { text: 'h', says: 'the handler body is the usual one' }
            : { text: `h_${body}`, says: `the handler body is ${body}` },
        ]),
    ...(compare === undefined
      ? []
      : [
          {
            text: `c_${compare.replace(' ', '_')}`,
            says: `beside it stands ${compare === 'own' ? "the page's own run" : `the same run, ${compare}`}`,
          },
        ]),
    ...(edits
      ? [
          {
            text: 'z...',
            says:
              edits.length > 0
                ? `${edits.length === 1 ? 'an edited cell' : `${edits.length} edited cells`}: ${edits.map(({ block }) => block).join(', ')}`
                : 'no cell is edited',
          },
        ]
      : []),
    ...(digest === undefined
      ? []
      : [{ text: `~${digest}`, says: `made for the state with digest ${digest}` }]),
  ];
}

/** Statements of the named scenario against those of the link; expectations and edits left out. */
function recipeDifference({ recipe }: Named, state: LinkState): readonly string[] {
  const text = (one: typeof recipe): string[] =>
    print({ ...one, expects: [], edits: [] })
      .trimEnd()
      .split('\n');
  return difference(text(recipe), text(applyLink(recipe, state)));
}

function editDifference({ block, lines }: Edit, pages: Library): readonly string[] {
  const cell = cellOf(pages, block);
  return nearby(difference(cell?.lines ?? [], lines));
}

/** Most lines of either side that are compared line by line; longer ones are shown whole. */
const COMPARED = 600;

/**
 * A line difference: `-` only before, `+` only after, a space in both; empty if there is none. The longest common
 * subsequence, equal ends taken off first; tabs count as the spaces that an edit has for them.
 */
export function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const spaced = before.map(rawLine);
  let head = 0;
  while (head < spaced.length && head < after.length && spaced[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < spaced.length - head &&
    tail < after.length - head &&
    spaced[spaced.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++;
  const a = spaced.slice(head, spaced.length - tail);
  const b = after.slice(head, after.length - tail);
  if (a.length === 0 && b.length === 0) return [];
  const same = (lines: readonly string[]): string[] => lines.map((line) => ` ${line}`);
  return [...same(spaced.slice(0, head)), ...middle(a, b), ...same(after.slice(after.length - tail))];
}

function middle(a: readonly string[], b: readonly string[]): string[] {
  if (a.length > COMPARED || b.length > COMPARED)
    return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)];
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(` ${a[i++]}`);
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push(`-${a[i++]}`);
    else lines.push(`+${b[j++]}`);
  }
  return lines;
}

/** Lines around a change that show where it stands. */
const CONTEXT = 2;

/** A difference without the lines that are far from any change; ` ...` stands for them. */
function nearby(lines: readonly string[]): readonly string[] {
  const changed = lines.flatMap((line, n) => (line.startsWith(' ') ? [] : [n]));
  let next = 0;
  return lines.flatMap((line, n) => {
    while (next < changed.length && (changed[next] ?? 0) + CONTEXT < n) next++;
    const near = Math.abs((changed[next] ?? Number.POSITIVE_INFINITY) - n) <= CONTEXT;
    if (near) return [line];
    const before = next > 0 ? (changed[next - 1] ?? 0) + CONTEXT + 1 : 0;
    return n === before ? [' ...'] : [];
  });
}

/** All of it as lines for a terminal or a page without script. */
export function explainedText({
  canonical,
  parts,
  recipe,
  edits,
  outcome,
  sentence,
  details,
  at,
  digest,
}: Explained): readonly string[] {
  const width = Math.max(0, ...parts.map(({ text }) => text.length));
  const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`.trimEnd());
  const said = sentence.startsWith(outcome.replace('-', ' '))
    ? sentence
    : `${outcome.replace('-', ' ')}: ${sentence}`;
  return [
    ...(canonical === undefined
      ? []
      : [canonical, '', ...indent(parts.map(({ text, says }) => `${text.padEnd(width)}  ${says}`)), '']),
    ...(recipe.length > 0
      ? ['against the named scenario:', ...indent(recipe), '']
      : canonical === undefined || edits.length > 0
        ? []
        : ['no difference to the named scenario.', '']),
    ...edits.flatMap(({ block, lines }) => [
      `${block}:`,
      ...indent(lines.length > 0 ? lines : ['no difference']),
      '',
    ]),
    said,
    ...indent(details),
    ...(at === undefined ? [] : [`at ${at}, digest ${digest}`]),
  ];
}
