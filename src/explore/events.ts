/** What may strike, and where each kind has a cause. */
import type { Machine } from '../engine/machine.ts';

/** One kind of event in one design. */
export interface Strikes {
  readonly event: 'nmi';
  /** Where it can occur, as a reader is told. */
  readonly where: string;
  /** Whether it can occur at the boundary where the machine stands. */
  readonly may: (machine: Machine) => boolean;
  readonly strike: (machine: Machine) => void;
}

/** An NMI has no cause in the code: it comes anywhere, and waits while NMIs are blocked. */
export const NMI: Strikes = {
  event: 'nmi',
  where: 'at any boundary; it waits while NMIs are blocked',
  may: () => true,
  strike: (machine) => {
    machine.injectNmi();
  },
};
