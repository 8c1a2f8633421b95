/** Two traces and two memories, compared word for word; what QEMU does otherwise is listed, by name and with its reason. */
import type { Step } from './trace.ts';

/** A word that differs for a reason that is QEMU's own. */
interface Allowance {
  readonly why: string;
  readonly source: string;
  /** @param place a register's name, or `memory` */
  allows(place: string, ours: bigint, theirs: bigint): boolean;
}

const KERNEL_SS = 0x18n;

/** What a step of QEMU's may be that is no transition; `traceQemu` leaves it out. */
const IDLE_STEP = {
  why: 'a step may do nothing but ask the interrupt controller, when a timer has run out',
  source: 'target/i386/tcg/sysemu/seg_helper.c, x86_cpu_exec_interrupt, CPU_INTERRUPT_POLL',
};

const ALLOWANCES: readonly Allowance[] = [
  {
    why: 'an IST entry makes SS null although the CPL stays, and what is interrupted next is pushed with it',
    source:
      'target/i386/tcg/seg_helper.c, do_interrupt64; SDM vol 3, 6.14.5 reads so, but processors keep it: see engine/events/idt.ts',
    allows: (place, ours, theirs) =>
      (place === 'ss' || place === 'memory') && ours === KERNEL_SS && theirs === 0n,
  },
];

/** All that is QEMU's own, for people. */
export const PECULIARITIES: readonly string[] = [...ALLOWANCES, IDLE_STEP].map(
  ({ why, source }) => `${why} (${source})`,
);

export interface Difference {
  /** Transitions made before. */
  readonly step: number;
  readonly place: string;
  readonly ours: bigint;
  readonly theirs: bigint;
}

export interface TraceComparison {
  /** Words that were compared. */
  readonly words: number;
  /** How many of them differ for QEMU's own reasons, in the order of `ALLOWANCES`. */
  readonly allowed: readonly number[];
  /** The first that differs otherwise. */
  readonly difference: Difference | undefined;
}

export function compareTraces(ours: readonly Step[], theirs: readonly Step[]): TraceComparison {
  const allowed = ALLOWANCES.map(() => 0);
  let words = 0;
  for (let step = 0; step < Math.max(ours.length, theirs.length); step++) {
    const [mine, other] = [ours[step], theirs[step]];
    if (!mine || !other)
      return {
        words,
        allowed,
        difference: { step, place: 'length', ours: BigInt(ours.length), theirs: BigInt(theirs.length) },
      };
    for (const [place, value] of Object.entries(mine)) {
      const found = other[place] ?? -1n;
      words++;
      if (value === found) continue;
      const known = ALLOWANCES.findIndex(({ allows }) => allows(place, value, found));
      if (known < 0) return { words, allowed, difference: { step, place, ours: value, theirs: found } };
      allowed[known] = (allowed[known] ?? 0) + 1;
    }
  }
  return { words, allowed, difference: undefined };
}

/**
 * A difference for people.
 *
 * @param name what an address is called
 */
export function told(name: (address: bigint) => string, { step, place, ours, theirs }: Difference): string {
  const shown = (value: bigint): string => (place === 'rip' ? name(value) : `0x${value.toString(16)}`);
  const where = place === 'memory' ? `physical 0x${step.toString(16)}` : `behind transition ${step + 1}`;
  return `${place} ${where}: ours ${shown(ours)}, QEMU ${shown(theirs)}`;
}

const PAGE = 0x1000;

/**
 * Words of physical memory that differ, those with a reason of QEMU's left out; `step` is their address.
 *
 * @param from address of the first byte
 */
export function compareMemory(ours: Uint8Array, theirs: Uint8Array, from = 0): readonly Difference[] {
  const found: Difference[] = [];
  const word = (bytes: Uint8Array, at: number): bigint =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(at, true);
  for (let page = 0; page < Math.min(ours.length, theirs.length); page += PAGE) {
    if (Buffer.compare(ours.subarray(page, page + PAGE), theirs.subarray(page, page + PAGE)) === 0) continue;
    for (let at = page; at < page + PAGE; at += 8) {
      const [mine, other] = [word(ours, at), word(theirs, at)];
      if (mine !== other && !ALLOWANCES.some(({ allows }) => allows('memory', mine, other)))
        found.push({ step: from + at, place: 'memory', ours: mine, theirs: other });
    }
  }
  return found;
}
