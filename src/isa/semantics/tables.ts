/** Descriptor tables and their registers, and instructions that ask about a descriptor (SDM vol 3, 2.4 and 5.10; vol 2). */
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import type { Field } from '../state.ts';
import {
  baseOf,
  descriptorAt,
  dplOf,
  isConformingCode,
  isNull,
  isOutside,
  isPresent,
  isReadable,
  isWritableData,
  limitOf,
  rplOf,
  selectorCode,
  systemTypeOf,
  upperHalfAt,
} from './descriptors.ts';
import { requireKernel } from './system.ts';

/** Types of 64-bit system descriptors (SDM vol 3, table 3-2). */
const TYPE = { ldt: 2, availableTss: 9, busyTss: 11, callGate: 12 } as const;

/** Run `then` with the descriptor if the selector names one that CPL and RPL may see, else clear ZF. */
function whenVisible<V>(m: Ops<V>, selector: V, then: (descriptor: V) => void): void {
  const invisible = (): void => m.setZero(m.word(0));
  m.when(
    m.isZero(m.or(isNull(m, selector), isOutside(m, selector))),
    () => {
      const descriptor = m.named('descriptor', descriptorAt(m, selector));
      const dpl = dplOf(m, descriptor);
      const ranked = m.isZero(m.or(m.below(dpl, m.get('cpl')), m.below(dpl, rplOf(m, selector))));
      // Conforming code is seen from every ring.
      m.when(m.or(ranked, isConformingCode(m, descriptor)), () => then(descriptor), invisible);
    },
    invisible,
  );
}

/** A segment, or a system descriptor of one of the types. */
const isOneOf = <V>(m: Ops<V>, descriptor: V, types: readonly number[]): V => {
  const segments = 0xffff_0000n;
  const map = types.reduce((bits, type) => bits | (1n << BigInt(type)), segments);
  return m.bit(m.shr(m.word(map), systemTypeOf(m, descriptor)), 0);
};

/** LAR and LSL: what `answer` makes of a descriptor of a type they know, or ZF clear and the destination as it was. */
const ask =
  (types: readonly number[], answer: <V>(m: Ops<V>, descriptor: V) => V): Semantics =>
  (m, { a, b }) =>
    whenVisible(m, m.named('selector', m.read(b)), (descriptor) =>
      m.when(
        isOneOf(m, descriptor, types),
        () => {
          m.write(a, m.truncate(a.width, answer(m, descriptor)));
          m.setZero(m.word(1));
        },
        () => m.setZero(m.word(0)),
      ),
    );
/** LSL: the limit in bytes. */
export const lsl = ask([TYPE.ldt, TYPE.availableTss, TYPE.busyTss], limitOf);
/** LAR: the upper four bytes without the base. Bits 19:16 are undefined (SDM vol 2, LAR); here they are the limit's. */
export const lar = ask([TYPE.ldt, TYPE.availableTss, TYPE.busyTss, TYPE.callGate], (m, descriptor) =>
  m.and(m.shr(descriptor, m.word(32)), m.word(0xff_ff00)),
);

/** VERR: ZF tells whether the segment can be read. */
export const verr: Semantics = (m, { a }) =>
  whenVisible(m, m.named('selector', m.read(a)), (descriptor) => m.setZero(isReadable(m, descriptor)));
/** VERW: ZF tells whether it can be written. Kernels use it for its side effect on silicon. */
export const verw: Semantics = (m, { a }) =>
  whenVisible(m, m.named('selector', m.read(a)), (descriptor) => m.setZero(isWritableData(m, descriptor)));

/** A system descriptor of 16 bytes of the GDT, for LLDT and LTR, with its base; in the order of SDM vol 2, LLDT. */
function systemDescriptor<V>(m: Ops<V>, selector: V, type: number): { readonly low: V; readonly base: V } {
  const code = selectorCode(m, selector);
  m.raiseIf(m.bit(selector, 2), VECTOR.GP, code);
  m.raiseIf(isOutside(m, selector, 16), VECTOR.GP, code);
  const low = m.named('descriptor', descriptorAt(m, selector));
  const high = m.named('upper_half', upperHalfAt(m, selector));
  // The type field of the upper half is zero, so that it is no descriptor by itself (SDM vol 3, 3.5.2).
  m.raiseIf(m.bits(high, 40, 5), VECTOR.GP, code);
  m.raiseUnless(m.eq(systemTypeOf(m, low), m.word(type)), VECTOR.GP, code);
  m.raiseUnless(isPresent(m, low), VECTOR.NP, code);
  const base = m.named('base', m.or(baseOf(m, low), m.shl(high, m.word(32))));
  m.raiseUnless(m.isCanonical(base), VECTOR.GP, code);
  return { low, base };
}

/** LLDT: a null selector leaves a table without descriptors. */
export const lldt: Semantics = (m, { a }) => {
  requireKernel(m);
  const selector = m.named('selector', m.read(a));
  m.when(
    isNull(m, selector),
    () => {
      m.set('ldtBase', m.word(0));
      m.set('ldtLimit', m.word(0));
    },
    () => {
      const { low, base } = systemDescriptor(m, selector, TYPE.ldt);
      m.set('ldtBase', base);
      m.set('ldtLimit', limitOf(m, low));
    },
  );
  m.set('ldtr', selector);
};

/** LTR: an available 64-bit TSS, which is marked busy (SDM vol 2, LTR). */
export const ltr: Semantics = (m, { a }) => {
  requireKernel(m);
  const selector = m.named('selector', m.read(a));
  m.raiseIf(isNull(m, selector), VECTOR.GP, m.word(0));
  const { low, base } = systemDescriptor(m, selector, TYPE.availableTss);
  const at = m.add(m.get('gdtBase'), m.and(selector, m.word(0xfff8)));
  m.store(8, m.add(at, m.word(5)), m.or(m.bits(low, 40, 8), m.word(2)), 'system');
  m.set('tr', selector);
  m.set('tssBase', base);
  m.set('tssLimit', limitOf(m, low));
};

/** CR4.UMIP (bit 11) keeps SGDT, SIDT, SLDT, STR and SMSW from users (SDM vol 3, 2.5). */
const refuseUser = <V>(m: Ops<V>): void =>
  m.raiseIf(m.and(m.bit(m.get('cr4'), 11), m.isZero(m.isZero(m.get('cpl')))), VECTOR.GP, m.word(0));

/** SLDT, STR, SMSW: memory takes 16 bits, a register its width. */
export const storeSystemRegister =
  (field: 'ldtr' | 'tr' | 'cr0'): Semantics =>
  (m, { a }) => {
    refuseUser(m);
    m.write(a, m.truncate(a.width, m.get(field)));
  };

/** LMSW: PE, MP, EM and TS; PE can be set only (SDM vol 2, LMSW). */
export const lmsw: Semantics = (m, { a }) => {
  requireKernel(m);
  const cr0 = m.get('cr0');
  m.set('cr0', m.or(m.and(cr0, m.word(~0xen)), m.and(m.read(a), m.word(0xf))));
};

/** A 10-byte pseudo-descriptor: limit, then base (SDM vol 3, 3.5.1). A non-canonical base raises #GP(0). */
export const loadTable =
  (base: Field, limit: Field): Semantics =>
  (m, { a }) => {
    requireKernel(m);
    const at = m.address(a);
    const size = m.load(16, at, a);
    const start = m.load(64, m.addressAt(a, m.word(2)), a);
    m.raiseUnless(m.isCanonical(start), VECTOR.GP, m.word(0));
    m.set(base, start);
    m.set(limit, size);
  };
/** Both ends are probed first: the two stores are one write. */
export const storeTable =
  (base: Field, limit: Field): Semantics =>
  (m, { a }) => {
    refuseUser(m);
    const at = m.address(a);
    m.probe(at, 10, a);
    m.store(16, at, m.get(limit), a);
    m.store(64, m.addressAt(a, m.word(2)), m.get(base), a);
  };
