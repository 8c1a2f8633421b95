/** Four-level page tables built in guest frames: what a loader needs before the machine runs. */
import { PAGE_SIZE } from './layout.ts';
import type { Machine } from './machine.ts';

const PAGE = 0x1000n;
const PRESENT = 1n << 0n;
const WRITABLE = 1n << 1n;
const USER = 1n << 2n;
/** Accessed and dirty, set from the start as a kernel sets them for its own pages: nothing changes on first touch. */
const USED = (1n << 5n) | (1n << 6n);
const NO_EXECUTE = 1n << 63n;
const FRAME_MASK = 0x000f_ffff_ffff_f000n;
const SHIFTS = [39n, 30n, 21n, 12n] as const;

export interface Rights {
  readonly writable?: boolean;
  /** Whether CPL 3 may use the page. */
  readonly user?: boolean;
  readonly executable?: boolean;
}

/** Hands out guest frames, each once and all zero; frame 0 stays unused, so that no table lies at address 0. */
export class FrameAllocator {
  readonly machine: Machine;
  private next = 1;

  constructor(machine: Machine) {
    this.machine = machine;
  }
  /** @throws RangeError when guest memory is used up */
  take(): number {
    if (this.next >= this.machine.frames)
      throw new RangeError(`missing guest memory: all ${this.machine.frames} frames are in use`);
    return this.next++ * PAGE_SIZE;
  }
}

export class AddressSpace {
  /** Physical address of the top table: the value for CR3. */
  readonly root: bigint;
  private readonly machine: Machine;
  private readonly frames: FrameAllocator;
  /** First linear page of every mapped frame. */
  private readonly linears = new Map<number, bigint>();

  /** @param frames shared by all address spaces of one machine */
  constructor(machine: Machine, frames = new FrameAllocator(machine)) {
    this.machine = machine;
    this.frames = frames;
    this.root = BigInt(frames.take());
  }

  /**
   * Map `pages` fresh zero pages at `va`, or the frames that begin at `physical`.
   *
   * @returns physical address of each page
   * @throws RangeError for an address that is unaligned, not canonical or mapped already, or without frames left
   */
  map(va: bigint, pages: number, rights: Rights = {}, physical?: number): number[] {
    const start = BigInt.asUintN(64, va);
    const last = start + BigInt(pages - 1) * PAGE;
    if (start % PAGE !== 0n || !isCanonical(start) || !isCanonical(last))
      throw new RangeError(`invalid address to map: 0x${start.toString(16)}`);
    return Array.from({ length: pages }, (_, n) => {
      const page = start + BigInt(n) * PAGE;
      if (this.entry(page) !== undefined)
        throw new RangeError(`invalid address to map, in use: 0x${page.toString(16)}`);
      const frame = physical === undefined ? this.frames.take() : physical + n * PAGE_SIZE;
      this.put(this.placeOf(page, true) as number, BigInt(frame) | bitsOf(rights));
      if (!this.linears.has(frame)) this.linears.set(frame, page);
      return frame;
    });
  }
  /** Give mapped pages other rights. @throws RangeError for a page that is not mapped */
  protect(va: bigint, pages: number, rights: Rights): void {
    for (let n = 0n; n < pages; n++) {
      const page = BigInt.asUintN(64, va) + n * PAGE;
      const entry = this.entry(page);
      if (entry === undefined) throw new RangeError(`missing page: 0x${page.toString(16)}`);
      this.put(this.placeOf(page, false) as number, (entry & FRAME_MASK) | bitsOf(rights));
    }
  }

  /** Physical address of a linear one; undefined where nothing is mapped. */
  physical(va: bigint): number | undefined {
    const entry = this.entry(BigInt.asUintN(64, va));
    return entry === undefined ? undefined : Number((entry & FRAME_MASK) | (va & (PAGE - 1n)));
  }
  /** First linear address that was mapped to a physical one; undefined for page tables and free frames. */
  linear(physical: number): bigint | undefined {
    const page = this.linears.get(physical - (physical % PAGE_SIZE));
    return page === undefined ? undefined : page + BigInt(physical % PAGE_SIZE);
  }
  /** Put bytes at a linear address, whatever its rights. @throws RangeError for a page that is not mapped */
  write(va: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = va + BigInt(done);
      const place = this.physical(at);
      if (place === undefined) throw new RangeError(`missing page: 0x${BigInt.asUintN(64, at).toString(16)}`);
      const here = Math.min(bytes.length - done, PAGE_SIZE - (place % PAGE_SIZE));
      this.machine.writeGuest(place, bytes.subarray(done, done + here));
      done += here;
    }
  }
  /** Put 64-bit words, little-endian, at a linear address. */
  writeWords(va: bigint, words: readonly bigint[]): void {
    this.write(va, bytesOf(words));
  }

  /** The entry of a page, if it is present. */
  private entry(page: bigint): bigint | undefined {
    const place = this.placeOf(page, false);
    const entry = place === undefined ? 0n : this.machine.physicalWord(place);
    return (entry & PRESENT) === 0n ? undefined : entry;
  }
  /** Where the entry of a page lies; tables on the way are made if asked for. */
  private placeOf(page: bigint, create: boolean): number | undefined {
    let table = this.root;
    for (const shift of SHIFTS) {
      const place = Number(table) + Number((page >> shift) & 511n) * 8;
      if (shift === 12n) return place;
      let entry = this.machine.physicalWord(place);
      if ((entry & PRESENT) === 0n) {
        if (!create) return undefined;
        entry = BigInt(this.frames.take()) | PRESENT | WRITABLE | USER | USED;
        this.put(place, entry);
      }
      table = entry & FRAME_MASK;
    }
    return undefined;
  }
  private put(place: number, entry: bigint): void {
    ENTRY.setBigUint64(0, BigInt.asUintN(64, entry), true);
    this.machine.writeGuest(place, ENTRY_BYTES);
  }
}

/** One entry on its way: a buffer for each would be most of the time that a boot takes. */
const ENTRY_BYTES = new Uint8Array(8);
const ENTRY = new DataView(ENTRY_BYTES.buffer);

const isCanonical = (va: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, va)) === va;

const bitsOf = ({ writable = false, user = false, executable = false }: Rights): bigint =>
  PRESENT | USED | (writable ? WRITABLE : 0n) | (user ? USER : 0n) | (executable ? 0n : NO_EXECUTE);

/** 64-bit words as bytes, little-endian. */
export function bytesOf(words: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, n) => {
    view.setBigUint64(n * 8, BigInt.asUintN(64, word), true);
  });
  return bytes;
}
