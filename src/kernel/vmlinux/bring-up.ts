/**
 * Puts a processor into the middle of a real kernel, without booting it: its image, a copy of its per-CPU block, GDT, TSS,
 * cpu_entry_area, page tables, an IDT from its own table of gates, and a task in user mode that is about to make a system call.
 * Everything is found by symbol, section or type. What cannot be found is a problem with a name, and nothing is thrown.
 *
 * Safe in a browser: nothing of Node is used, and nothing but the machine's own memory is written.
 */
import { AddressSpace, bytesOf, FrameAllocator, type Rights } from '../../engine/address-space.ts';
import { wasm } from '../../engine/backends/wasm/backend.ts';
import { Machine, type MachineOptions } from '../../engine/machine.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { attempt, fileProblemText } from '../../image/reading.ts';
import type { Gate } from '../../image/vmlinux/idt.ts';
import type { Field } from '../../isa/state.ts';
import { PLACE, SELECTOR, USER_STACK_TOP } from '../memory-map.ts';
import { gateWords, REGISTERS, STAR } from '../processor-words.ts';
import { CPU_ENTRY_AREA, PER_CPU_COPY, type Places } from './places.ts';
import { copyOfCpu, PAGE, type Poke, pagesOf, planOf } from './plan.ts';

export interface BringUpOptions {
  /** Numbers of the features its text is patched for; without them it stays as it was linked. */
  readonly features?: ReadonlySet<number>;
  /** Functions that return at once. `name` stands for `name.isra.0` as well. */
  readonly cut?: readonly string[];
  readonly backend?: MachineOptions['backend'];
}

export interface BroughtUp {
  readonly kernel: Kernel;
  /** In user mode, in front of a SYSCALL. */
  readonly machine: Machine;
  readonly space: AddressSpace;
  readonly places: Places;
  readonly gates: readonly Gate[];
  /** Functions that were cut, as the kernel calls them. */
  readonly cut: readonly string[];
  readonly pokes: readonly Poke[];
  /** Linked address of a per-CPU variable to the one of this CPU's copy. */
  readonly perCpu: (linked: bigint) => bigint;
}

/** `SYSCALL; nop`, and a jump to itself: where the task is. */
export const USER_CODE = [0x0f, 0x05, 0x90, 0xeb, 0xfe];
/** getpid(): it touches nothing but the task. */
const SYSTEM_CALL = 39n;
/** RET, and nothing before it: the ORC row of a function's first byte is right for it. */
const CUT = Uint8Array.of(0xc3);

/** Bits of CR4: DE, PAE, PGE, MCE, OSFXSR, OSXMMEXCPT; and those that a feature brings. */
const CR4 = 0x6e8n;
const CR4_FEATURES: readonly (readonly [feature: string, bit: bigint])[] = [
  ['fsgsbase', 16n],
  ['pcid', 17n],
  ['smep', 20n],
  ['smap', 21n],
];
/** As syscall_init() has it since 5.18: every flag but VM, VIF and VIP (arch/x86/kernel/cpu/common.c). */
const SYSCALL_MASK = 0x25_7fd5n;
const TSS = { selector: 0x40n, rsp0: 4n, rsp1: 12n, ist: 36n, limit: 0x67n } as const;
/** GDT_ENTRY_CPUNODE: a segment whose limit is the number of the CPU, for LSL; CPU 0 of node 0. */
const CPU_NODE = { selector: 0x78n, descriptor: 0x0040_f500_0000_0000n } as const;
const GDT_LIMIT = 0x7fn;

/** A breakpoint on a user address that nothing touches: whoever must switch breakpoints off has one to switch off. */
const WATCH: Readonly<Partial<Record<Field, bigint>>> = { dr0: PLACE.userHole, dr7: 0xd_0402n };

/** The machine, or one sentence that says what is missing. */
export function bringUp(
  kernel: Kernel,
  options: BringUpOptions = {},
): BroughtUp | { readonly problem: string } {
  try {
    const made = attempt(() => build(kernel, options));
    return 'reading' in made ? { problem: fileProblemText(made) } : made;
  } catch (error) {
    // Pages of a file that overlap, or lie where none can be.
    if (error instanceof RangeError) return { problem: `invalid layout of the image: ${error.message}` };
    throw error;
  }
}

function build(kernel: Kernel, options: BringUpOptions): BroughtUp | { readonly problem: string } {
  const plan = planOf(kernel);
  if ('problem' in plan) return plan;
  const { symbols } = kernel;
  const { places, gates, entry, stretches, frames, pokes } = plan;
  const { perCpu, perCpuOffset } = places;
  const machine = new Machine({
    frames,
    ...(options.backend ? { backend: options.backend } : { backend: wasm() }),
  });
  const allocator = new FrameAllocator(machine);
  // With page-table isolation bit 12 of CR3 tells the user's tables from the kernel's, which come first.
  allocator.take();
  const space = new AddressSpace(machine, allocator);
  const userSpace = new AddressSpace(machine, allocator);
  const map = (va: bigint, count: number, rights: Rights, physical?: number): readonly number[] =>
    space.map(va, count, rights, physical);
  const data: Rights = { writable: true };

  for (const [{ writable, executable }, at, size] of stretches)
    map(at, pagesOf(size), { writable, executable });
  for (const [{ address, bytes }, at, size] of stretches) {
    const begin = at > address ? Number(at - address) : 0;
    const part = bytes.subarray(begin, Number(at - address) + Number(size));
    if (part.length > 0) space.write(address + BigInt(begin), part);
  }
  map(PER_CPU_COPY, pagesOf(BigInt(perCpu.size)), data);
  const linked = kernel.memory.upTo(perCpu.linked, perCpu.size);
  if (linked) space.write(PER_CPU_COPY, linked);
  const copyOf = copyOfCpu(places);
  map(places.task.begin, pagesOf(places.task.end - places.task.begin), data);

  for (const { address, bytes } of options.features ? kernel.patched(options.features).changed : [])
    if (space.physical(address) !== undefined) space.write(address, bytes);
  const cut = cutOf(kernel, options.cut ?? []);
  for (const { address } of cut) space.write(address, CUT);

  // The area of the CPU shows pages of the per-CPU block a second time.
  const shown = (va: bigint, count: number, name: string, rights: Rights): void => {
    const address = symbols.address(name);
    for (let n = 0; n < count; n++) {
      const at = va + BigInt(n) * PAGE;
      const physical = address === undefined ? undefined : space.physical(copyOf(address) + BigInt(n) * PAGE);
      map(at, 1, rights, physical);
    }
  };
  shown(places.gdt, 1, 'gdt_page', {});
  shown(places.tss.address, pagesOf(BigInt(places.tss.size)), 'cpu_tss_rw', {});
  map(places.entryStack.begin, 1, data);
  for (const { begin, end } of places.interruptStacks) map(begin, pagesOf(end - begin), data);
  const table = symbols.address('idt_table');
  map(CPU_ENTRY_AREA, 1, {}, table === undefined ? undefined : space.physical(table));
  map(PLACE.userText, 1, { user: true, executable: true });
  map(PLACE.userStack, 1, { ...data, user: true });
  space.write(PLACE.userText, Uint8Array.from(USER_CODE));

  const stackOf = (vector: number) => places.interruptStacks.find((one) => one.vector === vector);
  for (const gate of gates) {
    space.writeWords(CPU_ENTRY_AREA + BigInt(gate.vector) * 16n, gateWords(gate));
    const stack = stackOf(gate.vector);
    if (gate.ist > 0 && stack)
      space.writeWords(places.tss.address + TSS.ist + 8n * BigInt(gate.ist - 1), [stack.end]);
  }
  space.writeWords(places.tss.address + TSS.rsp0, [places.entryStack.end]);
  space.writeWords(places.tss.address + TSS.rsp1, [places.task.end]);
  space.writeWords(places.gdt + TSS.selector, tssDescriptor(places.tss.address));
  space.writeWords(places.gdt + CPU_NODE.selector, [CPU_NODE.descriptor]);
  for (const { address, value, bytes } of pokes) space.write(address, bytesOf([value]).subarray(0, bytes));

  const has = (name: string): boolean => {
    const number = kernel.features.number(name);
    return number !== undefined && options.features?.has(number) === true;
  };
  const isolated = has('pti');
  if (isolated) share(kernel, space, userSpace, places, copyOf);
  const cr4 = CR4_FEATURES.reduce((bits, [name, bit]) => (has(name) ? bits | (1n << bit) : bits), CR4);
  const state: Readonly<Partial<Record<Field, bigint>>> = {
    ...REGISTERS,
    rax: SYSTEM_CALL,
    rip: PLACE.userText,
    rsp: USER_STACK_TOP - 0x100n,
    cs: SELECTOR.userCode,
    ss: SELECTOR.userData,
    cpl: 3n,
    rflagsRest: 0x202n,
    cr0: 0x8005_0033n,
    cr3: isolated ? userSpace.root | (has('pcid') ? 0x801n : 0n) : space.root,
    cr4,
    efer: 0xd01n,
    idtBase: CPU_ENTRY_AREA,
    idtLimit: 0xfffn,
    gdtBase: places.gdt,
    gdtLimit: GDT_LIMIT,
    tr: TSS.selector,
    tssBase: places.tss.address,
    tssLimit: TSS.limit,
    kernelGsBase: perCpuOffset,
    star: STAR,
    lstar: entry,
    sfmask: SYSCALL_MASK,
    ...WATCH,
  };
  for (const [name, value] of Object.entries(state)) machine.set(name as Field, value);
  return { kernel, machine, space, places, gates, cut: cut.map(({ name }) => name), pokes, perCpu: copyOf };
}

/** Symbols of functions to cut: of each name all that the compiler made of it. */
const cutOf = (
  { symbols }: Kernel,
  names: readonly string[],
): readonly { readonly name: string; readonly address: bigint }[] =>
  symbols.all.filter(({ name, type }) => {
    const [bare = ''] = name.split('.');
    return names.includes(bare) && (type === 't' || type === 'T') && !name.includes('.cold');
  });

/** A busy 64-bit TSS, in two words (SDM vol 3, figure 8-4). */
const tssDescriptor = (base: bigint): readonly bigint[] => [
  TSS.limit | ((base & 0xff_ffffn) << 16n) | (0x8bn << 40n) | (((base >> 24n) & 0xffn) << 56n),
  base >> 32n,
];

/** What the user's tables show of the kernel (arch/x86/mm/pti.c): the area of the CPU, the TSS, the entry text. */
function share(
  { symbols }: Kernel,
  space: AddressSpace,
  userSpace: AddressSpace,
  { area, tss, entryStack, interruptStacks }: Places,
  copyOf: (address: bigint) => bigint,
): void {
  const show = (begin: bigint, end: bigint, rights: Rights): void => {
    for (let at = begin & ~(PAGE - 1n); at < end; at += PAGE) {
      const physical = space.physical(at);
      if (physical !== undefined && userSpace.physical(at) === undefined)
        userSpace.map(at, 1, rights, physical);
    }
  };
  for (const { begin, end } of [entryStack, ...interruptStacks]) show(begin, end, { writable: true });
  show(area.begin, area.end, {});
  const rw = symbols.address('cpu_tss_rw');
  if (rw !== undefined) show(copyOf(rw), copyOf(rw) + BigInt(tss.size), { writable: true });
  const [from, to] = [symbols.address('__entry_text_start'), symbols.address('__entry_text_end')];
  if (from !== undefined && to !== undefined) show(from, to, { executable: true });
  show(PLACE.userText, PLACE.userText + 1n, { user: true, executable: true });
  show(PLACE.userStack, PLACE.userStack + 1n, { user: true, writable: true });
}
