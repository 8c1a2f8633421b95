/** Boundaries of one NMI at which others are let come: some of each part of `asm_exc_nmi`. */
import type { Kernel } from '../../../src/image/kernel-file.ts';
import { routineEnd } from '../../../src/image/vmlinux/routine.ts';
import type { Step } from './trace.ts';

/** Parts of the way of an NMI that finds the kernel: each begins at its label, the first time. */
const PARTS = ['asm_exc_nmi', 'first_nmi', 'repeat_nmi', 'end_repeat_nmi', 'exc_nmi', 'nmi_restore'];
const EACH = 6;

export interface Boundary {
  /** Transitions made before. */
  readonly step: number;
  readonly address: bigint;
}

/** Boundaries of a trace that lie in `asm_exc_nmi` itself, as many of each part as `EACH`, spread evenly, first and last among them. */
export function boundariesOf(kernel: Kernel, steps: readonly Step[]): readonly Boundary[] {
  const entry = kernel.symbols.address('asm_exc_nmi') ?? 0n;
  const end = routineEnd(kernel, entry);
  const begins = PARTS.map((name) => {
    const address = kernel.symbols.address(name);
    return steps.findIndex(({ rip }) => rip === address);
  });
  return begins.flatMap((begin, part) => {
    const until = begins[part + 1] ?? steps.length;
    const inside = steps.flatMap(({ rip = 0n }, n): Boundary[] =>
      n >= begin && n < until && rip >= entry && rip < end ? [{ step: n + 1, address: rip }] : [],
    );
    if (begin < 0 || inside.length <= EACH) return begin < 0 ? [] : inside;
    return Array.from(
      { length: EACH },
      (_, n) => inside[Math.round((n * (inside.length - 1)) / (EACH - 1))],
    ).flatMap((one) => one ?? []);
  });
}
