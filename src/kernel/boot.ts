/**
 * Puts a processor into the middle of a running kernel, without booting one: page tables, GDT, IDT, TSS,
 * the per-CPU block, and a task that has entered through a system call. The code comes as an `Image`.
 */
import { AddressSpace, FrameAllocator, type Rights } from '../engine/address-space.ts';
import { wasm } from '../engine/backends/wasm/backend.ts';
import { Machine, type MachineOptions } from '../engine/machine.ts';
import { addressOf, type Image } from '../image/image.ts';
import { CR4, type Field } from '../isa/state.ts';
import { bodyNamed, type Design, startNamed } from './design.ts';
import {
  FRED_FRAME,
  PAGE_SIZE,
  PER_CPU_OFFSET,
  PLACE,
  PT_REGS_SIZE,
  SELECTOR,
  THREAD_SIZE,
  tssIst,
  USER_STACK_TOP,
} from './memory-map.ts';
import { gateWords, REGISTERS, STAR } from './processor-words.ts';

export interface Setup {
  /** One of the design's starts. */
  readonly start: string;
  /** One of its handler bodies. */
  readonly body: string;
}

/** The start and the body of a recipe that names none. */
export const USUAL_SETUP: Setup = { start: 'kernel-task', body: 'quiet' };

/** A machine, and the page tables that map all of its kernel. */
export interface Guest {
  readonly machine: Machine;
  readonly space: AddressSpace;
}

export interface Booted extends Guest {
  /** Values of CR3 with which the whole kernel is mapped. */
  readonly roots: readonly bigint[];
}

/** What keeps a design from being started, one sentence each; empty when nothing does. */
export function missing(image: Image, design: Design, { start, body }: Setup): readonly string[] {
  const point = startNamed(design, start);
  const { symbol } = bodyNamed(design, body) ?? { symbol: `nmi_body_${body}` };
  const { at, begin, earlier = at, syscall = at } = point ?? { at: start, begin: start };
  const labels = [at, earlier, begin, syscall, symbol];
  const symbols = [...design.gates.map(({ entry }) => entry), ...new Set(labels)];
  return symbols
    .filter((name) => addressOf(image, name) === undefined)
    .map((name) => `missing symbol: ${name}`);
}

/** 64-bit code and flat data of rings 0 and 3 (SDM vol 3, figure 3-8): access byte and flags only. */
const DESCRIPTORS: readonly (readonly [selector: bigint, value: bigint])[] = [
  [SELECTOR.kernelCode, 0x00af_9b00_0000_ffffn],
  [SELECTOR.kernelData, 0x00cf_9300_0000_ffffn],
  [SELECTOR.userData & ~3n, 0x00cf_f300_0000_ffffn],
  [SELECTOR.userCode & ~3n, 0x00af_fb00_0000_ffffn],
  [SELECTOR.absentData & ~3n, 0x00cf_7300_0000_ffffn],
];
const GDT_LIMIT = 0x3fn;
/** Byte offset in the 64-bit TSS (SDM vol 3, figure 7-11). */
const TSS_RSP0 = 4n;

/** Where a system call returns to in a start that never goes back there. */
const USER_RIP = PLACE.userText;
/** RFLAGS of a running task: bit 1 and IF. */
const TASK_FLAGS = 0x202n;

/** Bits of RFLAGS that SYSCALL clears: TF, IF, DF, IOPL, NT, AC (syscall_init in arch/x86/kernel/cpu/common.c, 4.2). */
const SYSCALL_MASK = 0x4_7700n;

/**
 * Builds the machine; the first instruction is that of the start. Throws only for what `missing` refuses.
 *
 * @param options of the machine; the wasm interpreter unless told. A worker compiles it in a few milliseconds.
 */
export function boot(
  image: Image,
  design: Design,
  setup: Setup,
  options: MachineOptions = { backend: wasm() },
): Booted {
  const start = startNamed(design, setup.start);
  const body = bodyNamed(design, setup.body);
  if (!start || !body) throw new Error(`invalid setup: ${setup.start}, ${setup.body}`);
  const machine = new Machine({ vendor: start.vendor, ...options });
  const frames = new FrameAllocator(machine);
  // A pair of top tables, the kernel's first: bit 12 of CR3 tells them apart (arch/x86/entry/calling.h, 4.15). Frame 1 stays unused.
  if (design.isolated) frames.take();
  const space = new AddressSpace(machine, frames);
  const userSpace = design.isolated ? new AddressSpace(machine, frames) : space;
  const others = (design.mms?.places ?? []).slice(1).map(() => new AddressSpace(machine, frames));
  const symbol = (name: string): bigint => {
    const address = addressOf(image, name);
    if (address === undefined) throw new Error(`missing symbol: ${name}`);
    return address;
  };
  const data = { writable: true, user: false, executable: false } as const;
  const pages = (size: bigint): number => Number((size + PAGE_SIZE - 1n) / PAGE_SIZE);
  const map = (address: bigint, count: number, rights: Rights, shared: boolean): void => {
    for (const [n, frame] of space.map(address, count, rights).entries()) {
      const page = address + BigInt(n) * PAGE_SIZE;
      if (shared && userSpace !== space) userSpace.map(page, 1, rights, frame);
      for (const other of others) other.map(page, 1, rights, frame);
    }
  };
  const isShared = (name: string): boolean => design.isolated?.includes(name) ?? true;
  for (const { name, address, bytes, writable, executable, user } of image.segments) {
    if (bytes.length === 0) continue;
    map(address, pages(BigInt(bytes.length)), { writable, executable, user }, user || isShared(name));
    space.write(address, bytes);
  }
  map(design.task.begin, pages(THREAD_SIZE), data, isShared(design.task.name));
  for (const { stack } of design.interruptStacks)
    map(stack.begin, pages(stack.end - stack.begin), data, isShared(stack.name));
  const userData = { ...data, user: true };
  if (design.mms) for (const one of [space, ...others]) one.map(PLACE.userStack, 1, userData);
  else map(PLACE.userStack, 1, userData, true);
  map(PLACE.perCpu, 1, data, design.isolated === undefined);
  for (const page of [PLACE.tss, PLACE.gdt]) map(page, 1, data, true);
  map(PLACE.idt, 1, { ...data, writable: false }, true);

  for (const [selector, value] of DESCRIPTORS) space.writeWords(PLACE.gdt + selector, [value]);
  const { fred } = design;
  for (const { vector, entry, ist, dpl, table = PLACE.idt } of fred ? [] : design.gates)
    space.writeWords(
      table + BigInt(vector) * 16n,
      gateWords({ target: symbol(entry), ist, type: 14, dpl: Number(dpl) }),
    );
  const entryStack = design.interruptStacks.find(({ sp0 }) => sp0)?.stack;
  // The task's stack is RSP0 itself, or, where that is an entry stack, RSP1, which no ring uses.
  space.writeWords(PLACE.tss + TSS_RSP0, entryStack ? [entryStack.end, design.task.end] : [design.task.end]);
  for (const { ist, stack } of design.interruptStacks)
    if (ist > 0) space.writeWords(PLACE.tss + BigInt(tssIst(ist)), [stack.end]);

  space.writeWords(PLACE.perCpu + PER_CPU_OFFSET.TASK_TOP, [design.task.end]);
  space.writeWords(PLACE.perCpu + PER_CPU_OFFSET.NMI_BODY, [body.address]);

  for (const [n, place] of (design.mms?.places ?? []).entries()) {
    const one = others[n - 1] ?? space;
    space.writeWords(place, [one.root]);
    // What user memory holds tells whose it is.
    one.writeWords(PLACE.userStack, [BigInt(n + 1)]);
  }

  const { user } = start;
  const userRip = user ? symbol(start.at) : USER_RIP;
  const userFrame = {
    rip: userRip,
    cs: SELECTOR.userCode,
    flags: TASK_FLAGS,
    rsp: USER_STACK_TOP - 0x100n,
    ss: SELECTOR.userData,
  };
  const regs = design.task.end - (fred ? FRED_FRAME.above : 0n) - PT_REGS_SIZE;
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
    rip: symbol(start.at),
    rsp: user ? userFrame.rsp : regs,
    cs: user ? SELECTOR.userCode : SELECTOR.kernelCode,
    ss: user ? SELECTOR.userData : SELECTOR.kernelData,
    cpl: user ? 3n : 0n,
    rflagsRest: TASK_FLAGS,
    cr0: 0x8005_0033n,
    cr3: user ? userSpace.root : space.root,
    cr4: 0x6f0n | design.cr4 | (fred ? 1n << BigInt(CR4.fred) : 0n),
    efer: 0xd01n,
    idtBase: PLACE.idt,
    idtLimit: fred ? 0n : 0xfffn,
    gdtBase: PLACE.gdt,
    gdtLimit: GDT_LIMIT,
    // TR stays null: nothing that runs here reads it, and the digest of every link would have it.
    tssBase: PLACE.tss,
    gsBase: user ? 0n : PLACE.perCpu,
    kernelGsBase: user ? PLACE.perCpu : 0n,
    // Only where they are used: what no run reads is no part of its state.
    ...(fred && {
      fredConfig: fred.entry | fred.redZone,
      fredStklvls: fred.levels,
      fredRsp0: design.task.end,
      ...levelStacks(design),
      star: STAR,
    }),
    ...(start.syscall !== undefined && {
      star: STAR,
      lstar: symbol(start.syscall),
      sfmask: SYSCALL_MASK,
    }),
  };
  for (const [name, value] of Object.entries(state)) machine.set(name as Field, value);
  return { machine, space, roots: [space, ...others].map(({ root }) => root) };
}

/** The stacks of levels 1 to 3 that the design has. */
const levelStacks = ({ interruptStacks }: Design): Readonly<Partial<Record<Field, bigint>>> =>
  Object.fromEntries(
    interruptStacks.flatMap(({ level, stack }) => (level > 0 ? [[`fredRsp${level}`, stack.end]] : [])),
  );

/** Sets what the body wants set at boundary 0; boot leaves it out so that an earlier NMI does not meet it. */
export function arm({ space }: Booted, design: Design, { body }: Setup): void {
  const place = bodyNamed(design, body)?.arms;
  if (place !== undefined) space.write(place, new Uint8Array([1]));
}
