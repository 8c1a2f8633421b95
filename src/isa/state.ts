/** The names of everything a processor holds: registers, flags, tables, latches. Where they lie is the engine's business. */

/** General registers in encoding order (SDM vol 2, table 3-1). */
export const GPR = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;

/** Segment registers in encoding order; the word holds the selector. */
export const SEGMENT = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

/** Every word of the state block, in memory order. `zero` stays 0: the absent base, index or segment. */
export const FIELDS = [
  ...GPR,
  'rip',
  'zero',
  'flagResult',
  'flagCarry',
  'rflagsRest',
  ...SEGMENT,
  'cpl',
  /** Of the hidden parts of ES, DS, FS and GS: what a return to an outer ring asks; see semantics/descriptors.ts. */
  'dataPrivilege',
  'fsBase',
  'gsBase',
  'kernelGsBase',
  'cr0',
  'cr2',
  'cr3',
  'cr4',
  'cr8',
  'dr0',
  'dr1',
  'dr2',
  'dr3',
  'dr6',
  'dr7',
  'efer',
  'star',
  'lstar',
  'cstar',
  'sfmask',
  'sysenterCs',
  'sysenterEsp',
  'sysenterEip',
  'mcgStatus',
  /** FRED (SDM vol 4): the current stack level is bits 1:0 of `fredConfig`. */
  'fredConfig',
  'fredStklvls',
  'fredRsp0',
  'fredRsp1',
  'fredRsp2',
  'fredRsp3',
  /** IA32_U_CET and IA32_S_CET, whose bit 11 waits for an ENDBR64 (SDM vol 1, 18.3). */
  'userCet',
  'supervisorCet',
  'idtBase',
  'idtLimit',
  'gdtBase',
  'gdtLimit',
  /** A null LDTR has a limit of 0: no descriptor lies in its table. */
  'ldtr',
  'ldtBase',
  'ldtLimit',
  'tr',
  'tssBase',
  'tssLimit',
  /** The time-stamp counter and IA32_TSC_AUX. */
  'tsc',
  'tscAux',
  /** The NMI latch, and the one NMI that is remembered while it is closed (SDM vol 3, 6.7.1). */
  'nmiBlocked',
  'nmiPending',
  /** A machine check, and the vector of a maskable interrupt (0 for none), that wait for their boundary. */
  'mcPending',
  'irqPending',
  /** HLT has been executed and no event has come since (the activity state of SDM vol 3, 24.4.2). */
  'halted',
  /** Inhibition for one instruction after MOV SS or STI, and DR6 bits of a #DB trap that waits. */
  'shadow',
  'debugTrap',
  /** What DR7 asks for, summed up in two bits, and DR6 bits that the transition under way has met. */
  'armedBreakpoints',
  'metBreakpoints',
  /**
   * What waits to be delivered at the next boundary; see engine/events/boundary.ts. No error code is pushed for
   * #DB: there `pendingCode` holds the bits that its cause sets in DR6.
   */
  'pendingKind',
  'pendingVector',
  'pendingCode',
  'pendingRip',
  'pendingInfo',
  'raisedVector',
  'raisedCode',
  'attention',
  'stop',
  'journalHead',
  'logHead',
] as const;

/** Width of a physical address, as CPUID 80000008H would tell: bits 51:46 of a page-table entry are reserved. */
export const MAXPHYADDR = 46;
/** Bits of CR4 that an instruction looks at: indirect branches are tracked, events are delivered by FRED. */
export const CR4 = { cet: 23, fred: 32 } as const;

/**
 * Bits of the `shadow` field. An instruction sets one when it begins an inhibition (SDM vol 3, 6.8.3);
 * the engine honours it at the boundary behind that instruction and clears it after the next one.
 * STI holds back maskable interrupts (on some models NMIs, too); MOV SS holds back also NMIs and #DB.
 */
export const SHADOW = { sti: 1n, movSs: 2n } as const;

/** Bits of the `armedBreakpoints` field: DR7 enables a breakpoint on execution, or one on data. */
export const ARMED = { execution: 1n, data: 2n } as const;

export type Gpr = (typeof GPR)[number];
export type Segment = (typeof SEGMENT)[number];
export type Field = (typeof FIELDS)[number];

/** A register operand by name; the four high bytes exist only without a REX prefix. */
export type HighByte = 'ah' | 'ch' | 'dh' | 'bh';
export type Register = Gpr | HighByte;
