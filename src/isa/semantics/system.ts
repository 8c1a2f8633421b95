/** Flags, modes and instructions for the kernel (SDM vol 1, 5.1.12 and 5.20). */
import { AC, DF, IF, RF } from '../flags.ts';
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import { SHADOW } from '../state.ts';

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

/** Wait behind HLT for the next event that is not held back; until then a run stops, and says so (SDM vol 2, HLT). */
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

/** Exchange GS.base with IA32_KERNEL_GS_BASE (SDM vol 2, SWAPGS). */
export const swapgs: Semantics = (m) => {
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

/** RFLAGS bits SYSRET takes from R11; RF and VM are cleared (SDM vol 2, SYSRET). */
const SYSRET_FLAGS = 0x3c_7fd7n;

/** RSP is left as the user had it. RF of the saved image is clear, as in every image a program sees. */
export const syscall: Semantics = (m) => {
  m.raiseUnless(m.bit(m.get('efer'), 0), VECTOR.UD, m.word(0));
  const image = m.rflags();
  // Whether a single step traps behind it depends on the new TF, which the engine looks at before an instruction.
  m.when(m.bit(image, 8), () => m.stop('not modelled: SYSCALL under TF'));
  const selector = m.bits(m.get('star'), 32, 16);
  m.set('rcx', m.nextRip());
  m.set('r11', m.and(image, m.word(~RF)));
  m.setRflags(m.and(image, m.not(m.get('sfmask'))), 0xffff_fffdn & ~RF);
  m.setRflags(m.word(0), RF);
  m.set('cs', m.and(selector, m.word(0xfffc)));
  m.set('ss', m.add(m.and(selector, m.word(0xffff)), m.word(8)));
  m.set('cpl', m.word(0));
  m.refreshAttention();
  m.jump(m.get('lstar'));
};

/** A non-canonical RCX raises #GP(0) while still in ring 0, on the user's stack: Intel's order (SDM vol 2, SYSRET). */
export const sysretq: Semantics = (m) => {
  m.raiseUnless(m.bit(m.get('efer'), 0), VECTOR.UD, m.word(0));
  requireKernel(m);
  const to = m.get('rcx');
  m.raiseUnless(m.isCanonical(to), VECTOR.GP, m.word(0));
  const image = m.named('image', m.get('r11'));
  // It would trap right behind itself (SDM vol 2, SYSRET).
  m.when(m.bit(image, 8), () => m.stop('not modelled: SYSRET that sets TF'));
  const selector = m.bits(m.get('star'), 48, 16);
  m.setRflags(m.and(image, m.word(SYSRET_FLAGS)), 0xffff_fffdn);
  m.set('cs', m.or(m.truncate(16, m.add(selector, m.word(16))), m.word(3)));
  m.set('ss', m.or(m.truncate(16, m.add(selector, m.word(8))), m.word(3)));
  m.set('cpl', m.word(3));
  m.refreshAttention();
  m.jump(to);
};
