/** Control, debug and model-specific registers (SDM vol 3, 2.5 and 17.2; vol 4). */

import { CET } from '../endbranch.ts';
import { type Ops, type Semantics, VECTOR } from '../ops.ts';
import { CR4, type Field, MAXPHYADDR } from '../state.ts';
import type { NotModelled, StopReason } from '../stop-reason.ts';
import { requireKernel } from './system.ts';

const gpIf = <V>(m: Ops<V>, condition: V): void => m.raiseIf(condition, VECTOR.GP, m.word(0));
const anyOf = <V>(m: Ops<V>, value: V, mask: bigint): V => m.isZero(m.isZero(m.and(value, m.word(mask))));

/** MOV from CRn, DRn. */
export const readControl =
  (field: Field): Semantics =>
  (m, { a }) => {
    requireKernel(m);
    m.write(a, m.get(field));
  };

/** CR2 takes any value. */
export const writeCr2: Semantics = (m, { b }) => {
  requireKernel(m);
  m.set('cr2', m.read(b));
};

/** PE MP EM TS ET NE WP AM NW CD PG; what lies between is ignored. */
const CR0 = { pe: 0, et: 1n << 4n, wp: 16, nw: 29, cd: 30, pg: 31, kept: 0xe005_003fn } as const;

/**
 * Paging and protection cannot be left in 64-bit mode; NW without CD is refused, and so is CR4.CET without WP
 * (SDM vol 2, MOV CR).
 */
export const writeCr0: Semantics = (m, { b }) => {
  requireKernel(m);
  const value = m.read(b);
  gpIf(m, anyOf(m, value, 0xffff_ffff_0000_0000n));
  gpIf(m, m.isZero(m.and(m.bit(value, CR0.pe), m.bit(value, CR0.pg))));
  gpIf(m, m.and(m.bit(value, CR0.nw), m.isZero(m.bit(value, CR0.cd))));
  gpIf(m, m.and(m.bit(m.get('cr4'), CR4.cet), m.isZero(m.bit(value, CR0.wp))));
  m.set('cr0', m.or(m.and(value, m.word(CR0.kept)), m.word(CR0.et)));
  m.flushTranslations();
};

/** Bits 62:MAXPHYADDR, which an address cannot have; LAM, which would use two of them, is not there. */
const CR3_RESERVED = ((1n << 63n) - 1n) & ~((1n << BigInt(MAXPHYADDR)) - 1n);

/**
 * With CR4.PCIDE bit 63 asks to keep the translations of the new PCID and is not stored; else it is reserved, too.
 * Keeping is a permission and no duty (SDM vol 3, 4.10.4.1): this model keeps none, so it never uses a stale one.
 */
export const writeCr3: Semantics = (m, { b }) => {
  requireKernel(m);
  const value = m.read(b);
  const hint = m.and(m.bit(value, 63), m.bit(m.get('cr4'), CONTROL4.pcide));
  gpIf(m, m.or(anyOf(m, value, CR3_RESERVED), m.xor(m.bit(value, 63), hint)));
  m.set('cr3', m.and(value, m.word((1n << 63n) - 1n)));
  m.flushTranslations();
};

/** Bits 0 to 11, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, CET, FRED. LA57 cannot change in 64-bit mode (SDM vol 2, MOV CR). */
const CONTROL4 = { pae: 5, la57: 12, pcide: 17, known: 0x1_00b7_0fffn } as const;
/** Bits that change what is not modelled. */
const UNMODELLED_CR4 = [
  [13, 'CR4.VMXE'],
  [14, 'CR4.SMXE'],
  [22, 'CR4.PKE'],
  [24, 'CR4.PKS'],
  [25, 'CR4.UINTR'],
  [27, 'CR4.LASS'],
  [28, 'CR4.LAM_SUP'],
] as const;
const CR4_DEFINED = UNMODELLED_CR4.reduce<bigint>(
  (bits, [bit]) => bits | (1n << BigInt(bit)),
  CONTROL4.known,
);

export const writeCr4: Semantics = (m, { b }) => {
  requireKernel(m);
  const value = m.read(b);
  const before = m.get('cr4');
  const set = m.named('newly_set', m.and(value, m.not(before)));
  gpIf(m, anyOf(m, value, ~(CR4_DEFINED | (1n << BigInt(CONTROL4.la57))) & 0xffff_ffff_ffff_ffffn));
  gpIf(m, m.isZero(m.bit(value, CONTROL4.pae)));
  gpIf(m, m.bit(m.xor(value, before), CONTROL4.la57));
  gpIf(m, m.and(m.bit(set, CONTROL4.pcide), anyOf(m, m.get('cr3'), 0xfffn)));
  gpIf(m, m.and(m.bit(value, CR4.cet), m.isZero(m.bit(m.get('cr0'), CR0.wp))));
  for (const [bit, name] of UNMODELLED_CR4) m.when(m.bit(set, bit), () => m.stop(`not modelled: ${name}`));
  m.set('cr4', value);
  m.flushTranslations();
  m.refreshAttention();
};

export const writeCr8: Semantics = (m, { b }) => {
  requireKernel(m);
  const value = m.read(b);
  gpIf(m, anyOf(m, value, ~15n & 0xffff_ffff_ffff_ffffn));
  m.set('cr8', value);
  m.refreshAttention();
};

type DebugField = 'dr0' | 'dr1' | 'dr2' | 'dr3' | 'dr6' | 'dr7';

/**
 * DR4 and DR5 mean DR6 and DR7 while CR4.DE (bit 3) is clear, else #UD. DR7.GD (bit 13) makes every access a
 * #DB before it happens, told in DR6.BD (SDM vol 2, MOV DR; vol 3, 17.2.2, 17.2.4 and 17.3.1.3).
 */
function checkDebug<V>(m: Ops<V>, alias: boolean): void {
  if (alias) m.raiseIf(m.bit(m.get('cr4'), 3), VECTOR.UD, m.word(0));
  requireKernel(m);
  m.raiseIf(m.bit(m.get('dr7'), 13), VECTOR.DB, m.word(1n << 13n));
}

export const readDebug =
  (field: DebugField, alias = false): Semantics =>
  (m, { a }) => {
    checkDebug(m, alias);
    m.write(a, m.get(field));
  };

/** Bits that read as one, and bits that can be written (SDM vol 3, 17.2.3 and 17.2.4). */
const FIXED: Readonly<Partial<Record<DebugField, readonly [ones: bigint, writable: bigint]>>> = {
  dr6: [0xffff_0ff0n, 0xe00fn],
  dr7: [0x400n, 0xffff_23ffn],
};

/** DR6 and DR7 refuse bits 63:32; a watched page must not hide in a translation cache. */
export const writeDebug =
  (field: DebugField, alias = false): Semantics =>
  (m, { b }) => {
    checkDebug(m, alias);
    const value = m.read(b);
    const fixed = FIXED[field];
    if (fixed) gpIf(m, anyOf(m, value, 0xffff_ffff_0000_0000n));
    m.set(field, fixed ? m.or(m.and(value, m.word(fixed[1])), m.word(fixed[0])) : value);
    if (field === 'dr6') return;
    m.flushTranslations();
    if (field === 'dr7') m.armBreakpoints();
  };

/** What WRMSR refuses with #GP(0) (SDM vol 2, WRMSR): a non-canonical base, or reserved bits that are set. */
interface ModelRegister {
  readonly index: bigint;
  readonly field: Field | undefined;
  readonly canonical?: true;
  readonly reserved?: bigint;
  /** Why neither is done. */
  readonly refused?: StopReason;
  /** Bits that it cannot be asked for, and why. */
  readonly notModelled?: readonly (readonly [bits: bigint, reason: StopReason])[];
}
const SHADOW_STACK = 'not modelled: shadow stacks';
const cetRegister = (index: bigint, field: Field): ModelRegister => ({
  index,
  field,
  canonical: true,
  reserved: CET.reserved,
  notModelled: [
    [CET.shadowStack | CET.writeShadowStack, SHADOW_STACK],
    [CET.legacyBitmap, 'not modelled: legacy code page bitmap'],
  ],
});
const shadowStackRegister = (index: bigint): ModelRegister => ({
  index,
  field: undefined,
  refused: SHADOW_STACK,
});
const HIGH_HALF = 0xffff_ffff_0000_0000n;

/**
 * What entry code and the code around it touch. SPEC_CTRL and PRED_CMD concern speculation, of which there is
 * none: they read as zero. CSTAR is kept for code that does not run here.
 */
const MODEL_REGISTERS: readonly ModelRegister[] = [
  { index: 0x10n, field: 'tsc' },
  { index: 0x48n, field: undefined, reserved: HIGH_HALF },
  { index: 0x49n, field: undefined, reserved: HIGH_HALF },
  { index: 0x174n, field: 'sysenterCs', reserved: HIGH_HALF },
  { index: 0x175n, field: 'sysenterEsp', canonical: true },
  { index: 0x176n, field: 'sysenterEip', canonical: true },
  { index: 0x17an, field: 'mcgStatus', reserved: ~0xfn & 0xffff_ffff_ffff_ffffn },
  // FRED (SDM vol 4; linux v6.9 arch/x86/include/asm/msr-index.h). Stacks are aligned to 64 bytes.
  { index: 0x1ccn, field: 'fredRsp0', canonical: true, reserved: 0x3fn },
  { index: 0x1cdn, field: 'fredRsp1', canonical: true, reserved: 0x3fn },
  { index: 0x1cen, field: 'fredRsp2', canonical: true, reserved: 0x3fn },
  { index: 0x1cfn, field: 'fredRsp3', canonical: true, reserved: 0x3fn },
  { index: 0x1d0n, field: 'fredStklvls' },
  ...[0x1d1n, 0x1d2n, 0x1d3n].map(shadowStackRegister),
  { index: 0x1d4n, field: 'fredConfig', canonical: true, reserved: 0x834n },
  // CET. IA32_PL0_SSP is FRED's stack level 0 as well.
  cetRegister(0x6a0n, 'userCet'),
  cetRegister(0x6a2n, 'supervisorCet'),
  ...[0x6a4n, 0x6a5n, 0x6a6n, 0x6a7n, 0x6a8n].map(shadowStackRegister),
  { index: 0xc000_0081n, field: 'star' },
  { index: 0xc000_0082n, field: 'lstar', canonical: true },
  { index: 0xc000_0083n, field: 'cstar', canonical: true },
  { index: 0xc000_0084n, field: 'sfmask', reserved: HIGH_HALF },
  { index: 0xc000_0100n, field: 'fsBase', canonical: true },
  { index: 0xc000_0101n, field: 'gsBase', canonical: true },
  { index: 0xc000_0102n, field: 'kernelGsBase', canonical: true },
  { index: 0xc000_0103n, field: 'tscAux', reserved: HIGH_HALF },
];

/** Registers that a kernel does touch and this model does not have, by name (SDM vol 4, tables 2-2 and 2-46). */
const UNMODELLED_REGISTERS: readonly (readonly [first: bigint, last: bigint, name: NotModelled])[] = [
  [0x1bn, 0x1bn, 'MSR APIC_BASE'],
  [0x179n, 0x179n, 'MSR MCG_CAP'],
  [0x1d9n, 0x1d9n, 'MSR DEBUGCTL'],
  [0x277n, 0x277n, 'MSR PAT'],
  [0x400n, 0x47fn, 'MSR machine-check banks'],
  [0x6e0n, 0x6e0n, 'MSR TSC_DEADLINE'],
  [0x800n, 0x8ffn, 'MSR x2APIC'],
];
/** No processor has or will have these (SDM vol 4, 2.1): #GP(0). Of any other the model does not know whether there is one. */
const NEVER = [0x4000_0000n, 0x4000_00ffn] as const;

const within = <V>(m: Ops<V>, index: V, first: bigint, last: bigint): V =>
  m.isZero(m.below(m.word(last - first), m.sub(index, m.word(first))));

/** One arm per register, the last one raises or stops: ECX is a value, so the choice is a chain of `when`. */
function selectRegister<V>(m: Ops<V>, index: V, arm: (register: ModelRegister) => void, from = 0): void {
  const register = MODEL_REGISTERS[from];
  if (register === undefined) {
    gpIf(m, within(m, index, ...NEVER));
    for (const [first, last, name] of UNMODELLED_REGISTERS)
      m.when(within(m, index, first, last), () => m.stop(`not modelled: ${name}`));
    m.stop('not modelled: MSR');
    return;
  }
  m.when(
    m.eq(index, m.word(register.index)),
    () => arm(register),
    () => selectRegister(m, index, arm, from + 1),
  );
}

const EFER_INDEX = 0xc000_0080n;
/** SCE, LME and NXE can be written, LMA follows the mode; LME cannot change while paging (SDM vol 3, 2.2.1). */
const EFER = { lme: 8, lma: 1n << 10n, writable: 0x901n, known: 0xd01n } as const;

/** RDMSR zero-extends both halves. */
export const rdmsr: Semantics = (m) => {
  requireKernel(m);
  const index = m.reg(32, 'rcx');
  const answer = (field: Field | undefined): void => {
    const value = field === undefined ? m.word(0) : m.get(field);
    m.setReg(32, 'rax', value);
    m.setReg(32, 'rdx', m.shr(value, m.word(32)));
  };
  m.when(
    m.eq(index, m.word(EFER_INDEX)),
    () => answer('efer'),
    () => selectRegister(m, index, ({ field, refused }) => (refused ? m.stop(refused) : answer(field))),
  );
};

export const wrmsr: Semantics = (m) => {
  requireKernel(m);
  const index = m.reg(32, 'rcx');
  const value = m.named('value', m.or(m.shl(m.reg(32, 'rdx'), m.word(32)), m.reg(32, 'rax')));
  m.when(
    m.eq(index, m.word(EFER_INDEX)),
    () => {
      const before = m.get('efer');
      gpIf(m, anyOf(m, value, ~EFER.known & 0xffff_ffff_ffff_ffffn));
      gpIf(m, m.bit(m.xor(value, before), EFER.lme));
      m.set('efer', m.or(m.and(value, m.word(EFER.writable)), m.and(before, m.word(EFER.lma))));
      m.flushTranslations();
    },
    () =>
      selectRegister(m, index, ({ field, canonical, reserved, refused, notModelled = [] }) => {
        if (refused) return m.stop(refused);
        if (canonical) m.raiseUnless(m.isCanonical(value), VECTOR.GP, m.word(0));
        if (reserved !== undefined) gpIf(m, anyOf(m, value, reserved));
        if (field === 'userCet' || field === 'supervisorCet')
          gpIf(m, m.and(m.bit(value, CET.suppress), m.bit(value, CET.wait)));
        for (const [bits, reason] of notModelled) m.when(anyOf(m, value, bits), () => m.stop(reason));
        if (field === undefined) return;
        m.set(field, value);
        if (field === 'userCet' || field === 'supervisorCet') m.refreshAttention();
      }),
  );
};

/** CR0.TS (bit 3) cleared. */
export const clts: Semantics = (m) => {
  requireKernel(m);
  m.set('cr0', m.and(m.get('cr0'), m.word(~8n)));
};
