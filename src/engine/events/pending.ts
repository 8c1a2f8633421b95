/** What waits for delivery: latched by the instruction that raised or posted it, or by a delivery that failed. */
import type { Event, MachineOps } from '../machine-ops.ts';
import { PENDING } from './pending-kinds.ts';

function post<V>(m: MachineOps<V>, kind: keyof typeof PENDING, vector: V, code: V, rip: V): void {
  m.set('pendingKind', m.symbol(kind.toUpperCase(), PENDING[kind]));
  m.set('pendingVector', vector);
  m.set('pendingCode', code);
  m.set('pendingRip', rip);
  m.refreshAttention();
}

/** Latch what this attempt raised; its delivery is the next transition, and returns to `rip`. */
export function latchFault<V>(m: MachineOps<V>, rip: V): void {
  post(m, 'fault', m.get('raisedVector'), m.get('raisedCode'), rip);
}

/** INT n, INT3: to be delivered with a check of the gate's DPL, returning behind the instruction. */
export function postSoftwareInterrupt<V>(m: MachineOps<V>, vector: V): void {
  post(m, 'software', vector, m.word(0), m.nextRip());
}

/** INT1: a trap as if from hardware, without that check (SDM vol 2, INT n/INTO/INT3/INT1). */
export function postTrap<V>(m: MachineOps<V>, vector: number): void {
  post(m, 'trap', m.word(vector), m.word(0), m.nextRip());
}

/**
 * The event no longer waits. An NMI closes the latch as it is accepted, even if pushing its frame then
 * faults (SDM vol 3, 6.7.1); a debug trap is told in DR6 (SDM vol 3, 18.2.3).
 */
export function accept<V>(m: MachineOps<V>, event: Event<V>): void {
  m.when(
    event.nmi,
    () => {
      m.set('nmiPending', m.word(0));
      m.set('nmiBlocked', m.word(1));
    },
    () =>
      m.when(
        event.debugTrap,
        () => {
          m.set('dr6', m.or(m.get('dr6'), m.get('debugTrap')));
          m.set('debugTrap', m.word(0));
        },
        () => m.set('pendingKind', m.symbol('NOTHING', PENDING.nothing)),
      ),
  );
}
