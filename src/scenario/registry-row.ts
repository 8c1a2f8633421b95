/** A frozen row as text: JSON with a line for each line of code, so that a reader of the repository can read it. */
import type { Image, Place, Segment } from '../image/image.ts';
import type { Shelf } from './library.ts';
import type { RecordedRun } from './records.ts';
import type { FrozenRow, Registry, RegistryEntry } from './registry.ts';
import type { CodeLine } from './timeline.ts';

type Flag = 0 | 1;

/** What the file holds. Addresses and bytes are hexadecimal, places `page:line:column`. */
export interface RowText {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  readonly model: number;
  readonly design: string;
  readonly page: string;
  readonly recipe: readonly string[];
  readonly pages: readonly {
    readonly slug: string;
    readonly page: string;
    readonly title: string;
    readonly cells: readonly {
      readonly name: string;
      readonly line: number;
      readonly lines: readonly string[];
    }[];
  }[];
  readonly segments: readonly {
    readonly name: string;
    readonly address: string;
    /** Letters of `wxu`: writable, executable, for CPL 3. */
    readonly rights: string;
    readonly bytes: readonly string[];
  }[];
  readonly symbols: readonly (readonly [
    name: string,
    address: string,
    size: number,
    global: Flag,
    comment: string,
  ])[];
  readonly lines: readonly (readonly [
    address: string,
    length: number,
    text: string,
    comment: string,
    ...origins: string[],
  ])[];
  readonly code: readonly (readonly [
    kind: CodeLine['kind'],
    address: string,
    text: string,
    comment: string,
    block: string,
    page: string,
    line: number,
    depth: number,
  ])[];
  readonly record: RecordedRun;
  readonly text: readonly string[];
}

const BYTES_A_LINE = 32;

const hex = (value: bigint): string => value.toString(16);
const fromHex = (text: string): bigint => BigInt(`0x${text}`);

function bytesOf(lines: readonly string[]): Uint8Array {
  const text = lines.join('');
  return Uint8Array.from({ length: text.length / 2 }, (_, n) =>
    Number.parseInt(text.slice(2 * n, 2 * n + 2), 16),
  );
}

function bytesText(bytes: Uint8Array): string[] {
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return text.match(new RegExp(`.{1,${2 * BYTES_A_LINE}}`, 'g')) ?? [];
}

const placeText = ({ page, line, column }: Place): string => `${page}:${line}:${column}`;

function placeOf(text: string): Place {
  const [column = '1', line = '1', ...page] = text.split(':').reverse();
  return { page: page.reverse().join(':'), line: Number(line), column: Number(column) };
}

/** The row that a file holds. The file must be one that `rowText` wrote: the list of hashes vouches for it. */
export function readRow(row: RowText): FrozenRow {
  const image: Image = {
    segments: row.segments.map(
      ({ name, address, rights, bytes }): Segment => ({
        name,
        address: fromHex(address),
        bytes: bytesOf(bytes),
        writable: rights.includes('w'),
        executable: rights.includes('x'),
        user: rights.includes('u'),
      }),
    ),
    symbols: row.symbols.map(([name, address, size, global, comment]) => ({
      name,
      address: fromHex(address),
      size,
      global: global === 1,
      comment,
    })),
    lines: row.lines.map(([address, length, text, comment, first = '', ...uses]) => ({
      address: fromHex(address),
      length,
      text,
      comment,
      origins: [placeOf(first), ...uses.map(placeOf)],
    })),
  };
  const code = row.code.map(([kind, address, text, comment, block, page, line, depth]) => ({
    kind,
    text,
    comment,
    address: address === '' ? undefined : fromHex(address),
    block,
    page,
    line,
    depth,
  }));
  const shelves = row.pages.map(
    ({ slug, page, title, cells }): Shelf => ({
      slug,
      page,
      title,
      design: slug === row.design,
      asm: cells.map(({ name, line, lines }) => ({ page, name, line, lines })),
      scenarios: [],
    }),
  );
  const { slug, version, title, model, design, page, record, text } = row;
  const recipe = `${row.recipe.join('\n')}\n`;
  return {
    ...{ slug, version, title, model, design, page, recipe, record, text, shelves },
    program: { image, code, problems: [] },
  };
}

/** Name of a row's file in its folder. */
export const rowFile = (slug: string, version: number): string => `${slug}.v${version}.json`;

/** A registry whose rows are fetched one by one, by the names of their files. */
export function fetchedRegistry(
  entries: readonly RegistryEntry[],
  files: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>,
): Registry {
  const rows = new Map<string, FrozenRow>();
  return {
    entries,
    row: (slug, version) => rows.get(rowFile(slug, version)),
    async load(slug, version) {
      const file = rowFile(slug, version);
      if (rows.has(file)) return;
      try {
        const fetched = await files[file]?.();
        if (fetched) rows.set(file, readRow(fetched.default as RowText));
      } catch {
        // Not there, or not to be had offline: whoever looks for the row finds none and says so.
      }
    },
  };
}

/** The text of the row's file. */
export function rowText(row: FrozenRow): string {
  const { slug, version, title, model, design, page, recipe, shelves, program, record, text } = row;
  const { image, code } = program;
  const file: RowText = {
    ...{ slug, version, title, model, design, page },
    recipe: recipe.trimEnd().split('\n'),
    pages: shelves.map((shelf) => ({
      slug: shelf.slug,
      page: shelf.page,
      title: shelf.title,
      cells: shelf.asm.map(({ name, line, lines }) => ({ name, line, lines })),
    })),
    segments: image.segments.map(({ name, address, bytes, writable, executable, user }) => ({
      name,
      address: hex(address),
      rights: `${writable ? 'w' : ''}${executable ? 'x' : ''}${user ? 'u' : ''}`,
      bytes: bytesText(bytes),
    })),
    symbols: image.symbols.map((one) => [
      one.name,
      hex(one.address),
      one.size,
      one.global ? 1 : 0,
      one.comment,
    ]),
    lines: image.lines.map((one) => [
      hex(one.address),
      one.length,
      one.text,
      one.comment,
      ...one.origins.map(placeText),
    ]),
    code: code.map((one) => [
      one.kind,
      one.address === undefined ? '' : hex(one.address),
      one.text,
      one.comment,
      one.block,
      one.page,
      one.line,
      one.depth,
    ]),
    record,
    text,
  };
  return `${laidOut(file, '')}\n`;
}

/** JSON with every list of plain values on one line, but lists of text with a line for each. */
function laidOut(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const plain = value.every((one) => typeof one !== 'object');
    const texts = plain && value.length > 0 && value.every((one) => typeof one === 'string');
    if (value.length === 0 || (plain && !texts)) return JSON.stringify(value);
    return `[\n${value.map((one) => inner + laidOut(one, inner)).join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{\n${fields.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${laidOut(one, inner)}`).join(',\n')}\n${indent}}`;
}
