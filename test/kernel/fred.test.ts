import { expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { boot } from '../../src/kernel/boot.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { cellOf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const DESIGN = 'fred';
const tables = cellOf(pages, `${DESIGN}#tables`)?.lines ?? [];
const changed = (from: string, to: string) =>
  programOf(pages, DESIGN, {
    edits: [{ block: `${DESIGN}#tables`, lines: tables.map((line) => line.replace(from, to)) }],
  });

test('the processor is told where events enter, which level each has, and where the stacks begin', () => {
  const { image, design } = programOf(pages, DESIGN);
  const { machine } = boot(image, design, { start: 'kernel-task', body: 'quiet' });
  const entry = image.symbols.find(({ name }) => name === 'fred_user')?.address ?? 0n;
  const top = (name: string): bigint => design.stacks.find((one) => one.name === name)?.end ?? 0n;
  expect(machine.get('cr4')).toBe(0x1_0000_06f0n);
  expect(machine.get('fredConfig')).toBe(entry | 0x40n);
  // #DB 1, NMI 2, #DF 3, #MC 2: linux v6.12 arch/x86/kernel/fred.c
  expect(machine.get('fredStklvls')).toBe((1n << 2n) | (2n << 4n) | (3n << 16n) | (2n << 36n));
  expect(
    (['fredRsp0', 'fredRsp1', 'fredRsp2', 'fredRsp3'] as const).map((name) => machine.get(name)),
  ).toEqual(['TASK', '#DB', 'NMI', '#DF'].map(top));
  expect([machine.get('idtLimit'), machine.read(machine.get('idtBase') + 32n, 64)]).toEqual([0n, 0n]);
  expect(top('TASK') - machine.get('rsp')).toBe(168n + 16n);
});

test('a design on the IDT has no FRED, and no register of its', () => {
  const { image, design } = programOf(pages, 'linux-4.2');
  const { machine } = boot(image, design, { start: 'kernel-task', body: 'quiet' });
  expect(design.fred).toBeUndefined();
  expect([machine.get('cr4'), machine.get('fredConfig'), machine.get('fredRsp2')]).toEqual([0x6f0n, 0n, 0n]);
});

test.each([
  [
    'fred_user redzone',
    'fred_kernel redzone',
    '1:10: invalid label: fred_kernel (not at the beginning of a page)',
  ],
  ['redzone 64', 'redzone 60', '1:28: invalid number: 60 (a multiple of 64)'],
  ['redzone 64', 'redzone 512', '1:28: invalid number: 512 (0 to 448)'],
  ['NMI level 2', 'NMI level 4', '3:20: invalid number: 4 (1 to 3)'],
  ['NMI level 2', 'NMI', '6:22: unknown level: NMI (write stack NMI level N)'],
  ['event 3', 'event 2', '7:10: duplicate event: 2'],
  ['event 13 do_protection', 'event 32 do_protection on NMI', '10:10: invalid number: 32 (0 to 31)'],
])('%s: %s', (from, to, message) => {
  expect(changed(from, to).problems.map(problemText)[0]).toBe(`${DESIGN}#tables:${message}`);
});

test('what strikes from outside is told with its type, and system calls have their name', () => {
  const run = (...lines: string[]) => {
    const recipe = ['scenario x v0', `design ${DESIGN}`, ...lines];
    const { problems, steps } = play({ page: 'x', name: 'x', line: 1, lines: recipe }, pages);
    expect(problems.map(problemText)).toEqual([]);
    return steps.flatMap(({ kind, name }) => (kind === 'label' || kind === 'start' ? [] : [name]));
  };
  const gone = ['ERETS'];
  expect(run('inject bp at task')).toEqual(['#BP', ...gone]);
  expect(run('inject mc at task')).toEqual(['#MC', ...gone]);
  expect(run('start user-int2', 'inject nmi at user_int2')).toEqual(['NMI 1', 'ERETU']);
  expect(run('start hostile-user', 'inject nmi at syscall_service')).toEqual([
    'SYSCALL',
    'NMI 1',
    'ERETS',
    'ERETU',
  ]);
});
