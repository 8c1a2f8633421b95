/** Indirect branch tracking: what waits for ENDBR64, who forgets it, and how #CP is delivered (SDM vol 1, 18.3). */
import { expect, test } from 'vitest';
import { wasm } from '../../src/engine/backends/wasm/backend.ts';
import type { Machine } from '../../src/engine/machine.ts';
import {
  CS,
  DATA,
  frameAt,
  type Guest,
  type GuestOptions,
  guest,
  HANDLERS,
  iretFrame,
  STACK,
  TEXT,
  USER_CS,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';
import { Pair, same } from './wasm-pair.ts';

const ENDBR64 = 'f3 0f 1e fa';
const IRETQ = '48 cf';
const CR4 = (1n << 23n) | 0x20n;
const state = { cr4: CR4, supervisorCet: 4n, userCet: 4n } as const;
const user = { ...state, rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
const handler = (vector: number): bigint => HANDLERS + BigInt(64 * vector);

/** One case on both backends. */
function both(title: string, body: (make: (options?: GuestOptions) => Guest) => void): void {
  test(title, () => {
    body((options) => guest({ ...options, cached: false }));
    body((options) => guest({ ...options, backend: wasm() }));
  });
}
const missing = (machine: Machine, rip: bigint): void =>
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 21, rip });

both('a jump to ENDBR64 goes on; to anything else it is #CP(3) at that instruction', (make) => {
  const good = make({ text: `ff e0 ${ENDBR64} 90`, state: { ...state, rax: TEXT + 2n } });
  expect(good.machine.run(3)).toBe(3);
  expect([good.machine.get('rip'), good.machine.get('supervisorCet')]).toEqual([TEXT + 7n, 4n]);
  const { machine } = make({ text: 'ff e0 90', state: { ...state, rax: TEXT + 2n } });
  expect(machine.run(1)).toBe(1);
  missing(machine, TEXT + 2n);
  // A fault changes nothing: still waiting.
  expect(machine.get('supervisorCet')).toBe(0x804n);
  machine.run(1);
  expect(machine.get('rip')).toBe(handler(21));
  expect(frameAt(machine, machine.get('rsp'), 3)).toEqual([3n, TEXT + 2n, CS]);
});

both(
  'delivery by the IDT waits in ring 0, whatever was waited for there before: the handler begins with ENDBR64',
  (make) => {
    const { machine } = make({
      text: 'ff e0 90',
      state: { ...state, rax: TEXT + 2n },
      handlers: { 2: `${ENDBR64} ${IRETQ}` },
    });
    machine.run(1);
    machine.injectNmi();
    machine.run(1);
    expect(machine.get('supervisorCet')).toBe(0x804n);
    machine.run(1);
    expect(machine.get('supervisorCet')).toBe(4n);
    machine.run(1);
    // The hole that FRED closes: after the NMI nothing is waited for, and the NOP runs.
    expect(machine.step()).toMatchObject({ kind: 'instruction', rip: TEXT + 2n });
  },
);

both(
  'a 3E prefix spares the branch where NO_TRACK_EN allows it, also beside another segment prefix',
  (make) => {
    for (const [supervisorCet, code, waits] of [
      [0x14n, '3e ff e0', false],
      [4n, '3e ff e0', true],
      [0x14n, 'ff e0', true],
      [0x14n, '3e 64 ff e0', false],
      [0x14n, '65 ff e0', true],
    ] as const) {
      const { machine } = make({ text: code, state: { ...state, supervisorCet, rax: TEXT + 0x20n } });
      expect(machine.run(1)).toBe(1);
      expect([machine.get('rip'), machine.get('supervisorCet')]).toEqual([
        TEXT + 0x20n,
        waits ? supervisorCet | 0x800n : supervisorCet,
      ]);
    }
  },
);

both(
  'behind a far JMP or CALL ENDBR64 is due whatever the prefix and whatever was suppressed; a far RET waits for nothing (SDM vol 2)',
  (make) => {
    for (const code of ['48 ff 28', '3e 48 ff 28', '48 ff 18']) {
      const made = make({ text: code, state: { ...state, supervisorCet: 0x414n, rax: DATA } });
      made.space.writeWords(DATA, [TEXT + 0x20n, CS]);
      expect(made.machine.run(1)).toBe(1);
      expect(made.machine.get('supervisorCet')).toBe(0x814n);
      missing(made.machine, TEXT + 0x20n);
    }
    const back = make({ text: '48 cb', state });
    back.space.writeWords(back.machine.get('rsp'), [TEXT + 0x20n, CS]);
    expect(back.machine.run(1)).toBe(1);
    expect(back.machine.get('supervisorCet')).toBe(4n);
  },
);

both('a handler without ENDBR64 is #CP at its first instruction', (make) => {
  const { machine } = make({ handlers: { 2: '90' }, state });
  machine.injectNmi();
  machine.run(1);
  missing(machine, handler(2));
});

both(
  'user and supervisor wait apart: what ring 3 waited for is still waited for after the return',
  (make) => {
    const { machine } = make({
      user: 'ff e0 90',
      state: { ...user, rax: USER_TEXT + 2n },
      handlers: { 2: `${ENDBR64} ${IRETQ}` },
    });
    machine.run(1);
    machine.injectNmi();
    machine.run(1);
    expect([machine.get('userCet'), machine.get('supervisorCet')]).toEqual([0x804n, 0x804n]);
    machine.run(2);
    expect(machine.get('cpl')).toBe(3n);
    missing(machine, USER_TEXT + 2n);
  },
);

both('IRETQ and SYSRET are no indirect branches; SYSCALL waits at its entry', (make) => {
  const back = make({ text: IRETQ, state });
  iretFrame(back, [USER_TEXT, USER_CS, 2n, USER_STACK_TOP, USER_SS]);
  expect(back.machine.run(2)).toBe(2);
  expect(back.machine.get('rip')).toBe(USER_TEXT + 1n);
  const star = 0x0023_0010_0000_0000n;
  const sysret = make({ text: '48 0f 07', state: { ...state, star, rcx: USER_TEXT, r11: 2n } });
  expect(sysret.machine.run(2)).toBe(2);
  const call = make({ user: '0f 05', state: { ...user, star, lstar: TEXT } });
  call.machine.run(1);
  missing(call.machine, TEXT);
});

both(
  '#CP comes before #UD and before an instruction that is too long, behind a fault of the fetch itself (SDM vol 3, "Priority Among Concurrent Events")',
  (make) => {
    const waiting = { ...state, supervisorCet: 0x804n };
    missing(make({ text: '0f 0b', state: waiting }).machine, TEXT);
    missing(make({ text: '06', state: waiting }).machine, TEXT);
    missing(make({ text: '66 '.repeat(15), state: waiting }).machine, TEXT);
    const unmapped = make({ state: { ...waiting, rip: STACK } });
    expect(unmapped.machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
    const halfMapped = make({ state: { ...waiting, rip: TEXT + 0x1fffn } });
    halfMapped.space.write(TEXT + 0x1fffn, Uint8Array.of(0x48));
    expect(halfMapped.machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
  },
);

both('ENDBR64 across a page end ends the wait, a jump that straddles one does not', (make) => {
  const waiting = { ...state, supervisorCet: 0x804n, rip: TEXT + 0xffen };
  const { machine, space } = make({ state: waiting });
  space.write(TEXT + 0xffen, Uint8Array.of(0xf3, 0x0f, 0x1e, 0xfa));
  expect(machine.run(1)).toBe(1);
  expect([machine.get('rip'), machine.get('supervisorCet')]).toEqual([TEXT + 0x1002n, 4n]);
  const other = make({ state: waiting });
  other.space.write(TEXT + 0xffen, Uint8Array.of(0x48, 0x89, 0xc0));
  missing(other.machine, TEXT + 0xffen);
});

both('an NMI is taken before the instruction that was waited for is looked at', (make) => {
  const { machine } = make({ text: '90', state: { ...state, supervisorCet: 0x804n } });
  machine.injectNmi();
  expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 2 });
});

both('a single step traps behind the branch, and the wait lasts over it', (make) => {
  const { machine } = make({
    text: 'ff e0 90',
    state: { ...user, userCet: 4n, cpl: 3n, rax: USER_TEXT + 2n, rflagsRest: 0x102n },
    user: 'ff e0 90',
    handlers: { 1: ENDBR64 },
  });
  machine.run(1);
  expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 1, rip: USER_TEXT + 2n });
  expect(machine.get('userCet')).toBe(0x804n);
});

both('without CR4.CET nothing waits, and turning it on finds what was left', (make) => {
  const { machine } = make({
    text: '90 0f 22 e0 90',
    state: { ...state, cr4: 0x20n, rax: CR4, supervisorCet: 0x804n, cr0: 0x8005_0033n },
  });
  expect(machine.run(2)).toBe(2);
  missing(machine, TEXT + 4n);
});

test('text that changes between the branch and its target is looked at anew, on both backends alike', () => {
  // The target is ENDBR64 when decoded first; the second time it is not.
  const pair = new Pair({ text: `ff e0 ${ENDBR64} eb f8`, state: { ...state, rax: TEXT + 2n } });
  same(pair, 6);
  for (const one of pair.both) one.space.write(TEXT + 2n, Uint8Array.of(0x90, 0x90, 0x90, 0x90));
  pair.do(({ machine }) => machine.set('rip', TEXT));
  same(pair, 3);
  pair.do(({ machine }) => [machine.run(2), machine.get('pendingVector')]);
  expect(pair.machine.get('pendingVector')).toBe(21n);
});
