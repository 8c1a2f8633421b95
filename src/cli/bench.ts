/**
 * `npm run bench [SECONDS]`: how fast the engine is, on the guest of `bench/guest.ts`. Both backends and, where
 * it is installed, Unicorn run the same bytes in the same process run, each between two runs of the interpreter, in rounds; what
 * counts is the median of their ratios.
 * Then how long sweeps take, here and in a browser, and what unwinding and judging cost, with the bars beside them. Nothing is asserted.
 */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { compileEngine, engineBytes } from '../engine/backends/wasm/backend.ts';
import type { Machine } from '../engine/machine.ts';
import { browserFigures } from './bench/browser.ts';
import { machineOf } from './bench/guest.ts';
import { laboratoryFigures } from './bench/laboratory.ts';
import { type Figure, sweepFigures } from './bench/sweep.ts';
import { unicorn } from './bench/unicorn.ts';
import { unwindFigures } from './bench/unwind.ts';

const ROUNDS = 7;
/** Transitions before a keyframe empties journal and log. */
const STRETCH = 200_000;
if (process.argv.includes('--help')) {
  console.log('npm run bench [SECONDS]   speeds and ratios; SECONDS for each measurement, 0.4 unless told');
  process.exit(0);
}
const seconds = Number(process.argv[2] ?? 0.4);
if (!(seconds > 0 && seconds <= 60)) {
  console.error(`invalid seconds: ${process.argv[2]}`);
  process.exit(2);
}

const median = (of: readonly number[]): number => [...of].sort((a, b) => a - b)[of.length >> 1] as number;
const show = (of: readonly number[], unit: string, digits = 0): string =>
  `${median(of).toFixed(digits)} ${unit} (${Math.min(...of).toFixed(digits)}-${Math.max(...of).toFixed(digits)})`;
const line = (what: string, figure: string): void => console.log(`${what.padEnd(34)} ${figure}`);

/** Milliseconds of this thread on a processor: other programs on the machine do not count. */
const processorTime = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Million transitions a second. */
function speed(machine: Machine, slice: number): number {
  const until = performance.now() + seconds * 1000;
  const from = processorTime();
  let made = 0;
  while (performance.now() < until) {
    for (let n = 0; n < STRETCH; n += slice) made += machine.run(slice);
    machine.keyframe();
  }
  if (machine.stopReason !== 'none') throw new Error(`stopped: ${machine.stopReason}`);
  return made / (processorTime() - from) / 1000;
}

/** Million forks a second: mark, an NMI if asked for, some transitions, undo. */
function forks(machine: Machine, transitions: number): number {
  const until = performance.now() + seconds * 1000;
  const from = processorTime();
  let made = 0;
  for (; performance.now() < until; made += 10_000) {
    for (let n = 0; n < 10_000; n++) {
      machine.markSlot(0);
      if (transitions > 0) {
        machine.injectNmi();
        machine.run(transitions);
      }
      machine.undoSlot(0);
    }
  }
  return made / (processorTime() - from) / 1000;
}

const FIRST = `
  const { wasm } = await import('${new URL('../engine/backends/wasm/backend.ts', import.meta.url)}');
  const { machineOf } = await import('${new URL('bench/guest.ts', import.meta.url)}');
  machineOf(undefined);
  const from = performance.now();
  const backend = wasm();
  const compiled = performance.now();
  const machine = machineOf(backend, 1);
  console.log(JSON.stringify([compiled - from, performance.now() - from, machine.get('rsp') > 0n]));
`;

const bytes = engineBytes();
line('module', `${bytes.length} bytes, ${gzipSync(bytes).length} gzipped`);
const fresh = spawnSync(process.execPath, ['--input-type=module', '-e', FIRST], { encoding: 'utf8' });
const [compiled, first] = JSON.parse(fresh.stdout || '[0, 0]') as [number, number];
line(
  'compiled, then first instruction',
  `${compiled.toFixed(1)} ms, ${first.toFixed(1)} ms from the module's arrival`,
);

const interpreter = machineOf(await compileEngine());
const oracle = machineOf(undefined);
for (let n = 1; n <= 4; n++)
  line(`warming up, stretch ${n}`, `${speed(interpreter, STRETCH).toFixed(0)} M/s`);

const figures: Record<string, number[]> = {};
const ratios: Record<string, number[]> = {};
const keep = (lists: Record<string, number[]>, name: string, figure: number): void => {
  const list = lists[name] ?? [];
  lists[name] = list;
  list.push(figure);
};
const take = (name: string, figure: number): void => keep(figures, name, figure);
/** Another engine between two runs of the interpreter, so that what else the machine does weighs on both. */
function compare(name: string, other: () => number): void {
  const [before, figure, after] = [speed(interpreter, STRETCH), other(), speed(interpreter, STRETCH)];
  take('slices of 200,000', before);
  take('slices of 200,000', after);
  take(name, figure);
  keep(ratios, name, (before + after) / 2 / figure);
}
const peers = unicorn();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(peers)) compare(name, () => run(seconds));
  compare('bigint', () => speed(oracle, 1000));
  take('slices of 40', speed(interpreter, 40));
  take('slices of 1', speed(interpreter, 1));
  take('mark, undo', forks(interpreter, 0));
  take('mark, NMI, undo', forks(interpreter, 1));
  take('mark, NMI, 50 more, undo', forks(interpreter, 51));
}
for (const [name, list] of Object.entries(figures)) {
  const digits = median(list) < 20 ? 2 : 0;
  const ratio = ratios[name] ? `, the interpreter is ${show(ratios[name], 'times as fast', 1)}` : '';
  line(name, show(list, name.includes('mark') ? 'M forks/s' : 'M instructions/s', digits) + ratio);
}
if (!('Unicorn' in peers)) line('Unicorn', 'not installed (libunicorn-dev and a C compiler)');
const told = ({ what, ms, barMs, made }: Figure): void =>
  line(what, [`${show(ms, 'ms')}, bar ${barMs} ms`, ...(made ? [made] : [])].join('; '));
for (const figure of [...(await sweepFigures(3, processorTime)), ...unwindFigures(3, processorTime)])
  told(figure);
const inBrowser = await browserFigures();
if ('missing' in inBrowser) line('two NMIs, in a browser', `not measured: missing ${inBrowser.missing}`);
else for (const figure of inBrowser) told(figure);
const laboratory = await laboratoryFigures();
if ('missing' in laboratory) line('the laboratory', `not measured: missing ${laboratory.missing}`);
else {
  for (const figure of laboratory.times) told(figure);
  const { what, megabytes, bar } = laboratory.memory;
  line(what, `${megabytes.toFixed(0)} MB, bar ${bar} MB`);
}
