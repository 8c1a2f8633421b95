/** The guest on our engine. The local APIC is not modelled: what a store to its command register asks for is injected. */
import { wasm } from '../../../src/engine/backends/wasm/backend.ts';
import { Machine } from '../../../src/engine/machine.ts';
import type { Vendor } from '../../../src/engine/vendor.ts';
import type { Field } from '../../../src/isa/state.ts';
import { type Guest, IMAGE_AT } from './image.ts';
import { type Scenes, type Step, scenesOf, WORDS } from './trace.ts';

/** A frame of RAM in the place of the local APIC's registers, and the command register there (SDM vol 3, table 10-1). */
const APIC_FRAME = 0x5_c000;
const COMMAND = 0x300;
/** Delivery modes of a command (SDM vol 3, 10.6.1). */
const DELIVERY = { fixed: 0n, nmi: 4n };
/** Steps at most; what runs on is wrong. */
const MOST = 200_000;

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
const FLAGS_AT_START = 0x46n;

/** An event from outside: in front of the instruction at a label, the `visit`th time, or while the processor is halted. */
export interface Arrival {
  readonly at: string | 'halted';
  /** 1 unless told. */
  readonly visit?: number;
  readonly events: readonly ('nmi' | 'mc')[];
}

export interface Ours {
  readonly scenes: Scenes;
  /** `scene: what is not modelled`, for scenes that met such a thing. */
  readonly stops: readonly string[];
  /** Whether the guest came to its end, a shutdown. */
  readonly ended: boolean;
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
  machine.setRflags(FLAGS_AT_START);
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
export function runOurs(guest: Guest, vendor: Vendor, plan: readonly Arrival[] = []): Ours {
  const machine = load(guest, vendor);
  const steps: Step[] = [];
  const stops: string[] = [];
  const waiting = [...plan];
  let visits = 0;
  const arrives = (at: string): boolean => {
    const [next] = waiting;
    if (next?.at !== at || ++visits < (next.visit ?? 1)) return false;
    for (const event of next.events) machine.inject(event);
    waiting.shift();
    visits = 0;
    return true;
  };
  let ended = false;
  while (!ended && steps.length < MOST) {
    const before = stateOf(machine);
    arrives(guest.name(before.rip ?? 0n));
    const { kind, instruction } = machine.step();
    const halted = kind === 'stopped' && machine.stopReason === 'halted';
    if (instruction !== undefined && !halted) steps.push(before);
    ended = kind === 'stopped' && machine.stopReason === 'shutdown';
    if (kind === 'stopped' && !ended && !(halted && arrives('halted'))) {
      if (machine.stopReason !== 'journal or log full') {
        const scene = [...scenesOf(steps, guest).keys()].at(-1);
        stops.push(`${scene}: ${machine.stopReason}`);
        goOn(machine, guest);
      }
      machine.keyframe();
    }
    serveApic(machine);
  }
  return { scenes: scenesOf(steps, guest), stops, ended };
}

const stateOf = (machine: Machine): Step =>
  Object.fromEntries(WORDS.map((word) => [word, word === 'rflags' ? machine.rflags() : machine.get(word)]));

/** To the next scene, from wherever it stopped. */
function goOn(machine: Machine, guest: Guest): void {
  const idle = ['cpl', 'halted', 'shadow', 'debugTrap', 'pendingKind', 'irqPending', 'nmiPending'] as const;
  for (const name of idle) machine.set(name, 0n);
  for (const [name, value] of Object.entries({
    rip: guest.at('next_scene'),
    cs: 0x10n,
    ss: 0x18n,
    dr7: 0x400n,
  }))
    machine.set(name as Field, value);
  machine.setRflags(2n);
}
