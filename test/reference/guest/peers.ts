/** Who runs which guest, and what is known of them: for the jobs that run them and the test of what they did. */
import type { Vendor } from '../../../src/engine/vendor.ts';
import { BOCHS, PECULIARITIES } from '../bochs/peculiarities.ts';
import { ALONE, OUTSIDE, QEMU_TCG } from '../qemu/peculiarities.ts';
import { PLAN } from '../qemu/plan.ts';
import { compare, type Peculiarities } from './compare.ts';
import { type Guest, guestFor } from './image.ts';
import { type Arrival, runOurs } from './ours.ts';
import type { Scenes } from './trace.ts';

export interface Run {
  readonly peer: 'qemu' | 'bochs';
  readonly kind: 'alone' | 'outside';
  /** Which of the named differences between processors hold. */
  readonly vendor: Vendor;
  /** Events from outside. */
  readonly plan: readonly Arrival[];
  readonly peculiarities: Peculiarities;
}

export const QEMU_RUNS: readonly Run[] = [
  { peer: 'qemu', kind: 'alone', vendor: QEMU_TCG, plan: [], peculiarities: ALONE },
  { peer: 'qemu', kind: 'outside', vendor: QEMU_TCG, plan: PLAN, peculiarities: OUTSIDE },
];
export const BOCHS_RUN: Run = {
  peer: 'bochs',
  kind: 'alone',
  vendor: BOCHS,
  plan: [],
  peculiarities: PECULIARITIES,
};

/** What a peer did, and whether it came to the guest's end. */
export interface Theirs {
  readonly scenes: Scenes;
  readonly ended: boolean;
}

export interface Verdict {
  readonly passed: number;
  readonly failures: readonly string[];
  /** What was compared, what is theirs and what failed, for people. */
  readonly lines: readonly string[];
}

/** Runs the guest on our engine and compares. */
export function judge(
  { peer, kind, vendor, plan, peculiarities }: Run,
  guest: Guest,
  theirs: Theirs,
): Verdict {
  const ours = runOurs(guest, vendor, plan);
  const { passed, parted, steps, used, failures } = compare(guest, ours.scenes, theirs.scenes, peculiarities);
  const all = [
    ...failures,
    ...ours.stops,
    ...(ours.ended ? [] : ['ours: never came to the end']),
    ...(theirs.ended ? [] : ['theirs: never came to the end']),
  ];
  const lines = [
    `${peer}, ${kind === 'alone' ? 'what the guest does' : 'events from outside'}: ${passed} scenes as expected, ${steps} steps alike; ${parted} scenes part where that is known`,
    ...[...used].map(([{ why, source }, count]) => `  theirs, ${count} times: ${why} (${source})`),
    ...all,
  ];
  return { passed, failures: all, lines };
}

export const guestOf = ({ peer, kind }: Run): Guest => guestFor(peer, kind);
