/** What waits for delivery: latched by the instruction that raised or posted it, or by a delivery that failed. */
import { VECTOR } from '../../isa/ops.ts';
import type { Event, MachineOps } from '../machine-ops.ts';
import { tellDebug } from './debug.ts';
import { EVENT_TYPE, exceptionInfo, instructionInfo } from './event-info.ts';
import { MCG_STATUS } from './machine-check.ts';
import { PENDING } from './pending-kinds.ts';

/** What is told of an event that waits. `info` is what only FRED delivers; see `event-info.ts`. */
interface Posted<V> {
  readonly vector: V;
  readonly code: V;
  readonly rip: V;
  readonly info: V;
}
function post<V>(m: MachineOps<V>, kind: keyof typeof PENDING, { vector, code, rip, info }: Posted<V>): void {
  m.set('pendingKind', m.symbol(kind.toUpperCase(), PENDING[kind]));
  m.set('pendingVector', vector);
  m.set('pendingCode', code);
  m.set('pendingRip', rip);
  m.set('pendingInfo', info);
  m.refreshAttention();
}
const byInstruction = <V>(m: MachineOps<V>, vector: V, type: number): Posted<V> => ({
  vector,
  code: m.word(0),
  rip: m.nextRip(),
  info: instructionInfo(m, type),
});

/**
 * What was raised waits. A debug trap that a load of SS held back until now is dropped, and so is what the attempt
 * met: the manual says nothing of it, processors do so (Linux v6.12, tools/testing/selftests/x86/mov_ss_trap.c).
 */
function latch<V>(m: MachineOps<V>, rip: V, info: V): void {
  m.heading('What was raised waits in its place');
  m.set('debugTrap', m.word(0));
  m.set('metBreakpoints', m.word(0));
  post(m, 'fault', { vector: m.get('raisedVector'), code: m.get('raisedCode'), rip, info });
}

/** Latch what this attempt raised; its delivery is the next transition, and returns to `rip`. */
export function latchFault<V>(m: MachineOps<V>, rip: V): void {
  latch(m, rip, exceptionInfo(m, m.word(0)));
}

/** The same where the attempt was a delivery. @param nested whether what it raised is no double fault */
export function latchFaultOfDelivery<V>(m: MachineOps<V>, rip: V, nested: V): void {
  latch(m, rip, exceptionInfo(m, nested));
}

/** INT n and INT3: to be delivered with a check of the gate's DPL, returning behind the instruction. */
export function postSoftwareInterrupt<V>(m: MachineOps<V>, vector: V): void {
  post(m, 'software', byInstruction(m, vector, EVENT_TYPE.softwareInterrupt));
}
export function postSoftwareException<V>(m: MachineOps<V>, vector: number): void {
  post(m, 'software', byInstruction(m, m.word(vector), EVENT_TYPE.softwareException));
}

/** INT1: a trap as if from hardware, without that check (SDM vol 2, INT n/INTO/INT3/INT1). */
export function postTrap<V>(m: MachineOps<V>, vector: number): void {
  post(m, 'trap', byInstruction(m, m.word(vector), EVENT_TYPE.privilegedSoftwareException));
}

/** SYSCALL and SYSENTER under FRED (SDM vol 2). */
export function postSystemEvent<V>(m: MachineOps<V>, vector: number): void {
  post(m, 'software', byInstruction(m, m.word(vector), EVENT_TYPE.other));
}

/**
 * The event no longer waits, and the processor no longer does, even if pushing its frame then faults.
 *
 * An NMI closes the latch (SDM vol 3, 6.7.1). A machine check sets MCG_STATUS.MCIP and RIPV (SDM vol 3,
 * 15.3.1.2) and, as the event of higher priority, discards a debug trap of the same boundary (SDM vol 3, 6.9).
 * A #DB is told in DR6; INT1 says nothing there, and what a load of SS before it held back is not delivered
 * (mov_ss_trap.c as above), whereas INT n and INT3 leave it to the first instruction of their handler.
 */
export function accept<V>(m: MachineOps<V>, event: Event<V>): void {
  m.heading('The event no longer waits');
  m.set('halted', m.word(0));
  const own = m.isZero(m.isZero(m.get('pendingKind')));
  const ofDebug = m.eq(event.vector, m.symbol('#DB', VECTOR.DB));
  m.when(
    own,
    () => {
      m.set('pendingKind', m.symbol('NOTHING', PENDING.nothing));
      m.when(m.and(event.fault, ofDebug), () => tellDebug(m, event.errorCode));
      m.when(m.and(ofDebug, m.isZero(m.or(event.fault, event.software))), () =>
        m.set('debugTrap', m.word(0)),
      );
    },
    () =>
      m.when(
        event.nmi,
        () => {
          m.set('nmiPending', m.word(0));
          m.set('nmiBlocked', m.word(1));
        },
        () =>
          m.when(
            ofDebug,
            () => tellDebug(m, event.errorCode),
            () =>
              m.when(
                event.machineCheck,
                () => {
                  m.set('mcPending', m.word(0));
                  m.set('mcgStatus', m.or(m.get('mcgStatus'), m.word(MCG_STATUS.ripv | MCG_STATUS.mcip)));
                  m.set('debugTrap', m.word(0));
                },
                () => m.set('irqPending', m.word(0)),
              ),
          ),
      ),
  );
}
