/**
 * The kernel's own symbols, from the tables that its stack traces are printed with. A stripped vmlinux has no symbol
 * that says where they are, and their order has changed many times, so they are found by what they must look like.
 *
 * Layouts (scripts/kallsyms.c): 8-byte addresses first (to 4.5); offsets, a base, then names (4.6); `seqs_of_names` behind the
 * markers (6.2, and stables of 6.1); offsets and base behind the tokens (6.5); offsets from their own place,
 * no base (7.0). Markers had 8 bytes each before 5.0.
 */
import { latin1, malformed } from '../reading.ts';
import type { Extent } from './memory.ts';
import type { KernelSymbol } from './symbols.ts';

const READING = 'kallsyms';
const TOKENS = 256;
const ZERO = 0x30;
/** What the digits look like among the tokens: each stands for itself. */
const DIGITS = Uint8Array.from('0123456789'.split('').flatMap((digit) => [digit.charCodeAt(0), 0]));
/** Symbols between two markers. */
const STEP = 256;
/** Most that is read: symbols, characters of one name, characters of all names. */
const MOST_SYMBOLS = 1 << 21;
const LONGEST = 2048;
const MOST_CHARACTERS = 1 << 26;
/** Characters of a name, as room is made for them. */
const EXPECTED = 32;
/** Places looked at before the search for the names ends: some hundred times what a kernel needs. */
const MOST_LOOKS = 1 << 27;

const aligned = (at: number): number => (at + 7) & ~7;

interface Tokens {
  /** Where the table begins, and where the index behind it ends. */
  readonly start: number;
  readonly end: number;
  /** Characters of each. */
  readonly texts: readonly Uint8Array[];
}

interface Names {
  readonly count: number;
  /** Where the names begin; the count stands 8 bytes before. */
  readonly start: number;
}

/** Symbols in the order of the tables: by address. A kernel without tables is a problem. */
export function readKallsyms(extents: readonly Extent[]): readonly KernelSymbol[] {
  // They are read-only data: a section of text is the last place to look.
  for (const extent of extents.toSorted((a, b) => Number(a.executable) - Number(b.executable))) {
    const view = new DataView(extent.bytes.buffer, extent.bytes.byteOffset, extent.bytes.length);
    const tokens = findTokens(extent.bytes, view);
    const names = tokens && findNames(view, tokens);
    if (!tokens || !names) continue;
    const addresses = findAddresses(extent, view, tokens, names, extents);
    if (!addresses)
      malformed(`unknown kallsyms layout: no addresses for ${names.count} names`, READING, names.start);
    return readNames(extent.bytes, tokens, names, addresses as BigUint64Array);
  }
  return malformed('missing kallsyms: no table of names', READING, 0);
}

/** The tokens are 256 texts, each with a zero behind it; an index of 16-bit offsets follows, and proves them. */
function findTokens(bytes: Uint8Array, view: DataView): Tokens | undefined {
  for (let at = indexOf(bytes, DIGITS, 0); at >= 0; at = indexOf(bytes, DIGITS, at + 1)) {
    let end = at;
    for (let n = ZERO; n < TOKENS && end > 0; n++) end = bytes.indexOf(0, end) + 1;
    if (end === 0) return undefined;
    const index = aligned(end);
    if (index + 2 * TOKENS > bytes.length) return undefined;
    const offset = (n: number): number => view.getUint16(index + 2 * n, true);
    const start = at - offset(ZERO);
    if (offset(0) !== 0 || start < 0) continue;
    const texts: Uint8Array[] = [];
    let next = start;
    while (texts.length < TOKENS && next === start + offset(texts.length)) {
      const zero = bytes.indexOf(0, next);
      texts.push(bytes.subarray(next, zero));
      next = zero + 1;
    }
    if (texts.length === TOKENS && next === end) return { start, end: index + 2 * TOKENS, texts };
  }
  return undefined;
}

/** As `indexOf` of text. */
function indexOf(bytes: Uint8Array, pattern: Uint8Array, from: number): number {
  const [first, second, third] = pattern as unknown as readonly number[];
  for (let at = bytes.indexOf(first as number, from); at >= 0; at = bytes.indexOf(first as number, at + 1))
    if (
      bytes[at + 1] === second &&
      bytes[at + 2] === third &&
      pattern.every((byte, n) => bytes[at + n] === byte)
    )
      return at;
  return -1;
}

/** Distances of two markers that can be: 256 names of one to some hundred bytes. */
const isStep = (distance: number): boolean => distance >= STEP * 2 && distance <= STEP * 600;

/**
 * The names lie before the tokens, and behind the names a marker for every 256th: an offset from the first name. Markers are
 * looked for from the tokens backwards; the count before the names must agree with their number, and every marker with the names.
 */
function findNames(view: DataView, tokens: Tokens): Names | undefined {
  const work = { left: MOST_LOOKS };
  for (let at = (tokens.start & ~7) - 8; at >= 0 && work.left > 0; at -= 8) {
    if (view.getUint32(at, true) !== 0) continue;
    for (const size of [4, 8]) {
      const found = namesBefore(view, at, size, tokens.start, work);
      if (found) return found;
    }
  }
  return undefined;
}

/** The names whose markers, of `size` bytes each, begin at `at`. */
function namesBefore(
  view: DataView,
  at: number,
  size: number,
  end: number,
  work: { left: number },
): Names | undefined {
  const marker = (n: number): number => view.getUint32(at + n * size, true);
  let run = 1;
  while (at + (run + 1) * size <= end && isStep(marker(run) - marker(run - 1))) run++;
  work.left -= run;
  // A run of one marker is any zero. What stands behind the last marker may look like one more.
  for (let count = run; count > Math.max(1, run - 2); count--) {
    const last = at - marker(count - 1);
    const furthest = Math.max(8, last - STEP * 600);
    for (let start = last & ~7; start >= furthest && work.left > 0; start -= 8, work.left--) {
      const symbols = view.getUint32(start - 8, true);
      if (Math.ceil(symbols / STEP) !== count || symbols > MOST_SYMBOLS) continue;
      work.left -= symbols;
      if (proves(view, start, symbols, marker, at)) return { count: symbols, start };
    }
  }
  return undefined;
}

/** Whether as many names from `start` on pass every marker and end where the markers begin. */
function proves(
  view: DataView,
  start: number,
  symbols: number,
  marker: (n: number) => number,
  end: number,
): boolean {
  let at = start;
  for (let n = 0; n < symbols; n++) {
    if (at >= end || (n % STEP === 0 && at - start !== marker(n / STEP))) return false;
    at += nameSize(view, at);
  }
  return aligned(at) === end;
}

/** Bytes of a name with its length: seven bits, or fourteen with the highest bit of the first byte set (6.1). */
const nameSize = (view: DataView, at: number): number => {
  const length = view.getUint8(at);
  if (length < 128) return 1 + length;
  return 2 + ((length & 127) | (at + 1 < view.byteLength ? view.getUint8(at + 1) << 7 : 0));
};

const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The table of addresses in one of its places and codes: the first that gives addresses in order, within the kernel. */
function findAddresses(
  { address }: Extent,
  view: DataView,
  tokens: Tokens,
  { count, start }: Names,
  extents: readonly Extent[],
): BigUint64Array | undefined {
  const words = aligned(4 * count);
  const within = (at: number): boolean => at >= 0 && at + words + 8 <= view.byteLength;
  const before = start - 16 - words;
  const behind = aligned(tokens.end);
  const offset = (at: number, n: number): number => view.getInt32(at + 4 * n, true);
  const relative = (at: number): readonly ((n: number) => bigint)[] => {
    if (!within(at)) return [];
    const base = view.getBigUint64(at + words, true);
    return [
      // Per-CPU variables are absolute, everything else counts down from the base.
      (n) => (offset(at, n) >= 0 ? BigInt(offset(at, n)) : word(base - 1n - BigInt(offset(at, n)))),
      (n) => word(base + BigInt(offset(at, n) >>> 0)),
    ];
  };
  const ways: readonly ((n: number) => bigint)[] = [
    ...relative(before),
    ...relative(behind),
    ...(within(behind) ? [(n: number) => word(address + BigInt(behind + 4 * n + offset(behind, n)))] : []),
    ...(start - 8 - 8 * count >= 0
      ? [(n: number) => view.getBigUint64(start - 8 - 8 * (count - n), true)]
      : []),
  ];
  return ways.map((way) => inOrder(way, count, extents)).find((found) => found !== undefined);
}

/** All addresses, if they never go down and most of them are of this kernel. */
function inOrder(
  way: (n: number) => bigint,
  count: number,
  extents: readonly Extent[],
): BigUint64Array | undefined {
  const isInside = (one: bigint): boolean =>
    extents.some(({ address, bytes }) => one >= address && one < address + BigInt(bytes.length));
  // The middle one first: it refuses nearly everything that is no table.
  if (!isInside(way(count >> 1))) return undefined;
  const found = new BigUint64Array(count);
  for (let n = 0, before = 0n; n < count; n++) {
    const value = way(n);
    if (value < before) return undefined;
    found[n] = value;
    before = value;
  }
  return found;
}

function readNames(
  bytes: Uint8Array,
  { texts: tokens }: Tokens,
  { count, start }: Names,
  addresses: BigUint64Array,
): readonly KernelSymbol[] {
  // All names in one text, of which each is a part: put together one by one they take five times as long.
  let written = new Uint8Array(count * EXPECTED);
  let used = 0;
  const ends = new Uint32Array(count);
  for (let n = 0, at = start; n < count; n++) {
    const first = bytes[at] as number;
    const length = first < 128 ? first : (first & 127) | ((bytes[at + 1] as number) << 7);
    at += first < 128 ? 1 : 2;
    const begin = used;
    for (const end = at + length; at < end; at++) {
      const token = tokens[bytes[at] as number] as Uint8Array;
      if (used + token.length - begin > LONGEST)
        malformed(`invalid kallsyms name: longer than ${LONGEST} characters`, READING, at);
      if (used + token.length > MOST_CHARACTERS)
        malformed(`too large kallsyms: more than ${MOST_CHARACTERS} characters`, READING, at);
      if (used + token.length > written.length) {
        const larger = new Uint8Array(written.length * 2 + LONGEST);
        larger.set(written);
        written = larger;
      }
      for (let letter = 0; letter < token.length; letter++) written[used++] = token[letter] as number;
    }
    ends[n] = used;
  }
  const text = latin1(written.subarray(0, used));
  return Array.from({ length: count }, (_, n): KernelSymbol => {
    const begin = n === 0 ? 0 : (ends[n - 1] as number);
    return {
      type: text.slice(begin, begin + 1),
      name: text.slice(begin + 1, ends[n]),
      address: addresses[n] as bigint,
    };
  });
}
