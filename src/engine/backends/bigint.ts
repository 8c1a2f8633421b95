/**
 * Semantics run at once on bigints: the oracle. Every access can be made to walk the page tables, so that
 * a stale or wrong entry of a cache shows as a difference.
 */

import { MISSING_ENDBRANCH } from '../../isa/endbranch.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { type Operand, type Rights, VECTOR, type Width } from '../../isa/ops.ts';
import { ARMED, type Field, type Register } from '../../isa/state.ts';
import { boundary } from '../events/boundary.ts';
import { latchFault } from '../events/pending.ts';
import { beforeInstruction, retire } from '../events/shadows.ts';
import {
  ATTENTION,
  CONTROL,
  FRAME_FLAG,
  FRAME_FLAGS,
  FRAMES,
  JOURNAL_END,
  JOURNAL_ENTRY,
  LOG_END,
  LOG_ENTRY,
  offsetOf,
  registerOffset,
  STATE_SIZE,
  TRANSITION_ENTRIES,
} from '../layout.ts';
import type { EventRecord, Translation } from '../machine-ops.ts';
import { checksAlignment, RIGHTS, rightsOf } from '../paging.ts';
import type { Vendor } from '../vendor.ts';
import { BigintWords, RAISED, STOPPED } from './bigint-words.ts';
import type { Executor } from './executor.ts';
import { FetchCache, type Fetched, LONGEST } from './fetch.ts';
import { GRANT, TranslationCache } from './translation-cache.ts';

/** Bits of the attention word as numbers. */
const [DUE, FULL, BREAKPOINTS] = [1 | 2, 2, 8];
const ENDBRANCH = Number(ATTENTION.endbranch);
const DATA_ARMED = Number(ARMED.data);
/** What may stand where ENDBR64 is waited for (SDM vol 1, 18.3). */
const ENDS_WAIT: ReadonlySet<string> = new Set(['endbr64', 'int3']);
const BYTES = { 8: 1, 16: 2, 32: 4, 64: 8 } as const;

export class BigintBackend extends BigintWords implements Executor {
  readonly vendor: Vendor;
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  /** Bytes of guest memory. */
  private readonly size: number;
  private readonly cache: TranslationCache | undefined;
  private readonly text = new FetchCache();
  private readonly scratch = new DataView(new ArrayBuffer(8));
  /** The instruction being executed, where it lies, and whether it said where control goes. */
  private current: Fetched | undefined;
  private at = 0n;
  private effective = 0n;
  private moved = false;
  private keepsRf = 0n;
  /** Whether somebody only looks, and whether his walk then found an entry that a real one would have marked. */
  private looking = false;
  private unmarked = false;
  private stepsItself = 0n;
  /** Whether this instruction must be ENDBR64. */
  private waits = false;
  /** Told of each frame that a walk reads as a page table for the first time. */
  onPageTable: () => void = () => {};

  /** @param cached whether translations are remembered; off, every access walks */
  constructor(memory: WebAssembly.Memory, frames: number, vendor: Vendor, cached: boolean) {
    super();
    this.view = new DataView(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.size = frames * 0x1000;
    this.vendor = vendor;
    this.cache = cached ? new TranslationCache() : undefined;
  }

  run(budget: number): number {
    this.set('stop', 0n);
    let made = 0;
    try {
      for (; made < budget; made++) this.transition();
    } catch (reason) {
      if (reason !== STOPPED) throw reason;
      this.set('metBreakpoints', 0n);
    }
    return made;
  }

  flush(): void {
    this.cache?.flush();
  }
  /** Text is compared with its bytes whenever it is executed. */
  changed(): void {
    this.flush();
  }
  mark(place: number): void {
    this.bytes.copyWithin(place, 0, STATE_SIZE);
  }
  undo(place: number): void {
    const to = this.view.getUint32(place + offsetOf.journalHead, true);
    let head = this.view.getUint32(offsetOf.journalHead, true);
    while (head > to) {
      head -= JOURNAL_ENTRY;
      this.bytes.copyWithin(FRAMES + this.view.getUint32(head, true), head + 8, head + 16);
    }
    this.bytes.copyWithin(0, place, place + STATE_SIZE);
    this.flush();
  }

  private transition(): void {
    const attention = this.view.getUint8(offsetOf.attention);
    const meets = (): boolean => (attention & BREAKPOINTS) !== 0 && this.executionBreakpoints() !== 0n;
    if ((attention & DUE) !== 0 || meets()) this.boundary();
    else this.instruction(attention);
  }
  /** A shutdown comes after a page fault that has set CR2; but a stop changes nothing. */
  private boundary(): void {
    const cr2 = this.get('cr2');
    try {
      boundary(this);
    } catch (reason) {
      if (reason === STOPPED) this.set('cr2', cr2);
      throw reason;
    }
  }
  private instruction(attention: number): void {
    const before = attention === 0 ? undefined : beforeInstruction(this);
    this.moved = false;
    this.keepsRf = 0n;
    this.stepsItself = 0n;
    this.at = this.get('rip');
    try {
      this.waits = (attention & ENDBRANCH) !== 0;
      const fetched = this.fetch(this.at);
      this.waits &&= !ENDS_WAIT.has(fetched.instruction.row.mnemonic);
      if (this.waits) this.raise(VECTOR.CP, BigInt(MISSING_ENDBRANCH));
      this.current = fetched;
      if (fetched.memory) this.effective = this.effectiveAddress(fetched);
      fetched.instruction.row.semantics(this, fetched.instruction.shape);
    } catch (reason) {
      if (reason !== RAISED) throw reason;
      latchFault(this, this.at);
      this.moved = true;
    }
    if (!this.moved) this.set('rip', this.nextRip());
    if (before) retire(this, before, { keepsRf: this.keepsRf, ownStep: this.stepsItself });
  }

  /** The instruction at `rip`, with the CPL's right to execute; raises #PF, #GP or #UD. */
  private fetch(rip: bigint): Fetched {
    const place = this.host(rip, RIGHTS.execute);
    const room = 0x1000 - (place & 0xfff);
    const known = this.text.find(this.bytes, FRAMES + place, room);
    if (known) return known;
    const here = this.bytes.subarray(FRAMES + place, FRAMES + place + Math.min(room, LONGEST));
    const found = this.text.decode(here, FRAMES + place);
    if (found !== 'truncated' || room >= LONGEST) return this.defined(found);
    // The rest lies on the next page, which may fault.
    const next = this.host(this.add(rip, BigInt(room)), RIGHTS.execute);
    const whole = new Uint8Array(LONGEST);
    whole.set(here);
    whole.set(this.bytes.subarray(FRAMES + next, FRAMES + next + LONGEST - room), room);
    return this.defined(this.text.decode(whole, undefined));
  }
  private defined(found: ReturnType<FetchCache['decode']>): Fetched {
    if (typeof found === 'object') return found;
    // A missing ENDBR64 is a fault of the fetch, which comes before those of decoding (SDM vol 3, 7.9).
    if (this.waits) this.raise(VECTOR.CP, BigInt(MISSING_ENDBRANCH));
    this.raise(found === 'undefined' ? VECTOR.UD : VECTOR.GP, 0n);
    throw RAISED;
  }
  /** What `step` would execute, without a trace of having looked. */
  instructionAt(rip: bigint): Instruction | undefined {
    this.waits = false;
    return this.quietly(() => this.fetch(rip).instruction);
  }
  /** Physical address of `va` as a debugger reads it: supervisor rights, SMAP aside, without a trace. */
  physical(va: bigint): number | undefined {
    const cr4 = this.get('cr4');
    const smap = 1n << BigInt(CONTROL.smap);
    if ((cr4 & smap) === 0n) return this.quietly(() => this.host(va, RIGHTS.system));
    this.set('cr4', cr4 ^ smap);
    const found = this.quietly(() => this.host(va, RIGHTS.system));
    this.set('cr4', cr4);
    return found;
  }
  private quietly<T>(look: () => T): T | undefined {
    this.looking = true;
    this.unmarked = false;
    const kept = (['cr2', 'raisedVector', 'raisedCode', 'stop'] as const).map(
      (name) => [name, this.get(name)] as const,
    );
    try {
      return look();
    } catch (reason) {
      if (reason !== RAISED && reason !== STOPPED) throw reason;
      for (const [name, value] of kept) this.set(name, value);
      return undefined;
    } finally {
      this.looking = false;
      this.unmarked = false;
    }
  }

  // State ----------------------------------------------------------------------------------------------
  get(field: Field): bigint {
    return this.view.getBigUint64(offsetOf[field], true);
  }
  set(field: Field, value: bigint): void {
    const at = offsetOf[field];
    this.view.setBigUint64(at, value, true);
    // CR0, CR3, CR4 and EFER decide what a translation is.
    if (at >= offsetOf.cr0 && at <= offsetOf.efer) this.flush();
  }
  reg(width: Width, register: Register): bigint {
    return this.registerAt(width, registerOffset(register));
  }
  setReg(width: Width, register: Register, value: bigint): void {
    this.setRegisterAt(width, registerOffset(register), value);
  }
  private registerAt(width: Width, at: number): bigint {
    if (width === 64) return this.view.getBigUint64(at, true);
    if (width === 32) return BigInt(this.view.getUint32(at, true));
    return BigInt(width === 16 ? this.view.getUint16(at, true) : this.view.getUint8(at));
  }
  private setRegisterAt(width: Width, at: number, value: bigint): void {
    if (width === 8) this.view.setUint8(at, Number(value & 0xffn));
    else if (width === 16) this.view.setUint16(at, Number(value & 0xffffn), true);
    else this.view.setBigUint64(at, BigInt.asUintN(width, value), true);
  }

  // Operands -------------------------------------------------------------------------------------------
  private effectiveAddress(fetched: Fetched): bigint {
    const { base, index, scale, segment, displacement, ripRelative, addressWidth } = fetched;
    const word = (at: number): bigint => this.view.getBigUint64(at, true);
    const from = ripRelative ? this.nextRip() : word(base);
    const offset = from + (word(index) << scale) + displacement;
    return BigInt.asUintN(64, BigInt.asUintN(addressWidth, offset) + word(segment));
  }
  address(_: Operand): bigint {
    return this.effective;
  }
  addressAt(_: Operand, offset: bigint): bigint {
    const { segment, addressWidth } = this.current as Fetched;
    const base = this.view.getBigUint64(segment, true);
    return BigInt.asUintN(64, base + BigInt.asUintN(addressWidth, this.effective - base + offset));
  }
  operandRights(write: boolean): bigint {
    return BigInt((this.current as Fetched).rights | (write ? RIGHTS.write : 0));
  }
  read(operand: Operand): bigint {
    return this.readWith(operand, 0);
  }
  readToModify(operand: Operand): bigint {
    return this.readWith(operand, RIGHTS.write);
  }
  private readWith(operand: Operand, write: number): bigint {
    const { kind, width, slot } = operand;
    const fetched = this.current as Fetched;
    if (kind === 'r') return this.registerAt(width, fetched.registers[slot] as number);
    if (kind === 'i') return BigInt.asUintN(width, fetched.instruction.immediate);
    return this.loadWith(width, this.effective, fetched.rights | write);
  }
  write(operand: Operand, value: bigint): void {
    const fetched = this.current as Fetched;
    if (operand.kind === 'r')
      this.setRegisterAt(operand.width, fetched.registers[operand.slot] as number, value);
    else this.storeWith(operand.width, this.effective, value, fetched.rights | RIGHTS.write);
  }

  // Memory ---------------------------------------------------------------------------------------------
  /** Physical address of `va`: from the cache, or as the walk finds it. */
  private host(va: bigint, rights: number): number {
    if (this.cache) {
      this.scratch.setBigUint64(0, va, true);
      const low = this.scratch.getUint32(0, true);
      const page = this.scratch.getUint32(4, true) * 0x10_0000 + (low >>> 12);
      const frame = this.cache.find(page, this.needsOf(rights));
      if (frame >= 0) return frame + (low & 0xfff);
    }
    return Number(this.translate(va, BigInt(rights)));
  }
  private needsOf(rights: number): number {
    const user = (rights & RIGHTS.system) === 0 && this.view.getUint8(offsetOf.cpl) === 3;
    const execute = user ? GRANT.executeAsUser : GRANT.executeAsSupervisor;
    return (
      (rights & RIGHTS.write ? GRANT.write : 0) |
      (rights & RIGHTS.execute ? execute : user ? GRANT.user : GRANT.supervisor)
    );
  }
  walked(table: bigint): void {
    const at = FRAME_FLAGS + Number(table >> 12n);
    const flags = this.bytes[at] as number;
    if ((flags & FRAME_FLAG.pageTable) !== 0) return;
    this.bytes[at] = flags | FRAME_FLAG.pageTable;
    this.onPageTable();
  }
  translated({ va, frame, writable, user, executable }: Translation<bigint>): void {
    if (!this.cache || this.unmarked) return;
    const cr4 = this.get('cr4');
    const keepsOut = (feature: number): boolean => user !== 0n && ((cr4 >> BigInt(feature)) & 1n) !== 0n;
    const grants =
      (writable ? GRANT.write : 0) |
      (user ? GRANT.user : 0) |
      (keepsOut(CONTROL.smap) ? 0 : GRANT.supervisor) |
      (executable && user ? GRANT.executeAsUser : 0) |
      (executable && !keepsOut(CONTROL.smep) ? GRANT.executeAsSupervisor : 0);
    this.cache.set(Number(va >> 12n), Number(frame), grants);
  }
  load(width: Width, va: bigint, access: Rights): bigint {
    return this.loadWith(width, va, this.rights(access, false));
  }
  store(width: Width, va: bigint, value: bigint, access: Rights): void {
    this.storeWith(width, va, value, this.rights(access, true));
  }
  private rights(access: Rights, write: boolean): number {
    return typeof access === 'object' ? Number(this.operandRights(write)) : rightsOf(access, write);
  }
  private loadWith(width: Width, va: bigint, rights: number): bigint {
    if (Number(va & 0xfffn) > 0x1000 - BYTES[width] || this.looksCloser())
      return this.loadSlow(width, va, BigInt(rights));
    return this.registerAt(width, FRAMES + this.host(va, rights));
  }
  /** Whether an access must be compared with data breakpoints, or its address with its size. */
  private looksCloser(): boolean {
    if ((this.view.getUint8(offsetOf.armedBreakpoints) & DATA_ARMED) !== 0) return true;
    return this.view.getUint8(offsetOf.cpl) === 3 && checksAlignment(this) !== 0n;
  }
  private storeWith(width: Width, va: bigint, value: bigint, rights: number): void {
    if (Number(va & 7n) > 8 - BYTES[width] || this.looksCloser())
      this.storeSlow(width, va, value, BigInt(rights));
    else this.storeWord(width, va, value, rights);
  }
  private storeWord(width: Width, va: bigint, value: bigint, rights: number): void {
    const pa = this.host(va, rights);
    this.journal(pa & ~7);
    if (width === 64) this.view.setBigUint64(FRAMES + pa, value, true);
    else if (width === 32) this.view.setUint32(FRAMES + pa, Number(value & 0xffff_ffffn), true);
    else this.setRegisterAt(width, FRAMES + pa, value);
  }
  inMemory(frame: bigint): bigint {
    return frame < BigInt(this.size) ? 1n : 0n;
  }
  loadPhysical(pa: bigint): bigint {
    return this.view.getBigUint64(FRAMES + Number(pa), true);
  }
  storePhysical(pa: bigint, value: bigint): void {
    this.unmarked = this.looking;
    if (this.looking) return;
    this.journal(Number(pa));
    this.view.setBigUint64(FRAMES + Number(pa), value, true);
  }
  /** Keep what an aligned word held; forget translations if it belongs to a page table. */
  private journal(pa: number): void {
    const head = this.view.getUint32(offsetOf.journalHead, true);
    this.view.setBigUint64(head, BigInt(pa), true);
    this.view.setBigUint64(head + 8, this.view.getBigUint64(FRAMES + pa, true), true);
    this.advance(
      offsetOf.journalHead,
      head + JOURNAL_ENTRY,
      JOURNAL_END - TRANSITION_ENTRIES * JOURNAL_ENTRY,
    );
    if (this.bytes[FRAME_FLAGS + (pa >> 12)] !== 0) this.flush();
  }
  /** Move a head on; ask for attention while there is still room for a whole transition. */
  private advance(field: number, to: number, limit: number): void {
    this.view.setUint32(field, to, true);
    if (to >= limit) this.view.setUint8(offsetOf.attention, this.view.getUint8(offsetOf.attention) | FULL);
  }

  // Where control goes ---------------------------------------------------------------------------------
  rip(): bigint {
    return this.get('rip');
  }
  nextRip(): bigint {
    return BigInt.asUintN(64, this.at + BigInt((this.current as Fetched).instruction.length));
  }
  jump(to: bigint): void {
    this.moved = true;
    this.set('rip', to);
  }
  jumpTo(_: Operand): void {
    this.jump(BigInt.asUintN(64, this.nextRip() + (this.current as Fetched).instruction.distance));
  }
  hold(): void {
    this.moved = true;
  }
  override stay(): void {
    this.keepsRf = 1n;
    super.stay();
  }
  override flushTranslations(): void {
    this.flush();
  }
  override returnFromInterrupt(width: Width): void {
    this.keepsRf = 1n;
    super.returnFromInterrupt(width);
  }
  override returnFromEvent(to: 'supervisor' | 'user'): void {
    this.keepsRf = 1n;
    super.returnFromEvent(to);
  }
  ownStep(): void {
    this.stepsItself = 1n;
  }
  noTrack(): bigint {
    return (this.current as Fetched).noTrack ? 1n : 0n;
  }
  log(kind: number, rip: bigint, rsp: bigint, target: bigint): void {
    this.writeLog(BigInt(kind), rip, rsp, target, 0n);
  }
  logEvent(kind: number, { vector, rip, slot, target, outerRsp }: EventRecord<bigint>): void {
    this.writeLog(BigInt(kind) | (vector << 8n), rip, slot, target, outerRsp);
  }
  private writeLog(...words: readonly bigint[]): void {
    const head = this.view.getUint32(offsetOf.logHead, true);
    words.forEach((word, n) => {
      this.view.setBigUint64(head + 8 * n, word, true);
    });
    this.advance(offsetOf.logHead, head + LOG_ENTRY, LOG_END - TRANSITION_ENTRIES * LOG_ENTRY);
  }
}
