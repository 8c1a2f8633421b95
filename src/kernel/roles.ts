/**
 * The name of every word on the NMI stack, by its distance from T, for the layout of 4.2 to today on IDT
 * kernels (facts: entry_64.S of 4.3, 4.9, 4.15, 6.12): original, two kept words, iret, outermost, pt_regs.
 */

/** The records and what lies between and below them. */
export type Group = 'original' | 'kept' | 'iret' | 'outermost' | 'regs';

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
/** Below the outermost record, from high to low: orig_ax, then the general registers of struct pt_regs. */
const BELOW = [
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

const record = (group: Group, first: number): readonly Role[] =>
  RECORD.map((field, n) => ({ index: first - n, group, name: `${group}.${field.toLowerCase()}`, field }));

/** Highest word first. */
export const ROLES: readonly Role[] = [
  ...record('original', -1),
  { index: -6, group: 'kept', name: 'saved-rdx', field: 'rdx' },
  { index: -7, group: 'kept', name: 'executing', field: 'executing' },
  ...record('iret', -8),
  ...record('outermost', -13),
  ...BELOW.map((field, n): Role => ({ index: -18 - n, group: 'regs', name: `regs.${field}`, field })),
];
