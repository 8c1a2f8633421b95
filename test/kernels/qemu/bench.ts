/**
 * A kernel booted in QEMU and held twice at a place where an NMI is about to come: in the kernel, at a system call that has just
 * begun, and in user mode. Both states lie in our machine as well. Every run begins in one of them, on both sides.
 */
import { FRAMES, PAGE_SIZE } from '../../../src/engine/layout.ts';
import type { Machine, Mark } from '../../../src/engine/machine.ts';
import type { Kernel } from '../../../src/image/kernel-file.ts';
import type { Variables } from '../../../src/image/vmlinux/patch/after-boot.ts';
import { AC, DF, ID, IF, RF, STATUS } from '../../../src/isa/flags.ts';
import { DEATHS } from '../../../src/scenario/vmlinux/kernel-paths.ts';
import { bootKernel, NotBooted, type QemuGuest } from './boot.ts';
import { compareMemory, type Difference } from './compare.ts';
import { programAddress, USER_PLACE } from './initramfs.ts';
import { machineOf, type Snapshot, takeSnapshot } from './snapshot.ts';
import {
  type Arrival,
  type OurTrace,
  type Step,
  stepOfOurs,
  stepOfQemu,
  traceOurs,
  traceQemu,
} from './trace.ts';

export const MODES = ['kernel', 'user'] as const;
export type Mode = (typeof MODES)[number];

/** Where events find the kernel: a system call has just called it. */
const KERNEL_PLACE = 'do_syscall_64';
/** A linear address of the image, less this, is a physical one (Documentation/arch/x86/x86_64/mm.rst). */
const IMAGE_BASE = 0xffff_ffff_8000_0000n;
/**
 * Cut on both sides, by a RET: it looks for the cause of a machine check in registers of banks, which our processor has not.
 */
export const CUT = 'do_machine_check';
const RET = 0xc3;
/** Transitions of ours at most. */
export const BOUND = 2_000;
/** How ours ends then. */
export const NO_END = 'no end';
/** How many both make past the end: an event that only one of them still has comes then. None where a timer may come. */
export const BEYOND = 3;

/** A run that both made. */
export interface RunPair {
  readonly begin: Step;
  readonly ours: readonly Step[];
  readonly theirs: readonly Step[];
  /** How ours ended; QEMU made as many transitions. */
  readonly end: OurTrace['end'];
}

/** Pages of memory that were compared, and what differs. */
export interface Touched {
  readonly pages: number;
  readonly differences: readonly Difference[];
}

interface Place {
  readonly snapshot: Snapshot;
  readonly machine: Machine;
  readonly start: Mark;
}

export class QemuBench {
  readonly kernel: Kernel;
  readonly guest: QemuGuest;
  /** What lay where `CUT` was cut. */
  readonly cut: Uint8Array;
  readonly #places: Readonly<Record<Mode, Place>>;
  /** Where the kernel gives up, and how that is told. */
  readonly deaths: ReadonlyMap<bigint, string>;

  private constructor(
    kernel: Kernel,
    guest: QemuGuest,
    cut: Uint8Array,
    places: Readonly<Record<Mode, Place>>,
  ) {
    this.kernel = kernel;
    this.guest = guest;
    this.cut = cut;
    this.#places = places;
    this.deaths = new Map(
      DEATHS.flatMap((name) => {
        const address = kernel.symbols.address(name);
        return address === undefined ? [] : [[address, `the kernel gives up: ${name}()`] as const];
      }),
    );
  }

  /**
   * @param vmlinuz the bytes that `kernel` was read from
   * @throws NotBooted where it does not come to the places
   */
  static async open(kernel: Kernel, vmlinuz: Uint8Array): Promise<QemuBench> {
    const guest = await bootKernel({ vmlinuz, ready: addressIn(kernel, KERNEL_PLACE) });
    try {
      const put = (name: string, ...bytes: readonly number[]): Promise<void> =>
        guest.gdb.writePhysical(physicalIn(kernel, name), Uint8Array.from(bytes));
      // An NMI that nobody asks about: no handler is called, and nothing is printed.
      await put('ignore_nmis', 1, 0, 0, 0);
      const cut = await guest.readPhysical(physicalIn(kernel, CUT), 1);
      await put(CUT, RET);
      await addFlags(guest, RF);
      const inKernel = await placeOf(guest, 'kernel');
      if (!(await guest.gdb.runTo([programAddress(USER_PLACE)], 10_000)))
        throw new NotBooted('the program does not come back to user mode');
      await addFlags(guest, RF | STATUS | DF | AC | ID);
      return new QemuBench(kernel, guest, cut, { kernel: inKernel, user: await placeOf(guest, 'user') });
    } catch (reason) {
      await guest.close();
      throw reason;
    }
  }

  /** `SYMBOL+0x9` of an address. */
  name(address: bigint): string {
    return this.kernel.symbols.name(address) ?? `0x${address.toString(16)}`;
  }

  snapshot(mode: Mode): Snapshot {
    return this.#places[mode].snapshot;
  }

  /** Guest memory of our machine as the last run of that mode left it. */
  memory(mode: Mode): Uint8Array {
    const { machine, snapshot } = this.#places[mode];
    return new Uint8Array(machine.memory.buffer, FRAMES, snapshot.memory.length);
  }

  /** QEMU back in the state that a mode begins in. @throws Error where it cannot be loaded */
  async restore(mode: Mode): Promise<void> {
    const said = (await this.guest.monitor(`loadvm ${mode}`)).trim();
    if (said !== '') throw new Error(`loadvm: ${said}`);
  }

  /** Ours alone, from the beginning. */
  runOurs(mode: Mode, arrivals: readonly Arrival[]): OurTrace {
    const { machine, start } = this.#places[mode];
    machine.undo(start);
    const trace = traceOurs(machine, arrivals, (rip, step) => {
      return this.deaths.get(rip) ?? (step >= BOUND ? NO_END : undefined);
    });
    if (trace.end !== 'rests') return trace;
    const steps = [...trace.steps];
    const beyond = (machine.rflags() & IF) === 0n ? BEYOND : 0;
    for (let n = 0; n < beyond && machine.advance(); n++) steps.push(stepOfOurs(machine));
    return { ...trace, steps };
  }

  /** A run on both sides. */
  async run(mode: Mode, arrivals: readonly Arrival[]): Promise<RunPair> {
    const { steps: ours, end } = this.runOurs(mode, arrivals);
    await this.restore(mode);
    const theirs = await traceQemu(this.guest, ours, arrivals);
    return { begin: stepOfQemu(this.snapshot(mode).registers), ours, theirs, end };
  }

  /** Pages that ours has written in the last run of that mode, as they are in both. */
  async touched(mode: Mode): Promise<Touched> {
    const { machine } = this.#places[mode];
    const ours = this.memory(mode);
    const pages = new Set(machine.journalSince(0).map(({ physical }) => physical - (physical % PAGE_SIZE)));
    const found: Difference[] = [];
    for (const page of pages) {
      const theirs = await this.guest.readPhysical(page, PAGE_SIZE);
      found.push(...compareMemory(ours.subarray(page, page + PAGE_SIZE), theirs, page));
    }
    return { pages: pages.size, differences: found };
  }

  /** The image of the kernel, as it lies in memory where a mode begins. */
  image(mode: Mode): Variables {
    const { memory } = this.#places[mode].snapshot;
    return {
      upTo: (address, count) => {
        const at = Number(address - IMAGE_BASE);
        return at >= 0 && at + count <= memory.length ? memory.subarray(at, at + count) : undefined;
      },
    };
  }

  close(): Promise<void> {
    return this.guest.close();
  }
}

/** @throws NotBooted for a symbol that the kernel has not */
export function addressIn(kernel: Kernel, name: string): bigint {
  const address = kernel.symbols.address(name);
  if (address === undefined) throw new NotBooted(`missing symbol: ${name}`);
  return address;
}

export const physicalIn = (kernel: Kernel, name: string): number =>
  Number(addressIn(kernel, name) - IMAGE_BASE);

/** Flags that what is interrupted has set, and must have again: a handler clears or changes them all. */
async function addFlags({ gdb }: QemuGuest, flags: bigint): Promise<void> {
  const { eflags = 0n } = await gdb.registers();
  await gdb.setRegister('eflags', eflags | flags);
}

async function placeOf(guest: QemuGuest, mode: Mode): Promise<Place> {
  const said = (await guest.monitor(`savevm ${mode}`)).trim();
  if (said !== '') throw new NotBooted(`savevm: ${said}`);
  const snapshot = await takeSnapshot(guest);
  const machine = machineOf(snapshot);
  return { snapshot, machine, start: machine.mark() };
}
