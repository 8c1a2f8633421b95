/** One statement: an assignment, a directive or an instruction. */
import type { AsmOperand, encode as encodeInstruction } from '../isa/encode.ts';
import type { Assembly, Spot } from './assembly.ts';
import { clipped, Mistake, tidy } from './clause.ts';
import type { Cursor } from './cursor.ts';
import { directives } from './directives.ts';
import { type Expression, evaluate } from './expression.ts';
import { HINT_NAMES, unwindHint } from './hint.ts';
import { type Operand, parseOperands } from './operand.ts';
import type { Item } from './section.ts';
import { suggestion } from './suggest.ts';
import type { View } from './symbol.ts';

/** The encoder of src/isa/encode.ts, or another of its shape. */
export interface Encoder {
  readonly encode: typeof encodeInstruction;
  readonly mnemonics: readonly string[];
}

const WORD = /[A-Za-z_.$][\w.$]*/y;
const PREFIXES: ReadonlySet<string> = new Set(
  'rep repe repz repne repnz lock bnd notrack data16 addr32 cs ds es ss fs gs'.split(' '),
);
/** Where an operand without `$`, `%` or parentheses is a target and not an address in memory. */
const BRANCH = /^(j[a-z]+|callq?|loop[a-z]*|xbegin)$/;

const INDIRECT = /^((jmp|call)q?|l(jmp|call)[wlq]?)$/;

/** Prefixes that stood as a statement of their own: `rep; movsb`. */
interface Waiting {
  readonly prefixes: readonly string[];
  readonly spot: Spot;
}

export class Statements {
  readonly #assembly: Assembly;
  readonly #encoder: Encoder;
  /** Words to suggest besides mnemonics: the macros. */
  readonly #macros: () => Iterable<string>;
  readonly #suggestions = new Map<string, string>();
  #waiting: Waiting | undefined;

  constructor(assembly: Assembly, encoder: Encoder, macros: () => Iterable<string>) {
    this.#assembly = assembly;
    this.#encoder = encoder;
    this.#macros = macros;
  }

  /** Assembles what stands at the cursor. Throws a `Mistake` for what is wrong with it. */
  statement(cursor: Cursor, spot: Spot): void {
    const word = cursor.match(WORD);
    if (word === undefined) throw new Mistake(`invalid statement: ${clipped(cursor.rest)}`, cursor.at);
    if (cursor.sees('=') && !cursor.sees('==')) {
      this.flush();
      cursor.take('=');
      const expression = this.#assembly.expression(cursor);
      cursor.end();
      this.#assembly.define(word, expression, spot, false);
      this.#assembly.row('directive', spot.site.clause.text.slice(spot.at), spot);
    } else if (word.startsWith('.')) {
      this.flush();
      const directive = directives.get(word.toLowerCase());
      if (!directive) {
        throw new Mistake(`unknown directive: ${word}${suggestion(word, DIRECTIVE_NAMES)}`, spot.at);
      }
      directive(this.#assembly, cursor, spot);
    } else if (HINT_NAMES.includes(word)) {
      this.flush();
      unwindHint(word, this.#assembly, cursor, spot);
    } else {
      this.#instruction(word, cursor, spot);
    }
  }

  /** A prefix that nothing followed is reported. */
  flush(): void {
    if (!this.#waiting) return;
    const { prefixes, spot } = this.#waiting;
    this.#waiting = undefined;
    this.#assembly.reportAt(spot, `missing instruction after ${prefixes.join(' ')}`);
  }

  #instruction(word: string, cursor: Cursor, spot: Spot): void {
    const prefixes = [...(this.#waiting?.prefixes ?? [])];
    const before = this.#waiting;
    this.#waiting = undefined;
    let name: string | undefined = word;
    let { at } = spot;
    while (name !== undefined && PREFIXES.has(name.toLowerCase())) {
      prefixes.push(name.toLowerCase());
      at = cursor.at;
      name = cursor.match(WORD);
    }
    if (name === undefined) {
      cursor.end();
      this.#waiting = { prefixes, spot: before?.spot ?? spot };
      return;
    }
    const operands = parseOperands(cursor, this.#assembly.names);
    const text = tidy(spot.site.clause.text.slice(spot.at));
    const shown = before ? `${before.prefixes.join(' ')} ${text}` : text;
    const mnemonic = name.toLowerCase();
    const [target] = operands;
    if (
      INDIRECT.test(mnemonic) &&
      (target?.kind === 'register' || (target?.kind === 'memory' && !target.bare))
    ) {
      throw new Mistake(`missing * before the operand of an indirect ${mnemonic}`, target.at);
    }
    const encode: Encode = (put) => this.#encode(mnemonic, at, operands, put, prefixes);
    const encoding = new Encoding(this.#assembly, mnemonic, operands, encode);
    this.#assembly.add(spot, { ...encoding.item(), text: shown }, 'instruction');
  }

  #encode(
    mnemonic: string,
    at: number,
    given: readonly Operand[],
    put: readonly AsmOperand[],
    prefixes: readonly string[],
  ): Uint8Array {
    const result = this.#encoder.encode(mnemonic, put, prefixes);
    if ('bytes' in result) return result.bytes;
    const { problem, operand } = result;
    if (problem.startsWith('unknown mnemonic')) {
      throw new Mistake(`unknown mnemonic: ${mnemonic}${this.#suggestion(mnemonic)}`, at);
    }
    throw new Mistake(problem, operand === undefined ? at : (given[operand]?.at ?? at));
  }

  /** Looked up once a word: a repeated block may hold it thousands of times. */
  #suggestion(mnemonic: string): string {
    const known =
      this.#suggestions.get(mnemonic) ??
      suggestion(mnemonic, [...this.#macros(), ...this.#encoder.mnemonics]);
    this.#suggestions.set(mnemonic, known);
    return known;
  }
}

/** What the reader follows is known as well. */
const STEERING =
  '.macro .endm .exitm .purgem .rept .irp .irpc .endr .include .end .if .ifdef .ifndef .ifb .ifnb .ifc .ifnc .else .elseif .endif';
const DIRECTIVE_NAMES = [...directives.keys(), ...STEERING.split(' ')];

type Encode = (operands: readonly AsmOperand[]) => Uint8Array;

/** Bytes of one instruction: what is known while reading settles the length, the rest is put in later. */
class Encoding {
  readonly #assembly: Assembly;
  readonly #mnemonic: string;
  readonly #operands: readonly Operand[];
  readonly #encode: Encode;
  /** What was a known number when read: as GNU as, only this may choose a short form. */
  readonly #known = new Map<Expression, bigint>();
  #late = false;

  constructor(assembly: Assembly, mnemonic: string, operands: readonly Operand[], encode: Encode) {
    this.#assembly = assembly;
    this.#mnemonic = mnemonic;
    this.#operands = operands;
    this.#encode = encode;
  }

  item(): Pick<Item, 'size' | 'write'> & Partial<Item> {
    const [first] = this.#operands;
    if (
      first?.kind === 'memory' &&
      first.bare &&
      this.#operands.length === 1 &&
      BRANCH.test(this.#mnemonic)
    ) {
      return this.#branch(first.displacement as Expression);
    }
    const read = this.#operands.map((one) => this.#put(one, undefined, 0n));
    const bytes = this.#encode(read);
    const size = bytes.length;
    if (!this.#late) return { size, write: () => bytes };
    const write = (view: View, { address }: Item): Uint8Array => {
      const end = address + BigInt(size);
      return this.#same(
        size,
        this.#operands.map((one) => this.#put(one, view, end)),
      );
    };
    return { size, write };
  }

  /** A branch starts in its short form, if it has both, and grows when its target is out of reach. */
  #branch(target: Expression): Pick<Item, 'size' | 'write'> & Partial<Item> {
    const lengthOf = (wide: boolean): number => this.#encode([{ kind: 'target', distance: 0n, wide }]).length;
    const short = lengthOf(false);
    const long = this.#longLength(lengthOf);
    const write = (view: View, { address, size }: Item): Uint8Array => {
      const value = evaluate(target, view)?.number ?? 0n;
      const distance = BigInt.asIntN(64, value - address - BigInt(size));
      return this.#same(size, [{ kind: 'target', distance, wide: size === long }]);
    };
    if (long === undefined || long === short) return { size: long ?? short, write };
    return { size: short, branch: { target, short, long }, write };
  }

  #longLength(lengthOf: (wide: boolean) => number): number | undefined {
    try {
      return lengthOf(true);
    } catch (mistake) {
      if (mistake instanceof Mistake) return undefined;
      throw mistake;
    }
  }

  /** Bytes of the length that was promised. */
  #same(size: number, operands: readonly AsmOperand[]): Uint8Array {
    const bytes = this.#encode(operands);
    if (bytes.length !== size) throw new Mistake('invalid operand: out of reach', this.#operands[0]?.at);
    return bytes;
  }

  /** A number that is known while reading. */
  #read(expression: Expression): bigint | undefined {
    const value = this.#assembly.known(expression);
    if (!value || value.section) return undefined;
    this.#known.set(expression, value.number);
    return value.number;
  }

  /** An operand with its values: of reading (no view), or of the end. `end` is the address behind the instruction. */
  #put(operand: Operand, view: View | undefined, end: bigint): AsmOperand {
    const put = (expression: Expression, relative: boolean): { value: bigint; wide: boolean } => {
      const known = view ? this.#known.get(expression) : this.#read(expression);
      if (known !== undefined) return { value: known, wide: false };
      this.#late = true;
      if (!view) return { value: 0n, wide: true };
      const value = evaluate(expression, view)?.number ?? 0n;
      return { value: relative ? BigInt.asIntN(64, value - end) : value, wide: true };
    };
    switch (operand.kind) {
      case 'register':
        return { kind: 'register', name: operand.name };
      case 'immediate':
        return { kind: 'immediate', ...put(operand.value, false) };
      case 'indirect':
        return { kind: 'indirect', operand: this.#put(operand.operand, view, end) };
      case 'memory': {
        const { segment, base, index, scale } = operand;
        const none = { value: 0n, wide: false };
        const { value, wide } = operand.displacement
          ? put(operand.displacement, base === 'rip' || base === 'eip')
          : none;
        return { kind: 'memory', segment, base, index, scale, displacement: value, wide };
      }
    }
  }
}
