/**
 * Indirect branch tracking: behind an indirect JMP or CALL the next instruction must be ENDBR64 (SDM vol 1, 18.3).
 *
 * User and supervisor mode have a state each: bit 11 of IA32_U_CET and of IA32_S_CET waits. What is not modelled
 * are shadow stacks and the bitmap of legacy code pages: WRMSR refuses to turn them on.
 */
import type { Ops } from './ops.ts';
import { CR4 } from './state.ts';

/** Bits of IA32_U_CET and IA32_S_CET (SDM vol 4, IA32_U_CET and IA32_S_CET). */
export const CET = {
  shadowStack: 1n << 0n,
  writeShadowStack: 1n << 1n,
  endbranch: 2,
  legacyBitmap: 1n << 3n,
  noTrack: 4,
  reserved: 0xfn << 6n,
  suppress: 10,
  wait: 11,
} as const;
const SUPPRESS = 1n << BigInt(CET.suppress);
const WAIT = 1n << BigInt(CET.wait);

const isUser = <V>(m: Ops<V>): V => m.eq(m.get('cpl'), m.word(3));
const isEnabled = <V>(m: Ops<V>, cet: V): V => m.bit(cet, CET.endbranch);

/** The state of the CPL. */
function current<V>(m: Ops<V>): V {
  return m.named('CET', m.select(isUser(m), m.get('userCet'), m.get('supervisorCet')));
}
function setCurrent<V>(m: Ops<V>, value: V): void {
  m.when(
    isUser(m),
    () => m.set('userCet', value),
    () => m.set('supervisorCet', value),
  );
  m.refreshAttention();
}
const whenOn = <V>(m: Ops<V>, then: () => void): void => m.when(m.bit(m.get('cr4'), CR4.cet), then);

/**
 * Behind an indirect JMP or CALL, before control goes there: wait for ENDBR64, unless tracking is suppressed, or the
 * branch has a 3E prefix and the mode allows that (SDM vol 1, 18.3.1; vol 2, JMP and CALL).
 *
 * @param noTrack whether the branch has the prefix
 */
export function trackIndirect<V>(m: Ops<V>, noTrack: V): void {
  whenOn(m, () => {
    const cet = current(m);
    const exempt = m.or(m.bit(cet, CET.suppress), m.and(noTrack, m.bit(cet, CET.noTrack)));
    m.when(m.and(isEnabled(m, cet), m.isZero(exempt)), () => setCurrent(m, m.or(cet, m.word(WAIT))));
  });
}

/**
 * Behind a far JMP or CALL to the same ring: neither a prefix nor what was suppressed exempts it (SDM vol 2, JMP and
 * CALL).
 */
export function trackFar<V>(m: Ops<V>): void {
  whenOn(m, () => {
    const cet = current(m);
    m.when(isEnabled(m, cet), () => setCurrent(m, m.or(m.and(cet, m.word(~SUPPRESS)), m.word(WAIT))));
  });
}

/** ENDBR64: nothing is waited for any more, and nothing is suppressed (SDM vol 2, ENDBR64). */
export function endWait<V>(m: Ops<V>): void {
  whenOn(m, () => {
    const cet = current(m);
    m.when(isEnabled(m, cet), () => setCurrent(m, m.and(cet, m.word(~(SUPPRESS | WAIT)))));
  });
}

/**
 * An entry to ring 0 by gate, SYSCALL or SYSENTER must be an ENDBR64 (SDM vol 2, INT n, SYSCALL, SYSENTER).
 * Of an entry from ring 0 this forgets what was waited for before. The caller refreshes the attention word.
 */
export function trackEntry<V>(m: Ops<V>): void {
  whenOn(m, () => {
    const cet = m.get('supervisorCet');
    m.when(isEnabled(m, cet), () =>
      m.set('supervisorCet', m.or(m.and(cet, m.word(~SUPPRESS)), m.word(WAIT))),
    );
  });
}

/**
 * An entry by FRED need not be one: the state is idle in the handler, and what was waited for lies in the frame
 * (FRED specification 9.0, as Linux commit "x86/fred: Remove ENDBR64 from FRED entry points" cites it).
 */
export function forgetSupervisorWait<V>(m: Ops<V>): void {
  whenOn(m, () => {
    const cet = m.get('supervisorCet');
    m.when(isEnabled(m, cet), () => m.set('supervisorCet', m.and(cet, m.word(~(SUPPRESS | WAIT)))));
  });
}

/** Whether supervisor code waits; 0 while tracking is off. */
export function supervisorWaits<V>(m: Ops<V>): V {
  const cet = m.get('supervisorCet');
  return m.and(m.bit(m.get('cr4'), CR4.cet), m.and(isEnabled(m, cet), m.bit(cet, CET.wait)));
}

/** ERETS: wait again, if that was so when the event came and tracking is not suppressed (SDM vol 2, ERETS). */
export function resumeWait<V>(m: Ops<V>, waited: V): void {
  whenOn(m, () => {
    const cet = m.get('supervisorCet');
    const tracks = m.and(isEnabled(m, cet), m.isZero(m.bit(cet, CET.suppress)));
    m.when(m.and(waited, tracks), () => m.set('supervisorCet', m.or(cet, m.word(WAIT))));
  });
}

/** Whether the next instruction must be ENDBR64, or INT3, which a debugger may have put there. */
export function waits<V>(m: Ops<V>): V {
  return m.choose(
    m.bit(m.get('cr4'), CR4.cet),
    () => {
      const cet = m.select(isUser(m), m.get('userCet'), m.get('supervisorCet'));
      return m.and(isEnabled(m, cet), m.bit(cet, CET.wait));
    },
    () => m.word(0),
  );
}

/** Error code of #CP for a missing ENDBR64 (SDM vol 3, "Interrupt 21"). */
export const MISSING_ENDBRANCH = 3;
