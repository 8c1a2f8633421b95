/**
 * Puts a processor into the middle of a running kernel, without booting one: page tables, GDT, IDT, TSS,
 * the per-CPU block, and a task that has entered through a system call. The code comes as an `Image`.
 */
import { AddressSpace } from '../engine/address-space.ts';
import { wasm } from '../engine/backends/wasm/backend.ts';
import { Machine, type MachineOptions } from '../engine/machine.ts';
import { addressOf, type Image } from '../image/image.ts';
import type { Field } from '../isa/state.ts';
import {
  DEBUG_STACK_SIZE,
  EXCEPTION_STACK_SIZE,
  GATES,
  IST,
  PER_CPU_OFFSET,
  PLACE,
  PT_REGS_SIZE,
  SELECTOR,
  STACK,
  THREAD_SIZE,
  USER_STACK_TOP,
} from './memory-map.ts';

/** What the surroundings need from the code, whatever the design. */
const ENTRY_POINTS = [...GATES.map(({ entry }) => entry), 'syscall_body', 'user_task', 'do_nmi'] as const;

/** Where a run starts: in the kernel half of a system call, or in user code. */
export const STARTS = ['kernel-task', 'user-task'] as const;
export type Start = (typeof STARTS)[number];

export interface Setup {
  readonly start: Start;
  /** Handler body: the symbol `nmi_body_NAME` must exist. */
  readonly body: string;
}

export interface Booted {
  readonly machine: Machine;
  readonly space: AddressSpace;
}

/** Names of the handler bodies an image offers, from its symbols `nmi_body_NAME`. */
export const bodiesOf = (image: Image): readonly string[] =>
  image.symbols.flatMap(({ name }) => (name.startsWith('nmi_body_') ? [name.slice('nmi_body_'.length)] : []));

/** What keeps an image from being started, one sentence each; empty when nothing does. */
export function missing(image: Image, { body }: Setup): readonly string[] {
  const symbols: readonly string[] = [...ENTRY_POINTS, `nmi_body_${body}`];
  return symbols
    .filter((name) => addressOf(image, name) === undefined)
    .map((name) => `missing symbol: ${name}`);
}

/** A 64-bit interrupt gate (SDM vol 3, figure 6-8). */
function gate(target: bigint, ist: number, dpl: bigint): readonly [bigint, bigint] {
  const low =
    (target & 0xffffn) |
    (SELECTOR.kernelCode << 16n) |
    (BigInt(ist) << 32n) |
    ((0x8en | (dpl << 5n)) << 40n) |
    (((target >> 16n) & 0xffffn) << 48n);
  return [low, target >> 32n];
}

/** 64-bit code and flat data of rings 0 and 3 (SDM vol 3, figure 3-8): access byte and flags only. */
const DESCRIPTORS: readonly (readonly [selector: bigint, value: bigint])[] = [
  [SELECTOR.kernelCode, 0x00af_9b00_0000_ffffn],
  [SELECTOR.kernelData, 0x00cf_9300_0000_ffffn],
  [SELECTOR.userData & ~3n, 0x00cf_f300_0000_ffffn],
  [SELECTOR.userCode & ~3n, 0x00af_fb00_0000_ffffn],
];
const GDT_LIMIT = 0x3fn;
/** Byte offsets in the 64-bit TSS (SDM vol 3, figure 7-11). */
const TSS_RSP0 = 4n;
const tssIst = (index: number): bigint => 36n + 8n * BigInt(index - 1);

/** Registers with values one recognises, so that a lost one shows. */
const REGISTERS: Readonly<Partial<Record<Field, bigint>>> = {
  rax: 0xa11n,
  rbx: 0xb22n,
  rcx: 0xc33n,
  rdx: 0xd44n,
  rsi: 0x5155n,
  rdi: 0xd166n,
  rbp: 0xbb77n,
  r8: 0x808n,
  r9: 0x909n,
  r10: 0x1010n,
  r11: 0x1111n,
  r12: 0x1212n,
  r13: 0x1313n,
  r14: 0x1414n,
  r15: 0x1515n,
};

/** RFLAGS of a running task: bit 1 and IF. */
const TASK_FLAGS = 0x202n;

/**
 * Builds the machine; the first instruction is `syscall_body` or `user_task`. Throws only for an image that `missing` refuses.
 *
 * @param options of the machine; the wasm interpreter unless told. A worker compiles it in a few milliseconds.
 */
export function boot(image: Image, setup: Setup, options: MachineOptions = { backend: wasm() }): Booted {
  const machine = new Machine(options);
  const space = new AddressSpace(machine);
  const symbol = (name: string): bigint => {
    const address = addressOf(image, name);
    if (address === undefined) throw new Error(`missing symbol: ${name}`);
    return address;
  };
  const data = { writable: true, user: false, executable: false } as const;
  const pages = (size: bigint): number => Number((size + 0xfffn) / 0x1000n);
  for (const { address, bytes, writable, executable, user } of image.segments) {
    if (bytes.length === 0) continue;
    space.map(address, pages(BigInt(bytes.length)), { writable, executable, user });
    space.write(address, bytes);
  }
  space.map(STACK.task.begin, pages(THREAD_SIZE), data);
  for (const stack of [STACK.doubleFault, STACK.nmi, STACK.machineCheck])
    space.map(stack.begin, pages(EXCEPTION_STACK_SIZE), data);
  space.map(STACK.debug.begin, pages(DEBUG_STACK_SIZE), data);
  space.map(PLACE.userStack, 1, { ...data, user: true });
  for (const page of [PLACE.perCpu, PLACE.tss, PLACE.gdt]) space.map(page, 1, data);
  space.map(PLACE.idt, 1, { ...data, writable: false });

  for (const [selector, value] of DESCRIPTORS) space.writeWords(PLACE.gdt + selector, [value]);
  for (const { vector, entry, ist, dpl } of GATES)
    space.writeWords(PLACE.idt + BigInt(vector) * 16n, [...gate(symbol(entry), ist, dpl)]);
  space.writeWords(PLACE.tss + TSS_RSP0, [STACK.task.end]);
  const ists = [
    [IST.doubleFault, STACK.doubleFault],
    [IST.nmi, STACK.nmi],
    [IST.debug, STACK.debug],
    [IST.machineCheck, STACK.machineCheck],
  ] as const;
  for (const [index, { end }] of ists) space.writeWords(PLACE.tss + tssIst(index), [end]);

  space.writeWords(PLACE.perCpu + PER_CPU_OFFSET.TASK_TOP, [STACK.task.end]);
  space.writeWords(PLACE.perCpu + PER_CPU_OFFSET.NMI_BODY, [symbol(`nmi_body_${setup.body}`)]);

  const user = setup.start === 'user-task';
  const userRip = symbol('user_task');
  const userFrame = {
    rip: userRip,
    cs: SELECTOR.userCode,
    flags: TASK_FLAGS,
    rsp: USER_STACK_TOP - 0x100n,
    ss: SELECTOR.userData,
  };
  const regs = STACK.task.end - PT_REGS_SIZE;
  if (!user) {
    // What the system call saved: fifteen registers, orig_ax, then the five words of the user's context.
    const saved = Array.from({ length: 15 }, (_, n) => 0x7000n + BigInt(n));
    space.writeWords(regs, [
      ...saved,
      39n,
      userFrame.rip,
      userFrame.cs,
      userFrame.flags,
      userFrame.rsp,
      userFrame.ss,
    ]);
  }

  const state: Readonly<Partial<Record<Field, bigint>>> = {
    ...REGISTERS,
    rip: user ? userRip : symbol('syscall_body'),
    rsp: user ? userFrame.rsp : regs,
    cs: user ? SELECTOR.userCode : SELECTOR.kernelCode,
    ss: user ? SELECTOR.userData : SELECTOR.kernelData,
    cpl: user ? 3n : 0n,
    rflagsRest: TASK_FLAGS,
    cr0: 0x8005_0033n,
    cr3: space.root,
    cr4: 0x6f0n,
    efer: 0xd01n,
    idtBase: PLACE.idt,
    idtLimit: 0xfffn,
    gdtBase: PLACE.gdt,
    gdtLimit: GDT_LIMIT,
    tssBase: PLACE.tss,
    gsBase: user ? 0n : PLACE.perCpu,
    kernelGsBase: user ? PLACE.perCpu : 0n,
  };
  for (const [name, value] of Object.entries(state)) machine.set(name as Field, value);
  return { machine, space };
}

/** Arms the one breakpoint of the body `int3`; boot leaves it out so that an earlier NMI does not meet it. */
export function armBreakpoint({ space }: Booted): void {
  space.write(PLACE.perCpu + PER_CPU_OFFSET.BREAKPOINT, new Uint8Array([1]));
}
