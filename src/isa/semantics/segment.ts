/** Segment registers and descriptors (SDM vol 3, chapter 5; vol 2, MOV, LSL, VERW, LTR). */
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import { type Segment, SHADOW } from '../state.ts';
import { push } from './stack.ts';
import { requireKernel } from './system.ts';

/** Bits of a descriptor's eight bytes (SDM vol 3, 3.4.5). */
const DESCRIPTOR = {
  writableOrReadable: 41,
  conforming: 42,
  code: 43,
  user: 44,
  dpl: 45,
  present: 47,
  granular: 55,
};

/** Index and table of a selector, without its RPL: an error code, and zero for a null selector. */
const codeOf = <V>(m: Ops<V>, selector: V): V => m.and(selector, m.word(0xfffc));
const isNull = <V>(m: Ops<V>, selector: V): V => m.isZero(codeOf(m, selector));
/** Whether the eight bytes lie in the GDT. Selectors into an LDT are not modelled. */
const inTable = <V>(m: Ops<V>, selector: V): V => {
  m.when(m.bit(selector, 2), () => m.stop('not modelled: LDT'));
  const last = m.or(m.and(selector, m.word(0xfff8)), m.word(7));
  return m.isZero(m.below(m.get('gdtLimit'), last));
};
const descriptorAt = <V>(m: Ops<V>, selector: V): V =>
  m.named('descriptor', m.load(64, m.add(m.get('gdtBase'), m.and(selector, m.word(0xfff8))), 'system'));

/** Base bits 31:0 of a descriptor. */
const baseOf = <V>(m: Ops<V>, descriptor: V): V =>
  m.or(m.bits(descriptor, 16, 24), m.shl(m.bits(descriptor, 56, 8), m.word(24)));

/** MOV to ES, DS, FS, GS: a null selector is allowed and clears the base (Intel; AMD keeps it). */
export const loadSegment =
  (segment: Exclude<Segment, 'cs' | 'ss'>): Semantics =>
  (m, { b }) => {
    const selector = m.named('selector', m.truncate(16, m.read(b)));
    const setBase = (base: () => ReturnType<typeof m.word>): void => {
      if (segment === 'fs' || segment === 'gs') m.set(`${segment}Base`, base());
    };
    m.when(
      isNull(m, selector),
      () => setBase(() => m.word(0)),
      () => {
        const code = codeOf(m, selector);
        m.raiseUnless(inTable(m, selector), VECTOR.GP, code);
        const descriptor = descriptorAt(m, selector);
        const bit = (n: number) => m.bit(descriptor, n);
        const executeOnly = m.and(bit(DESCRIPTOR.code), m.isZero(bit(DESCRIPTOR.writableOrReadable)));
        m.raiseIf(m.or(m.isZero(bit(DESCRIPTOR.user)), executeOnly), VECTOR.GP, code);
        const dpl = m.bits(descriptor, DESCRIPTOR.dpl, 2);
        const outranked = m.or(m.below(dpl, m.get('cpl')), m.below(dpl, m.bits(selector, 0, 2)));
        const conforming = m.and(bit(DESCRIPTOR.code), bit(DESCRIPTOR.conforming));
        m.raiseIf(m.and(outranked, m.isZero(conforming)), VECTOR.GP, code);
        m.raiseUnless(bit(DESCRIPTOR.present), VECTOR.NP, code);
        setBase(() => baseOf(m, descriptor));
      },
    );
    m.set(segment, selector);
  };

/** MOV to SS: null only below ring 3 with RPL = CPL; else writable data of the CPL. Begins the MOV SS shadow. */
export const loadStackSegment: Semantics = (m, { b }) => {
  const selector = m.named('selector', m.truncate(16, m.read(b)));
  const cpl = m.get('cpl');
  const rpl = m.bits(selector, 0, 2);
  m.when(
    isNull(m, selector),
    () => m.raiseIf(m.or(m.eq(cpl, m.word(3)), m.xor(rpl, cpl)), VECTOR.GP, m.word(0)),
    () => {
      const code = codeOf(m, selector);
      m.raiseUnless(inTable(m, selector), VECTOR.GP, code);
      m.raiseUnless(m.eq(rpl, cpl), VECTOR.GP, code);
      const descriptor = descriptorAt(m, selector);
      // Type: a user descriptor, data, writable.
      const type = m.named('type', m.bits(descriptor, DESCRIPTOR.writableOrReadable, 4));
      m.raiseUnless(m.eq(m.and(type, m.word(0b1101)), m.word(0b1001)), VECTOR.GP, code);
      m.raiseUnless(m.eq(m.bits(descriptor, DESCRIPTOR.dpl, 2), cpl), VECTOR.GP, code);
      m.raiseUnless(m.bit(descriptor, DESCRIPTOR.present), VECTOR.SS, code);
    },
  );
  m.set('ss', selector);
  m.set('shadow', m.word(SHADOW.movSs));
  m.refreshAttention();
};

export const storeSegment =
  (segment: Segment): Semantics =>
  (m, { a }) =>
    m.write(a, m.get(segment));
export const pushSegment =
  (segment: 'fs' | 'gs'): Semantics =>
  (m, { width }) =>
    push(m, width, m.get(segment));

/** Run `then` with the descriptor if the selector names one that CPL and RPL may see, else clear ZF. */
function whenVisible<V>(m: Ops<V>, selector: V, then: (descriptor: V) => void): void {
  m.when(
    m.and(m.isZero(isNull(m, selector)), inTable(m, selector)),
    () => {
      const descriptor = descriptorAt(m, selector);
      const dpl = m.bits(descriptor, DESCRIPTOR.dpl, 2);
      const ranked = m.isZero(m.or(m.below(dpl, m.get('cpl')), m.below(dpl, m.bits(selector, 0, 2))));
      // Conforming code is seen from every ring.
      const conforming = m.eq(m.bits(descriptor, DESCRIPTOR.conforming, 3), m.word(7));
      m.when(
        m.or(ranked, conforming),
        () => then(descriptor),
        () => m.setZero(m.word(0)),
      );
    },
    () => m.setZero(m.word(0)),
  );
}

/** System descriptors that have a limit: LDT (2), available (9) and busy (11) TSS. */
const WITH_LIMIT = (1n << 2n) | (1n << 9n) | (1n << 11n);

/** LSL: the limit in bytes, or ZF clear and the destination as it was. */
export const lsl: Semantics = (m, { a, b }) => {
  whenVisible(m, m.named('selector', m.read(b)), (descriptor) => {
    const system = m.bit(m.shr(m.word(WITH_LIMIT), m.bits(descriptor, 40, 4)), 0);
    m.when(
      m.or(m.bit(descriptor, DESCRIPTOR.user), system),
      () => {
        const raw = m.or(m.bits(descriptor, 0, 16), m.shl(m.bits(descriptor, 48, 4), m.word(16)));
        const pages = m.or(m.shl(raw, m.word(12)), m.word(0xfff));
        m.write(a, m.select(m.bit(descriptor, DESCRIPTOR.granular), pages, raw));
        m.setZero(m.word(1));
      },
      () => m.setZero(m.word(0)),
    );
  });
};

/** VERW: ZF tells whether the segment can be written. Kernels use it for its side effect on silicon. */
export const verw: Semantics = (m, { a }) => {
  const selector = m.named('selector', m.read(a));
  whenVisible(m, selector, (descriptor) => {
    const type = m.bits(descriptor, DESCRIPTOR.writableOrReadable, 4);
    m.setZero(m.eq(m.and(type, m.word(0b1101)), m.word(0b1001)));
  });
};

/** LTR: an available 64-bit TSS descriptor of 16 bytes, marked busy (SDM vol 2, LTR). */
export const ltr: Semantics = (m, { a }) => {
  requireKernel(m);
  const selector = m.named('selector', m.read(a));
  const code = codeOf(m, selector);
  m.raiseIf(m.isZero(code), VECTOR.GP, m.word(0));
  m.raiseIf(m.bit(selector, 2), VECTOR.GP, code);
  m.raiseUnless(inTable(m, m.add(selector, m.word(8))), VECTOR.GP, code);
  const descriptor = descriptorAt(m, selector);
  const at = m.add(m.get('gdtBase'), m.and(selector, m.word(0xfff8)));
  const high = m.load(64, m.add(at, m.word(8)), 'system');
  m.raiseUnless(m.eq(m.bits(descriptor, 40, 5), m.word(9)), VECTOR.GP, code);
  m.raiseUnless(m.bit(descriptor, DESCRIPTOR.present), VECTOR.NP, code);
  m.store(64, at, m.or(descriptor, m.word(1n << 41n)), 'system');
  m.set('tssBase', m.or(baseOf(m, descriptor), m.shl(high, m.word(32))));
  const raw = m.or(m.bits(descriptor, 0, 16), m.shl(m.bits(descriptor, 48, 4), m.word(16)));
  const pages = m.or(m.shl(raw, m.word(12)), m.word(0xfff));
  m.set('tssLimit', m.select(m.bit(descriptor, DESCRIPTOR.granular), pages, raw));
};
