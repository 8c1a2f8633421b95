import { expect, test } from 'vitest';
import { type LoggedEntry, TruthLog } from '../../src/unwind/truth.ts';
import type { Truth } from '../../src/unwind/view.ts';
import {
  A,
  at,
  BODY_SP,
  current,
  DB_END,
  interrupted,
  ORIGINAL,
  REGS,
  returns,
  S,
  STACKS,
  symbol,
  T,
  TASK_TRUTH,
} from './world.ts';

type Kind = LoggedEntry['kind'];
const line = (kind: Kind, rip: bigint, rsp: bigint, target: bigint, outerRsp = 0n): LoggedEntry => ({
  kind,
  rip,
  rsp,
  target,
  outerRsp,
});
const NMI = 2n;
const BP = 3n;
const chain = ({ entries }: Truth) =>
  entries.map(({ ip, how, stack }) => `${how} ${symbol(ip).replace(/\+.*/, '')} ${stack}`);
const task = () => TruthLog.start([current(A, S, 'TASK'), ...TASK_TRUTH]);
const nmi = (log: TruthLog, rip: bigint, rsp: bigint) =>
  log.record(line('delivery', rip, ORIGINAL, NMI, rsp));

/** The handler's calls, as S1 has them. */
const handler = (log: TruthLog) =>
  log
    .record(line('call', at('end_repeat_nmi', 0x1b), REGS - 8n, at('end_repeat_nmi', 0x20)))
    .settle(at('do_nmi', 0), REGS - 8n)
    .record(line('call', at('do_nmi', 0x1c), REGS - 24n, at('do_nmi', 0x21)))
    .settle(at('nmi_body', 0), REGS - 24n);
const H = at('nmi_body', 0x14);
const IN_HANDLER = [
  'return do_nmi NMI',
  'return end_repeat_nmi NMI',
  'interrupted do_work TASK',
  'return process_one TASK',
  'return sys_work TASK',
  'return syscall_body TASK',
];

test('calls and returns: slot, address and RSP of each', () => {
  const before = TruthLog.start();
  const inside = before
    .record(line('call', at('do_work'), S - 8n, at('do_work', 0x15)))
    .settle(at('nmi'), S - 8n);
  expect(inside.truth(at('nmi'), S - 16n, STACKS)).toEqual({
    entries: [current(at('nmi'), S - 16n, 'TASK'), returns(at('do_work', 0x15), S - 8n, 'TASK')],
    lost: false,
  });
  const after = inside
    .record(line('return', at('nmi'), S - 8n, at('do_work', 0x15)))
    .settle(at('do_work', 0x15), S);
  expect(after.truth(at('do_work', 0x15), S, STACKS).entries).toHaveLength(1);
  // A record is a mark: the one before has not changed.
  expect(inside.truth(at('nmi'), S - 16n, STACKS).entries).toHaveLength(2);
});

test('a call ends when RET pops its slot, wherever that RET goes', () => {
  const log = TruthLog.start().record(line('call', at('do_work'), S - 8n, at('do_work', 0x15)));
  expect(
    log.record(line('return', at('nmi'), S - 8n, at('sys_work'))).truth(0n, S, STACKS).entries,
  ).toHaveLength(1);
  expect(
    log.record(line('return', at('nmi'), S - 32n, at('sys_work'))).truth(0n, S - 16n, STACKS).entries,
  ).toHaveLength(2);
});

test('a return address that entry code has moved still ends its call', () => {
  const log = TruthLog.start().record(
    line('call', at('end_repeat_nmi'), REGS + 120n, at('end_repeat_nmi', 0x15)),
  );
  const after = log.record(line('return', at('nmi'), REGS - 8n, at('end_repeat_nmi', 0x15)));
  expect(after.truth(at('end_repeat_nmi', 0x15), REGS, STACKS)).toMatchObject({ entries: [{}], lost: false });
});

test('an NMI is live from its delivery until control is back at RIP and RSP', () => {
  const first = nmi(task(), A, S).settle(at('nmi', 0), ORIGINAL);
  expect(first.truth(at('nmi', 0), ORIGINAL, STACKS).entries.slice(0, 3)).toEqual([
    current(at('nmi', 0), ORIGINAL),
    interrupted(A, ORIGINAL, S, 'TASK'),
    ...TASK_TRUTH.slice(0, 1),
  ]);
  expect(first.settle(A, S - 8n)).toBe(first);
  expect(first.settle(A + 1n, S)).toBe(first);
  const back = first.record(line('iret', at('end_repeat_nmi'), T - 96n, A)).settle(A, S);
  expect(chain(back.truth(A, S, STACKS))).toEqual(['current do_work TASK', ...IN_HANDLER.slice(3)]);
});

test('the nested NMI of the worked trace, step by step', () => {
  // 5, 6: the handler runs and meets int3 on the debug stack.
  const five = handler(nmi(task(), A, S).settle(at('nmi', 0), ORIGINAL));
  expect(chain(five.truth(H, BODY_SP, STACKS))).toEqual(['current nmi_body NMI', ...IN_HANDLER]);
  const breakpoint = five
    .record(line('delivery', H, DB_END - 40n, BP, BODY_SP))
    .settle(at('int3_entry', 0), DB_END - 40n);
  expect(chain(breakpoint.truth(at('int3_entry'), DB_END - 40n, STACKS)).slice(0, 2)).toEqual([
    'current int3_entry #DB',
    'interrupted nmi_body NMI',
  ]);
  const six = breakpoint.record(line('iret', at('int3_entry'), DB_END - 40n, H)).settle(H, BODY_SP);
  expect(chain(six.truth(H, BODY_SP, STACKS))).toEqual(['current nmi_body NMI', ...IN_HANDLER]);
  // 7, 8: the second NMI starts at T again; the handler lives on below it.
  const seven = nmi(six, H, BODY_SP).settle(at('nmi', 0), ORIGINAL);
  expect(seven.truth(at('nmi', 0), ORIGINAL, STACKS).entries[1]).toEqual(
    interrupted(H, ORIGINAL, BODY_SP, 'NMI'),
  );
  expect(chain(seven.truth(at('nmi', 0), ORIGINAL, STACKS))).toEqual([
    'current nmi NMI',
    'interrupted nmi_body NMI',
    ...IN_HANDLER,
  ]);
  expect(seven.truth(at('nmi', 0), ORIGINAL, STACKS).lost).toBe(false);
  // 9: and goes back to it.
  const nine = seven.record(line('iret', at('nmi'), ORIGINAL, H)).settle(H, BODY_SP);
  expect(chain(nine.truth(H, BODY_SP, STACKS))).toEqual(['current nmi_body NMI', ...IN_HANDLER]);
  // 10, 11: both calls return; IRETQ goes to repeat_nmi, which nothing interrupted, so the NMI is still live.
  const ten = nine
    .record(line('return', at('nmi_body'), REGS - 24n, at('do_nmi', 0x21)))
    .settle(at('do_nmi', 0x21), REGS - 16n)
    .record(line('return', at('do_nmi'), REGS - 8n, at('end_repeat_nmi', 0x20)))
    .settle(at('end_repeat_nmi', 0x20), REGS);
  const eleven = ten
    .record(line('iret', at('end_repeat_nmi'), T - 96n, at('repeat_nmi', 0)))
    .settle(at('repeat_nmi', 0), T - 136n);
  expect(chain(eleven.truth(at('repeat_nmi', 0), T - 136n, STACKS))).toEqual([
    'current repeat_nmi NMI',
    ...IN_HANDLER.slice(2),
  ]);
  // 13: home.
  const home = handler(eleven)
    .record(line('iret', at('end_repeat_nmi'), T - 96n, A))
    .settle(A, S);
  expect(chain(home.truth(A, S, STACKS))).toEqual(['current do_work TASK', ...IN_HANDLER.slice(3)]);
});

test('reaching what an older event interrupted ends all that came after it', () => {
  const log = nmi(handler(nmi(task(), A, S).settle(0n, 0n)), H, BODY_SP).settle(at('nmi', 0), ORIGINAL);
  const back = log.record(line('iret', at('nmi'), ORIGINAL, A)).settle(A, S);
  expect(chain(back.truth(A, S, STACKS))).toEqual(['current do_work TASK', ...IN_HANDLER.slice(3)]);
});

test('control that is delivered to an interrupted point has not returned there', () => {
  // #DB at the first instruction of an NMI, then a nested NMI: delivered to the very point that #DB interrupted.
  const entry = at('nmi', 0);
  const log = nmi(task(), A, S)
    .settle(entry, ORIGINAL)
    .record(line('delivery', entry, DB_END - 40n, 1n, ORIGINAL));
  const inside = log.settle(at('int3_entry', 0), DB_END - 40n);
  const again = nmi(inside, at('int3_entry'), DB_END - 40n).settle(entry, ORIGINAL);
  expect(chain(again.truth(entry, ORIGINAL, STACKS)).slice(0, 3)).toEqual([
    'current nmi NMI',
    'interrupted int3_entry #DB',
    'interrupted nmi NMI',
  ]);
  const back = again.record(line('iret', entry, ORIGINAL, at('int3_entry')));
  expect(
    back.settle(at('int3_entry'), DB_END - 40n).truth(0n, DB_END - 40n, STACKS).entries[1],
  ).toMatchObject({ ip: entry });
});

test('control that comes by an interrupted point again has not come back to it', () => {
  const log = nmi(task(), A, S).settle(at('nmi', 0), ORIGINAL);
  // A jump: the handler runs the interrupted code itself.
  expect(log.settle(A, S)).toBe(log);
  const back = log.record(line('iret', at('nmi'), ORIGINAL, A));
  expect(
    back
      .settle(A, S - 8n)
      .settle(A, S)
      .truth(A, S, STACKS).entries[1],
  ).toMatchObject({ ip: A });
});

test('a RET ends an event where it leads back to it', () => {
  const log = nmi(task(), A, S).settle(at('nmi', 0), ORIGINAL);
  const back = log.record(line('return', at('nmi'), S - 8n, A)).settle(A, S);
  expect(chain(back.truth(A, S, STACKS))).toEqual(['current do_work TASK', ...IN_HANDLER.slice(3)]);
});

test('a fault that goes on at its fix-up is over there, and may be listed there before', () => {
  const fixups = [{ from: A, to: A + 5n }];
  const log = (known: typeof fixups) =>
    nmi(TruthLog.start([current(A, S, 'TASK'), ...TASK_TRUTH], known), A, S).settle(at('nmi', 0), ORIGINAL);
  const inside = log(fixups).truth(at('nmi', 0), ORIGINAL, STACKS).entries[1];
  expect(inside).toMatchObject({ ip: A, landings: [A + 5n] });
  const back = (known: typeof fixups) =>
    log(known)
      .record(line('iret', at('nmi'), ORIGINAL, A + 5n))
      .settle(A + 5n, S);
  expect(back([]).truth(A + 5n, S, STACKS).entries[1]).toMatchObject({ how: 'interrupted', ip: A });
  expect(back(fixups).truth(A + 5n, S, STACKS).entries[1]?.how).toBe('return');
});

test('a frame that a jump has left is no truth to rely on', () => {
  const log = handler(nmi(task(), A, S).settle(at('nmi', 0), ORIGINAL));
  expect(log.truth(H, BODY_SP, STACKS).lost).toBe(false);
  // RSP is put back above the handler's frames without any RET.
  expect(log.truth(at('first_nmi'), T - 136n, STACKS).lost).toBe(true);
});

test('a call into the slot of a live one, or a RET past it, ends what was left behind', () => {
  const first = task().record(line('call', A, S - 8n, at('do_work', 1)));
  const over = first.record(line('call', A, S - 8n, at('do_work', 2))).truth(at('nmi'), S - 8n, STACKS);
  expect(chain(over)).toEqual(['current nmi TASK', 'return do_work TASK', ...IN_HANDLER.slice(3)]);
  expect(over).toMatchObject({ lost: true, entries: [{}, { ip: at('do_work', 2) }, {}, {}, {}] });
  const deeper = first.record(line('call', at('nmi'), S - 32n, at('nmi', 1)));
  const past = deeper.record(line('return', at('mce_entry'), S - 8n, at('do_work', 1))).truth(A, S, STACKS);
  expect(past).toMatchObject({ lost: true, entries: [{ ip: A }, {}, {}, {}] });
});

test('a return address in the last word of a stack lies on it, also where the next stack begins', () => {
  const stacks = [...STACKS, { name: 'next', begin: T, end: T + 64n }];
  const log = TruthLog.start().record(line('call', A, T - 8n, A + 5n));
  expect(log.truth(A, T - 16n, stacks).entries[1]).toMatchObject({ sp: T, stack: 'NMI' });
});

test('a return address overwritten in use marks the record, for good', () => {
  // Another first NMI on top of a live one: its call of do_nmi lands in the very same slot.
  const live = handler(nmi(task(), A, S).settle(at('nmi', 0), ORIGINAL));
  const second = handler(nmi(live, at('do_int3'), DB_END - 48n).settle(at('nmi', 0), ORIGINAL));
  const { lost, entries } = second.truth(H, BODY_SP, STACKS);
  expect(lost).toBe(true);
  expect(entries.filter(({ ip }) => ip === at('do_nmi', 0x21))).toHaveLength(2);
  const back = second.record(line('iret', at('nmi'), ORIGINAL, A)).settle(A, S);
  expect(back.truth(A, S, STACKS).lost).toBe(true);
});

test('a frame that hardware pushes over a return address marks the record', () => {
  const live = TruthLog.start().record(line('call', A, S - 8n, A + 5n));
  const over = (bottom: bigint) =>
    live.record(line('delivery', A, bottom, BP, S)).truth(A, bottom, STACKS).lost;
  expect(over(S - 40n)).toBe(true);
  expect(over(S - 48n)).toBe(false);
  expect(over(S - 8n)).toBe(true);
  expect(over(S)).toBe(false);
});

test('an empty stack is still that stack, and user mode is on none', () => {
  const stackAt = (sp: bigint) => TruthLog.start().truth(A, sp, STACKS).entries[0]?.stack;
  expect(stackAt(T)).toBe('NMI');
  expect(stackAt(0x7ffd_0000n)).toBe('');
});

test('a call whose code drops its return address is over when RSP has passed that, and nothing is lost', () => {
  // As a return thunk does it: `call 1f; 1: lea 8(%rsp), %rsp; ret`, run where a function returns from S.
  const [thunk, dropped] = [at('nmi'), at('nmi', 5)];
  const begin = (drops: boolean) =>
    TruthLog.start([], [], (ip) => drops && ip === dropped)
      .record(line('call', A, S, A + 5n))
      .settle(thunk, S)
      .record(line('call', thunk, S - 8n, dropped))
      .settle(dropped, S - 8n);
  const told = (log: TruthLog, rsp: bigint) => {
    const { entries, lost } = log.truth(dropped, rsp, STACKS);
    return [lost, ...entries.slice(1).map(({ ip }) => ip)];
  };
  expect(told(begin(true), S - 8n)).toEqual([false, dropped, A + 5n]);
  expect(told(begin(true), S)).toEqual([false, A + 5n]);
  expect(told(begin(false), S)).toEqual([true, dropped, A + 5n]);
  // An event between the two, whose frame may lie over it.
  const struck = begin(true).record(line('delivery', dropped, S - 40n, NMI, S));
  expect(told(struck, S - 40n)).toEqual([false, dropped, A + 5n]);
  // The return, from where the call was, and from where an entry helper has moved its address to.
  const back = (drops: boolean, slot: bigint) =>
    begin(drops)
      .record(line('return', thunk, slot, A + 5n))
      .settle(A + 5n, slot + 8n);
  for (const slot of [S, S + 0x80n]) expect(told(back(true, slot), slot + 8n)).toEqual([false]);
  expect(told(back(false, S), S + 8n)).toEqual([true]);
});
