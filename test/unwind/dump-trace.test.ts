import { describe, expect, test } from 'vitest';
import { dumpTrace, dumpTraceLog, walkByDumpTrace } from '../../src/unwind/eras/dump-trace.ts';
import { gapOf } from '../../src/unwind/eras/gaps.ts';
import { walkByGuess } from '../../src/unwind/eras/guess.ts';
import type { View } from '../../src/unwind/view.ts';
import {
  A,
  at,
  BODY_SP,
  body,
  bodyView,
  current,
  DB_END,
  frame,
  interrupted,
  nested,
  put,
  REGS,
  returns,
  S,
  STACKS,
  symbol,
  T,
  TASK_END,
  task,
  truth,
  view,
  WORK,
} from './world.ts';

const showDumpTrace = (...asked: Parameters<typeof dumpTraceLog>): readonly string[] =>
  dumpTraceLog(...asked).map(({ text }) => text);

const names = ({ entries }: ReturnType<typeof walkByDumpTrace>) =>
  entries.map(({ ip, guess }) => `${guess ? '? ' : ''}${symbol(ip).replace(/\+.*/, '')}`);
/** With an IRQ stack above the others, its first word the link. */
const IRQ_END = DB_END + 0x6000n;
const withIrq = (of: View): View => ({
  ...of,
  stacks: [...STACKS, { name: 'IRQ', begin: IRQ_END - 0x2000n, end: IRQ_END }],
});

describe('dump_trace() of before 4.9', () => {
  test('every text address is a line, a ? where the frame pointers do not lead; an encoded one leads nowhere', () => {
    const trace = walkByDumpTrace('scan', bodyView(body()));
    expect(names(trace)).toEqual([
      'nmi_body',
      'do_nmi',
      'end_repeat_nmi',
      '? do_work',
      '? do_work',
      '? do_work',
      '? process_one',
      '? sys_work',
      '? syscall_body',
    ]);
    expect(trace).toMatchObject({
      end: 'complete',
      reason: 'reaches the end of the task stack',
      warning: undefined,
    });
    expect(trace.path.map(({ stack }) => stack)).toEqual(['NMI', 'TASK']);
  });

  test('by frame pointers alone, from stack to stack', () => {
    const memory = body();
    put(memory, REGS - 16n, WORK);
    expect(names(walkByDumpTrace('frames', bodyView(memory)))).toEqual([
      'nmi_body',
      'do_nmi',
      'end_repeat_nmi',
      'process_one',
      'sys_work',
      'syscall_body',
    ]);
  });

  test('S2: the second visit of a stack is an unknown one, once no IRQ stack was passed', () => {
    expect(showDumpTrace(bodyView(nested()), symbol)).toEqual([
      'Call Trace:',
      ' <NMI>  [<ffffffff81000221>] do_nmi+0x21/0x40',
      ' [<ffffffff810001e0>] end_repeat_nmi+0x20/0x40',
      ' [<ffffffff810000dc>] ? do_work+0x1c/0x40',
      ' [<ffffffff81000180>] ? repeat_nmi+0x0/0x40',
      ' [<ffffffff81000254>] ? nmi_body+0x14/0x40',
      ' <<EOE>>  <UNK> ',
    ]);
    expect(walkByDumpTrace('scan', bodyView(nested()))).toMatchObject({
      end: 'stopped',
      reason: 'leaves the NMI stack by end[-2], which holds T-296',
    });
  });

  test('through an IRQ stack by its last word; behind it nothing is unknown any more', () => {
    const memory = task();
    put(memory, IRQ_END - 8n, S);
    put(memory, IRQ_END - 24n, at('do_nmi'));
    const of = withIrq(view(memory, at('nmi_body'), IRQ_END - 32n, 0n));
    expect(showDumpTrace(of, symbol).slice(1, 3)).toEqual([
      ` <IRQ>  [<${at('do_nmi').toString(16)}>] ? do_nmi+0x10/0x40`,
      ` <EOI>  [<${at('process_one', 0x11).toString(16)}>] ? process_one+0x11/0x40`,
    ]);
    put(memory, IRQ_END - 8n, 0x1234n);
    expect(showDumpTrace(of, symbol).at(-1)).toBe(' <EOI> ');
    expect(walkByDumpTrace('scan', of)).toMatchObject({ end: 'stopped' });
  });

  test('a debug stack of two pages is two stacks', () => {
    const memory = task();
    frame(memory, DB_END - 40n, at('do_work'), S);
    frame(memory, DB_END - 0x1028n, at('do_int3'), DB_END - 64n);
    put(memory, DB_END - 0x1100n, at('int3_entry'));
    const printed = showDumpTrace(view(memory, at('do_int3'), DB_END - 0x1100n, 0n), symbol).join('');
    expect(printed.match(/ <[^f]*?>+ /g)).toEqual([' <#DB[1]> ', ' <<EOE>> ', ' <#DB> ', ' <<EOE>> ']);
  });

  test('its caller may stop it at a stack', () => {
    const lines: bigint[] = [];
    const { complete, reason } = dumpTrace(bodyView(body()), {
      walk: 'scan',
      stack: () => -1,
      address: ({ ip }) => lines.push(ip),
    });
    expect({ complete, reason, lines }).toEqual({
      complete: false,
      reason: 'ends, since its caller wants no more',
      lines: [],
    });
  });

  test('user mode, and RSP on no stack', () => {
    expect(walkByDumpTrace('scan', view(task(), 0x401000n, 0x7ffdn, 0n, 3))).toMatchObject({
      end: 'complete',
      path: [],
    });
    expect(showDumpTrace(view(task(), at('do_work'), 0x1234n, 0n), symbol)).toEqual([
      'Call Trace:',
      ' <UNK> ',
    ]);
  });
});

describe('guess', () => {
  test('the same words, and no word for any of them', () => {
    const trace = walkByGuess('4.9', bodyView(body()));
    expect(names(trace)).toEqual([
      'nmi_body',
      '? do_nmi',
      '? end_repeat_nmi',
      '? do_work',
      '? do_work',
      '? do_work',
      '? process_one',
      '? sys_work',
      '? syscall_body',
    ]);
    expect(trace).toMatchObject({ end: 'complete', reason: 'reaches the end of the task stack' });
  });
  test('begins with the word at RSP if that is text', () => {
    expect(names(walkByGuess('4.9', view(body(), at('do_nmi'), REGS - 24n, 0n)))[1]).toBe('? do_nmi');
  });

  test('the word that a link leads to is never looked at, and that of the dump is', () => {
    const memory = body();
    put(memory, S, at('sys_work', 7));
    const places = (of: View) => walkByGuess('6.12', of).entries.map(({ slot }) => slot);
    expect(places(bodyView(memory))).not.toContain(S);
    expect(places(view(memory, at('do_work'), S, 0n))).toContain(S);
    const caller = returns(at('sys_work', 7), S, 'TASK');
    const of = bodyView(memory);
    const live = truth(current(of.rip, of.rsp), interrupted(A, REGS, S, 'TASK'), caller);
    expect(gapOf('guess-6.12', walkByGuess('6.12', of), live, of)?.id).toBe('behind-the-link');
  });

  test('S2: silent in 4.9, told since', () => {
    const [old, later] = (['4.9', '6.12'] as const).map((era) => walkByGuess(era, bodyView(nested())));
    const reason = 'holds T-296, in the NMI stack again: already visited';
    expect(old).toMatchObject({ end: 'stopped', reason, warning: undefined });
    expect(later).toMatchObject({
      end: 'warned',
      reason,
      warning: 'WARNING: stack recursion on stack type 6',
    });
  });
  test('an RSP that is not aligned is rounded up', () => {
    const memory = body();
    put(memory, T - 16n, BODY_SP + 3n);
    expect(walkByGuess('4.9', bodyView(memory)).reason).toBe(
      'holds T-293, in the NMI stack again: already visited',
    );
    const of = view(task(), at('do_work'), S + 3n, 0n);
    expect(names(walkByGuess('6.12', of)).slice(1)).toEqual([
      '? process_one',
      '? sys_work',
      '? syscall_body',
    ]);
    expect(TASK_END).toBeGreaterThan(S);
  });
});
