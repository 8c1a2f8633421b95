import { expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { sweep } from '../../src/explore/sweep.ts';
import { boot } from '../../src/kernel/boot.ts';
import { PLACE } from '../../src/kernel/memory-map.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { programOf } from '../../src/scenario/program.ts';

const pages = libraryOnDisk();
const DESIGN = 'linux-4.15';
const program = programOf(pages, DESIGN);
const isolation = (line: string) => [{ block: `${DESIGN}#isolation`, lines: [line] }];

test('user mode has tables of its own, which map what the page says and nothing else of the kernel', () => {
  const { image, design } = program;
  const { machine, space } = boot(image, design, { start: 'user-task', body: 'quiet' });
  expect(machine.get('cr3')).toBe(space.root | 0x1000n);
  const shared = (address: bigint): boolean => machine.physical(address) === space.physical(address);
  const stack = (name: string): bigint => design.stacks.find((one) => one.name === name)?.begin ?? 0n;
  const places = [
    PLACE.entryText,
    PLACE.idt,
    PLACE.tss,
    PLACE.gdt,
    PLACE.userText,
    PLACE.userStack,
    ...['NMI', '#DB', '#MC', '#DF', 'ENTRY'].map(stack),
    stack('#DB') + 0x1000n,
  ];
  expect(places.map(shared)).toEqual(places.map(() => true));
  const hidden = [PLACE.text, PLACE.data, PLACE.perCpu, stack('TASK')];
  expect(hidden.map((address) => machine.physical(address))).toEqual(hidden.map(() => undefined));
  expect(hidden.every((address) => space.physical(address) !== undefined)).toBe(true);
});

test('a kernel start has the kernel tables, and a design that isolates nothing has one set', () => {
  const kernel = boot(program.image, program.design, { start: 'kernel-task', body: 'quiet' });
  expect(kernel.machine.get('cr3')).toBe(kernel.space.root);
  const { image, design } = programOf(pages, 'linux-4.2');
  const plain = boot(image, design, { start: 'user-task', body: 'quiet' });
  expect(plain.machine.get('cr3')).toBe(plain.space.root);
  expect(design.isolated).toBeUndefined();
});

test('without the NMI stack in both sets the push of an NMI from user mode faults, on the tables of user mode', () => {
  const edits = isolation('#: isolated .entry.text, #DF, #DB, #MC, ENTRY');
  const report = sweep(
    { design: DESIGN, events: ['nmi'], starts: ['user-task'], bodies: ['quiet'], edits },
    pages,
  );
  if ('problems' in report) throw new Error(report.problems.map(problemText).join('\n'));
  expect(report.violations[0]?.sentence).toBe('C code at do_page_fault is entered with CR3 = 0x3000');
  expect(report.violations.map(({ invariant }) => invariant)).toEqual(['I2']);
});

test('what is isolated must be there', () => {
  const { problems } = programOf(pages, DESIGN, { edits: isolation('#: isolated .entry.text, IRQ') });
  expect(problems.map(problemText)[0]).toBe(
    'linux-4.15#isolation:1:26: unknown section or stack: IRQ (there is .entry.text, .text, .data, .user.text, .entry_trampoline, TASK, ENTRY, #DF, NMI, #DB, #MC)',
  );
});
