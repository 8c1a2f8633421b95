/** ELF files written by hand. */
import { ascii, joined, little, padded } from './bytes.ts';

export interface Section {
  readonly name: string;
  readonly address?: bigint;
  readonly bytes: Uint8Array;
  /** Of the letters `w`, `a` and `x`. */
  readonly flags?: string;
  readonly type?: number;
}

const flagBits = (flags: string): number =>
  (flags.includes('w') ? 1 : 0) | (flags.includes('a') ? 2 : 0) | (flags.includes('x') ? 4 : 0);

/** A vmlinux: each section with an address is also a loaded segment. */
export function elf(given: readonly Section[], { machine = 62 } = {}): Uint8Array {
  const names = `\0${['', ...given.map(({ name }) => name), '.shstrtab'].slice(1).join('\0')}\0`;
  const sections: readonly Section[] = [
    ...given,
    { name: '.shstrtab', bytes: Uint8Array.from(ascii(names)), type: 3 },
  ];
  const loaded = given.filter(({ flags = '' }) => flags.includes('a'));
  const start = 64 + 56 * loaded.length;
  let at = (start + 15) & ~15;
  const places = sections.map(({ bytes }) => {
    const place = at;
    at = (at + bytes.length + 15) & ~15;
    return place;
  });
  const header = joined(
    [0x7f, ...ascii('ELF'), 2, 1, 1, ...new Array<number>(9).fill(0)],
    little(2, 2),
    little(machine, 2),
    little(1, 4),
    little(0x1000000, 8),
    little(64, 8),
    little(at, 8),
    little(0, 4),
    [64, 56, loaded.length, 64, sections.length + 1, sections.length].flatMap((value) => little(value, 2)),
  );
  const programs = loaded.map((section) =>
    joined(
      little(1, 4),
      little(section.flags?.includes('x') ? 5 : 6, 4),
      [
        places[sections.indexOf(section)] ?? 0,
        section.address ?? 0n,
        0n,
        section.bytes.length,
        section.bytes.length,
        16,
      ].flatMap((value) => little(value, 8)),
    ),
  );
  const tables = sections.map(({ name, address = 0n, bytes, flags = '', type = 1 }, n) =>
    joined(
      little(names.indexOf(`\0${name}\0`) + 1, 4),
      little(type, 4),
      [flagBits(flags), address, places[n] ?? 0, bytes.length].flatMap((value) => little(value, 8)),
      little(0, 8),
      little(16, 8),
      little(0, 8),
    ),
  );
  return joined(
    padded(joined(header, ...programs), 16),
    ...sections.map(({ bytes }) => padded(bytes, 16)),
    new Uint8Array(64),
    ...tables,
  );
}
