import type { InstructionRules } from '../isa/ops.ts';

/** Where processors differ: each difference has a name and a source. */
export interface Vendor extends InstructionRules {
  readonly name: string;
  /**
   * Whether an IRET that faults has unblocked NMIs all the same. Intel: yes, before the fault's handler
   * runs (SDM vol 2, IRET; SDM vol 3, "NMI unblocking due to IRET"). AMD's manual only says that NMIs stay
   * masked until an IRET is executed (APM vol 2, 8.2.3).
   */
  readonly faultingIretUnblocksNmi: boolean;
  /**
   * Whether the instruction after an STI that set IF also holds back an NMI. Intel only documents it for
   * maskable interrupts and says that some processors do more (SDM vol 2, STI; SDM vol 3, table 25-3).
   */
  readonly stiShadowHoldsNmi: boolean;
  /**
   * Whether an instruction breakpoint right behind a load of SS is suppressed, as if RF were set. Intel: yes (SDM
   * vol 3, 17.3.1.1). AMD's manual does not say so, and KVM does not do it there (Linux v6.1, commit baf67ca8e545).
   */
  readonly movSsSuppressesBreakpoints: boolean;
}

/** Intel's documented behaviour, the default. */
export const INTEL: Vendor = {
  name: 'intel',
  faultingIretUnblocksNmi: true,
  stiShadowHoldsNmi: false,
  movSsSuppressesBreakpoints: true,
  sysretChecksTarget: true,
  sysretForcesStackRpl: true,
  sysenterInLongMode: true,
};

/**
 * As some hypervisors treat AMD processors: an IRET unblocks NMIs only when it completes. SYSRET and SYSENTER as in
 * the pseudo-code of APM vol 3.
 */
export const AMD: Vendor = {
  name: 'amd',
  faultingIretUnblocksNmi: false,
  stiShadowHoldsNmi: true,
  movSsSuppressesBreakpoints: false,
  sysretChecksTarget: false,
  sysretForcesStackRpl: false,
  sysenterInLongMode: false,
};
