import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { nodeDecompressors } from '../../src/cli/kernel/decompressors.ts';
import { type Kernel, openKernel } from '../../src/image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../src/image/reading.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { makeCapsule } from '../../src/image/vmlinux/capsule.ts';
import { listing, listingLines, locate } from '../../src/image/vmlinux/listing.ts';
import { SymbolTable } from '../../src/image/vmlinux/symbols.ts';
import { NMI, type Shape, TEXT, vmlinux } from './build/kernel.ts';

const open = async (bytes: Uint8Array): Promise<Kernel> => {
  const found = await openKernel(bytes, nodeDecompressors);
  if (isProblem(found)) throw new Error(fileProblemText(found));
  return found;
};
const lines = (kernel: Kernel, symbol: string, features?: readonly string[]): readonly string[] => {
  const from = locate(kernel, symbol);
  if (typeof from !== 'bigint') return [from.problem];
  const found = listing(kernel, symbol, from, { features, orc: true });
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
      sites: { ...whole.sites, staticCalls: 0, paravirt: 0 },
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
