/** ELF64 written: as much of it as `elf.ts` reads, and other programs with it. Format: System V ABI, chapter 4. */

/** A section of the file to be; one that is allocated is a part of memory. */
export interface OutSection {
  readonly name: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly allocated: boolean;
  readonly executable: boolean;
}

export interface OutSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  readonly isFunction: boolean;
  readonly global: boolean;
}

const HEADER = 64;
const SECTION = 64;
const SYMBOL = 24;
const ALIGNED = 16;
const X86_64 = 62;
const EXECUTABLE = 2;
/** Kinds of sections: bytes, symbols, texts. */
const PROGBITS = 1;
const SYMTAB = 2;
const STRTAB = 3;
const ALLOCATED = 2;
const EXECUTED = 4;
const ABSOLUTE = 0xfff1;

/** Names one behind the other, each with where it begins. */
function strings(names: readonly string[]): { readonly bytes: Uint8Array; readonly at: readonly number[] } {
  const at: number[] = [];
  let length = 1;
  for (const name of names) {
    at.push(length);
    length += name.length + 1;
  }
  const bytes = new Uint8Array(length);
  for (const [n, name] of names.entries())
    bytes.set(
      Array.from(name, (letter) => letter.charCodeAt(0)),
      at[n],
    );
  return { bytes, at };
}

function symbolTable(symbols: readonly OutSymbol[], names: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(SYMBOL * (symbols.length + 1));
  const view = new DataView(bytes.buffer);
  for (const [n, { address, size, isFunction, global }] of symbols.entries()) {
    const at = SYMBOL * (n + 1);
    view.setUint32(at, names[n] ?? 0, true);
    view.setUint8(at + 4, (global ? 16 : 0) | (isFunction ? 2 : 1));
    view.setUint16(at + 6, ABSOLUTE, true);
    view.setBigUint64(at + 8, address, true);
    view.setBigUint64(at + 16, BigInt(size), true);
  }
  return bytes;
}

/** A file of these sections and symbols; the local symbols come first, as the format wants. */
export function writeElf(
  given: readonly OutSection[],
  symbols: readonly OutSymbol[],
): Uint8Array<ArrayBuffer> {
  const sorted = symbols.toSorted((a, b) => Number(a.global) - Number(b.global));
  const named = strings(sorted.map(({ name }) => name));
  const sections: readonly (OutSection & { readonly type: number })[] = [
    ...given.map((one) => ({ ...one, type: PROGBITS })),
    ...[
      { name: '.symtab', bytes: symbolTable(sorted, named.at), type: SYMTAB },
      { name: '.strtab', bytes: named.bytes, type: STRTAB },
    ].map((one) => ({ ...one, address: 0n, allocated: false, executable: false })),
  ];
  const titles = strings([...sections.map(({ name }) => name), '.shstrtab']);
  const contents = [...sections.map(({ bytes }) => bytes), titles.bytes];
  let end = HEADER;
  const places = contents.map(({ length }) => {
    const place = end;
    end = (end + length + ALIGNED - 1) & -ALIGNED;
    return place;
  });
  const count = contents.length + 1;
  const file = new Uint8Array(end + SECTION * count);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, EXECUTABLE, true);
  view.setUint16(18, X86_64, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(end), true);
  for (const [n, value] of [HEADER, 56, 0, SECTION, count, count - 1].entries())
    view.setUint16(52 + 2 * n, value, true);
  for (const [n, bytes] of contents.entries()) {
    const at = end + SECTION * (n + 1);
    const { type = STRTAB, address = 0n, allocated = false, executable = false } = sections[n] ?? {};
    file.set(bytes, places[n]);
    view.setUint32(at, titles.at[n] ?? 0, true);
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 8, BigInt((allocated ? ALLOCATED : 0) | (executable ? EXECUTED : 0)), true);
    view.setBigUint64(at + 16, address, true);
    view.setBigUint64(at + 24, BigInt(places[n] ?? 0), true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    if (type === SYMTAB) {
      // Its texts are in the next section; then the first global symbol, and the size of one.
      view.setUint32(at + 40, n + 2, true);
      view.setUint32(at + 44, 1 + sorted.filter(({ global }) => !global).length, true);
      view.setBigUint64(at + 56, BigInt(SYMBOL), true);
    }
    view.setBigUint64(at + 48, 1n, true);
  }
  return file;
}
