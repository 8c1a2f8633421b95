import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeDecompressors } from '../../src/cli/kernel/decompressors.ts';
import { openKernel } from '../../src/image/kernel-file.ts';
import { isProblem } from '../../src/image/reading.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { joined, little, random } from './build/bytes.ts';
import { LAYOUTS } from './build/kallsyms.ts';
import { bzImage, deb, lz4, NMI, vmlinux } from './build/kernel.ts';
import { xz } from './build/xz.ts';

/** Bytes that a reader may reserve at once for any of these files, all of which are far smaller. */
const CAP = 4 << 20;

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

/** One file made wrong: cut short, with bits turned, or with a number that claims too much. */
function mutated(file: Uint8Array, next: () => number): Uint8Array {
  const bytes = Uint8Array.from(file);
  // Half of them near the beginning, where headers are.
  const place = (): number => next() % (next() % 2 ? bytes.length : Math.min(bytes.length, 512));
  switch (next() % 4) {
    case 0:
      return bytes.subarray(0, place());
    case 1: {
      const claims = [0xffffffff, 0x7fffffff, 0x80000000, bytes.length, 0x10000000, 0];
      const at = place() & ~3;
      bytes.set(little(claims[next() % claims.length] ?? 0, 4).slice(0, bytes.length - at), at);
      return bytes;
    }
    default:
      for (let n = 1 + (next() % 4); n > 0; n--) {
        const at = place();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (next() % 8));
      }
      return bytes;
  }
}

/** Opens it and asks for everything: each answer is a value or a problem. */
async function ask(bytes: Uint8Array): Promise<'problem' | 'value'> {
  const kernel = await openKernel(bytes, nodeDecompressors);
  if (isProblem(kernel)) return 'problem';
  about(kernel);
  const { orcTable, btf } = kernel;
  const answers = [
    kernel.text(NMI, 64, new Set([kernel.features.number('smap') ?? 0])),
    kernel.alternatives,
    orcTable,
    isProblem(btf) ? btf : kernel.memberOf('one', 'b'),
  ];
  return answers.some((one) => one !== undefined && isProblem(one)) ? 'problem' : 'value';
}

const image = vmlinux({ functions: 260 });
const small = vmlinux({ functions: 0 }).subarray(0, 1500);
const files: readonly (readonly [string, Uint8Array, number])[] = [
  ...LAYOUTS.map((layout) => [`vmlinux, ${layout}`, vmlinux({ layout, functions: 260 }), 1000] as const),
  ['xz', bzImage(xz(small), small.length), 1000],
  ['xz, plain', bzImage(xz(image, { plain: true }), image.length), 500],
  ['lz4', bzImage(lz4(image), image.length), 1000],
  ['gzip', bzImage(new Uint8Array(gzipSync(image)), image.length), 300],
  ['zstd', bzImage(new Uint8Array(zstdCompressSync(image)), image.length), 300],
  ['package', deb(bzImage(lz4(image), image.length)), 900],
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
    for (let n = 0; n < count; n++) answers[await ask(mutated(file, next))]++;
    expect(largest).toBeLessThanOrEqual(CAP);
    // Most of what is wrong is found, or else nothing was looked at.
    expect(answers.problem).toBeGreaterThan(count / 4);
  });
});
