import { expect, test } from 'vitest';
import { isPick, walkByLink } from '../../src/unwind/link-rules.ts';
import {
  at,
  BODY_SP,
  body,
  bodyView,
  DB_END,
  delivered,
  frame,
  IRET,
  nested,
  ORIGINAL,
  OUTERMOST,
  put,
  REGS,
  S,
  STACKS,
  SYS,
  symbol,
  T,
  TOP,
  task,
  view,
  WORK,
} from './world.ts';

const lines = ({ entries }: ReturnType<typeof walkByLink>) =>
  entries.map(({ ip, guess, stack }) => `${stack} ${guess ? '? ' : ''}${symbol(ip).replace('/0x40', '')}`);

test('S1: every rule leads from the body of an NMI to the task', () => {
  for (const index of [2, 9, 14]) {
    const trace = walkByLink(index, bodyView(body()));
    expect(trace.unwinder).toBe(`end-${index}`);
    expect(trace.path).toEqual([
      { stack: 'NMI', sp: BODY_SP },
      { stack: 'TASK', sp: S },
    ]);
    expect(trace).toMatchObject({
      end: 'complete',
      reason: 'reaches the end of the task stack',
      warning: undefined,
    });
    expect(lines(trace)).toEqual([
      'NMI nmi_body+0x14',
      'NMI do_nmi+0x21',
      'NMI end_repeat_nmi+0x20',
      'NMI do_work+0x1c', // in the registers that an encoded RBP leads to
      'NMI ? do_work+0x1c', // the iret record
      'NMI ? do_work+0x1c', // the original record
      'TASK process_one+0x11',
      'TASK sys_work+0xc',
      'TASK syscall_body+0x5',
    ]);
    expect(trace.entries.slice(3, 6).map(({ slot }) => slot)).toEqual([OUTERMOST, IRET, ORIGINAL]);
  }
});

test('S2: after a nested NMI end[-2] and end[-9] come back into the NMI stack and end without a word', () => {
  const trace = walkByLink(2, bodyView(nested()));
  expect(trace).toMatchObject({
    end: 'stopped',
    reason: 'holds T-296, in the NMI stack again: already visited',
    path: [{ stack: 'NMI' }],
    warning: undefined,
  });
  expect(walkByLink(9, bodyView(nested()))).toMatchObject({
    end: 'stopped',
    reason: 'holds T-136, in the NMI stack again: already visited',
  });
  expect(walkByLink(14, bodyView(nested()))).toMatchObject({
    end: 'complete',
    path: [{}, { stack: 'TASK', sp: S }],
  });
});

test('S4: before the fifth copy end[-14] holds what the last NMI left', () => {
  const first = view(delivered(), at('nmi', 0), T - 40n, WORK);
  expect(walkByLink(2, first).path.at(-1)).toEqual({ stack: 'TASK', sp: S });
  const trace = walkByLink(14, first);
  expect(trace).toMatchObject({ end: 'complete', path: [{}, { stack: 'TASK', sp: SYS }] });
  // The chain of frame pointers never meets what lies above: all the rest is a guess.
  expect(lines(trace)).toEqual(['NMI nmi+0x0', 'NMI ? do_work+0x1c', 'TASK ? syscall_body+0x5']);
});

test('a task that no event has interrupted is one stack', () => {
  const trace = walkByLink(14, view(task(), at('do_work'), S, WORK));
  expect(trace).toMatchObject({ end: 'complete', path: [{ stack: 'TASK', sp: S }] });
  expect(trace.entries).toHaveLength(4);
});

test('a breakpoint on its own stack above an NMI: first the plain frame, then the rule', () => {
  const memory = body();
  frame(memory, DB_END - 40n, at('nmi_body'), BODY_SP);
  put(memory, DB_END - 48n, at('int3_entry'));
  const shown = view(memory, at('do_int3'), DB_END - 48n, BODY_SP);
  expect(walkByLink(14, shown).path).toEqual([
    { stack: '#DB', sp: DB_END - 48n },
    { stack: 'NMI', sp: BODY_SP },
    { stack: 'TASK', sp: S },
  ]);
  memory.set(DB_END - 16n, 0x1234n);
  expect(walkByLink(14, shown).reason).toBe('end[-2] of the #DB stack holds 0x1234, on no known stack');
});

test('S3: a stale stack between, then back again', () => {
  const memory = body();
  frame(memory, ORIGINAL, at('do_int3'), DB_END - 48n);
  frame(memory, DB_END - 40n, at('nmi_body'), BODY_SP);
  const trace = walkByLink(2, bodyView(memory));
  expect(trace.path).toEqual([
    { stack: 'NMI', sp: BODY_SP },
    { stack: '#DB', sp: DB_END - 48n },
  ]);
  expect(trace.reason).toBe('end[-2] of the #DB stack holds T-296, in the NMI stack again: already visited');
});

test('RSP on no stack, unmapped words, a misaligned RSP and user mode all end', () => {
  const memory = body();
  expect(walkByLink(2, view(memory, at('nmi'), 0x7ffd_0000n, 0n))).toMatchObject({
    end: 'stopped',
    path: [],
    reason: 'starts with RSP on no known stack',
  });
  memory.delete(T - 16n);
  expect(walkByLink(2, bodyView(memory))).toMatchObject({
    end: 'stopped',
    reason: 'holds 0x0, on no known stack',
  });
  expect(walkByLink(2, view(new Map(), at('nmi'), T - 47n, 1n))).toMatchObject({ end: 'stopped' });
  expect(walkByLink(2, view(memory, 0x401000n, 0x7ffd_0000n, 0n, 3))).toMatchObject({
    end: 'complete',
    path: [],
  });
});

test('a walk visits each stack once at most, whatever the links say', () => {
  for (const a of STACKS) {
    for (const b of STACKS) {
      const memory = new Map(STACKS.map(({ end }) => [end - 16n, a.begin + 8n]));
      memory.set(T - 16n, b.begin);
      const { path } = walkByLink(2, view(memory, at('nmi'), T - 48n, REGS + 1n));
      expect(new Set(path.map(({ stack }) => stack)).size).toBe(path.length);
    }
  }
});

test('a frame pointer that leads in a circle confirms each line once', () => {
  const memory = body();
  memory.set(BODY_SP, BODY_SP);
  const trace = walkByLink(2, bodyView(memory));
  expect(lines(trace).filter((line) => !line.includes('?'))).toEqual([
    'NMI nmi_body+0x14',
    'NMI do_nmi+0x21',
  ]);
  expect(TOP).toBeGreaterThan(S);
});

test('picks are the words of a page', () => {
  expect([0, 1, 512, 513, 1.5, Number.NaN].map(isPick)).toEqual([false, true, true, false, false, false]);
});
