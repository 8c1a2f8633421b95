/**
 * One finding tried in QEMU: boots a kernel, lets an NMI come, and others inside of it, on both sides.
 *
 *   npx node test/kernels/qemu/at.ts FILE --at repeat_nmi+0x9,repeat_nmi+0x9 --event mc,nmi [--user] [--trace]
 *
 * FILE is a vmlinuz or a .deb. Places and events are written as for `lab kernel FILE run`: the NMI under way is not named, and
 * `exc_nmi#2` is the second time. Exit status 0 where QEMU does as we do, 1 where it does not, 2 for what cannot be asked.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nodeDecompressors } from '../../../src/cli/kernel/decompressors.ts';
import { readDeb } from '../../../src/image/archive/deb.ts';
import { openKernel } from '../../../src/image/kernel-file.ts';
import { attemptLater, fileProblemText, isProblem, Reader } from '../../../src/image/reading.ts';
import { QemuBench } from './bench.ts';
import { told } from './compare.ts';
import { arrivalsOf, runNested, runWhole, type Strike } from './nested.ts';
import { outcomeText } from './outcome.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    at: { type: 'string', default: '' },
    event: { type: 'string', default: '' },
    user: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});

function strikes(): readonly Strike[] {
  const [places, events] = [values.at, values.event].map((list) =>
    list.split(',').filter((one) => one !== ''),
  );
  if (places?.length !== events?.length)
    throw new Error(`invalid places: ${places?.length} for ${events?.length} events`);
  return (events ?? []).map((event, n) => {
    if (event !== 'nmi' && event !== 'mc') throw new Error(`unknown event: ${event} (there is nmi, mc)`);
    return { event, at: places?.[n] ?? '' };
  });
}

async function run(): Promise<number> {
  const wanted = strikes();
  const [file] = positionals;
  if (file === undefined) throw new Error('missing file: a vmlinuz or a .deb');
  const bytes = readFileSync(file);
  const deb = await attemptLater(() => readDeb(new Reader(bytes, 'package'), nodeDecompressors));
  const vmlinuz = isProblem(deb) ? bytes : deb.bytes;
  const kernel = await openKernel(vmlinuz, nodeDecompressors);
  if (isProblem(kernel)) throw new Error(fileProblemText(kernel));
  const mode = values.user ? 'user' : 'kernel';
  const bench = await QemuBench.open(kernel, vmlinuz);
  try {
    const arrivals = arrivalsOf(bench, mode, wanted);
    for (const { step, events } of arrivals)
      console.log(`after ${step} transitions: ${events.join(', then ')}`);
    const { ours, theirs, end, steps, difference, run } = await runNested(bench, mode, arrivals);
    if (values.trace)
      for (const [n, { rip = 0n, rsp = 0n }] of run.theirs.entries())
        console.log(`${n + 1}  ${bench.name(rip)}  rsp ${rsp.toString(16)}`);
    console.log(`ours:       ${outcomeText(ours)}; ${steps} transitions, ${end}`);
    console.log(`QEMU:       ${outcomeText(theirs)}`);
    console.log(
      difference
        ? `differs:    ${told((at) => bench.name(at), difference)}`
        : 'every register is equal behind every transition',
    );
    if (wanted.some(({ event }) => event === 'mc')) {
      const whole = await runWhole(bench, mode, arrivals);
      const changed = whole.changed.length > 0 ? ` with other ${whole.changed.join(', ')}` : '';
      console.log(
        `QEMU whole: ${whole.end}${changed}, passes: ${whole.passes} (do_machine_check is not cut)`,
      );
    }
    return difference ? 1 : 0;
  } finally {
    await bench.close();
  }
}

try {
  process.exitCode = await run();
} catch (reason) {
  console.error(reason instanceof Error ? reason.message : String(reason));
  process.exitCode = 2;
}
