import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemText, type Source } from '../../src/asm/source.ts';
import { boot } from '../../src/kernel/boot.ts';
import { declared, USUAL } from '../../src/kernel/declaration.ts';
import { scan } from '../../src/literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../src/literate/shelves.ts';
import { cellOf, library, type Shelf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { play } from '../../src/scenario/run.ts';

const onDisk = libraryOnDisk();
const kernel = onDisk.get('kernel-4.2') as Shelf;
const text = readFileSync('test/kernel/fixture/naive.mdx', 'utf8');
const shelf = (page: string): Shelf => shelfOf(scan(page, 'notebooks/designs/naive.mdx'));

/** The fixture's page with some of its lines changed. */
const changed = (from: string | RegExp, to: string) => library([kernel, shelf(text.replace(from, to))]);
const problemsOf = (from: string | RegExp, to: string): readonly string[] =>
  programOf(changed(from, to), 'naive').problems.map(problemText);

test('a design is added by its page alone, and its scenarios run', () => {
  const pages = library([kernel, shelf(text)]);
  for (const source of pages.get('naive')?.scenarios ?? []) {
    const { problems, frames } = play(source, pages);
    expect(problems.map(problemText)).toEqual([]);
    expect(frames.length).toBeGreaterThan(20);
  }
});

test('stacks, gates, words and labels are those of the page', () => {
  const { design, image } = programOf(library([kernel, shelf(text)]), 'naive');
  const at = (name: string) => image.symbols.find((one) => one.name === name)?.address;
  expect(design.stacks.map(({ name, begin, end }) => [name, end - begin])).toEqual([
    ['TASK', 0x4000n],
    ['NMI', 0x2000n],
    ['#DB', 0x1000n],
  ]);
  const [nmi, debug] = design.interruptStacks;
  expect((debug?.stack.begin ?? 0n) - (nmi?.stack.end ?? 0n)).toBe(0x1000n);
  expect(design.top).toBe(nmi?.stack.end);
  expect(design.gates.map(({ vector, address, ist, dpl }) => [vector, address, ist, dpl])).toEqual([
    [2, at('enter'), 3, 0n],
    [3, at('int3_entry'), 1, 3n],
  ]);
  expect(design.records).toEqual([{ name: 'saved', group: 'original', rsp: -2, rip: -5 }]);
  expect(design.executing).toBeUndefined();
  expect(design.roles.map(({ name }) => name).slice(0, 7)).toEqual([
    'saved.ss',
    'saved.rsp',
    'saved.rflags',
    'saved.cs',
    'saved.rip',
    'regs.orig_ax',
    'regs.di',
  ]);
  expect(design.starts.map(({ name, user, earlier }) => [name, user, earlier])).toEqual([
    ['in-work', false, undefined],
  ]);
  expect(design.bodies.map(({ name, arms }) => [name, arms !== undefined])).toEqual([
    ['quiet', false],
    ['int3', true],
  ]);
  expect(design.labels).toEqual({ again: undefined, nested: undefined, dies: at('out_of_luck') });
  const [promise] = design.promises;
  expect(promise).toEqual({
    events: ['nmi'],
    bound: 1,
    starts: ['in-work'],
    bodies: ['quiet', 'int3'],
    without: [],
    judge: [],
    cured: [],
    right: false,
    place: { page: 'notebooks/designs/naive.mdx', line: 18, column: 4 },
  });
  expect(design.breaks).toHaveLength(1);
  expect(design.patchable).toEqual([
    { name: 'nmi_body_quiet', from: at('nmi_body_quiet'), to: at('do_nmi_end') },
  ]);
  expect(design.counters).toHaveLength(2);
});

test('a stack is dead but for the words that are alive', () => {
  const { design } = programOf(onDisk, 'linux-4.2');
  const [below, above] = design.dead.ranges.filter(({ name }) => name === 'NMI');
  expect([design.top - (above?.from ?? 0n), design.top - (above?.to ?? 0n)]).toEqual([48n, 0n]);
  expect([below?.from, design.top - (below?.to ?? 0n)]).toEqual([design.nmi.begin, 56n]);
  expect(design.dead.belowRsp).toEqual([design.task]);
});

test('a page that declares nothing has what is usual', () => {
  const { all, problems } = declared([]);
  expect(problems).toEqual([]);
  expect(all).toHaveLength(USUAL.length);
});

test('T and the size of the NMI stack are known to the code', () => {
  const wide = changed('size 0x2000', 'size 0x3000');
  const [source] = wide.get('naive')?.scenarios ?? [];
  const run = play(source as Source, wide);
  const { rax, rbx } = run.frames[0]?.registers ?? {};
  expect([rax, rbx]).toEqual([run.top, 0x3000n]);
});

const marks = (...lines: string[]): readonly string[] =>
  declared([{ page: 'p', name: 'c', line: 5, lines }]).problems.map(problemText);

test.each([
  ['#:', 'p:5:1: missing word: #: declares something'],
  ['#: gaet 2 nmi', /^p:5:4: unknown word: gaet \(there is stack, gate, /],
  [' nop #: gate 2 nmi', 'p:5:9: invalid mark: gate stands on a line of its own'],
  ['#: gate 2', 'p:5:4: invalid gate: write gate VECTOR LABEL [on X] [dpl X] [in X]'],
  ['#: gate 2 nmi NMI', 'p:5:15: invalid gate: write gate VECTOR LABEL [on X] [dpl X] [in X]'],
  ['#: gate 2 nmi on', 'p:5:15: missing value: on (write gate VECTOR LABEL [on X] [dpl X] [in X])'],
  ['#: gate 2 nmi on NMI on NMI', 'p:5:22: duplicate on'],
  ['#: gate 2 nmi on NMI NMI', 'p:5:22: unknown word: NMI (write gate VECTOR LABEL [on X] [dpl X] [in X])'],
  ['#: stack NMI ist 2', 'p:5:4: missing size: write stack NAME [ist X] [level X] [sp0] size X [gap X]'],
])('%s', (line, message) => {
  const found = marks(line);
  expect(found).toEqual([message instanceof RegExp ? expect.stringMatching(message) : message]);
});

const PAGE = 'notebooks/designs/naive.mdx';
test.each([
  [/gate {2}2.*/, 'gate 300 enter on NMI', `${PAGE}:11:9: invalid number: 300 (0 to 255)`],
  [/gate {2}2.*/, 'gate 2 enter on IRQ', `${PAGE}:11:20: unknown stack: IRQ (there is NMI, #DB)`],
  [/gate {2}2.*/, 'gate 3 enter on NMI', `${PAGE}:12:10: duplicate gate: 3`],
  ['gap 0x1000', 'gap 8', `${PAGE}:9:36: invalid size: 8 (whole pages)`],
  ['size 0x2000', 'size 0x20000', `${PAGE}:9:25: invalid size: 0x20000 (no room for NMI)`],
  ['stack #DB', 'stack NMI', `${PAGE}:10:10: duplicate stack: NMI`],
  ['as original', 'as first', /:13:29: unknown record: first \(write as original, as iret, as outermost\)$/],
  ['registers at -6', 'registers at -5', `${PAGE}:14:4: duplicate word: -5 (it has a name already)`],
  [/(start in-work.*)/, '$1 vendor via', /:\d+:\d+: unknown vendor: via \(there is intel, amd\)$/],
  ['dies out_of_luck', 'dies nowhere', `${PAGE}:17:15: unknown label: nowhere`],
  ['nmi bound 1', 'nmo bound 1', /:18:13: unknown event: nmo \(there is nmi, mc, /],
  ['from in-work', 'from bed', `${PAGE}:18:30: unknown start: bed (there is in-work)`],
  ['with quiet, int3', 'with loud', `${PAGE}:18:43: unknown body: loud (there is quiet, int3)`],
  ['dead NMI', 'dead NMI but me', `${PAGE}:20:17: unknown word: me`],
  [' to do_nmi_end', '', `${PAGE}:23:14: missing end: write size BYTES or to LABEL`],
  ['to do_nmi_end', 'to enter', undefined],
  ['to do_nmi_end', 'to do_nmi_end size 8', `${PAGE}:23:32: invalid range: size or to, not both`],
  [
    'nmi_body_quiet to do_nmi_end',
    'do_nmi_end to nmi_body_quiet',
    /: invalid range: nmi_body_quiet does not/,
  ],
])('%s: %s', (from, to, message) => {
  const found = problemsOf(from, to);
  if (message === undefined) expect(found).toEqual([]);
  else expect(found[0]).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message);
});

test('a mark that a reader edits has its place in the edit', () => {
  const cell = cellOf(onDisk, 'linux-4.2#surroundings') as Source;
  const { problems } = programOf(onDisk, 'linux-4.2', {
    edits: [{ block: 'linux-4.2#surroundings', lines: ['#: gate two nmi', ...cell.lines] }],
  });
  expect(problems.map(problemText)).toEqual(['linux-4.2#surroundings:1:9: invalid number: two (0 to 255)']);
});

test('what the kernel has switched on is switched on when a run begins, and nothing else is', () => {
  const cr4 = (mark: string): bigint => {
    const { image, design } = programOf(changed('#: gate  2', `${mark}\n#: gate  2`), 'naive');
    return boot(image, design, { start: 'in-work', body: 'quiet' }).machine.get('cr4');
  };
  expect(cr4('#: processor fsgsbase') ^ cr4('#: label dies out_of_luck')).toBe(0x1_0000n);
  expect(problemsOf('#: gate  2', '#: processor fsgsbase tsx\n#: gate  2')[0]).toMatch(
    /unknown feature: tsx \(there is fsgsbase\)$/,
  );
});

test('an intercepted instruction is where a #VC has its cause, with its exit code; any other has none', () => {
  const pages = changed('#: gate  2', '#: gate 29 enter on NMI\n#: intercepted work code 0x72\n#: gate  2');
  const play1 = (place: string) => {
    const lines = ['scenario x v0', 'design naive', 'start in-work', `inject vc at ${place}`];
    return play({ page: 'x', name: 'x', line: 1, lines }, pages);
  };
  expect(play1('work').problems).toEqual([]);
  expect(play1('work').frames.some(({ words }) => words.some(({ value }) => value === 0x72n))).toBe(true);
  expect(play1('work+1').problems.map(problemText)[0]).toMatch(
    /for vc \(vc occurs at an instruction that the design declares intercepted;/,
  );
  expect(problemsOf('#: gate  2', '#: intercepted work\n#: gate  2')[0]).toMatch(
    /missing code: write intercepted/,
  );
});
