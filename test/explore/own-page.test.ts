/** A design that no file of this project knows: its page is all there is. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sweep } from '../../src/explore/sweep.ts';
import { groupName } from '../../src/islands/lab/words.ts';
import type { Sweep } from '../../src/kernel/design.ts';
import { scan } from '../../src/literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../src/literate/shelves.ts';
import { library, type Shelf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { play } from '../../src/scenario/run.ts';

const text = readFileSync('test/kernel/fixture/naive.mdx', 'utf8');
const shelf = (page: string): Shelf => shelfOf(scan(page, 'notebooks/designs/naive.mdx'));
const pages = library([libraryOnDisk().get('kernel-4.2') as Shelf, shelf(text)]);
const { design } = programOf(pages, 'naive');

const swept = ({ events, bound, starts, bodies }: Sweep) => {
  const report = sweep(
    { design: 'naive', events: events.flatMap((event) => Array(bound).fill(event)), starts, bodies },
    pages,
  );
  if ('problems' in report) throw new Error(report.problems.map(({ message }) => message).join('\n'));
  return report;
};

test('what it promises is clean, and what it says to break is broken', () => {
  expect(design.promises.map(swept).map(({ violations, untold }) => [violations, untold])).toEqual([
    [[], []],
  ]);
  const [broken] = design.breaks.map(swept);
  expect(broken?.violations.map(({ invariant }) => invariant)).toContain('I1');
});

test('what a sweep finds runs, and is told in the words of the page', () => {
  const [found] = design.breaks.map(swept).flatMap(({ violations }) => violations);
  const lines = found?.recipe.split('\n') ?? [];
  const run = play({ page: 'found', name: 'found', line: 1, lines }, pages);
  expect(run.problems).toEqual([]);
  const told = run.frames.map(({ sentence }) => sentence).join('\n');
  expect(told).toContain('the CPU writes over the {saved} record');
  expect(told).toContain('IRETQ returns through the {saved} record');
  expect(told).not.toMatch(/\{(?!saved\b)/);
  const words = run.frames[0]?.words ?? [];
  expect([...new Set(words.map(({ group }) => groupName(group, words)))]).toEqual(['saved', 'pt_regs']);
});

test('without an NMI stack there is no word at a fixed place, and no T', () => {
  const marks = [/^#: stack NMI.*$/m, /^#: record .*$/m, /^#: registers .*$/m, /^#: dead NMI$/m];
  const none = marks
    .reduce((page, mark) => page.replace(mark, ''), text)
    .replace('enter on NMI', 'enter')
    .replace('movq	$NMI_TOP, %rax', '')
    .replace('movq	$EXCEPTION_STKSZ, %rbx', '');
  const bare = library([pages.get('kernel-4.2') as Shelf, shelf(none)]);
  const program = programOf(bare, 'naive');
  expect(program.problems).toEqual([]);
  expect([program.design.roles, program.design.records]).toEqual([[], []]);
  const lines = ['scenario found v0', 'design naive', 'start in-work', 'inject nmi at work+1'];
  const run = play({ page: 'found', name: 'found', line: 1, lines }, bare);
  expect(run.outcome.verdict).toBe('returns');
  expect(run.frames.map(({ sentence }) => sentence).join('\n')).toContain(
    'The CPU pushes five words on the task stack, below what lies there.',
  );
});

test('a page without code is no design', () => {
  expect(shelf('---\ntitle: x\n---\n\nProse.\n').design).toBe(false);
  expect(shelf(text).design).toBe(true);
});
