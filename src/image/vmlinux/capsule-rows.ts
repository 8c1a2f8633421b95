/** Tables of a capsule: those rows of the kernel's own that speak of its text, in the kernel's own formats. */
import type { Kernel } from '../kernel-file.ts';
import { ifSound, isProblem } from '../reading.ts';
import { type AlternativeSite, DIRECT_CALL, NOT, NOT_OLD } from './alternatives.ts';
import { sectionOf } from './elf.ts';
import type { OutSection } from './elf-file.ts';
import {
  type KeySite,
  PARAVIRT_SITE,
  readKeySites,
  readParavirtSites,
  readSites,
  readStaticCalls,
  readTracingSites,
  SITE_LISTS,
  type StaticCallSite,
  TABLE_ENDS,
} from './sites.ts';

const ADDRESS = 4;
const ROW = 6;
const WORD = 8;

/** A stretch of addresses, the end not within. */
export interface Stretch {
  readonly from: bigint;
  readonly to: bigint;
}

/** A signed distance of 32 bits. */
const put = (view: DataView, at: number, target: bigint, here: bigint): void =>
  view.setInt32(at, Number(BigInt.asIntN(64, target - here)), true);

/** All tables: ORC, alternatives with their code, and the lists of places; of those that symbols delimit, where they end now. */
export function capsuleRows(
  kernel: Kernel,
  text: readonly Stretch[],
  sites: readonly AlternativeSite[],
): { readonly sections: readonly OutSection[]; readonly ends: ReadonlyMap<string, bigint> } {
  const tables = delimited(kernel, text);
  return {
    sections: [
      ...orcSections(kernel, text),
      ...alternativeSections(kernel, sites),
      ...siteSections(kernel, text),
      ...paravirtSections(kernel, text),
      ...tables.filter(({ bytes }) => bytes.length > 0),
    ],
    ends: new Map(tables.map(({ name, address, bytes }) => [name, address + BigInt(bytes.length)])),
  };
}

const isIn = (text: readonly Stretch[], address: bigint): boolean =>
  text.some(({ from, to }) => address >= from && address < to);

/** What of the text is written over beside alternatives, and the variables that decide on it. */
export function deciding(
  { elf, memory, symbols }: Kernel,
  text: readonly Stretch[],
): {
  readonly calls: readonly StaticCallSite[];
  readonly keys: readonly KeySite[];
  readonly tracing: readonly bigint[];
  readonly variables: readonly Stretch[];
} {
  const calls = (ifSound(() => readStaticCalls(memory, symbols)) ?? []).filter((one) =>
    isIn(text, one.address),
  );
  const keys = readKeySites(memory, symbols).filter((one) => isIn(text, one.address));
  const tracing = readTracingSites(memory, symbols).filter((one) => isIn(text, one));
  const table = symbols.address('pv_ops');
  const paravirt = readParavirtSites(elf).filter((one) => isIn(text, one.address));
  const words = [
    ...calls.map(({ key }) => key),
    ...keys.map(({ key }) => key),
    ...(table === undefined ? [] : paravirt.map(({ entry }) => table + BigInt(WORD * entry))),
  ];
  const variables = [...new Set(words)].map((from) => ({ from, to: from + BigInt(WORD) }));
  return { calls, keys, tracing, variables };
}

/** Tables between two symbols each; their name is that of the second. */
function delimited(kernel: Kernel, text: readonly Stretch[]): readonly OutSection[] {
  const { calls, keys, tracing } = deciding(kernel, text);
  const table = (
    [first, last]: readonly [string, string],
    size: number,
    count: number,
    fill: (view: DataView, n: number, at: number, here: bigint) => void,
  ): readonly OutSection[] => {
    const address = kernel.symbols.address(first);
    if (address === undefined) return [];
    const bytes = new Uint8Array(size * count);
    const view = new DataView(bytes.buffer);
    for (let n = 0; n < count; n++) fill(view, n, size * n, address + BigInt(size * n));
    return [section(last, address, bytes)];
  };
  return [
    ...table(TABLE_ENDS.calls, 8, calls.length, (view, n, at, here) => {
      const { address, key, isTail } = calls[n] as StaticCallSite;
      put(view, at, address, here);
      put(view, at + 4, key | (isTail ? 1n : 0n), here + 4n);
    }),
    ...table(TABLE_ENDS.keys, 16, keys.length, (view, n, at, here) => {
      const { address, target, key, likely } = keys[n] as KeySite;
      put(view, at, address, here);
      put(view, at + 4, target, here + 4n);
      view.setBigInt64(at + 8, (key | (likely ? 1n : 0n)) - here - 8n, true);
    }),
    ...table(TABLE_ENDS.tracing, WORD, tracing.length, (view, n, at) =>
      view.setBigUint64(at, tracing[n] as bigint, true),
    ),
  ];
}

/** Records of calls through `pv_ops`, as they are. */
function paravirtSections({ elf }: Kernel, text: readonly Stretch[]): readonly OutSection[] {
  const found = sectionOf(elf, '.parainstructions');
  if (!found) return [];
  const rows = readParavirtSites(elf).flatMap(({ address }, n) =>
    isIn(text, address) ? [...found.bytes.subarray(n * PARAVIRT_SITE, (n + 1) * PARAVIRT_SITE)] : [],
  );
  return rows.length > 0 ? [section(found.name, found.address, Uint8Array.from(rows))] : [];
}

const section = (name: string, address: bigint, bytes: Uint8Array): OutSection => ({
  name,
  address,
  bytes,
  allocated: true,
  executable: false,
});

/** Rows of each stretch, the one in force at its beginning among them; at its end stands a row that knows nothing. */
function orcSections({ orc, elf }: Kernel, text: readonly Stretch[]): readonly OutSection[] {
  if (!orc) return [];
  const where = new DataView(orc.addresses.buffer, orc.addresses.byteOffset, orc.addresses.length);
  const addresses = Array.from({ length: orc.count }, (_, n) =>
    BigInt.asUintN(64, orc.at + BigInt(ADDRESS * n) + BigInt(where.getInt32(ADDRESS * n, true))),
  );
  const order = addresses.map((_, n) => n);
  const isSorted = addresses.every((one, n) => n === 0 || (addresses[n - 1] as bigint) <= one);
  if (!isSorted) order.sort((a, b) => ((addresses[a] as bigint) < (addresses[b] as bigint) ? -1 : 1));
  const rows: { readonly address: bigint; readonly bytes: Uint8Array }[] = [];
  const bytesOf = (n: number): Uint8Array => orc.rows.subarray(ROW * n, ROW * n + ROW);
  for (const { from, to } of text) {
    const first = order.findLast((n) => (addresses[n] as bigint) < from);
    const within = order.filter((n) => (addresses[n] as bigint) >= from && (addresses[n] as bigint) < to);
    const begun = within.some((n) => addresses[n] === from);
    const behind = rows.at(-1)?.address ?? 0n;
    if (first !== undefined && !begun) {
      const address = addresses[first] as bigint;
      rows.push({ address: address > behind ? address : from, bytes: bytesOf(first) });
    }
    for (const n of within) rows.push({ address: addresses[n] as bigint, bytes: bytesOf(n) });
    rows.push({ address: to, bytes: new Uint8Array(ROW) });
  }
  const [places, data] = [new Uint8Array(ADDRESS * rows.length), new Uint8Array(ROW * rows.length)];
  const view = new DataView(places.buffer);
  for (const [n, { address, bytes }] of rows.entries()) {
    put(view, ADDRESS * n, address, orc.at + BigInt(ADDRESS * n));
    data.set(bytes, ROW * n);
  }
  return [
    section('.orc_unwind_ip', orc.at, places),
    section('.orc_unwind', sectionOf(elf, '.orc_unwind')?.address ?? 0n, data),
  ];
}

/** Records of the sites, and as much of the replacements as lies between the first and the last of theirs. */
function alternativeSections(kernel: Kernel, sites: readonly AlternativeSite[]): readonly OutSection[] {
  const { alternatives, elf } = kernel;
  const table = sectionOf(elf, '.altinstructions');
  if (!table || isProblem(alternatives) || sites.length === 0) return [];
  const { record } = alternatives;
  const bytes = new Uint8Array(record * sites.length);
  const view = new DataView(bytes.buffer);
  const start = sites.reduce((least, { from }) => (from < least ? from : least), sites[0]?.from ?? 0n);
  const end = sites.reduce((most, { from, bytes: code }) => {
    const behind = from + BigInt(code.length);
    return behind > most ? behind : most;
  }, start);
  const code = new Uint8Array(Number(end - start));
  for (const [n, site] of sites.entries()) {
    const at = record * n;
    const here = table.address + BigInt(at);
    put(view, at, site.address, here);
    put(view, at + 4, site.from, here + 4n);
    if (record === 14)
      view.setUint32(at + 8, site.feature | (site.not ? NOT : 0) | (site.directCall ? DIRECT_CALL : 0), true);
    else view.setUint16(at + 8, site.feature | (site.not ? NOT_OLD : 0), true);
    bytes.set([site.length, site.bytes.length], at + (record === 14 ? 12 : 10));
    code.set(site.bytes, Number(site.from - start));
  }
  return [
    section('.altinstructions', table.address, bytes),
    { ...section('.altinstr_replacement', start, code), executable: true },
  ];
}

/** Returns, indirect calls and other places that are written over at boot. */
function siteSections({ elf }: Kernel, text: readonly Stretch[]): readonly OutSection[] {
  return SITE_LISTS.flatMap((name) => {
    const found = sectionOf(elf, name);
    const places = readSites(elf, name).filter((address) => isIn(text, address));
    if (!found || places.length === 0) return [];
    const bytes = new Uint8Array(ADDRESS * places.length);
    const view = new DataView(bytes.buffer);
    for (const [n, address] of places.entries())
      put(view, ADDRESS * n, address, found.address + BigInt(ADDRESS * n));
    return [section(name, found.address, bytes)];
  });
}
