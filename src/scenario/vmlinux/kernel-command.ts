/** What is asked of a real kernel, as a line for a command line: `lab kernel FILE run --path nmi --event mc --at repeat_nmi+0x9`. */
import type { KernelEvent, KernelPath } from './kernel-paths.ts';
import type { KernelStrike } from './kernel-run.ts';

/** How a kernel is brought up, and what interrupts what. */
export interface KernelCommand {
  readonly path: KernelPath;
  readonly user: boolean;
  /** As `--features` takes them; undefined for text as it was linked. */
  readonly features?: readonly string[] | undefined;
  /** As `--cut` takes them; undefined for the usual ones. */
  readonly cut?: string | undefined;
}

function flags({ user, features, cut }: KernelCommand): readonly string[] {
  return [
    ...(user ? ['--user'] : []),
    ...(features ? [`--features ${features.join(',') || 'none'}`] : []),
    ...(cut === undefined ? [] : [`--cut ${cut}`]),
  ];
}

/** Without `lab kernel FILE`. */
export const runCommand = (asked: KernelCommand, strikes: readonly KernelStrike[]): string =>
  [
    `run --path ${asked.path}`,
    ...(strikes.length > 0
      ? [
          `--event ${strikes.map(({ event }) => event).join(',')}`,
          `--at ${strikes.map(({ at }) => at).join(',')}`,
        ]
      : []),
    ...flags(asked),
  ].join(' ');

/** Without `lab kernel FILE`. */
export const sweepCommand = (asked: KernelCommand, schedules: readonly (readonly KernelEvent[])[]): string =>
  [
    `sweep --path ${asked.path}`,
    `--events ${schedules.map((schedule) => schedule.join('+')).join(',')}`,
    ...flags(asked),
  ].join(' ');
