/** A hand-made kernel at a standstill: sparse memory, four stacks, and the stories of section 9 of the dossier. */
import type { StackRange, Truth, TruthEntry, View } from '../../src/unwind/view.ts';

export const T = 0xfffffe0000010000n;
export const DB_END = 0xfffffe0000014000n;
export const TASK_END = 0xffffc90000014000n;

export const STACKS: readonly StackRange[] = [
  { name: 'TASK', begin: TASK_END - 0x4000n, end: TASK_END },
  { name: 'NMI', begin: T - 0x1000n, end: T },
  { name: '#DB', begin: DB_END - 0x2000n, end: DB_END },
  { name: '#MC', begin: DB_END + 0x1000n, end: DB_END + 0x2000n },
];

const FUNCTIONS = [
  'syscall_body',
  'sys_work',
  'process_one',
  'do_work',
  'nmi',
  'first_nmi',
  'repeat_nmi',
  'end_repeat_nmi',
  'do_nmi',
  'nmi_body',
  'int3_entry',
  'do_int3',
  'mce_entry',
] as const;
type Function = (typeof FUNCTIONS)[number];

const TEXT = 0xffffffff81000000n;

/** Address of an instruction: each function has 0x40 bytes. */
export const at = (name: Function, offset = 0x10): bigint =>
  TEXT + BigInt(FUNCTIONS.indexOf(name) * 0x40 + offset);

const isText = (address: bigint): boolean =>
  address >= TEXT && address < TEXT + BigInt(FUNCTIONS.length * 0x40);

export const symbol = (address: bigint): string => {
  const offset = Number(address - TEXT);
  return isText(address)
    ? `${FUNCTIONS[offset >> 6]}+0x${(offset & 0x3f).toString(16)}/0x40`
    : `0x${address.toString(16)}`;
};

export type Memory = Map<bigint, bigint>;

export const view = (memory: Memory, rip: bigint, rsp: bigint, rbp: bigint, cpl = 0): View => ({
  rip,
  rsp,
  rbp,
  cpl,
  read: (address) => memory.get(address),
  stacks: STACKS,
  isText,
});

export function put(memory: Memory, address: bigint, ...words: readonly bigint[]): void {
  for (const [n, word] of words.entries()) memory.set(address + 8n * BigInt(n), word);
}

/** An IRET frame at `address`: RIP, CS, RFLAGS, RSP, SS. */
export const frame = (memory: Memory, address: bigint, rip: bigint, rsp: bigint): void =>
  put(memory, address, rip, 0x10n, 0x246n, rsp, 0x18n);

/** The task stack: pt_regs of the system call, then sys_work, process_one and do_work, each with a frame pointer. */
export const TOP = TASK_END - 168n;
export const SYS = TOP - 16n;
export const PROC = SYS - 16n;
export const WORK = PROC - 24n;
export const S = WORK - 24n;
/** Where the NMI before interrupted: in sys_work. */
const S0 = SYS;
export const A = at('do_work', 0x1c);
export const A0 = at('sys_work', 4);
/** Words of the three records. */
export const ORIGINAL = T - 40n;
export const IRET = T - 96n;
export const OUTERMOST = T - 136n;
export const REGS = T - 264n;

export function task(): Memory {
  const memory: Memory = new Map();
  put(memory, TOP, ...Array.from({ length: 16 }, () => 7n), 0x401000n, 0x33n, 0x202n, 0x7ffd20000f00n, 0x2bn);
  put(memory, TOP - 8n, at('syscall_body', 5));
  put(memory, SYS, 0xbb77n);
  put(memory, SYS - 8n, at('sys_work', 0xc));
  put(memory, PROC, SYS, at('sys_work', 0xc));
  put(memory, PROC - 8n, 0xb22n);
  put(memory, WORK, PROC, at('process_one', 0x11));
  put(memory, S, 1n, 2n, 3n);
  for (const record of [ORIGINAL, IRET, OUTERMOST]) frame(memory, record, A0, S0);
  put(memory, T - 56n, 0n, 0xd44n);
  return memory;
}

/** NMI 1 at its first instruction. */
export function delivered(): Memory {
  const memory = task();
  frame(memory, ORIGINAL, A, S);
  return memory;
}

/** S1: in the body of the NMI, called by do_nmi, called by entry code; every frame pointer in place. */
export const BODY_SP = T - 296n;
export function body(): Memory {
  const memory = delivered();
  frame(memory, OUTERMOST, A, S);
  frame(memory, IRET, A, S);
  put(memory, REGS, ...Array.from({ length: 16 }, () => 7n));
  put(memory, REGS + 32n, WORK);
  put(memory, REGS - 8n, at('end_repeat_nmi', 0x20));
  put(memory, REGS - 16n, REGS + 1n);
  put(memory, REGS - 24n, at('do_nmi', 0x21));
  put(memory, BODY_SP, REGS - 16n);
  return memory;
}
export const bodyView = (memory: Memory, offset = 0x14): View =>
  view(memory, at('nmi_body', offset), BODY_SP, BODY_SP);

/** S2: NMI 2 has come and gone, in the body: it has overwritten the original record and redirected the iret record. */
export function nested(): Memory {
  const memory = body();
  frame(memory, ORIGINAL, at('nmi_body', 0x14), BODY_SP);
  frame(memory, IRET, at('repeat_nmi', 0), T - 136n);
  return memory;
}

const entry = (
  ip: bigint,
  slot: bigint | undefined,
  how: TruthEntry['how'],
  sp: bigint,
  stack: string,
): TruthEntry => ({
  ip,
  slot,
  how,
  sp,
  stack,
});

/** The live functions of the task when it is interrupted in do_work. */
export const TASK_TRUTH: readonly TruthEntry[] = [
  entry(at('process_one', 0x11), WORK + 8n, 'return', WORK + 16n, 'TASK'),
  entry(at('sys_work', 0xc), PROC + 8n, 'return', PROC + 16n, 'TASK'),
  entry(at('syscall_body', 5), TOP - 8n, 'return', TOP, 'TASK'),
];
export const INTERRUPTED = entry(A, ORIGINAL, 'interrupted', S, 'TASK');

export const truth = (...entries: readonly TruthEntry[]): Truth => ({ entries, lost: false });
export const current = (rip: bigint, rsp: bigint, stack = 'NMI'): TruthEntry =>
  entry(rip, undefined, 'current', rsp, stack);
export const returns = (ip: bigint, slot: bigint, stack = 'NMI'): TruthEntry =>
  entry(ip, slot, 'return', slot + 8n, stack);
export const interrupted = (ip: bigint, slot: bigint, sp: bigint, stack: string): TruthEntry =>
  entry(ip, slot, 'interrupted', sp, stack);

/** What is live in the body of the NMI, S1 and S2. */
export const bodyTruth = (offset = 0x14): Truth =>
  truth(
    current(at('nmi_body', offset), BODY_SP),
    returns(at('do_nmi', 0x21), REGS - 24n),
    returns(at('end_repeat_nmi', 0x20), REGS - 8n),
    INTERRUPTED,
    ...TASK_TRUTH,
  );
