import { describe, expect, test } from 'vitest';
import { walkByFramePointer } from '../../src/unwind/frame-pointer.ts';
import { found, judge } from '../../src/unwind/judge.ts';
import { walkByLink } from '../../src/unwind/link-rules.ts';
import type { Trace, Truth, View } from '../../src/unwind/view.ts';
import {
  A,
  at,
  BODY_SP,
  body,
  bodyTruth,
  bodyView,
  current,
  DB_END,
  delivered,
  frame,
  INTERRUPTED,
  interrupted,
  nested,
  ORIGINAL,
  OUTERMOST,
  put,
  REGS,
  returns,
  S,
  symbol,
  T,
  TASK_TRUTH,
  task,
  truth,
  view,
  WORK,
} from './world.ts';

const name = (address: bigint): string => symbol(address).replace(/\/0x40$/, '');
const verdict = (trace: Trace, live: Truth, shown: View): string => {
  const { judgement, reason } = judge(trace, live, shown, name);
  return `${judgement}: ${reason}`;
};
const link = (index: number, live: Truth, shown: View) => verdict(walkByLink(index, shown), live, shown);
const frames = (live: Truth, shown: View, rules: '4.10' | '4.13' = '4.10') =>
  verdict(walkByFramePointer(rules, shown), live, shown);

const entryTruth = (rip: bigint, rsp: bigint) => truth(current(rip, rsp), INTERRUPTED, ...TASK_TRUTH);

describe('link rules', () => {
  test('S1: all lead to S', () => {
    for (const index of [2, 9, 14])
      expect(link(index, bodyTruth(), bodyView(body()))).toBe('right: leads to S, the task.');
  });

  test('S2: after the nested NMI only end[-14] does', () => {
    const shown = bodyView(nested());
    expect(link(2, bodyTruth(), shown)).toBe(
      'stops-early-silently: holds T-296, in the NMI stack again: already visited, so the walk ends before S, the task.',
    );
    expect(link(9, bodyTruth(), shown)).toBe(
      'stops-early-silently: holds T-136, in the NMI stack again: already visited, so the walk ends before S, the task.',
    );
    expect(link(14, bodyTruth(), shown)).toBe('right: leads to S, the task.');
  });

  test('inside the nested NMI the handler below is not asked for: the question is the interrupted stack', () => {
    const shown = view(nested(), at('nmi', 0), ORIGINAL, BODY_SP);
    const [, ...handler] = bodyTruth().entries;
    const live = truth(
      current(at('nmi', 0), ORIGINAL),
      interrupted(at('nmi_body', 0x14), ORIGINAL, BODY_SP, 'NMI'),
      ...handler,
    );
    expect(link(14, live, shown)).toBe('right: leads to S, the task.');
    expect(link(2, live, shown)).toMatch(/^stops-early-silently: /);
  });

  test('S4: a record not written yet holds what the last NMI left', () => {
    const shown = view(delivered(), at('nmi', 0), ORIGINAL, WORK);
    const live = entryTruth(at('nmi', 0), ORIGINAL);
    expect(link(2, live, shown)).toBe('right: leads to S, the task.');
    expect(link(14, live, shown)).toBe(
      'wrong-silently: holds S+64, not S: the walk starts too high on the task stack, drops process_one and sys_work, and nothing shows it.',
    );
  });

  test('a link too low on the right stack drops nothing, and is wrong', () => {
    const memory = body();
    memory.set(T - 112n, S - 64n);
    expect(link(14, bodyTruth(), bodyView(memory))).toBe(
      'wrong-silently: holds S-64, not S: the walk starts too low on the task stack, lists words that are no longer alive, and nothing shows it.',
    );
  });

  test('S3: a stale stack between', () => {
    const memory = body();
    frame(memory, ORIGINAL, at('do_int3'), DB_END - 48n);
    frame(memory, DB_END - 40n, at('nmi_body'), BODY_SP);
    expect(link(2, bodyTruth(), bodyView(memory))).toBe(
      'wrong-silently: leads to #DB end-48, the #DB stack, not to S, the task: the walk drops process_one, sys_work and syscall_body, and nothing shows it.',
    );
    expect(link(14, bodyTruth(), bodyView(memory))).toBe('right: leads to S, the task.');
  });

  test('a link to no stack stops', () => {
    const memory = body();
    memory.set(T - 72n, 0n);
    expect(link(9, bodyTruth(), bodyView(memory))).toBe(
      'stops-early-silently: holds 0x0, on no known stack, so the walk ends before S, the task.',
    );
  });

  test('a breakpoint above the NMI: two stacks to go through', () => {
    const memory = body();
    frame(memory, DB_END - 40n, at('nmi_body', 0x14), BODY_SP);
    const shown = view(memory, at('do_int3'), DB_END - 48n, BODY_SP);
    const [, ...rest] = bodyTruth().entries;
    const live = truth(
      current(at('do_int3'), DB_END - 48n, '#DB'),
      interrupted(at('nmi_body', 0x14), DB_END - 40n, BODY_SP, 'NMI'),
      ...rest,
    );
    expect(link(14, live, shown)).toBe('right: leads through T-296, the NMI stack, to S, the task.');
    frame(memory, OUTERMOST, A, T - 300n);
    expect(link(14, live, shown)).toBe(
      'stops-early-silently: holds T-300, in the NMI stack again: already visited, so the walk ends before S, the task.',
    );
  });

  test('an NMI that interrupted user mode has no stack behind it', () => {
    const user = 0x7ffd20000f00n;
    const memory = task();
    frame(memory, ORIGINAL, 0x401000n, user);
    const shown = view(memory, at('nmi', 4), T - 48n, 5n);
    const live = truth(current(at('nmi', 4), T - 48n), interrupted(0x401000n, ORIGINAL, user, ''));
    expect(link(2, live, shown)).toBe("right: leads to the user's RSP.");
    expect(link(14, live, shown)).toBe(
      "wrong-silently: leads to 0xffffc90000013f48, the task stack, not to the user's RSP: the walk lists words that are no longer alive, and nothing shows it.",
    );
    memory.set(OUTERMOST + 24n, 0n);
    expect(link(14, live, shown)).toBe(
      "stops-early-silently: holds 0x0, on no known stack, so the walk ends before the user's RSP.",
    );
  });

  test('no rule is asked while nothing lives on the NMI stack', () => {
    const shown = view(task(), at('do_work'), S, WORK);
    const live = truth(current(at('do_work'), S, 'TASK'), ...TASK_TRUTH);
    expect(link(14, live, shown)).toBe('not-asked: is not asked: nothing is alive on the NMI stack.');
    expect(frames(live, shown)).toBe('not-asked: is not asked: nothing is alive on the NMI stack.');
  });

  test('a walk that warned is not silent', () => {
    const shown = view(delivered(), at('nmi', 0), ORIGINAL, WORK);
    const live = entryTruth(at('nmi', 0), ORIGINAL);
    expect(verdict({ ...walkByLink(14, shown), end: 'warned' }, live, shown)).toMatch(
      /^wrong-and-says: .*, and says so\.$/,
    );
    const again = bodyView(nested());
    expect(verdict({ ...walkByLink(2, again), end: 'warned' }, bodyTruth(), again)).toMatch(
      /^stops-early-and-says: /,
    );
  });
});

describe('frame pointers', () => {
  test('S1: the whole truth', () => {
    expect(frames(bodyTruth(), bodyView(body()))).toBe(
      'right: lists all 7 live functions and reaches the user registers.',
    );
  });

  test('S2: silent in 4.10, said in 4.13', () => {
    const reason =
      'leaves the NMI stack by end[-2], which holds T-296, in the NMI stack again: already visited';
    const rest = 'process_one, sys_work and syscall_body are missing.';
    expect(frames(bodyTruth(), bodyView(nested()))).toBe(`stops-early-silently: ${reason}; ${rest}`);
    expect(frames(bodyTruth(), bodyView(nested()), '4.13')).toBe(
      `stops-early-and-says: ${reason}, and warns; ${rest}`,
    );
  });

  test('S4: nothing but RIP', () => {
    const shown = view(delivered(), at('nmi', 4), T - 48n, WORK);
    expect(frames(entryTruth(at('nmi', 4), T - 48n), shown)).toBe(
      'stops-early-silently: skips every frame, since RBP still leads to the task stack and RSP is on the NMI stack; do_work, process_one, sys_work and syscall_body are missing.',
    );
  });

  test('a caller skipped', () => {
    const shown = view(body(), at('nmi_body', 0), REGS - 24n, REGS - 16n);
    const [, ...rest] = bodyTruth().entries;
    expect(frames(truth(current(at('nmi_body', 0), REGS - 24n), ...rest), shown)).toBe(
      'wrong-silently: skips do_nmi, since RBP does not lead to its frame, and nothing shows it.',
    );
  });

  test('a function invented', () => {
    const memory = body();
    put(memory, REGS - 8n, at('mce_entry'));
    expect(frames(bodyTruth(), bodyView(memory))).toBe(
      'wrong-silently: lists mce_entry, which is not alive there, and nothing shows it.',
    );
  });

  test('more than the truth is wrong too', () => {
    const { entries } = bodyTruth();
    const shown = bodyView(body());
    expect(frames(truth(...entries.slice(0, -1)), shown)).toBe(
      'wrong-silently: lists syscall_body, which is not alive there, and nothing shows it.',
    );
  });

  test('all of it, but no end', () => {
    const shown = bodyView(body());
    const trace: Trace = { ...walkByFramePointer('4.10', shown), end: 'stopped', reason: 'stops' };
    expect(verdict(trace, bodyTruth(), shown)).toBe('stops-early-silently: stops.');
  });

  test('user code that was interrupted need not be listed', () => {
    const memory = task();
    const regs = T - 264n;
    put(memory, regs + 128n, 0x401000n, 0x33n, 0x202n, 0x7ffd20000f00n, 0x2bn);
    put(memory, regs - 16n, regs + 1n, at('end_repeat_nmi'));
    const shown = view(memory, at('do_nmi'), regs - 16n, regs - 16n);
    const live = truth(
      current(at('do_nmi'), regs - 16n),
      returns(at('end_repeat_nmi'), regs - 8n),
      interrupted(0x401000n, ORIGINAL, 0x7ffd20000f00n, ''),
    );
    expect(frames(live, shown)).toBe('right: lists all 2 live functions and reaches the user registers.');
    expect(found(walkByFramePointer('4.10', shown), live)).toEqual(['listed', 'listed', 'listed']);
  });
});

describe('found', () => {
  test('listed, guessed, missing, lost', () => {
    const shown = bodyView(nested());
    expect(found(walkByLink(14, shown), bodyTruth())).toEqual(Array.from({ length: 7 }, () => 'listed'));
    expect(found(walkByLink(2, shown), bodyTruth())).toEqual([
      'listed',
      'listed',
      'listed',
      'listed',
      'missing',
      'missing',
      'missing',
    ]);
    expect(found(walkByFramePointer('4.13', shown), bodyTruth())).toEqual([
      'listed',
      'listed',
      'listed',
      'listed',
      'lost',
      'missing',
      'missing',
    ]);
    const early = view(delivered(), at('nmi', 4), T - 48n, WORK);
    expect(found(walkByLink(14, early), entryTruth(at('nmi', 4), T - 48n))).toEqual([
      'listed',
      'guess',
      'missing',
      'missing',
      'guess',
    ]);
  });

  test('a return address counts in its own slot only', () => {
    const shown = bodyView(body());
    const moved = truth(current(at('nmi_body', 0x14), BODY_SP), returns(at('do_nmi', 0x21), REGS - 32n));
    expect(found(walkByLink(2, shown), moved)).toEqual(['listed', 'missing']);
  });
});

test('more than four functions are counted', () => {
  const shown = view(delivered(), at('nmi', 4), T - 48n, WORK);
  const more = ['first_nmi', 'mce_entry'].map((fn) =>
    returns(at(fn as 'first_nmi', 1), TASK_TRUTH[0]?.slot ?? 0n, 'TASK'),
  );
  const live = truth(current(at('nmi', 4), T - 48n), INTERRUPTED, ...more, ...TASK_TRUTH);
  expect(frames(live, shown)).toMatch(/; 6 functions from do_work to syscall_body are missing\.$/);
});
