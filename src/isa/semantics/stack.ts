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
  m.store(width, m.addressAt(a, bytes), value, a);
  m.set('rsp', m.add(top, bytes));
};

/** The image has VM and RF clear (SDM vol 2, PUSHF); VM is always clear here. */
export const pushf: Semantics = (m, { width }) => push(m, width, m.and(m.rflags(), m.word(~RF)));

/** RF is cleared, VM, VIF and VIP stay; of 16 bits AC and ID stay, too (SDM vol 2, POPF). */
export const popf: Semantics = (m, { width }) => {
  const top = m.get('rsp');
  const image = m.load(width, top, 'stack');
  m.set('rsp', m.add(top, m.word(width / 8)));
  m.together(() => {
    loadRflags(m, image, CF | PF | AF | ZF | SF | TF | DF | OF | NT | (width === 64 ? AC | ID : 0n));
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

/** Levels of nesting that an ENTER may have: imm8 modulo 32. */
const LEVELS = 31;

/**
 * Push RBP and, of a nested procedure, the frame pointers of the enclosing ones and its own; then make room
 * (SDM vol 2, ENTER). A frame pointer may be read from what was just pushed, so the words are looked at in the
 * order of the pushes, but stored only when no access can raise any more.
 */
export const enter: Semantics = (m, { width, b }) => {
  const immediates = m.read(b);
  const size = m.named('size', m.bits(immediates, 0, 16));
  const level = m.named('level', m.bits(immediates, 16, 5));
  const bytes = width / 8;
  const frame = m.get('rbp');
  const own = m.named('own', m.sub(m.get('rsp'), m.word(bytes)));
  const last = m.named('last', m.sub(own, m.mul(level, m.word(bytes))));
  m.probe(own, bytes, 'stack');
  m.times(`look${width}`, level, LEVELS, [frame, own], (t, n, from, to) => {
    const distance = t.mul(n, t.word(bytes));
    t.load(width, t.sub(from, distance), 'stack');
    t.probe(t.sub(to, distance), bytes, 'stack');
  });
  m.probe(last, bytes, 'stack');
  // Nothing is written where RSP ends, but it must be possible.
  const end = m.named('end', m.sub(last, size));
  m.probe(end, bytes, 'stack');

  m.store(width, own, frame, 'stack');
  m.times(`copy${width}`, level, LEVELS, [frame, own], (t, n, from, to) => {
    const distance = t.mul(n, t.word(bytes));
    t.store(width, t.sub(to, distance), t.load(width, t.sub(from, distance), 'stack'), 'stack');
  });
  m.when(level, () => m.store(width, last, own, 'stack'));
  m.setReg(width, 'rbp', own);
  m.set('rsp', end);
};
