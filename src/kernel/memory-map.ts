/**
 * Where everything lies in the modelled kernel of the 4.2 era: one CPU, one set of page tables unless a design isolates them, exception stacks as one
 * contiguous per-CPU array without guard pages, as kernels before 5.2 had them (arch/x86/kernel/cpu/common.c).
 * Addresses are ours, of the usual shape; sizes and their order are the kernel's.
 */

/** A stack by its bounds: `begin <= sp < end`; `end` is the first byte above it. */
export interface StackRange {
  /** As the kernel prints it: `TASK`, `NMI`, `#DB`, `#DF`, `#MC`. */
  readonly name: string;
  readonly begin: bigint;
  readonly end: bigint;
}

/** Bytes of a page, and of a task's stack (order 2). */
export const PAGE_SIZE = 0x1000n;
export const THREAD_SIZE = 0x4000n;

/** Selectors (arch/x86/include/asm/segment.h). */
export const SELECTOR = {
  kernelCode: 0x10n,
  kernelData: 0x18n,
  userData: 0x2bn,
  userCode: 0x33n,
  /** Data of ring 3 that is not present: what a user may do to a segment of its own (modify_ldt). */
  absentData: 0x3bn,
} as const;

const PER_CPU = 0xffff_8800_3fc0_0000n;
/** First byte of the exception stacks, which lie one behind the other. */
export const EXCEPTION_STACKS = PER_CPU + 0x4000n;
const TASK_STACK = 0xffff_8800_3d00_0000n;

export const TASK: StackRange = { name: 'TASK', begin: TASK_STACK, end: TASK_STACK + THREAD_SIZE };

/** Words of the record that a delivery pushes, from RSP upwards (SDM vol 3, figure 7-8). */
export const RECORD = ['rip', 'cs', 'rflags', 'rsp', 'ss'] as const;
export const RECORD_SIZE = 40n;

/** Bytes of a FRED frame: an error code below the record, event data and a zero above it (SDM vol 3, 8.3). */
export const FRED_FRAME = { size: 64n, below: 8n, above: 16n } as const;

/** Bytes of a struct pt_regs: 21 words (arch/x86/include/asm/ptrace.h). */
export const PT_REGS_SIZE = 168n;

/** Offset in the 64-bit TSS of an entry of the interrupt stack table, from 1 (SDM vol 3, figure 7-11). */
export const tssIst = (index: number): number => 36 + 8 * (index - 1);

export const PLACE = {
  perCpu: PER_CPU,
  tss: PER_CPU + 0x1000n,
  gdt: PER_CPU + 0x2000n,
  /** Beside the TSS, as in the cpu_entry_area of 4.15; too far from the entry text for a direct jump. */
  entryTrampoline: PER_CPU + 0x3000n,
  idt: 0xffff_ffff_ff57_6000n,
  text: 0xffff_ffff_8100_0000n,
  entryText: 0xffff_ffff_8160_0000n,
  data: 0xffff_ffff_81c0_0000n,
  userText: 0x40_0000n,
  userStack: 0x7ffd_2000_0000n,
  /** A user address where nothing is mapped, and nothing will be. */
  userHole: 0x1000_0000n,
} as const;
export const USER_STACK_TOP = PLACE.userStack + PAGE_SIZE;

/** Byte offsets from the GS base of the words that entry code and handlers use. */
export const PER_CPU_OFFSET = {
  /** Top of the current task's stack. */
  TASK_TOP: 0n,
  /** NOT_RUNNING 0, EXECUTING 1, LATCHED 2 (arch/x86/kernel/nmi.c since 4.2). */
  NMI_STATE: 8n,
  NMI_CR2: 16n,
  /** Address of the handler body this run has chosen. */
  NMI_BODY: 24n,
  /** How often a body has run. */
  NMI_TICKS: 32n,
  /** Whether the one breakpoint in the body `int3` is still armed. */
  BREAKPOINT: 40n,
  /** How often each handler has run. */
  BP_HITS: 48n,
  DB_HITS: 56n,
  MC_HITS: 64n,
  PF_HITS: 72n,
  /** RSP of the user, between the first instructions of a system call. */
  USER_RSP: 80n,
  /** Whether a page fault must not wait for a page to be brought in: pagefault_disable(). */
  NO_PAGING: 88n,
  NMI_DR7: 96n,
  VC_HITS: 104n,
} as const;

/**
 * What assembly may say by name; a design adds T and the size of its NMI stack. `PER_CPU_BASE` is the kernel's GS base. `TSS_IST + 8 * N`, from the GS base, is
 * entry N of the interrupt stack table (SDM vol 3, figure 7-11); `TSS_RSP1` and `TSS_RSP2` are no stack of anybody here.
 */
export const SYMBOLS: Readonly<Record<string, bigint>> = {
  KERNEL_CS: SELECTOR.kernelCode,
  KERNEL_DS: SELECTOR.kernelData,
  USER_CS: SELECTOR.userCode,
  USER_DS: SELECTOR.userData,
  ABSENT_DS: SELECTOR.absentData,
  MSR_GS_BASE: 0xc000_0101n,
  MSR_MCG_STATUS: 0x17an,
  USER_STACK: PLACE.userStack,
  USER_HOLE: PLACE.userHole,
  PER_CPU_BASE: PLACE.perCpu,
  ...PER_CPU_OFFSET,
  TSS_RSP0: PLACE.tss - PER_CPU + 4n,
  TSS_RSP1: PLACE.tss - PER_CPU + 12n,
  TSS_RSP2: PLACE.tss - PER_CPU + 20n,
  TSS_IST: PLACE.tss - PER_CPU + 28n,
};

/** Where each section goes, in the form the assembler takes. */
export const SECTIONS = [
  {
    name: '.entry.text',
    address: PLACE.entryText,
    writable: false,
    executable: true,
    user: false,
    limit: 0x2000,
  },
  { name: '.text', address: PLACE.text, writable: false, executable: true, user: false, limit: 0x2000 },
  { name: '.data', address: PLACE.data, writable: true, executable: false, user: false, limit: 0x1000 },
  {
    name: '.user.text',
    address: PLACE.userText,
    writable: false,
    executable: true,
    user: true,
    limit: 0x1000,
  },
  {
    name: '.entry_trampoline',
    address: PLACE.entryTrampoline,
    writable: false,
    executable: true,
    user: false,
    limit: 0x1000,
  },
] as const;
