/** A kernel in QEMU and in our machine: quiet NMIs from kernel and user mode, then NMIs and machine checks inside of one. */
import type { Kernel } from '../../../src/image/kernel-file.ts';
import { USUAL_CUTS } from '../../../src/scenario/vmlinux/kernel-paths.ts';
import { type KernelBench, openBench } from '../../../src/scenario/vmlinux/kernel-run.ts';
import { featuresIn } from '../bytes.ts';
import { BEYOND, BOUND, CUT, MODES, type Mode, NO_END, QemuBench } from './bench.ts';
import { type Boundary, boundariesOf } from './boundaries.ts';
import { compareMemory, compareTraces, PECULIARITIES, told } from './compare.ts';
import { runNested, runWhole } from './nested.ts';
import { outcomeText, sameOutcome } from './outcome.ts';
import type { OutsideEvent } from './trace.ts';

/** Counts what holds, and says what does not. */
export type Check = (what: string, holds: boolean, instead?: unknown) => void;

/** What comes at each boundary: a machine check's IRET opens the latch, so that the NMI behind it is a nested one. */
const NESTED: readonly (readonly OutsideEvent[])[] = [['nmi'], ['mc'], ['mc', 'nmi']];
/** So many boundaries there are at least. */
const LEAST = 30;

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
    await judgeNested(name, bench, check);
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
  check(
    `${what}, behind every transition`,
    !difference,
    difference && told((at) => bench.name(at), difference),
  );
  const memory = compareMemory(bench.memory(mode), await bench.guest.readPhysical(0, bench.guest.memory));
  check(
    `${what}, memory in the end`,
    memory.length === 0,
    memory.slice(0, 5).map((one) => told((at) => bench.name(at), one)),
  );
  console.log(
    `  quiet NMI from ${mode} mode, ours and QEMU: ${ours.length} transitions, ${words} words of registers, ${allowed.join(' + ')} differ as QEMU does; ${bench.guest.memory >> 20} MiB of memory`,
  );
}

/** The same kernel brought up without a boot, its text patched for the processor that QEMU's is. */
function unbooted(bench: QemuBench): KernelBench | { readonly problem: string } {
  const { kernel } = bench;
  const found = featuresIn(kernel, bench.image('kernel'));
  const one = kernel.features.number('up');
  if (!found || one === undefined) return { problem: 'missing features of the processor' };
  return openBench(kernel, { cut: USUAL_CUTS, features: new Set([...found, one]) });
}

/** NMIs and machine checks at boundaries of an NMI that found the kernel. */
async function judgeNested(name: string, bench: QemuBench, check: Check): Promise<void> {
  const other = unbooted(bench);
  check(`${name}: is brought up without a boot`, !('problem' in other), other);
  if ('problem' in other) return;
  const quiet = bench.runOurs('kernel', [{ step: 0, events: ['nmi'] }]);
  const boundaries = boundariesOf(bench.kernel, quiet.steps);
  check(`${name}: ${LEAST} boundaries of asm_exc_nmi`, boundaries.length >= LEAST, boundaries.length);
  console.log(`  inside of an NMI from kernel mode, ours and QEMU, ${CUT} cut on both sides:`);
  let [runs, words, pages] = [0, 0, 0];
  for (const boundary of boundaries) {
    const found: string[] = [];
    for (const events of NESTED) {
      const { text, compared, written } = await judgeAt(name, { bench, other }, boundary, events, check);
      found.push(`${events.join('+')}: ${text}`);
      words += compared;
      pages += written;
      runs++;
    }
    console.log(`    ${bench.name(boundary.address)}: ${found.join('; ')}`);
  }
  console.log(
    `  ${runs} runs at ${boundaries.length} boundaries, ${words} words of registers, ${pages} written pages`,
  );
}

async function judgeAt(
  name: string,
  { bench, other }: { readonly bench: QemuBench; readonly other: KernelBench },
  { step, address }: Boundary,
  events: readonly OutsideEvent[],
  check: Check,
): Promise<{ readonly text: string; readonly compared: number; readonly written: number }> {
  const what = `${name}: ${events.join('+')} at ${bench.name(address)}, as in QEMU`;
  const arrivals = [{ step, events }];
  const { ours, theirs, end, steps, words, difference, memory } = await runNested(bench, 'kernel', arrivals);
  check(
    `${what}, behind every transition`,
    !difference,
    difference && told((at) => bench.name(at), difference),
  );
  check(
    `${what}, memory in the end`,
    memory.pages > 3 && memory.differences.length === 0,
    memory.differences.slice(0, 5).map((one) => told((at) => bench.name(at), one)),
  );
  const known = ours.returned || end === NO_END || [...bench.deaths.values()].includes(end);
  check(`${what}, is not stopped`, known, end);
  check(`${what}, outcome`, sameOutcome(ours, theirs), `${outcomeText(ours)}; QEMU: ${outcomeText(theirs)}`);
  const at = bench.name(address);
  const alone = other.run({
    path: 'nmi',
    user: false,
    strikes: events.map((event) => ({ event, at })),
    bound: BOUND,
  });
  check(
    `${what}, without a boot`,
    !('problem' in alone) &&
      (alone.verdict === 'returned') === ours.returned &&
      (!ours.returned || alone.steps === steps - BEYOND),
    `${steps} transitions booted; ${'problem' in alone ? alone.problem : `${alone.verdict}, ${alone.steps}`}`,
  );
  const text = ours.returned ? outcomeText(ours) : `${outcomeText(ours)} (${end})`;
  if (!events.includes('mc')) return { text, compared: words, written: memory.pages };
  const whole = await runWhole(bench, 'kernel', arrivals);
  const alike = ours.returned
    ? whole.end === 'returned' && whole.passes === ours.passes && whole.changed.join() === ours.changed.join()
    : whole.end === end;
  check(`${what} with nothing cut`, alike, `${outcomeText(ours)}; QEMU: ${JSON.stringify(whole)}`);
  return { text, compared: words, written: memory.pages };
}

/** What is QEMU's own, once for the whole job. */
export function tellPeculiarities(): void {
  console.log("QEMU's own, not compared:");
  for (const one of PECULIARITIES) console.log(`  ${one}`);
}
