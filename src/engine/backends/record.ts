/**
 * Semantics run to learn what they touch. A value is the set of places it was made from, so a write tells
 * not only *that* a place changes but *from what*: the edges provenance follows. Both arms of a choice are
 * taken: "may read", "may write", "may raise".
 */
import { type Operand, type Rights, VECTOR, type Width } from '../../isa/ops.ts';
import type { Field, Register } from '../../isa/state.ts';
import type { StopReason } from '../../isa/stop-reason.ts';
import { ALIGNED } from '../paging.ts';
import { Processor } from '../processor.ts';
import { INTEL, type Vendor } from '../vendor.ts';
import { fieldName } from './names.ts';

type Sources = ReadonlySet<string>;
const NONE: Sources = new Set();
const STATUS: ReadonlySet<Field> = new Set<Field>(['flagResult', 'flagCarry']);
const VECTOR_NAMES = new Map<number, string>(
  Object.entries(VECTOR).map(([name, vector]) => [vector, `#${name}`]),
);
const nameOf = (field: Field): string => (STATUS.has(field) ? 'status flags' : fieldName(field));

export class Recorder extends Processor<Sources> {
  readonly vendor: Vendor = INTEL;
  readonly reads = new Set<string>();
  readonly writes = new Map<string, Set<string>>();
  readonly raises = new Set<string>();
  readonly stops = new Set<StopReason>();

  private from(place: string): Sources {
    this.reads.add(place);
    return new Set([place]);
  }
  private to(place: string, value: Sources): void {
    const sources = this.writes.get(place) ?? new Set();
    for (const source of value) sources.add(source);
    this.writes.set(place, sources);
  }
  private mayFault(access: Rights, bytes: number): void {
    this.raises.add('#PF');
    if (access !== 'system' && access !== 'frame' && ALIGNED.includes(bytes)) this.raises.add('#AC');
    if (access !== 'stack' && access !== 'frame') this.raises.add('#GP');
    if (access !== 'data' && access !== 'system') this.raises.add('#SS');
  }
  private both(a: Sources, b: Sources): Sources {
    return a.size === 0 ? b : b.size === 0 ? a : new Set([...a, ...b]);
  }

  word(): Sources {
    return NONE;
  }
  add(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  sub(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  mul(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  div(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  and(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  or(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  xor(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  shl(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  shr(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  sar(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  eq(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  below(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  less(a: Sources, b: Sources): Sources {
    return this.both(a, b);
  }
  signed(_: Width, a: Sources): Sources {
    return a;
  }
  parity(a: Sources): Sources {
    return a;
  }
  select(condition: Sources, a: Sources, b: Sources): Sources {
    return this.both(condition, this.both(a, b));
  }
  override divWide(high: Sources, low: Sources, divisor: Sources): Sources {
    return this.select(high, low, divisor);
  }

  when(_: Sources, then: () => void, otherwise?: () => void): void {
    then();
    otherwise?.();
  }
  choose(condition: Sources, then: () => Sources, otherwise: () => Sources): Sources {
    return this.select(condition, then(), otherwise());
  }
  raise(vector: number): void {
    this.raises.add(VECTOR_NAMES.get(vector) ?? `${vector}`);
  }
  reraise(): void {}
  attempt(body: () => void, onRaise: () => void): void {
    body();
    onRaise();
  }
  stop(reason: StopReason): void {
    this.stops.add(reason);
  }

  get(field: Field): Sources {
    return this.from(nameOf(field));
  }
  set(field: Field, value: Sources): void {
    this.to(nameOf(field), value);
  }
  reg(_: Width, register: Register): Sources {
    return this.from(register.toUpperCase());
  }
  setReg(_: Width, register: Register, value: Sources): void {
    this.to(register.toUpperCase(), value);
  }
  address(operand: Operand): Sources {
    return this.from(`address ${operand.slot}`);
  }
  addressAt(operand: Operand, offset: Sources): Sources {
    return this.both(this.address(operand), offset);
  }
  operandRights(): Sources {
    return NONE;
  }
  read(operand: Operand): Sources {
    if (operand.kind === 'm') this.mayFault(operand, operand.width / 8);
    return operand.kind === 'i' ? NONE : this.from(operand.slot);
  }
  readToModify(operand: Operand): Sources {
    return this.read(operand);
  }
  write(operand: Operand, value: Sources): void {
    if (operand.kind === 'm') this.mayFault(operand, operand.width / 8);
    this.to(operand.slot, value);
  }
  load(width: Width, _: Sources, access: Rights): Sources {
    this.mayFault(access, width / 8);
    return this.from(`memory${width}`);
  }
  store(width: Width, _: Sources, value: Sources, access: Rights): void {
    this.mayFault(access, width / 8);
    this.to(`memory${width}`, value);
  }
  override probe(_: Sources, bytes: number, access: Rights): void {
    this.mayFault(access, bytes);
  }
  inMemory(): Sources {
    return NONE;
  }
  loadPhysical(): Sources {
    return this.from('physical memory');
  }
  storePhysical(_: Sources, value: Sources): void {
    this.to('physical memory', value);
  }
  rip(): Sources {
    return this.from('RIP');
  }
  nextRip(): Sources {
    return this.from('RIP');
  }
  jump(to: Sources): void {
    this.to('RIP', to);
  }
  jumpTo(target: Operand): void {
    this.to('RIP', new Set([target.slot]));
  }
  hold(): void {}
  ownStep(): void {}
  noTrack(): Sources {
    return NONE;
  }
  // What only an engine needs to be told.
  walked(): void {}
  translated(): void {}
  log(): void {}
  logEvent(): void {}
  override refreshAttention(): void {}
  override armBreakpoints(): void {}
}
