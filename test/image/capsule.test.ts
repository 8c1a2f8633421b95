import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { nodeDecompressors } from '../../src/cli/kernel/decompressors.ts';
import { type Kernel, openKernel } from '../../src/image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../src/image/reading.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { makeCapsule } from '../../src/image/vmlinux/capsule.ts';
import { writeElf } from '../../src/image/vmlinux/elf-file.ts';
import { listing, listingLines, locate } from '../../src/image/vmlinux/listing.ts';
import { SymbolTable } from '../../src/image/vmlinux/symbols.ts';
import { little } from './build/bytes.ts';
import { NMI, type Shape, TEXT, vmlinux } from './build/kernel.ts';

const open = async (bytes: Uint8Array): Promise<Kernel> => {
  const found = await openKernel(bytes, nodeDecompressors);
  if (isProblem(found)) throw new Error(fileProblemText(found));
  return found;
};
const lines = (kernel: Kernel, symbol: string, features?: readonly string[]): readonly string[] => {
  const from = locate(kernel, symbol);
  if (typeof from !== 'bigint') return [from.problem];
  const found = listing(kernel, symbol, from, { features, orc: kernel.orc !== undefined });
  return isProblem(found) ? [fileProblemText(found)] : listingLines(found);
};
const capsuleOf = async (kernel: Kernel, names: readonly string[]): Promise<Kernel> => {
  const made = makeCapsule(kernel, names);
  if (isProblem(made)) throw new Error(fileProblemText(made));
  return open(new Uint8Array(gzipSync(made)));
};

describe('a capsule opens like its kernel', () => {
  test.each<Shape>([
    {},
    { layout: '6.1.y', record: 12, header: false },
    { layout: '4.5', record: 13 },
    { layout: '7.0' },
  ])('%o', async (shape) => {
    const kernel = await open(vmlinux(shape));
    const capsule = await capsuleOf(kernel, ['asm_exc_nmi', 'other']);
    expect(capsule.wrapping.capsule).toEqual(['asm_exc_nmi', 'other']);
    for (const features of [undefined, [], ['9*32+20'], ['7*32+12', 'xenpv']])
      for (const symbol of ['asm_exc_nmi', 'other', 'inner_label'])
        expect(lines(capsule, symbol, features)).toEqual(lines(kernel, symbol, features));
    expect(lines(capsule, 'asm_exc_nmi').length).toBeGreaterThan(8);
    const [whole, part] = [about(kernel), about(capsule)];
    expect(part).toEqual({
      ...whole,
      symbols: part.symbols,
      orc: { format: whole.orc?.format, rows: 5 },
      sites: whole.sites,
      missing: [...whole.missing, { what: 'offsets of structures', why: 'missing BTF: .BTF' }],
    });
    expect(capsule.features.number('fpu')).toBe(5);
  });
});

test('what is left out is absent', async () => {
  const kernel = await open(vmlinux());
  const capsule = await capsuleOf(kernel, ['asm_exc_nmi']);
  const end = TEXT + 0x600n;
  // Behind the text: no bytes, and an ORC row that knows nothing.
  expect(capsule.memory.upTo(end, 1)).toBeUndefined();
  const rows = capsule.orcTable;
  expect(isProblem(rows) ? rows : rows.rows.map(({ address, type }) => [address, type])).toEqual([
    [NMI, 'regs-partial'],
    [NMI + 3n, 'regs-partial'],
    [NMI + 0x20n, 'call'],
    [NMI + 0x23n, 'undefined'],
    [end, 'undefined'],
  ]);
});

/** A routine of four pages that calls one far away, or with a feature another one. */
function farCalls(): Uint8Array {
  const text = new Uint8Array(0x4000).fill(0xcc);
  text.set([0xe8, ...little(0x2000 - 5, 4), 0xc3]);
  const section = (name: string, at: number, bytes: readonly number[] | Uint8Array, executable = false) => ({
    name,
    address: TEXT + BigInt(at),
    bytes: Uint8Array.from(bytes),
    allocated: true,
    executable,
  });
  const symbol = (name: string, at: number) => ({
    name,
    address: TEXT + BigInt(at),
    size: 16,
    isFunction: true,
    global: true,
  });
  return writeElf(
    [
      section('.text', 0, text, true),
      section('.altinstructions', 0x8000, [
        ...[...little(-0x8000, 4), ...little(0x1000 - 4, 4), ...little(9 * 32 + 20, 4), 5, 5],
      ]),
      section('.altinstr_replacement', 0x9000, [0xe8, ...little(0x3000 - 0x9005, 4)], true),
    ],
    [
      symbol('caller', 0),
      symbol('behind', 6),
      symbol('next_page', 0x1000),
      symbol('called', 0x2000),
      symbol('not_called', 0x2800),
      symbol('called_if', 0x3000),
    ],
  );
}

test('what is called from afar keeps its name, what is not called is gone', async () => {
  const kernel = await open(farCalls());
  const capsule = await capsuleOf(kernel, ['caller']);
  expect(lines(capsule, 'caller', ['9*32+20']).join('\n')).toContain('<called_if>');
  for (const features of [undefined, ['9*32+20']])
    expect(lines(capsule, 'caller', features)).toEqual(lines(kernel, 'caller', features));
  expect(capsule.symbols.all.map(({ name }) => name)).toEqual([
    'caller',
    'behind',
    'next_page',
    'called',
    'called_if',
  ]);
  expect(kernel.symbols.name(TEXT + 0x2804n)).toBe('not_called+0x4');
  expect(capsule.symbols.name(TEXT + 0x2804n)).toBeUndefined();
  expect(capsule.memory.upTo(TEXT + 0x1000n, 1)).toBeUndefined();
});

test('behind a symbol that is kept, one that is not kept has no name', () => {
  const one = { name: 'one', type: 'T', address: 0x100n };
  expect(new SymbolTable([one]).name(0x110n)).toBe('one+0x10');
  expect(new SymbolTable([{ ...one, size: 16 }]).name(0x110n)).toBeUndefined();
  expect(new SymbolTable([{ ...one, size: 16 }]).name(0x10fn)).toBe('one+0xf');
});

test('what cannot be made is a sentence', async () => {
  const kernel = await open(vmlinux());
  const refused = (names: readonly string[]): string => {
    const made = makeCapsule(kernel, names);
    return isProblem(made) ? fileProblemText(made) : 'made';
  };
  expect(refused(['asm_exc_nim'])).toBe('unknown symbol: asm_exc_nim (symbols, at 0x0)');
  expect(refused(['cpu_tss_rw'])).toBe('missing text of cpu_tss_rw (text, at 0x0)');
});
