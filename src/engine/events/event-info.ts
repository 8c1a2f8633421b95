/**
 * What a FRED frame says of its event: the upper half of the SS word (SDM vol 3, 8.3; FRED specification 5.0, 5.2.1).
 * The same bits, here from 0 up, are kept of an event that waits.
 */
import type { MachineOps } from '../machine-ops.ts';

/** The manual's event types. */
export const EVENT_TYPE = {
  interrupt: 0,
  nmi: 2,
  exception: 3,
  /** INT n. */
  softwareInterrupt: 4,
  /** INT1. */
  privilegedSoftwareException: 5,
  /** INT3, INTO. */
  softwareException: 6,
  /** SYSCALL, SYSENTER. */
  other: 7,
} as const;

/** Bit numbers; the vector is the lowest byte. */
export const INFO = { type: 16, longMode: 25, nested: 26, length: 28 } as const;

/** An exception; `nested` if delivering another event raised it and it is no double fault. */
export const exceptionInfo = <V>(m: MachineOps<V>, nested: V): V =>
  m.or(m.word(EVENT_TYPE.exception << INFO.type), m.shl(nested, m.word(INFO.nested)));

/** An event that this instruction asks for: its length is told. */
export const instructionInfo = <V>(m: MachineOps<V>, type: number): V =>
  m.or(m.word(type << INFO.type), m.shl(m.sub(m.nextRip(), m.rip()), m.word(INFO.length)));
