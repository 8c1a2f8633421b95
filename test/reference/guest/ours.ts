/** The guest on our engine. The local APIC is not modelled: what a store to its command register asks for is injected. */
import { wasm } from '../../../src/engine/backends/wasm/backend.ts';
import { Machine } from '../../../src/engine/machine.ts';
import type { Vendor } from '../../../src/engine/vendor.ts';
import type { Field } from '../../../src/isa/state.ts';
import { type Guest, IMAGE_AT } from './image.ts';
import { type Step, WORDS } from './trace.ts';

/** A frame of RAM in the place of the local APIC's registers, and of the command register there (SDM vol 3, table 10-1). */
const APIC_FRAME = 0x5_c000;
const COMMAND = 0x300;
const DELIVERY = { fixed: 0n, nmi: 4n };
/** Steps at most; what runs on is wrong. */
const MOST = 100_000;

/** As the stub leaves the processor at `begin`. */
const START: Readonly<Partial<Record<Field, bigint>>> = {
  rcx: 0xc000_0080n,
  rsi: 0xffff_f000n,
  rdi: 0x1_f000n,
  cs: 0x10n,
  ss: 0x10n,
  ds: 0x10n,
  es: 0x10n,
  cr0: 0x8005_0033n,
  cr4: 0x60n,
  efer: 0xd01n,
};

export interface Ours {
  readonly steps: readonly Step[];
  /** Scenes that met something that is not modelled: its name. */
  readonly stops: ReadonlyMap<string, string>;
}

function load(guest: Guest, vendor: Vendor): Machine {
  const machine = new Machine({ vendor, backend: wasm() });
  machine.writeGuest(IMAGE_AT, guest.rom.subarray(0, 0xf000));
  const physical = (label: string): number => Number(guest.at(label) - guest.at('origin')) + IMAGE_AT;
  const entries = new DataView(new ArrayBuffer(16));
  entries.setBigUint64(0, BigInt(APIC_FRAME) | 0x63n, true);
  entries.setBigUint64(8, BigInt(APIC_FRAME) | 0x67n, true);
  machine.writeGuest(physical('apic_entries'), new Uint8Array(entries.buffer));
  const begin = guest.at('begin');
  const all = { ...START, rip: begin, rax: begin, cr3: BigInt(physical('pml4')) };
  for (const [name, value] of Object.entries(all)) machine.set(name as Field, value);
  machine.setRflags(6n);
  machine.keyframe();
  return machine;
}

/** What the guest's last store to the APIC asks for. */
function serveApic(machine: Machine): void {
  const command = machine.physicalWord(APIC_FRAME + COMMAND) & 0xffff_ffffn;
  if (command === 0n) return;
  machine.writeGuest(APIC_FRAME + COMMAND, new Uint8Array(4));
  const mode = (command >> 8n) & 7n;
  if (mode === DELIVERY.nmi) machine.inject('nmi');
  else if (mode === DELIVERY.fixed) machine.inject('irq', { vector: Number(command & 0xffn) });
}

/** Runs the guest to its shutdown. */
export function runOurs(guest: Guest, vendor: Vendor): Ours {
  const machine = load(guest, vendor);
  const read = (): Step =>
    Object.fromEntries(WORDS.map((word) => [word, word === 'rflags' ? machine.rflags() : machine.get(word)]));
  const steps: Step[] = [];
  const stops = new Map<string, string>();
  let scene = '';
  while (steps.length < MOST) {
    const before = read();
    if (steps.at(-1)?.rip === guest.at('to_scene'))
      scene = guest.name(before.rip ?? 0n).replace(/^scene_/, '');
    const { kind, instruction } = machine.step();
    if (instruction !== undefined && kind !== 'delivery') steps.push(before);
    if (kind === 'stopped') {
      if (machine.stopReason === 'shutdown') break;
      if (machine.stopReason !== 'journal or log full') {
        stops.set(scene, machine.stopReason);
        goOn(machine, guest);
      }
      machine.keyframe();
    }
    serveApic(machine);
  }
  return { steps, stops };
}

/** To the next scene, from wherever it stopped. */
function goOn(machine: Machine, guest: Guest): void {
  const reset: Partial<Record<Field, bigint>> = {
    rip: guest.at('next_scene'),
    cs: 0x10n,
    ss: 0x18n,
    cpl: 0n,
    halted: 0n,
    shadow: 0n,
    debugTrap: 0n,
    pendingKind: 0n,
    irqPending: 0n,
    nmiPending: 0n,
    dr7: 0x400n,
  };
  for (const [name, value] of Object.entries(reset)) machine.set(name as Field, value);
  machine.setRflags(2n);
}
