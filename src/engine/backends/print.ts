/** Semantics told as text: the machine's state, operands, memory and flags. The pseudo-code a page shows. */
import type { ConditionCode } from '../../isa/flags.ts';
import type { Operand, Rights, Slot, Width } from '../../isa/ops.ts';
import { registerName } from '../../isa/registers.ts';
import type { Field, Register } from '../../isa/state.ts';
import type { Event } from '../machine-ops.ts';
import { INTEL, type Vendor } from '../vendor.ts';
import { fieldName } from './names.ts';
import { conditionPhrase, constant, flagNames, isFlags, of, type Phrase, strip, truth } from './phrase.ts';
import { ControlPrinter, VECTOR_NAMES } from './print-control.ts';

/** What operands are called: `dst` and `src`. */
export type Labels = Readonly<Partial<Record<Slot, string>>>;

/** An image of which some bits are those of RFLAGS as it is. */
const KEPT = /^\(\(RFLAGS & (\w+)\) \| (.+)\)$/;

export class Printer extends ControlPrinter {
  readonly vendor: Vendor;
  private keepsCarry = false;
  private readonly labels: Labels;

  /** `labels` are what operands are called; by default by their slots. */
  constructor(vendor: Vendor = INTEL, labels: Labels = {}) {
    super();
    this.vendor = vendor;
    this.labels = labels;
  }

  get(name: Field): Phrase {
    return of(this.current(fieldName(name)));
  }
  set(name: Field, value: Phrase): void {
    this.assign(fieldName(name), value);
  }
  private register(width: Width, register: Register): string {
    return (register.endsWith('h') ? register : registerName(width, register)).toUpperCase();
  }
  reg(width: Width, register: Register): Phrase {
    return of(this.current(this.register(width, register)));
  }
  setReg(width: Width, register: Register, value: Phrase): void {
    // The one value that is wider than a place by more than a carry.
    const cut = width === 8 && isFlags(value.text) ? of(`${value.text}[7:0]`) : value;
    this.assign(this.register(width, register), cut);
  }
  private label(slot: Slot): string {
    return this.labels[slot] ?? slot;
  }
  address(operand: Operand): Phrase {
    return of(`address(${this.label(operand.slot)})`);
  }
  addressAt(operand: Operand, offset: Phrase): Phrase {
    return of(`address(${this.label(operand.slot)} + ${strip(offset.text)})`);
  }
  operandRights(): Phrase {
    return of('rights');
  }
  protected place({ kind, width, slot }: Operand): string {
    return kind === 'm' ? `memory${width}[${this.label(slot)}]` : this.label(slot);
  }
  read(operand: Operand): Phrase {
    return of(this.place(operand));
  }
  readToModify(operand: Operand): Phrase {
    return this.read(operand);
  }
  write(operand: Operand, value: Phrase): void {
    this.assign(this.place(operand), value);
  }
  load(width: Width, va: Phrase, _: Rights): Phrase {
    return of(`memory${width}[${strip(va.text)}]`);
  }
  store(width: Width, va: Phrase, value: Phrase, _: Rights): void {
    this.say(`memory${width}[${strip(va.text)}]′ := ${strip(value.text)}`);
  }
  override probe(va: Phrase, bytes: number, _: Rights): void {
    this.say(`check that the ${bytes} bytes at ${strip(va.text)} can be written`);
  }
  override translate(va: Phrase, _: Phrase): Phrase {
    return of(`physical(${strip(va.text)})`);
  }
  inMemory(frame: Phrase): Phrase {
    return truth(`in_memory(${strip(frame.text)})`);
  }
  loadPhysical(pa: Phrase): Phrase {
    return of(`physical64[${strip(pa.text)}]`);
  }
  storePhysical(pa: Phrase, value: Phrase): void {
    this.say(`physical64[${strip(pa.text)}]′ := ${strip(value.text)}`);
  }
  rip(): Phrase {
    return of('RIP');
  }
  nextRip(): Phrase {
    return of('next_RIP');
  }
  jump(to: Phrase): void {
    this.assign('RIP', to);
  }
  jumpTo(target: Operand): void {
    this.assign('RIP', of(this.label(target.slot)));
  }
  hold(): void {
    this.assign('RIP', of('RIP'));
  }
  ownStep(): void {}
  override stepByNewFlags(): void {
    this.say('single step traps next if TF′');
  }
  noTrack(): Phrase {
    return truth('no_track_prefix');
  }
  override systemEvent(vector: number): void {
    this.say(`deliver event ${vector} of type 7, returning to next_RIP`);
  }
  override stay(): void {
    this.say('repeat: RIP stays');
  }
  override interrupt(vector: number | Phrase): void {
    const text = typeof vector === 'number' ? (VECTOR_NAMES.get(vector) ?? `${vector}`) : vector.text;
    this.say(`deliver ${text}, returning to next_RIP`);
  }
  override executionBreakpoints(): Phrase {
    return of('breakpoints_at(RIP)');
  }
  override deliver({ vector, errorCode, rip }: Event<Phrase>): void {
    this.say(`deliver ${vector.text} with ${errorCode.text}, returning to ${rip.text}`);
  }
  // What only an engine needs to be told.
  walked(): void {}
  translated(): void {}
  log(): void {}
  logEvent(): void {}
  override refreshAttention(): void {}
  override armBreakpoints(): void {}

  /** The flags as the last of them change: a line each, as `OF CF := 0`. */
  protected flags(names: string, value: string): void {
    this.wrote('RFLAGS');
    this.say(`${this.changed(names).join(' ')} := ${value}`);
  }
  /** INC and DEC set what an addition does, but for CF. */
  protected changed(names: string): readonly string[] {
    return names.split(' ').filter((name) => !this.keepsCarry || name !== 'CF');
  }
  override addFlags(width: Width, a: Phrase, b: Phrase, _: Phrase): void {
    this.flags('OF SF ZF AF PF CF', `flags${width} of ${a.text} + ${b.text}`);
  }
  override subFlags(width: Width, a: Phrase, b: Phrase, _: Phrase): void {
    this.flags('OF SF ZF AF PF CF', `flags${width} of ${a.text} - ${b.text}`);
  }
  override logicFlags(width: Width, result: Phrase): void {
    this.flags('SF ZF PF', `flags${width} of ${strip(result.text)}`);
    this.flags('OF AF CF', '0');
  }
  override carryFlags(width: Width, result: Phrase, carry: Phrase, overflow: Phrase): void {
    this.flags('SF ZF PF', `flags${width} of ${strip(result.text)}`);
    this.setCarryOverflow(carry, overflow);
    this.flags('AF', '0');
  }
  override keepingCarry(body: () => void): void {
    this.keepsCarry = true;
    body();
    this.keepsCarry = false;
  }
  override setCarry(carry: Phrase): void {
    this.flags('CF', strip(carry.text));
  }
  override setZero(zero: Phrase): void {
    this.flags('ZF', strip(zero.text));
  }
  override setOverflow(overflow: Phrase): void {
    this.flags('OF', strip(overflow.text));
  }
  override setCarryOverflow(carry: Phrase, overflow: Phrase): void {
    const same = carry.text === overflow.text;
    this.flags(same ? 'OF CF' : 'CF', strip(carry.text));
    if (!same) this.flags('OF', strip(overflow.text));
  }
  override condition(code: ConditionCode): Phrase {
    return conditionPhrase(code, this.written.has('RFLAGS'));
  }
  override rflags(): Phrase {
    return of(this.current('RFLAGS'));
  }
  override setRflags(image: Phrase, mask: bigint): void {
    const [, kept, rest] = KEPT.exec(image.text) ?? [];
    if (kept !== undefined && rest !== undefined) {
      this.setRflags(of(rest), mask & ~BigInt(kept));
      return;
    }
    const { flag } = image;
    const one = flag && 1n << BigInt(flag.bit);
    if (flag && one && (mask & one) !== 0n) {
      this.flags(flagNames(one), strip(flag.is.text));
      if (mask !== one) this.flags(flagNames(mask & ~one), '0');
      return;
    }
    const all = image.text === constant(mask).text;
    this.flags(flagNames(mask), all ? '1' : image.text === '0' ? '0' : `those of ${image.text}`);
  }
}
