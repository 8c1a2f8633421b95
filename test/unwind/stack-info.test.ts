import { describe, expect, test } from 'vitest';
import {
  getStackInfo,
  HARDWARE_LINK,
  nmiLink,
  recursionWarning,
  STACK_RULES,
  type StackEra,
} from '../../src/unwind/stack-info.ts';
import { at, nested, S, STACKS, T, TASK_END, task, view, WORK } from './world.ts';

const memory = nested();
const shown = view(memory, 0n, 0n, 0n);
const ask = (sp: bigint, index = 2, visited = new Set<string>()) =>
  getStackInfo(shown, sp, nmiLink(index), visited);

test('a stack holds its first byte and not its end', () => {
  const lowest = ask(T - 0x1000n);
  expect(lowest).toMatchObject({ kind: 'known', stack: { name: 'NMI' } });
  expect(ask(T - 0x1001n)).toEqual({ kind: 'unknown' });
  expect(ask(T)).toEqual({ kind: 'unknown' });
});

test('the task stack leads nowhere, NULL is no stack', () => {
  expect(ask(TASK_END - 8n)).toMatchObject({ kind: 'known', nextSp: 0n });
  const zero = { ...shown, stacks: [{ name: 'TASK', begin: 0n, end: 64n }] };
  expect(getStackInfo(zero, 0n, nmiLink(2), new Set())).toEqual({ kind: 'unknown' });
  expect(getStackInfo(zero, 8n, nmiLink(2), new Set()).kind).toBe('known');
});

test.each([
  ['end[-2], the hardware frame', 2, T - 16n],
  ['end[-9], the iret record', 9, T - 72n],
  ['end[-14], ((struct pt_regs *)(end - 12) - 1)->sp', 14, T - 96n - 168n + 152n],
])('the NMI stack leads on by %s', (_, index, address) => {
  expect(ask(T - 8n, index)).toMatchObject({ nextSp: memory.get(address) });
  expect(memory.get(address)).toBeDefined();
});

test('other exception stacks lead on by end[-2] whatever the rule', () => {
  const [stack] = STACKS.filter(({ name }) => name === '#DB');
  expect(stack && [2, 9, 14].map((index) => nmiLink(index)(stack))).toEqual([2, 2, 2]);
});

test('an IRQ stack may be empty and leads on by its first word', () => {
  const end = 0x8000n;
  const irq = {
    ...shown,
    stacks: [{ name: 'IRQ', begin: 0x4000n, end }],
    read: (address: bigint) => address + 1n,
  };
  expect(getStackInfo(irq, end, nmiLink(14), new Set())).toMatchObject({
    kind: 'known',
    nextSp: end - 8n + 1n,
  });
});

test('a second visit is refused, by the mask of its caller only', () => {
  const mask = new Set<string>();
  expect(ask(T - 8n, 2, mask).kind).toBe('known');
  expect(ask(T - 600n, 2, mask)).toMatchObject({ kind: 'visited', stack: { name: 'NMI' } });
  expect(ask(T - 600n).kind).toBe('known');
});

describe('eras', () => {
  const info = (era: StackEra, sp: bigint, of = view(task(), at('do_work'), S, WORK)) =>
    getStackInfo(of, sp, nmiLink(HARDWARE_LINK), new Set(), STACK_RULES[era]).kind;
  test('the first word of an exception stack: 4.14 misses it', () => {
    expect((['4.9', '4.14', '5.2', '6.12'] as const).map((era) => info(era, T - 0x1000n))).toEqual([
      'known',
      'unknown',
      'known',
      'known',
    ]);
    expect(info('4.14', TASK_END - 0x4000n)).toBe('known');
  });
  test('an empty IRQ stack is one, but for 6.12', () => {
    const irq = { name: 'IRQ', begin: 0x1000n, end: 0x2000n };
    const of = { ...view(task(), at('do_work'), S, WORK), stacks: [irq] };
    expect((['4.9', '6.12'] as const).map((era) => info(era, 0x2000n, of))).toEqual(['known', 'unknown']);
  });
  test('a second visit is told by number, which the entry stack moved by one', () => {
    const numbers = (['4.9', '4.14', '5.2', '6.12'] as const).map((era) =>
      recursionWarning('NMI', STACK_RULES[era]),
    );
    expect(numbers).toEqual([
      undefined,
      'WARNING: stack recursion on stack type 5',
      'WARNING: stack recursion on stack type 6',
      'WARNING: stack recursion on stack type 6',
    ]);
  });
});
