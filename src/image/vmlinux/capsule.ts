/**
 * A capsule: the pages, symbols and rows that a few routines of a kernel need, as an ELF file that opens like the kernel itself, here
 * and in other programs. What is left out is absent, never zero: an address outside has no bytes, no name and no ORC row.
 */
import { decode } from '../../isa/decode.ts';
import { print } from '../../isa/print.ts';
import type { Kernel } from '../kernel-file.ts';
import { attempt, type FileProblem, isProblem, sound } from '../reading.ts';
import { PROLOGUE_WITHIN, SAMPLES, TELLING } from './about.ts';
import type { AlternativeSite } from './alternatives.ts';
import { CAPSULE } from './capsule-mark.ts';
import { capsuleRows, deciding, type Stretch } from './capsule-rows.ts';
import { sectionOf } from './elf.ts';
import { type OutSection, type OutSymbol, writeElf } from './elf-file.ts';
import { featureTables } from './features.ts';
import { locate } from './listing.ts';
import { AFTER_BOOT_SYMBOLS } from './patch/after-boot.ts';
import { routineEnd } from './routine.ts';
import type { KernelSymbol } from './symbols.ts';

const PAGE = 4096n;
/** Bytes of text that a capsule holds at most: a few routines, not a kernel. */
const MOST_TEXT = 1 << 20;
const LONGEST_BANNER = 512;
const POINTER = 8;
/** Pieces of data with a gap of so many bytes are kept as one. */
const NEAR = 64n;

/** The capsule of these routines. */
export function makeCapsule(kernel: Kernel, names: readonly string[]): Uint8Array<ArrayBuffer> | FileProblem {
  return attempt(() => {
    const { elf, memory, symbols } = kernel;
    const text = pages(kernel, names);
    const { alternatives } = kernel;
    const sites = isProblem(alternatives)
      ? []
      : alternatives.sites.filter(({ address, length }) =>
          text.some(({ from, to }) => address >= from && address + BigInt(length) <= to),
        );
    const data = dataPieces(kernel, text, sites);
    const kept = new Set<KernelSymbol>();
    const keep = (address: bigint): void => {
      const first = symbols.at(address)?.address;
      if (first !== undefined) for (const one of symbols.allAt(first)) kept.add(one);
    };
    for (const { from, to } of [...text, ...data]) {
      keep(from);
      for (let at = symbols.after(from); at && at.address <= to; at = symbols.after(at.address))
        keep(at.address);
      // Where a table or a routine ends, the next symbol tells.
      const next = symbols.after(to);
      if (next) keep(next.address);
    }
    for (const address of namedBy(kernel, text, sites)) keep(address);
    for (const name of [...TELLING, ...AFTER_BOOT_SYMBOLS]) {
      const found = symbols.find(name);
      if (found) kept.add(found);
    }

    const piece = (name: string, { from, to }: Stretch, executable: boolean): OutSection => ({
      name,
      address: from,
      bytes: memory.at(from, Number(to - from), name),
      allocated: true,
      executable,
    });
    const whole = ['.notes', '.note.gnu.build-id', '.orc_header'].flatMap((name): OutSection[] => {
      const found = sectionOf(elf, name);
      return found ? [{ ...found, executable: false }] : [];
    });
    const mark = new Uint8Array([...`${names.join('\0')}\0`].map((letter) => letter.charCodeAt(0)));
    const rows = capsuleRows(kernel, text, sites);
    return writeElf(
      [
        ...text.map((one) => piece('.text', one, true)),
        ...data.map((one) => piece('.rodata', one, false)),
        ...whole,
        ...rows.sections,
        { name: CAPSULE, address: 0n, bytes: mark, allocated: false, executable: false },
      ],
      [...kept].map((one) => {
        const end = rows.ends.get(one.name);
        return outSymbol(kernel, end === undefined ? one : { ...one, address: end });
      }),
    );
  });
}

/** In order, with those as one that are so near. */
function joined(given: readonly Stretch[], near: bigint): readonly Stretch[] {
  const found: Stretch[] = [];
  for (const one of given.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    const before = found.at(-1);
    if (before && one.from <= before.to + near)
      found[found.length - 1] = { from: before.from, to: one.to > before.to ? one.to : before.to };
    else found.push(one);
  }
  return found;
}

/** Whole pages of the routines, as far as the file has them; neighbours are one. */
function pages(kernel: Kernel, names: readonly string[]): readonly Stretch[] {
  const wanted = names.map((name): Stretch => {
    const from = locate(kernel, name);
    if (typeof from !== 'bigint') return sound<Stretch>({ problem: from.problem, reading: 'symbols', at: 0 });
    const extent = kernel.memory.extents.find(
      ({ address, bytes }) => from >= address && from < address + BigInt(bytes.length),
    );
    if (!extent) return sound<Stretch>({ problem: `missing text of ${name}`, reading: 'text', at: 0 });
    const last = extent.address + BigInt(extent.bytes.length);
    const end = routineEnd(kernel, from) + PAGE - 1n;
    const [first, to] = [from - (from % PAGE), end - (end % PAGE)];
    return { from: first > extent.address ? first : extent.address, to: to < last ? to : last };
  });
  const found = joined(wanted, 0n);
  const size = found.reduce((sum, { from, to }) => sum + Number(to - from), 0);
  if (size > MOST_TEXT)
    sound({
      problem: `too large capsule: ${size} bytes of text of ${MOST_TEXT} at most`,
      reading: 'text',
      at: 0,
    });
  return found;
}

/** The banner, the names of features, the gates, pointers that direct calls are made of, and how some functions begin. */
function dataPieces(
  kernel: Kernel,
  text: readonly Stretch[],
  sites: readonly AlternativeSite[],
): readonly Stretch[] {
  const { memory, symbols } = kernel;
  const found: Stretch[] = [...featureTables(memory, symbols), ...deciding(kernel, text).variables];
  const has = ({ from, to }: Stretch): boolean =>
    memory.upTo(from, Number(to - from))?.length === Number(to - from);
  const banner = symbols.address('linux_banner');
  const said = banner === undefined ? undefined : memory.upTo(banner, LONGEST_BANNER);
  if (banner !== undefined && said) found.push({ from: banner, to: banner + BigInt(said.indexOf(0) + 1) });
  const gates = symbols.address('def_idts');
  const end = gates === undefined ? undefined : symbols.after(gates)?.address;
  if (gates !== undefined && end !== undefined) found.push({ from: gates, to: end });
  for (const name of SAMPLES) {
    const from = symbols.address(name);
    if (from !== undefined) found.push({ from, to: from + BigInt(PROLOGUE_WITHIN) });
  }
  for (const { address, directCall } of sites) {
    const pointer = directCall ? pointerOf(kernel, address) : undefined;
    if (pointer !== undefined) found.push({ from: pointer, to: pointer + BigInt(POINTER) });
  }
  return joined(found.filter(has), NEAR).filter(has);
}

/** Addresses whose names stand in the text, as linked or as any alternative may make it. */
function namedBy(
  kernel: Kernel,
  text: readonly Stretch[],
  sites: readonly AlternativeSite[],
): ReadonlySet<bigint> {
  const { memory, symbols } = kernel;
  const found = new Set<bigint>();
  const read = (bytes: Uint8Array, address: bigint): void => {
    for (let at = 0; at < bytes.length; ) {
      const one = decode(bytes, at);
      if ('problem' in one) return;
      print(one, address + BigInt(at), (target) => {
        found.add(BigInt.asUintN(64, target));
        return undefined;
      });
      at += one.length;
    }
  };
  for (const { from, to } of text) {
    // Each symbol is a new beginning: what lies between two routines need not be instructions.
    for (let at = from; at < to; ) {
      const next = symbols.after(at)?.address ?? to;
      const end = next < to ? next : to;
      read(memory.at(at, Number(end - at), 'text'), at);
      at = end;
    }
  }
  for (const { bytes, from } of sites) read(bytes, from);
  for (const { address, directCall } of sites) {
    const pointer = directCall ? pointerOf(kernel, address) : undefined;
    const word = pointer === undefined ? undefined : memory.upTo(pointer, POINTER);
    if (word?.length === POINTER)
      found.add(new DataView(word.buffer, word.byteOffset, POINTER).getBigUint64(0, true));
  }
  return found;
}

/** Where the pointer of a `call *pointer(%rip)` lies. */
function pointerOf({ memory }: Kernel, address: bigint): bigint | undefined {
  const call = decode(memory.upTo(address, 6) ?? new Uint8Array(), 0);
  if ('problem' in call || call.memory?.base !== 'rip') return undefined;
  return BigInt.asUintN(64, address + BigInt(call.length) + call.memory.displacement);
}

/** With a size, so that an address behind it has no name rather than a wrong one. */
function outSymbol({ symbols }: Kernel, { name, type, address, size }: KernelSymbol): OutSymbol {
  const next = symbols.after(address)?.address ?? address + 1n;
  return {
    name,
    address,
    size: size ?? Number(next - address),
    isFunction: /^[tw]$/i.test(type),
    global: type === type.toUpperCase(),
  };
}
