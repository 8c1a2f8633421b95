/** Far JMP, CALL and RET in 64-bit mode (SDM vol 2, JMP, CALL, RET: IA-32e mode). */
import { trackFar } from '../endbranch.ts';
import { LOGGED, type Ops, type Semantics, type Shape, VECTOR } from '../ops.ts';
import {
  dropInnerSegments,
  markAccessed,
  probeAccessed,
  returnCode,
  returnStack,
  rplOf,
  targetCode,
} from './descriptors.ts';

/**
 * The pointer in memory: an offset of the operand's width, and behind it a selector, read in this order (APM vol 3, CALL
 * Far). An AMD EPYC tells of the same page in CR2, wherever a page end cuts the pointer and whichever page is missing.
 */
function farPointer<V>(m: Ops<V>, { width, a }: Shape): { readonly to: V; readonly selector: V } {
  const to = m.named('target', m.read(a));
  const selector = m.named('selector', m.load(16, m.addressAt(a, m.word(width / 8)), a));
  return { to, selector };
}
/** The selector as CS will hold it: a far JMP or CALL never changes the CPL by itself. */
const withCpl = <V>(m: Ops<V>, selector: V): V => m.or(m.and(selector, m.word(0xfffc)), m.get('cpl'));

export const jmpFar: Semantics = (m, shape) => {
  const { to, selector } = farPointer(m, shape);
  const code = targetCode(m, selector);
  m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  markAccessed(m, selector, code);
  m.set('cs', withCpl(m, selector));
  trackFar(m);
  m.jump(to);
};

/** Pushes CS and the return address, each of the operand's width: without REX.W the address is cut to 32 bits. */
export const callFar: Semantics = (m, shape) => {
  const bytes = shape.width / 8;
  const { to, selector } = farPointer(m, shape);
  const code = targetCode(m, selector);
  m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  const slot = m.sub(m.get('rsp'), m.word(2 * bytes));
  // CS is pushed first.
  m.probe(m.add(slot, m.word(bytes)), bytes, 'stack');
  m.probe(slot, bytes, 'stack');
  markAccessed(m, selector, code);
  m.store(shape.width, m.add(slot, m.word(bytes)), m.get('cs'), 'stack');
  m.store(shape.width, slot, m.truncate(shape.width, m.nextRip()), 'stack');
  m.log(LOGGED.call, m.rip(), slot, m.nextRip());
  m.set('rsp', slot);
  m.set('cs', withCpl(m, selector));
  trackFar(m);
  m.jump(to);
};

/**
 * Pops the return address and CS, drops the bytes that the operand names, and for an outer ring pops RSP and SS
 * from above them and drops as many there (SDM vol 2, RET). It creates no shadow and changes no flag.
 */
export const retFar: Semantics = <V>(m: Ops<V>, { width, a }: Shape): void => {
  const bytes = width / 8;
  const slot = m.get('rsp');
  const dropped = a.kind === 'i' ? m.read(a) : m.word(0);
  const popped = (n: number, above: V): V =>
    m.load(width, m.add(slot, m.add(above, m.word(bytes * n))), 'stack');
  const rip = m.named('new_rip', popped(0, m.word(0)));
  const cs = m.named('new_cs', m.bits(popped(1, m.word(0)), 0, 16));
  const rpl = m.named('rpl', rplOf(m, cs));
  const code = returnCode(m, cs, rpl);
  m.when(
    m.eq(rpl, m.get('cpl')),
    () => {
      m.raiseUnless(m.isCanonical(rip), VECTOR.GP, m.word(0));
      markAccessed(m, cs, code);
      m.set('rsp', m.add(slot, m.add(dropped, m.word(2 * bytes))));
    },
    () => {
      const rsp = m.named('new_rsp', popped(2, dropped));
      const ss = m.named('new_ss', m.bits(popped(3, dropped), 0, 16));
      const stack = m.named('ss_descriptor', returnStack(m, ss, rpl));
      m.raiseUnless(m.isCanonical(rip), VECTOR.GP, m.word(0));
      probeAccessed(m, cs, code);
      markAccessed(m, ss, stack);
      markAccessed(m, cs, code);
      dropInnerSegments(m, rpl);
      m.set('rsp', m.add(rsp, dropped));
      m.set('ss', ss);
    },
  );
  m.set('cs', cs);
  m.set('cpl', rpl);
  m.log(LOGGED.return, m.rip(), slot, rip);
  m.jump(rip);
};
