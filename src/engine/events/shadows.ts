/** What holds events back for one instruction, and what follows an instruction: shadows, RF and TF. */
import { waits } from '../../isa/endbranch.ts';
import { RF } from '../../isa/flags.ts';
import { ATTENTION } from '../layout.ts';
import type { MachineOps } from '../machine-ops.ts';
import { DR6, postMet } from './debug.ts';
import { PENDING } from './pending-kinds.ts';

/** Bit numbers in RFLAGS. */
const TF_BIT = 8;
const IF_BIT = 9;
const RF_BIT = 16;

/**
 * Whether a debug trap may be delivered now: a load of SS holds it back for one instruction (SDM vol 3, 6.8.3).
 */
export const debugTrapIsDue = <V>(m: MachineOps<V>): V =>
  m.and(m.isZero(m.isZero(m.get('debugTrap'))), m.isZero(m.part('MOV_SS', m.get('shadow'), 1, 1)));

/**
 * Whether an NMI may be delivered now: one waits, NMIs are not blocked (SDM vol 3, 6.7.1), no load of SS
 * and, as the vendor has it, no STI came just before.
 */
export function nmiIsDue<V>(m: MachineOps<V>): V {
  const loadedSs = m.part('MOV_SS', m.get('shadow'), 1, 1);
  const held = m.vendor.stiShadowHoldsNmi ? m.or(loadedSs, m.part('STI', m.get('shadow'), 0, 1)) : loadedSs;
  const waits = m.part('waits', m.get('nmiPending'), 0, 1);
  return m.and(waits, m.isZero(m.or(m.part('closed', m.get('nmiBlocked'), 0, 1), held)));
}

/**
 * Whether a maskable interrupt may be delivered now: one waits, IF is set, neither STI nor a load of SS came
 * just before (SDM vol 3, 6.8.1 and 6.8.3), and its class, the high half of the vector, is above the task
 * priority (SDM vol 3, 10.8.3.1).
 */
export function irqIsDue<V>(m: MachineOps<V>): V {
  const vector = m.get('irqPending');
  const enabled = m.and(m.bit(m.get('rflagsRest'), IF_BIT), m.isZero(m.get('shadow')));
  return m.and(enabled, m.below(m.get('cr8'), m.part('class', vector, 4, 4)));
}

/** Sum up in the attention word what the run loop must look at. */
export function refreshAttention<V>(m: MachineOps<V>): void {
  const own = m.or(m.get('pendingKind'), m.or(m.get('mcPending'), m.get('halted')));
  const traps = m.or(m.isZero(m.isZero(own)), debugTrapIsDue(m));
  const event = m.or(traps, m.or(nmiIsDue(m), irqIsDue(m)));
  const flags = m.get('rflagsRest');
  const armed = m.get('armedBreakpoints');
  const under = m.or(m.bit(flags, TF_BIT), m.or(m.bit(flags, RF_BIT), m.bit(armed, 1)));
  const after = m.shl(m.isZero(m.isZero(m.or(m.get('shadow'), under))), m.word(2));
  const before = m.shl(m.bit(armed, 0), m.word(3));
  const full = m.and(m.get('attention'), m.word(ATTENTION.full));
  const endbranch = m.shl(waits(m), m.word(4));
  m.set('attention', m.or(m.or(m.or(full, before), endbranch), m.or(event, after)));
}

/**
 * SYSCALL and SYSRET: the TF they have loaded decides whether a single step traps behind them, with the new CPL
 * (kvm-unit-tests x86/syscall.c). `retire` then leaves the TF of before alone.
 */
export function stepByNewFlags<V>(m: MachineOps<V>): void {
  m.ownStep();
  m.when(m.bit(m.get('rflagsRest'), TF_BIT), () =>
    m.set('debugTrap', m.or(m.get('debugTrap'), m.word(DR6.singleStep))),
  );
}

/** What an instruction said of what follows it; truths. */
export interface Behind<V> {
  /** It was an IRET, which loads RF, or an iteration of a repeated string instruction that is not the last. */
  readonly keepsRf: V;
  /** It has said by itself whether a single step traps. */
  readonly ownStep: V;
}

/** What an instruction began under. */
export interface Before<V> {
  readonly shadow: V;
  readonly flags: V;
}

/** Taken before an instruction that `retire` will follow. */
export const beforeInstruction = <V>(m: MachineOps<V>): Before<V> => ({
  shadow: m.named('shadow_before', m.get('shadow')),
  flags: m.named('flags_before', m.get('rflagsRest')),
});

/**
 * What follows an instruction that ran under TF, RF, a shadow or a data breakpoint (SDM vol 3, 17.3.1.2,
 * 17.3.1.4 and 6.8.3).
 *
 * TF counts as it was before the instruction, so that the instruction which sets it does not trap. A fault
 * or a software interrupt is no completed instruction: it traps no step, and a fault keeps RF. The step of a
 * load of SS is suppressed, whereas a data breakpoint that it meets waits for the end of the shadow.
 */
export function retire<V>(m: MachineOps<V>, before: Before<V>, { keepsRf, ownStep }: Behind<V>): void {
  const kind = m.get('pendingKind');
  m.heading('A shadow lasts one instruction; a second one in a row does not prolong it');
  const faulted = m.eq(kind, m.symbol('FAULT', PENDING.fault));
  m.together(() =>
    m.when(m.isZero(faulted), () => {
      const shadow = m.named('shadow_left', m.and(m.get('shadow'), m.not(before.shadow)));
      m.set('shadow', shadow);
      m.heading('RF suppresses breakpoints for one instruction');
      m.when(m.and(m.bit(before.flags, RF_BIT), m.isZero(keepsRf)), () => m.setRflags(m.word(0), RF));
      m.heading(
        'A completed instruction that began with TF set traps, unless it has loaded SS; SYSCALL and SYSRET decided',
      );
      const completed = m.eq(kind, m.symbol('NOTHING', PENDING.nothing));
      const decided = m.or(m.part('MOV_SS', shadow, 1, 1), ownStep);
      const step = m.and(m.bit(before.flags, TF_BIT), m.isZero(decided));
      m.when(m.and(completed, step), () =>
        m.set('debugTrap', m.or(m.get('debugTrap'), m.word(DR6.singleStep))),
      );
      m.heading('So does one that has met a data breakpoint');
      postMet(m);
    }),
  );
}
