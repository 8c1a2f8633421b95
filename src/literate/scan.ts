/**
 * A page as tests, types and the browser see it: cells and claims with exact places.
 *
 * Everything is line based. A cell is a fence at column 1 whose info string is one of
 * `ts setup`, `ts run TITLE`, `ts fails TITLE`, `asm NAME`, `scenario NAME`; other fences are prose.
 * A claim is `<Claim is="EXPRESSION">TEXT</Claim>` on one line of prose. A number in prose is a claim, or
 * stands in `<Plain>...</Plain>` or in code; anything else is a mistake.
 */

export type CellKind = 'setup' | 'run' | 'fails' | 'asm' | 'scenario';

export interface Cell {
  readonly kind: CellKind;
  /** Title of a run, name of an `asm` or `scenario` cell, empty for setup; unique among its kind. */
  readonly name: string;
  /** Lines of the two fences, counted from 1 as an editor does. */
  readonly open: number;
  readonly close: number;
  readonly lines: readonly string[];
}

export interface Claim {
  readonly expression: string;
  readonly text: string;
  readonly line: number;
  /** Columns count from 1. */
  readonly expressionColumn: number;
  readonly textColumn: number;
}

export interface Page {
  /** Path from the root of the project, for people. */
  readonly path: string;
  readonly lines: readonly string[];
  readonly cells: readonly Cell[];
  readonly claims: readonly Claim[];
}

/** A mistake in a page; the message starts with its place. */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly line: number;
  readonly column: number;
  constructor(path: string, line: number, column: number, message: string) {
    super(`${path}:${line}:${column}: ${message}`);
    this.line = line;
    this.column = column;
  }
}

const FENCE = /^( *)(`{3,}|~{3,})\s*(.*)$/;
const PLAIN = /<Plain>[^<]*<\/Plain>/g;
/** What prose may hold beside words: comments, tags with their attributes, link targets, bare addresses. */
const MARKUP = /\{\/\*.*?\*\/\}|<[^>]*>|\]\([^)]*\)|https?:\S+/g;
/** A number that stands alone: not part of a name such as q(-6), linux-4.2 or x86. */
const NUMBER = /(?<![\w.#(&-])\d+(?:[.,]\d+)*(?![\w-])/;
const CLAIM = /<Claim is="([^"]*)">([^<]*)<\/Claim>/g;

/** Reads a page. Throws `PageError` at the first mistake. */
export function scan(text: string, path: string): Page {
  const lines = text.split('\n');
  const cells: Cell[] = [];
  const claims: Claim[] = [];
  const seen = new Set<string>();
  if (lines[0] !== '---') throw new PageError(path, 1, 1, 'missing frontmatter');

  let fence: { mark: string; open: number; info: CellInfo | undefined } | undefined;
  for (let line = bodyStart(lines); line <= lines.length; line++) {
    const source = lines[line - 1] ?? '';
    if (fence) {
      if (!closes(source, fence.mark)) continue;
      const { open, info } = fence;
      if (info) cells.push({ ...info, open, close: line, lines: lines.slice(open, line - 1) });
      fence = undefined;
      continue;
    }
    const [, indent = '', mark, words = ''] = FENCE.exec(source) ?? [];
    if (!mark) {
      claims.push(...claimsOf(source, path, line));
      continue;
    }
    const info = cellInfo(words, (message) => new PageError(path, line, indent.length + 1, message));
    if (info && indent) throw new PageError(path, line, 1, 'invalid cell: indented fence');
    if (info?.name) {
      const key = `${info.kind} ${info.name}`;
      if (seen.has(key)) throw new PageError(path, line, 1, `duplicate cell: ${key}`);
      seen.add(key);
    }
    fence = { mark, open: line, info };
  }
  if (fence) throw new PageError(path, fence.open, 1, 'missing end of fence');
  return { path, lines, cells, claims };
}

type CellInfo = Pick<Cell, 'kind' | 'name'>;

function cellInfo(words: string, error: (message: string) => PageError): CellInfo | undefined {
  const [lang = '', ...rest] = words.trim().split(/\s+/);
  if (lang === 'ts' && rest.length > 0) {
    const kind = rest[0] ?? '';
    const name = rest.slice(1).join(' ');
    if (kind === 'setup') return { kind, name: '' };
    if (kind !== 'run' && kind !== 'fails') throw error(`unknown cell: ts ${kind}`);
    if (!name) throw error(`missing title: ts ${kind}`);
    return { kind, name };
  }
  if (lang !== 'asm' && lang !== 'scenario') return undefined;
  const name = rest.join(' ');
  if (!name) throw error(`missing name: ${lang}`);
  if (!/^[a-z][a-z\d]*(-[a-z\d]+)*$/.test(name))
    throw error(`invalid name: ${name} (write small-words-like-this)`);
  return { kind: lang, name };
}

function claimsOf(source: string, path: string, line: number): Claim[] {
  if (/^(import|export) /.test(source)) return [];
  const prose = source.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length));
  const found = [...prose.matchAll(CLAIM)].map((match): Claim => {
    const [whole, , text = ''] = match;
    const start = match.index + '<Claim is="'.length;
    const length = whole.length - '<Claim is="">'.length - text.length - '</Claim>'.length;
    const textColumn = start + length + '">'.length + 1;
    if (!text.trim() || /["\\{}]/.test(text)) {
      throw new PageError(path, line, textColumn, `invalid claim: ${JSON.stringify(text)}`);
    }
    const expression = source.slice(start, start + length);
    return { expression, text, line, expressionColumn: start + 1, textColumn };
  });
  const bare = prose.replace(CLAIM, (whole) => ' '.repeat(whole.length)).indexOf('<Claim');
  if (bare >= 0) {
    const form = '<Claim is="EXPRESSION">TEXT</Claim> on one line';
    throw new PageError(path, line, bare + 1, `invalid claim: write ${form}`);
  }
  const blank = (text: string): string => ' '.repeat(text.length);
  const words = prose
    .replace(CLAIM, blank)
    .replace(PLAIN, blank)
    .replace(MARKUP, blank)
    .replace(/^\d+\. /, blank);
  const number = NUMBER.exec(words);
  if (number) {
    const form = `<Claim is="EXPRESSION">${number[0]}</Claim> or <Plain>${number[0]}</Plain>`;
    throw new PageError(path, line, number.index + 1, `unproven number: ${number[0]} (write ${form})`);
  }
  return found;
}

/** Line after the frontmatter, which may hold fences of its own. */
function bodyStart(lines: readonly string[]): number {
  const end = lines.indexOf('---', 1);
  return end < 0 ? lines.length + 1 : end + 2;
}

function closes(source: string, mark: string): boolean {
  const end = source.trim();
  return end.startsWith(mark) && end === mark.charAt(0).repeat(end.length);
}
