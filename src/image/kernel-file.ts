/**
 * A kernel from outside: a Debian package, a vmlinuz or a vmlinux, opened as far as somebody asks.
 * Nothing is written and nothing is sent anywhere.
 */
import { isAr } from './archive/ar.ts';
import { isBzImage, readBzImage } from './archive/bzimage.ts';
import { readDeb } from './archive/deb.ts';
import { type Compression, compressionOf, type Decompressors, decompress } from './compressed/decompress.ts';
import { MOST_UNPACKED, Output } from './compressed/output.ts';
import type { OrcTable } from './orc.ts';
import {
  attempt,
  attemptLater,
  type FileProblem,
  ifSound,
  isProblem,
  malformed,
  Reader,
  sound,
} from './reading.ts';
import { type Alternatives, readAlternatives } from './vmlinux/alternatives.ts';
import { Btf, type BtfMember } from './vmlinux/btf.ts';
import { capsuleOf } from './vmlinux/capsule-mark.ts';
import { type Elf, isElf, readElf, readElfSymbols, sectionOf } from './vmlinux/elf.ts';
import { type Features, readFeatures } from './vmlinux/features.ts';
import { readKallsyms } from './vmlinux/kallsyms.ts';
import { KernelMemory } from './vmlinux/memory.ts';
import { findOrc, loadOrc, type OrcTables } from './vmlinux/orc-tables.ts';
import { textAfterBoot } from './vmlinux/patch/after-boot.ts';
import type { TextCopy } from './vmlinux/patch/text-copy.ts';
import { SymbolTable } from './vmlinux/symbols.ts';

/** How the kernel was packed, outermost first: `Debian package, bzImage, xz`. */
export interface Wrapping {
  readonly package: boolean;
  /** Path in the package. */
  readonly path: string | undefined;
  readonly compression: Compression | 'none' | undefined;
  /** Text of the configuration, where it was in the package. */
  readonly config: string | undefined;
  /** Symbols whose pages a capsule holds; undefined of a whole kernel. */
  readonly capsule: readonly string[] | undefined;
}

/**
 * Opens a file, which may also be compressed as a whole. `progress` is told what is read, and how many bytes are unpacked, of how many
 * where that is known.
 *
 * A .deb is unpacked up to the end of its ./boot; a vmlinux of more than `MOST_UNPACKED` bytes is refused.
 */
export function openKernel(
  bytes: Uint8Array,
  decompressors: Decompressors,
  progress: (what: string, done?: number, of?: number) => void = () => {},
): Promise<Kernel | FileProblem> {
  return attemptLater(async () => {
    let wrapping: Wrapping = {
      package: false,
      path: undefined,
      compression: undefined,
      config: undefined,
      capsule: undefined,
    };
    let file = bytes;
    if (compressionOf(file)) {
      const output = new Output(MOST_UNPACKED, file.length, 'file');
      for await (const _ of decompress(new Reader(file, 'file'), output, decompressors))
        progress('unpacking the file', output.length);
      file = output.filled;
    }
    if (isAr(file)) {
      const found = await readDeb(new Reader(file, 'Debian package'), decompressors, (done) =>
        progress('unpacking the package', done),
      );
      wrapping = { ...wrapping, package: true, path: found.path, config: found.config };
      file = found.bytes;
    }
    if (isBzImage(file)) {
      const { compression, vmlinux } = await readBzImage(
        new Reader(file, 'bzImage'),
        decompressors,
        (done, of) => progress('unpacking the vmlinux', done, of),
      );
      wrapping = { ...wrapping, compression };
      file = vmlinux;
    }
    if (!isElf(file)) malformed('unknown kind of file: no .deb, vmlinuz or vmlinux', 'file', 0);
    progress('reading symbols');
    const elf = readElf(file);
    return new Kernel(elf, { ...wrapping, capsule: capsuleOf(elf) });
  });
}

/** An opened kernel. Its larger tables are read when first asked for; what is wrong with one is told each time. */
export class Kernel {
  readonly elf: Elf;
  readonly wrapping: Wrapping;
  readonly memory: KernelMemory;
  readonly symbols: SymbolTable;
  readonly #kept = new Map<string, object>();
  #patched: { readonly key: string; readonly text: TextCopy } | undefined;

  /** @throws through `attempt` where it has no symbols: see `reading.ts` */
  constructor(elf: Elf, wrapping: Wrapping) {
    this.elf = elf;
    this.wrapping = wrapping;
    this.memory = new KernelMemory(elf);
    const linked = readElfSymbols(elf);
    this.symbols = new SymbolTable(
      linked.length > 0
        ? linked.map(({ name, address, type, global, size }) => {
            const letter = type === 2 ? 't' : 'd';
            const symbol = { name, address, type: global ? letter.toUpperCase() : letter };
            // Elsewhere a size leaves out the padding behind a routine, which the kernel counts in.
            return wrapping.capsule ? { ...symbol, size } : symbol;
          })
        : readKallsyms(this.memory.extents),
    );
  }

  #once<T extends object>(key: string, read: () => T): T | FileProblem {
    const kept = this.#kept.get(key) ?? attempt(read);
    this.#kept.set(key, kept);
    return kept as T | FileProblem;
  }

  /** Where ORC rows lie; undefined in a kernel without them. */
  get orc(): OrcTables | undefined {
    return findOrc(this.elf);
  }

  /** The rows themselves: some hundred thousand. */
  get orcTable(): OrcTable | FileProblem {
    return this.#once('orc', () => {
      const { orc } = this;
      if (!orc) return malformed('missing ORC tables: .orc_unwind', 'ORC tables', 0);
      const { table, problems } = loadOrc(orc);
      if (table.rows.length === 0) malformed(problems[0] ?? 'missing ORC rows', 'ORC tables', 0);
      return table;
    });
  }

  get alternatives(): Alternatives | FileProblem {
    return this.#once('alternatives', () => readAlternatives(this.elf) ?? { record: 14, sites: [] });
  }

  get features(): Features {
    const { alternatives } = this;
    const sites = isProblem(alternatives) ? [] : alternatives.sites;
    const kept = this.#once('features', () => readFeatures(this.memory, this.symbols, sites));
    return sound(kept);
  }

  get btf(): Btf | FileProblem {
    return this.#once('btf', () => {
      const section = sectionOf(this.elf, '.BTF');
      return section ? new Btf(section.bytes) : malformed('missing BTF: .BTF', 'BTF header', 0);
    });
  }

  /** Bytes of a structure; undefined where that is not known. */
  structSize(structure: string): number | undefined {
    const { btf } = this;
    return isProblem(btf) ? undefined : ifSound(() => btf.structSize(structure));
  }

  /** Where a member of a structure lies; undefined where the kernel has no such one. */
  memberOf(structure: string, path: string): BtfMember | undefined | FileProblem {
    const { btf } = this;
    if (isProblem(btf)) return btf;
    const found = attempt(() => ({ member: btf.member(structure, path) }));
    return isProblem(found) ? found : found.member;
  }

  /** Text at an address, as linked; with features, as it is after boot. */
  text(address: bigint, count: number, features?: ReadonlySet<number>): Uint8Array | FileProblem {
    return attempt(() => {
      const text = this.memory.at(address, count, 'text');
      return features ? this.patched(features).read(address, count) : text;
    });
  }

  /**
   * All text as it is after boot on a processor with these features; the last one asked for is kept.
   *
   * @throws through `attempt` where a table is damaged
   */
  patched(features: ReadonlySet<number>): TextCopy {
    const key = [...features].sort((a, b) => a - b).join();
    if (this.#patched?.key !== key) this.#patched = { key, text: textAfterBoot(this, { features }) };
    return this.#patched.text;
  }
}
