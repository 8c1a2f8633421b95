/** The names of words on the NMI stack, by their distance from T. */

/** What a record is for: where hardware pushes, what the last IRETQ reads, what nobody touches. */
export const RECORD_GROUPS = ['original', 'iret', 'outermost'] as const;
/** The records and what lies between and below them. */
export type Group = (typeof RECORD_GROUPS)[number] | 'kept' | 'regs';

export interface Role {
  /** Offset from T in words, -1 for the highest. */
  readonly index: number;
  readonly group: Group;
  /** As a recipe names it: `outermost.rip`, `executing`. */
  readonly name: string;
  /** As a table shows it: `RIP`, `executing`. */
  readonly field: string;
}

const RECORD = ['SS', 'RSP', 'RFLAGS', 'CS', 'RIP'] as const;
/** From high to low: orig_ax, then the general registers of struct pt_regs (arch/x86/include/asm/ptrace.h). */
const REGISTERS = [
  'orig_ax',
  'di',
  'si',
  'dx',
  'cx',
  'ax',
  'r8',
  'r9',
  'r10',
  'r11',
  'bx',
  'bp',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;

/** The five words that a delivery pushes and IRETQ pops; `first` is the index of SS. */
export const recordRoles = (name: string, group: Group, first: number): readonly Role[] =>
  RECORD.map((field, n) => ({ index: first - n, group, name: `${name}.${field.toLowerCase()}`, field }));

/** What is saved of the general registers; `first` is the index of orig_ax. */
export const registerRoles = (first: number): readonly Role[] =>
  REGISTERS.map((field, n): Role => ({ index: first - n, group: 'regs', name: `regs.${field}`, field }));

/** A word that is kept between the records. */
export const keptRole = (index: number, name: string, field: string): Role => ({
  index,
  group: 'kept',
  name,
  field,
});
