/** Where control goes: branches, calls, software interrupts (SDM vol 1, 5.1.7). */
import type { ConditionCode } from '../flags.ts';
import { LOGGED, type Ops, type Semantics, VECTOR } from '../ops.ts';
import { CR4 } from '../state.ts';
import type { NotModelled } from '../stop-reason.ts';
import { push } from './stack.ts';

export const jcc =
  (code: ConditionCode): Semantics =>
  (m, { a }) =>
    m.when(m.condition(code), () => m.jumpTo(a));
export const jmp: Semantics = (m, { a }) => m.jumpTo(a);
/** JRCXZ and, with prefix 67, JECXZ. */
export const jrcxz =
  (width: 32 | 64): Semantics =>
  (m, { a }) =>
    m.when(m.isZero(m.reg(width, 'rcx')), () => m.jumpTo(a));

/** LOOP, LOOPE, LOOPNE count RCX or, with prefix 67, ECX down and leave the flags alone. */
export const loop =
  (width: 32 | 64, code?: ConditionCode): Semantics =>
  (m, { a }) => {
    const left = m.named('left', m.truncate(width, m.sub(m.reg(width, 'rcx'), m.word(1))));
    m.setReg(width, 'rcx', left);
    const more = m.isZero(m.isZero(left));
    m.when(code === undefined ? more : m.and(more, m.condition(code)), () => m.jumpTo(a));
  };

/** A non-canonical target raises #GP(0) at the branch; an unmapped one faults when it is fetched. */
export const jmpIndirect: Semantics = (m, { a }) => {
  const to = m.read(a);
  m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  m.trackIndirect();
  m.jump(to);
};

/** Push the return address and log it for the truth; no path ends here. */
function pushReturn<V>(m: Ops<V>): void {
  const slot = m.sub(m.get('rsp'), m.word(8));
  push(m, 64, m.nextRip());
  m.log(LOGGED.call, m.rip(), slot, m.nextRip());
}

export const call: Semantics = (m, { a }) => {
  pushReturn(m);
  m.jumpTo(a);
};

/** The target is read with the old RSP and checked before anything is written. */
export const callIndirect: Semantics = (m, { a }) => {
  const to = m.read(a);
  m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  pushReturn(m);
  m.trackIndirect();
  m.jump(to);
};

/** RET, and RET imm16 which drops so many bytes more. */
export const ret: Semantics = (m, { a }) => {
  const top = m.get('rsp');
  const to = m.load(64, top, 'stack');
  m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  const above = m.add(top, m.word(8));
  m.set('rsp', a.kind === 'i' ? m.add(above, m.read(a)) : above);
  m.log(LOGGED.return, m.rip(), top, to);
  m.jump(to);
};

/** INT3 and INT1 are traps: the frame holds the next RIP; a fault of the delivery is a fault *of* them. */
export const int3: Semantics = (m) => m.interrupt(VECTOR.BP);
export const int1: Semantics = (m) => m.interrupt(VECTOR.DB);
export const int: Semantics = (m, { a }) => m.interrupt(m.read(a));
export const iret: Semantics = (m, { width }) => m.returnFromInterrupt(width);

/** #UD without CR4.FRED and outside ring 0 (SDM vol 2, ERETS and ERETU). */
const returnFromEvent =
  (to: 'supervisor' | 'user'): Semantics =>
  (m) => {
    const enabled = m.and(m.bit(m.get('cr4'), CR4.fred), m.isZero(m.get('cpl')));
    m.raiseUnless(enabled, VECTOR.UD, m.word(0));
    m.returnFromEvent(to);
  };
export const erets = returnFromEvent('supervisor');
export const eretu = returnFromEvent('user');

/** A target of indirect branches: nothing is waited for any more. ENDBR32 is that in 32-bit code only. */
export const endbr64: Semantics = (m) => m.endWait();

/** UD0, UD1, UD2: reserved to raise #UD. */
export const ud: Semantics = (m) => m.raise(VECTOR.UD, m.word(0));

export const nop: Semantics = () => {};

const REFUSALS = new Map<string, Semantics>();

/** A row that is recognised and refused by name; the reference page explains the name. The same name gives the same semantics. */
export function notModelled(name: NotModelled): Semantics {
  const refusal = REFUSALS.get(name) ?? ((m) => m.stop(`not modelled: ${name}`));
  REFUSALS.set(name, refusal);
  return refusal;
}
