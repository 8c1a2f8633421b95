/**
 * Safeguards: lines of entry code that carry a name, so that they can be taken out by it. Said in marks, which GNU as
 * takes for comments: the text that is assembled with every safeguard in place is the text as it stands.
 *
 *     jb nested_nmi_out        #: safeguard test-b          this line
 *     #: safeguard test-d test-d-keep-e {                   the lines up to the brace, under either name
 *     #: }
 *     #: without test-d: jmp first_nmi                      stands here instead, once test-d is taken out
 *     #: about test-b "..."                                 what it is for; every safeguard has one
 */
import type { Place } from '../image/image.ts';
import { clipped, type Mark, marksOf, REMOVED } from './clause.ts';
import type { Problem, Source } from './source.ts';

export interface Safeguard {
  readonly name: string;
  /** What it is for, one sentence. */
  readonly about: string;
  /** Its lines, and those that stand for them when it is taken out. */
  readonly places: readonly Place[];
}

const NAME = /^[a-z0-9][a-z0-9-]*$/;
const WORDS: ReadonlySet<string> = new Set(['safeguard', 'without', 'about', '}']);

/** Whether a mark speaks of safeguards. */
export const isOfSafeguards = ({ text }: Mark): boolean => WORDS.has(/^\S*/.exec(text)?.[0] ?? '');

/** What a mark says of safeguards. */
type Said =
  | { readonly kind: 'open'; readonly names: readonly string[]; readonly mark: Mark }
  | { readonly kind: 'line'; readonly names: readonly string[]; readonly mark: Mark }
  | { readonly kind: 'close'; readonly mark: Mark }
  | {
      readonly kind: 'instead';
      readonly names: readonly [string];
      readonly text: string;
      readonly mark: Mark;
    }
  | {
      readonly kind: 'about';
      readonly names: readonly [string];
      readonly text: string;
      readonly mark: Mark;
    };

/** Reads the marks of a source that speak of safeguards; each mistake is a problem at its place. */
function said(source: Source): { readonly all: readonly Said[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const all: Said[] = [];
  const open: (Said & { readonly kind: 'open' })[] = [];
  for (const mark of marksOf(source)) {
    if (!isOfSafeguards(mark)) continue;
    const one = read(mark);
    if (typeof one === 'string') {
      problems.push(problem(mark, one));
      continue;
    }
    if (one.kind === 'open') open.push(one);
    if (one.kind === 'close' && !open.pop())
      problems.push(problem(mark, 'invalid mark: } without an open safeguard'));
    all.push(one);
  }
  for (const { mark, names } of open)
    problems.push(problem(mark, `missing }: safeguard ${names.join(' ')} is open to the end of the cell`));
  return { all, problems };
}

function read(mark: Mark): Said | string {
  const { text, behindCode } = mark;
  if (text.startsWith('}'))
    return text === '}' && !behindCode ? { kind: 'close', mark } : 'invalid mark: } stands alone on its line';
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  if (word === 'safeguard') {
    const opens = rest.endsWith('{');
    const names = rest
      .replace(/\{$/, '')
      .split(/[\s,]+/)
      .filter((one) => one !== '');
    const wrong = names.find((one) => !NAME.test(one));
    if (names.length === 0) return 'missing name: safeguard NAME';
    if (wrong !== undefined) return `invalid safeguard: ${clipped(wrong)} (lower-case letters, digits and -)`;
    if (opens === behindCode)
      return opens
        ? 'invalid mark: { stands on a line of its own'
        : 'missing code: safeguard NAME stands behind the line it names, or before { on a line of its own';
    return { kind: opens ? 'open' : 'line', names, mark };
  }
  const [, name = '', sentence] = /^(\S+)\s+"([^"]*)"$/.exec(rest) ?? [];
  if (word === 'about') {
    if (sentence === undefined || !NAME.test(name) || behindCode)
      return 'invalid mark: write about NAME "SENTENCE" on a line of its own';
    return { kind: 'about', names: [name], text: sentence, mark };
  }
  const [, instead = '', code = ''] = /^([^\s:]+)\s*:\s*(.*)$/.exec(rest) ?? [];
  if (!NAME.test(instead) || code === '' || behindCode)
    return 'invalid mark: write without NAME: CODE on a line of its own';
  return { kind: 'instead', names: [instead], text: code, mark };
}

const problem = ({ page, line, column }: Mark, message: string): Problem => ({ page, line, column, message });

/**
 * The source without some safeguards, each line where it was: one that is taken out becomes a comment that listings
 * show as such. What stands for it may be a mark itself. Mistakes in marks are left to `safeguardsOf`.
 */
export function takeOut(source: Source, without: ReadonlySet<string>): Source {
  const { all } = said(source);
  const taken = (names: readonly string[]): boolean => names.some((one) => without.has(one));
  if (!all.some((one) => one.kind !== 'close' && one.kind !== 'about' && taken(one.names))) return source;
  const lines = [...source.lines];
  const remove = (line: number): void => {
    const code = (lines[line - source.line] ?? '').replace(/\s*#:.*$/, '');
    if (code.startsWith(REMOVED)) return;
    lines[line - source.line] = code.trim() === '' ? '' : REMOVED + code;
  };
  const open: { readonly line: number; readonly taken: boolean }[] = [];
  for (const one of all) {
    const { line, column, text } = one.mark;
    if (one.kind === 'open') open.push({ line, taken: taken(one.names) });
    if (one.kind === 'close') {
      const from = open.pop();
      if (from?.taken) for (let n = from.line; n <= line; n++) if (!isInstead(all, n)) remove(n);
    }
    if (one.kind === 'line' && taken(one.names)) remove(line);
    // At its own columns, so that a mistake in it is found where it stands.
    if (one.kind === 'instead' && taken(one.names))
      lines[line - source.line] =
        ' '.repeat(column - 1 + '#:'.length + 1 + text.length - one.text.length) + one.text;
  }
  for (const { line } of open) remove(line); // one that is never closed, which is a mistake
  return takeOut({ ...source, lines }, without);
}

const isInstead = (all: readonly Said[], line: number): boolean =>
  all.some((one) => one.kind === 'instead' && one.mark.line === line);

/**
 * The safeguards that sources name, in the order in which it is said what they are for, and every mistake in what is
 * said of them.
 */
export function safeguardsOf(sources: readonly Source[]): {
  readonly safeguards: readonly Safeguard[];
  readonly problems: readonly Problem[];
} {
  const found = new Map<string, { about: string; readonly places: Place[] }>();
  const problems: Problem[] = [];
  const marks = new Map<string, Mark>();
  const order: string[] = [];
  for (const source of sources) {
    const { all, problems: wrong } = said(source);
    problems.push(...wrong);
    for (const one of all) {
      if (one.kind === 'close') continue;
      const { page, line, column } = one.mark;
      for (const name of one.names) {
        const entry = found.get(name) ?? { about: '', places: [] };
        found.set(name, entry);
        if (one.kind === 'about') {
          entry.about = one.text;
          order.push(name);
        } else entry.places.push({ page, line, column });
        if (!marks.has(name)) marks.set(name, one.mark);
      }
    }
  }
  for (const [name, { about }] of found) {
    const mark = marks.get(name);
    // A name that is written in two ways would be two safeguards: this is how it shows.
    if (mark && about === '') problems.push(problem(mark, `missing sentence: #: about ${name} "..."`));
  }
  // One whose lines a reader's edit has removed is none.
  const safeguards = [...new Set(order)].flatMap((name): readonly Safeguard[] => {
    const { about = '', places = [] } = found.get(name) ?? {};
    return places.length === 0 ? [] : [{ name, about, places }];
  });
  return { safeguards, problems };
}
