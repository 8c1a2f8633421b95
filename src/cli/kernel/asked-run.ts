/** What `run` and `sweep` have in common: the path, the cuts, the features, the bench. */
import { suggestion } from '../../asm/suggest.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import {
  KERNEL_EVENTS,
  KERNEL_PATHS,
  type KernelEvent,
  type KernelPath,
  USUAL_CUTS,
} from '../../scenario/vmlinux/kernel-paths.ts';
import { type KernelBench, openBench } from '../../scenario/vmlinux/kernel-run.ts';
import { RECORD_LOST } from '../../scenario/vmlinux/kernel-unwound.ts';
import type { UnwoundCounts } from '../../scenario/vmlinux/unwound-count.ts';
import { type Asked, featuresOf } from './answer.ts';

export interface Bench {
  readonly bench: KernelBench;
  /** As `--features`, `--cut` and `--user` would repeat it. */
  readonly flags: string;
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
  const { cut, user } = options;
  const cuts =
    cut === undefined ? USUAL_CUTS : cut.split(',').filter((name) => name !== '' && name !== 'none');
  const kept = cuts.find((name) => /^(asm_)?exc_/.test(name));
  if (kept !== undefined) return { problem: `invalid cut: ${kept} is what runs` };
  const unknown =
    cut === undefined ? undefined : cuts.find((name) => kernel.symbols.address(name) === undefined);
  if (unknown !== undefined) return { problem: `unknown symbol: ${unknown}` };
  const bench = openBench(kernel, { cut: cuts, ...(chosen && { features: chosen }) });
  if ('problem' in bench) return bench;
  const flags = [
    user ? '--user' : undefined,
    features === undefined ? undefined : `--features ${features}`,
    cut === undefined ? undefined : `--cut ${cut}`,
  ];
  return { bench, flags: flags.filter((one) => one !== undefined).join(' ') };
}

const SHOWN = 12;

/** What the unwinder made of it, for people. */
export function unwoundLines(counts: UnwoundCounts | undefined): readonly string[] {
  if (!counts) return ['ORC:       no rows'];
  const { boundaries, right, gaps, reported, findings } = counts;
  const said = reported.reduce((sum, { times }) => sum + times, 0);
  const silent = findings.reduce((sum, { times }) => sum + times, 0);
  const excused = Object.entries(gaps).map(([name, count]) =>
    name === RECORD_LOST ? `${count} ${name}` : `${count} ${name} (by design)`,
  );
  const list = (title: string, all: typeof findings): readonly string[] => [
    ...all.slice(0, SHOWN).map(({ last, at, strikes, times, judgement, reason }) => {
      const struck = strikes.map((one) => `${one.event} at ${one.at}`).join(', ');
      const first = `at ${at}${struck === '' ? '' : ` after ${struck}`}`;
      return `  ${title} ${last}, ${judgement}, ${times > 1 ? `${times} boundaries, the first ` : ''}${first}: ${reason}`;
    }),
    ...(all.length > SHOWN ? [`  ... and ${all.length - SHOWN} more functions`] : []),
  ];
  return [
    `ORC:       ${[`${right} of ${boundaries} boundaries right`, ...excused, `${said} reported by the unwinder itself`, `${silent} wrong or short in silence`].join(', ')}`,
    ...list('silent:', findings),
    ...list('reported:', reported),
  ];
}
