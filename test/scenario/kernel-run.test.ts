import { expect, test } from 'vitest';
import { openKernel } from '../../src/image/kernel-file.ts';
import { isProblem } from '../../src/image/reading.ts';
import { KERNEL_EVENTS } from '../../src/scenario/vmlinux/kernel-paths.ts';
import {
  type KernelAsked,
  type KernelBench,
  type KernelRun,
  openBench,
} from '../../src/scenario/vmlinux/kernel-run.ts';
import { vmlinux } from '../image/build/kernel.ts';
import { KERNEL_TEXT, openRunning } from '../image/build/running-kernel.ts';

const CUT = ['do_machine_check'];

async function benchOf(text?: string, cut = CUT): Promise<KernelBench> {
  const bench = openBench(await openRunning(text), { cut });
  if ('problem' in bench) throw new Error(bench.problem);
  return bench;
}

const QUIET: KernelAsked = { path: 'nmi', user: false, strikes: [] };

function runOf(bench: KernelBench, asked: Partial<KernelAsked> = {}): KernelRun {
  const run = bench.run({ ...QUIET, ...asked });
  if ('problem' in run) throw new Error(run.problem);
  return run;
}

const said = ({ verdict, invariant, reason }: KernelRun): string =>
  [verdict, invariant, reason].filter(Boolean).join(': ');

/** The kernel with one line of its text changed. */
const changed = (from: string, to: string): string => {
  expect(KERNEL_TEXT).toContain(from);
  return KERNEL_TEXT.replace(from, to);
};

test('a quiet NMI goes through the kernel and back, and every boundary is unwound by its own rows', async () => {
  const bench = await benchOf();
  expect(runOf(bench)).toMatchObject({
    verdict: 'returned',
    path: 'nmi',
    user: false,
    text: 'linked',
    steps: 42,
    place: 'do_syscall_64',
    cut: [],
    unchecked: [],
    unwound: { boundaries: 43, right: 43, reported: [], gaps: {}, findings: [] },
  });
  expect(runOf(bench, { user: true })).toMatchObject({ verdict: 'returned', steps: 44, place: '0x400000' });
});

test('every event returns, from both modes; what was cut and called is told', async () => {
  const bench = await benchOf();
  for (const path of KERNEL_EVENTS)
    for (const user of [false, true]) {
      const { verdict, cut, unwound } = runOf(bench, { path, user });
      expect([path, user, verdict, cut]).toEqual([path, user, 'returned', path === 'mc' ? CUT : []]);
      expect(unwound?.right).toBe(unwound?.boundaries);
    }
});

test("a system call goes in and out; on the way RSP is the user's, and the unwinder says so", async () => {
  const { verdict, steps, place, unwound } = runOf(await benchOf(), { path: 'syscall' });
  expect([verdict, steps, place]).toEqual(['returned', 50, '0x400002']);
  expect(unwound?.reported.map(({ last, times }) => [last, times])).toEqual([
    ['entry_SYSCALL_64', 4],
    ['syscall_exit', 2],
  ]);
});

test('an event strikes at a place, at the second visit too', async () => {
  const bench = await benchOf();
  const strike = (at: string, event = 'mc' as const) => runOf(bench, { strikes: [{ event, at }] });
  expect(strike('exc_nmi')).toMatchObject({ verdict: 'returned', struck: [{ boundary: 21 }], cut: CUT });
  const twice = runOf(bench, {
    strikes: [
      { event: 'nmi', at: 'exc_nmi' },
      { event: 'mc', at: 'exc_nmi#2' },
    ],
  });
  // The second NMI waits for IRET and comes then: 42 transitions again, and a machine check in it.
  expect(twice).toMatchObject({ verdict: 'returned', steps: 42 + 42 + 43 });
  expect(twice.struck.map(({ boundary }) => boundary)).toEqual([21, 63]);
});

test('in the gap with the GS base of the user the handler reads what is not there', async () => {
  const run = runOf(await benchOf(), {
    path: 'syscall',
    strikes: [{ event: 'nmi', at: 'entry_SYSCALL_64' }],
  });
  expect(said(run)).toBe('broken: fault: #PF at exc_nmi, address 0x54');
});

test.each([
  // Entry code forgets what it must give back.
  [
    'broken: registers: NMI comes back with r15 = 0x0, which was 0x1515',
    '\tincl %gs:irq_stat+4',
    '\tmovq $0, 8(%rsp)\n\tincl %gs:irq_stat+4',
  ],
  [
    'broken: registers: NMI comes back with cr2 = 0x0, which was 0x7',
    '\tincl %gs:irq_stat+4',
    '\tmov %rsp, %cr2\n\tincl %gs:irq_stat+4',
  ],
  ['broken: fault: #UD at exc_nmi', '\tincl %gs:irq_stat+4', '\tud2'],
  ['stopped: not modelled: random numbers at exc_nmi', '\tincl %gs:irq_stat+4', '\trdrand %rax'],
  ['broken: progress: no end after 20000 transitions', '\tincl %gs:irq_stat+4', '1:\tjmp 1b'],
  [
    'broken: fault: #PF at exc_nmi, address 0xfffffe000000bff8: a stack has run over',
    '\tincl %gs:irq_stat+4',
    '1:\tcall 1b',
  ],
] as const)('%s', async (verdict, from, to) => {
  const run = runOf(await benchOf(changed(from, to)));
  expect(said(run).replace(/cr2 = 0x[\da-f]+, which was 0x0/, 'cr2 = 0x0, which was 0x7')).toBe(verdict);
});

test('a handler that counts once for two NMIs has not served the second', async () => {
  const counted = 'exc_nmi:\n\tincl %gs:irq_stat+4\n\tret';
  const once = changed(
    counted,
    'exc_nmi:\n\ttestl $1, %gs:irq_stat+8\n\tjnz 1f\n\tincl %gs:irq_stat+4\n\tmovl $1, %gs:irq_stat+8\n1:\tret',
  );
  // Here two words grow with the first NMI, so that nobody can tell which one counts.
  expect((await benchOf(once)).unchecked).toEqual(['served: no counter of NMIs is found (irq_stat)']);
  const late = changed(
    counted,
    'exc_nmi:\n\ttestl $1, %gs:user_rsp+64\n\tjnz 1f\n\tincl %gs:irq_stat+4\n\tmovl $1, %gs:user_rsp+64\n1:\tret',
  );
  const bench = await benchOf(late);
  expect(said(runOf(bench))).toBe('returned');
  expect(said(runOf(bench, { strikes: [{ event: 'nmi', at: 'exc_nmi+0x16' }] }))).toBe(
    'broken: served: no pass of the handler follows the NMI that came last',
  );
});

test('where the kernel gives up is no return', async () => {
  const panics = changed('\tincl %gs:irq_stat+4\n\tret', '\tcall panic\n\tret').replace(
    '__noinstr_text_end:',
    'panic:\n\tjmp panic\n__noinstr_text_end:',
  );
  expect(said(runOf(await benchOf(panics)))).toBe('broken: death: the kernel gives up: panic()');
});

test('a trace that loses a live function in silence is a finding', async () => {
  // The rows say that nothing is on the stack but the return address, and there is a word more.
  const hidden = changed(
    '\tincl %gs:irq_stat+4\n\tret',
    '\tpush $0\n\tUNWIND_HINT_END_OF_STACK\n\tincl %gs:irq_stat+4\n\tpop %rax\n\tret',
  );
  const { unwound } = runOf(await benchOf(hidden));
  expect(unwound?.findings.map(({ last, judgement, at }) => [last, judgement, at])).toEqual([
    ['exc_nmi', 'stops-early-silently', 'exc_nmi+0x2'],
  ]);
});

test('what cannot run is a sentence', async () => {
  const bench = await benchOf();
  const problem = (asked: Partial<KernelAsked>): unknown => bench.run({ ...QUIET, ...asked });
  expect(problem({ strikes: [{ event: 'mc', at: 'nowhere+0x4' }] })).toEqual({
    problem: 'unknown symbol: nowhere',
  });
  expect(problem({ strikes: [{ event: 'mc', at: '+4' }] })).toEqual({
    problem: 'invalid place: +4, SYMBOL+0x9 or SYMBOL+0x9#2 is one',
  });
  expect(problem({ strikes: [{ event: 'mc', at: 'exc_debug' }] })).toEqual({
    problem: 'not reached: exc_debug',
  });
  expect(problem({ strikes: [{ event: 'db', at: 'exc_nmi' }] })).toEqual({
    problem: 'invalid event: db cannot occur at exc_nmi',
  });
  const small = await openKernel(vmlinux(), {});
  if (isProblem(small)) throw new Error(small.problem);
  expect(openBench(small)).toEqual({ problem: 'missing per-CPU block: .data..percpu' });
  for (const [label, text] of [
    ['missing table of gates: def_idts', 'def_idts'],
    ['missing symbol: entry_SYSCALL_64', 'entry_SYSCALL_64'],
    ['missing symbol: init_task', 'init_task'],
    ['missing symbol: cpu_current_top_of_stack', 'cpu_current_top_of_stack'],
  ] as const)
    expect(openBench(await openRunning(KERNEL_TEXT.replaceAll(text, `other_${text}`)))).toEqual({
      problem: label,
    });
  const noTask = openBench(await openRunning(KERNEL_TEXT.replaceAll('do_syscall_64', 'other')));
  expect('problem' in noTask ? noTask : noTask.run(QUIET)).toEqual({
    problem: 'missing symbol: do_syscall_64',
  });
});
