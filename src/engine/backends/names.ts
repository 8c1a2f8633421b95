/** What the manual calls the words of the state block; registers are written in capitals. */
import type { Field } from '../../isa/state.ts';

const NAMES: Readonly<Partial<Record<Field, string>>> = {
  rflagsRest: 'RFLAGS',
  fsBase: 'FS.base',
  gsBase: 'GS.base',
  kernelGsBase: 'KERNEL_GS_BASE',
  idtBase: 'IDTR.base',
  idtLimit: 'IDTR.limit',
  gdtBase: 'GDTR.base',
  gdtLimit: 'GDTR.limit',
  tssBase: 'TR.base',
  mcgStatus: 'MCG_STATUS',
  nmiBlocked: 'NMI_blocked',
  nmiPending: 'NMI_pending',
  mcPending: 'machine_check_pending',
  irqPending: 'interrupt_pending',
  halted: 'halted',
  shadow: 'shadow',
  debugTrap: 'debug_bits',
  armedBreakpoints: 'armed',
  metBreakpoints: 'met',
  pendingKind: 'pending.kind',
  pendingVector: 'pending.vector',
  pendingCode: 'pending.error_code',
  pendingRip: 'pending.rip',
  raisedVector: 'raised.vector',
  raisedCode: 'raised.error_code',
  attention: 'attention',
};

export const fieldName = (field: Field): string => NAMES[field] ?? field.toUpperCase();
