/** What `run` and `sweep` have in common: the path, the cuts, the features, the bench. */
import { suggestion } from '../../asm/suggest.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { featureNames } from '../../image/vmlinux/listing.ts';
import type { KernelCommand } from '../../scenario/vmlinux/kernel-command.ts';
import {
  KERNEL_EVENTS,
  KERNEL_PATHS,
  type KernelEvent,
  type KernelPath,
  USUAL_CUTS,
} from '../../scenario/vmlinux/kernel-paths.ts';
import { type KernelBench, openBench } from '../../scenario/vmlinux/kernel-run.ts';
import { type Asked, featuresOf } from './answer.ts';

export interface Bench {
  readonly bench: KernelBench;
  /** As `--features` and `--cut` would repeat it. */
  readonly chosen: Pick<KernelCommand, 'features' | 'cut'>;
}

type Problem = { readonly problem: string };

/** A name of a list, or a sentence with the nearest one. */
export function oneOf<T extends string>(kind: string, names: readonly T[], given: string): T | Problem {
  const found = names.find((name) => name === given);
  return (
    found ?? {
      problem: `unknown ${kind}: ${given}${suggestion(given, names)} (there is ${names.join(', ')})`,
    }
  );
}

export const pathOf = (given: string): KernelPath | Problem => oneOf('path', KERNEL_PATHS, given);

/** `nmi,mc`: each once. */
export function eventsOf(given: string): readonly KernelEvent[] | Problem {
  const found: KernelEvent[] = [];
  for (const name of given.split(',')) {
    const event = oneOf('event', KERNEL_EVENTS, name.trim());
    if (typeof event !== 'string') return event;
    found.push(event);
  }
  return found;
}

/** The kernel brought up as asked. */
export function benchOf(kernel: Kernel, { features, options = {} }: Asked): Bench | Problem {
  const chosen = features === undefined ? undefined : featuresOf(kernel, features);
  if (chosen && 'problem' in chosen) return chosen;
  const { cut } = options;
  const cuts =
    cut === undefined ? USUAL_CUTS : cut.split(',').filter((name) => name !== '' && name !== 'none');
  const kept = cuts.find((name) => /^(asm_)?exc_/.test(name));
  if (kept !== undefined) return { problem: `invalid cut: ${kept} is what runs` };
  const unknown =
    cut === undefined ? undefined : cuts.find((name) => kernel.symbols.address(name) === undefined);
  if (unknown !== undefined) return { problem: `unknown symbol: ${unknown}` };
  const bench = openBench(kernel, { cut: cuts, ...(chosen && { features: chosen }) });
  if ('problem' in bench) return bench;
  return { bench, chosen: { features: features === undefined ? undefined : featureNames(features), cut } };
}
