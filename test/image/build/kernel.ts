/** A kernel of a few kilobytes that nobody has compiled: every table that readers look for, and little in it. */
import { ascii, joined, little, padded } from './bytes.ts';
import { elf, type Section } from './elf.ts';
import { kallsyms, type Layout, type Named } from './kallsyms.ts';
import { xz } from './xz.ts';

export const TEXT = 0xffffffff81000000n;
const RODATA = TEXT + 0x100000n;
const TABLES = TEXT + 0x200000n;
export const NMI = TEXT + 0x100n;

/** `asm_exc_nmi`: a nop for CLAC, a jump over a switch of CR3, a call through `pv_ops`, and IRETQ; then another function. */
const CODE: readonly (readonly number[])[] = [
  [0x0f, 0x1f, 0x00], // +0  nopl (%rax)
  [0xfc], // +3  cld
  [0xeb, 0x07], // +4  jmp +0xd
  [0x0f, 0x1f, 0x44, 0, 0], // +6  nop
  [0x90, 0x90], // +11
  [0x74, 0x01], // +13 je +0x10
  [0xf4], // +15 hlt
  [0x48, 0xcf], // +16 iretq: inner_label
];
const OTHER = NMI + 0x20n;

/** Symbols in order of address: enough that names have markers, and one that is longer than 127 characters. */
export function symbols(perCpu: boolean, count = 600): readonly Named[] {
  const many = Array.from(
    { length: count },
    (_, n): Named => ({
      name: `function_${n}${n === 300 ? 'x'.repeat(200) : ''}`,
      type: n % 2 ? 't' : 'T',
      address: TEXT + 0x200n + BigInt(n),
    }),
  );
  return [
    ...(perCpu ? [{ name: 'cpu_tss_rw', type: 'A', address: 0x6000n }] : []),
    { name: '_text', type: 'T', address: TEXT },
    { name: '__entry_text_start', type: 'T', address: NMI - 16n },
    { name: 'asm_exc_nmi', type: 'T', address: NMI },
    { name: 'inner_label', type: 't', address: NMI + 16n },
    { name: 'other', type: 'T', address: OTHER },
    { name: '__entry_text_end', type: 'T', address: OTHER + 3n },
    ...many,
    { name: 'linux_banner', type: 'D', address: RODATA },
    { name: 'x86_cap_flags', type: 'D', address: RODATA + 0x80n },
    { name: 'x86_bug_flags', type: 'D', address: RODATA + 0x80n + 32n * 8n },
    { name: 'the_end', type: 'D', address: RODATA + 0x80n + 34n * 8n },
    { name: 'def_idts', type: 'd', address: TABLES + 0x6000n },
    { name: '__start_static_call_sites', type: 'd', address: TABLES + 0x6000n + 48n },
    { name: '__stop_static_call_sites', type: 'd', address: TABLES + 0x6000n + 56n },
  ];
}

const relative = (target: bigint, here: bigint): readonly number[] => little(target - here, 4);

function rodata(layout: Layout, count: number): Uint8Array {
  const names = joined(ascii('fpu'), [0], ascii('nmi_bug'), [0]);
  const namesAt = RODATA + 0x80n + 34n * 8n;
  const flags = Array.from({ length: 34 }, (_, n) =>
    little(n === 5 ? namesAt : n === 33 ? namesAt + 4n : 0n, 8),
  );
  const head = joined(
    padded(joined(ascii('Linux version 0.0.1 (nobody@nowhere)\n'), [0]), 128),
    flags.flat(),
    names,
  );
  const start = padded(head, 256);
  return joined(start, kallsyms(symbols(layout !== '7.0', count), layout, RODATA + BigInt(start.length)));
}

/** Sizes of one record of `.altinstructions`. */
export type Record = 12 | 13 | 14;

const alternative = (
  n: number,
  record: Record,
  at: bigint,
  length: number,
  from: bigint,
  size: number,
  feature: number,
  not: boolean,
): readonly number[] => {
  const here = TABLES + BigInt(n * record);
  const flags =
    record === 14 ? little(feature | (not ? 1 << 16 : 0), 4) : little(feature | (not ? 0x8000 : 0), 2);
  return [
    ...relative(at, here),
    ...relative(from, here + 4n),
    ...flags,
    length,
    size,
    ...(record === 13 ? [0] : []),
  ];
};

/** `struct one { int a; struct { char b[4]; }; }`, `two`, another name of it, and `struct few { int x : 5, y : 1; }`. */
function btf(): Uint8Array {
  const names = joined([0], ascii('int\0one\0a\0b\0char\0two\0few\0x\0y\0'));
  const type = (name: number, kind: number, count: number, size: number): readonly number[] => [
    ...little(name, 4),
    ...little(((kind << 24) | count) >>> 0, 4),
    ...little(size, 4),
  ];
  const member = (name: number, of: number, bits: number): readonly number[] =>
    [name, of, bits].flatMap((value) => little(value, 4));
  const types = joined(
    [...type(1, 1, 0, 4), ...little(32, 4)],
    [...type(13, 1, 0, 1), ...little(8, 4)],
    [...type(0, 3, 0, 0), ...[2, 1, 4].flatMap((value) => little(value, 4))],
    [...type(0, 4, 1, 4), ...member(11, 3, 0)],
    [...type(5, 4, 2, 8), ...member(9, 1, 0), ...member(0, 4, 32)],
    type(18, 8, 0, 5),
    // The flag: an offset has the width of its field above it.
    [...type(22, 0x84, 2, 4), ...member(26, 1, 5 << 24), ...member(28, 1, (1 << 24) | 5)],
  );
  return joined(
    little(0xeb9f, 2),
    [1, 0],
    [24, 0, types.length, types.length, names.length].flatMap((value) => little(value, 4)),
    types,
    names,
  );
}

export interface Shape {
  readonly layout?: Layout;
  readonly record?: Record;
  /** Without it there is no `.orc_header`. */
  readonly header?: boolean;
  /** Functions that do nothing: more than 256, so that the names have two markers. */
  readonly functions?: number;
}

export function vmlinux({
  layout = '6.5',
  record = 14,
  header = true,
  functions = 600,
}: Shape = {}): Uint8Array {
  const text = new Uint8Array(0x600).fill(0xcc);
  text.set(CODE.flat(), Number(NMI - TEXT));
  text.set([0x31, 0xc0, 0xc3], Number(OTHER - TEXT));
  const replacements = TABLES + 0x1000n;
  const code = [0x0f, 0x01, 0xca, 0xe8, ...relative(OTHER, replacements + 8n)];
  const orc = TABLES + 0x2000n;
  const rows: readonly (readonly [bigint, number, number])[] = [
    [NMI, 0, header ? 0x0c05 : 0x0205],
    [NMI + 3n, 8, header ? 0x0c05 : 0x0205],
    [OTHER, 8, header ? 0x0205 : 0x0005],
    [OTHER + 3n, 0, 0],
  ];
  const data = (
    name: string,
    address: bigint,
    bytes: Uint8Array | readonly number[],
    flags = 'a',
  ): Section => ({
    name,
    address,
    bytes: Uint8Array.from(bytes),
    flags,
  });
  return elf([
    data('.text', TEXT, text, 'ax'),
    data('.rodata', RODATA, rodata(layout, functions)),
    data(
      '.notes',
      TABLES + 0x5000n,
      joined(little(4, 4), little(4, 4), little(3, 4), ascii('GNU\0'), [0xca, 0xfe, 0xba, 0xbe]),
    ),
    data('.BTF', TABLES + 0x5100n, btf()),
    data('.altinstructions', TABLES, [
      ...alternative(0, record, NMI, 3, replacements, 3, 9 * 32 + 20, false),
      ...alternative(1, record, NMI + 4n, 2, replacements, 0, 7 * 32 + 12, false),
      ...alternative(2, record, NMI + 6n, 7, replacements + 3n, 5, 8 * 32 + 16, true),
    ]),
    data('.altinstr_replacement', replacements, code, 'ax'),
    ...(header ? [data('.orc_header', orc - 32n, new Uint8Array(20).fill(0xab))] : []),
    data(
      '.orc_unwind_ip',
      orc,
      rows.flatMap(([at], n) => relative(at, orc + BigInt(4 * n))),
    ),
    data(
      '.orc_unwind',
      orc + 0x100n,
      rows.flatMap(([, sp, bits]) => [...little(sp, 2), 0, 0, ...little(bits, 2)]),
    ),
    data('.data', TABLES + 0x6000n, [
      // A gate with IST 2, and one without; then a static tail call.
      ...[2, 0x8e02, 14, 0x8e00].flatMap((value, n) =>
        n % 2 ? [...little(value, 8), ...little(NMI, 8)] : [...little(value, 4), ...little(0x10, 4)],
      ),
      ...relative(NMI + 13n, TABLES + 0x6030n),
      ...relative(OTHER + 1n, TABLES + 0x6034n),
    ]),
    data('.parainstructions', TABLES + 0x4000n, [...little(NMI, 8), 7, 6, 0, 0, 0, 0, 0, 0]),
    data('.return_sites', TABLES + 0x3000n, relative(OTHER + 2n, TABLES + 0x3000n)),
  ]);
}

/** LZ4 in its legacy frame, a block that is all literals. */
export function lz4(bytes: Uint8Array): Uint8Array {
  const left = bytes.length - 15;
  const block = joined([0xf0], new Uint8Array(Math.floor(left / 255)).fill(255), [left % 255], bytes);
  return joined(little(0x184c2102, 4), little(block.length, 4), block);
}

/** A bzImage around a payload, behind which stands the size without compression, but for gzip, which has it in itself. */
export function bzImage(compressed: Uint8Array, size: number): Uint8Array {
  const payload = compressed[0] === 0x1f ? compressed : joined(compressed, little(size, 4));
  const setup = new Uint8Array(1024);
  const put = (at: number, bytes: readonly number[]): void => setup.set(bytes, at);
  put(0x1f1, [1]);
  put(0x1fe, [0x55, 0xaa]);
  put(0x202, ascii('HdrS'));
  put(0x206, little(0x20f, 2));
  put(0x248, little(16, 4));
  put(0x24c, little(payload.length, 4));
  return joined(setup, new Uint8Array(16), payload);
}

const octal = (value: number, width: number): string => value.toString(8).padStart(width - 1, '0');

/** A tar archive of these files. */
export function tar(files: readonly (readonly [path: string, bytes: Uint8Array])[]): Uint8Array {
  const parts = files.map(([path, bytes]) => {
    const header = new Uint8Array(512);
    const put = (at: number, text: string): void => header.set(ascii(text), at);
    put(0, path);
    put(100, '0000644');
    put(124, octal(bytes.length, 12));
    put(148, ' '.repeat(8));
    put(156, path.endsWith('/') ? '5' : '0');
    put(257, 'ustar\x0000');
    put(
      148,
      octal(
        header.reduce((sum, byte) => sum + byte, 0),
        7,
      ),
    );
    header[155] = 0x20;
    return joined(header, padded(bytes, 512));
  });
  return joined(...parts, new Uint8Array(1024));
}

/** An ar archive of these members. */
export function ar(members: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array {
  return joined(
    ascii('!<arch>\n'),
    ...members.map(([name, bytes]) => {
      const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${`${bytes.length}`.padEnd(10)}\`\n`;
      return padded(joined(ascii(header), bytes), 2);
    }),
  );
}

/** A package with a kernel, a configuration, and something behind ./boot that need not be read. */
export const deb = (vmlinuz: Uint8Array): Uint8Array =>
  ar([
    ['debian-binary', Uint8Array.from(ascii('2.0\n'))],
    [
      'data.tar.xz',
      xz(
        tar([
          ['./', new Uint8Array(0)],
          ['./boot/', new Uint8Array(0)],
          ['./boot/config-0.0.1', Uint8Array.from(ascii('CONFIG_UNWINDER_ORC=y\n'))],
          ['./boot/vmlinuz-0.0.1', vmlinuz],
          ['./lib/other', new Uint8Array(100)],
        ]),
        { plain: true },
      ),
    ],
  ]);
