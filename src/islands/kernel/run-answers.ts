/** Runs and sweeps of the kernel that is open. It comes with the first of them: until then nobody needs the engine. */
import { suggestion } from '../../asm/suggest.ts';
import { KernelMapMaker } from '../../explore/vmlinux/kernel-map.ts';
import { sweepKernel } from '../../explore/vmlinux/kernel-sweep.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { about } from '../../image/vmlinux/about.ts';
import { featureNumbers } from '../../image/vmlinux/listing.ts';
import { USUAL_CUTS } from '../../scenario/vmlinux/kernel-paths.ts';
import { type KernelBench, openBench } from '../../scenario/vmlinux/kernel-run.ts';
import { kernelTimeline } from '../../scenario/vmlinux/kernel-timeline.ts';
import type { Message, RunRequest, SweepRequest } from './protocol.ts';

/** Milliseconds of work between two looks at what else was asked, and between two pictures. */
const SLICE = 30;
const FRAME = 150;
/** Transitions of a run at most, as in a sweep: each is a frame. */
const BOUND = 2_500;

export type RunAnswers = ReturnType<typeof createRunAnswers>;

type Problem = { readonly problem: string };

export function createRunAnswers(kernel: Kernel, tell: (message: Message) => void) {
  /** The kernel as it was brought up last: it holds a machine of its own. */
  let last: { readonly key: string; readonly bench: KernelBench } | undefined;

  function benchOf(features: readonly string[] | undefined): KernelBench | Problem {
    const key = features === undefined ? 'linked' : `patched ${features.join()}`;
    if (last?.key === key) return last.bench;
    const numbers = features && featureNumbers(kernel, features);
    if (numbers && 'unknown' in numbers)
      return {
        problem: `unknown feature: ${numbers.unknown}${suggestion(numbers.unknown, kernel.features.names)}`,
      };
    last = undefined;
    const bench = openBench(kernel, { cut: USUAL_CUTS, ...(numbers && { features: numbers }) });
    if ('problem' in bench) return { problem: whole(bench.problem) };
    last = { key, bench };
    return bench;
  }

  /** Of a capsule, that it is one: the kernel that it was made of has what is missing. */
  const whole = (problem: string): string =>
    kernel.wrapping.capsule
      ? `${problem}. A capsule of routines holds their text only: open the kernel itself`
      : problem;

  const version = about(kernel).version ?? 'of the kernel';

  return {
    run({ id, path, user, features, strikes }: RunRequest): void {
      const bench = benchOf(features);
      const made =
        'problem' in bench
          ? bench
          : kernelTimeline(bench, { path, user, strikes, bound: BOUND }, { version, features });
      tell('problem' in made ? { kind: 'refused', id, problem: made.problem } : { kind: 'ran', id, ...made });
    },

    /** @param here whether it is still wanted */
    async sweep({ id, path, user, features, schedules }: SweepRequest, here: () => boolean): Promise<void> {
      const begun = performance.now();
      const refuse = ({ problem }: Problem): void => tell({ kind: 'refused', id, problem });
      const bench = benchOf(features);
      if ('problem' in bench) return refuse(bench);
      const quiet = bench.run({ path, user, strikes: [], bound: BOUND });
      if ('problem' in quiet) return refuse(quiet);
      const asked = { path, user, schedules };
      const maker = new KernelMapMaker(asked, quiet.steps);
      const steps = sweepKernel(bench, asked);
      let done = 0;
      let rested = begun;
      let drawn = 0;
      for (;;) {
        const step = steps.next();
        const now = performance.now();
        const elapsed = now - begun;
        if (step.done) {
          const sweep = step.value;
          return 'problem' in sweep
            ? refuse(sweep)
            : tell({ kind: 'swept', id, map: maker.map, sweep, elapsed });
        }
        if (step.value) {
          maker.add(step.value);
          done = step.value.boundary;
        }
        if (now - rested < SLICE) continue;
        if (now - drawn >= FRAME) {
          tell({ kind: 'sweeping', id, map: maker.map, done, of: quiet.steps, elapsed });
          drawn = now;
        }
        await new Promise((resolve) => setTimeout(resolve));
        if (!here()) return;
        rested = performance.now();
      }
    },
  };
}
