import { describe, expect, test } from 'vitest';
import { startGuess } from '../../src/unwind/eras/guess.ts';
import { type PrintEra, type PrintOptions, traceLog } from '../../src/unwind/eras/show-trace-log.ts';
import { startFramePointer } from '../../src/unwind/frame-pointer.ts';
import { nmiLink } from '../../src/unwind/stack-info.ts';
import type { View } from '../../src/unwind/view.ts';
import {
  at,
  BODY_SP,
  body,
  bodyView,
  DB_END,
  frame,
  nested,
  put,
  REGS,
  S,
  symbol,
  T,
  task,
  view,
  WORK,
} from './world.ts';

const showTraceLog = (...asked: Parameters<typeof traceLog>): readonly string[] =>
  traceLog(...asked).map(({ text }) => text);
const frames = startFramePointer('4.10');
const show = (era: PrintEra, of: View, options?: PrintOptions) =>
  showTraceLog(of, era, frames, symbol, options);
const REGISTERS = [
  'RAX: 0000000000000007 RBX: 0000000000000007 RCX: 0000000000000007',
  'RDX: 0000000000000007 RSI: 0000000000000007 RDI: 0000000000000007',
  'RBP: fffffe0000013f20 R08: 0000000000000007 R09: 0000000000000007',
];

test('4.9: addresses in brackets, markers with a blank behind them, no registers', () => {
  expect(showTraceLog(bodyView(body()), '4.9', startGuess('4.9'), symbol)).toEqual([
    'Call Trace:',
    ' <NMI> ',
    ' [<ffffffff81000221>] ? do_nmi+0x21/0x40',
    ' [<ffffffff810001e0>] ? end_repeat_nmi+0x20/0x40',
    ' [<ffffffff810000dc>] ? do_work+0x1c/0x40',
    ' [<ffffffff810000dc>] ? do_work+0x1c/0x40',
    ' [<ffffffff810000dc>] ? do_work+0x1c/0x40',
    ' <EOE> ',
    ' [<ffffffff81000091>] ? process_one+0x11/0x40',
    ' [<ffffffff8100004c>] ? sys_work+0xc/0x40',
    ' [<ffffffff81000005>] ? syscall_body+0x5/0x40',
  ]);
});

test('4.10: markers on lines of their own, registers where the frames lead to them, their RIP not again', () => {
  const lines = show('4.10', bodyView(body()));
  expect(lines.slice(0, 6)).toEqual([
    'Call Trace:',
    ' <NMI>',
    ' do_nmi+0x21/0x40',
    ' end_repeat_nmi+0x20/0x40',
    'RIP: 0010:do_work+0x1c/0x40',
    `RSP: 0018:${S.toString(16)} EFLAGS: 00000246 ORIG_RAX: 0000000000000007`,
  ]);
  expect(lines.slice(6, 8)).toEqual(REGISTERS.slice(0, 2));
  expect(lines.slice(11, 18)).toEqual([
    ' ? do_work+0x1c/0x40',
    ' ? do_work+0x1c/0x40',
    ' </NMI>',
    ' process_one+0x11/0x40',
    ' sys_work+0xc/0x40',
    ' syscall_body+0x5/0x40',
    'RIP: 0033:0x401000',
  ]);
  expect(lines).toHaveLength(24);
});

test('ORIG_RAX of -1 is not printed; 5.2 prints code bytes, or that there are none', () => {
  const memory = body();
  put(memory, REGS + 120n, 0xffff_ffff_ffff_ffffn);
  expect(show('4.10', bodyView(memory))[5]).toBe(`RSP: 0018:${S.toString(16)} EFLAGS: 00000246`);
  expect(show('5.2', bodyView(memory))[5]).toBe('Code: Bad RIP value.');
  expect(show('6.12', bodyView(memory))[5]).toBe(
    'Code: Unable to access opcode bytes at 0xffffffff810000b2.',
  );
  const of = bodyView(memory);
  const read = (address: bigint) =>
    memory.get(address) ?? (address >= 0xffffffff81000000n ? address : undefined);
  const code = show('5.2', { ...of, read })[5] ?? '';
  expect(code).toMatch(/^Code: b2 b3 (.. ){40}<dc> dd (.. ){19}f1$/);
});

test('6.12: the task stack has a marker too', () => {
  const lines = show('6.12', bodyView(body()));
  expect(lines.filter((line) => /^ </.test(line))).toEqual([' <NMI>', ' </NMI>', ' <TASK>', ' </TASK>']);
});

describe('an iret frame alone', () => {
  const memory = task();
  frame(memory, T - 40n, at('do_work', 0x1c), S);
  const state = () => ({
    done: false,
    error: false,
    complete: false,
    certain: true,
    stack: 'NMI',
    path: [],
    reason: '',
    warning: undefined,
    ip: at('do_work', 0x1c),
    slot: T - 40n,
    regs: { address: T - 168n, partial: true },
    next: () => undefined,
  });
  test('three lines since 4.14, none before', () => {
    const of = view(memory, at('nmi'), T - 48n, WORK);
    expect(showTraceLog(of, '4.14', state, symbol).slice(0, 4)).toEqual([
      'Call Trace:',
      ' <NMI>',
      'RIP: 0010:do_work+0x1c/0x40',
      `RSP: 0018:${S.toString(16)} EFLAGS: 00000246`,
    ]);
    const shown = (options?: Parameters<typeof showTraceLog>[4]) =>
      showTraceLog(of, '6.12', state, symbol, options).filter((line) => line.startsWith('RAX'));
    expect(shown()).toEqual([]);
    // E14, a9cdbe72c4e8: the rest of pt_regs, which nobody saved, wherever there was room for it; here words of other records.
    const [cs, flags] = ['10', '246'].map((value) => value.padStart(16, '0'));
    expect(shown({ wholeRegs: true })[0]).toBe(`RAX: ${cs} RBX: ${cs} RCX: ${flags}`);
    expect(showTraceLog(of, '4.10', state, symbol)[2]).not.toMatch(/^RIP/);
  });
});

describe('switches that were proposed', () => {
  const of = bodyView(nested());
  test('another word leads on: after a nested NMI the task is there again', () => {
    expect(show('4.10', of)).not.toContain(' process_one+0x11/0x40');
    expect(show('4.10', of, { link: nmiLink(14) })).toContain(' ? process_one+0x11/0x40');
  });
  const marker = (nextFrame: 'links' | 'unwinder', view: View, stack: string, era: PrintEra = '4.10') =>
    show(era, view, { nextFrame }).find((line) => line.startsWith(` <${stack} `));
  const NMI_BOUNDS = '0xfffffe000000f000-0xfffffe000000ffff';
  test('next frame is at, by links: both records, where they do not agree', () => {
    expect(marker('links', bodyView(body()), 'NMI')).toBe(
      ` <NMI (${NMI_BOUNDS}), next frame is at 0x${S.toString(16)}>`,
    );
    expect(marker('links', bodyView(body()), 'NMI', '4.9')).toBe(
      ` <NMI (${NMI_BOUNDS}), next frame is at 0x${S.toString(16)}> `,
    );
    expect(marker('links', of, 'NMI')).toBe(
      ` <NMI (${NMI_BOUNDS}), next frame is at 0x${BODY_SP.toString(16)} by end[-2], 0x${S.toString(16)} by end[-14]>`,
    );
    const memory = task();
    frame(memory, DB_END - 40n, at('do_work'), S);
    expect(marker('links', view(memory, at('do_int3'), DB_END - 48n, 0n), '#DB')).toBe(
      ` <#DB (0xfffffe0000012000-0xfffffe0000013fff), next frame is at 0x${S.toString(16)}>`,
    );
  });
  test('next frame is at, by the unwinder: where it looks when the stack begins; zero where it has given up', () => {
    expect(marker('unwinder', of, 'NMI')).toBe(
      ` <NMI (${NMI_BOUNDS}), next frame is at 0x${startFramePointer('4.10')(of).slot.toString(16)}>`,
    );
    const memory = task();
    frame(memory, DB_END - 40n, at('do_work'), S);
    expect(marker('unwinder', view(memory, at('do_int3'), DB_END - 48n, 0n), '#DB')).toBe(
      ' <#DB (0xfffffe0000012000-0xfffffe0000013fff), next frame is at 0x0000000000000000>',
    );
  });
  test('a warning where the trace does not end at user registers', () => {
    const said = (view: View) => show('4.10', view, { wantsUserRegs: true }).at(-1);
    expect(said(of)).toBe('WARNING: stack trace does not end at user registers');
    expect(said(bodyView(body()))).toMatch(/^R13: /);
  });
  test('the printer starts on a stack of its own (2e4be0d011f2 to 2c118f50d7fd)', () => {
    const lines = showTraceLog(view(nested(), at('do_work', 0x1c), S, WORK), '6.12', frames, symbol, {
      from: BODY_SP,
    });
    expect(lines.slice(0, 5)).toEqual([
      'WARNING: stack recursion on stack type 6',
      'Call Trace:',
      ' <NMI>',
      ' ? do_nmi+0x21/0x40',
      ' ? end_repeat_nmi+0x20/0x40',
    ]);
    expect(lines.at(-1)).toBe(' </NMI>');
    expect(showTraceLog(view(nested(), at('do_work', 0x1c), S, WORK), '6.12', frames, symbol)[1]).toBe(
      ' <TASK>',
    );
  });
});

test('RSP that has run over into the page below a stack begins with that stack, since 4.14', () => {
  const of = view(task(), at('do_work'), S - (S & 0x3fffn) - 8n, WORK);
  expect(show('4.10', of)).toEqual(['Call Trace:']);
  expect(show('4.14', of)).toContain(' ? process_one+0x11/0x40');
});
