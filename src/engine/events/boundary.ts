/** What happens between two instructions: the ordered list of checks. */
import { VECTOR } from '../../isa/ops.ts';
import type { Event, MachineOps } from '../machine-ops.ts';
import { shutsDown } from './machine-check.ts';
import { accept, latchFaultOfDelivery } from './pending.ts';
import { PENDING } from './pending-kinds.ts';
import { debugTrapIsDue, irqIsDue, nmiIsDue } from './shadows.ts';

/**
 * SDM vol 3, 6.9 "Priority Among Concurrent Events"; entered only when the attention word says that an
 * event is due, or that there is no room to write one more transition down, or when a breakpoint is at RIP.
 *
 * A debug trap tells of what the last instruction did, and of nothing else: an instruction breakpoint at the next one is
 * met behind it, as a #DB of its own. QEMU and Bochs tell of both at once and then meet the breakpoint again; an AMD EPYC
 * does as here (PTRACE_SINGLESTEP onto a breakpoint of DR0: DR6 says BS, and the breakpoint comes when it goes on).
 *
 * A fault and a software interrupt belong to the last instruction, so nothing comes before them. RESET, SMI
 * and INIT cannot happen here, and there is no task switch to trap. Behind the list come fetch, decoding and
 * execution, which raise their own faults.
 */
export function boundary<V>(m: MachineOps<V>): void {
  m.heading('There is room to write down one more transition');
  m.when(m.part('full', m.get('attention'), 1, 1), () => m.stop('journal or log full'));

  m.heading('A fault or software interrupt of the last instruction');
  const kind = m.get('pendingKind');
  const fault = m.named('fault', m.eq(kind, m.symbol('FAULT', PENDING.fault)));
  const software = m.named('software', m.eq(kind, m.symbol('SOFTWARE', PENDING.software)));
  const none = m.named('none', m.eq(kind, m.symbol('NOTHING', PENDING.nothing)));
  m.heading('Else a machine check: a shutdown while another one is served, or without CR4.MCE');
  const machineCheck = m.named('machine_check', m.and(none, m.part('waits', m.get('mcPending'), 0, 1)));
  m.when(m.and(machineCheck, shutsDown(m)), () => m.stop('shutdown'));
  m.heading('RESET, SMI, INIT, a task switch: none in this model');
  m.heading('Else a debug trap of the last instruction, unless SS was loaded just before');
  const trap = m.named('debug_trap', debugTrapIsDue(m));
  m.heading('Else an NMI, unless NMIs are blocked or held back');
  const nmiDue = m.named('nmi_is_due', nmiIsDue(m));
  m.heading('Else a maskable interrupt, if IF is set and nothing holds it back');
  const irqDue = m.named('irq_is_due', irqIsDue(m));
  m.heading('Else a processor that was halted goes on waiting');
  const due = m.or(m.isZero(none), m.or(m.or(machineCheck, trap), m.or(nmiDue, irqDue)));
  m.when(m.and(m.part('waits', m.get('halted'), 0, 1), m.isZero(due)), () => m.stop('halted'));
  m.heading('Else an instruction breakpoint, a fault that leaves RF as it is');
  const breakpoints = m.named('breakpoints', m.executionBreakpoints());

  m.heading('One event is delivered');
  const outside = m.named(
    'outside',
    m.select(nmiDue, m.symbol('NMI', VECTOR.NMI), m.select(irqDue, m.get('irqPending'), m.symbol('#DB', 1))),
  );
  const lower = m.select(trap, m.symbol('#DB', VECTOR.DB), outside);
  const external = m.named('external', m.select(machineCheck, m.symbol('#MC', VECTOR.MC), lower));
  const vector = m.named('vector', m.select(none, external, m.get('pendingVector')));
  const rip = m.named('return_rip', m.select(none, m.rip(), m.get('pendingRip')));
  const cause = m.named('debug_cause', m.select(trap, m.get('debugTrap'), breakpoints));
  const errorCode = m.named('error_code', m.select(none, cause, m.get('pendingCode')));
  const nmi = m.named('nmi', m.and(m.and(none, nmiDue), m.isZero(m.or(machineCheck, trap))));
  const event: Event<V> = { vector, errorCode, rip, fault, software, machineCheck, nmi };
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
  latchFaultOfDelivery(m, m.rip(), m.isZero(double));
}
