/**
 * Semantics run once to emit WebAssembly. A value is a constant or a local; every operation appends one
 * `local.set` to the list of statements being written, so that their order is the order of the semantics,
 * and `when` and `attempt` only swap that list. Binaryen's optimiser folds the locals away again.
 *
 * This half has values and control; `stage.ts` has state and memory.
 */
import binaryen from 'binaryen';
import type { Ops, Turn, Width } from '../../../../isa/ops.ts';
import type { Field } from '../../../../isa/state.ts';
import { type StopReason, stopNumber } from '../../../../isa/stop-reason.ts';
import { offsetOf } from '../../../layout.ts';
import { Processor } from '../../../processor.ts';
import type { Vendor } from '../../../vendor.ts';
import { WORD } from '../layout.ts';
import { vendorBit } from '../vendor-bits.ts';
import type { Functions } from './functions.ts';
import type { Locals } from './locals.ts';

const { i32, i64, none } = binaryen;
export type Code = binaryen.ExpressionRef;
/** A truth that came from a comparison stays an i32 until something needs 64 bits. */
export type Value = { readonly constant: bigint } | { readonly local: number; readonly type: binaryen.Type };

/** Where control can go from the code being staged. */
export interface Exits {
  /** The local that holds the record, in a handler. */
  readonly record?: number;
  readonly raised: () => Code[];
  readonly jump: (to: Code) => Code[];
  readonly jumpTo?: () => Code[];
  readonly hold?: () => Code[];
  /** What an instruction says that keeps RF, and one that decides about its single step. */
  readonly keepRf?: () => Code[];
  readonly ownStep?: () => Code[];
  /** Leave all of the instruction, of which nothing has happened yet, to a handler that can do more. */
  readonly miss?: (when: Code) => Code;
  /** Whether accesses are calls: the module is smaller for it, and this code slower. */
  readonly callsAccesses?: boolean;
}

/** Thrown when semantics ask for a switch of the vendor that is not decided in the arm being staged. */
class Undecided {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export abstract class StageWords extends Processor<Value> {
  protected raised: () => Code[];
  /** Whether the code being staged may have changed something by now: then it cannot begin anew. */
  protected changed = false;
  private out: Code[] = [];
  private static labels = 0;
  private readonly decided = new Map<string, boolean>();
  readonly w: binaryen.Module;
  readonly functions: Functions;
  protected readonly locals: Locals;
  protected readonly exits: Exits;
  readonly vendor: Vendor;

  constructor(functions: Functions, locals: Locals, exits: Exits) {
    super();
    this.w = functions.w;
    this.functions = functions;
    this.locals = locals;
    this.exits = exits;
    this.raised = exits.raised;
    const decided = this.decided;
    this.vendor = new Proxy({} as Vendor, {
      get(_, name) {
        const known = decided.get(String(name));
        if (known === undefined) throw new Undecided(String(name));
        return known;
      },
    });
  }

  // Statements -----------------------------------------------------------------------------------------
  /** Run `body` and return the statements it emitted. */
  capture(body: () => void): Code[] {
    const outer = this.out;
    const raised = this.raised;
    this.out = [];
    try {
      body();
      return this.out;
    } finally {
      this.out = outer;
      this.raised = raised;
    }
  }
  /** As `capture`; what asks for a switch of the vendor is staged for both positions, chosen while it runs. */
  captureForVendors(body: () => void): Code[] {
    const { changed } = this;
    try {
      return this.capture(body);
    } catch (reason) {
      if (!(reason instanceof Undecided)) throw reason;
      const { name } = reason;
      const arm = (position: boolean): Code => {
        this.decided.set(name, position);
        this.changed = changed;
        const code = this.captureForVendors(body);
        this.decided.delete(name);
        return this.block(code);
      };
      const n = this.w.i32;
      const bit = n.and(n.load(WORD.vendor, 4, n.const(0)), n.const(1 << vendorBit(name)));
      return [this.w.if(bit, arm(true), arm(false))];
    }
  }
  emit(...code: Code[]): void {
    this.out.push(...code);
  }
  block(code: Code[]): Code {
    return this.w.block(null, code, none);
  }
  keep(code: Code, type: binaryen.Type = i64): Value {
    const local = this.locals.take(type);
    this.emit(this.w.local.set(local, code));
    return { local, type };
  }
  /** Take an i32 once; the result reads it as often as needed. */
  protected once(code: Code): () => Code {
    const local = this.locals.take(i32);
    this.emit(this.w.local.set(local, code));
    return () => this.w.local.get(local, i32);
  }
  wide(v: Value): Code {
    if ('constant' in v) return this.w.i64.const(BigInt.asIntN(64, v.constant));
    if (v.type === i64) return this.w.local.get(v.local, i64);
    return this.w.i64.extend_u(this.w.local.get(v.local, i32));
  }
  truth(v: Value): Code {
    if ('constant' in v) return this.w.i32.const(v.constant === 0n ? 0 : 1);
    if (v.type === i32) return this.w.local.get(v.local, i32);
    return this.w.i64.ne(this.wide(v), this.w.i64.const(0n));
  }
  low(v: Value): Code {
    return this.w.i32.wrap(this.wide(v));
  }

  // Values ---------------------------------------------------------------------------------------------
  private isTruth(v: Value): boolean {
    return 'local' in v && v.type === i32;
  }
  /** Bitwise operations keep truths narrow. */
  private bitwise(op: 'and' | 'or' | 'xor', a: Value, b: Value): Value {
    return this.isTruth(a) && this.isTruth(b)
      ? this.keep(this.w.i32[op](this.truth(a), this.truth(b)), i32)
      : this.keep(this.w.i64[op](this.wide(a), this.wide(b)));
  }
  private binary(op: 'add' | 'sub' | 'mul' | 'div_u' | 'shl' | 'shr_u' | 'shr_s', a: Value, b: Value): Value {
    return this.keep(this.w.i64[op](this.wide(a), this.wide(b)));
  }
  private compare(op: 'eq' | 'lt_u' | 'lt_s', a: Value, b: Value): Value {
    return this.keep(this.w.i64[op](this.wide(a), this.wide(b)), i32);
  }
  word(value: bigint | number): Value {
    return { constant: BigInt.asUintN(64, BigInt(value)) };
  }
  add(a: Value, b: Value): Value {
    return this.binary('add', a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary('sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary('mul', a, b);
  }
  div(a: Value, b: Value): Value {
    return this.binary('div_u', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.bitwise('and', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.bitwise('or', a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.bitwise('xor', a, b);
  }
  shl(a: Value, count: Value): Value {
    return this.binary('shl', a, count);
  }
  shr(a: Value, count: Value): Value {
    return this.binary('shr_u', a, count);
  }
  sar(a: Value, count: Value): Value {
    return this.binary('shr_s', a, count);
  }
  signed(width: Width, a: Value): Value {
    if (width === 64) return a;
    const { extend8_s, extend16_s, extend32_s } = this.w.i64;
    return this.keep({ 8: extend8_s, 16: extend16_s, 32: extend32_s }[width](this.wide(a)));
  }
  eq(a: Value, b: Value): Value {
    return this.compare('eq', a, b);
  }
  below(a: Value, b: Value): Value {
    return this.compare('lt_u', a, b);
  }
  less(a: Value, b: Value): Value {
    return this.compare('lt_s', a, b);
  }
  override isZero(a: Value): Value {
    return this.keep(this.isTruth(a) ? this.w.i32.eqz(this.truth(a)) : this.w.i64.eqz(this.wide(a)), i32);
  }
  select(condition: Value, a: Value, b: Value): Value {
    return this.keep(this.w.select(this.truth(condition), this.wide(a), this.wide(b)));
  }
  parity(a: Value): Value {
    const ones = this.w.i64.popcnt(this.w.i64.and(this.wide(a), this.w.i64.const(255n)));
    return this.keep(this.w.i32.eqz(this.w.i32.and(this.w.i32.wrap(ones), this.w.i32.const(1))), i32);
  }

  // Control --------------------------------------------------------------------------------------------
  when(condition: Value, then: () => void, otherwise?: () => void): void {
    const yes = this.block(this.capture(then));
    const no = otherwise && this.block(this.capture(otherwise));
    this.emit(this.w.if(this.truth(condition), yes, no));
  }
  choose(condition: Value, then: () => Value, otherwise: () => Value): Value {
    const chosen = { local: this.locals.take(i64), type: i64 };
    const arm = (body: () => Value) => (): void =>
      this.emit(this.w.local.set(chosen.local, this.wide(body())));
    this.when(condition, arm(then), arm(otherwise));
    return chosen;
  }
  raise(vector: number, errorCode: Value): void {
    const { changed } = this;
    this.set('raisedVector', this.word(vector));
    this.set('raisedCode', errorCode);
    this.emit(...this.raised());
    this.changed = changed; // on other paths than this one
  }
  reraise(): void {
    this.emit(...this.raised());
  }
  /** A stop leaves by the same road as a raise, and passes every `attempt`. */
  attempt(body: () => void, onRaise: () => void): void {
    const caught = `raised${StageWords.labels++}`;
    const done = `done${StageWords.labels++}`;
    const inner = this.capture(() => {
      this.raised = () => [this.w.br(caught)];
      body();
    });
    const after = this.capture(() => {
      this.emit(this.w.if(this.field32('stop'), this.block(this.raised())));
      onRaise();
    });
    this.emit(this.w.block(done, [this.w.block(caught, [...inner, this.w.br(done)], none), ...after], none));
  }
  override routine(
    name: string,
    of: readonly Value[],
    body: (m: Ops<Value>, ...of: Value[]) => Value,
  ): Value {
    const words = of.map((v) => this.wide(v));
    this.changed = true;
    return this.keep(this.functions.call(`routine ${name}`, true, words, (m, ...given) => body(m, ...given)));
  }
  override times(name: string, count: Value, most: number, of: readonly Value[], body: Turn): void {
    this.changed = true;
    const turn = (n: number): void => {
      const words = [this.word(n), ...of].map((v) => this.wide(v));
      const call = this.functions.call(`times ${name}`, false, words, (m, at, ...given) => {
        body(m, at as Value, ...given);
        return undefined;
      });
      this.emit(call);
      this.checkRaised();
    };
    for (let n = 1; n < most; n++) this.when(this.below(this.word(n), count), () => turn(n));
  }
  stop(reason: StopReason): void {
    const { changed } = this;
    this.set('stop', this.word(stopNumber(reason)));
    this.emit(...this.raised());
    this.changed = changed;
  }
  /** Behind a call that may raise: the callee has set the global. */
  protected checkRaised(): void {
    const clear = this.w.global.set('raised', this.w.i32.const(0));
    this.emit(this.w.if(this.w.global.get('raised', i32), this.block([clear, ...this.raised()])));
  }
  field32(field: Field): Code {
    return this.w.i32.load(offsetOf[field], 4, this.w.i32.const(0));
  }
}
