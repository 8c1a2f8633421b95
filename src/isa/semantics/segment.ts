/** Segment registers (SDM vol 3, chapter 5; vol 2, MOV, POP, LDS/LES/LFS/LGS/LSS). */
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import { type Field, type Segment, SHADOW } from '../state.ts';
import {
  baseOf,
  type DataSegment,
  dplOf,
  inwardOf,
  isConformingCode,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  loadDescriptor,
  markAccessed,
  rplOf,
  selectorCode,
  setDataPrivilege,
} from './descriptors.ts';
import { push } from './stack.ts';

/** Where the base of a descriptor goes. */
const BASE: Readonly<Record<DataSegment, Field | undefined>> = {
  es: undefined,
  ds: undefined,
  fs: 'fsBase',
  gs: 'gsBase',
};

/**
 * Load ES, DS, FS or GS; what it writes comes behind every raise. A null selector is allowed and clears the
 * base of FS and GS (Intel; AMD keeps it). Segment limits mean nothing in 64-bit mode (SDM vol 3, 3.2.4).
 */
function setDataSegment<V>(m: Ops<V>, segment: DataSegment, selector: V, place = BASE[segment]): void {
  const setHidden = (base: () => V, inward: V): void => {
    if (place !== undefined) m.set(place, base());
    setDataPrivilege(m, segment, inward);
  };
  m.when(
    isNull(m, selector),
    () => setHidden(() => m.word(0), m.word(0)),
    () => {
      const code = selectorCode(m, selector);
      const descriptor = m.named('descriptor', loadDescriptor(m, selector, code));
      m.raiseUnless(isReadable(m, descriptor), VECTOR.GP, code);
      const dpl = dplOf(m, descriptor);
      const outranked = m.or(m.below(dpl, m.get('cpl')), m.below(dpl, rplOf(m, selector)));
      m.raiseIf(m.and(outranked, m.isZero(isConformingCode(m, descriptor))), VECTOR.GP, code);
      m.raiseUnless(isPresent(m, descriptor), VECTOR.NP, code);
      markAccessed(m, selector, descriptor);
      setHidden(() => baseOf(m, descriptor), inwardOf(m, descriptor));
    },
  );
  m.set(segment, selector);
}

/** Load SS: null only below ring 3 with RPL = CPL; else writable data of the CPL. */
function setStackSegment<V>(m: Ops<V>, selector: V): void {
  const cpl = m.get('cpl');
  const rpl = rplOf(m, selector);
  m.when(
    isNull(m, selector),
    () => m.raiseIf(m.or(m.eq(cpl, m.word(3)), m.xor(rpl, cpl)), VECTOR.GP, m.word(0)),
    () => {
      const code = selectorCode(m, selector);
      const descriptor = m.named('descriptor', loadDescriptor(m, selector, code));
      m.raiseUnless(m.eq(rpl, cpl), VECTOR.GP, code);
      m.raiseUnless(isWritableData(m, descriptor), VECTOR.GP, code);
      m.raiseUnless(m.eq(dplOf(m, descriptor), cpl), VECTOR.GP, code);
      m.raiseUnless(isPresent(m, descriptor), VECTOR.SS, code);
      markAccessed(m, selector, descriptor);
    },
  );
  m.set('ss', selector);
}

/** MOV to ES, DS, FS, GS. */
export const loadSegment =
  (segment: DataSegment): Semantics =>
  (m, { b }) =>
    setDataSegment(m, segment, m.named('selector', m.truncate(16, m.read(b))));

/** MOV to SS begins the MOV SS shadow. */
export const loadStackSegment: Semantics = (m, { b }) => {
  setStackSegment(m, m.named('selector', m.truncate(16, m.read(b))));
  m.set('shadow', m.word(SHADOW.movSs));
  m.refreshAttention();
};

/** POP to FS, GS: of the word only 16 bits are the selector. RSP moves behind every raise. */
export const popSegment =
  (segment: 'fs' | 'gs'): Semantics =>
  (m, { width }) => {
    const top = m.get('rsp');
    setDataSegment(m, segment, m.named('selector', m.truncate(16, m.load(width, top, 'stack'))));
    m.set('rsp', m.add(top, m.word(width / 8)));
  };

/** LFS, LGS, LSS: an offset and behind it a selector. LSS begins no shadow: nothing can come between its two loads. */
export const loadFarPointer =
  (segment: 'fs' | 'gs' | 'ss'): Semantics =>
  (m, { width, a, b }) => {
    const offset = m.named('offset', m.read(b));
    const selector = m.named('selector', m.load(16, m.addressAt(b, m.word(width / 8)), b));
    if (segment === 'ss') setStackSegment(m, selector);
    else setDataSegment(m, segment, selector);
    m.write(a, offset);
  };

export const storeSegment =
  (segment: Segment): Semantics =>
  (m, { a }) =>
    m.write(a, m.get(segment));
export const pushSegment =
  (segment: 'fs' | 'gs'): Semantics =>
  (m, { width }) =>
    push(m, width, m.get(segment));

/** GS as MOV to GS loads it, but its base goes to IA32_KERNEL_GS_BASE; #UD outside ring 0 (SDM vol 2, LKGS). */
export const lkgs: Semantics = (m, { a }) => {
  m.raiseIf(m.get('cpl'), VECTOR.UD, m.word(0));
  setDataSegment(m, 'gs', m.truncate(16, m.read(a)), 'kernelGsBase');
};
