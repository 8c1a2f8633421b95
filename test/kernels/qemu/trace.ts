/** A run as both make it from one state: the registers behind every transition, and events that come from outside on the way. */
import type { Machine } from '../../../src/engine/machine.ts';
import type { QemuGuest } from './boot.ts';
import type { QemuRegisters } from './gdb.ts';
import { SHARED } from './snapshot.ts';

/** Registers by our names, and `rflags`. */
export type Step = Readonly<Record<string, bigint>>;

export type OutsideEvent = 'nmi' | 'mc';

/** What comes in front of the transition `step`, counted from 0. */
export interface Arrival {
  readonly step: number;
  readonly events: readonly OutsideEvent[];
}

/**
 * A machine check as the monitor injects it: bank 9, valid, uncorrected, enabled, reported, with address; MCG_STATUS says that the
 * saved RIP is right and that a check is under way (SDM vol 3, 15.3).
 */
const COMMAND: Readonly<Record<OutsideEvent, string>> = {
  nmi: 'nmi',
  mc: 'mce 0 9 0xbd00000000000135 0x5 0x1000 0x8c',
};

/** @throws Error where the monitor has something to say */
export async function arrive(guest: QemuGuest, event: OutsideEvent): Promise<void> {
  const said = (await guest.monitor(COMMAND[event])).trim();
  if (said !== '') throw new Error(`${COMMAND[event]}: ${said}`);
}

export const stepOfQemu = (registers: QemuRegisters): Step => {
  const step: Record<string, bigint> = { rflags: registers.eflags ?? 0n };
  for (const [ours, theirs] of SHARED) step[ours] = registers[theirs] ?? 0n;
  return step;
};

export function stepOfOurs(machine: Machine): Step {
  const step: Record<string, bigint> = { rflags: machine.rflags() };
  for (const [ours] of SHARED) step[ours] = machine.get(ours);
  return step;
}

const same = (one: Step, other: Step): boolean =>
  Object.entries(other).every(([name, value]) => one[name] === value);

/** Steps in which QEMU may do nothing but ask its interrupt controller, one behind the other. */
const IDLE = 4;

/**
 * One transition of QEMU's. A step that changes nothing is none: QEMU has asked its interrupt controller (`compare.ts`).
 */
export async function stepQemu(guest: QemuGuest, before: Step, tries = IDLE): Promise<Step> {
  for (let n = 1; ; n++) {
    await guest.gdb.step();
    const after = stepOfQemu(await guest.gdb.registers());
    if (n >= tries || !same(after, before)) return after;
  }
}

/**
 * As many transitions of QEMU's as ours has made, the delivery of an event among them, from where it stands. Where ours changes
 * nothing a step that changes nothing is one: an NMI that comes in front of the first instruction of its own handler leaves every
 * register, and its frame, as they were.
 */
export async function traceQemu(
  guest: QemuGuest,
  ours: readonly Step[],
  arrivals: readonly Arrival[],
): Promise<readonly Step[]> {
  await guest.gdb.stepWith('events');
  const steps: Step[] = [];
  let before = stepOfQemu(await guest.gdb.registers());
  while (steps.length < ours.length) {
    for (const { step, events } of arrivals)
      if (step === steps.length) for (const event of events) await arrive(guest, event);
    const [last, next] = [ours[steps.length - 1], ours[steps.length]];
    const still = last !== undefined && next !== undefined && same(last, next);
    before = await stepQemu(guest, before, still ? 1 : IDLE);
    steps.push(before);
  }
  return steps;
}

export interface OurTrace {
  readonly steps: readonly Step[];
  /** `rests` where the state began and nothing waits; `stopped` with the engine's reason; else what the caller said. */
  readonly end: string;
}

/**
 * Ours, until it is where it began with nothing left to do, or `over` says why it ends. An attempt that faults and the delivery of the
 * fault are one step, as in QEMU.
 */
export function traceOurs(
  machine: Machine,
  arrivals: readonly Arrival[],
  over: (rip: bigint, step: number) => string | undefined,
): OurTrace {
  const [rip, rsp] = [machine.get('rip'), machine.get('rsp')];
  const last = Math.max(0, ...arrivals.map(({ step }) => step));
  const steps: Step[] = [];
  for (;;) {
    for (const { step, events } of arrivals)
      if (step === steps.length)
        for (const event of events) {
          const done = event === 'nmi' ? machine.injectNmi() : machine.inject(event);
          if (typeof done !== 'string') return { steps, end: done.problem };
        }
    if (machine.step().kind === 'fault') machine.step();
    if (machine.stopReason !== 'none') return { steps, end: `stopped: ${machine.stopReason}` };
    steps.push(stepOfOurs(machine));
    const rests = machine.get('rip') === rip && machine.get('rsp') === rsp && !machine.eventDue;
    if (rests && steps.length > last) return { steps, end: 'rests' };
    const end = over(machine.get('rip'), steps.length);
    if (end !== undefined) return { steps, end };
  }
}
