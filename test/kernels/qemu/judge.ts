/** A kernel in QEMU and in our machine: quiet NMIs from kernel and user mode, every register behind every transition. */
import type { Kernel } from '../../../src/image/kernel-file.ts';
import { MODES, type Mode, QemuBench } from './bench.ts';
import { ALLOWANCES, compareMemory, compareTraces, type Difference } from './compare.ts';

/** Counts what holds, and says what does not. */
export type Check = (what: string, holds: boolean, instead?: unknown) => void;

/** @throws NotBooted where there is nothing to compare with */
export async function judgeInQemu(
  name: string,
  kernel: Kernel,
  vmlinuz: Uint8Array,
  check: Check,
): Promise<void> {
  console.log('  booting in QEMU ...');
  const bench = await QemuBench.open(kernel, vmlinuz);
  try {
    for (const mode of MODES) await judgeQuiet(name, bench, mode, check);
  } finally {
    await bench.close();
  }
}

/** One NMI and back: registers behind every transition, and all of physical memory in the end. */
async function judgeQuiet(name: string, bench: QemuBench, mode: Mode, check: Check): Promise<void> {
  const { ours, theirs, end } = await bench.run(mode, [{ step: 0, events: ['nmi'] }]);
  const what = `${name}: a quiet NMI from ${mode} mode, as in QEMU`;
  check(`${what}, returns`, end === 'rests', end);
  const { words, allowed, difference } = compareTraces(ours, theirs);
  check(`${what}, behind every transition`, !difference, difference && told(bench, difference));
  const memory = compareMemory(bench.memory(mode), await bench.guest.readPhysical(0, bench.guest.memory));
  check(
    `${what}, memory in the end`,
    memory.length === 0,
    memory.slice(0, 5).map((one) => told(bench, one)),
  );
  console.log(
    `  quiet NMI from ${mode} mode, ours and QEMU: ${ours.length} transitions, ${words} words of registers, ${allowed.join(' + ')} differ as QEMU does; ${bench.guest.memory >> 20} MiB of memory`,
  );
}

function told(bench: QemuBench, { step, place, ours, theirs }: Difference): string {
  const shown = (value: bigint): string => (place === 'rip' ? bench.name(value) : `0x${value.toString(16)}`);
  const where = place === 'memory' ? `physical 0x${step.toString(16)}` : `behind transition ${step}`;
  return `${place} ${where}: ours ${shown(ours)}, QEMU ${shown(theirs)}`;
}

/** What is QEMU's own, once for the whole job. */
export function tellAllowances(): void {
  console.log("QEMU's own, not compared:");
  for (const { why, source } of ALLOWANCES) console.log(`  ${why} (${source})`);
}
