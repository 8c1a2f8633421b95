import type { Kernel } from '../../image/kernel-file.ts';
import { told, toldLines } from '../../image/vmlinux/told.ts';
import { aboutWithRun } from '../../kernel/vmlinux/about-run.ts';
import type { Answer } from './answer.ts';

/** `lab kernel FILE info`. */
export function info(kernel: Kernel): Answer {
  const found = aboutWithRun(kernel);
  const { wrapping } = kernel;
  return {
    value: { ...found, packed: { ...wrapping, config: undefined } },
    lines: toldLines(told(found, wrapping)),
  };
}
