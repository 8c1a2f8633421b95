/** The stack and RFLAGS on it (SDM vol 1, chapter 6). */
import { AC, AF, CF, DF, ID, IF, IOPL, NT, OF, PF, RF, SF, TF, ZF } from '../flags.ts';
import type { Ops, Semantics, Width } from '../ops.ts';

/** Store below RSP, then move RSP: in this order a fault leaves RSP alone. */
export function push<V>(m: Ops<V>, width: Width, value: V): void {
  const top = m.sub(m.get('rsp'), m.word(width / 8));
  m.store(width, top, value, 'stack');
  m.set('rsp', top);
}

/** PUSH of memory takes its address with the old RSP, PUSH %rsp stores the old value: both are read first. */
export const pushOperand: Semantics = (m, { width, a }) => push(m, width, m.read(a));

/** POP %rsp ends with the popped value: the register is written after RSP. */
export const popRegister: Semantics = (m, { width, a }) => {
  const top = m.get('rsp');
  const value = m.load(width, top, 'stack');
  m.set('rsp', m.add(top, m.word(width / 8)));
  m.write(a, value);
};

/** POP to memory may raise at its store: RSP moves after it. */
export const popMemory: Semantics = (m, { width, a }) => {
  const top = m.get('rsp');
  const value = m.load(width, top, 'stack');
  m.write(a, value);
  m.set('rsp', m.add(top, m.word(width / 8)));
};

/** With RSP as base, POP computes its address after the increment (SDM vol 2, POP). */
export const popStackMemory: Semantics = (m, { width, a }) => {
  const top = m.get('rsp');
  const bytes = m.word(width / 8);
  const value = m.load(width, top, 'stack');
  m.store(width, m.add(m.address(a), bytes), value, 'stack');
  m.set('rsp', m.add(top, bytes));
};

/** The image has VM and RF clear (SDM vol 2, PUSHF); VM is always clear here. */
export const pushf: Semantics = (m) => push(m, 64, m.and(m.rflags(), m.word(~RF)));

/** RF is cleared, VM, VIF and VIP stay (SDM vol 2, POPF). */
export const popf: Semantics = (m) => {
  const top = m.get('rsp');
  const image = m.load(64, top, 'stack');
  m.set('rsp', m.add(top, m.word(8)));
  m.together(() => {
    loadRflags(m, image, CF | PF | AF | ZF | SF | TF | DF | OF | NT | AC | ID);
    m.setRflags(m.word(0), RF);
  });
};

/** Load the bits of `mask`, and as far as the CPL allows IOPL (CPL 0) and IF (CPL <= IOPL). POPF and IRET. */
export function loadRflags<V>(m: Ops<V>, image: V, mask: bigint): void {
  const cpl = m.get('cpl');
  const iopl = m.bits(m.get('rflagsRest'), 12, 2);
  const mayInterrupt = m.isZero(m.below(iopl, cpl));
  m.setRflags(image, mask);
  m.when(m.isZero(cpl), () => m.setRflags(image, IOPL));
  m.when(mayInterrupt, () => m.setRflags(image, IF));
}

/** RSP := RBP, then POP %rbp or, with the 66 prefix, POP %bp. */
export const leave: Semantics = (m, { width }) => {
  const frame = m.get('rbp');
  const saved = m.load(width, frame, 'stack');
  m.set('rsp', m.add(frame, m.word(width / 8)));
  m.setReg(width, 'rbp', saved);
};
