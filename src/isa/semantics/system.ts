/** Flags, modes and instructions for the kernel (SDM vol 1, 5.1.12 and 5.20). */
import { AC, DF, IF } from '../flags.ts';
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import { CR4, SHADOW } from '../state.ts';

/** Privileged instructions raise #GP(0) outside ring 0. */
export const requireKernel = <V>(m: Ops<V>): void => m.raiseIf(m.get('cpl'), VECTOR.GP, m.word(0));

export const clc: Semantics = (m) => m.setCarry(m.word(0));
export const stc: Semantics = (m) => m.setCarry(m.word(1));
export const cmc: Semantics = (m) => m.setCarry(m.isZero(m.condition('b')));
export const cld: Semantics = (m) => m.setRflags(m.word(0), DF);
export const std: Semantics = (m) => m.setRflags(m.word(DF), DF);

/** AH holds SF ZF 0 AF 0 PF 1 CF. */
export const lahf: Semantics = (m) => m.setReg(8, 'ah', m.rflags());
export const sahf: Semantics = (m) => {
  const kept = m.and(m.rflags(), m.word(1n << 11n));
  m.setRflags(m.or(kept, m.and(m.reg(8, 'ah'), m.word(0xd5))), 0x8d5n);
};

/** #GP(0) unless CPL <= IOPL; virtual interrupts (CR4.PVI) are not modelled. */
const requireIopl = <V>(m: Ops<V>): void =>
  m.raiseIf(m.below(m.bits(m.get('rflagsRest'), 12, 2), m.get('cpl')), VECTOR.GP, m.word(0));

export const cli: Semantics = (m) => {
  requireIopl(m);
  m.setRflags(m.word(0), IF);
};

/** Only an STI that finds IF clear delays interrupts by one instruction (SDM vol 2, STI). */
export const sti: Semantics = (m) => {
  requireIopl(m);
  m.when(m.isZero(m.bit(m.get('rflagsRest'), 9)), () => m.set('shadow', m.word(SHADOW.sti)));
  m.setRflags(m.word(IF), IF);
};

/** #UD outside ring 0 and without SMAP (SDM vol 2, CLAC); this machine has SMAP. */
const setAc =
  (image: bigint): Semantics =>
  (m) => {
    m.raiseIf(m.get('cpl'), VECTOR.UD, m.word(0));
    m.setRflags(m.word(image), AC);
  };
export const clac = setAc(0n);
export const stac = setAc(AC);

/**
 * Wait behind HLT for the next event that is not held back; until then a run stops, and says so. A debug exception is
 * such an event (SDM vol 2, HLT), so a single step wakes the processor at once. In KVM
 * it does, too (Linux v6.12, arch/x86/kvm/x86.c, kvm_emulate_halt and kvm_vcpu_has_events), whereas Bochs sleeps on
 * (event.cc, handleWaitForEvent).
 */
export const hlt: Semantics = (m) => {
  requireKernel(m);
  m.set('halted', m.word(1));
  m.refreshAttention();
};

/** A byte is looked at as if it were read (SDM vol 2, CLFLUSH, CLFLUSHOPT, CLWB); there is no cache to write back. */
export const cacheLine: Semantics = (m, { a }) => {
  m.read(a);
};

/** WBINVD, INVD: there is no cache to write back. */
export const privilegedNop: Semantics = (m) => requireKernel(m);
export const invlpg: Semantics = (m) => {
  requireKernel(m);
  m.flushTranslations();
};

/** What an INVPCID may be asked for (SDM vol 2, INVPCID): one address, one PCID, all but global, all. */
export const invpcid: Semantics = (m, { a, b }) => {
  requireKernel(m);
  const type = m.read(a);
  const pcid = m.load(64, m.address(b), b);
  const address = m.load(64, m.addressAt(b, m.word(8)), b);
  const gpIf = (condition: typeof type): void => m.raiseIf(condition, VECTOR.GP, m.word(0));
  gpIf(m.below(m.word(3), type));
  const named = m.below(type, m.word(2));
  gpIf(m.isZero(m.isZero(m.shr(pcid, m.word(12)))));
  const enabled = m.bit(m.get('cr4'), 17);
  gpIf(m.and(m.and(named, m.isZero(enabled)), m.isZero(m.isZero(pcid))));
  gpIf(m.and(m.isZero(type), m.isZero(m.isCanonical(address))));
  m.flushTranslations();
};

/** Exchange GS.base with IA32_KERNEL_GS_BASE; #UD under FRED, whose events and ERETU do that (SDM vol 2, SWAPGS). */
export const swapgs: Semantics = (m) => {
  m.raiseIf(m.bit(m.get('cr4'), CR4.fred), VECTOR.UD, m.word(0));
  requireKernel(m);
  const user = m.get('gsBase');
  const kernel = m.get('kernelGsBase');
  m.set('gsBase', kernel);
  m.set('kernelGsBase', user);
};

/** RDFSBASE, RDGSBASE: #UD without CR4.FSGSBASE (bit 16). */
const requireFsGsBase = <V>(m: Ops<V>): void => m.raiseUnless(m.bit(m.get('cr4'), 16), VECTOR.UD, m.word(0));

export const readBase =
  (base: 'fsBase' | 'gsBase'): Semantics =>
  (m, { a }) => {
    requireFsGsBase(m);
    m.write(a, m.get(base));
  };
export const writeBase =
  (base: 'fsBase' | 'gsBase'): Semantics =>
  (m, { a }) => {
    requireFsGsBase(m);
    const value = m.read(a);
    m.raiseUnless(m.isCanonical(value), VECTOR.GP, m.word(0));
    m.set(base, value);
  };
