/**
 * The shape of the stack before an instruction, and what stack operations make of it: `update_cfi_state()` of
 * tools/objtool/check.c, 5.18. The *canonical frame address* (CFA) is RSP as it was before the call; everything is told by it.
 *
 * Registers that are only pushed by entry code are no saved registers: while the shape is that of registers (`regs`,
 * `regs-partial`), just the distance to them is kept.
 */
import type { OrcBase, OrcRow, OrcType } from '../../image/orc.ts';
import type { Reg, StackOp } from './stack-op.ts';

/** Where a value is: an offset from the CFA, from RBP, or nowhere known. */
export interface Location {
  readonly base: 'undefined' | 'cfa' | 'rbp' | 'sp-indirect';
  readonly offset: number;
}

export interface Cfi {
  readonly base: OrcBase;
  readonly offset: number;
  readonly type: OrcType;
  readonly signal: boolean;
  /** Callee-saved registers and the return address (`ra`) that were put on the stack. */
  readonly saved: Readonly<Partial<Record<Reg, Location>>>;
  /** Registers that hold a stack pointer. */
  readonly values: Readonly<Partial<Record<Reg, Location>>>;
  /** Bytes between RSP and the CFA, also while the CFA is told from RBP. */
  readonly stackSize: number;
  /** A register that has kept the CFA over an alignment of RSP (DRAP): from when on, and where it was saved. */
  readonly drap: boolean;
  readonly drapReg: Reg | undefined;
  readonly drapOffset: number;
}

const NOTHING = {
  saved: {},
  values: {},
  drap: false,
  drapReg: undefined,
  drapOffset: -1,
} as const;

/** At the first instruction of a function: nothing on its stack but the return address. */
export const FUNCTION: Cfi = {
  ...NOTHING,
  base: 'sp',
  offset: 8,
  type: 'call',
  signal: false,
  saved: { ra: { base: 'cfa', offset: -8 } },
  stackSize: 8,
};

/**
 * What a hint declares; everything else is forgotten, also how much lies between RSP and the CFA. For registers that does not
 * matter. Where the kernel's tool went on from such a hint as in a function, it took the first push to lie right below the CFA,
 * where the return address is (`read_unwind_hints()` in 5.2; before b735bd3e6882 `UNWIND_HINT_FUNC` was such a hint).
 */
export const declared = (base: OrcBase, offset: number, type: OrcType, signal: boolean): Cfi => ({
  ...NOTHING,
  base: type === 'end' || type === 'undefined' ? 'undefined' : base,
  offset: type === 'end' || type === 'undefined' ? 0 : offset,
  type,
  signal,
  stackSize: 0,
});

const CALLEE_SAVED: ReadonlySet<Reg> = new Set<Reg>(['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15']);
/** Names of registers in ORC. */
const ORC: Readonly<Partial<Record<Reg, OrcBase>>> = {
  rsp: 'sp',
  rbp: 'bp',
  rdi: 'di',
  rdx: 'dx',
  rax: 'ax',
  r10: 'r10',
  r13: 'r13',
};
const UNKNOWN: Location = { base: 'undefined', offset: 0 };

const isAt = (cfi: Cfi, reg: Reg, offset: number): boolean =>
  cfi.saved[reg]?.base === 'cfa' && cfi.saved[reg].offset === offset;
const without = <T>(of: Readonly<Partial<Record<Reg, T>>>, reg: Reg): Readonly<Partial<Record<Reg, T>>> => {
  const { [reg]: _, ...rest } = of as Record<string, T>;
  return rest as Readonly<Partial<Record<Reg, T>>>;
};
const save = (cfi: Cfi, reg: Reg, location: Location): Cfi =>
  CALLEE_SAVED.has(reg) && !cfi.saved[reg] ? { ...cfi, saved: { ...cfi.saved, [reg]: location } } : cfi;
const restore = (cfi: Cfi, reg: Reg): Cfi => ({ ...cfi, saved: without(cfi.saved, reg) });

/** The shape behind an operation, or a sentence that says what cannot be followed. */
export function afterOp(cfi: Cfi, op: StackOp): Cfi | string {
  if (cfi.base === 'undefined') return cfi;
  if (op.kind === 'unknown' && (cfi.base === 'sp' || cfi.base === 'sp-indirect'))
    return 'RSP is loaded from elsewhere, and no hint behind it says where the frame is now';
  if (cfi.type === 'regs' || cfi.type === 'regs-partial') return afterInRegs(cfi, op);
  switch (op.kind) {
    case 'push':
      return afterPush(cfi, op.from);
    case 'pop':
      return afterPop(cfi, op.to);
    case 'move':
      return afterMove(cfi, op.from, op.to);
    case 'add':
      return afterAdd(cfi, op.from, op.to, op.offset);
    case 'align':
      return afterAlign(cfi);
    case 'store':
      return afterStore(cfi, op.from, op.base, op.offset);
    case 'load':
      return afterLoad(cfi, op.to, op.base, op.offset);
    case 'unknown':
      return cfi;
  }
}

/** Only RSP counts: push, pop, and adding a number. */
function afterInRegs(cfi: Cfi, op: StackOp): Cfi {
  if (cfi.base !== 'sp' && cfi.base !== 'sp-indirect') return cfi;
  if (op.kind === 'push') return { ...cfi, offset: cfi.offset + 8 };
  if (op.kind === 'pop') return { ...cfi, offset: cfi.offset - 8 };
  if (op.kind === 'add' && op.from === 'rsp' && op.to === 'rsp')
    return { ...cfi, offset: cfi.offset - op.offset };
  return cfi;
}

function afterPush(cfi: Cfi, from: Reg | undefined): Cfi {
  const stackSize = cfi.stackSize + 8;
  const next = { ...cfi, stackSize, offset: cfi.base === 'sp' ? cfi.offset + 8 : cfi.offset };
  if (from === undefined) return next;
  if (!cfi.drap) return save(next, from, { base: 'cfa', offset: -stackSize });
  if (from === cfi.drapReg && ORC[from] === cfi.base)
    return { ...next, base: 'bp-indirect', offset: -stackSize, drapOffset: -stackSize };
  if (from === 'rbp' && cfi.drapReg && cfi.base === ORC[cfi.drapReg]) return { ...next, stackSize: 0 };
  return save(next, from, { base: 'rbp', offset: -stackSize });
}

function afterPop(cfi: Cfi, to: Reg | undefined): Cfi {
  // The other half of a stack swizzle: the word at the top of this stack leads back to the other.
  if (to === 'rsp' && cfi.base === 'sp-indirect') return { ...cfi, base: 'sp' };
  let next = cfi;
  if (to === 'rbp' && cfi.base === 'bp' && !cfi.drap) next = { ...next, base: 'sp' };
  if (to && cfi.drap && cfi.base === 'bp-indirect' && to === cfi.drapReg && cfi.drapOffset === -cfi.stackSize)
    next = { ...next, base: ORC[to] ?? 'undefined', offset: 0, drapOffset: -1 };
  else if (to && cfi.saved[to]?.offset === -cfi.stackSize) next = restore(next, to);
  return {
    ...next,
    stackSize: cfi.stackSize - 8,
    offset: next.base === 'sp' ? next.offset - 8 : next.offset,
  };
}

function afterMove(cfi: Cfi, from: Reg, to: Reg): Cfi {
  if (from === 'rsp' && to === 'rbp' && cfi.base === 'sp' && isAt(cfi, 'rbp', -cfi.offset))
    return { ...cfi, base: 'bp' };
  if (from === 'rsp' && to === 'rbp' && cfi.drap)
    return { ...cfi, saved: { ...cfi.saved, rbp: { base: 'rbp', offset: -cfi.stackSize } } };
  if (from === 'rsp' && cfi.base === 'sp')
    return { ...cfi, values: { ...cfi.values, [to]: { base: 'cfa', offset: -cfi.stackSize } } };
  if (from === 'rbp' && to === 'rsp' && (cfi.base === 'bp' || (cfi.drapReg && cfi.base === ORC[cfi.drapReg])))
    return { ...cfi, stackSize: -(cfi.saved.rbp?.offset ?? 0) };
  if (to !== 'rsp') return cfi;
  const value = cfi.values[from] ?? UNKNOWN;
  const swizzles = value.base === 'sp-indirect' && value.offset === cfi.offset;
  if (cfi.base === 'sp') {
    if (value.base === 'cfa') return { ...cfi, offset: -value.offset, stackSize: -value.offset };
    if (swizzles) return { ...cfi, base: 'sp-indirect' };
    return { ...cfi, base: 'undefined', offset: 0 };
  }
  // The pop that leads back is an ordinary one then.
  return swizzles ? { ...cfi, stackSize: cfi.stackSize + 8 } : cfi;
}

function afterAdd(cfi: Cfi, from: Reg, to: Reg, offset: number): Cfi | string {
  if (to === 'rsp' && from === 'rsp')
    return {
      ...cfi,
      stackSize: cfi.stackSize - offset,
      offset: cfi.base === 'sp' ? cfi.offset - offset : cfi.offset,
    };
  if (to === 'rsp' && from === 'rbp') return { ...cfi, stackSize: -(offset + (cfi.saved.rbp?.offset ?? 0)) };
  if (
    !cfi.drap &&
    from === 'rsp' &&
    to === 'rbp' &&
    cfi.base === 'sp' &&
    isAt(cfi, 'rbp', -cfi.offset + offset)
  )
    return { ...cfi, base: 'bp', offset: cfi.offset - offset };
  if (from === 'rsp' && cfi.base === 'sp')
    return {
      ...cfi,
      drapReg: to,
      values: { ...cfi.values, [to]: { base: 'cfa', offset: -cfi.stackSize + offset } },
    };
  if (cfi.drap && to === 'rsp' && from === cfi.drapReg)
    return { ...cfi, base: 'sp', offset: -offset, stackSize: -offset, drap: false, drapReg: undefined };
  if (ORC[to] === cfi.base) return `%${to} is changed while the frame is told by it`;
  return cfi;
}

function afterAlign(cfi: Cfi): Cfi | string {
  const { drapReg } = cfi;
  if (drapReg === undefined ? cfi.base !== 'bp' : cfi.base !== 'sp')
    return 'RSP is aligned, and no register keeps where it was';
  if (drapReg === undefined) return cfi;
  const base = ORC[drapReg];
  if (base === undefined) return `RSP is aligned, and ORC has no name for %${drapReg}, which keeps it`;
  return { ...cfi, base, offset: 0, stackSize: 0, drap: true };
}

function afterStore(cfi: Cfi, from: Reg, base: Reg, offset: number): Cfi {
  if (cfi.drap) {
    if (from === cfi.drapReg && ORC[from] === cfi.base)
      return { ...cfi, base: 'bp-indirect', offset, drapOffset: offset };
    return save(cfi, from, { base: 'rbp', offset });
  }
  if (ORC[base] === cfi.base) return save(cfi, from, { base: 'cfa', offset: offset - cfi.offset });
  if (base === 'rsp') return save(cfi, from, { base: 'cfa', offset: offset - cfi.stackSize });
  if (from === 'rsp' && offset === 0)
    return { ...cfi, values: { ...cfi.values, [base]: { base: 'sp-indirect', offset: cfi.offset } } };
  return cfi;
}

function afterLoad(cfi: Cfi, to: Reg, base: Reg, offset: number): Cfi {
  let next = cfi;
  if (!cfi.drap && to === 'rbp' && cfi.base === 'bp') next = { ...next, base: 'sp', offset: cfi.stackSize };
  if (cfi.drap && base === 'rbp' && offset === cfi.drapOffset)
    return { ...next, base: ORC[cfi.drapReg ?? 'ra'] ?? 'undefined', offset: 0, drapOffset: -1 };
  const at = cfi.saved[to]?.offset;
  if (at === undefined) return next;
  const back =
    (cfi.drap && base === 'rbp' && offset === at) ||
    (ORC[base] === cfi.base && offset === at + cfi.offset) ||
    (base === 'rsp' && offset === at + cfi.stackSize);
  return back ? restore(next, to) : next;
}

/** Whether a function may be left so: everything as at its beginning. */
export const isUnchanged = (cfi: Cfi): boolean =>
  cfi.base === 'sp' &&
  cfi.offset === FUNCTION.offset &&
  cfi.stackSize === FUNCTION.stackSize &&
  !cfi.drap &&
  Object.keys(cfi.saved).every((reg) => reg === 'ra');

const shapeText = ({ base, offset, type }: Cfi): string => {
  if (base === 'undefined') return type === 'end' ? 'the end of the stack' : 'an undefined stack';
  const at = `${base}${offset < 0 ? '' : '+'}${offset}`;
  return type === 'call' ? at : `${type} at ${at}`;
};

/** Why two paths may not meet, one clause; undefined if they may. */
export function mismatch(one: Cfi, other: Cfi): string | undefined {
  if (one.base !== other.base || one.offset !== other.offset || one.type !== other.type)
    return `one path arrives with ${shapeText(one)}, another with ${shapeText(other)}`;
  const regs = new Set([...Object.keys(one.saved), ...Object.keys(other.saved)]) as ReadonlySet<Reg>;
  for (const reg of regs) {
    const [a, b] = [one.saved[reg], other.saved[reg]];
    if (a?.base !== b?.base || a?.offset !== b?.offset)
      return `%${reg} is saved on one path and not so on another`;
  }
  if (
    one.drap === other.drap &&
    (!one.drap || (one.drapReg === other.drapReg && one.drapOffset === other.drapOffset))
  )
    return undefined;
  return 'the stack is aligned on one path and not so on another';
}

/** The row of a shape; undefined where nobody comes. */
export function rowOf(address: bigint, cfi: Cfi | undefined): OrcRow {
  if (!cfi || cfi.base === 'undefined') {
    const type = cfi?.type === 'end' ? 'end' : 'undefined';
    return { address, base: 'undefined', offset: 0, bpBase: 'undefined', bpOffset: 0, type, signal: false };
  }
  const { base, offset, type, signal, saved } = cfi;
  const bp = saved.rbp ?? UNKNOWN;
  const bpBase = bp.base === 'cfa' ? 'prev-sp' : bp.base === 'rbp' ? 'bp' : 'undefined';
  // A row of -0 would not be the row of 0 that a file gives back.
  const bpOffset = bpBase === 'undefined' ? 0 : bp.offset || 0;
  return { address, base, offset, bpBase, bpOffset, type, signal };
}
