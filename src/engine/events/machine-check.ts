/** Machine checks: what the model has of them is the event itself and one register. */
import type { MachineOps } from '../machine-ops.ts';

/** Bits of IA32_MCG_STATUS (SDM vol 3, 15.3.1.2): the saved RIP can be restarted, and a machine check is being served. */
export const MCG_STATUS = { ripv: 1n << 0n, mcip: 1n << 2n } as const;
const MCIP_BIT = 2;
/** CR4.MCE. */
const ENABLE_BIT = 6;

/**
 * Whether a machine check would shut the processor down: while MCG_STATUS.MCIP is set, or CR4.MCE clear
 * (SDM vol 3, 15.3.1.2 and 2.5). The handler clears MCIP by WRMSR when it is through.
 */
export const shutsDown = <V>(m: MachineOps<V>): V =>
  m.or(m.part('MCIP', m.get('mcgStatus'), MCIP_BIT, 1), m.isZero(m.part('MCE', m.get('cr4'), ENABLE_BIT, 1)));
