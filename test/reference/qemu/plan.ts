/** What comes from outside in `outside.s`, in its order. */
import type { Arrival } from '../guest/ours.ts';

export const PLAN: readonly Arrival[] = [
  { at: 'at_check', events: ['mc'] },
  { at: 'at_check_with_interrupts_on', events: ['mc'] },
  { at: 'at_check_in_user_mode', events: ['mc'] },
  { at: 'at_check_in_repeat', visit: 3, events: ['mc'] },
  { at: 'at_check_in_nmi', events: ['mc'] },
  { at: 'at_check_and_nmi', events: ['mc', 'nmi'] },
  { at: 'halted', events: ['mc'] },
  { at: 'at_nmi_from_outside', events: ['nmi'] },
  { at: 'at_nmi_in_repeat', visit: 3, events: ['nmi'] },
  { at: 'at_nmi_behind_mov_ss', events: ['nmi'] },
  { at: 'at_nmi_behind_sti', events: ['nmi'] },
  { at: 'halted', events: ['nmi'] },
  { at: 'at_check_in_check', events: ['mc'] },
  { at: 'at_check_in_check_again', events: ['mc'] },
];
