/** ELF64 for x86-64, as far as a linked kernel has it. Format: System V ABI, chapter 4; x86-64 supplement 1.0. */
import { Reader } from '../reading.ts';

const MAGIC = 0x464c457f;
const X86_64 = 62;
const HEADER = 64;
const SECTION = 64;
const SEGMENT = 56;
const SYMBOL = 24;
/** Headers that a file may have of each kind: a kernel with a section for each function has some ten thousand. */
const MOST_HEADERS = 65_535;

const NOBITS = 8;
const LOAD = 1;

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  /** `write`, `alloc`, `execute`. */
  readonly writable: boolean;
  readonly allocated: boolean;
  readonly executable: boolean;
  readonly address: bigint;
  /** Bytes in memory. */
  readonly size: number;
  /** Where its bytes begin in the file. */
  readonly at: number;
  /** Empty where the file has none (`.bss`). */
  readonly bytes: Uint8Array;
}

/** A part of the file that is loaded. */
export interface ElfSegment {
  readonly address: bigint;
  readonly physical: bigint;
  /** Bytes in memory: behind those of the file come zeros. */
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface ElfSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  /** As `nm` has it: 2 is a function, 1 an object. */
  readonly type: number;
  readonly global: boolean;
}

export interface Elf {
  readonly entry: bigint;
  readonly sections: readonly ElfSection[];
  /** Of type LOAD only. */
  readonly segments: readonly ElfSegment[];
}

export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && new Reader(bytes, 'ELF header').u32(0) === MAGIC;

/** Sections and loaded segments. A part that lies outside the file is a problem. */
export function readElf(bytes: Uint8Array): Elf {
  const header = new Reader(bytes, 'ELF header');
  if (header.u32(0) !== MAGIC) header.fail(`invalid ELF magic: 0x${header.u32(0).toString(16)}`, 0);
  if (header.u8(4) !== 2 || header.u8(5) !== 1)
    header.fail('invalid ELF class: 64 bits, little-endian needed', 4);
  if (header.u16(18) !== X86_64) header.fail(`invalid ELF machine: ${header.u16(18)}, x86-64 is 62`, 18);
  header.slice(0, HEADER);
  return { entry: header.u64(24), sections: readSections(header), segments: readSegments(header) };
}

function readSections(header: Reader): readonly ElfSection[] {
  const { bytes } = header;
  const table = header.size(40);
  if (table === 0) return [];
  const source = new Reader(bytes, 'ELF section headers');
  checkSize(header, 58, SECTION);
  // Too many for 16 bits stand in the first header.
  const count = header.u16(60) || source.size(table + 32);
  const names = header.u16(62) === 0xffff ? source.u32(table + 40) : header.u16(62);
  if (count > MOST_HEADERS) source.fail(`too many sections: ${count}`, table);
  source.slice(table, count * SECTION);
  const contents = (n: number): Uint8Array => {
    const at = table + n * SECTION;
    return source.u32(at + 4) === NOBITS ? bytes.subarray(0, 0) : part(bytes, source, at + 24, at + 32);
  };
  if (names >= count) source.fail(`invalid section of names: ${names} of ${count}`, 62);
  const text = new Reader(contents(names), 'ELF section names');
  return Array.from({ length: count }, (_, n): ElfSection => {
    const at = table + n * SECTION;
    const flags = Number(source.u64(at + 8) & 7n);
    return {
      name: text.length === 0 ? '' : text.text(source.u32(at)),
      type: source.u32(at + 4),
      writable: (flags & 1) !== 0,
      allocated: (flags & 2) !== 0,
      executable: (flags & 4) !== 0,
      address: source.u64(at + 16),
      size: source.size(at + 32),
      at: source.size(at + 24),
      bytes: contents(n),
    };
  });
}

function readSegments(header: Reader): readonly ElfSegment[] {
  const { bytes } = header;
  const table = header.size(32);
  const count = header.u16(56);
  if (table === 0 || count === 0) return [];
  checkSize(header, 54, SEGMENT);
  const source = new Reader(bytes, 'ELF program headers');
  source.slice(table, count * SEGMENT);
  const segments: ElfSegment[] = [];
  for (let at = table; at < table + count * SEGMENT; at += SEGMENT) {
    if (source.u32(at) !== LOAD) continue;
    const flags = source.u32(at + 4);
    segments.push({
      address: source.u64(at + 16),
      physical: source.u64(at + 24),
      size: source.size(at + 40),
      bytes: part(bytes, source, at + 8, at + 32),
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
    });
  }
  return segments;
}

function checkSize(header: Reader, at: number, size: number): void {
  if (header.u16(at) !== size)
    header.fail(`invalid size of ELF headers: ${header.u16(at)}, ${size} expected`, at);
}

/** Bytes whose offset and size stand at two places of a table. */
const part = (bytes: Uint8Array, table: Reader, offset: number, size: number): Uint8Array => {
  const [at, count] = [table.size(offset), table.size(size)];
  if (at + count > bytes.length)
    table.fail(
      `truncated ELF file: ${count} bytes at 0x${at.toString(16)} needed of ${bytes.length}`,
      offset,
    );
  return bytes.subarray(at, at + count);
};

/** A section by name. */
export const sectionOf = ({ sections }: Elf, name: string): ElfSection | undefined =>
  sections.find((one) => one.name === name);

/** Symbols of `.symtab`, as an unstripped vmlinux has them; none where there is no such section. */
export function readElfSymbols({ sections }: Elf): readonly ElfSymbol[] {
  const table = sections.find(({ name }) => name === '.symtab');
  const strings = sections.find(({ name }) => name === '.strtab');
  if (!table || !strings) return [];
  const source = new Reader(table.bytes, 'ELF symbol table');
  const text = new Reader(strings.bytes, 'ELF symbol names');
  const symbols: ElfSymbol[] = [];
  for (let at = SYMBOL; at + SYMBOL <= source.length; at += SYMBOL) {
    const info = source.u8(at + 4);
    // Without a section it is only referred to; 3 and 4 are sections and files.
    if (source.u16(at + 6) === 0 || (info & 15) > 2) continue;
    symbols.push({
      name: text.text(source.u32(at)),
      address: source.u64(at + 8),
      size: source.size(at + 16),
      type: info & 15,
      global: info >> 4 !== 0,
    });
  }
  return symbols;
}
