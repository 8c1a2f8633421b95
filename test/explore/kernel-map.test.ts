import { expect, test } from 'vitest';
import { fateOf } from '../../src/explore/fate.ts';
import { type SweepMap, unpack } from '../../src/explore/map.ts';
import { KernelMapMaker } from '../../src/explore/vmlinux/kernel-map.ts';
import { type KernelSweepAsked, sweepKernel } from '../../src/explore/vmlinux/kernel-sweep.ts';
import { type KernelBench, openBench } from '../../src/scenario/vmlinux/kernel-run.ts';
import { openRunning } from '../image/build/running-kernel.ts';

async function benchOf(): Promise<KernelBench> {
  const bench = openBench(await openRunning(), { cut: ['do_machine_check'] });
  if ('problem' in bench) throw new Error(bench.problem);
  return bench;
}

function mapOf(bench: KernelBench, asked: KernelSweepAsked, last: number, upTo = last): SweepMap {
  const maker = new KernelMapMaker(asked, last);
  for (const cells of sweepKernel(bench, asked)) {
    if (cells) maker.add(cells);
    if (cells?.boundary === upTo) break;
  }
  return maker.map;
}

test('events alone are strips, by what they meet', async () => {
  const asked = { path: 'nmi', user: false, schedules: [['nmi'], ['mc'], ['db'], ['pf']] } as const;
  const map = mapOf(await benchOf(), asked, 42);
  expect(map.strips).toEqual([
    { event: 'nmi', cells: '.w41' },
    { event: 'mc', cells: '.n41' },
    { event: 'db', cells: '.42' },
    { event: 'pf', cells: '.42' },
  ]);
  expect(map.stretches.map(({ name, from, to }) => [name, from, to])).toEqual([
    ['asm_exc_nmi', 0, 20],
    ['exc_nmi', 21, 22],
    ['asm_exc_nmi', 23, 41],
  ]);
});

test('each cell of a map of pairs is what that run by itself comes to', async () => {
  const bench = await benchOf();
  const bound = 200;
  const said = new Set<string>();
  for (const schedule of [
    ['nmi', 'mc'],
    ['mc', 'nmi'],
  ] as const) {
    const asked = { path: 'nmi', user: false, schedules: [schedule], bound } as const;
    const { rows, pair } = mapOf(bench, asked, 42, 3);
    expect(pair).toEqual(schedule);
    for (const row of [1, 3]) {
      const letters = unpack(rows[row] ?? '');
      for (const column of [row + 1, row + 9, letters.length - 1]) {
        const strikes = schedule.map((event, n) => ({ event, at: `b${n === 0 ? row : column}` }));
        const run = bench.run({ path: 'nmi', user: false, strikes, bound });
        const letter = letters.charAt(column);
        said.add(letter);
        const verdict = 'problem' in run ? undefined : (run.invariant ?? run.verdict);
        const fate = fateOf(letter);
        expect([row, column, verdict]).toEqual([
          row,
          column,
          fate?.verdict === 'intact' ? 'returned' : fate?.invariant,
        ]);
      }
    }
  }
  expect(said.size).toBeGreaterThan(1);
});
