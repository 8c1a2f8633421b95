import type { QemuBench } from './bench.ts';
import type { Difference } from './compare.ts';

/** A difference for people. */
export function told(bench: QemuBench, { step, place, ours, theirs }: Difference): string {
  const shown = (value: bigint): string => (place === 'rip' ? bench.name(value) : `0x${value.toString(16)}`);
  const where = place === 'memory' ? `physical 0x${step.toString(16)}` : `behind transition ${step + 1}`;
  return `${place} ${where}: ours ${shown(ours)}, QEMU ${shown(theirs)}`;
}
