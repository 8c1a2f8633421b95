/**
 * Semantics told as text: values and the ways a semantics can take. A name without a prime is the value before
 * the instruction, with a prime the value after; so no line depends on the order of the lines.
 */
import { type Turn, VECTOR, type Width } from '../../isa/ops.ts';
import type { StopReason } from '../../isa/stop-reason.ts';
import { Processor } from '../processor.ts';
import { numberIn } from './names.ts';
import {
  asTruth,
  constant,
  field,
  flagNames,
  isFlags,
  of,
  type Phrase,
  simplified,
  strip,
  truth,
} from './phrase.ts';

export const VECTOR_NAMES = new Map<number, string>(
  Object.entries(VECTOR).map(([name, vector]) => [vector, `#${name}`]),
);
/** Exceptions that push an error code (SDM vol 3, table 6-1). */
const WITH_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
const LONGEST_EXPRESSION = 64;
const LONGEST_LINE = 88;

export abstract class ControlPrinter extends Processor<Phrase> {
  protected readonly lines: string[] = [];
  private indent = '';
  private names = 0;
  private headings = 0;
  protected written = new Map<string, number>();

  /** What was said. Values that were named for their length are numbered as they come. */
  text(): readonly string[] {
    const numbers = new Map<string, string>();
    const renamed = (name: string): string => {
      const found = numbers.get(name) ?? `t${numbers.size + 1}`;
      numbers.set(name, found);
      return found;
    };
    return this.lines.map((line) => line.replace(/\bt\d+\b/g, renamed));
  }

  protected say(line: string): void {
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
  /** What was named only for its length and is said right now needs no name; the line that named it goes. */
  private whole(made: Phrase, longest = LONGEST_LINE): string {
    const last = this.lines.at(-1) ?? '';
    // A deeper line is one arm of several that give the name its value.
    const start = `${this.indent}${made.text} := `;
    if (made.text !== `t${this.names}` || !last.startsWith(start)) return strip(made.text);
    if (last.length > longest) return made.text;
    this.lines.pop();
    return last.slice(start.length);
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
  protected assign(place: string, value: Phrase): void {
    const text = this.whole(value);
    this.wrote(place);
    this.say(`${this.current(place)} := ${text}`);
  }
  protected wrote(place: string): void {
    this.written.set(place, 1);
  }
  protected current(place: string): string {
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
    if (b.mask !== undefined && isFlags(a.text))
      return of(`(${a.text} without ${flagNames(BigInt(b.mask.slice(1)))})`);
    return this.join(a, '&', 'and', b.mask === undefined ? b : of(b.mask));
  }
  or(a: Phrase, b: Phrase): Phrase {
    return this.join(a, '|', 'or', b);
  }
  xor(a: Phrase, b: Phrase): Phrase {
    return this.join(a, '^', '!=', b);
  }
  shl(a: Phrase, count: Phrase): Phrase {
    const made = this.binary(a, '<<', count);
    return a.truth && /^\d+$/.test(count.text) ? { ...made, flag: { is: a, bit: Number(count.text) } } : made;
  }
  shr(a: Phrase, count: Phrase): Phrase {
    return this.binary(a, '>>', count);
  }
  sar(a: Phrase, count: Phrase): Phrase {
    return this.binary(a, '>>s', count);
  }
  eq(a: Phrase, b: Phrase): Phrase {
    return this.compare(a, '==', of(numberIn(a.text, b.text)), '!=');
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
    this.say(`${name} := ${this.whole(value, Number.POSITIVE_INFINITY)}`);
    return value.truth ? truth(name) : of(name);
  }
  override known(name: string, args: readonly Phrase[], _?: () => Phrase): Phrase {
    return of(`${name}(${args.map(({ text }) => strip(text)).join(', ')})`);
  }
  override times(_: string, count: Phrase, __: number, given: readonly Phrase[], body: Turn): void {
    this.arm(`for n in 1 .. ${count.text} - 1`, () => body(this, of('n'), ...given));
  }
  override routine(name: string, parts: readonly Phrase[]): Phrase {
    return this.known(name, parts);
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
    return this.select(condition, values[0] as Phrase, values[1] as Phrase);
  }
  protected fault(vector: number, errorCode: Phrase): string {
    const name = VECTOR_NAMES.get(vector) ?? `${vector}`;
    return WITH_CODE.has(vector) ? `${name}(${strip(errorCode.text)})` : name;
  }
  raise(vector: number, errorCode: Phrase): void {
    this.say(`raise ${this.fault(vector, errorCode)}`);
  }
  override raiseIf(condition: Phrase, vector: number, errorCode: Phrase): void {
    const when = this.whole(asTruth(condition));
    this.say(`raise ${this.fault(vector, errorCode)} if ${when}`);
  }
  override raiseUnless(condition: Phrase, vector: number, errorCode: Phrase): void {
    const when = this.whole(asTruth(condition));
    this.say(`raise ${this.fault(vector, errorCode)} unless ${when}`);
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
}
