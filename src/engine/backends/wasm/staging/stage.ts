/** State, operands and memory, staged: what an access does when a cached translation serves it, and when not. */
import binaryen from 'binaryen';
import { endWait, trackIndirect } from '../../../../isa/endbranch.ts';
import { AC } from '../../../../isa/flags.ts';
import type { Operand, Rights, Width } from '../../../../isa/ops.ts';
import { CR4, type Field, type Register } from '../../../../isa/state.ts';
import { divWide, mulHigh } from '../../../../isa/wide.ts';
import { armBreakpoints, executionBreakpoints, isWatched, meetBreakpoints } from '../../../events/debug.ts';
import { returnToSupervisor, returnToUser } from '../../../events/fred-return.ts';
import { returnFromInterrupt } from '../../../events/iret.ts';
import { refreshAttention } from '../../../events/shadows.ts';
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
  TRANSITION_ENTRIES,
} from '../../../layout.ts';
import type { EventRecord, Translation } from '../../../machine-ops.ts';
import { ends, loadSlow, RIGHTS, rightsOf, storeSlow, translate } from '../../../paging.ts';
import { PART, RECORD, SHORT_BIT, TLB, TLB_ENTRIES, TLB_ENTRY, TLB_FIELD, WORD } from '../layout.ts';
import { type Code, StageWords, type Value } from './words.ts';

const { i32, i64, none } = binaryen;

/** A cached translation of one address: whether it does not serve, and the byte in linear memory if it does. */
interface Cached {
  readonly misses: Code;
  readonly host: () => Code;
}

export class Stage extends StageWords {
  private effective: Value | undefined;
  private keepsAc = false;

  // State ----------------------------------------------------------------------------------------------
  private zero(): Code {
    return this.w.i32.const(0);
  }
  /** The upper half of the attention word is the interpreter's own. */
  get(field: Field): Value {
    const { load, load32_u } = this.w.i64;
    return this.keep((field === 'attention' ? load32_u : load)(offsetOf[field], 4, this.zero()));
  }
  set(field: Field, value: Value): void {
    this.changed = true;
    const at = offsetOf[field];
    if (field === 'attention') this.emit(this.w.i32.store(at, 4, this.zero(), this.low(value)));
    else this.emit(this.w.i64.store(at, 8, this.zero(), this.wide(value)));
    if (field === 'cpl' || (field === 'rflagsRest' && !this.keepsAc))
      this.emit(this.w.call('chooseParts', [], none));
  }
  override setRflags(image: Value, mask: bigint): void {
    this.keepsAc = (mask & AC) === 0n;
    super.setRflags(image, mask);
    this.keepsAc = false;
  }
  reg(width: Width, register: Register): Value {
    return this.keep(this.loadAt(width, registerOffset(register), this.zero()));
  }
  setReg(width: Width, register: Register, value: Value): void {
    this.setRegisterAt(width, registerOffset(register), this.zero(), value);
  }
  private loadAt(width: Width, offset: number, at: Code): Code {
    const { load8_u, load16_u, load32_u, load } = this.w.i64;
    return { 8: load8_u, 16: load16_u, 32: load32_u, 64: load }[width](offset, 1, at);
  }
  private storeAt(width: Width, offset: number, at: Code, value: Value): Code {
    const { store8, store16, store32, store } = this.w.i64;
    return { 8: store8, 16: store16, 32: store32, 64: store }[width](offset, 1, at, this.wide(value));
  }
  /** Little-endian registers make 8 and 16-bit writes plain stores; 32 bits store the zero-extended word. */
  private setRegisterAt(width: Width, offset: number, at: Code, value: Value): void {
    this.changed = true;
    const whole = width === 32 ? this.truncate(32, value) : value;
    this.emit(this.storeAt(width === 32 ? 64 : width, offset, at, whole));
  }
  override refreshAttention(): void {
    if (this.gathering) return;
    this.emit(this.functions.call('refreshAttention', false, [], (m) => void refreshAttention(m)));
  }
  override armBreakpoints(): void {
    this.emit(this.functions.call('armBreakpoints', false, [], (m) => void armBreakpoints(m)));
  }
  /** Seldom armed: the call is made only then. */
  override executionBreakpoints(): Value {
    const call = (): Value =>
      this.keep(this.functions.call('executionBreakpoints', true, [], (m) => executionBreakpoints(m)));
    return this.choose(this.get('armedBreakpoints'), call, () => this.word(0));
  }
  override meetBreakpoints(va: Value, bytes: number, rights: Value): void {
    const words = [this.wide(va), this.w.i64.const(BigInt(bytes)), this.wide(rights)];
    const call = this.functions.call('meetBreakpoints', false, words, (m, at, length, how) => {
      meetBreakpoints(m, at as Value, length as Value, how as Value);
      return undefined;
    });
    this.emit(call);
  }
  override flushTranslations(): void {
    this.emit(this.w.call('flush', [], none));
  }
  override mulHigh(a: Value, b: Value): Value {
    const call = this.functions.call('mulHigh', true, [this.wide(a), this.wide(b)], (m, x, y) =>
      mulHigh(m, x as Value, y as Value),
    );
    return this.keep(call);
  }
  override divWide(high: Value, low: Value, divisor: Value): Value {
    const words = [high, low, divisor].map((v) => this.wide(v));
    const call = this.functions.call('divWide', true, words, (m, h, l, d) =>
      divWide(m, h as Value, l as Value, d as Value),
    );
    return this.keep(call);
  }

  // Operands -------------------------------------------------------------------------------------------
  private record(): Code {
    if (this.exits.record === undefined) throw new Error('missing record: not in a handler');
    return this.w.local.get(this.exits.record, i32);
  }
  private record16(field: number): Code {
    return this.w.i32.load16_u(field, 2, this.record());
  }
  /** Take the effective address, before the semantics change a register. */
  takeAddress(): void {
    const l = this.w.i64;
    const word = (field: number): Code => l.load(0, 1, this.record16(field));
    const scaled = l.shl(word(RECORD.index), l.load8_u(RECORD.scale, 1, this.record()));
    const base = l.add(word(RECORD.base), scaled);
    const rest = l.add(word(RECORD.segment), l.load(RECORD.displacement, 8, this.record()));
    this.effective = this.keep(l.add(base, rest));
  }
  /** A 32-bit address was computed beforehand and is the record's base; see `text.ts`. */
  addressAt(operand: Operand, offset: Value): Value {
    const address = this.address(operand);
    const n = this.w.i32;
    const short = n.shr_u(n.load8_u(RECORD.scale, 1, this.record()), n.const(SHORT_BIT));
    return this.choose(
      this.keep(short, i32),
      () => {
        const low = this.keep(this.w.i64.load(WORD.shortAddress, 8, this.zero()));
        return this.add(this.sub(address, low), this.truncate(32, this.add(low, offset)));
      },
      () => this.add(address, offset),
    );
  }
  address(_: Operand): Value {
    if (this.effective === undefined) throw new Error('missing effective address: no memory operand');
    return this.effective;
  }
  operandRights(write: boolean): Value {
    return this.keep(this.rightsCode(write ? RIGHTS.write : 0));
  }
  private rightsCode(write: number): Code {
    const l = this.w.i64;
    return l.or(l.load8_u(RECORD.rights, 1, this.record()), l.const(BigInt(write)));
  }
  read(operand: Operand): Value {
    return this.readWith(operand, 0);
  }
  readToModify(operand: Operand): Value {
    return this.readWith(operand, RIGHTS.write);
  }
  private readWith(operand: Operand, write: number): Value {
    const { kind, width, slot } = operand;
    if (kind === 'r') return this.keep(this.loadAt(width, 0, this.record16(RECORD[slot])));
    if (kind === 'i') return this.keep(this.loadAt(width, RECORD.immediate, this.record()));
    return this.loadThrough(width, this.address(operand), write !== 0, false, () => this.rightsCode(write));
  }
  write(operand: Operand, value: Value): void {
    const { kind, width, slot } = operand;
    if (kind === 'r') this.setRegisterAt(width, 0, this.record16(RECORD[slot]), value);
    else this.storeThrough(width, this.address(operand), value, false, () => this.rightsCode(RIGHTS.write));
  }

  // Memory ---------------------------------------------------------------------------------------------
  /** Rights of an access, and whether it is the system's own. */
  private how(access: Rights, write: boolean): { readonly system: boolean; readonly rights: () => Code } {
    if (typeof access === 'object')
      return { system: false, rights: () => this.rightsCode(write ? RIGHTS.write : 0) };
    const bits = rightsOf(access, write);
    return { system: (bits & RIGHTS.system) !== 0, rights: () => this.w.i64.const(BigInt(bits)) };
  }
  load(width: Width, va: Value, access: Rights): Value {
    const { system, rights } = this.how(access, false);
    return this.loadThrough(width, va, false, system, rights);
  }
  store(width: Width, va: Value, value: Value, access: Rights): void {
    const { system, rights } = this.how(access, true);
    this.storeThrough(width, va, value, system, rights);
  }
  /** The entry for an address in a part of the cache; `undefined` is the part that serves operands now. */
  private entryOf(va: Value, part?: number): Code {
    const n = this.w.i32;
    const index = n.and(n.shr_u(this.low(va), n.const(12 - 5)), n.const((TLB_ENTRIES - 1) * TLB_ENTRY));
    return n.add(index, part === undefined ? n.load(WORD.dataPart, 4, this.zero()) : n.const(part));
  }
  /**
   * A load compares the page of its *last* byte with the page of the entry of its first, so that one which
   * crosses a page end misses. A store misses when it is not aligned: its journal entry is one word.
   */
  private cached(
    length: number,
    va: Value,
    field: 'read' | 'write',
    aligned: boolean,
    system: boolean,
  ): Cached {
    const { i32: n, i64: l } = this.w;
    const bytes = BigInt(length);
    const entry = this.once(this.entryOf(va, system ? PART.system : undefined));
    const page = aligned
      ? l.and(this.wide(va), l.const(~0xfffn | (bytes - 1n)))
      : l.and(l.add(this.wide(va), l.const(bytes - 1n)), l.const(~0xfffn));
    return {
      misses: l.ne(l.load(TLB + TLB_FIELD[field], 8, entry()), page),
      host: () => n.add(this.low(va), n.load(TLB + TLB_FIELD.delta, 4, entry())),
    };
  }
  /** What another handler does from the beginning, where that is possible: so this one need not keep anything across a call. */
  private leftTo(when: () => Code): boolean {
    const { miss } = this.exits;
    if (!miss || this.changed) return false;
    this.emit(miss(when()));
    return true;
  }
  /** An access by its cached translation; without one it is made by `slow`, which may raise. */
  private through(misses: Code, fast: () => void, slow: () => void): void {
    if (this.leftTo(() => misses)) {
      fast();
      return;
    }
    const call = (): void => {
      slow();
      this.checkRaised();
    };
    this.emit(this.w.if(misses, this.block(this.capture(call)), this.block(this.capture(fast))));
  }
  private loadThrough(width: Width, va: Value, write: boolean, system: boolean, rights: () => Code): Value {
    if (this.exits.callsAccesses) {
      const name = `cached load${width}${write ? ' to change' : ''}${system ? ' by the system' : ''}`;
      const value = this.functions.call(name, true, [this.wide(va), rights()], (m, at, how) =>
        m.loadThrough(width, at as Value, write, system, () => m.wide(how as Value)),
      );
      return this.raising(value);
    }
    const { misses, host } = this.cached(width / 8, va, write ? 'write' : 'read', false, system);
    const loaded = this.locals.take(i64);
    const take = (value: Code): void => this.emit(this.w.local.set(loaded, value));
    this.through(
      misses,
      () => take(this.loadAt(width, 0, host())),
      () =>
        take(
          this.functions.call(`load${width}`, true, [this.wide(va), rights()], (m, at, how) =>
            loadSlow(m, width, at as Value, how as Value),
          ),
        ),
    );
    return { local: loaded, type: i64 };
  }
  private storeThrough(width: Width, va: Value, value: Value, system: boolean, rights: () => Code): void {
    if (this.exits.callsAccesses) {
      const words = [this.wide(va), this.wide(value), rights()];
      const name = `cached store${width}${system ? ' by the system' : ''}`;
      const call = this.functions.call(name, false, words, (m, at, what, how) => {
        m.storeThrough(width, at as Value, what as Value, system, () => m.wide(how as Value));
        return undefined;
      });
      this.emit(call);
      this.checkRaised();
      return;
    }
    const { misses, host } = this.cached(width / 8, va, 'write', true, system);
    this.through(
      misses,
      () => {
        const place = this.once(host());
        const { i32: n } = this.w;
        this.journal(width === 64 ? place : this.once(n.and(place(), n.const(-8))));
        this.emit(this.storeAt(width, 0, place(), value));
      },
      () => {
        const words = [this.wide(va), this.wide(value), rights()];
        const call = this.functions.call(`store${width}`, false, words, (m, at, what, how) => {
          storeSlow(m, width, at as Value, what as Value, how as Value);
          return undefined;
        });
        this.emit(call);
      },
    );
    this.changed = true;
  }
  override translate(va: Value, rights: Value): Value {
    const call = this.functions.call('translate', true, [this.wide(va), this.wide(rights)], (m, at, how) =>
      translate(m, at as Value, how as Value),
    );
    return this.raising(call);
  }
  /** What a call returns, unless it has raised. */
  private raising(call: Code): Value {
    const value = this.keep(call);
    this.checkRaised();
    return value;
  }
  /** A cached right to write means that the walk would find one. */
  override probe(va: Value, bytes: number, access: Rights): void {
    const { system, rights } = this.how(access, true);
    const { misses } = this.cached(bytes, va, 'write', false, system);
    this.through(
      misses,
      () => {},
      () => {
        const words = [this.wide(va), rights()];
        const call = this.functions.call(`probe${bytes}`, false, words, (m, at, given) => {
          ends(m, at as Value, bytes, given as Value);
          return undefined;
        });
        this.emit(call);
      },
    );
  }
  inMemory(frame: Value): Value {
    return this.below(frame, this.keep(this.w.i64.load(WORD.guestSize, 8, this.zero())));
  }
  loadPhysical(pa: Value): Value {
    return this.keep(this.w.i64.load(FRAMES, 8, this.low(pa)));
  }
  storePhysical(pa: Value, value: Value): void {
    const place = (): Code => this.w.i32.add(this.low(pa), this.w.i32.const(FRAMES));
    this.journal(place);
    this.emit(this.w.i64.store(0, 8, place(), this.wide(value)));
    this.emit(this.w.if(this.frameFlags(pa), this.w.call('touched', [this.low(pa)], none)));
  }
  /** Keep what an aligned word held. */
  private journal(place: () => Code): void {
    const { i32: n, i64: l } = this.w;
    const at = this.once(this.field32('journalHead'));
    const ask = this.advance('journalHead', at, JOURNAL_ENTRY, JOURNAL_END);
    this.emit(
      l.store(0, 8, at(), l.extend_u(n.sub(place(), n.const(FRAMES)))),
      l.store(8, 8, at(), l.load(0, 8, place())),
      ...ask,
    );
  }
  /** Code that moves a head on and asks for attention while there is still room for a whole transition. */
  private advance(field: 'journalHead' | 'logHead', at: () => Code, by: number, end: number): Code[] {
    const n = this.w.i32;
    const isLast = (): Code => n.ge_u(at(), n.const(end - (TRANSITION_ENTRIES + 1) * by));
    const moved = n.store(offsetOf[field], 4, this.zero(), n.add(at(), n.const(by)));
    if (this.leftTo(isLast)) return [moved];
    const asked = n.or(this.field32('attention'), n.const(Number(ATTENTION.full)));
    return [moved, this.w.if(isLast(), n.store(offsetOf.attention, 4, this.zero(), asked))];
  }
  private frameFlags(pa: Value): Code {
    return this.w.i32.load8_u(FRAME_FLAGS, 1, this.w.i32.shr_u(this.low(pa), this.w.i32.const(12)));
  }
  /** A frame newly known as a page table may have a cached right to write: forget it with the rest. */
  walked(table: Value): void {
    const n = this.w.i32;
    const bit = n.const(FRAME_FLAG.pageTable);
    const flag = n.store8(
      FRAME_FLAGS,
      1,
      n.shr_u(this.low(table), n.const(12)),
      n.or(this.frameFlags(table), n.const(FRAME_FLAG.pageTable)),
    );
    const flush = this.w.call('flush', [], none);
    this.emit(this.w.if(n.eqz(n.and(this.frameFlags(table), bit)), this.block([flag, flush])));
  }
  /** A page with a data breakpoint is not cached, so that accesses to it take the slow way, which compares. */
  translated(page: Translation<Value>): void {
    this.when(this.isZero(isWatched(this, page.va)), () => this.cache(page));
  }
  private cache({ va, frame, writable, user, system }: Translation<Value>): void {
    const { i32: n, i64: l } = this.w;
    const page = this.and(va, this.word(~0xfffn));
    const mayWrite = this.and(writable, this.keep(n.eqz(this.frameFlags(frame)), i32));
    const writePage = this.select(mayWrite, page, this.word(-1));
    const delta = this.once(n.sub(n.add(this.low(frame), n.const(FRAMES)), this.low(page)));
    const fill = (part: number) => (): void => {
      const entry = this.once(this.entryOf(va, part));
      this.emit(
        l.store(TLB + TLB_FIELD.read, 8, entry(), this.wide(page)),
        l.store(TLB + TLB_FIELD.write, 8, entry(), this.wide(writePage)),
        n.store(TLB + TLB_FIELD.delta, 4, entry(), delta()),
      );
    };
    // SMAP keeps the supervisor from user pages while AC is clear.
    const smap = this.bit(this.get('cr4'), CONTROL.smap);
    const forSupervisor = this.isZero(this.and(user, smap));
    this.when(
      system,
      fill(PART.system), // an access that SMAP forbids was never granted
      () => {
        this.when(user, fill(PART.user));
        this.when(forSupervisor, fill(PART.supervisor));
        fill(PART.supervisorAc)();
      },
    );
  }

  // Where control goes ---------------------------------------------------------------------------------
  private here(): Code {
    const l = this.w.i64;
    return l.add(l.load(WORD.textPage, 8, this.zero()), l.load(RECORD.offset, 8, this.record()));
  }
  rip(): Value {
    return this.exits.record === undefined ? this.get('rip') : this.keep(this.here());
  }
  nextRip(): Value {
    const l = this.w.i64;
    return this.keep(l.add(this.here(), l.load8_u(RECORD.length, 1, this.record())));
  }
  jump(to: Value): void {
    this.emit(...this.exits.jump(this.wide(to)));
  }
  jumpTo(_: Operand): void {
    this.emit(...(this.exits.jumpTo?.() ?? []));
  }
  hold(): void {
    this.emit(...(this.exits.hold?.() ?? []));
  }
  override stay(): void {
    this.emit(...(this.exits.keepRf?.() ?? []));
    super.stay();
  }
  ownStep(): void {
    this.emit(...(this.exits.ownStep?.() ?? []));
  }
  noTrack(): Value {
    return this.keep(this.w.i64.load8_u(RECORD.noTrack, 1, this.record()));
  }
  override trackIndirect(): void {
    this.whileTracking('trackIndirect', [this.noTrack()], (m, noTrack) => trackIndirect(m, noTrack as Value));
  }
  override endWait(): void {
    this.whileTracking('endWait', [], (m) => endWait(m));
  }
  /** A function, called only while CR4.CET is set, so that a handler stays small. */
  private whileTracking(
    name: string,
    words: readonly Value[],
    body: (m: Stage, ...words: readonly Value[]) => void,
  ): void {
    this.changed = true;
    this.when(this.bit(this.get('cr4'), CR4.cet), () => {
      const given = words.map((word) => this.wide(word));
      this.emit(this.functions.call(name, false, given, (m, ...taken) => void body(m, ...taken)));
    });
  }
  override returnFromInterrupt(width: Width): void {
    this.returnBy(`iret${width}`, (m) => returnFromInterrupt(m, width));
  }
  override returnFromEvent(to: 'supervisor' | 'user'): void {
    if (to === 'user') this.returnBy('eretu', returnToUser);
    else this.returnBy('erets', returnToSupervisor);
  }
  /** Too large for a handler: a function, which leaves the new RIP in the state. */
  private returnBy(name: string, body: (m: Stage) => void): void {
    this.syncRip();
    this.emit(this.functions.call(name, false, [], (m) => void body(m)));
    this.checkRaised();
    this.emit(...(this.exits.keepRf?.() ?? []));
    this.jump(this.get('rip'));
  }
  /** What reads RIP from the state block finds the one of this record. */
  syncRip(): void {
    this.emit(this.w.i64.store(offsetOf.rip, 8, this.zero(), this.here()));
  }
  log(kind: number, rip: Value, rsp: Value, target: Value): void {
    this.writeLog([this.word(kind), rip, rsp, target, this.word(0)]);
  }
  logEvent(kind: number, { vector, rip, slot, target, outerRsp }: EventRecord<Value>): void {
    const head = this.or(this.word(kind), this.shl(vector, this.word(8)));
    this.writeLog([head, rip, slot, target, outerRsp]);
  }
  private writeLog(words: readonly Value[]): void {
    const at = this.once(this.field32('logHead'));
    const ask = this.advance('logHead', at, LOG_ENTRY, LOG_END);
    for (const [n, word] of words.entries()) this.emit(this.w.i64.store(8 * n, 8, at(), this.wide(word)));
    this.emit(...ask);
    this.changed = true;
  }
}
