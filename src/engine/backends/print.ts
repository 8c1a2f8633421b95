/**
 * Semantics told as text: the pseudo-code a page shows. A name without a prime is the value before the
 * instruction, with a prime the value after; so no line depends on the order of the lines.
 */
import type { ConditionCode } from '../../isa/flags.ts';
import { type Access, type Operand, type StopReason, VECTOR, type Width } from '../../isa/ops.ts';
import type { Field, Register } from '../../isa/state.ts';
import type { Event } from '../machine-ops.ts';
import { Processor } from '../processor.ts';
import { INTEL, type Vendor } from '../vendor.ts';
import { fieldName } from './names.ts';
import {
  asTruth,
  conditionPhrase,
  constant,
  field,
  flagNames,
  of,
  type Phrase,
  simplified,
  strip,
  truth,
} from './phrase.ts';

const VECTOR_NAMES = new Map<number, string>(
  Object.entries(VECTOR).map(([name, vector]) => [vector, `#${name}`]),
);
const LONGEST_EXPRESSION = 64;

export class Printer extends Processor<Phrase> {
  readonly vendor: Vendor;
  readonly lines: string[] = [];
  private indent = '';
  private names = 0;
  private headings = 0;
  private written = new Map<string, number>();

  constructor(vendor: Vendor = INTEL) {
    super();
    this.vendor = vendor;
  }

  private say(line: string): void {
    this.lines.push(this.indent + line);
  }
  private inside(body: () => void): void {
    const outer = this.indent;
    this.indent += '  ';
    body();
    this.indent = outer;
  }
  override heading(text: string): void {
    if (this.headings++ > 0) this.lines.push('');
    this.lines.push(`${this.headings}. ${text}.`);
    this.indent = '   ';
  }
  /** Name what would make a line unreadable. */
  private value(made: Phrase): Phrase {
    if (made.text.length <= LONGEST_EXPRESSION) return made;
    const name = `t${++this.names}`;
    this.say(`${name} := ${strip(made.text)}`);
    return made.truth ? truth(name) : of(name);
  }
  private binary(a: Phrase, op: string, b: Phrase): Phrase {
    return simplified(a, op, b) ?? this.value(of(`(${a.text} ${op} ${b.text})`));
  }
  private compare(a: Phrase, op: string, b: Phrase, opposite: string): Phrase {
    return this.value(truth(`(${a.text} ${op} ${b.text})`, `(${a.text} ${opposite} ${b.text})`));
  }
  /** Truths are joined by words. */
  private join(a: Phrase, op: string, word: string, b: Phrase): Phrase {
    if (!a.truth || !b.truth) return this.binary(a, op, b);
    return simplified(a, op, b) ?? this.value(truth(`(${a.text} ${word} ${b.text})`));
  }
  private assign(place: string, value: Phrase): void {
    this.wrote(place);
    this.say(`${this.current(place)} := ${strip(value.text)}`);
  }
  private wrote(place: string): void {
    this.written.set(place, 1);
  }
  private current(place: string): string {
    return place + (this.written.has(place) ? '′' : '');
  }

  word(value: bigint | number): Phrase {
    return constant(BigInt(value));
  }
  add(a: Phrase, b: Phrase): Phrase {
    return this.binary(a, '+', b);
  }
  sub(a: Phrase, b: Phrase): Phrase {
    return this.binary(a, '-', b);
  }
  mul(a: Phrase, b: Phrase): Phrase {
    return this.binary(a, '*', b);
  }
  div(a: Phrase, b: Phrase): Phrase {
    return this.binary(a, '/', b);
  }
  and(a: Phrase, b: Phrase): Phrase {
    return this.join(a, '&', 'and', b.mask === undefined ? b : of(b.mask));
  }
  or(a: Phrase, b: Phrase): Phrase {
    return this.join(a, '|', 'or', b);
  }
  xor(a: Phrase, b: Phrase): Phrase {
    return this.join(a, '^', '!=', b);
  }
  shl(a: Phrase, count: Phrase): Phrase {
    return this.binary(a, '<<', count);
  }
  shr(a: Phrase, count: Phrase): Phrase {
    return this.binary(a, '>>', count);
  }
  sar(a: Phrase, count: Phrase): Phrase {
    return this.binary(a, '>>s', count);
  }
  eq(a: Phrase, b: Phrase): Phrase {
    return this.compare(a, '==', b, '!=');
  }
  below(a: Phrase, b: Phrase): Phrase {
    return this.compare(a, '<', b, '>=');
  }
  less(a: Phrase, b: Phrase): Phrase {
    return this.compare(a, '<s', b, '>=s');
  }
  signed(width: Width, a: Phrase): Phrase {
    return width === 64 ? a : of(`signed${width}(${strip(a.text)})`);
  }
  select(condition: Phrase, a: Phrase, b: Phrase): Phrase {
    const made = of(`(${asTruth(condition).text} ? ${a.text} : ${b.text})`);
    return this.value(a.truth && b.truth ? truth(made.text) : made);
  }
  parity(a: Phrase): Phrase {
    return truth(`parity(${strip(a.text)})`);
  }
  override not(a: Phrase): Phrase {
    return of(`~${a.text}`);
  }
  override isZero(a: Phrase): Phrase {
    const { text, opposite = '' } = asTruth(a);
    return truth(opposite, text);
  }
  override bits(a: Phrase, low: number, count: number): Phrase {
    return count === 1 ? truth(field(a.text, low, count)) : of(field(a.text, low, count));
  }
  override named(name: string, value: Phrase): Phrase {
    // What was named only for its length gets its proper name.
    const last = this.lines.at(-1)?.trimStart();
    const replaces = last?.startsWith(`${value.text} := `) && value.text === `t${this.names}`;
    if (replaces) {
      this.lines.pop();
      this.names--;
    }
    this.say(
      replaces ? `${name} := ${last?.slice(value.text.length + 4)}` : `${name} := ${strip(value.text)}`,
    );
    return value.truth ? truth(name) : of(name);
  }
  override symbol(name: string): Phrase {
    return of(name);
  }
  override part(name: string, value: Phrase, _: number, count: number): Phrase {
    const text = name === 'waits' || name === 'closed' ? value.text : `${value.text}.${name}`;
    return count === 1 ? truth(text) : of(text);
  }
  override isOneOf(vector: Phrase, list: readonly number[]): Phrase {
    const names = list.map((one) => VECTOR_NAMES.get(one) ?? `${one}`).join(' ');
    return truth(`(${vector.text} in {${names}})`, `(${vector.text} not in {${names}})`);
  }
  override truncate(width: Width, a: Phrase): Phrase {
    return width === 64 ? a : of(`low${width}(${strip(a.text)})`);
  }
  override isCanonical(va: Phrase): Phrase {
    return truth(`canonical(${strip(va.text)})`);
  }
  override mulHigh(a: Phrase, b: Phrase): Phrase {
    return of(`high64(${a.text} * ${b.text})`);
  }
  override divWide(high: Phrase, low: Phrase, divisor: Phrase): Phrase {
    return of(`(${high.text}:${low.text} / ${divisor.text})`);
  }

  when(condition: Phrase, then: () => void, otherwise?: () => void): void {
    const start = this.lines.length;
    const { text, opposite = '' } = asTruth(condition);
    this.arms(
      () => this.arm(`if ${strip(text)}`, then),
      () => {
        const title = this.lines.length === start ? `if ${strip(opposite)}` : 'else';
        if (otherwise !== undefined) this.arm(title, otherwise);
      },
    );
  }
  /** An arm that says nothing is not printed. */
  private arm(title: string, body: () => void): void {
    const start = this.lines.length;
    this.say(title);
    this.inside(body);
    if (this.lines.length === start + 1) this.lines.length = start;
    if (title === 'else') this.joinElseIf(start);
  }
  /** An `else` that holds one `if` with its own `else` and nothing more. */
  private joinElseIf(start: number): void {
    const inner = `${this.indent}  `;
    const body = this.lines.slice(start + 1);
    const heads = body.filter((line) => line.startsWith(inner) && line[inner.length] !== ' ');
    if (!heads[0]?.startsWith(`${inner}if `)) return;
    if (!heads.slice(1).every((line) => line.startsWith(`${inner}else`))) return;
    this.lines.length = start;
    this.lines.push(...body.map((line) => line.slice(2)));
    this.lines[start] = `${this.indent}else ${this.lines[start]?.trimStart()}`;
  }
  /** Two ways of which one is taken: what either wrote has a prime behind them. */
  private arms(first: () => void, second: () => void): void {
    const before = this.written;
    this.written = new Map(before);
    first();
    const after = this.written;
    this.written = new Map(before);
    second();
    this.written = new Map([...after, ...this.written]);
  }
  choose(condition: Phrase, then: () => Phrase, otherwise: () => Phrase): Phrase {
    const start = this.lines.length;
    const name = of(`t${++this.names}`);
    const values: Phrase[] = [];
    const arm = (title: string, body: () => Phrase): void => {
      this.say(title);
      this.inside(() => {
        const made = body();
        values.push(made);
        this.say(`${name.text} := ${strip(made.text)}`);
      });
    };
    this.arms(
      () => arm(`if ${strip(asTruth(condition).text)}`, then),
      () => arm('else', otherwise),
    );
    // Two plain values read better in one line.
    if (this.lines.length > start + 4) return name;
    this.lines.length = start;
    this.names--;
    return this.select(condition, values[0] as Phrase, values[1] as Phrase);
  }
  private fault(vector: number, errorCode: Phrase): string {
    return `raise ${VECTOR_NAMES.get(vector) ?? vector}(${strip(errorCode.text)})`;
  }
  raise(vector: number, errorCode: Phrase): void {
    this.say(this.fault(vector, errorCode));
  }
  override raiseIf(condition: Phrase, vector: number, errorCode: Phrase): void {
    this.say(`${this.fault(vector, errorCode)} if ${strip(asTruth(condition).text)}`);
  }
  override raiseUnless(condition: Phrase, vector: number, errorCode: Phrase): void {
    this.say(`${this.fault(vector, errorCode)} unless ${strip(asTruth(condition).text)}`);
  }
  reraise(): void {
    this.say('raise it again');
  }
  attempt(body: () => void, onRaise: () => void): void {
    this.arms(body, () => {
      if (this.headings > 0) return onRaise();
      this.say('if that raised');
      this.inside(onRaise);
    });
  }
  stop(reason: StopReason): void {
    this.say(`stop: ${reason}`);
  }

  get(name: Field): Phrase {
    return of(this.current(fieldName(name)));
  }
  set(name: Field, value: Phrase): void {
    this.assign(fieldName(name), value);
  }
  private register(width: Width, register: Register): string {
    const name = register.toUpperCase();
    return width === 64 || name.endsWith('H') ? name : `${name}.${width}`;
  }
  reg(width: Width, register: Register): Phrase {
    return of(this.current(this.register(width, register)));
  }
  setReg(width: Width, register: Register, value: Phrase): void {
    this.assign(this.register(width, register), value);
  }
  address(operand: Operand): Phrase {
    return of(`address(${operand.slot})`);
  }
  private place({ kind, width, slot }: Operand): string {
    return kind === 'm' ? `memory${width}[${slot}]` : slot;
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
  load(width: Width, va: Phrase, _: Access): Phrase {
    return of(`memory${width}[${strip(va.text)}]`);
  }
  store(width: Width, va: Phrase, value: Phrase, _: Access): void {
    this.say(`memory${width}[${strip(va.text)}]′ := ${strip(value.text)}`);
  }
  override probe(va: Phrase, bytes: number, _: Access): void {
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
    this.assign('RIP', of(target.slot));
  }
  hold(): void {
    this.assign('RIP', of('RIP'));
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

  private status(line: string): void {
    this.wrote('RFLAGS');
    this.say(line);
  }
  override addFlags(width: Width, a: Phrase, b: Phrase, _: Phrase): void {
    this.status(`OF SF ZF AF PF CF := flags${width} of ${a.text} + ${b.text}`);
  }
  override subFlags(width: Width, a: Phrase, b: Phrase, _: Phrase): void {
    this.status(`OF SF ZF AF PF CF := flags${width} of ${a.text} - ${b.text}`);
  }
  override logicFlags(width: Width, result: Phrase): void {
    this.status(`SF ZF PF := flags${width} of ${strip(result.text)}; OF AF CF := 0`);
  }
  override carryFlags(width: Width, result: Phrase, carry: Phrase, overflow: Phrase): void {
    const set = `CF := ${strip(carry.text)}; OF := ${strip(overflow.text)}; AF := 0`;
    this.status(`SF ZF PF := flags${width} of ${strip(result.text)}; ${set}`);
  }
  override keepingCarry(body: () => void): void {
    body();
    this.say('CF := CF');
  }
  override setCarry(carry: Phrase): void {
    this.status(`CF := ${strip(carry.text)}`);
  }
  override setCarryOverflow(carry: Phrase, overflow: Phrase): void {
    this.status(`CF := ${strip(carry.text)}; OF := ${strip(overflow.text)}`);
  }
  override condition(code: ConditionCode): Phrase {
    return conditionPhrase(code, this.written.has('RFLAGS'));
  }
  override rflags(): Phrase {
    return of(this.current('RFLAGS'));
  }
  override setRflags(image: Phrase, mask: bigint): void {
    const all = image.text === constant(mask).text;
    this.status(`${flagNames(mask)} := ${all ? '1' : image.text === '0' ? '0' : `those of ${image.text}`}`);
  }
}
