import { compareKernels, comparisonLines } from '../../explore/vmlinux/difference.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import type { Answer, Asked } from './answer.ts';

/** `lab kernel FILE diff OTHER`: the same, or how the second differs from the first. */
export async function diff(kernel: Kernel, { argument = '', open }: Asked): Promise<Answer> {
  const other = await open?.(argument);
  if (!other || 'problem' in other) return other ?? { problem: `unknown file: ${argument}` };
  const found = compareKernels(kernel, other);
  if (found.routines.length === 0) return { problem: 'missing entry code: neither has a known entry' };
  const same = found.differences.length === 0;
  return { value: { same, ...found }, lines: comparisonLines(found), failed: !same };
}
