import { expect, test } from 'vitest';
import {
  type KernelSweep,
  type KernelSweepAsked,
  sweepKernel,
} from '../../src/explore/vmlinux/kernel-sweep.ts';
import { type KernelBench, openBench } from '../../src/scenario/vmlinux/kernel-run.ts';
import { KERNEL_TEXT, openRunning } from '../image/build/running-kernel.ts';

async function benchOf(text?: string): Promise<KernelBench> {
  const bench = openBench(await openRunning(text), { cut: ['do_machine_check'] });
  if ('problem' in bench) throw new Error(bench.problem);
  return bench;
}

function sweepOf(bench: KernelBench, asked: Omit<KernelSweepAsked, 'user'>): KernelSweep {
  const steps = sweepKernel(bench, { user: false, ...asked });
  let step = steps.next();
  while (!step.done) step = steps.next();
  if ('problem' in step.value) throw new Error(step.value.problem);
  return step.value;
}

test('one event at every boundary of the NMI path', async () => {
  const { runs, outcomes, boundaries, findings, cut, unwound } = sweepOf(await benchOf(), {
    path: 'nmi',
    schedules: [['nmi'], ['mc'], ['db'], ['pf']],
  });
  expect(outcomes).toEqual({ returned: 82, broken: 0, stopped: 0 });
  expect([runs, boundaries.length, findings.length, cut]).toEqual([82, 41, 0, ['do_machine_check']]);
  const none = { returned: 0, broken: 0, stopped: 0 };
  const one = { ...none, returned: 1 };
  expect(boundaries[0]).toEqual({
    boundary: 1,
    at: 'asm_exc_nmi',
    verdicts: { nmi: 'returned', mc: 'returned', db: '-', pf: '-' },
    tallies: { nmi: one, mc: one, db: none, pf: none },
  });
  expect(unwound?.right).toBe(unwound?.boundaries);
});

test('the gaps of a system call are found, and each finding replays', async () => {
  const bench = await benchOf();
  const { boundaries, findings } = sweepOf(bench, { path: 'syscall', schedules: [['nmi']] });
  const broken = boundaries.filter(({ verdicts }) => verdicts.nmi === 'broken').map(({ at }) => at);
  expect(broken).toEqual(['entry_SYSCALL_64', 'syscall_exit+0x3']);
  for (const { strikes, verdict, reason } of findings)
    expect(bench.run({ path: 'syscall', user: false, strikes })).toMatchObject({ verdict, reason });
  expect(findings).toHaveLength(2);
});

test('two events: the IRET of a machine check opens the latch, and the NMI that waits overwrites the stack of the first', async () => {
  const bench = await benchOf();
  const { schedules, outcomes, boundaries, findings } = sweepOf(bench, {
    path: 'nmi',
    schedules: [['nmi', 'mc']],
  });
  expect(schedules).toEqual(['nmi+mc']);
  expect(outcomes.stopped).toBe(0);
  // Only behind the last boundary of the first path, its IRETQ, there is none left for the machine check.
  const broken = boundaries.filter(({ verdicts }) => verdicts['nmi+mc'] === 'broken');
  expect([boundaries.length, broken.length]).toEqual([41, 40]);
  expect(boundaries.at(-1)?.verdicts).toEqual({ 'nmi+mc': 'returned' });
  expect(findings[0]).toMatchObject({
    strikes: [
      { event: 'nmi', at: 'asm_exc_nmi' },
      { event: 'mc', at: 'asm_exc_nmi+0x2' },
    ],
    invariant: 'progress',
  });
});

test('two events: all pairs of boundaries are counted, and what is pruned ends as it does without', async () => {
  const bench = await benchOf();
  const [pruned, whole] = [true, false].map((pruned) =>
    sweepOf(bench, {
      path: 'syscall',
      schedules: [
        ['nmi', 'nmi'],
        ['mc', 'nmi'],
      ],
      pruned,
      bound: 200,
    }),
  ) as [KernelSweep, KernelSweep];
  expect(pruned.boundaries).toEqual(whole.boundaries);
  expect(pruned.reasons).toEqual(whole.reasons);
  expect(pruned.outcomes).toEqual({ returned: 6204, broken: 223, stopped: 0 });
  expect([pruned.runs, whole.runs]).toEqual([6427, 6427]);
  expect([pruned.followed, whole.followed]).toEqual([5349, 6525]);
  expect(pruned.reasons.map(({ invariant, schedules }) => [invariant, schedules])).toEqual([['fault', 223]]);
});

test('what a handler still owes is a part of the state: runs with and without a debt do not merge', async () => {
  const counts = '\tincl %gs:irq_stat+4\n';
  expect(KERNEL_TEXT).toContain(counts);
  const once = KERNEL_TEXT.replace(
    counts,
    `\ttestl $1, %gs:user_rsp+64\n\tjnz 1f\n${counts}\tmovl $1, %gs:user_rsp+64\n1:`,
  );
  const { boundaries } = sweepOf(await benchOf(once), { path: 'nmi', schedules: [['nmi']] });
  const first = boundaries.findIndex(({ verdicts }) => verdicts.nmi === 'broken');
  expect(boundaries[first]?.at).toBe('exc_nmi+0x16');
  expect(boundaries.slice(first).every(({ verdicts }) => verdicts.nmi === 'broken')).toBe(true);
});

test('a way that does not return by itself is a sentence', async () => {
  const bench = openBench(await openRunning(), {});
  if ('problem' in bench) throw new Error(bench.problem);
  // Nothing is cut: the body of the machine check is UD2.
  expect(sweepKernelProblem(bench)).toBe(
    'the way itself does not return: stopped: #UD at do_machine_check, outside of the entry: a boot would have prepared it, boundary 23',
  );
});

function sweepKernelProblem(bench: KernelBench): string {
  const steps = sweepKernel(bench, { path: 'mc', user: false, schedules: [] });
  let step = steps.next();
  while (!step.done) step = steps.next();
  return 'problem' in step.value ? step.value.problem : '';
}
