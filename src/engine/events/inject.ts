/** Events that come from outside, posted at the boundary a machine stands at. */
import { VECTOR } from '../../isa/ops.ts';
import { CR4, type Field, SHADOW } from '../../isa/state.ts';
import { ATTENTION } from '../layout.ts';
import { DR6 } from './debug.ts';
import { EVENT_TYPE, INFO } from './event-info.ts';
import { PENDING } from './pending-kinds.ts';

/** Becomes of an event from outside: it waits for the next boundary, for the latch, or is one with an earlier one. */
export type Injection = 'pending' | 'latched' | 'merged';

/**
 * `nmi` a non-maskable interrupt. `mc` a machine check. `irq` a maskable interrupt. `db` the trap of a data
 * breakpoint, or whatever else `dr6` says, that the last instruction met. `bp` as if an INT3 stood right before the
 * next instruction and had just been executed. `pf`, `gp` a fault of the next instruction, which begins again
 * when its handler returns; so is `vc`, the #VC of an encrypted guest (APM vol 2, 15.35.5). Whether such an event
 * has a cause here is for the caller to say.
 */
export type EventName = 'nmi' | 'mc' | 'db' | 'bp' | 'pf' | 'gp' | 'vc' | 'irq';

/** What there is to say of an event. */
export interface EventDetail {
  /** `irq`: 16 to 255; 32 unless told. */
  readonly vector?: number;
  /** `pf`: the linear address for CR2; 0 unless told. */
  readonly address?: bigint;
  /** `pf`, `gp`, `vc`: the error code; 0 unless told. */
  readonly code?: bigint;
  /** `db`: which of B0 to B3 and BS it sets in DR6; B0 unless told. */
  readonly dr6?: bigint;
}

/** The words of the state block, read and written. */
export interface Words {
  get(field: Field): bigint;
  put(field: Field, value: bigint): void;
}

const refused = (problem: string): { readonly problem: string } => ({ problem });

/** Put an event where the boundary looks for it; the attention word must be summed up behind. */
export function inject(
  words: Words,
  event: EventName,
  { vector = 32, address = 0n, code = 0n, dr6 = 1n }: EventDetail,
): Injection | { readonly problem: string } {
  switch (event) {
    case 'nmi':
      return once(words, 'nmiPending', 1n, words.get('nmiBlocked') === 0n ? 'pending' : 'latched');
    case 'mc':
      return once(words, 'mcPending', 1n);
    case 'irq':
      // The local APIC refuses vectors 0 to 15 (SDM vol 3, 10.5.2).
      if (!Number.isInteger(vector) || vector < 16 || vector > 255)
        return refused(`invalid vector: ${vector}`);
      return once(words, 'irqPending', BigInt(vector));
    case 'db': {
      if (dr6 === 0n || (dr6 & ~(DR6.breakpoints | DR6.singleStep)) !== 0n)
        return refused(`invalid bits of dr6: 0x${BigInt.asUintN(64, dr6).toString(16)}`);
      const waiting = words.get('debugTrap');
      words.put('debugTrap', waiting | dr6);
      return waiting === 0n ? 'pending' : 'merged';
    }
    case 'bp':
      return ownEvent(words, event) ?? post(words, PENDING.software, VECTOR.BP, 0n);
    case 'gp':
      return ownEvent(words, event) ?? post(words, PENDING.fault, VECTOR.GP, code);
    case 'vc':
      return ownEvent(words, event) ?? post(words, PENDING.fault, VECTOR.VC, code);
    case 'pf': {
      const problem = ownEvent(words, event);
      if (problem) return problem;
      words.put('cr2', address);
      return post(words, PENDING.fault, VECTOR.PF, code);
    }
  }
}

/** One of a kind is remembered; a second one is one with it. */
function once(words: Words, field: Field, value: bigint, found: Injection = 'pending'): Injection {
  if (words.get(field) !== 0n) return 'merged';
  words.put(field, value);
  return found;
}

/** An instruction has its event only if it comes to be executed: not before what is due, and not in a halted processor. */
function ownEvent(words: Words, event: EventName): { readonly problem: string } | undefined {
  if (words.get('halted') !== 0n) return refused(`invalid ${event}: the processor is halted`);
  if ((words.get('attention') & ATTENTION.event) !== 0n)
    return refused(`invalid ${event}: another event comes first`);
  return undefined;
}

/** As the attempt of an instruction would leave it: a fault drops what a load of SS held back, an INT3 ends the shadow. */
function post(words: Words, kind: number, vector: number, code: bigint): Injection {
  if (kind === PENDING.fault) words.put('debugTrap', 0n);
  else words.put('shadow', words.get('shadow') & ~(SHADOW.sti | SHADOW.movSs));
  words.put('pendingKind', BigInt(kind));
  words.put('pendingVector', BigInt(vector));
  words.put('pendingCode', code);
  words.put('pendingRip', words.get('rip'));
  // Only FRED tells it, and only there is it a part of the state.
  if (((words.get('cr4') >> BigInt(CR4.fred)) & 1n) !== 0n) words.put('pendingInfo', infoOf(kind));
  return 'pending';
}

/** What FRED tells of a fault, and of an INT3, which is one byte long. */
const infoOf = (kind: number): bigint =>
  kind === PENDING.fault
    ? BigInt(EVENT_TYPE.exception << INFO.type)
    : BigInt((EVENT_TYPE.softwareException << INFO.type) | (1 << INFO.length));
