/** kallsyms tables in each order that kernels have had them. */
import { ascii, joined, little, padded } from './bytes.ts';

export interface Named {
  readonly name: string;
  readonly type: string;
  readonly address: bigint;
}

export const LAYOUTS = ['4.5', '4.6', '5.0', '6.1.y', '6.5', '7.0'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Every character that names have, and three longer pieces. */
const PIECES = ['asm_exc_', 'function_', 'nmi'];
const token = (n: number): string => PIECES[n - 0x80] ?? (n > 0x20 && n < 0x7f ? String.fromCharCode(n) : '');

const compressed = (text: string): readonly number[] => {
  const piece = PIECES.findIndex((one) => text.startsWith(one));
  if (text === '') return [];
  return piece >= 0
    ? [0x80 + piece, ...compressed(text.slice(PIECES[piece]?.length))]
    : [text.charCodeAt(0), ...compressed(text.slice(1))];
};

/**
 * The tables as one piece of read-only data.
 *
 * @param symbols by address; per-CPU ones, of type A, first
 * @param address of the piece in memory, where offsets count from their own place
 */
export function kallsyms(
  symbols: readonly Named[],
  layout: Layout,
  address: bigint,
  perCpu = true,
): Uint8Array {
  const markers: number[] = [];
  const names: number[] = [];
  for (const [n, { name, type }] of symbols.entries()) {
    if (n % 256 === 0) markers.push(names.length);
    const text = [type.charCodeAt(0), ...compressed(name)];
    names.push(
      ...(text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7]),
      ...text,
    );
  }
  const base = symbols.find(({ type }) => type !== 'A')?.address ?? 0n;
  const part = (bytes: readonly number[] | Uint8Array): Uint8Array => padded(joined(bytes), 8);
  const table = {
    addresses: part(symbols.flatMap((one) => little(one.address, 8))),
    offsets: part(
      symbols.flatMap((one) =>
        little(!perCpu ? one.address - base : one.type === 'A' ? one.address : base - 1n - one.address, 4),
      ),
    ),
    base: part(little(base, 8)),
    count: part(little(symbols.length, 4)),
    names: part(names),
    markers: part(markers.flatMap((one) => little(one, layout === '4.5' || layout === '4.6' ? 8 : 4))),
    seqs: part(symbols.flatMap((_, n) => [n >> 16, (n >> 8) & 255, n & 255])),
    tokens: part(Array.from({ length: 256 }, (_, n) => [...ascii(token(n)), 0]).flat()),
    index: part(
      Array.from({ length: 256 }, (_, n) => n).flatMap((n) =>
        little(
          Array.from({ length: n }, (_, m) => token(m).length + 1).reduce((sum, size) => sum + size, 0),
          2,
        ),
      ),
    ),
  };
  const { count, markers: marks, tokens, index } = table;
  const named = joined(count, table.names, marks);
  switch (layout) {
    case '4.5':
      return joined(table.addresses, named, tokens, index);
    case '4.6':
    case '5.0':
      return joined(table.offsets, table.base, named, tokens, index);
    case '6.1.y':
      return joined(table.offsets, table.base, named, table.seqs, tokens, index);
    case '6.5':
      return joined(named, tokens, index, table.offsets, table.base, table.seqs);
    case '7.0': {
      const before = joined(named, tokens, index);
      const own = symbols.flatMap((one, n) =>
        little(one.address - (address + BigInt(before.length + 4 * n)), 4),
      );
      return joined(before, part(own), table.seqs);
    }
  }
}
