/**
 * What the interpreter keeps beside the state block: caches and words of its own, never visible. A mark
 * does not hold them, a digest does not see them, and each can be thrown away between two transitions.
 */
import { DECODED, FRAME_FLAGS, FRAMES, MAX_FRAMES, SCRATCH, TRANSLATIONS } from '../../layout.ts';

/** Words in the scratch area. */
export const WORD = {
  /** Linear address that the `offset` of the current record counts from: the page of RIP, or RIP itself. */
  textPage: SCRATCH,
  /** Bytes of guest memory. */
  guestSize: SCRATCH + 8,
  /** Which part of the data cache serves the CPL, and which of the text cache; see `staging/caches.ts`. */
  dataPart: SCRATCH + 16,
  textPart: SCRATCH + 20,
  /** Counts what was forgotten, so that other caches can follow. */
  generation: SCRATCH + 24,
  /** Counts stores to the first bytes of text frames: instructions that begin on the page before are stale. */
  headStores: SCRATCH + 28,
  /** Physical address of the instruction that is not decoded yet; -1 when its fetch would fault. */
  fetched: SCRATCH + 32,
  /** One bit for each of the vendor's switches. */
  vendor: SCRATCH + 36,
  /** Whether `run` ends because JavaScript must decode. */
  asks: SCRATCH + 40,
  /** Of an instruction that is watched: whether it keeps RF, and shadow and flags before it. */
  keepRf: SCRATCH + 44,
  shadow: SCRATCH + 48,
  flags: SCRATCH + 56,
  /** CR2 before a boundary. */
  cr2: SCRATCH + 64,
  /** Effective address of an operand with 32-bit addresses, without the segment base. */
  shortAddress: SCRATCH + 72,
  /** Of an instruction that is watched: whether it has decided about its single step. */
  ownStep: SCRATCH + 80,
} as const;

/**
 * Data translations in parts: supervisor, supervisor while AC opens user pages (SMAP), user, and one for what the
 * processor itself reads and writes: descriptors, the TSS, frames of events. Kernels put those and their per-CPU data at
 * round addresses, where one would put the other out with every event. A user whose alignment is checked has a part
 * that stays empty, so that each of its accesses takes the slow way. Direct mapped; an entry holds the page that may be
 * read, the page that may be written, and what to add to the low half of an address to find its byte in linear memory.
 */
export const TLB = TRANSLATIONS;
export const TLB_ENTRIES = 64;
export const TLB_ENTRY = 32;
export const TLB_PART = TLB_ENTRIES * TLB_ENTRY;
export const TLB_FIELD = { read: 0, write: 8, delta: 16 } as const;
export const PART = {
  empty: 0,
  supervisor: TLB_PART,
  supervisorAc: 2 * TLB_PART,
  user: 3 * TLB_PART,
  system: 4 * TLB_PART,
} as const;

/** Text translations for supervisor and user: a page that may be executed, and the table of its frame. */
export const XTLB = TLB + 5 * TLB_PART;
export const XTLB_ENTRIES = 64;
export const XTLB_ENTRY = 16;
export const XTLB_PART = XTLB_ENTRIES * XTLB_ENTRY;
export const XTLB_FIELD = { page: 0, table: 8 } as const;

/** All translations, for forgetting them at once; all ones is a page that no access has. */
export const TRANSLATIONS_END = XTLB + 2 * XTLB_PART;
if (TRANSLATIONS_END > FRAME_FLAGS)
  throw new Error('invalid layout: translations reach into the flags of frames');

/** The table of every guest frame, 0 for none. A table has the record of each byte that an instruction begins at. */
export const TABLE_OF = DECODED;
export const TABLES = TABLE_OF + MAX_FRAMES * 4;
export const TABLE_SIZE = 4096 * 4;
export const TABLE_COUNT = 128;

export const RECORD_SIZE = 64;
/** The record of *nowhere*: RIP points at nothing that was decoded. */
export const NOWHERE = TABLES + TABLE_COUNT * TABLE_SIZE;
/** Decoded instructions. */
export const RECORDS = NOWHERE + RECORD_SIZE;
export const RECORD_COUNT = 0xffff;
const RECORDS_END = RECORDS + RECORD_COUNT * RECORD_SIZE;
if (RECORDS_END > FRAMES) throw new Error('invalid layout: decoded text reaches into guest memory');

/**
 * The record of the instruction behind, or a link to it, lies behind the record of an instruction, so that nothing need be loaded
 * to go on there. A record never says where its frame is mapped: `offset` counts from the page, and an operand relative to
 * RIP has `textPage` as its base. Registers and segments are offsets of words of the state block.
 */
export const RECORD = {
  case: 0,
  /** The record of the branch target, or of the place that a `link` stands for; not decoded ones lead to `unresolved`. */
  target: 8,
  /** Rights of the memory operand, and whether there is a 3E prefix; a byte each. */
  rights: 12,
  noTrack: 13,
  offset: 16,
  displacement: 24,
  immediate: 32,
  a: 40,
  b: 42,
  c: 44,
  base: 46,
  index: 48,
  segment: 50,
  scale: 52,
  length: 53,
  /** For `crossing` and `addr32`: the case behind it. For `crossing` also the table of the second frame, and `headStores` when it was decoded. */
  inner: 54,
  second: 56,
  headStores: 60,
} as const;

/**
 * Bit of `scale` that a shift does not look at: the operand has a 32-bit address. Its parts then lie in the record
 * that `target` leads to, and `addr32` makes of them the one word that is the base of this record.
 */
export const SHORT_BIT = 7;

/** Bits of the upper half of the attention word, clear outside `run`: look RIP up again; retire the last instruction. */
export const INTERNAL = { relocate: 1, retire: 2 } as const;
