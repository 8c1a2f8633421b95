/** Where a kernel keeps its ORC rows, and in which of the five formats, told by what the rows look like. */
import { type OrcFormat, OrcTable, readOrc } from '../orc.ts';
import { hex, Reader } from '../reading.ts';
import { type Elf, sectionOf } from './elf.ts';

const ROW = 6;
/** `sp_reg` of the row of most instructions, SP, before and since 7.1. */
const SP = 5;
const SP_7_1 = 3;

export interface OrcTables {
  readonly format: OrcFormat;
  /** Rows as the file has them. */
  readonly count: number;
  /** The hash of `.orc_header`, in hexadecimal; none before 6.4. */
  readonly hash: string | undefined;
  readonly addresses: Uint8Array;
  /** Address of the first of `addresses`. */
  readonly at: bigint;
  readonly rows: Uint8Array;
}

/** The tables; undefined in a kernel without them. */
export function findOrc(elf: Elf): OrcTables | undefined {
  const addresses = sectionOf(elf, '.orc_unwind_ip');
  const rows = sectionOf(elf, '.orc_unwind');
  if (!addresses || !rows || rows.bytes.length === 0) return undefined;
  const header = sectionOf(elf, '.orc_header');
  return {
    format: formatOf(rows.bytes, header !== undefined),
    count: Math.floor(rows.bytes.length / ROW),
    hash: header && hex(header.bytes),
    addresses: addresses.bytes,
    at: addresses.address,
    rows: rows.bytes,
  };
}

/**
 * With a header, the registers tell 7.1 from before: one of them is in nearly every row. Without one, the bits behind the
 * type tell when `end` came (4.18) and when `signal` came before it (6.3).
 */
function formatOf(rows: Uint8Array, header: boolean): OrcFormat {
  const source = new Reader(rows, 'ORC rows');
  let [before, since, third, fourth] = [0, 0, 0, 0];
  for (let at = 0; at + ROW <= source.length; at += ROW) {
    const register = source.u8(at + 4) & 15;
    const flags = source.u8(at + 5);
    if (register === SP) before++;
    if (register === SP_7_1) since++;
    if (flags & 4) third++;
    if (flags & 8) fourth++;
  }
  if (header) return since > before ? '7.1' : '6.4';
  return fourth > 0 ? '6.3' : third > 0 ? '4.18' : '4.14';
}

/** All rows, to look up; what is wrong with them is left out and told. */
export function loadOrc(tables: OrcTables): {
  readonly table: OrcTable;
  readonly problems: readonly string[];
} {
  const { rows, problems } = readOrc(tables.addresses, tables.at, tables.rows, tables.format);
  return { table: new OrcTable(rows), problems };
}
