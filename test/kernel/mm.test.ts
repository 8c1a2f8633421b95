import { expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { type SweepAsk, sweep } from '../../src/explore/sweep.ts';
import { boot } from '../../src/kernel/boot.ts';
import { PLACE, USER_STACK_TOP } from '../../src/kernel/memory-map.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { programOf } from '../../src/scenario/program.ts';

const pages = libraryOnDisk();
const DESIGN = 'a9-wrong-mm';
const { image, design } = programOf(pages, DESIGN);
const cell = (name: string) => pages.get(DESIGN)?.asm.find((one) => one.name === name)?.lines ?? [];
const edited = (name: string, from: RegExp, to: string) => [
  { block: `${DESIGN}#${name}`, lines: cell(name).flatMap((line) => line.replace(from, to).split('\n')) },
];

test('processes share all of the kernel, and the stack of the user is another in each', () => {
  const { machine, space, roots } = boot(image, design, { start: 'switching-task', body: 'user-read' });
  const [own, other] = (design.mms?.places ?? []).map((place) => machine.read(place, 64));
  expect([own, other]).toEqual(roots);
  expect([machine.get('cr3'), own]).toEqual([space.root, space.root]);
  expect(machine.read(machine.read(design.mms?.current ?? 0n, 64) ?? 0n, 64)).toBe(own);
  const stacks = design.stacks.map(({ end }) => end - 8n);
  const shared = [PLACE.text, PLACE.entryText, PLACE.data, PLACE.idt, PLACE.tss, PLACE.perCpu, ...stacks];
  const places = [...shared, PLACE.userText, USER_STACK_TOP - 8n];
  const mapped = places.map((address) => machine.physical(address));
  const first = machine.read(PLACE.userStack, 64);
  machine.set('cr3', other ?? 0n);
  const now = places.map((address) => machine.physical(address));
  expect(now.slice(0, -1)).toEqual(mapped.slice(0, -1));
  expect(now.includes(undefined)).toBe(false);
  expect(now.at(-1)).not.toBe(mapped.at(-1));
  expect([first, machine.read(PLACE.userStack, 64)]).toEqual([1n, 2n]);
});

/** What a sweep says breaks when the handler's read is this line. */
const broken = (line: string, ask: Partial<SweepAsk> = {}) => {
  const edits = edited('user-read', /movq\t\(%rdx\), %rax/, line);
  const without = ['mm-switching', 'uaccess-okay'];
  const usual = { design: DESIGN, events: ['nmi'], starts: ['switching-task'], bodies: ['user-read'] };
  const report = sweep({ ...usual, without, edits, ...ask }, pages);
  if ('problems' in report) throw new Error(report.problems.map(problemText).join('\n'));
  return report.violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`);
};

test('I13 asks of reads and writes, of mapped user memory, in a handler, and of nothing else', () => {
  const told = 'I13: the handler of NMI 1 touches user memory with CR3 = 0x2000; the current task has 0x1000';
  expect(broken('movq (%rdx), %rax')).toEqual([told]);
  expect(broken('movq %rax, (%rdx)')).toEqual([told]);
  expect(broken('leaq (%rdx), %rax')).toEqual([]);
  expect(broken('movq current_mm, %rax')).toEqual([]);
  expect(broken('movq (%rdx), %rax', { bodies: ['pf-fixup'] })).toEqual([]);
  expect(broken('movq (%rdx), %rax', { starts: ['kernel-task', 'user-task'] })).toEqual([]);
});

test('a task may use another mm for itself: only handlers are asked', () => {
  const read = 'movq\t$USER_STACK, %rdx\nmovq\t(%rdx), %rdx\nmovq\t%rsi, loaded_mm';
  const edits = edited('context-switch', /movq\t%rsi, loaded_mm/, read);
  expect(broken('', { edits, bodies: ['quiet'] })).toEqual([]);
});

test('processes are declared with the word of the current one, and not with isolated page tables', () => {
  const problems = (line: string) =>
    programOf(pages, DESIGN, { edits: edited('context-switch', /^#: mm .*$/, line) }).problems.map(
      problemText,
    );
  expect(problems('#: mm prev_mm')).toEqual([
    'a9-wrong-mm#context-switch:1:4: missing current: write mm LABEL... current X',
  ]);
  expect(problems('#: mm prev_mm, nobodys current current_mm')).toEqual([
    'a9-wrong-mm#context-switch:1:16: unknown label: nobodys',
  ]);
  const both = problems('#: mm prev_mm, next_mm current current_mm\n#: isolated .entry.text');
  expect(both).toEqual(['a9-wrong-mm#context-switch:1:4: invalid mm: page tables are isolated here']);
});
