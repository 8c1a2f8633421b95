/** What text was assembled to, as JSON: in frozen rows, and in the programs that the site is built with. */
import type { Image, Place, Segment } from '../image/image.ts';
import { type OrcBase, OrcTable, type OrcType } from '../image/orc.ts';
import type { Assembled } from './program.ts';
import type { CodeLine } from './timeline.ts';

type Flag = 0 | 1;

/** Addresses and bytes are hexadecimal, places `page:line:column`. */
export interface ProgramRow {
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
  /** Where the text says anything of stacks. */
  readonly orc?: readonly (readonly [
    address: string,
    base: OrcBase,
    offset: number,
    bpBase: OrcBase,
    bpOffset: number,
    type: OrcType,
    signal: Flag,
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

/** The program of a row. The row must be one that `programRow` made. */
export function readProgram(row: ProgramRow): Assembled {
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
    ...(row.orc && {
      orc: new OrcTable(
        row.orc.map(([address, base, offset, bpBase, bpOffset, type, signal]) => ({
          address: fromHex(address),
          base,
          offset,
          bpBase,
          bpOffset,
          type,
          signal: signal === 1,
        })),
      ),
    }),
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
  return { image, code, problems: [] };
}

/**
 * A program that assembled without a problem, as a row. Of its image, what only assembling and checking text needs is left
 * out: `statements`, of which `code` is made, `hints` and `functions`.
 */
export const programRow = ({ image, code }: Assembled): ProgramRow => ({
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
  ...(image.orc && {
    orc: image.orc.rows.map(
      ({ address, base, offset, bpBase, bpOffset, type, signal }) =>
        [hex(address), base, offset, bpBase, bpOffset, type, signal ? 1 : 0] as const,
    ),
  }),
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
});

/** A row for the browser: a line that the listing has as well, with the same text, says 0 and finds it there. */
export type PackedProgram = Omit<ProgramRow, 'lines'> & {
  readonly lines: readonly (
    | ProgramRow['lines'][number]
    | readonly [address: string, length: number, listed: 0, ...origins: string[]]
  )[];
};

const listed = ({ code }: Pick<ProgramRow, 'code'>): ReadonlyMap<string, ProgramRow['code'][number]> =>
  new Map(code.map((one) => [one[1], one]));

export function packProgram(program: Assembled): PackedProgram {
  const row = programRow(program);
  const rows = listed(row);
  return {
    ...row,
    lines: row.lines.map((line) => {
      const [address, length, text, comment, ...origins] = line;
      const same = rows.get(address);
      return same?.[2] === text && same[3] === comment ? ([address, length, 0, ...origins] as const) : line;
    }),
  };
}

/** The program that was packed. */
export function unpackProgram(packed: PackedProgram): Assembled {
  const rows = listed(packed);
  const lines = packed.lines.map((line): ProgramRow['lines'][number] => {
    if (!isListed(line)) return line;
    const [address, length, , ...origins] = line;
    const [, , text = '', comment = ''] = rows.get(address) ?? [];
    return [address, length, text, comment, ...origins];
  });
  return readProgram({ ...packed, lines });
}

const isListed = (
  line: PackedProgram['lines'][number],
): line is readonly [address: string, length: number, listed: 0, ...origins: string[]] => line[2] === 0;
