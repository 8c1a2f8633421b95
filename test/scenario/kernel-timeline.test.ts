import { expect, test } from 'vitest';
import { type KernelAsked, type KernelBench, openBench } from '../../src/scenario/vmlinux/kernel-run.ts';
import { type KernelTimeline, kernelTimeline } from '../../src/scenario/vmlinux/kernel-timeline.ts';
import { openRunning } from '../image/build/running-kernel.ts';

async function benchOf(): Promise<KernelBench> {
  const bench = openBench(await openRunning(), { cut: ['do_machine_check'] });
  if ('problem' in bench) throw new Error(bench.problem);
  return bench;
}

function told(bench: KernelBench, asked: Partial<KernelAsked> = {}): KernelTimeline {
  const made = kernelTimeline(
    bench,
    { path: 'nmi', user: false, strikes: [], ...asked },
    { version: '0.0.1', features: undefined },
  );
  if ('problem' in made) throw new Error(made.problem);
  return made;
}

test('a run is a timeline: every boundary a frame, deliveries and entries its steps, the code what ran', async () => {
  const { run, timeline, spots } = told(await benchOf());
  expect(run).toMatchObject({ verdict: 'returned', steps: 42 });
  expect(timeline.frames.map(({ boundary }) => boundary)).toEqual(Array.from({ length: 43 }, (_, n) => n));
  expect(timeline.steps.map(({ name, boundary }) => [name, boundary])).toEqual([
    ['start', 0],
    ['NMI 1', 1],
    ['exc_nmi', 21],
    ['IRETQ', 42],
  ]);
  expect(timeline.steps.at(-1)?.sentence).toBe(
    'IRETQ returns through the {original} record to do_syscall_64, RSP = S, task stack. NMI 1 is over. NMIs are open again.',
  );
  const lines = timeline.code.map(({ text }) => text);
  expect(lines).toContain('exc_nmi:');
  expect(lines).toContain('call exc_nmi');
  expect(lines).not.toContain('exc_page_fault:');
  const { line, at } = timeline.frames[21] ?? { line: -1, at: '' };
  expect([at, lines[line], lines[line - 3]]).toEqual(['exc_nmi', 'incl %gs:0x54', 'exc_nmi:']);
  expect(timeline).toMatchObject({ blocked: [{ from: 1, to: 41 }], recipe: 'run --path nmi' });
  // Where nothing can strike any more, and at the beginning, there is nothing to choose.
  expect([spots[0], spots[1]?.events, spots[42]]).toEqual([
    { at: '', events: [] },
    ['nmi', 'mc'],
    { at: 'do_syscall_64', events: [] },
  ]);
});

test('words have roles and authors; truth and ORC stand beside each other', async () => {
  const { timeline, writes } = told(await benchOf());
  const frame = timeline.frames[21];
  const word = (role: string) => {
    const found = frame?.words.find((one) => one.role === role);
    return [found?.meaning, found?.author.kind, found?.author.name, found?.author.boundary];
  };
  expect(word('original.rip')).toEqual(['A, do_syscall_64', 'hardware', 'NMI 1', 1]);
  expect(word('original.rsp')).toEqual(['S, task stack', 'hardware', 'NMI 1', 1]);
  expect(word('regs.orig_ax')).toEqual(['-1, no system call', 'software', 'asm_exc_nmi', 2]);
  expect(writes.get(timeline.top - 8n)).toEqual([1]);
  expect(frame?.truth.map(({ text, stack, found }) => [text, stack, found])).toEqual([
    ['exc_nmi', 'NMI', ['listed']],
    ['asm_exc_nmi+0x2e', 'NMI', ['listed']],
    ['do_syscall_64', 'TASK', ['listed']],
    ['entry_SYSCALL_64+0x44', 'TASK', ['listed']],
  ]);
  expect(frame?.verdicts[0]).toMatchObject({ unwinder: 'orc', judgement: 'right' });
  expect(frame?.verdicts[0]?.printed.slice(0, 2)).toEqual(['Call Trace:', ' <NMI>']);
});

test('a strike may name a boundary, and is told by its place; words are those of the stack in question', async () => {
  const bench = await benchOf();
  const { run, timeline } = told(bench, { strikes: [{ event: 'mc', at: 'b21' }] });
  expect(run.struck).toEqual([{ event: 'mc', at: 'exc_nmi', boundary: 21 }]);
  expect(timeline.recipe).toBe('run --path nmi --event mc --at exc_nmi');
  expect(timeline.cursor).toBe(22);
  expect(timeline.steps.find(({ boundary }) => boundary === 22)?.name).toBe('#MC');
  expect(timeline.code.find(({ comment }) => comment === 'cut: returns at once')?.text).toBe('ret');
  const { timeline: alone } = told(bench, { path: 'mc', user: true });
  const stack = alone.stacks.find(({ end }) => end === alone.top);
  expect(stack?.name).toBe('#MC');
  expect(alone.frames[0]?.verdicts[0]?.judgement).toBe('not-asked');
});

test('what does not return is looked at where it ends, and what cannot be is a sentence', async () => {
  const bench = openBench(await openRunning(), {});
  if ('problem' in bench) throw new Error(bench.problem);
  const { run, timeline } = told(bench, { path: 'mc' });
  expect(run.verdict).toBe('stopped');
  expect(timeline.cursor).toBe(timeline.frames.length - 1);
  expect(timeline.outcome.verdict).toBe('not-modelled');
  const strikes = [{ event: 'mc' as const, at: 'b9999' }];
  expect(
    kernelTimeline(bench, { path: 'nmi', user: false, strikes }, { version: '', features: undefined }),
  ).toEqual({
    problem: 'not reached: b9999',
  });
});
