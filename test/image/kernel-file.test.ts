import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { nodeDecompressors } from '../../src/cli/kernel/decompressors.ts';
import { type Kernel, openKernel } from '../../src/image/kernel-file.ts';
import { orcText } from '../../src/image/orc.ts';
import { type FileProblem, fileProblemText, isProblem } from '../../src/image/reading.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { readBanner, readBuildId } from '../../src/image/vmlinux/notes.ts';
import { listRoutine, routineEnd } from '../../src/image/vmlinux/routine.ts';
import { readParavirtSites, readSites, readStaticCalls } from '../../src/image/vmlinux/sites.ts';
import { elf } from './build/elf.ts';
import { LAYOUTS } from './build/kallsyms.ts';
import { bzImage, deb, lz4, NMI, type Shape, symbols, TEXT, vmlinux } from './build/kernel.ts';
import { xz } from './build/xz.ts';

const open = async (bytes: Uint8Array): Promise<Kernel> => {
  const found = await openKernel(bytes, nodeDecompressors);
  if (isProblem(found)) throw new Error(fileProblemText(found));
  return found;
};
const refused = async (bytes: Uint8Array): Promise<string> => {
  const found = await openKernel(bytes, nodeDecompressors);
  return isProblem(found) ? fileProblemText(found) : 'opened';
};
const whole = <T extends object>(value: T): Exclude<T, FileProblem> => {
  if (isProblem(value)) throw new Error(fileProblemText(value));
  return value as Exclude<T, FileProblem>;
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('kallsyms is found in each layout', () => {
  test.each(LAYOUTS)('%s', async (layout) => {
    const kernel = await open(vmlinux({ layout }));
    expect(kernel.symbols.all).toEqual(symbols(layout !== '7.0'));
  });
});

describe('how it is packed', () => {
  const image = vmlinux();
  test.each([
    ['xz', xz(image, { plain: true })],
    ['gzip', new Uint8Array(gzipSync(image))],
    ['lz4', lz4(image)],
  ])('%s', async (compression, payload) => {
    const { wrapping, symbols: found } = await open(bzImage(payload, image.length));
    expect(wrapping.compression).toBe(compression);
    expect(found.address('asm_exc_nmi')).toBe(NMI);
  });

  test('in a package, with its configuration', async () => {
    const { wrapping } = await open(deb(bzImage(xz(image, { plain: true }), image.length)));
    expect(wrapping).toEqual({
      package: true,
      path: 'boot/vmlinuz-0.0.1',
      compression: 'xz',
      config: 'CONFIG_UNWINDER_ORC=y\n',
    });
  });
});

test('what is known of it', async () => {
  const kernel = await open(vmlinux());
  expect(readBuildId(kernel.elf)).toBe('cafebabe');
  expect(readBanner(kernel.memory, kernel.symbols)).toBe('Linux version 0.0.1 (nobody@nowhere)');
  expect(readSites(kernel.elf, '.return_sites')).toEqual([NMI + 0x22n]);
  expect(readParavirtSites(kernel.elf)).toEqual([{ address: NMI, entry: 7, length: 6 }]);
  expect(readStaticCalls(kernel.memory, kernel.symbols)).toEqual([
    { address: NMI + 13n, key: NMI + 0x20n, isTail: true },
  ]);
  expect(kernel.features.number('fpu')).toBe(5);
  expect(kernel.features.number('bug_nmi_bug')).toBe(33);
  expect(kernel.features.name(8 * 32 + 16)).toBe('xenpv');
  const btf = whole(kernel.btf);
  expect(btf.member('one', 'b')).toEqual({ offset: 4, size: 4 });
  expect(btf.member('few', 'x')).toEqual({ offset: 0, size: 4 });
  expect(btf.member('few', 'y')).toEqual({ offset: 0, size: undefined, bit: 5 });
  expect(btf.structSize('one')).toBe(8);
  expect(btf.member('one', 'c')).toBeUndefined();
});

describe('ORC rows', () => {
  test.each([
    [true, '6.4', 'type:regs-partial signal:1'],
    [false, '4.14', 'type:regs-partial signal:1'],
  ])('with a header: %s', async (header, format, first) => {
    const kernel = await open(vmlinux({ header }));
    expect(kernel.orc).toMatchObject({ format, count: 4 });
    const { rows } = whole(kernel.orcTable);
    expect(rows.map(({ address }) => address - TEXT)).toEqual([0x100n, 0x103n, 0x120n, 0x123n]);
    expect(orcText(rows[0] as (typeof rows)[0])).toContain(first);
  });
});

describe('alternatives', () => {
  const patched = async (shape: Shape, ...features: number[]): Promise<string> => {
    const kernel = await open(vmlinux(shape));
    return hex(whole(kernel.text(NMI, 18, new Set(features))));
  };
  const SMAP = 9 * 32 + 20;
  const IBRS = 7 * 32 + 12;
  const XENPV = 8 * 32 + 16;
  test.each([12, 13, 14] as const)('records of %i bytes', async (record) => {
    const kernel = await open(vmlinux({ record }));
    expect(whole(kernel.alternatives)).toMatchObject({
      record,
      sites: [
        { address: NMI, length: 3, feature: SMAP, not: false },
        { address: NMI + 4n, length: 2, feature: IBRS, not: false },
        { address: NMI + 6n, length: 7, feature: XENPV, not: true },
      ],
    });
  });

  test('text as it is linked', async () => {
    const kernel = await open(vmlinux());
    expect(hex(whole(kernel.text(NMI, 18)))).toBe('0f1f00fceb070f1f44000090907401f448cf');
  });

  test('a feature that is there; a call is moved to where it stands; nops become one', async () => {
    // The call goes to NMI + 0x20 from NMI + 11: 0x15.
    expect(await patched({}, SMAP, IBRS)).toBe('0f01cafc6690e81500000066907401f448cf');
    // On Xen nothing is called, and 5 + 2 bytes of nops are 7; the jump over them stands at another site.
    expect(await patched({}, XENPV)).toBe('0f1f00fceb070f1f80000000007401f448cf');
  });

  test('before 6.5 only nops of one byte are joined', async () => {
    expect(await patched({ record: 12 }, XENPV)).toBe('0f1f00fceb070f1f44000066907401f448cf');
    expect(await patched({ record: 12 }, SMAP, IBRS)).toBe('0f01cafc6690e81500000066907401f448cf');
  });

  test('a part of the text has the patches that reach into it', async () => {
    const kernel = await open(vmlinux());
    expect(hex(whole(kernel.text(NMI + 8n, 4, new Set([SMAP]))))).toBe('00000066');
  });
});

describe('what is said of it', () => {
  test('interrupt stacks, mitigations, and what is missing', async () => {
    const found = about(await open(vmlinux()));
    expect(found).toMatchObject({ version: '0.0.1', unwinder: 'orc', orc: { format: '6.4', rows: 4 } });
    expect(found.sites).toEqual({ alternatives: 3, returns: 1, retpolines: 0, staticCalls: 1, paravirt: 1 });
    expect(found.ist).toEqual([{ vector: 2, ist: 2, handler: 'asm_exc_nmi' }]);
    expect(found.mitigations).toEqual([{ name: 'kernel_ibrs', how: '1 alternative in the entry text' }]);
    expect(found.missing.map(({ what }) => what)).toEqual(['#MC', '#DF', 'FRED', 'return to 16-bit stacks']);
  });

  test('a routine ends where nothing runs on into the next symbol', async () => {
    const kernel = await open(vmlinux());
    // inner_label is jumped to; hlt stands before it.
    expect(routineEnd(kernel, NMI)).toBe(NMI + 0x20n);
    expect(routineEnd(kernel, NMI + 0x20n)).toBe(NMI + 0x23n);
    const listed = whole(listRoutine(kernel, NMI, NMI + 18n));
    expect(listed.map(({ text }) => text)).toEqual([
      'nopl (%rax)',
      'cld',
      'jmp ffffffff8100010d <asm_exc_nmi+0xd>',
      'nopl (%rax,%rax,1)',
      'nop',
      'nop',
      'je ffffffff81000110 <inner_label>',
      'hlt',
      'iretq',
    ]);
    expect(listed.map(({ labels }) => labels).filter(({ length }) => length > 0)).toEqual([
      ['asm_exc_nmi'],
      ['inner_label'],
    ]);
  });
});

/** A kernel whose `.text` has a megabyte, as its section header says. */
function claiming(): Uint8Array {
  const file = vmlinux();
  const headers = Number(new DataView(file.buffer).getBigUint64(40, true));
  new DataView(file.buffer).setBigUint64(headers + 64 + 32, 1n << 20n, true);
  return file;
}

describe('what is no kernel is refused with its place', () => {
  test.each([
    ['nothing', new Uint8Array(0), 'unknown kind of file: no .deb, vmlinuz or vmlinux (file, at 0x0)'],
    [
      'another machine',
      elf([], { machine: 3 }),
      'invalid ELF machine: 3, x86-64 is 62 (ELF header, at 0x12)',
    ],
    ['no symbols', elf([]), 'missing kallsyms: no table of names (kallsyms, at 0x0)'],
    ['half an ELF file', vmlinux().subarray(0, 5000), 'truncated ELF section headers'],
    ['a section that claims too much', claiming(), 'truncated ELF file: 1048576 bytes at 0x'],
    [
      'a package without data',
      deb(new Uint8Array(0)).subarray(0, 72),
      'missing member: data.tar (Debian package, at 0x0)',
    ],
    [
      'a compression that nobody knows',
      bzImage(Uint8Array.of(1, 2, 3, 4, 5), 9),
      'unknown compression: 01 02 03 04 (bzImage payload, at 0x0)',
    ],
    [
      'bzip2',
      bzImage(Uint8Array.of(0x42, 0x5a, 0x68, 4, 5), 9),
      'unknown compression: bzip2 (bzImage payload, at 0x0)',
    ],
    [
      'a size that no kernel has',
      bzImage(xz(new Uint8Array(9)), 0x7fffffff),
      'too large vmlinux: 2147483647 bytes of 268435456 at most',
    ],
    [
      'less than it says',
      bzImage(xz(new Uint8Array(9), { plain: true }), 10),
      'truncated vmlinux: 9 bytes of 10',
    ],
    [
      'more than it says',
      bzImage(xz(new Uint8Array(9), { plain: true }), 8),
      'too large vmlinux: more than 8 bytes',
    ],
  ])('%s', async (_, bytes, problem) => {
    expect(await refused(bytes)).toContain(problem);
  });

  test('a decompressor that is not there, and one that fails', async () => {
    const file = bzImage(new Uint8Array(gzipSync(vmlinux())), 5000);
    const found = await openKernel(file, {});
    expect(isProblem(found) && fileProblemText(found)).toBe(
      'missing decompressor: gzip (bzImage payload, at 0x0)',
    );
    file[1024 + 16 + 40] = 0xff;
    expect(await refused(file)).toMatch(/^invalid gzip data: /);
  });
});
