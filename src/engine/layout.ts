/**
 * One linear memory for everything, the same under every backend.
 *
 * The state block comes first: all state that is not guest memory, one 64-bit little-endian word a field.
 * Registers lie there as bytes in guest order, so AH is simply the byte after AL. A mark is a copy of the
 * state block; what stores overwrote lies in the journal.
 */

import { FIELDS, type Field, type Register } from '../isa/state.ts';

/** Bytes of the state block; a mark is a copy of exactly this. */
export const STATE_SIZE = 1024;

/** Byte offset of a field in linear memory. */
export const offsetOf = Object.fromEntries(FIELDS.map((name, n) => [name, n * 8])) as Readonly<
  Record<Field, number>
>;

const HIGH_BYTES: readonly string[] = ['ah', 'ch', 'dh', 'bh'];

/** Byte offset of a register operand; AH, CH, DH and BH are the second byte of the first four. */
export function registerOffset(register: Register): number {
  const high = HIGH_BYTES.indexOf(register);
  return high < 0 ? offsetOf[register as Field] : high * 8 + 1;
}

export const PAGE_SIZE = 0x1000;

/** Words of the backends' own: counters and places that no state holds; see `backends/wasm/layout.ts`. */
export const SCRATCH = 0x400;

/** Translations that a backend keeps, up to the flags of frames; see `backends/wasm/layout.ts`. */
export const TRANSLATIONS = 0x1000;

/**
 * One byte a guest frame. `pageTable`: the walk has read it as a page table; `text`: instructions of it are
 * kept decoded. A frame with a flag never gets a cached right to write, so that every store to it takes the
 * slow path, which forgets what was derived from it.
 */
export const FRAME_FLAGS = 0x4000;
export const FRAME_FLAG = { pageTable: 1, text: 2 } as const;
/** Guest frames at most: 128 MiB. */
export const MAX_FRAMES = 0x8000;

/** State blocks that were put aside, `STATE_SIZE` bytes each; the last place is for a mark that comes from outside. */
export const MARKS = 0xc000;
export const MARK_SLOTS = 23;
export const MARK_OUTSIDE = MARKS + MARK_SLOTS * STATE_SIZE;

/** The truth log: kind and vector, RIP, RSP, target, outer RSP, spare; see `events/log.ts`. */
export const LOG = 0x2_0000;
export const LOG_END = 0x22_0000;
export const LOG_ENTRY = 48;

/** What stores overwrote: guest physical address of an aligned word, and the eight bytes that lay there. */
export const JOURNAL = 0x22_0000;
export const JOURNAL_END = 0x42_0000;
export const JOURNAL_ENTRY = 16;

/** Entries a single transition may make at most; a head nearer to its end than this stops the run. */
export const TRANSITION_ENTRIES = 80;

/** Decoded text that a backend keeps, up to guest memory; see `backends/wasm/layout.ts`. */
export const DECODED = 0x42_0000;

/** Guest physical memory. */
export const FRAMES = 0xa4_0000;

/**
 * Bits of the attention word: what the run loop must look at before an instruction (`event`, `full`; `breakpoints`:
 * RIP is compared), at that instruction (`endbranch`: it must be ENDBR64), or after it (`after`).
 */
export const ATTENTION = { event: 1n, full: 2n, after: 4n, breakpoints: 8n, endbranch: 16n } as const;

/** CR0, CR4, EFER bits that the model looks at (SDM vol 3, 2.5 and 2.2.1). */
export const CONTROL = { writeProtect: 16, alignmentMask: 18, smep: 20, smap: 21, noExecute: 11 } as const;

/**
 * The state a machine is created in: 64-bit mode at CPL 0 with paging on (SDM vol 3, 10.8.5), debug
 * registers as after RESET (SDM vol 3, table 10-1). Fields not named are zero.
 */
export const RESET: Readonly<Partial<Record<Field, bigint>>> = {
  rflagsRest: 2n,
  flagResult: 1n,
  cr0: 0x8005_0033n,
  cr4: 0x20n,
  efer: 0xd01n,
  dr6: 0xffff_0ff0n,
  dr7: 0x400n,
  // As after RESET; LDTR is null, as a kernel's LLDT leaves it.
  tssLimit: 0xffffn,
  journalHead: BigInt(JOURNAL),
  logHead: BigInt(LOG),
};

/**
 * A fresh memory in the state of `RESET`, with an empty journal and log.
 *
 * @param frames guest frames of 4 KiB
 * @throws RangeError when there would be none, or more than `MAX_FRAMES`
 */
export function createMemory(frames: number): WebAssembly.Memory {
  if (!Number.isInteger(frames) || frames < 1 || frames > MAX_FRAMES)
    throw new RangeError(`invalid number of frames: ${frames}`);
  const pages = Math.ceil((FRAMES + frames * PAGE_SIZE) / 0x1_0000);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const view = new DataView(memory.buffer);
  for (const [name, value] of Object.entries(RESET)) view.setBigUint64(offsetOf[name as Field], value, true);
  return memory;
}
