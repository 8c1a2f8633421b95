/** State, operands and where control goes, staged. */
import binaryen from 'binaryen';
import { endWait, trackIndirect } from '../../../../isa/endbranch.ts';
import { AC } from '../../../../isa/flags.ts';
import type { Operand, Width } from '../../../../isa/ops.ts';
import { CR4, type Field, type Register } from '../../../../isa/state.ts';
import { divWide, mulHigh } from '../../../../isa/wide.ts';
import { armBreakpoints, executionBreakpoints, meetBreakpoints } from '../../../events/debug.ts';
import { returnToSupervisor, returnToUser } from '../../../events/fred-return.ts';
import { returnFromInterrupt } from '../../../events/iret.ts';
import { refreshAttention } from '../../../events/shadows.ts';
import { offsetOf, registerOffset } from '../../../layout.ts';
import type { EventRecord } from '../../../machine-ops.ts';
import { RIGHTS } from '../../../paging.ts';
import { RECORD, SHORT_BIT, WORD } from '../layout.ts';
import { StageAccesses } from './accesses.ts';
import type { Code, Value } from './words.ts';

const { i32, none } = binaryen;

export class Stage extends StageAccesses {
  private effective: Value | undefined;
  private keepsAc = false;

  // State ----------------------------------------------------------------------------------------------
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
  protected rightsCode(write: number): Code {
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
}
