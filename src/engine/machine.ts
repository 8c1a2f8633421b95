/** The face of a machine: the same over every backend, because all state lies in one memory. */
import type { Instruction } from '../isa/instruction.ts';
import type { Field } from '../isa/state.ts';
import { type StopReason, stopReasonOf } from '../isa/stop-reason.ts';
import { BigintBackend } from './backends/bigint.ts';
import type { Backend, Executor } from './backends/executor.ts';
import { describeState, sumState } from './describe.ts';
import { type EventDetail, type EventName, type Injection, inject, type Words } from './events/inject.ts';
import { type LogEntry, readLog } from './events/log.ts';
import { PENDING } from './events/pending-kinds.ts';
import {
  ATTENTION,
  createMemory,
  FRAMES,
  JOURNAL,
  JOURNAL_ENTRY,
  LOG,
  LOG_ENTRY,
  MARK_OUTSIDE,
  MARK_SLOTS,
  MARKS,
  offsetOf,
  PAGE_SIZE,
  STATE_SIZE,
} from './layout.ts';
import { MemoryHash } from './memory-hash.ts';
import { INTEL, type Vendor } from './vendor.ts';

/** One call of the backend runs at most so many transitions, so that what runs it can change tier. */
const SLICE = 250_000;
/** All flags that `setRflags` may change: VM is clear in 64-bit mode, bit 1 is always set. */
const ALL_FLAGS = 0x3d_7fd5n;

/** Halves of the words that RFLAGS is made of. */
const FLAG_HALVES = (['flagResult', 'flagCarry', 'rflagsRest'] as const).flatMap((name) => [
  offsetOf[name] >> 2,
  (offsetOf[name] >> 2) + 1,
]);

/** These load RF as well. */
const RETURNS: ReadonlySet<string> = new Set(['iretw', 'iretl', 'iretq', 'erets', 'eretu']);

export interface MachineOptions {
  /** Guest memory in frames of 4 KiB; 256 unless told. */
  readonly frames?: number;
  /** Whose documented behaviour; Intel's unless told. */
  readonly vendor?: Vendor;
  /** Whether translations are remembered; a test turns it off. Concerns *bigint* only. */
  readonly cached?: boolean;
  /** What runs it; *bigint* unless told. */
  readonly backend?: Backend;
}

export type { EventDetail, EventName, Injection };

/** What one transition was. */
export interface Transition {
  /**
   * `instruction` retired, or posted a software interrupt; `repeat` made one iteration and stays; `fault`
   * was an attempt, of an instruction or of a delivery, that raised; `delivery` switched to a handler;
   * `stopped` changed nothing, see `stopReason`.
   */
  readonly kind: 'instruction' | 'repeat' | 'fault' | 'delivery' | 'stopped';
  /** RIP before. */
  readonly rip: bigint;
  /** What was delivered; for a fault, what it raised. */
  readonly vector?: number;
  /** Whether what was delivered is a software interrupt. */
  readonly software?: boolean;
  /** The instruction that was attempted, unless its fetch or decoding failed. */
  readonly instruction?: Instruction;
}

/** A moment that `undo` leads back to. */
export interface Mark {
  readonly state: Uint8Array;
  /** When it was made, as machines count. */
  readonly serial: number;
  /** The mark before it. */
  readonly past: Mark | undefined;
}

/** A store taken down: the aligned word at a guest physical address held `old` before. */
export interface JournalEntry {
  readonly physical: number;
  readonly old: bigint;
}

export class Machine {
  /** The linear memory; see `layout.ts`. */
  readonly memory: WebAssembly.Memory;
  /** Guest memory in frames. */
  readonly frames: number;
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  /** The state block. */
  private readonly halves: Int32Array;
  private readonly executor: Executor;
  private readonly reader: BigintBackend;
  private readonly hash: MemoryHash;
  private readonly words: Words = {
    get: (field) => this.get(field),
    put: (field, value) => this.view.setBigUint64(offsetOf[field], BigInt.asUintN(64, value), true),
  };
  /** The words of the flags as `rflags` saw them last, and what it made of them. */
  private readonly flagWords = new Int32Array(FLAG_HALVES.length);
  private flagImage: bigint | undefined;
  private latest: Mark | undefined;
  private serial = 0;
  /** Numbered marks: when each was made, the mark before it, and how many are in use. */
  private readonly slotSerial = new Float64Array(MARK_SLOTS);
  private readonly slotPast: (Mark | undefined)[] = [];
  private slots = 0;

  /** @throws RangeError for a number of frames that is not 1 to 32,768 */
  constructor({ frames = 256, vendor = INTEL, cached = true, backend }: MachineOptions = {}) {
    this.frames = frames;
    this.memory = createMemory(frames);
    this.view = new DataView(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.halves = new Int32Array(this.memory.buffer, 0, STATE_SIZE / 4);
    this.reader = new BigintBackend(this.memory, frames, vendor, cached);
    this.executor = backend?.({ memory: this.memory, frames, vendor, reader: this.reader }) ?? this.reader;
    this.hash = new MemoryHash(this.memory, frames);
  }

  // State ----------------------------------------------------------------------------------------------
  get(field: Field): bigint {
    return this.view.getBigUint64(offsetOf[field], true);
  }
  /** Change a field as a debugger would: no checks, no side effects. `cpl` is a field of its own beside `cs`. */
  set(field: Field, value: bigint): void {
    this.view.setBigUint64(offsetOf[field], BigInt.asUintN(64, value), true);
    this.executor.flush();
    this.reader.armBreakpoints();
  }
  /** RFLAGS as PUSHF would store it, RF included. Made anew only where a word that it is made of has changed. */
  rflags(): bigint {
    const { flagWords, halves } = this;
    let same = this.flagImage !== undefined;
    for (let n = 0; n < FLAG_HALVES.length; n++) {
      const now = halves[FLAG_HALVES[n] as number] as number;
      if (flagWords[n] === now) continue;
      flagWords[n] = now;
      same = false;
    }
    if (!same) this.flagImage = this.reader.rflags();
    return this.flagImage ?? 0n;
  }
  setRflags(image: bigint): void {
    this.reader.setRflags(image, ALL_FLAGS);
  }
  get stopReason(): StopReason {
    return stopReasonOf(Number(this.get('stop')));
  }

  // Running --------------------------------------------------------------------------------------------
  /** At most `budget` transitions; returns how many were made. Fewer means a stop: see `stopReason`. */
  run(budget: number): number {
    let made = 0;
    while (made < budget) {
      const slice = Math.min(SLICE, budget - made);
      const ran = this.executor.run(slice);
      made += ran;
      if (ran < slice) break;
    }
    return made;
  }

  /** One transition, undescribed; false when the machine stopped. For those who make millions. */
  advance(): boolean {
    return this.executor.run(1) !== 0;
  }
  /** Whether the next transition delivers an event. */
  get eventDue(): boolean {
    return (this.view.getUint8(offsetOf.attention) & Number(ATTENTION.event)) !== 0;
  }
  /** The low half of a field, unsigned. */
  low(field: Field): number {
    return this.view.getUint32(offsetOf[field], true);
  }

  /** One transition and what it was. */
  step(): Transition {
    const rip = this.get('rip');
    const due = (this.get('attention') & ATTENTION.event) !== 0n;
    const kind = this.get('pendingKind');
    const { logLength } = this;
    const instruction = due ? undefined : this.reader.instructionAt(rip);
    const shown = instruction === undefined ? {} : { instruction };
    if (this.executor.run(1) === 0) return { kind: 'stopped', rip, ...shown };
    if (this.get('pendingKind') === BigInt(PENDING.fault))
      return { kind: 'fault', rip, vector: Number(this.get('pendingVector')), ...shown };
    for (const entry of this.log(logLength))
      if (entry.kind === 'delivery')
        return { kind: 'delivery', rip, vector: entry.vector, software: kind === BigInt(PENDING.software) };
    return { kind: this.repeats(rip, instruction) ? 'repeat' : 'instruction', rip, ...shown };
  }
  /** Only a repeated string instruction stays with RF set: any other that ends at its own address clears it. */
  private repeats(rip: bigint, instruction: Instruction | undefined): boolean {
    return (
      this.get('rip') === rip &&
      (this.get('rflagsRest') & (1n << 16n)) !== 0n &&
      !RETURNS.has(instruction?.row.mnemonic ?? '')
    );
  }

  /** An NMI arrives. `latched`: NMIs are blocked, it is remembered. `merged`: one was waiting already. */
  injectNmi(): Injection {
    if (this.view.getUint8(offsetOf.nmiPending) !== 0) return 'merged';
    this.view.setUint8(offsetOf.nmiPending, 1);
    this.executor.refreshAttention();
    return this.view.getUint8(offsetOf.nmiBlocked) !== 0 ? 'latched' : 'pending';
  }
  /**
   * An event arrives from outside. Events keep to the order of the boundary (`events/boundary.ts`), whatever the
   * order they are injected in. One of each kind is remembered: a second `irq` that comes before the first is
   * served merges into it, whatever its vector. A problem for a detail that is out of range, and for `bp`, `pf`
   * and `gp` where the instruction at RIP is not executed next.
   */
  inject(event: EventName, detail: EventDetail = {}): Injection | { readonly problem: string } {
    const done = inject(this.words, event, detail);
    this.executor.refreshAttention();
    return done;
  }

  // Going back -----------------------------------------------------------------------------------------
  /** A moment to come back to. Marks nest; `undo` of one makes all later ones invalid, not the mark itself. */
  mark(): Mark {
    this.latest = { state: this.bytes.slice(0, STATE_SIZE), past: this.latest, serial: ++this.serial };
    return this.latest;
  }
  /**
   * Back to a mark: journalled stores are taken back, the newest first, then the state block.
   *
   * @throws RangeError for a mark of another machine, of an undone future, or from before a keyframe
   */
  undo(mark: Mark): void {
    let found = this.latest;
    while (found !== undefined && found !== mark) found = found.past;
    if (found === undefined) throw new RangeError('invalid mark: not in the past of this machine');
    this.bytes.set(mark.state, MARK_OUTSIDE);
    this.backTo(MARK_OUTSIDE);
    this.latest = mark;
    while (this.slots > 0 && (this.slotSerial[this.slots - 1] as number) > mark.serial) this.slots--;
  }
  /**
   * A moment to come back to with a number, for those who go there and back millions of times: no object
   * is made. Numbers nest: marking one forgets those above it.
   *
   * @throws RangeError unless 0 to 22 and every number below it is marked
   */
  markSlot(slot: number): void {
    if (!Number.isInteger(slot) || slot < 0 || slot > this.slots || slot >= MARK_SLOTS)
      throw new RangeError(`invalid mark: ${slot} of ${this.slots} in use`);
    this.executor.mark(MARKS + slot * STATE_SIZE);
    this.slotSerial[slot] = ++this.serial;
    this.slotPast[slot] = this.latest;
    this.slots = slot + 1;
  }
  /** Back to a numbered mark, which stays. @throws RangeError for one that is not in the past of this machine */
  undoSlot(slot: number): void {
    if (!(slot >= 0 && slot < this.slots))
      throw new RangeError(`invalid mark: ${slot} of ${this.slots} in use`);
    this.backTo(MARKS + slot * STATE_SIZE);
    this.latest = this.slotPast[slot];
    this.slots = slot + 1;
  }
  private backTo(place: number): void {
    this.hash.rewind(this.view.getUint32(place + offsetOf.journalHead, true));
    this.executor.undo(place);
  }
  /** Forget the past: journal and log are empty, nothing before this point can be undone. */
  keyframe(): void {
    this.hash.restart(this.journalHead);
    this.latest = undefined;
    this.slots = 0;
    this.view.setBigUint64(offsetOf.journalHead, BigInt(JOURNAL), true);
    this.view.setBigUint64(offsetOf.logHead, BigInt(LOG), true);
    this.view.setBigUint64(offsetOf.attention, this.get('attention') & ~ATTENTION.full, true);
  }

  // What was written down ------------------------------------------------------------------------------
  /** Where the journal ends now, for `journalSince`. */
  get journalHead(): number {
    return this.view.getUint32(offsetOf.journalHead, true);
  }
  /** Stores since the journal ended at `head`, in order; a store across a word's end is two of them. */
  journalSince(head: number): JournalEntry[] {
    const entries: JournalEntry[] = [];
    for (let at = Math.max(head, JOURNAL); at < this.journalHead; at += JOURNAL_ENTRY)
      entries.push({ physical: this.view.getUint32(at, true), old: this.view.getBigUint64(at + 8, true) });
    return entries;
  }
  /**
   * The words stored to between two places of the journal: by physical address, what lay there before the first of the
   * stores. To be asked for what was just undone as well.
   */
  journalledBetween(from: number, to: number): ReadonlyMap<number, bigint> {
    const found = new Map<number, bigint>();
    for (let at = Math.max(from, JOURNAL); at < to; at += JOURNAL_ENTRY) {
      const physical = this.view.getUint32(at, true);
      if (!found.has(physical)) found.set(physical, this.view.getBigUint64(at + 8, true));
    }
    return found;
  }
  /** Entries of the log since the last keyframe. */
  get logLength(): number {
    return (this.view.getUint32(offsetOf.logHead, true) - LOG) / LOG_ENTRY;
  }
  /** What the entry `n` of the log is: a number of `LOGGED`. */
  logKind(n: number): number {
    return this.view.getUint8(LOG + n * LOG_ENTRY);
  }
  /** Forget what the log holds, once it was read; the journal, and with it the way back, stays. */
  forgetLog(): void {
    this.view.setBigUint64(offsetOf.logHead, BigInt(LOG), true);
  }
  /** Calls, returns, deliveries and IRETs since the last keyframe, from entry `from` on. */
  log(from = 0): Iterable<LogEntry> {
    return readLog(this.view, LOG + from * LOG_ENTRY, this.view.getUint32(offsetOf.logHead, true));
  }

  // Memory ---------------------------------------------------------------------------------------------
  /** Physical address of a linear one, as the supervisor reads it; undefined where that would fault. */
  physical(va: bigint): number | undefined {
    return this.reader.physical(BigInt.asUintN(64, va));
  }
  /** `length` bytes as the supervisor reads them, without side effects; undefined where that would fault. */
  readBytes(va: bigint, length: number): Uint8Array | undefined {
    const found = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const place = this.physical(va + BigInt(done));
      if (place === undefined) return undefined;
      const here = Math.min(length - done, PAGE_SIZE - (place % PAGE_SIZE));
      found.set(this.bytes.subarray(FRAMES + place, FRAMES + place + here), done);
      done += here;
    }
    return found;
  }
  /** A word of `width` bits, zero-extended; see `readBytes`. */
  read(va: bigint, width: 8 | 16 | 32 | 64): bigint | undefined {
    const bytes = this.readBytes(va, width / 8);
    return bytes?.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
  }
  /** What `step` would execute at `rip`; undefined where fetch or decoding would fault. */
  instructionAt(rip: bigint): Instruction | undefined {
    return this.reader.instructionAt(rip);
  }
  /** A word of guest physical memory at an aligned address. */
  physicalWord(pa: number): bigint {
    return this.view.getBigUint64(this.guestPlace(pa, 8), true);
  }
  /** The high half of such a word: most words are told apart by it, and it makes no bigint. */
  physicalHigh(pa: number): number {
    return this.view.getUint32(this.guestPlace(pa, 8) + 4, true);
  }
  /**
   * Put bytes into guest physical memory, as a loader does before the machine starts: not journalled, so
   * it cannot be undone.
   *
   * @throws RangeError outside guest memory
   */
  writeGuest(pa: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, this.guestPlace(pa, bytes.length));
    for (let at = pa; at < pa + bytes.length; at += PAGE_SIZE) this.hash.touch(at);
    this.hash.touch(pa + Math.max(bytes.length - 1, 0));
    this.executor.changed(pa, bytes.length);
  }
  private guestPlace(pa: number, length: number): number {
    if (!Number.isInteger(pa) || pa < 0 || pa + length > this.frames * PAGE_SIZE)
      throw new RangeError(`invalid guest physical address: 0x${pa.toString(16)}`);
    return FRAMES + pa;
  }

  // As text --------------------------------------------------------------------------------------------
  /** `name=value` lines of registers, latches and what waits; without guest memory. */
  describeRegisters(): string {
    return describeState((field) => this.get(field), this.rflags());
  }
  /** A number for those lines and the numbers `rest`, many times as fast; see `sumState`. */
  sumRegisters(rest: readonly number[] = []): number {
    return sumState(this.halves, Number(this.rflags()), rest);
  }
  /** The whole architectural state as sorted lines; equal text means equal state, on every backend. */
  describe(): string {
    const memory = this.hash.value(this.journalHead).toString(16);
    const lines = this.describeRegisters().split('\n').filter(Boolean);
    return [...lines, `memory=${memory}`].sort().join('\n');
  }
}
