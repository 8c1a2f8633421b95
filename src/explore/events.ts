/** What may strike, and where each kind has a cause. */
import type { EventName } from '../engine/events/inject.ts';
import { WHERE } from '../scenario/causes.ts';

/** One kind of event. */
export interface Strikes {
  readonly event: EventName;
  /** Where it can occur, as a reader is told. */
  readonly where: string;
}

/**
 * Every kind, in the order in which events of one boundary are taken to have come. An event of the instruction at
 * RIP (`pf`, `bp`, `vc`) comes first, since nothing may be due before it.
 */
export const KINDS: readonly Strikes[] = (['pf', 'bp', 'gp', 'vc', 'db', 'mc', 'irq', 'nmi'] as const).map(
  (event) => ({
    event,
    where: WHERE[event],
  }),
);
