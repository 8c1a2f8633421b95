import { type KernelSweep, sweepKernel } from '../../explore/vmlinux/kernel-sweep.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { about } from '../../image/vmlinux/about.ts';
import { type KernelCommand, runCommand } from '../../scenario/vmlinux/kernel-command.ts';
import { KERNEL_EVENTS, KERNEL_WHERE } from '../../scenario/vmlinux/kernel-paths.ts';
import { unwoundLines } from '../../scenario/vmlinux/unwound-text.ts';
import type { Answer, Asked } from './answer.ts';
import { benchOf, eventsOf, pathOf } from './asked-run.ts';

const SHOWN = 20;

/** `lab kernel FILE sweep`: every event at every boundary of a way, alone, or `nmi+mc` one after the other. */
export function sweep(kernel: Kernel, asked: Asked): Answer {
  const made = sweepAsked(kernel, asked);
  if ('problem' in made) return made;
  const { sweep: done, command } = made;
  const { version } = about(kernel);
  return {
    value: { version, features: asked.features ?? null, ...done },
    failed: done.outcomes.returned !== done.runs,
    lines: lines(done, asked.features, command),
  };
}

/** The sweep that the options ask for, and what a command repeats of them. */
export function sweepAsked(
  kernel: Kernel,
  asked: Asked,
): { readonly sweep: KernelSweep; readonly command: KernelCommand } | { readonly problem: string } {
  const { events: list = 'nmi,mc,db,pf', path: named = 'nmi', user = false } = asked.options ?? {};
  const path = pathOf(named);
  if (typeof path !== 'string') return path;
  const schedules = [];
  for (const one of list.split(',')) {
    const schedule = eventsOf(one.replaceAll('+', ','));
    if ('problem' in schedule) return schedule;
    schedules.push(schedule);
  }
  const made = benchOf(kernel, asked);
  if ('problem' in made) return made;
  const steps = sweepKernel(made.bench, { path, user, schedules });
  let step = steps.next();
  while (!step.done) {
    if (step.value) asked.progress?.(`boundary ${step.value.boundary}`);
    step = steps.next();
  }
  asked.progress?.('');
  return 'problem' in step.value
    ? step.value
    : { sweep: step.value, command: { path, user, ...made.chosen } };
}

function lines(done: KernelSweep, features: string | undefined, command: KernelCommand): readonly string[] {
  const { path, user, text, boundaries, runs, followed, outcomes, cut, unchecked, unwound } = done;
  const { reasons, findings } = done;
  const places = (name: string): number => boundaries.filter(({ verdicts }) => verdicts[name] !== '-').length;
  const tried = done.schedules.map((name) => `${name} at ${places(name)}`);
  const nowhere = KERNEL_EVENTS.filter((event) => done.schedules.includes(event) && places(event) === 0);
  return [
    `verdict:   ${outcomes.returned} of ${runs} runs returned, ${outcomes.broken} broken, ${outcomes.stopped} stopped`,
    `path:      ${path} from ${user ? 'user' : 'kernel'} mode, ${boundaries.length} boundaries: ${tried.join(', ')}`,
    ...(followed < runs ? [`followed:  ${followed} runs; the others come to a state of one of these`] : []),
    `text:      ${text}${features === undefined ? '' : ` for a processor with: ${features}`}`,
    `cut:       ${cut.length > 0 ? `${cut.join(', ')} (called, and returned at once)` : 'nothing that was called'}`,
    ...nowhere.map((event) => `not tried: ${event} occurs ${KERNEL_WHERE[event]}`),
    ...unchecked.map((one) => `unchecked: ${one}`),
    ...reasons
      .slice(0, SHOWN)
      .flatMap(({ verdict, invariant, reason, schedules }) => [
        `  ${verdict}${invariant ? `: ${invariant}` : ''}: ${reason}, ${schedules} ${schedules > 1 ? 'runs' : 'run'}`,
        ...findings
          .filter((one) => one.verdict === verdict && one.reason === reason)
          .map(({ strikes }) => `    ${runCommand(command, strikes)}`),
      ]),
    ...(reasons.length > SHOWN ? [`  ... and ${reasons.length - SHOWN} more ways to end`] : []),
    ...unwoundLines(unwound),
  ];
}
