/**
 * `pendingKind`: what the last instruction left to be delivered. The frame of a fault holds the RIP of the
 * instruction, the others the RIP behind it: a software interrupt (INT n, INT3), whose gate must be open to
 * the CPL, and a trap (INT1), which is not checked so.
 */
export const PENDING = { nothing: 0, fault: 1, software: 2, trap: 3 } as const;
