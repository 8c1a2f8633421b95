/** The kernel as it lies in memory once it is loaded: its bytes by address. */
import { malformed } from '../reading.ts';
import type { Elf } from './elf.ts';

/** A piece of memory with its first address. */
export interface Extent {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

export class KernelMemory {
  readonly extents: readonly Extent[];

  /** Sections where there are some, else segments. */
  constructor({ segments, sections }: Elf) {
    const loaded: readonly Extent[] = sections.filter(({ allocated }) => allocated);
    this.extents = (loaded.length > 0 ? loaded : segments).filter(({ bytes }) => bytes.length > 0);
  }

  /** Up to `count` bytes at an address; fewer where the file has no more, undefined where it has none. */
  upTo(address: bigint, count: number): Uint8Array | undefined {
    for (const { address: first, bytes } of this.extents) {
      const at = address - first;
      if (at >= 0n && at < BigInt(bytes.length))
        return bytes.subarray(Number(at), Math.min(bytes.length, Number(at) + count));
    }
    return undefined;
  }

  /** Exactly `count` bytes; where they are not in the file the reading ends with a problem. */
  at(address: bigint, count: number, reading: string): Uint8Array {
    const found = this.upTo(address, count);
    if (found?.length !== count)
      malformed(
        `missing ${reading}: ${count} bytes at 0x${BigInt.asUintN(64, address).toString(16)}`,
        reading,
        0,
      );
    return found as Uint8Array;
  }
}
