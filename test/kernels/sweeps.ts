/** Every way through a real kernel's entry code, swept; what it says is compared with what was recorded of the same build. */
import { writeFileSync } from 'node:fs';
import {
  type RecordedKernel,
  type RecordedSweep,
  recordOf,
} from '../../src/explore/vmlinux/kernel-record.ts';
import { type KernelSweepAsked, scheduleName, sweepKernel } from '../../src/explore/vmlinux/kernel-sweep.ts';
import { RECORDED } from '../../src/explore/vmlinux/recorded.ts';
import type { Kernel } from '../../src/image/kernel-file.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { KERNEL_EVENTS, KERNEL_PATHS, USUAL_CUTS } from '../../src/scenario/vmlinux/kernel-paths.ts';
import { type KernelBench, openBench } from '../../src/scenario/vmlinux/kernel-run.ts';

/** A processor of 2015: page tables isolated, what it has on. */
export const FEATURES = ['pti', 'pcid', 'smap', 'fsgsbase'];
const RECORDS = 'src/explore/vmlinux/recorded.json';
/** One sweep takes no longer, in seconds. */
const LONGEST = 60;

type Check = (what: string, holds: boolean, instead?: unknown) => void;

/**
 * All sweeps over a kernel, and what they are checked for whatever its version.
 *
 * @param name the package's name and version, with `_` between them
 */
export function sweepAll(name: string, kernel: Kernel, check: Check): RecordedKernel {
  const sweeps: RecordedSweep[] = [];
  for (const features of [undefined, FEATURES]) {
    const text = features ? 'patched' : 'linked';
    const numbers = features?.map((one) => kernel.features.number(one) ?? 0);
    const bench = openBench(kernel, { cut: USUAL_CUTS, ...(numbers && { features: new Set(numbers) }) });
    if ('problem' in bench) {
      check(`${name} is brought up, ${text}`, false, bench.problem);
      continue;
    }
    check(`${name}: NMIs that were served can be counted, ${text}`, bench.unchecked.length === 0);
    for (const path of KERNEL_PATHS)
      for (const user of path === 'syscall' ? [true] : [false, true]) {
        const way = `${name}: ${path} from ${user ? 'user' : 'kernel'} mode, ${text}`;
        const run = bench.run({ path, user, strikes: [] });
        check(`${way}, returns`, !('problem' in run) && run.verdict === 'returned', JSON.stringify(run));
        const alone = swept(
          bench,
          { path, user, schedules: KERNEL_EVENTS.map((event) => [event]) },
          way,
          check,
        );
        if (!alone) continue;
        check(
          `${way}, returns from every event`,
          alone.outcomes.broken + alone.outcomes.stopped === 0,
          JSON.stringify(alone.reasons),
        );
        sweeps.push(alone);
      }
    for (const user of [false, true])
      for (const first of PAIRED)
        for (const second of PAIRED) {
          const way = `${name}: ${first}+${second} behind an NMI from ${user ? 'user' : 'kernel'} mode, ${text}`;
          const both = swept(bench, { path: 'nmi', user, schedules: [[first, second]] }, way, check);
          if (!both) continue;
          check(`${way}, stops nowhere`, both.outcomes.stopped === 0, JSON.stringify(both.reasons));
          // A machine check opens the latch: what comes of that is told, and compared.
          if (first !== 'mc' && second !== 'mc')
            check(`${way}, returns`, both.outcomes.broken === 0, JSON.stringify(both.reasons));
          // Where the second finds no boundary at all, there is nothing to keep.
          if (both.outcomes.returned + both.outcomes.broken > 0) sweeps.push(both);
        }
  }
  const [shipped = name, version = ''] = name.split('_');
  return { package: shipped, version, buildId: about(kernel).buildId ?? '', features: FEATURES, sweeps };
}

const PAIRED = ['nmi', 'mc', 'db'] as const;

function swept(
  bench: KernelBench,
  asked: KernelSweepAsked,
  way: string,
  check: Check,
): RecordedSweep | undefined {
  const begun = performance.now();
  const steps = sweepKernel(bench, asked);
  let step = steps.next();
  while (!step.done) step = steps.next();
  if ('problem' in step.value) {
    check(`${way}, is swept`, false, step.value.problem);
    return undefined;
  }
  const seconds = (performance.now() - begun) / 1000;
  check(`${way}, takes less than ${LONGEST} s`, seconds < LONGEST, seconds);
  const found = recordOf(step.value);
  const { returned, broken, stopped } = found.outcomes;
  const { orc } = found;
  const silent = orc?.silent.map(({ last, states }) => `${last} ${states}`).join(', ');
  const said = orc
    ? `; ORC ${orc.right} of ${orc.states} right, ${orc.reported} reported, silent: ${silent || 'none'}`
    : '';
  console.log(
    `  ${asked.path} ${asked.user ? 'user' : 'kernel'} ${found.text}, ${asked.schedules.map(scheduleName)}: ${returned} returned, ${broken} broken, ${stopped} stopped${said}; ${seconds.toFixed(1)} s`,
  );
  return found;
}

/** The same build says what was recorded of it. Of another build it is said what has changed. */
export function compareRecorded(found: RecordedKernel, check: Check): void {
  const known = RECORDED.find((one) => one.package === found.package && one.buildId === found.buildId);
  if (!known) {
    console.log(
      `  not compared: nothing is recorded of ${found.package} ${found.version} (npm run -s test:kernels -- --record)`,
    );
    return;
  }
  check(
    `${found.package}: the record is of ${found.version}`,
    known.version === found.version,
    known.version,
  );
  check(
    `${found.package}: as many sweeps as recorded`,
    known.sweeps.length === found.sweeps.length,
    known.sweeps.length,
  );
  for (const [n, one] of found.sweeps.entries()) {
    const way = `${one.path} ${one.user ? 'user' : 'kernel'} ${one.text} ${Object.keys(one.tried)}`;
    for (const [key, value] of Object.entries(one)) {
      const recorded = JSON.stringify(known.sweeps[n]?.[key as keyof RecordedSweep]);
      check(
        `${found.package}: ${way}: ${key} is as recorded`,
        recorded === JSON.stringify(value),
        `${JSON.stringify(value)}, recorded ${recorded}`,
      );
    }
  }
}

/** Writes what was found in place of what was recorded of the same packages. */
export function record(found: readonly RecordedKernel[]): void {
  const kept = RECORDED.filter((one) => !found.some((other) => other.package === one.package));
  writeFileSync(RECORDS, `${JSON.stringify([...kept, ...found], undefined, 1)}\n`);
}
