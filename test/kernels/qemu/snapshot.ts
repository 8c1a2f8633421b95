/** The state of a booted kernel between two instructions, taken from QEMU and put into our machine as it is. */
import { wasm } from '../../../src/engine/backends/wasm/backend.ts';
import { PAGE_SIZE } from '../../../src/engine/layout.ts';
import { Machine } from '../../../src/engine/machine.ts';
import { type Field, GPR } from '../../../src/isa/state.ts';
import type { QemuGuest } from './boot.ts';
import type { QemuRegisters } from './gdb.ts';
import { readTables, type Tables } from './monitor.ts';

export interface Snapshot {
  readonly registers: QemuRegisters;
  readonly tables: Tables;
  /** Guest physical memory, all of it. */
  readonly memory: Uint8Array;
}

export async function takeSnapshot(guest: QemuGuest): Promise<Snapshot> {
  return {
    registers: await guest.gdb.registers(),
    tables: readTables(await guest.monitor('info registers')),
    memory: await guest.readPhysical(0, guest.memory),
  };
}

/** Registers that both have, by our name and by QEMU's. RFLAGS is asked for apart: ours is made of several words. */
export const SHARED: readonly (readonly [ours: Field, theirs: string])[] = [
  ...([...GPR, 'rip', 'cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const).map((name) => [name, name] as const),
  ...(['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const).map((name) => [name, name] as const),
  ['fsBase', 'fs_base'],
  ['gsBase', 'gs_base'],
  ['kernelGsBase', 'k_gs_base'],
];

/**
 * Our machine in that state. MSRs of system calls, which no event reads, are not set: QEMU tells them to nobody.
 *
 * @throws Error for a register that QEMU does not name
 */
export function machineOf({ registers, tables, memory }: Snapshot): Machine {
  const machine = new Machine({ frames: memory.length / PAGE_SIZE, backend: wasm() });
  machine.writeGuest(0, memory);
  const of = (name: string): bigint => {
    const value = registers[name];
    if (value === undefined) throw new Error(`missing register: ${name}`);
    return value;
  };
  for (const [ours, theirs] of SHARED) machine.set(ours, of(theirs));
  machine.setRflags(of('eflags'));
  const { gdt, idt, tr, ldt, debug } = tables;
  const rest: Readonly<Partial<Record<Field, bigint>>> = {
    cpl: of('cs') & 3n,
    gdtBase: gdt.base,
    gdtLimit: gdt.limit,
    idtBase: idt.base,
    idtLimit: idt.limit,
    tr: tr.selector,
    tssBase: tr.base,
    tssLimit: tr.limit,
    ldtr: ldt.selector,
    ldtBase: ldt.base,
    ldtLimit: ldt.limit,
    dr0: debug[0] ?? 0n,
    dr1: debug[1] ?? 0n,
    dr2: debug[2] ?? 0n,
    dr3: debug[3] ?? 0n,
    dr6: debug[6] ?? 0n,
    dr7: debug[7] ?? 0n,
  };
  for (const [name, value] of Object.entries(rest)) machine.set(name as Field, value);
  machine.keyframe();
  return machine;
}
