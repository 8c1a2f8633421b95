/** What stands between bytes, text and semantics: an instruction with its operands. */
import type { Semantics, Shape, Slot, Width } from './ops.ts';
import type { Register } from './state.ts';

/**
 * A memory operand. `rip` as base means the address behind the instruction. LEA and other operands that
 * are only an address have no segment, whatever was written, so that no base is added.
 */
export interface MemoryOperand {
  readonly segment: 'fs' | 'gs' | undefined;
  /** The address is cut to 32 bits before the segment base is added: prefix 67. Its registers are named so. */
  readonly short: boolean;
  readonly base: Register | 'rip' | undefined;
  readonly index: Register | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  /** Sign-extended to 64 bits, as an unsigned word. */
  readonly displacement: bigint;
}

/** Prefix names as text has them. */
export const PREFIX = {
  lock: 0xf0,
  repnz: 0xf2,
  repz: 0xf3,
  data16: 0x66,
  addr32: 0x67,
  es: 0x26,
  cs: 0x2e,
  ss: 0x36,
  ds: 0x3e,
  fs: 0x64,
  gs: 0x65,
} as const;
export type Prefix = keyof typeof PREFIX;

/**
 * Whether the operand lies in the stack segment by default, so that a non-canonical address raises #SS(0)
 * and not #GP(0): base RSP or RBP, no override (SDM vol 1, 3.7.5).
 */
export const usesStackSegment = ({ segment, base }: MemoryOperand): boolean =>
  segment === undefined && (base === 'rsp' || base === 'rbp');

/** One decoded instruction. Everything in it is static: it never depends on a register's value. */
export interface Instruction {
  readonly row: Row;
  /** Operand kinds and widths, as semantics want them. */
  readonly shape: Shape;
  /** Length in bytes, 1 to 15. */
  readonly length: number;
  /** Register of each operand of kind `r`. */
  readonly registers: Readonly<Partial<Record<Slot, Register>>>;
  /** The one memory operand, if there is one. */
  readonly memory: MemoryOperand | undefined;
  /** Immediate, sign-extended to 64 bits as an unsigned word; 0 without one. */
  readonly immediate: bigint;
  /** Branch distance from the end of the instruction, signed; 0 without one. */
  readonly distance: bigint;
  /** Prefixes the row does not use itself, in byte order: `lock`, a padding `cs`, the `repz` of `repz ret`. */
  readonly prefixes: readonly Prefix[];
}

/** The status flags of one row, a letter each: O S Z A P C, and D I T N R for the others it touches. */
export interface FlagEffects {
  readonly reads: string;
  readonly writes: string;
  readonly undefined: string;
}

/** One encoding. Decoder, encoder and printer read nothing else; `notation.ts` explains how a row is written. */
export interface Row {
  /** AT&T name without its width suffix. In parentheses: recognised and refused, no text means it. */
  readonly mnemonic: string;
  /** The opcode line as the manual writes it: `REX.W 81 /0 iz`. */
  readonly opcode: string;
  /** Operand forms in the manual's order, destination first: `rm,i`. */
  readonly operands: string;
  /** Operand widths the encoding exists in; empty where width means nothing. */
  readonly widths: readonly Width[];
  /** Whether text names the width: always (`movsq`, `movzbl`), or only where no register tells it. */
  readonly suffix: 'always' | 'where needed';
  readonly flags: FlagEffects;
  readonly semantics: Semantics;
}
