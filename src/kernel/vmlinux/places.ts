/**
 * Where a real kernel wants the things that a boot would make: its per-CPU block, its cpu_entry_area, its stacks. What the kernel
 * tells by symbol or type is asked for; what it chooses while it boots (direct map, vmalloc) is chosen here.
 */
import type { Kernel } from '../../image/kernel-file.ts';
import { isProblem } from '../../image/reading.ts';
import { sectionOf } from '../../image/vmlinux/elf.ts';
import type { StackRange } from '../memory-map.ts';

const PAGE = 0x1000n;

/** Where the one CPU's copy of the per-CPU block goes: in the direct map, as on a machine with little memory. */
export const PER_CPU_COPY = 0xffff_8880_0400_0000n;
/** The stack of the task, where kernels with VMAP_STACK have them; order 2 (arch/x86/include/asm/page_64_types.h). */
const TASK_STACK = 0xffff_c900_0001_0000n;
const TASK_STACK_SIZE = 0x4000n;
/** CPU_ENTRY_AREA_BASE (arch/x86/include/asm/pgtable_areas.h, 6.12): the page of the IDT, then one area for each CPU. */
export const CPU_ENTRY_AREA = 0xffff_fe00_0000_0000n;
const FIRST_AREA = CPU_ENTRY_AREA + PAGE;

/** Layout of the area where the kernel has no BTF: that of 6.1 and 6.12. */
const USUAL = { gdt: 0, entryStack: 0x1000, tss: 0x2000, stacks: 0x7000, tssSize: 0x5000 } as const;
/** Stacks of `struct cea_exception_stacks`: member, the kernel's name for it, the vector that takes it, its usual place. */
const STACKS: readonly (readonly [member: string, name: string, vector: number, usual: number])[] = [
  ['DF_stack', '#DF', 8, 0x1000],
  ['NMI_stack', 'NMI', 2, 0x4000],
  ['DB_stack', '#DB', 1, 0x7000],
  ['MCE_stack', '#MC', 18, 0xa000],
  ['VC_stack', '#VC', 29, 0xd000],
];
const STACK_SIZE = 0x2000;

/** An interrupt stack, and the vector whose gate names it. */
export interface InterruptStack extends StackRange {
  readonly vector: number;
}

export interface Places {
  /** What is copied: address in the file (0 in kernels before 6.15) and size. */
  readonly perCpu: { readonly linked: bigint; readonly size: number };
  /** The kernel's GS base: what is added to the linked address of a per-CPU variable. */
  readonly perCpuOffset: bigint;
  readonly gdt: bigint;
  readonly tss: { readonly address: bigint; readonly size: number };
  readonly entryStack: StackRange;
  readonly interruptStacks: readonly InterruptStack[];
  readonly task: StackRange;
  /** Lowest and highest byte of this CPU's area and the IDT before it. */
  readonly area: { readonly begin: bigint; readonly end: bigint };
}

/** Offset of a member that BTF tells; else what is usual. */
export function memberAt(kernel: Kernel, structure: string, path: string, usual: number): number;
export function memberAt(kernel: Kernel, structure: string, path: string): number | undefined;
export function memberAt(
  kernel: Kernel,
  structure: string,
  path: string,
  usual?: number,
): number | undefined {
  const found = kernel.memberOf(structure, path);
  return found && !isProblem(found) ? found.offset : usual;
}

/** The places of this kernel, or what it lacks. */
export function placesOf(kernel: Kernel): Places | { readonly problem: string } {
  const section = sectionOf(kernel.elf, '.data..percpu');
  if (!section || section.size === 0) return { problem: 'missing per-CPU block: .data..percpu' };
  const area = (member: string, usual: number): bigint =>
    FIRST_AREA + BigInt(memberAt(kernel, 'cpu_entry_area', member, usual));
  const stacks = area('estacks', USUAL.stacks);
  const interruptStacks = STACKS.map(([member, name, vector, usual]): InterruptStack => {
    const found = kernel.memberOf('cea_exception_stacks', member);
    const known = found && !isProblem(found) ? found : { offset: usual, size: undefined };
    const begin = stacks + BigInt(known.offset);
    return { name, vector, begin, end: begin + BigInt(known.size ?? STACK_SIZE) };
  });
  const entryStack = area('entry_stack_page', USUAL.entryStack);
  return {
    perCpu: { linked: section.address, size: section.size },
    perCpuOffset: BigInt.asUintN(64, PER_CPU_COPY - section.address),
    gdt: area('gdt', USUAL.gdt),
    tss: {
      address: area('tss', USUAL.tss),
      size: kernel.structSize('tss_struct') ?? USUAL.tssSize,
    },
    entryStack: { name: 'ENTRY_TRAMPOLINE', begin: entryStack, end: entryStack + PAGE },
    interruptStacks,
    task: { name: 'TASK', begin: TASK_STACK, end: TASK_STACK + TASK_STACK_SIZE },
    area: {
      begin: CPU_ENTRY_AREA,
      end: interruptStacks.reduce((last, { end }) => (end > last ? end : last), 0n),
    },
  };
}
