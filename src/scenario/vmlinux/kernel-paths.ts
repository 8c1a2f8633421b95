/** The ways through a real kernel's entry code that can be run, the events that can strike on them, and what of the C below is cut. */
import type { EventDetail, EventName } from '../../engine/events/inject.ts';
import type { Machine } from '../../engine/machine.ts';
import type { SymbolTable } from '../../image/vmlinux/symbols.ts';
import { operandOf } from '../causes.ts';

export const KERNEL_EVENTS = ['nmi', 'mc', 'db', 'pf'] as const satisfies readonly EventName[];
export type KernelEvent = (typeof KERNEL_EVENTS)[number];

/** An event from the task to its return to it; or a system call, from user mode and back. */
export const KERNEL_PATHS = [...KERNEL_EVENTS, 'syscall'] as const;
export type KernelPath = (typeof KERNEL_PATHS)[number];

/** The entry of each path, under the names it has had since 5.8. */
export const ENTRY_OF: Readonly<Record<KernelPath, string>> = {
  nmi: 'asm_exc_nmi',
  mc: 'asm_exc_machine_check',
  db: 'asm_exc_debug',
  pf: 'asm_exc_page_fault',
  syscall: 'entry_SYSCALL_64',
};

/**
 * What is cut unless told: bodies that look for a cause, which does not exist here, and that would print, kill or read registers that
 * are not modelled. Entry code and `exc_*` are never cut.
 */
export const USUAL_CUTS: readonly string[] = [
  'do_machine_check',
  'do_user_addr_fault',
  'do_kern_addr_fault',
  'send_sigtrap',
  'force_sig_fault',
];

/** Where control must not come: the kernel gives up. */
export const DEATHS: readonly string[] = [
  'panic',
  'nmi_panic',
  'die',
  '__die',
  'oops_end',
  'die_addr',
  'handle_stack_overflow',
];

/** What a reader is told of each kind. */
export const KERNEL_WHERE: Readonly<Record<KernelEvent, string>> = {
  nmi: 'at any boundary; it waits while NMIs are blocked',
  mc: 'at any boundary; a second one while the first is not cleared shuts the processor down',
  db: 'where a breakpoint may be set and is in force: outside of entry text and text without instrumentation, and not while a handler has cleared DR7',
  pf: 'at an instruction with an operand in user memory; what the kernel keeps for itself is always there',
};

export interface TextRange {
  readonly begin: bigint;
  readonly end: bigint;
}

/** Text between two symbols; empty where the kernel has them not. */
export const textBetween = (symbols: SymbolTable, from: string, to: string): TextRange => {
  const [begin, end] = [symbols.address(from), symbols.address(to)];
  return begin === undefined || end === undefined ? { begin: 0n, end: 0n } : { begin, end };
};

export const isIn = ({ begin, end }: TextRange, address: bigint): boolean =>
  address >= begin && address < end;

/** An address of the user where nothing is mapped, for a page fault of the task itself. */
const USER_HOLE = 0x1000_0000n;
const WRITE = 2n;
const USER = 4n;
/** Their operand is an address, and nothing is read there. */
const UNTOUCHING = /^(lea|nop|prefetch|invlpg)/;
/** Breakpoints that DR7 enables (SDM vol 3, 18.2.4). */
const ENABLED = 0xffn;

/** What there is to say of a page fault of the task. */
export const taskFault = (user: boolean): EventDetail => ({ address: USER_HOLE, code: user ? USER : 0n });

/** Details of an event that can occur at the boundary where a machine stands; undefined where it cannot. */
export function occursAt(
  event: KernelEvent,
  machine: Machine,
  bare: readonly TextRange[],
): EventDetail | undefined {
  if (event === 'nmi') return machine.low('nmiPending') === 0 ? {} : undefined;
  if (event === 'mc') return (machine.get('mcgStatus') & 4n) === 0n ? {} : undefined;
  const rip = machine.get('rip');
  if (machine.eventDue || machine.low('cpl') !== 0) return undefined;
  if (event === 'db') {
    const inForce = (machine.get('dr7') & ENABLED) !== 0n;
    return inForce && !bare.some((range) => isIn(range, rip)) ? {} : undefined;
  }
  const instruction = machine.instructionAt(rip);
  const address = instruction && operandOf(machine, rip, instruction);
  if (!instruction || address === undefined || address >> 63n !== 0n) return undefined;
  if (UNTOUCHING.test(instruction.row.mnemonic)) return undefined;
  return { address, code: instruction.shape.a.kind === 'm' ? WRITE : 0n };
}
