/**
 * ORC: for every instruction, how to get from its stack pointer to the one of its caller. A table of rows by address,
 * each in force up to the next. Kernels have had five formats of it; here they are one.
 *
 * Layouts: arch/x86/include/asm/orc_types.h of 4.14, 4.18 (`end`), 6.3 (`signal`), 6.4 (three bits of type) and 7.1 (registers
 * numbered anew); a kernel tells its own by the hash in `.orc_header` since 6.4.
 */

/** What a stack pointer is counted from. `bp-indirect`, `sp-indirect`: from the word that lies there. */
export type OrcBase =
  | 'undefined'
  | 'prev-sp'
  | 'ax'
  | 'dx'
  | 'di'
  | 'bp'
  | 'sp'
  | 'r10'
  | 'r13'
  | 'bp-indirect'
  | 'sp-indirect';

/**
 * What lies at the address that base and offset give: above a return address (`call`), a `struct pt_regs`, or only the
 * five words of an iret frame. `undefined`: nothing is known; `end`: there is no caller.
 */
export type OrcType = 'undefined' | 'end' | 'call' | 'regs' | 'regs-partial';

export interface OrcRow {
  /** First address it is in force at. */
  readonly address: bigint;
  readonly base: OrcBase;
  readonly offset: number;
  /** Where the caller's RBP lies: unchanged, or counted from the caller's stack pointer or from RBP. */
  readonly bpBase: OrcBase;
  readonly bpOffset: number;
  readonly type: OrcType;
  /** The address found there is of an instruction still to run, not one behind a call. */
  readonly signal: boolean;
}

export type OrcFormat = '4.14' | '4.18' | '6.3' | '6.4' | '7.1';

const REGISTERS: readonly OrcBase[] = [
  'undefined',
  'prev-sp',
  'dx',
  'di',
  'bp',
  'sp',
  'r10',
  'r13',
  'bp-indirect',
  'sp-indirect',
];
const REGISTERS_7_1: readonly OrcBase[] = [
  'undefined',
  'ax',
  'dx',
  'sp',
  'bp',
  'di',
  'r10',
  'r13',
  'prev-sp',
  'sp-indirect',
  'bp-indirect',
];
const TYPES: readonly OrcType[] = ['undefined', 'end', 'call', 'regs', 'regs-partial'];
const TYPES_OLD: readonly OrcType[] = ['call', 'regs', 'regs-partial'];

/** Bytes of one row, and of its address in the table beside it. */
const ROW = 6;
const ADDRESS = 4;

/** By address; of rows at one address, the one that marks an end of text comes first, so that a search passes over it. */
export const orcOrder = (a: OrcRow, b: OrcRow): number =>
  a.address < b.address
    ? -1
    : a.address > b.address
      ? 1
      : Number(b.type === 'undefined') - Number(a.type === 'undefined');

/**
 * Reads `.orc_unwind_ip` (`addresses`, whose first byte lies at `at`) and `.orc_unwind` (`rows`). The rows are sorted,
 * as kernels sort them at build or at boot. A problem is one sentence; rows that make no sense are left out.
 */
export function readOrc(
  addresses: Uint8Array,
  at: bigint,
  rows: Uint8Array,
  format: OrcFormat,
): { readonly rows: readonly OrcRow[]; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const found: OrcRow[] = [];
  const count = Math.min(Math.floor(addresses.length / ADDRESS), Math.floor(rows.length / ROW));
  if (addresses.length !== count * ADDRESS || rows.length !== count * ROW)
    problems.push(
      `invalid ORC tables: ${addresses.length} bytes of addresses and ${rows.length} of rows do not match`,
    );
  const where = new DataView(addresses.buffer, addresses.byteOffset, addresses.length);
  const data = new DataView(rows.buffer, rows.byteOffset, rows.length);
  const registers = format === '7.1' ? REGISTERS_7_1 : REGISTERS;
  for (let n = 0; n < count; n++) {
    const address = BigInt.asUintN(64, at + BigInt(n * ADDRESS) + BigInt(where.getInt32(n * ADDRESS, true)));
    const bits = data.getUint16(n * ROW + 4, true);
    const base = registers[bits & 15];
    const bpBase = registers[(bits >> 4) & 15];
    const said = flagsOf(bits >> 8, format, base);
    if (base === undefined || bpBase === undefined || said === undefined) {
      problems.push(`invalid ORC row: 0x${bits.toString(16)} at 0x${address.toString(16)}`);
      continue;
    }
    const [offset, bpOffset] = [data.getInt16(n * ROW, true), data.getInt16(n * ROW + 2, true)];
    found.push({ address, base, offset, bpBase, bpOffset, ...said });
  }
  return { rows: found.sort(orcOrder), problems };
}

/** Type and signal from the bits behind the registers. Before 6.3 the signal goes without saying. */
function flagsOf(
  bits: number,
  format: OrcFormat,
  base: OrcBase | undefined,
): Pick<OrcRow, 'type' | 'signal'> | undefined {
  if (format === '6.4' || format === '7.1') {
    const type = TYPES[bits & 7];
    return type && { type, signal: (bits & 8) !== 0 };
  }
  const type = TYPES_OLD[bits & 3];
  if (type === undefined) return undefined;
  const end = format !== '4.14' && (bits & (format === '6.3' ? 8 : 4)) !== 0;
  if (base === 'undefined') return { type: end ? 'end' : 'undefined', signal: false };
  return { type, signal: format === '6.3' ? (bits & 4) !== 0 : type !== 'call' };
}

/** A row with its offsets as addresses are counted: made when first looked up, since a walk adds them at every frame. */
export interface FoundRow extends OrcRow {
  readonly by: bigint;
  readonly bpBy: bigint;
}
export const foundRow = (row: OrcRow): FoundRow => ({
  ...row,
  by: BigInt(row.offset),
  bpBy: BigInt(row.bpOffset),
});

/** Rows to look up. */
export class OrcTable {
  readonly rows: readonly OrcRow[];
  readonly #found: (FoundRow | undefined)[];
  readonly #first: bigint;
  /** Distances from the first row: numbers are searched faster than addresses. */
  readonly #at: Float64Array;

  /** @param rows in the order of `orcOrder` */
  constructor(rows: readonly OrcRow[]) {
    this.rows = rows;
    this.#found = new Array<FoundRow | undefined>(rows.length).fill(undefined);
    this.#first = rows[0]?.address ?? 0n;
    this.#at = Float64Array.from(rows, ({ address }) => Number(address - this.#first));
  }

  /**
   * The row in force at `ip`, or so many bytes before it: the last one that begins there or before. Undefined before the first
   * and behind the last.
   */
  find(ip: bigint, back = 0): FoundRow | undefined {
    const n = this.#index(Number(ip - this.#first) - back);
    if (n === undefined) return undefined;
    this.#found[n] ??= foundRow(this.rows[n] as OrcRow);
    return this.#found[n];
  }

  /** The row in force at `from`, and those that begin behind it and before `to`. */
  within(from: bigint, to: bigint): readonly OrcRow[] {
    const first = this.#index(Number(from - this.#first));
    if (first === undefined) return this.rows.filter(({ address }) => address > from && address < to);
    let end = first + 1;
    while (end < this.rows.length && (this.rows[end] as OrcRow).address < to) end++;
    return this.rows.slice(first, end);
  }

  #index(distance: number): number | undefined {
    const at = this.#at;
    if (!(distance >= 0 && distance < (at[at.length - 1] ?? 0))) return undefined;
    let low = 0;
    let high = at.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((at[middle] as number) <= distance) low = middle;
      else high = middle;
    }
    return low;
  }
}

const NAMES: Readonly<Partial<Record<OrcBase, string>>> = { undefined: '(und)', 'prev-sp': 'prevsp' };
const place = (base: OrcBase, offset: number): string => {
  const signed = offset < 0 ? String(offset) : `+${offset}`;
  if (base === 'undefined') return '(und)';
  return base.endsWith('-indirect') ? `(${base.slice(0, 2)}${signed})` : `${NAMES[base] ?? base}${signed}`;
};

/** A row in the manner of `objtool --dump=orc`: `sp:sp+8 bp:(und) type:call signal:0`. */
export const orcText = ({ base, offset, bpBase, bpOffset, type, signal }: OrcRow): string =>
  type === 'undefined' || type === 'end'
    ? `type:${type}`
    : `sp:${place(base, offset)} bp:${place(bpBase, bpOffset)} type:${type} signal:${Number(signal)}`;
