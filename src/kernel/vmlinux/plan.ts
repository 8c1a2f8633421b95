/** What bringing a kernel up needs of it, looked for before anything is made: so that what is missing can be told at once. */
import { MAX_FRAMES, PAGE_SIZE } from '../../engine/layout.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { isProblem } from '../../image/reading.ts';
import type { ElfSegment } from '../../image/vmlinux/elf.ts';
import { type Gate, readGates } from '../../image/vmlinux/idt.ts';
import { memberAt, type Places, placesOf } from './places.ts';

/** Sections that only tell about the image: no instruction of it reads them here. */
const TABLES = ['.orc_header', '.orc_unwind_ip', '.orc_unwind', '.orc_lookup', '.BTF', '.init.scratch'];

/** A poke: a variable that a boot would have set. */
export interface Poke {
  readonly name: string;
  readonly address: bigint;
  readonly value: bigint;
  readonly bytes: 4 | 8;
}

/** Pages of the image: the segment they belong to, their first address, and bytes in memory. */
export type Stretch = readonly [segment: ElfSegment, begin: bigint, size: bigint];

export interface Plan {
  readonly places: Places;
  readonly gates: readonly Gate[];
  /** Where SYSCALL goes. */
  readonly entry: bigint;
  readonly stretches: readonly Stretch[];
  readonly pokes: readonly Poke[];
  /** Frames of guest memory. */
  readonly frames: number;
}

export const PAGE = BigInt(PAGE_SIZE);
export const pagesOf = (size: bigint): number => Number((size + PAGE - 1n) / PAGE);
/** For page tables on the way, stacks and the user's pages. */
const MORE_FRAMES = 96;

/** Linked address of a per-CPU variable to that of the CPU's copy. */
export const copyOfCpu =
  ({ perCpuOffset }: Places) =>
  (linked: bigint): bigint =>
    BigInt.asUintN(64, linked + perCpuOffset);

/** The plan, or one sentence that says what is missing. */
export function planOf(kernel: Kernel): Plan | { readonly problem: string } {
  const places = placesOf(kernel);
  if ('problem' in places) return places;
  const gates = readGates(kernel);
  if (!gates) return { problem: 'missing table of gates: def_idts' };
  const entry = kernel.symbols.address('entry_SYSCALL_64');
  if (entry === undefined) return { problem: 'missing symbol: entry_SYSCALL_64' };
  const pokes = pokesOf(kernel, places);
  if ('problem' in pokes) return pokes;
  const { perCpu } = places;
  const stretches = kernel.elf.segments
    .filter(({ address }) => address !== perCpu.linked)
    .flatMap((segment) => stretchesOf(kernel, segment));
  const pages = stretches.reduce((sum, [, , size]) => sum + pagesOf(size), 0);
  const frames = pages + Math.ceil(pages / 512) + pagesOf(BigInt(perCpu.size)) + MORE_FRAMES;
  if (frames > MAX_FRAMES)
    return { problem: `too large: ${pages} pages of image, ${MAX_FRAMES} frames are modelled` };
  return { places, gates, entry, stretches, pokes, frames };
}

/** Pages of a segment, but those that only tables lie on: first address and bytes in memory. */
function stretchesOf(kernel: Kernel, segment: ElfSegment): readonly Stretch[] {
  const left = kernel.elf.sections.filter(({ name }) => TABLES.includes(name));
  let from = segment.address & ~(PAGE - 1n);
  const end = segment.address + BigInt(segment.size);
  const found: Stretch[] = [];
  for (const { address, size } of left.toSorted((a, b) => (a.address < b.address ? -1 : 1))) {
    const begin = (address + PAGE - 1n) & ~(PAGE - 1n);
    const behind = (address + BigInt(size)) & ~(PAGE - 1n);
    if (begin < from || behind > end || behind <= begin) continue;
    if (begin > from) found.push([segment, from, begin - from]);
    from = behind;
  }
  if (end > from) found.push([segment, from, end - from]);
  return found;
}

/** What exc_nmi and the entry code read and only a boot writes. */
function pokesOf(kernel: Kernel, places: Places): readonly Poke[] | { readonly problem: string } {
  const { symbols } = kernel;
  const copyOf = copyOfCpu(places);
  const pokes: Poke[] = [];
  const poke = (name: string, value: bigint, offset = 0, perCpu = false, bytes: 4 | 8 = 8): boolean => {
    const address = symbols.address(name);
    if (address === undefined) return false;
    const at = address + BigInt(offset);
    const shown = offset === 0 ? name : `${name}+0x${offset.toString(16)}`;
    pokes.push({ name: shown, address: perCpu ? copyOf(at) : at, value, bytes });
    return true;
  };
  const task = symbols.address('init_task');
  if (task === undefined) return { problem: 'missing symbol: init_task' };
  poke('this_cpu_off', places.perCpuOffset, 0, true);
  poke('__per_cpu_offset', places.perCpuOffset);
  poke('__cpu_online_mask', 1n);
  // Since 6.2 in one structure, since 6.15 variables again.
  const top = memberAt(kernel, 'pcpu_hot', 'top_of_stack');
  const current = memberAt(kernel, 'pcpu_hot', 'current_task', 0);
  const isHot = top !== undefined && poke('pcpu_hot', task, current, true);
  if (isHot) poke('pcpu_hot', places.task.end, top, true);
  else {
    poke('current_task', task, 0, true);
    if (!poke('cpu_current_top_of_stack', places.task.end, 0, true))
      return { problem: 'missing symbol: cpu_current_top_of_stack' };
  }
  const stack = memberAt(kernel, 'task_struct', 'stack');
  if (stack !== undefined) poke('init_task', places.task.begin, stack);
  // The task's floating-point registers are in the processor: a return to user mode asks (fpregs_state_valid()).
  const fpu = memberAt(kernel, 'task_struct', 'thread.fpu');
  if (fpu !== undefined) poke('fpu_fpregs_owner_ctx', task + BigInt(fpu), 0, true);
  // Machine checks are set up: exc_machine_check() then asks whether another CPU is crashing (arch/x86/kernel/cpu/mce/core.c, 6.1).
  const checks = kernel.memberOf('mca_config', 'initialized');
  if (checks && !isProblem(checks)) poke('mca_cfg', 1n << BigInt(checks.bit ?? 0), checks.offset, false, 4);
  // An NMI that nobody asks about: no handler is called, and nothing is printed.
  poke('ignore_nmis', 1n, 0, false, 4);
  return pokes;
}
