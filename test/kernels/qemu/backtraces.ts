/**
 * Traces that a booted kernel's own unwinder makes where ORC rows are wrong in ours: the body of an event's handler is written over with
 * a jump to `dump_stack`, and what it prints is read from the console. For notebooks/labs/findings.mdx.
 */
import type { Kernel } from '../../../src/image/kernel-file.ts';
import { isProblem } from '../../../src/image/reading.ts';
import { addressIn, physicalIn, QemuBench } from './bench.ts';
import { bootKernel, type QemuGuest } from './boot.ts';
import type { Check } from './judge.ts';
import { traceQemu } from './trace.ts';

/** Bank 9: memory scrubbing has met an error that nobody needs to act on at once, so that the handler comes back (SDM vol 3, 15.9.3). */
const MACHINE_CHECK = 'mce 0 9 0xbd000000000000c0 0x5 0x1000 0x8c';
/** Milliseconds until what was printed inside of an NMI has come to the console. */
const PRINTED = 3_000;
const JMP = 0xe9;
const JMP_SIZE = 5;
const CALL_SIZE = 5;

/** @throws NotBooted where there is nothing to ask */
export async function judgeBacktraces(
  name: string,
  kernel: Kernel,
  vmlinuz: Uint8Array,
  check: Check,
): Promise<void> {
  await judgeRowFromDx(name, kernel, vmlinuz, check);
  await judgeBehindErrorEntry(name, kernel, vmlinuz, check);
}

/** `what()` begins with a jump to `dump_stack()`, which may be called anywhere and returns to its caller. */
async function dumpIn(guest: QemuGuest, kernel: Kernel, what: string): Promise<void> {
  const jump = new Uint8Array(JMP_SIZE);
  const distance = addressIn(kernel, 'dump_stack') - addressIn(kernel, what) - BigInt(JMP_SIZE);
  new DataView(jump.buffer).setInt32(1, Number(distance), true);
  jump[0] = JMP;
  await guest.gdb.writePhysical(physicalIn(kernel, what), jump);
}

/** What the kernel prints from here on, for a while. */
async function printed(guest: QemuGuest, kernel: Kernel, command: string): Promise<readonly string[]> {
  const before = guest.console().length;
  await guest.monitor(command);
  await guest.gdb.stepWith('events');
  await guest.gdb.step();
  await guest.gdb.stepWith('quiet');
  await guest.gdb.runTo([addressIn(kernel, 'panic')], PRINTED);
  return guest
    .console()
    .slice(before)
    .split('\n')
    .map((line) => line.replace(/^\[.*?\] */, '').trim());
}

/**
 * From user mode the NMI's entry moves to the task's stack, and copies its record there. A machine check in front of it, at each push,
 * and behind it: whether a trace from its handler reaches the user's registers.
 */
async function judgeRowFromDx(
  name: string,
  kernel: Kernel,
  vmlinuz: Uint8Array,
  check: Check,
): Promise<void> {
  const rows = kernel.orcTable;
  if (isProblem(rows)) return;
  const bench = await QemuBench.open(kernel, vmlinuz);
  try {
    const { steps } = bench.runOurs('user', [{ step: 0, events: ['nmi'] }]);
    const places = steps.flatMap(({ rip = 0n }, n) =>
      rows.within(rip, rip + 1n)[0]?.base === 'dx' ? [n] : [],
    );
    const [first, last] = [places[0] ?? 0, places.at(-1) ?? 0];
    check(`${name}: five boundaries of asm_exc_nmi have a row from DX`, places.length === 5, places);
    for (const place of [first - 1, ...places, last + 1]) {
      await bench.restore('user');
      await dumpIn(bench.guest, kernel, 'do_machine_check');
      await traceQemu(bench.guest, steps.slice(0, place + 1), [{ step: 0, events: ['nmi'] }]);
      const { rip = 0n } = await bench.guest.gdb.registers();
      check(`${name}: QEMU is at the boundary`, rip === steps[place]?.rip, bench.name(rip));
      const lines = await printed(bench.guest, kernel, MACHINE_CHECK);
      const reaches = lines.some((line) => line.startsWith('RIP: 0033:'));
      const within = place >= first && place <= last;
      check(
        `${name}: the kernel's own trace of #MC at ${bench.name(rip)} ${within ? 'ends before' : 'reaches'} the user's registers`,
        lines.some((line) => line.startsWith('asm_exc_machine_check+')) && reaches === !within,
        lines.join('\n'),
      );
    }
    console.log(`  its own traces: a row from DX at ${bench.name(steps[first]?.rip ?? 0n)}, 5 boundaries`);
  } finally {
    await bench.close();
  }
}

/**
 * The first page fault of a boot, and an NMI when error_entry() has come back, and one instruction later. Boots differ in which fault is
 * the first: one that has no callers one instruction later tells nothing, and the kernel is booted again.
 */
async function judgeBehindErrorEntry(
  name: string,
  kernel: Kernel,
  vmlinuz: Uint8Array,
  check: Check,
): Promise<void> {
  let told = false;
  for (let boot = 0; boot < BOOTS && !told; boot++) {
    const { behind, later } = await callersBehindErrorEntry(name, kernel, vmlinuz, check);
    console.log(`  its own traces: behind error_entry() ${behind} callers, one instruction later ${later}`);
    told = later > 0;
    if (told)
      check(`${name}: the kernel's own trace from behind error_entry() has no caller`, behind === 0, behind);
  }
  check(`${name}: a fault is met whose trace has callers one instruction later`, told);
}

const BOOTS = 5;

async function callersBehindErrorEntry(
  name: string,
  kernel: Kernel,
  vmlinuz: Uint8Array,
  check: Check,
): Promise<{ readonly behind: number; readonly later: number }> {
  const ready = callIn(kernel, 'asm_exc_page_fault') + BigInt(CALL_SIZE);
  const guest = await bootKernel({ vmlinuz, ready });
  try {
    await guest.monitor('savevm fault');
    const callers: number[] = [];
    for (const further of [0, 1]) {
      await guest.monitor('loadvm fault');
      await guest.gdb.stepWith('quiet');
      for (let n = 0; n < further; n++) await guest.gdb.step();
      await dumpIn(guest, kernel, 'default_do_nmi');
      const lines = await printed(guest, kernel, 'nmi');
      check(`${name}: an NMI behind error_entry() is printed`, lines.includes('<NMI>'), lines.join('\n'));
      // A line with a question mark is a word of the stack that looks like text; the unwinder did not come by.
      const from = lines.indexOf('<TASK>');
      const task = from < 0 ? [] : lines.slice(from, lines.indexOf('</TASK>'));
      callers.push(task.filter((line) => /^[a-z_]\w*\+0x/.test(line)).length);
    }
    const [behind = -1, later = -1] = callers;
    return { behind, later };
  } finally {
    await guest.close();
  }
}

/** Address of the first CALL of a routine that goes to error_entry(). */
function callIn(kernel: Kernel, routine: string): bigint {
  const from = addressIn(kernel, routine);
  const target = addressIn(kernel, 'error_entry');
  const text = kernel.memory.upTo(from, 0x20) ?? new Uint8Array();
  const view = new DataView(text.buffer, text.byteOffset, text.length);
  for (let n = 0; n + CALL_SIZE <= text.length; n++)
    if (text[n] === 0xe8 && from + BigInt(n + CALL_SIZE + view.getInt32(n + 1, true)) === target)
      return from + BigInt(n);
  throw new Error(`unknown code: ${routine} calls no error_entry`);
}
