/** NMIs and machine checks inside of an NMI: on both sides from one state, and with nothing cut in QEMU. */
import { CUT, type Mode, NO_END, physicalIn, type QemuBench, type RunPair, type Touched } from './bench.ts';
import { compareTraces, type TraceComparison } from './compare.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { type Arrival, arrive, type OutsideEvent, stepOfQemu, stepQemu, traceQemu } from './trace.ts';

/** The NMI that everything comes inside of. */
const FIRST: Arrival = { step: 0, events: ['nmi'] };
/** Milliseconds that a handler of a machine check may take, and passes of the NMI handler after which there is no end. */
const PATIENCE = 20_000;
const MOST_PASSES = 25;

export interface NestedRun extends TraceComparison {
  /** How ours ended; QEMU made as many transitions. */
  readonly end: string;
  readonly steps: number;
  readonly ours: Outcome;
  readonly theirs: Outcome;
  /** Pages that ours has written, the stacks of events among them, in the end. */
  readonly memory: Touched;
  readonly run: RunPair;
}

/** The same events on both sides, with `do_machine_check` cut. */
export async function runNested(
  bench: QemuBench,
  mode: Mode,
  arrivals: readonly Arrival[],
): Promise<NestedRun> {
  const run = await bench.run(mode, [FIRST, ...arrivals]);
  const { begin, ours, theirs, end } = run;
  return {
    ...compareTraces(ours, theirs),
    end,
    steps: ours.length,
    ours: outcomeOf(bench.kernel, begin, ours),
    theirs: outcomeOf(bench.kernel, begin, theirs),
    memory: await bench.touched(mode),
    run,
  };
}

/** What QEMU makes of it when nothing is cut: `returned`, with what is not as it was; `no end`; that the kernel gives up; or `late`. */
export interface WholeOutcome {
  readonly end: string;
  readonly passes: number;
  readonly changed: readonly string[];
}

/** @param arrivals the last of them comes into the whole handler; those before it must not be machine checks */
export async function runWhole(
  bench: QemuBench,
  mode: Mode,
  arrivals: readonly Arrival[],
): Promise<WholeOutcome> {
  const { guest, kernel } = bench;
  const { registers } = bench.snapshot(mode);
  const begin = stepOfQemu(registers);
  await bench.restore(mode);
  await guest.gdb.writePhysical(physicalIn(kernel, CUT), bench.cut);
  const last = arrivals.at(-1) ?? FIRST;
  const earlier = [FIRST, ...arrivals.slice(0, -1)];
  const before = await traceQemu(guest, bench.runOurs(mode, earlier).steps.slice(0, last.step), earlier);
  for (const event of last.events) await arrive(guest, event);
  const exc = kernel.symbols.address('exc_nmi') ?? 0n;
  const [rip = 0n, rsp = 0n] = [begin.rip, begin.rsp];
  let passes = before.filter((step) => step.rip === exc).length;
  for (;;) {
    const came = await guest.gdb.runTo([rip, exc, ...bench.deaths.keys()], PATIENCE);
    const now = came ? stepOfQemu(await guest.gdb.registers()) : undefined;
    const end = !now || now.rip === undefined ? 'late' : bench.deaths.get(now.rip);
    if (!now || end !== undefined) return { end: end ?? 'late', passes, changed: [] };
    if (now.rip === exc) passes++;
    if (passes > MOST_PASSES) return { end: NO_END, passes, changed: [] };
    if (now.rip === rip && now.rsp === rsp)
      return {
        end: 'returned',
        passes,
        changed: Object.keys(begin).filter((name) => begin[name] !== now[name]),
      };
    await stepQemu(guest, now);
  }
}

/** Events at a place, as `lab kernel FILE run` takes them: `repeat_nmi+0x9`, `exc_nmi#2` for the second time. */
export interface Strike {
  readonly at: string;
  readonly event: OutsideEvent;
}

/**
 * Each place as a number of transitions, found by running ours with what comes before it.
 *
 * @throws Error for a place that is unknown or not reached
 */
export function arrivalsOf(bench: QemuBench, mode: Mode, strikes: readonly Strike[]): readonly Arrival[] {
  const arrivals: { step: number; events: OutsideEvent[] }[] = [];
  for (const { at, event } of strikes) {
    const [, name = '', offset = '0', times = '1'] =
      /^([^+#]+)(?:\+(0x[\da-f]+|\d+))?(?:#(\d+))?$/i.exec(at) ?? [];
    const base = bench.kernel.symbols.address(name);
    if (base === undefined) throw new Error(`unknown symbol: ${name || at}`);
    const { steps } = bench.runOurs(mode, [FIRST, ...arrivals]);
    const visits = steps.flatMap(({ rip }, n) => (rip === base + BigInt(offset) ? [n + 1] : []));
    const step = visits[Number(times) - 1];
    const latest = arrivals.at(-1);
    if (step === undefined || step < (latest?.step ?? 0)) throw new Error(`not reached: ${at}`);
    if (latest?.step === step) latest.events.push(event);
    else arrivals.push({ step, events: [event] });
  }
  return arrivals;
}
