/** Fast system calls and their returns, without and with FRED, by both vendors' rules (SDM vol 2; APM vol 3). */
import { trackEntry } from '../endbranch.ts';
import { IF, RF } from '../flags.ts';
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import { CR4 } from '../state.ts';
import { requireKernel } from './system.ts';

/** Every flag but bit 1, which is always set. */
const FLAGS = 0xffff_fffdn;
/** RFLAGS bits SYSRET takes from R11; RF and VM are cleared (SDM vol 2, SYSRET). */
const SYSRET_FLAGS = 0x3c_7fd7n;
/** Vectors of the events of type 7 (SDM vol 2, SYSCALL and SYSENTER). */
const SYSTEM_EVENT = { syscall: 1, sysenter: 2 } as const;

const fred = <V>(m: Ops<V>): V => m.bit(m.get('cr4'), CR4.fred);
const udIf = <V>(m: Ops<V>, condition: V): void => m.raiseIf(condition, VECTOR.UD, m.word(0));
const selector = <V>(m: Ops<V>, base: V, distance: number): V =>
  m.truncate(16, m.add(base, m.word(distance)));

/** Ring 0, without a look at the descriptors: CS as given but for its RPL, SS behind it. The caller refreshes attention. */
function enterRing0<V>(m: Ops<V>, code: V, stack: V): void {
  m.set('cs', m.and(code, m.word(0xfffc)));
  m.set('ss', stack);
  m.set('cpl', m.word(0));
  trackEntry(m);
}

/**
 * SYSCALL without FRED: RSP and GS are left as the user had them. RF of the saved image is clear, as in every image
 * a program sees. A single step traps behind it if TF is still set after the mask, at CPL 0 (kvm-unit-tests
 * x86/syscall.c; Xen Security Advisory 204).
 */
function enterByStar<V>(m: Ops<V>): void {
  udIf(m, m.isZero(m.bit(m.get('efer'), 0)));
  const image = m.rflags();
  const base = m.bits(m.get('star'), 32, 16);
  m.set('rcx', m.nextRip());
  m.set('r11', m.and(image, m.word(~RF)));
  m.setRflags(m.and(image, m.not(m.get('sfmask'))), FLAGS & ~RF);
  m.setRflags(m.word(0), RF);
  enterRing0(m, base, selector(m, base, 8));
  m.stepByNewFlags();
  m.refreshAttention();
  m.jump(m.get('lstar'));
}

/** Under FRED an event of type 7, whatever EFER.SCE says (SDM vol 2, SYSCALL). */
export const syscall: Semantics = (m) =>
  m.when(
    fred(m),
    () => m.systemEvent(SYSTEM_EVENT.syscall),
    () => enterByStar(m),
  );

function requireSysret<V>(m: Ops<V>): void {
  udIf(m, m.or(m.isZero(m.bit(m.get('efer'), 0)), fred(m)));
  requireKernel(m);
}
/** To compatibility mode: what is refused in any mode is refused here, too. */
export const sysretl: Semantics = (m) => {
  requireSysret(m);
  m.stop('not modelled: SYSRET to 32 bits');
};

/**
 * SYSRET to 64-bit code. A non-canonical RCX raises #GP(0) while still in ring 0, on the user's stack: Intel's
 * order. On AMD the fetch that follows faults, in ring 3. Intel forces the RPL of SS to 3, AMD takes it from STAR;
 * that AMD leaves the hidden part of SS alone is not seen in 64-bit mode (APM vol 3, SYSRET).
 */
export const sysretq: Semantics = (m) => {
  requireSysret(m);
  const to = m.get('rcx');
  if (m.vendor.sysretChecksTarget) m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  const base = m.bits(m.get('star'), 48, 16);
  const stack = selector(m, base, 8);
  m.setRflags(m.and(m.get('r11'), m.word(SYSRET_FLAGS)), FLAGS);
  m.set('cs', m.or(selector(m, base, 16), m.word(3)));
  m.set('ss', m.vendor.sysretForcesStackRpl ? m.or(stack, m.word(3)) : stack);
  m.set('cpl', m.word(3));
  m.stepByNewFlags();
  m.refreshAttention();
  m.jump(to);
};

/** Without a selector in IA32_SYSENTER_CS there is no such call: #GP(0). */
const requireSelector = <V>(m: Ops<V>): void =>
  m.raiseIf(m.isZero(m.bits(m.get('sysenterCs'), 2, 14)), VECTOR.GP, m.word(0));

/** SYSENTER from 64-bit code: IF is cleared, TF is not. AMD has it in legacy mode only (APM vol 3, SYSENTER). */
export const sysenter: Semantics = (m) => {
  if (!m.vendor.sysenterInLongMode) {
    m.raise(VECTOR.UD, m.word(0));
    return;
  }
  m.when(
    fred(m),
    () => m.systemEvent(SYSTEM_EVENT.sysenter),
    () => {
      requireSelector(m);
      const code = m.and(m.get('sysenterCs'), m.word(0xfffc));
      m.setRflags(m.word(0), IF);
      m.set('rsp', m.get('sysenterEsp'));
      enterRing0(m, code, selector(m, code, 8));
      m.refreshAttention();
      m.jump(m.get('sysenterEip'));
    },
  );
};

function sysexitWith<V>(m: Ops<V>, proceed: () => void): void {
  if (!m.vendor.sysenterInLongMode) {
    m.raise(VECTOR.UD, m.word(0));
    return;
  }
  udIf(m, fred(m));
  requireKernel(m);
  requireSelector(m);
  proceed();
}
export const sysexit: Semantics = (m) => sysexitWith(m, () => m.stop('not modelled: SYSEXIT to 32 bits'));
/** SYSEXIT to 64-bit code: RIP from RDX, RSP from RCX, both canonical (SDM vol 2, SYSEXIT). */
export const sysexitq: Semantics = (m) =>
  sysexitWith(m, () => {
    const [to, rsp] = [m.get('rdx'), m.get('rcx')];
    m.raiseUnless(m.and(m.isCanonical(to), m.isCanonical(rsp)), VECTOR.GP, m.word(0));
    const base = m.get('sysenterCs');
    m.set('rsp', rsp);
    m.set('cs', m.or(selector(m, base, 32), m.word(3)));
    m.set('ss', m.or(selector(m, base, 40), m.word(3)));
    m.set('cpl', m.word(3));
    m.refreshAttention();
    m.jump(to);
  });
