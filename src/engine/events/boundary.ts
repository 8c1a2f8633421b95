/** What happens between two instructions: the ordered list of checks. */
import { VECTOR } from '../../isa/ops.ts';
import type { Event, MachineOps } from '../machine-ops.ts';
import { accept, latchFault } from './pending.ts';
import { PENDING } from './pending-kinds.ts';
import { debugTrapIsDue, nmiIsDue } from './shadows.ts';

/**
 * SDM vol 3, 6.9 "Priority Among Concurrent Events"; entered only when the attention word says that an
 * event is due, or that there is no room to write one more transition down.
 *
 * A fault and a software interrupt belong to the last instruction, so nothing comes before them. RESET,
 * machine checks, SMI and INIT cannot happen here; there is no source of maskable interrupts. Then come
 * fetch, decoding and execution, which raise their own faults.
 */
export function boundary<V>(m: MachineOps<V>): void {
  m.heading('There is room to write down one more transition');
  m.when(m.part('full', m.get('attention'), 1, 1), () => m.stop('journal or log full'));

  m.heading('RESET, a machine check, SMI, INIT: none in this model');
  m.heading('A fault or software interrupt of the last instruction');
  const kind = m.get('pendingKind');
  const fault = m.named('fault', m.eq(kind, m.symbol('FAULT', PENDING.fault)));
  const software = m.named('software', m.eq(kind, m.symbol('SOFTWARE', PENDING.software)));
  const none = m.named('none', m.eq(kind, m.symbol('NOTHING', PENDING.nothing)));
  m.heading('Else a debug trap of the last instruction, unless SS was loaded just before');
  const debugTrap = m.named('debug_trap', m.and(none, debugTrapIsDue(m)));
  m.heading('Else an NMI, unless NMIs are blocked or held back');
  const due = m.named('nmi_is_due', nmiIsDue(m));
  const nmi = m.named('nmi', m.and(m.and(none, m.isZero(debugTrap)), due));
  m.heading('Else a maskable interrupt: none in this model');

  m.heading('One event is delivered');
  const external = m.select(nmi, m.symbol('NMI', VECTOR.NMI), m.symbol('#DB', VECTOR.DB));
  const vector = m.named('vector', m.select(none, external, m.get('pendingVector')));
  const rip = m.named('return_rip', m.select(none, m.rip(), m.get('pendingRip')));
  const errorCode = m.named('error_code', m.get('pendingCode'));
  const event: Event<V> = { vector, errorCode, rip, fault, software, debugTrap, nmi };
  m.attempt(
    () => m.deliver(event),
    () => escalate(m, event),
  );
}

/** Contributory exceptions (SDM vol 3, table 6-4). */
const CONTRIBUTORY = [VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP, VECTOR.CP];

/** A fault while delivering an event (SDM vol 3, table 6-5): delivered in its turn, double fault, or shutdown. */
export function escalate<V>(m: MachineOps<V>, event: Event<V>): void {
  m.heading('If that raised: a second fault, a double fault, or shutdown');
  const first = event.vector;
  const second = m.named('second', m.get('raisedVector'));
  const pageFault = m.named('page_fault', m.eq(second, m.symbol('#PF', VECTOR.PF)));
  const contributory = m.named('contributory', m.isOneOf(second, CONTRIBUTORY));
  const severe = m.named('severe', m.or(pageFault, contributory));
  const inDoubleFault = m.and(event.fault, m.eq(first, m.symbol('#DF', VECTOR.DF)));
  m.when(m.and(inDoubleFault, severe), () => m.stop('shutdown'));
  const afterPageFault = m.and(m.eq(first, m.symbol('#PF', VECTOR.PF)), severe);
  const afterContributory = m.and(m.isOneOf(first, CONTRIBUTORY), contributory);
  const double = m.named('double', m.and(event.fault, m.or(afterPageFault, afterContributory)));
  // EXT: the event was not asked for by the program (SDM vol 3, 6.13); #PF has no such bit.
  const external = m.named('EXT', m.and(m.isZero(event.software), m.isZero(pageFault)));
  m.set('raisedVector', m.select(double, m.symbol('#DF', VECTOR.DF), second));
  m.set('raisedCode', m.select(double, m.word(0), m.or(m.get('raisedCode'), external)));
  accept(m, event);
  latchFault(m, m.rip());
}
