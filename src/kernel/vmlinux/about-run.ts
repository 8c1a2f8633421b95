/** What can be said of a kernel, and whether it can be brought up. */
import type { Kernel } from '../../image/kernel-file.ts';
import { type About, about } from '../../image/vmlinux/about.ts';
import { planOf } from './plan.ts';

/** As `about`; where no bring-up is possible, that is missing too, and why. */
export function aboutWithRun(kernel: Kernel): About {
  const found = about(kernel);
  const plan = planOf(kernel);
  return 'problem' in plan
    ? { ...found, missing: [...found.missing, { what: 'run, sweep', why: plan.problem }] }
    : found;
}
