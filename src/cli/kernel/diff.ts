import { compareKernels, comparisonLines } from '../../explore/vmlinux/difference.ts';
import {
  compareSweeps,
  type SweptKernel,
  sweepComparisonLines,
} from '../../explore/vmlinux/sweep-difference.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { type Answer, type Asked, featuresOf } from './answer.ts';
import { sweepAsked } from './sweep.ts';

/** `lab kernel FILE diff OTHER`: the same, or how the second differs from the first; with `--sweep` also in what a sweep finds. */
export async function diff(kernel: Kernel, asked: Asked): Promise<Answer> {
  const { argument = '', open, options } = asked;
  const other = await open?.(argument);
  if (!other || 'problem' in other) return other ?? { problem: `unknown file: ${argument}` };
  const found = compareKernels(kernel, other);
  if (found.routines.length === 0) return { problem: 'missing entry code: neither has a known entry' };
  let same = found.differences.length === 0;
  if (!options?.sweep) return { value: { same, ...found }, lines: comparisonLines(found), failed: !same };
  const swept: SweptKernel[] = [];
  for (const one of [kernel, other]) {
    const done = sweepAsked(one, asked);
    if ('problem' in done) return done;
    const features = asked.features === undefined ? undefined : featuresOf(one, asked.features);
    if (features && 'problem' in features) return features;
    swept.push({ kernel: one, sweep: done.sweep, features });
  }
  const sweep = compareSweeps(swept[0] as SweptKernel, swept[1] as SweptKernel);
  same &&= sweep.differences.length === 0;
  return {
    value: { same, ...found, sweep },
    lines: [...comparisonLines(found), ...sweepComparisonLines(sweep)],
    failed: !same,
  };
}
