import { expect, test } from 'vitest';
import { type KernelSweepAsked, sweepKernel } from '../../src/explore/vmlinux/kernel-sweep.ts';
import {
  compareSweeps,
  type SweptKernel,
  sweepComparisonLines,
} from '../../src/explore/vmlinux/sweep-difference.ts';
import { openBench } from '../../src/scenario/vmlinux/kernel-run.ts';
import { KERNEL_TEXT, openRunning } from '../image/build/running-kernel.ts';

const ASKED: KernelSweepAsked = { path: 'syscall', user: false, schedules: [['nmi'], ['mc']] };

async function swept(text: string): Promise<SweptKernel> {
  const kernel = await openRunning(text);
  const bench = openBench(kernel, { cut: ['do_machine_check'] });
  if ('problem' in bench) throw new Error(bench.problem);
  const steps = sweepKernel(bench, ASKED);
  let step = steps.next();
  while (!step.done) step = steps.next();
  if ('problem' in step.value) throw new Error(step.value.problem);
  return { kernel, sweep: step.value };
}

/** A text with one place changed. */
function changed(from: string, to: string): string {
  expect(KERNEL_TEXT.split(from).length).toBe(2);
  return KERNEL_TEXT.replace(from, to);
}

test('a kernel finds what it finds itself', async () => {
  const one = await swept(KERNEL_TEXT);
  const found = compareSweeps(one, one);
  expect(found.boundaries).toEqual({ both: one.sweep.boundaries.length, first: 0, second: 0 });
  expect(found.differences).toEqual([]);
  expect(sweepComparisonLines(found).at(-1)).toBe(
    `the same verdicts at ${one.sweep.boundaries.length} boundaries that both have; 0 only in the first, 0 only in the second`,
  );
});

test('a gap that only one has is told; an instruction more where all is well is not', async () => {
  const one = await swept(KERNEL_TEXT);
  const wider = changed(
    'entry_SYSCALL_64:\n\tUNWIND_HINT_ENTRY\n',
    'entry_SYSCALL_64:\n\tUNWIND_HINT_ENTRY\n\tcld\n',
  );
  const other = await swept(wider.replace('\txor %eax, %eax\n\tret', '\tcld\n\txor %eax, %eax\n\tret'));
  const found = compareSweeps(one, other);
  expect(found.boundaries).toEqual({ both: one.sweep.boundaries.length, first: 0, second: 2 });
  expect(found.differences).toEqual([
    {
      instruction: 'cld',
      first: undefined,
      second: 'entry_SYSCALL_64',
      verdicts: { nmi: [undefined, 'broken'] },
    },
  ]);
  expect(sweepComparisonLines(compareSweeps(other, one)).slice(1)).toEqual([
    '  entry_SYSCALL_64 and nowhere: cld',
    '    nmi: broken and not there',
    `1 differ at ${one.sweep.boundaries.length} boundaries that both have; 2 only in the first, 0 only in the second`,
  ]);
});

test('the same instruction, with another verdict', async () => {
  const one = await swept(KERNEL_TEXT);
  // The handler of NMIs leaves another RAX.
  const other = await swept(
    changed('\tincl %gs:irq_stat+4\n\tret', '\tincl %gs:irq_stat+4\n\tmov %rsp, 80(%rdi)\n\tret'),
  );
  const found = compareSweeps(one, other);
  expect(found.differences.length).toBeGreaterThan(5);
  for (const { first, second, verdicts } of found.differences) {
    expect(second).toBe(first);
    expect(verdicts).toEqual({ nmi: ['returned', 'broken'] });
  }
});
