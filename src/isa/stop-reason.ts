/**
 * Why a run stops, by number. The state block holds the number, in marks and on every backend alike: a reason keeps its
 * own for ever, and a new one is added at the end.
 */

/** What is recognised and not modelled; `engine/not-modelled.ts` says a sentence of each. */
export const NOT_MODELLED = [
  'CR4.LA57',
  'CR4.PKE',
  'CR4.PKS',
  'physical address outside memory',
  'return to compatibility mode',
  'call gate',
  'jump to compatibility mode',
  'SYSRET to 32 bits',
  'shadow stacks',
  'MSR APIC_BASE',
  'MSR MCG_CAP',
  'MSR DEBUGCTL',
  'MSR PAT',
  'MSR machine-check banks',
  'MSR TSC_DEADLINE',
  'MSR x2APIC',
  'MSR',
  'legacy code page bitmap',
  'CR4.VMXE',
  'CR4.SMXE',
  'CR4.UINTR',
  'CR4.LASS',
  'CR4.LAM_SUP',
  'port I/O',
  'SYSEXIT to 32 bits',
  'performance counters',
  'random numbers',
  'lists of MSRs',
  'MONITOR and MWAIT',
  'SMM',
  'SMX',
  'PCONFIG',
  'CLZERO',
  'INVLPGB',
  'protection keys',
  'PTWRITE',
  'ENQCMD',
  'user interrupts',
  'VMX',
  'SVM',
  'SEV',
  'TDX',
  'SGX',
  'TSX',
  'XSAVE',
  'SSE',
  'x87',
  'AVX',
  'AVX-512',
  'gate outside ring 0',
] as const;
export type NotModelled = (typeof NOT_MODELLED)[number];

export type StopReason =
  | 'none'
  | 'undecoded'
  | 'halted'
  | 'shutdown'
  | 'journal or log full'
  | `not modelled: ${NotModelled}`;

export const STOP_REASONS: readonly StopReason[] = [
  'none',
  'undecoded',
  'halted',
  'shutdown',
  'journal or log full',
  ...NOT_MODELLED.map((name): StopReason => `not modelled: ${name}`),
];

/** The number of a reason. */
export const stopNumber = (reason: StopReason): number => STOP_REASONS.indexOf(reason);

/** The reason that a number in the state block stands for. */
export const stopReasonOf = (number: number): StopReason => STOP_REASONS[number] ?? 'none';
