/**
 * The printer of an instruction's page: beside the text it keeps which faults the text raises and when, which memory
 * it touches, and which flags it reads and writes.
 */
import type { ConditionCode } from '../../isa/flags.ts';
import type { Access, Operand, Rights, Width } from '../../isa/ops.ts';
import { asTruth, conditionPhrase, flagNames, isFlags, type Phrase, strip } from './phrase.ts';
import { Printer } from './print.ts';
import { VECTOR_NAMES } from './print-control.ts';

export interface PrintedFault {
  /** `#GP(0)`. */
  readonly fault: string;
  /** The conditions that lead to it, as the text has them; empty: always. */
  readonly when: readonly string[];
}
export interface PrintedAccess {
  /** `memory64[RSP]`; for a probe, the bytes it covers. */
  readonly place: string;
  readonly writes: boolean;
  /** Undefined for an operand: the stack segment, if its base says so. */
  readonly access: Access | undefined;
}
/** What becomes of a flag: computed, or always the same. */
export type FlagValue = 'changes' | '0' | '1';

export class InstructionPrinter extends Printer {
  readonly faults: PrintedFault[] = [];
  readonly accesses: PrintedAccess[] = [];
  readonly flagsRead = new Set<string>();
  readonly flagsWritten = new Map<string, FlagValue>();
  private conditions: readonly string[] = [];

  private under<T>(condition: string, body: () => T): T {
    const outer = this.conditions;
    this.conditions = [...outer, condition];
    const made = body();
    this.conditions = outer;
    return made;
  }
  override when(condition: Phrase, then: () => void, otherwise?: () => void): void {
    const { text, opposite = '' } = asTruth(condition);
    super.when(
      condition,
      () => this.under(this.spelled(text), then),
      otherwise && (() => this.under(this.spelled(opposite), otherwise)),
    );
  }

  override choose(condition: Phrase, then: () => Phrase, otherwise: () => Phrase): Phrase {
    const { text, opposite = '' } = asTruth(condition);
    return super.choose(
      condition,
      () => this.under(this.spelled(text), then),
      () => this.under(this.spelled(opposite), otherwise),
    );
  }

  private mayRaise(fault: string, ...when: readonly string[]): void {
    this.faults.push({ fault, when: [...this.conditions, ...when] });
  }
  override raise(vector: number, errorCode: Phrase): void {
    super.raise(vector, errorCode);
    this.mayRaise(this.fault(vector, errorCode));
  }
  override raiseIf(condition: Phrase, vector: number, errorCode: Phrase): void {
    this.mayRaise(this.fault(vector, errorCode), this.spelled(asTruth(condition).text));
    super.raiseIf(condition, vector, errorCode);
  }
  override raiseUnless(condition: Phrase, vector: number, errorCode: Phrase): void {
    this.mayRaise(this.fault(vector, errorCode), this.spelled(asTruth(condition).opposite ?? ''));
    super.raiseUnless(condition, vector, errorCode);
  }
  /** Without the name a value has only for its length. */
  private spelled(text: string): string {
    const [, not = '', name] = /^(not )?(t\d+)$/.exec(text) ?? [];
    const line = name && this.lines.findLast((one) => one.trimStart().startsWith(`${name} := `));
    if (!line) return strip(text);
    const meaning = line.trimStart().slice(`${name} := `.length);
    return not === '' ? meaning : `not (${meaning})`;
  }

  private touches(place: string, writes: boolean, rights: Rights | undefined): void {
    const access = typeof rights === 'object' ? undefined : rights;
    if (!this.accesses.some((one) => one.place === place && one.writes === writes && one.access === access))
      this.accesses.push({ place, writes, access });
  }
  override read(operand: Operand): Phrase {
    if (operand.kind === 'm') this.touches(this.place(operand), false, undefined);
    return super.read(operand);
  }
  override write(operand: Operand, value: Phrase): void {
    if (operand.kind === 'm') this.touches(this.place(operand), true, undefined);
    super.write(operand, value);
  }
  override load(width: Width, va: Phrase, access: Rights): Phrase {
    this.touches(`memory${width}[${strip(va.text)}]`, false, access);
    return super.load(width, va, access);
  }
  override store(width: Width, va: Phrase, value: Phrase, access: Rights): void {
    this.touches(`memory${width}[${strip(va.text)}]`, true, access);
    super.store(width, va, value, access);
  }
  override probe(va: Phrase, bytes: number, access: Rights): void {
    this.touches(`${bytes} bytes at ${strip(va.text)}`, true, access);
    super.probe(va, bytes, access);
  }
  override interrupt(vector: number | Phrase): void {
    super.interrupt(vector);
    const name = typeof vector === 'number' ? (VECTOR_NAMES.get(vector) ?? `${vector}`) : vector.text;
    this.mayRaise(`delivers ${name}`);
  }

  protected override flags(names: string, value: string): void {
    super.flags(names, value);
    const now: FlagValue = value === '0' || value === '1' ? value : 'changes';
    for (const name of this.changed(names)) {
      const before = this.flagsWritten.get(name);
      this.flagsWritten.set(name, before === undefined || before === now ? now : 'changes');
    }
  }
  override condition(code: ConditionCode): Phrase {
    const phrase = conditionPhrase(code, false);
    for (const [name] of phrase.text.matchAll(/[OCZSP]F/g)) this.flagsRead.add(name);
    return super.condition(code);
  }
  override bits(a: Phrase, low: number, count: number): Phrase {
    if (isFlags(a.text) && a.text.startsWith('RFLAGS'))
      for (const name of flagNames(((1n << BigInt(count)) - 1n) << BigInt(low)).split(' '))
        this.flagsRead.add(name);
    return super.bits(a, low, count);
  }
}
