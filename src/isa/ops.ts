/**
 * The vocabulary instruction semantics are written in.
 *
 * A semantics is a function over `Ops<V>` and runs once per *meaning*: at once on numbers (bigint), or
 * while a handler is being staged, printed or recorded. `V` is therefore opaque: no JavaScript branch
 * may depend on one. Four rules make every backend agree:
 *
 * 1. A value is 64 bits. What has a width is zero-extended; `signed` is explicit. A truth is 0 or 1.
 * 2. Every raise and probe comes before the first write. A store may raise, so it is the first write,
 *    or its page was probed. An instruction that raises or stops has changed nothing but accessed and
 *    dirty flags of the page tables, which the walk sets as it goes.
 * 3. `jump`, `jumpTo`, `stay`, `raise` and `stop` end the transition: nothing may follow on that path.
 * 4. A value made inside `when` is used inside it; `choose` carries one out.
 *
 * What an instruction set cannot say by itself (paging, event delivery, IRET) is a word here and gets
 * its meaning in `engine/machine-ops.ts`, in the same vocabulary.
 */

import * as endbranch from './endbranch.ts';
import * as flags from './flags.ts';
import type { Field, Gpr } from './state.ts';
import type { StopReason } from './stop-reason.ts';
import * as wide from './wide.ts';

export type Width = 8 | 16 | 32 | 64;

/** `r` register, `m` memory, `i` immediate, `j` branch target, `-` none. The kind is static, the register is not. */
export type OperandKind = 'r' | 'm' | 'i' | 'j' | '-';
export type Slot = 'a' | 'b' | 'c';
export interface Operand {
  readonly slot: Slot;
  readonly kind: OperandKind;
  readonly width: Width;
}

/** What a semantics is asked for: one instruction with one combination of operand kinds and widths; `a` is the destination. */
export interface Shape {
  readonly name: string;
  readonly width: Width;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
}
/** One turn of `times`: its number, and the values that were given along. */
export type Turn = <V>(m: Ops<V>, n: V, ...of: V[]) => void;
export type Semantics = <V>(m: Ops<V>, shape: Shape) => void;

/**
 * Whose rights an access uses and what a non-canonical address raises.
 * `data` and `stack` use the CPL; `system` and `frame` are implicit supervisor accesses (SDM vol 3, 4.6.1):
 * descriptor tables and the TSS, and the words event delivery pushes. `stack` and `frame` raise #SS(0).
 */
export type Access = 'data' | 'stack' | 'system' | 'frame';
/** A memory operand in place of an access: user or supervisor as the CPL is, and #SS(0) where it lies in the stack segment. */
export type Rights = Access | Operand;

/** Exception vectors (SDM vol 3, table 6-1). */
export const VECTOR = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
  VE: 20,
  CP: 21,
  VC: 29,
  SX: 30,
} as const;

/** Log entry kinds: the truth an unwinder is judged by. */
export const LOGGED = { call: 1, return: 2, delivery: 3, iret: 4 } as const;

/** Where processors differ in what one instruction does; `engine/vendor.ts` has the sides, and what differs elsewhere. */
export interface InstructionRules {
  /** Whether SYSRET raises #GP in ring 0 for a non-canonical RCX; else the fetch behind it faults in ring 3. */
  readonly sysretChecksTarget: boolean;
  /** Whether SYSRET forces the RPL of SS to 3, or leaves it as IA32_STAR has it. */
  readonly sysretForcesStackRpl: boolean;
  /** Whether SYSENTER and SYSEXIT exist in long mode. */
  readonly sysenterInLongMode: boolean;
}

export abstract class Ops<V> {
  /** Which of the named differences between processors hold. */
  abstract readonly vendor: InstructionRules;

  // Values -------------------------------------------------------------------------------------------
  abstract word(value: bigint | number): V;
  abstract add(a: V, b: V): V;
  abstract sub(a: V, b: V): V;
  abstract mul(a: V, b: V): V;
  /** Unsigned quotient; the divisor must be known not to be zero (raise first). */
  abstract div(a: V, b: V): V;
  abstract and(a: V, b: V): V;
  abstract or(a: V, b: V): V;
  abstract xor(a: V, b: V): V;
  /** Shifts take a count of 0 to 63. */
  abstract shl(a: V, count: V): V;
  abstract shr(a: V, count: V): V;
  abstract sar(a: V, count: V): V;
  /** The low `width` bits, sign-extended to 64. */
  abstract signed(width: Width, a: V): V;
  abstract eq(a: V, b: V): V;
  /** Unsigned less than. */
  abstract below(a: V, b: V): V;
  /** Signed less than. */
  abstract less(a: V, b: V): V;
  /** Both values are computed; use `choose` where one of them may raise. */
  abstract select(condition: V, a: V, b: V): V;
  /** 1 when the low byte has an even number of ones. */
  abstract parity(a: V): V;

  // Control ------------------------------------------------------------------------------------------
  abstract when(condition: V, then: () => void, otherwise?: () => void): void;
  abstract choose(condition: V, then: () => V, otherwise: () => V): V;
  /** Give up this attempt with a fault; for #DB the code is what it sets in DR6. The nearest `attempt` decides what comes of it. */
  abstract raise(vector: number, errorCode: V): void;
  /** Raise again, from an `attempt`'s other arm, what was raised. */
  abstract reraise(): void;
  /** Run `body`; if it raises, run `onRaise`, which finds `raisedVector` and `raisedCode` in the state. */
  abstract attempt(body: () => void, onRaise: () => void): void;
  /** Leave `run` with a reason and nothing changed; see rule 2. */
  abstract stop(reason: StopReason): void;

  // State --------------------------------------------------------------------------------------------
  abstract get(field: Field): V;
  abstract set(field: Field, value: V): void;
  /** A register by name; `ah` is the high byte of AX. Writes: 8 and 16 bits merge, 32 bits zero-extend. */
  abstract reg(width: Width, register: Gpr | 'ah'): V;
  abstract setReg(width: Width, register: Gpr | 'ah', value: V): void;

  // Operands -----------------------------------------------------------------------------------------
  /** Effective address with segment base; taken once, before the instruction changes a register. */
  abstract address(operand: Operand): V;
  /** The same with `offset` added to the effective address, which wraps at the address size. */
  abstract addressAt(operand: Operand, offset: V): V;
  abstract read(operand: Operand): V;
  /** Read what will be written back: a fault reports a write, and the later `write` cannot raise. */
  abstract readToModify(operand: Operand): V;
  abstract write(operand: Operand, value: V): void;

  // Memory -------------------------------------------------------------------------------------------
  abstract load(width: Width, va: V, access: Rights): V;
  abstract store(width: Width, va: V, value: V, access: Rights): void;
  /** Raise what a write of `bytes` (at most a page) at `va` would raise; write nothing. */
  abstract probe(va: V, bytes: number, access: Rights): void;

  // Where control goes -------------------------------------------------------------------------------
  /** Address of this instruction, and of the one behind it. */
  abstract rip(): V;
  abstract nextRip(): V;
  /** To a computed address, already checked canonical. */
  abstract jump(to: V): void;
  /** To a direct branch target. */
  abstract jumpTo(target: Operand): void;
  /** Finish this transition with RIP still here: a REP iteration, or a trap whose delivery comes next. */
  abstract stay(): void;
  /** INT n, INT3, INT1: post an event that returns behind this instruction; its delivery comes next. Ends the transition. */
  abstract interrupt(vector: number | V): void;
  /** IRET: pop five words of `width` bits, switch, unblock NMIs (SDM vol 2, IRET). Ends the transition. */
  abstract returnFromInterrupt(width: Width): void;
  /** SYSCALL, SYSENTER under FRED: post an event of type 7 that returns behind this instruction. Ends the transition. */
  abstract systemEvent(vector: number): void;
  /** ERETS, ERETU: return through a FRED frame, to the supervisor or the user (SDM vol 3, 8.4). Ends the transition. */
  abstract returnFromEvent(to: 'supervisor' | 'user'): void;
  /** SYSCALL, SYSRET: behind this instruction a single step traps if TF is set *now*, not if it was set before. */
  abstract stepByNewFlags(): void;
  /** Whether this instruction has the 3E prefix, by which an indirect branch asks not to be tracked. */
  abstract noTrack(): V;
  /** Write the truth log. */
  abstract log(kind: number, rip: V, rsp: V, target: V): void;

  // Derived: said in the words above; a backend may override any to say it better -----------------------
  not(a: V): V {
    return this.xor(a, this.word(-1));
  }
  isZero(a: V): V {
    return this.eq(a, this.word(0));
  }
  bit(a: V, n: number): V {
    return this.bits(a, n, 1);
  }
  /** `count` bits from bit `low` up. */
  bits(a: V, low: number, count: number): V {
    return this.and(this.shr(a, this.word(low)), this.word((1n << BigInt(count)) - 1n));
  }
  /** `bits` of a descriptor or entry, a field by the manual's name. */
  part(_name: string, of: V, low: number, count: number): V {
    return this.bits(of, low, count);
  }
  /** Give a value the name the manual gives it: means nothing to a machine, and everything to the printer. */
  named(_name: string, value: V): V {
    return value;
  }
  /** A computation a reader knows by its name: a machine runs `body`, the printer says `name(of)`. */
  known(_name: string, _of: readonly V[], body: () => V): V {
    return body();
  }
  /** The same, but long and used more than once: staged as one function. */
  routine(_name: string, of: readonly V[], body: (m: Ops<V>, ...of: V[]) => V): V {
    return body(this, ...of);
  }
  /** Run `body` with each number from 1 up to `count` - 1, which is `most` at most. It may raise; what it needs is in `of`. */
  times(_name: string, count: V, most: number, of: readonly V[], body: Turn): void {
    for (let n = 1; n < most; n++)
      this.when(this.below(this.word(n), count), () => body(this, this.word(n), ...of));
  }
  truncate(width: Width, a: V): V {
    return width === 64 ? a : this.and(a, this.word((1n << BigInt(width)) - 1n));
  }
  raiseIf(condition: V, vector: number, errorCode: V): void {
    this.when(condition, () => this.raise(vector, errorCode));
  }
  raiseUnless(condition: V, vector: number, errorCode: V): void {
    this.raiseIf(this.isZero(condition), vector, errorCode);
  }
  /** Bits 63:47 all equal (SDM vol 1, 3.3.7.1). */
  isCanonical(va: V): V {
    return this.eq(this.sar(this.shl(va, this.word(16)), this.word(16)), va);
  }
  /** High half of the 128-bit product. */
  mulHigh(a: V, b: V): V {
    return wide.mulHigh(this, a, b);
  }
  /** Quotient of high:low by divisor; high must be below divisor. */
  divWide(high: V, low: V, divisor: V): V {
    return wide.divWide(this, high, low, divisor);
  }
  addFlags(width: Width, a: V, b: V, sum: V): void {
    flags.set(this, width, sum, flags.carriesOfAdd(this, a, b, sum));
  }
  subFlags(width: Width, a: V, b: V, difference: V): void {
    flags.set(this, width, difference, flags.carriesOfSub(this, a, b, difference));
  }
  logicFlags(width: Width, result: V): void {
    flags.set(this, width, result, this.word(0));
  }
  /** CF and OF given, AF cleared. */
  carryFlags(width: Width, result: V, carry: V, overflow: V): void {
    flags.setCarry(this, width, result, carry, overflow);
  }
  /** Run `body`, which sets flags, and put CF back as it was (INC, DEC). */
  keepingCarry(body: () => void): void {
    flags.keepCarry(this, body);
  }
  /** Change CF alone (BT, STC). */
  setCarry(carry: V): void {
    flags.replaceCarry(this, carry);
  }
  /** Change ZF alone (LSL, VERW). */
  setZero(zero: V): void {
    flags.replaceZero(this, zero);
  }
  /** Change OF alone (ADOX). */
  setOverflow(overflow: V): void {
    flags.replaceOverflow(this, overflow);
  }
  /** Change CF and OF alone (rotates). */
  setCarryOverflow(carry: V, overflow: V): void {
    flags.replaceCarryOverflow(this, carry, overflow);
  }
  condition(code: flags.ConditionCode): V {
    return flags.condition(this, code);
  }
  /** RFLAGS as PUSHF would store it. */
  rflags(): V {
    return flags.toImage(this);
  }
  /** Load the bits of `mask` from an image; the rest stays. */
  setRflags(image: V, mask: bigint): void {
    flags.fromImage(this, image, mask);
  }
  /** Behind an indirect JMP or CALL, before control goes there: wait for ENDBR64 where that is asked for. */
  trackIndirect(): void {
    endbranch.trackIndirect(this, this.noTrack());
  }
  /** ENDBR64: nothing is waited for any more. */
  endWait(): void {
    endbranch.endWait(this);
  }
  /** The attention word sums up what the run loop must look at; whoever changes one of its causes calls this. */
  abstract refreshAttention(): void;
  /** Do several things that change causes of attention, and sum up once. Nothing in it may raise. */
  together(body: () => void): void {
    body();
    this.refreshAttention();
  }
  /** DR7 has changed: sum up what it asks for. */
  abstract armBreakpoints(): void;
  /** CR3, CR4, EFER, DR0 to DR3, DR7 or a page table changed: a translation cache, if there is one, forgets everything. */
  flushTranslations(): void {}
}
