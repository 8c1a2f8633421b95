import { describe, expect, test } from 'vitest';
import { type OrcFormat, OrcTable, orcText, readOrc } from '../../src/image/orc.ts';

const AT = 0xffffffff82000000n;

type Raw = readonly [address: bigint, sp: number, bp: number, flags: number];

/** Tables as a kernel has them: addresses relative to their own place, six bytes a row. */
function tables(...rows: readonly Raw[]) {
  const addresses = new DataView(new ArrayBuffer(4 * rows.length));
  const data = new DataView(new ArrayBuffer(6 * rows.length));
  rows.forEach(([address, sp, bp, flags], n) => {
    addresses.setInt32(4 * n, Number(BigInt.asIntN(32, address - (AT + BigInt(4 * n)))), true);
    data.setInt16(6 * n, sp, true);
    data.setInt16(6 * n + 2, bp, true);
    data.setUint16(6 * n + 4, flags, true);
  });
  return [new Uint8Array(addresses.buffer), new Uint8Array(data.buffer)] as const;
}
const read = (format: OrcFormat, ...rows: readonly Raw[]) => {
  const [addresses, data] = tables(...rows);
  return readOrc(addresses, AT, data, format);
};
/** Registers and the bits behind them. */
const bits = (sp: number, bp: number, flags: number): number => sp | (bp << 4) | (flags << 8);
const A = 0xffffffff81000000n;

describe('every layout is read as the same rows', () => {
  const call = { base: 'sp', offset: 16, bpBase: 'prev-sp', bpOffset: -16, type: 'call', signal: false };
  const regs = { base: 'sp', offset: -8, bpBase: 'undefined', bpOffset: 0, type: 'regs', signal: true };
  const partial = {
    base: 'dx',
    offset: 8,
    bpBase: 'undefined',
    bpOffset: 0,
    type: 'regs-partial',
    signal: true,
  };
  const drap = { base: 'bp-indirect', offset: -8, bpBase: 'bp', bpOffset: 0, type: 'call', signal: false };
  const end = { type: 'end', base: 'undefined' };
  const nothing = { type: 'undefined', base: 'undefined' };
  const flags: Readonly<
    Record<
      OrcFormat,
      readonly [call: number, regs: number, partial: number, end: number | undefined, nothing: number]
    >
  > = {
    '4.14': [0, 1, 2, undefined, 0],
    '4.18': [0, 1, 2, 4, 0],
    '6.3': [0, 5, 6, 8, 0],
    '6.4': [2, 11, 12, 1, 0],
    '7.1': [2, 11, 12, 1, 0],
  };
  test.each(Object.keys(flags) as OrcFormat[])('%s', (format) => {
    const [c, r, p, e, n] = flags[format];
    const [SP, PREV, DX, BP, BPI] = format === '7.1' ? [3, 8, 2, 4, 10] : [5, 1, 2, 4, 8];
    const { rows, problems } = read(
      format,
      [A, 16, -16, bits(SP, PREV, c)],
      [A + 1n, -8, 0, bits(SP, 0, r)],
      [A + 2n, 8, 0, bits(DX, 0, p)],
      [A + 3n, -8, 0, bits(BPI, BP, c)],
      [A + 4n, 0, 0, bits(0, 0, n)],
      ...(e === undefined ? [] : [[A + 5n, 0, 0, bits(0, 0, e)] as const]),
    );
    expect(problems).toEqual([]);
    expect(rows).toMatchObject([call, regs, partial, drap, nothing, ...(e === undefined ? [] : [end])]);
    expect(rows.map(({ address }) => address - A)).toEqual(rows.map((_, n) => BigInt(n)));
  });

  test('6.3: a breakpoint has registers without a signal', () => {
    expect(read('6.3', [A, 0, 0, bits(5, 0, 2)]).rows).toMatchObject([
      { type: 'regs-partial', signal: false },
    ]);
  });
});

test('what makes no sense is left out and told; nothing throws', () => {
  const { rows, problems } = read(
    '6.4',
    [A, 0, 0, bits(15, 0, 2)],
    [A, 8, 0, bits(5, 0, 2)],
    [A, 8, 0, bits(5, 0, 7)],
  );
  expect(rows).toHaveLength(1);
  expect(problems).toEqual([
    'invalid ORC row: 0x20f at 0xffffffff81000000',
    'invalid ORC row: 0x705 at 0xffffffff81000000',
  ]);
  const [addresses, data] = tables([A, 8, 0, bits(5, 0, 2)]);
  expect(readOrc(addresses.subarray(0, 3), AT, data, '6.4')).toEqual({
    rows: [],
    problems: ['invalid ORC tables: 3 bytes of addresses and 6 of rows do not match'],
  });
});

test('a row is in force up to the next; of two at one address the one that marks an end is passed over', () => {
  const { rows } = read(
    '6.4',
    [A + 32n, 0, 0, bits(0, 0, 0)],
    [A + 16n, 16, 0, bits(5, 0, 2)],
    [A + 16n, 0, 0, bits(0, 0, 0)],
    [A, 8, 0, bits(5, 0, 2)],
  );
  const table = new OrcTable(rows);
  const offset = (ip: bigint) => table.find(ip)?.offset;
  expect([A - 1n, A, A + 15n, A + 16n, A + 31n, A + 32n, 0n].map(offset)).toEqual([
    undefined,
    8,
    8,
    16,
    16,
    undefined,
    undefined,
  ]);
  expect(new OrcTable([]).find(A)).toBeUndefined();
  expect(rows.map(orcText)).toEqual([
    'sp:sp+8 bp:(und) type:call signal:0',
    'type:undefined',
    'sp:sp+16 bp:(und) type:call signal:0',
    'type:undefined',
  ]);
});
