/** Selectors, descriptor tables and descriptors, as every instruction and event that loads a segment reads them (SDM vol 3, 3.4 and 3.5). */
import { type Ops, VECTOR } from '../ops.ts';
import { CR4, SEGMENT, type Segment } from '../state.ts';

/** The selector as an error code: index and table without RPL, zero for a null selector (SDM vol 3, 6.13). */
export const selectorCode = <V>(m: Ops<V>, selector: V): V => m.and(selector, m.word(0xfffc));
export const isNull = <V>(m: Ops<V>, selector: V): V => m.isZero(selectorCode(m, selector));
export const rplOf = <V>(m: Ops<V>, selector: V): V => m.part('RPL', selector, 0, 2);

/** Fields of a descriptor's eight bytes; P and DPL lie in a gate at the same place. */
export const isAccessed = <V>(m: Ops<V>, descriptor: V): V => m.part('A', descriptor, 40, 1);
/** Type of a system descriptor, with S above it: below 16 only for a system descriptor. */
export const systemTypeOf = <V>(m: Ops<V>, descriptor: V): V => m.part('S_type', descriptor, 40, 5);
const isUser = <V>(m: Ops<V>, descriptor: V): V => m.part('S', descriptor, 44, 1);
export const isCode = <V>(m: Ops<V>, descriptor: V): V =>
  m.and(isUser(m, descriptor), m.part('code', descriptor, 43, 1));
export const isWritableData = <V>(m: Ops<V>, descriptor: V): V => {
  const isData = m.and(isUser(m, descriptor), m.isZero(m.part('code', descriptor, 43, 1)));
  return m.and(isData, m.part('W', descriptor, 41, 1));
};
/** Data, or code that may be read. */
export const isReadable = <V>(m: Ops<V>, descriptor: V): V => {
  const mayRead = m.or(m.isZero(m.part('code', descriptor, 43, 1)), m.part('R', descriptor, 41, 1));
  return m.and(isUser(m, descriptor), mayRead);
};
export const isConforming = <V>(m: Ops<V>, descriptor: V): V => m.part('C', descriptor, 42, 1);
export const isConformingCode = <V>(m: Ops<V>, descriptor: V): V =>
  m.and(isCode(m, descriptor), isConforming(m, descriptor));
export const dplOf = <V>(m: Ops<V>, descriptor: V): V => m.part('DPL', descriptor, 45, 2);
export const isPresent = <V>(m: Ops<V>, descriptor: V): V => m.part('P', descriptor, 47, 1);
export const isLong = <V>(m: Ops<V>, descriptor: V): V => m.part('L', descriptor, 53, 1);
export const isDefault32 = <V>(m: Ops<V>, descriptor: V): V => m.part('D', descriptor, 54, 1);
/** Base bits 31:0. */
export const baseOf = <V>(m: Ops<V>, descriptor: V): V =>
  m.or(m.bits(descriptor, 16, 24), m.shl(m.bits(descriptor, 56, 8), m.word(24)));
/** The limit in bytes. */
export const limitOf = <V>(m: Ops<V>, descriptor: V): V => {
  const raw = m.or(m.bits(descriptor, 0, 16), m.shl(m.bits(descriptor, 48, 4), m.word(16)));
  const pages = m.or(m.shl(raw, m.word(12)), m.word(0xfff));
  return m.select(m.part('G', descriptor, 55, 1), pages, raw);
};

/** Where the descriptor lies that a selector names. */
const placeOf = <V>(m: Ops<V>, selector: V): V => {
  const base = m.select(m.part('TI', selector, 2, 1), m.get('ldtBase'), m.get('gdtBase'));
  return m.add(base, m.and(selector, m.word(0xfff8)));
};

/** Whether of `bytes` from where a selector points one lies outside its table; the LDT of a null LDTR has none. */
export function isOutside<V>(m: Ops<V>, selector: V, bytes: 8 | 16 = 8): V {
  const limit = m.named(
    'limit',
    m.select(m.part('TI', selector, 2, 1), m.get('ldtLimit'), m.get('gdtLimit')),
  );
  return m.below(limit, m.add(m.and(selector, m.word(0xfff8)), m.word(bytes - 1)));
}

/** Eight bytes of a descriptor, which lies in its table; the access is the processor's own. */
export const descriptorAt = <V>(m: Ops<V>, selector: V): V => m.load(64, placeOf(m, selector), 'system');
/** The second eight bytes of a system descriptor. */
export const upperHalfAt = <V>(m: Ops<V>, selector: V): V =>
  m.load(64, m.add(placeOf(m, selector), m.word(8)), 'system');

/** The descriptor that a selector names; #GP(selector) outside its table. */
export function loadDescriptor<V>(m: Ops<V>, selector: V, code: V): V {
  m.raiseIf(isOutside(m, selector), VECTOR.GP, code);
  return descriptorAt(m, selector);
}

/** The byte of a descriptor that has its type. */
const accessPlace = <V>(m: Ops<V>, selector: V): V => m.add(placeOf(m, selector), m.word(5));

/** Raise what `markAccessed` of a descriptor would raise: for two of which both or none are marked. */
export function probeAccessed<V>(m: Ops<V>, selector: V, descriptor: V): void {
  m.when(m.isZero(isAccessed(m, descriptor)), () => m.probe(accessPlace(m, selector), 1, 'system'));
}

/**
 * Loading a segment sets the accessed bit of its descriptor in memory (SDM vol 3, 3.4.5.1); one that is set
 * is not written. A table that cannot be written raises #PF, so this comes before whatever is written else.
 */
export function markAccessed<V>(m: Ops<V>, selector: V, descriptor: V): void {
  m.when(m.isZero(isAccessed(m, descriptor)), () => {
    const access = m.or(m.bits(descriptor, 40, 8), m.word(1));
    m.store(8, accessPlace(m, selector), access, 'system');
  });
}

export type DataSegment = Exclude<Segment, 'cs' | 'ss'>;
const DATA_SEGMENTS: readonly DataSegment[] = ['es', 'ds', 'fs', 'gs'];
const shiftOf = (segment: DataSegment): number => 2 * SEGMENT.indexOf(segment);

/** Remember of the hidden part of a register what `dropInnerSegments` needs; a null selector has nothing to lose. */
export function setDataPrivilege<V>(m: Ops<V>, segment: DataSegment, inward: V): void {
  const shift = shiftOf(segment);
  const others = m.and(m.get('dataPrivilege'), m.word(~(3n << BigInt(shift))));
  m.set('dataPrivilege', m.or(others, m.shl(inward, m.word(shift))));
}

/** How far inside ring 3 what was loaded lies: 3 - DPL, and 0 for conforming code, which every ring may keep. */
export const inwardOf = <V>(m: Ops<V>, descriptor: V): V =>
  m.select(isConformingCode(m, descriptor), m.word(0), m.sub(m.word(3), dplOf(m, descriptor)));

/**
 * A return to an outer ring takes from ES, DS, FS and GS what that ring may not have: a data or non-conforming
 * code segment with a DPL below the new CPL; a null selector with an RPL becomes 0, too. The bases of FS and GS
 * stay (SDM vol 2, IRET and RET: the loop over the segment registers).
 */
export function dropInnerSegments<V>(m: Ops<V>, cpl: V): void {
  for (const segment of DATA_SEGMENTS) {
    const inward = m.bits(m.get('dataPrivilege'), shiftOf(segment), 2);
    const lost = m.or(isNull(m, m.get(segment)), m.below(m.word(3), m.add(inward, cpl)));
    m.when(lost, () => {
      m.set(segment, m.word(0));
      setDataPrivilege(m, segment, m.word(0));
    });
  }
}

const fred = <V>(m: Ops<V>): V => m.bit(m.get('cr4'), CR4.fred);
/** Under FRED, ring 0 has only 64-bit code (SDM vol 2, JMP, CALL, RET and IRET). */
const leavesLong = <V>(m: Ops<V>, segment: V): V =>
  m.and(m.and(fred(m), m.isZero(m.get('cpl'))), m.isZero(isLong(m, segment)));

/** The code segment of a far JMP or CALL; RPL and conformity as SDM vol 2, JMP, orders them. Not marked yet. */
export function targetCode<V>(m: Ops<V>, selector: V): V {
  const cpl = m.get('cpl');
  const code = m.named('cs_code', selectorCode(m, selector));
  m.raiseIf(m.isZero(code), VECTOR.GP, m.word(0));
  const segment = m.named('code_segment', loadDescriptor(m, selector, code));
  m.when(m.isZero(isCode(m, segment)), () => refuseGate(m, selector, segment, code));
  m.raiseIf(m.and(isLong(m, segment), isDefault32(m, segment)), VECTOR.GP, code);
  const dpl = dplOf(m, segment);
  const outranked = m.or(m.below(cpl, rplOf(m, selector)), m.isZero(m.eq(dpl, cpl)));
  m.raiseIf(m.select(isConforming(m, segment), m.below(cpl, dpl), outranked), VECTOR.GP, code);
  m.raiseIf(leavesLong(m, segment), VECTOR.GP, code);
  m.raiseUnless(isPresent(m, segment), VECTOR.NP, code);
  m.when(m.isZero(isLong(m, segment)), () => m.stop('not modelled: jump to compatibility mode'));
  return segment;
}

/** What is not code: #GP(selector), unless it is a 64-bit call gate that the CPL may use. */
function refuseGate<V>(m: Ops<V>, selector: V, descriptor: V, code: V): void {
  const isGate = m.eq(systemTypeOf(m, descriptor), m.word(12));
  const dpl = dplOf(m, descriptor);
  const outranked = m.or(m.below(dpl, m.get('cpl')), m.below(dpl, rplOf(m, selector)));
  m.raiseIf(m.or(m.isZero(isGate), outranked), VECTOR.GP, code);
  m.raiseIf(fred(m), VECTOR.GP, code);
  m.raiseUnless(isPresent(m, descriptor), VECTOR.NP, code);
  m.stop('not modelled: call gate');
}

/**
 * The code segment of an IRET, far RET, or ERETU to other than the standard segments, with its RPL, in the order of
 * SDM vol 2, IRET. Under FRED only ERETU changes the ring, and ring 0 has only 64-bit code. Not marked yet.
 */
export function returnCode<V>(m: Ops<V>, selector: V, rpl: V, by?: 'ERETU'): V {
  const code = m.named('cs_code', selectorCode(m, selector));
  m.raiseIf(m.isZero(code), VECTOR.GP, m.word(0));
  const segment = m.named('code_segment', loadDescriptor(m, selector, code));
  m.raiseUnless(isCode(m, segment), VECTOR.GP, code);
  m.raiseIf(m.below(rpl, m.get('cpl')), VECTOR.GP, code);
  if (by !== 'ERETU') m.raiseIf(m.and(fred(m), m.below(m.get('cpl'), rpl)), VECTOR.GP, code);
  const dpl = dplOf(m, segment);
  const wrongRing = m.select(isConforming(m, segment), m.below(rpl, dpl), m.isZero(m.eq(dpl, rpl)));
  m.raiseIf(wrongRing, VECTOR.GP, code);
  m.raiseIf(m.and(isLong(m, segment), isDefault32(m, segment)), VECTOR.GP, code);
  if (by !== 'ERETU') m.raiseIf(leavesLong(m, segment), VECTOR.GP, code);
  m.raiseUnless(isPresent(m, segment), VECTOR.NP, code);
  m.when(m.isZero(isLong(m, segment)), () => m.stop('not modelled: return to compatibility mode'));
  return segment;
}

/**
 * The stack segment for ring `rpl` that such a return brings: null for ring 0 to 2 only and with that RPL, else writable
 * data of that ring, present. One that is not present raises #SS(selector) (SDM vol 2, IRET, "64-Bit Mode Exceptions";
 * vol 3, 6.15, "Interrupt 11": #NP is for other segments), where QEMU and Bochs raise #NP. Returns the descriptor, or
 * one that is accessed already for a null selector.
 */
export function returnStack<V>(m: Ops<V>, selector: V, rpl: V): V {
  const code = m.named('ss_code', selectorCode(m, selector));
  return m.choose(
    m.isZero(code),
    () => {
      m.raiseIf(m.eq(rpl, m.word(3)), VECTOR.GP, m.word(0));
      m.raiseUnless(m.eq(rplOf(m, selector), rpl), VECTOR.GP, m.word(0));
      return m.word(1n << 40n);
    },
    () => {
      m.raiseUnless(m.eq(rplOf(m, selector), rpl), VECTOR.GP, code);
      const data = m.named('stack_segment', loadDescriptor(m, selector, code));
      m.raiseUnless(isWritableData(m, data), VECTOR.GP, code);
      m.raiseUnless(m.eq(dplOf(m, data), rpl), VECTOR.GP, code);
      m.raiseUnless(isPresent(m, data), VECTOR.SS, code);
      return data;
    },
  );
}
