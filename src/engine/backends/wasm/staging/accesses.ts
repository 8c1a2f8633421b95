/** Memory, staged: what an access does when a cached translation serves it, and when not; the journal and the log. */
import binaryen from 'binaryen';
import type { Rights, Width } from '../../../../isa/ops.ts';
import { isWatched } from '../../../events/debug.ts';
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
  TRANSITION_ENTRIES,
} from '../../../layout.ts';
import type { Translation } from '../../../machine-ops.ts';
import { ends, loadSlow, RIGHTS, rightsOf, storeSlow, translate } from '../../../paging.ts';
import { PART, TLB, TLB_ENTRIES, TLB_ENTRY, TLB_FIELD, WORD } from '../layout.ts';
import { type Code, StageWords, type Value } from './words.ts';

const { i32, i64, none } = binaryen;

/** A cached translation of one address: whether it does not serve, and the byte in linear memory if it does. */
interface Cached {
  readonly misses: Code;
  readonly host: () => Code;
}

export abstract class StageAccesses extends StageWords {
  /** Rights of the memory operand of the record. @param write what a write adds to them */
  protected abstract rightsCode(write: number): Code;

  protected zero(): Code {
    return this.w.i32.const(0);
  }
  protected loadAt(width: Width, offset: number, at: Code): Code {
    const { load8_u, load16_u, load32_u, load } = this.w.i64;
    return { 8: load8_u, 16: load16_u, 32: load32_u, 64: load }[width](offset, 1, at);
  }
  protected storeAt(width: Width, offset: number, at: Code, value: Value): Code {
    const { store8, store16, store32, store } = this.w.i64;
    return { 8: store8, 16: store16, 32: store32, 64: store }[width](offset, 1, at, this.wide(value));
  }
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
  protected loadThrough(width: Width, va: Value, write: boolean, system: boolean, rights: () => Code): Value {
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
  protected storeThrough(width: Width, va: Value, value: Value, system: boolean, rights: () => Code): void {
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
  protected writeLog(words: readonly Value[]): void {
    const at = this.once(this.field32('logHead'));
    const ask = this.advance('logHead', at, LOG_ENTRY, LOG_END);
    for (const [n, word] of words.entries()) this.emit(this.w.i64.store(8 * n, 8, at(), this.wide(word)));
    this.emit(...ask);
    this.changed = true;
  }
}
