/** Segment descriptors, as event delivery and IRET read them (SDM vol 3, 3.4.5). */
import { VECTOR } from '../../isa/ops.ts';
import type { MachineOps } from '../machine-ops.ts';

/** The selector as an error code: without RPL (SDM vol 3, 6.13). */
export const selectorCode = <V>(m: MachineOps<V>, selector: V): V => m.and(selector, m.word(0xfffc));

/** Fields of a descriptor's eight bytes; P and DPL lie in a gate at the same place. */
export const isCode = <V>(m: MachineOps<V>, descriptor: V): V =>
  m.and(m.part('S', descriptor, 44, 1), m.part('code', descriptor, 43, 1));
export const isWritableData = <V>(m: MachineOps<V>, descriptor: V): V => {
  const isData = m.and(m.part('S', descriptor, 44, 1), m.isZero(m.part('code', descriptor, 43, 1)));
  return m.and(isData, m.part('W', descriptor, 41, 1));
};
export const isConforming = <V>(m: MachineOps<V>, descriptor: V): V => m.part('C', descriptor, 42, 1);
export const dplOf = <V>(m: MachineOps<V>, descriptor: V): V => m.part('DPL', descriptor, 45, 2);
export const isPresent = <V>(m: MachineOps<V>, descriptor: V): V => m.part('P', descriptor, 47, 1);
export const isLong = <V>(m: MachineOps<V>, descriptor: V): V => m.part('L', descriptor, 53, 1);
export const isDefault32 = <V>(m: MachineOps<V>, descriptor: V): V => m.part('D', descriptor, 54, 1);

/**
 * The descriptor that a selector names; #GP(selector) outside the table. There is no local descriptor
 * table, so a selector that asks for one is outside, too. The accessed bit is neither read nor set.
 */
export function loadDescriptor<V>(m: MachineOps<V>, selector: V, code: V): V {
  const offset = m.and(selector, m.word(0xfff8));
  const outside = m.below(m.get('gdtLimit'), m.add(offset, m.word(7)));
  m.raiseIf(m.or(m.part('TI', selector, 2, 1), outside), VECTOR.GP, code);
  return m.load(64, m.add(m.get('gdtBase'), offset), 'system');
}
