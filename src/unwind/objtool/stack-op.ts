/**
 * What an instruction does to the stack and to control, as far as a static walk must know (tools/objtool/arch/x86/decode.c,
 * 5.18). Instructions that are not listed leave both alone.
 */
import type { Instruction } from '../../isa/instruction.ts';
import type { Register } from '../../isa/state.ts';

export type Reg = Register | 'ra';

export type StackOp =
  | { readonly kind: 'push'; readonly from: Reg | undefined }
  /** `to` undefined: into memory, or flags. */
  | { readonly kind: 'pop'; readonly to: Reg | undefined }
  | { readonly kind: 'move'; readonly from: Reg; readonly to: Reg }
  | { readonly kind: 'add'; readonly from: Reg; readonly to: Reg; readonly offset: number }
  | { readonly kind: 'align' }
  | { readonly kind: 'store'; readonly from: Reg; readonly base: Reg; readonly offset: number }
  | { readonly kind: 'load'; readonly to: Reg; readonly base: Reg; readonly offset: number }
  /** RSP from somewhere that nobody follows. */
  | { readonly kind: 'unknown' };

export type Flow = 'next' | 'call' | 'jump' | 'branch' | 'return' | 'switch' | 'dead-end';

const small = (value: bigint): number => Number(BigInt.asIntN(64, value));

/** A memory operand that is a register and a distance, and nothing else. */
function plainMemory({ memory }: Instruction): { readonly base: Reg; readonly offset: number } | undefined {
  if (!memory || memory.segment || memory.index || memory.short) return undefined;
  const { base, displacement } = memory;
  return base === undefined || base === 'rip' ? undefined : { base, offset: small(displacement) };
}

export function stackOps(instruction: Instruction): readonly StackOp[] {
  const { row, shape, registers, immediate } = instruction;
  const wide = shape.width === 64;
  const { a: to, b: from } = registers;
  const memory = plainMemory(instruction);
  switch (row.mnemonic) {
    case 'push':
      return [{ kind: 'push', from: to }];
    case 'pushf':
      return [{ kind: 'push', from: undefined }];
    case 'pop':
      return [{ kind: 'pop', to }];
    case 'popf':
      return [{ kind: 'pop', to: undefined }];
    case 'leave':
      return [
        { kind: 'move', from: 'rbp', to: 'rsp' },
        { kind: 'pop', to: 'rbp' },
      ];
    case 'add':
    case 'sub':
      if (to !== 'rsp') return [];
      if (shape.b.kind !== 'i') return [{ kind: 'unknown' }];
      return [
        {
          kind: 'add',
          from: 'rsp',
          to,
          offset: row.mnemonic === 'add' ? small(immediate) : -small(immediate),
        },
      ];
    case 'and':
      return to === 'rsp' ? [{ kind: 'align' }] : [];
    case 'lea':
      if (!to || !wide) return [];
      if (memory) return [{ kind: 'add', from: memory.base, to, offset: memory.offset }];
      return to === 'rsp' ? [{ kind: 'unknown' }] : [];
    case 'mov':
    case 'movabs':
      if (!wide) return [];
      if (to && from) return to === 'rsp' || from === 'rsp' ? [{ kind: 'move', from, to }] : [];
      if (memory && from && (from === 'rsp' || memory.base === 'rsp' || memory.base === 'rbp'))
        return [{ kind: 'store', from, ...memory }];
      if (memory && to && (memory.base === 'rsp' || memory.base === 'rbp'))
        return to === 'rsp' ? [{ kind: 'unknown' }] : [{ kind: 'load', to, ...memory }];
      return to === 'rsp' ? [{ kind: 'unknown' }] : [];
    case 'xchg':
      return to === 'rsp' || from === 'rsp' ? [{ kind: 'unknown' }] : [];
    default:
      return [];
  }
}

const SWITCHES: ReadonlySet<string> = new Set(
  'iretq iret sysretq sysretl sysexit lret erets eretu uiret ljmp'.split(' '),
);

export function flowOf({ row: { mnemonic } }: Instruction): Flow {
  if (mnemonic === 'call') return 'call';
  if (mnemonic === 'jmp') return 'jump';
  if (mnemonic.startsWith('j') || mnemonic.startsWith('loop')) return 'branch';
  if (mnemonic === 'ret') return 'return';
  if (mnemonic === 'ud2') return 'dead-end';
  return SWITCHES.has(mnemonic) ? 'switch' : 'next';
}
