import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeDecompressors } from '../../src/cli/kernel/decompressors.ts';
import { compareKernels } from '../../src/explore/vmlinux/difference.ts';
import { unfilterX86 } from '../../src/image/compressed/x86-filter.ts';
import { type Kernel, openKernel } from '../../src/image/kernel-file.ts';
import { type FileProblem, isProblem } from '../../src/image/reading.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { makeCapsule } from '../../src/image/vmlinux/capsule.ts';
import { listing } from '../../src/image/vmlinux/listing.ts';
import { told } from '../../src/image/vmlinux/told.ts';
import { joined, little, random } from './build/bytes.ts';
import { LAYOUTS } from './build/kallsyms.ts';
import { bzImage, deb, lz4, NMI, vmlinux } from './build/kernel.ts';
import { xz } from './build/xz.ts';

/** Bytes that a reader may reserve at once for any of these files, all of which are far smaller. */
const CAP = 4 << 20;

/** Of so many files one is asked for everything. */
const EACH = 10;

/** The largest piece of memory that was asked for. */
let largest = 0;
const put: (() => void)[] = [];
beforeAll(() => {
  for (const name of ['Uint8Array', 'Uint16Array', 'Uint32Array', 'BigUint64Array'] as const) {
    const own = globalThis[name];
    put.push(() => Object.assign(globalThis, { [name]: own }));
    const watched = new Proxy(own, {
      construct(target, given, made) {
        if (typeof given[0] === 'number') largest = Math.max(largest, given[0] * target.BYTES_PER_ELEMENT);
        return Reflect.construct(target, given, made) as object;
      },
    });
    Object.assign(globalThis, { [name]: watched });
  }
});
afterAll(() => {
  for (const back of put) back();
});

/** One file made wrong: cut short, joined with a piece of itself, with bits turned, or with a number that claims too much. */
function mutated(file: Uint8Array, next: () => number): Uint8Array {
  const bytes = Uint8Array.from(file);
  // Half of them near the beginning, where headers are.
  const place = (): number => next() % (next() % 2 ? bytes.length : Math.min(bytes.length, 512));
  switch (next() % 5) {
    case 0:
      return bytes.subarray(0, place());
    case 1: {
      const claims = [0xffffffff, 0x7fffffff, 0x80000000, bytes.length, 0x10000000, 0];
      const sizes = [1, 2, 4, 8];
      const size = sizes[next() % sizes.length] ?? 4;
      const at = place() & -size;
      bytes.set(little(claims[next() % claims.length] ?? 0, size).slice(0, bytes.length - at), at);
      return bytes;
    }
    case 2: {
      const [from, to] = [place(), place()];
      return next() % 2
        ? joined(bytes.subarray(0, from), bytes.subarray(to))
        : bytes.copyWithin(to, from, from + place());
    }
    default:
      for (let n = 1 + (next() % 4); n > 0; n--) {
        const at = place();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (next() % 8));
      }
      return bytes;
  }
}

/** A problem has a sentence, and says what was read and where. */
function problem(one: FileProblem): 'problem' {
  const isSaid = one.problem !== '' && one.reading !== '' && Number.isSafeInteger(one.at) && one.at >= 0;
  if (!isSaid) throw new Error(`no problem: ${JSON.stringify(one)}`);
  return 'problem';
}

/** Opens it and asks for every table, and `whole` for what is made of them: each answer is a value or a problem. */
async function ask(bytes: Uint8Array, whole: boolean): Promise<'problem' | 'value'> {
  const kernel = await openKernel(bytes, nodeDecompressors);
  if (isProblem(kernel)) return problem(kernel);
  told(about(kernel), kernel.wrapping);
  const { orcTable, btf } = kernel;
  const answers = [
    kernel.text(NMI, 64, new Set([kernel.features.number('smap') ?? 0])),
    kernel.alternatives,
    orcTable,
    isProblem(btf) ? btf : kernel.memberOf('one', 'b'),
    ...(whole
      ? [
          listing(kernel, 'asm_exc_nmi', NMI, { features: ['9*32+20'], orc: true }),
          makeCapsule(kernel, ['asm_exc_nmi']),
          compareKernels(kernel, kernel),
        ]
      : []),
  ];
  const wrong = answers.find((one): one is FileProblem => one !== undefined && isProblem(one));
  return wrong ? problem(wrong) : 'value';
}

const image = vmlinux({ functions: 260 });
const small = vmlinux({ functions: 0 }).subarray(0, 1500);
const capsule = makeCapsule((await openKernel(image, {})) as Kernel, ['asm_exc_nmi', 'other']) as Uint8Array;
/** What undoing the x86 filter makes of the image: tables that hold no calls stay as they are. */
const unfiltered = Uint8Array.from(image);
unfilterX86(unfiltered);
const packed = [...LAYOUTS.keys()].map((n) =>
  vmlinux({
    layout: LAYOUTS[n] ?? '6.5',
    record: ([12, 13, 14] as const)[n % 3] ?? 14,
    header: n > 3,
    functions: 260,
  }),
);
const files: readonly (readonly [string, Uint8Array, number])[] = [
  ...LAYOUTS.map((layout, n) => [`vmlinux, ${layout}`, packed[n] ?? image, 900] as const),
  ['xz', bzImage(xz(small), small.length), 900],
  ['xz, plain', bzImage(xz(image, { plain: true }), image.length), 400],
  ['xz, filtered', bzImage(xz(unfiltered, { plain: true, filtered: image }), image.length), 300],
  ['lz4', bzImage(lz4(image), image.length), 800],
  ['gzip', bzImage(new Uint8Array(gzipSync(image)), image.length), 100],
  ['zstd', bzImage(new Uint8Array(zstdCompressSync(image)), image.length), 400],
  ['zstd, small', bzImage(new Uint8Array(zstdCompressSync(small)), small.length), 400],
  ['package', deb(bzImage(lz4(image), image.length)), 800],
  ['capsule', capsule, 500],
];

describe('10,000 files made wrong: a value or a problem, and no memory for what is only claimed', () => {
  test('there are so many', () => {
    expect(files.reduce((sum, [, , count]) => sum + count, 0)).toBe(10_000);
  });

  test.each(files)('%s', async (name, file, count) => {
    const next = random(
      joined([...name].map((letter) => letter.charCodeAt(0))).reduce((a, b) => a * 31 + b, 7),
    );
    const answers = { problem: 0, value: 0 };
    largest = 0;
    for (let n = 0; n < count; n++) answers[await ask(mutated(file, next), n % EACH === 0)]++;
    expect(largest).toBeLessThanOrEqual(CAP);
    // Most of what is wrong is found, or else nothing was looked at.
    expect(answers.problem).toBeGreaterThan(count / 4);
  });
});
