import { expect, test } from 'vitest';
import { AMD } from '../../src/engine/vendor.ts';
import {
  CS,
  GDT,
  type Guest,
  guest,
  HANDLERS,
  IRETQ,
  iretFrame,
  istTop,
  NOP,
  SS,
  STACK,
  TEXT,
  USER_CS,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';

const TARGET = TEXT + 0x10n;
const NEW_RSP = STACK + 0x1000n;

/** IRETQ at TEXT with a frame on the stack, NMIs blocked and one waiting. */
function blocked(frame: readonly bigint[], options: Parameters<typeof guest>[0] = {}): Guest {
  const made = guest({ text: `${IRETQ} 90`, ...options });
  iretFrame(made, frame);
  made.machine.set('nmiBlocked', 1n);
  expect(made.machine.injectNmi()).toBe('latched');
  return made;
}

test('IRETQ pops five words also within a ring, unblocks NMIs, and the waiting one comes before the next instruction', () => {
  const { machine } = blocked([TARGET, CS, 0x246n, NEW_RSP, SS]);
  expect(machine.step()).toMatchObject({ kind: 'instruction', rip: TEXT });
  expect([machine.get('rip'), machine.get('rsp'), machine.rflags()]).toEqual([TARGET, NEW_RSP, 0x246n]);
  expect(machine.get('nmiBlocked')).toBe(0n);
  expect(machine.step()).toMatchObject({ kind: 'delivery', rip: TARGET, vector: 2 });
  expect(machine.read(NEW_RSP - 40n, 64)).toBe(TARGET);
});

test('IRETQ to ring 3', () => {
  const { machine } = blocked([USER_TEXT, USER_CS, 0x3202n, USER_STACK_TOP, USER_SS]);
  machine.step();
  expect([machine.get('cpl'), machine.get('cs'), machine.get('ss')]).toEqual([3n, USER_CS, USER_SS]);
  expect(machine.rflags()).toBe(0x3202n);
});

test('a faulting IRETQ has unblocked NMIs before the fault is handled: #GP first, then the NMI', () => {
  const { machine } = blocked([0x8000_0000_0000n, CS, 2n, NEW_RSP, SS], {
    handlers: { 13: NOP },
    ist: { 2: 1 },
  });
  const before = machine.describe();
  expect(machine.step()).toMatchObject({ kind: 'fault', rip: TEXT, vector: 13 });
  expect(machine.get('nmiBlocked')).toBe(0n);
  const after = machine
    .describe()
    .split('\n')
    .filter((line) => !/^(pending|nmi)/.test(line));
  expect(after).toEqual(before.split('\n').filter((line) => !/^(pending|nmi)/.test(line)));
  expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 13 });
  expect(machine.step()).toMatchObject({ kind: 'delivery', rip: HANDLERS + 13n * 64n, vector: 2 });
  expect(machine.read(istTop(1) - 40n, 64)).toBe(HANDLERS + 13n * 64n);
});

test('the other vendor: a faulting IRETQ leaves NMIs blocked', () => {
  const { machine } = blocked([0x8000_0000_0000n, CS, 2n, NEW_RSP, SS], { vendor: AMD });
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
  expect(machine.get('nmiBlocked')).toBe(1n);
  machine.run(2);
  expect(machine.step()).toMatchObject({ kind: 'stopped' });
  expect(machine.get('nmiPending')).toBe(1n);
});

test('IRETQ that stops as not modelled changes nothing, the latch included', () => {
  const { machine, space } = blocked([TARGET, 0x38n, 2n, NEW_RSP, SS], { state: { gdtLimit: 0x3fn } });
  space.writeWords(GDT + 0x38n, [0x00cf_9b00_0000_ffffn]);
  const before = machine.describe();
  expect(machine.run(1)).toBe(0);
  expect(machine.stopReason).toBe('not modelled: return to compatibility mode');
  expect(machine.describe()).toBe(before);
  expect(machine.get('nmiBlocked')).toBe(1n);
});

const good: Readonly<Record<'rip' | 'cs' | 'flags' | 'rsp' | 'ss', bigint>> = {
  rip: TARGET,
  cs: CS,
  flags: 2n,
  rsp: NEW_RSP,
  ss: SS,
};
for (const [what, change, vector, code] of [
  ['a null CS', { cs: 3n }, 13, 0n],
  ['a CS outside the table', { cs: 0x40n }, 13, 0x40n],
  ['a CS in the local table', { cs: 0x14n }, 13, 0x14n],
  ['a CS that is data', { cs: 0x18n }, 13, 0x18n],
  ['a CS with RPL above DPL', { cs: CS | 3n }, 13, 0x10n],
  ['a null SS for ring 3', { cs: USER_CS, ss: 3n }, 13, 0n],
  ['a null SS of another ring for ring 0', { cs: CS, ss: 3n }, 13, 0n],
  ['an SS of another RPL', { ss: USER_SS }, 13, 0x28n],
  ['an SS that is code', { ss: CS }, 13, 0x10n],
  ['a non-canonical RIP', { rip: 1n << 47n }, 13, 0n],
] as const) {
  test(`${what} is #GP(${code.toString(16)})`, () => {
    const { rip, cs, flags, rsp, ss } = { ...good, ...change };
    const { machine } = blocked([rip, cs, flags, rsp, ss]);
    expect(machine.step()).toMatchObject({ kind: 'fault', vector });
    expect(machine.get('pendingCode')).toBe(code);
  });
}

test('NT is #GP(0); ring 3 cannot return to ring 0; a null SS is allowed in ring 0', () => {
  const nested = blocked([TARGET, CS, 2n, NEW_RSP, SS]);
  nested.machine.setRflags(0x4002n);
  expect(nested.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
  const state = { cpl: 3n, cs: USER_CS, ss: USER_SS, rip: USER_TEXT, rsp: USER_STACK_TOP - 64n };
  const inwards = blocked([TARGET, CS, 2n, NEW_RSP, SS], { user: IRETQ, state });
  expect(inwards.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
  expect(inwards.machine.get('pendingCode')).toBe(0x10n);
  expect(blocked([TARGET, CS, 2n, NEW_RSP, 0n]).machine.step().kind).toBe('instruction');
});

test('an absent CS is #NP, an absent SS is #SS, a frame that is not mapped #PF', () => {
  const code = blocked([TARGET, CS, 2n, NEW_RSP, SS]);
  code.space.writeWords(GDT + CS, [0x00af_1b00_0000_ffffn]);
  expect(code.machine.step()).toMatchObject({ kind: 'fault', vector: 11 });
  const stack = blocked([TARGET, CS, 2n, NEW_RSP, SS]);
  stack.space.writeWords(GDT + SS, [0x00cf_1300_0000_ffffn]);
  expect(stack.machine.step()).toMatchObject({ kind: 'fault', vector: 12 });
  const { machine } = blocked([TARGET, CS, 2n, NEW_RSP, SS]);
  machine.set('rsp', STACK + 0x4000n - 32n);
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
  expect(machine.get('cr2')).toBe(STACK + 0x4000n);
  expect(machine.get('nmiBlocked')).toBe(0n);
});

test('IRETQ in ring 3 changes neither IOPL nor, above it, IF', () => {
  const state = { cpl: 3n, cs: USER_CS, ss: USER_SS, rip: USER_TEXT, rsp: USER_STACK_TOP - 64n };
  const { machine } = blocked([USER_TEXT, USER_CS, 0x25_7fd7n, USER_STACK_TOP, USER_SS], {
    user: IRETQ,
    state,
  });
  expect(machine.step().kind).toBe('instruction');
  expect(machine.rflags()).toBe(0x25_7fd7n & ~0x3200n);
});

test('a return to ring 3 makes data segments null that lie further in, and null selectors zero (SDM vol 2, IRET)', () => {
  const frame = [USER_TEXT, USER_CS, 2n, USER_STACK_TOP, USER_SS] as const;
  // mov %eax,%ds; mov %ebx,%es; mov %ecx,%fs; iretq
  const made = guest({ text: `8e d8 8e c3 8e e1 ${IRETQ}`, state: { rax: SS, rbx: USER_SS, rcx: 3n } });
  iretFrame(made, frame);
  expect(made.machine.run(4)).toBe(4);
  const segments = (['ds', 'es', 'fs', 'gs', 'dataPrivilege'] as const).map((name) => made.machine.get(name));
  expect(segments).toEqual([0n, USER_SS, 0n, 0n, 0n]);
  // Within a ring nothing is lost.
  const within = guest({ text: `8e d8 8e c3 8e e1 ${IRETQ}`, state: { rax: SS, rcx: 3n } });
  iretFrame(within, [TARGET, CS, 2n, NEW_RSP, SS]);
  within.machine.run(4);
  expect([within.machine.get('ds'), within.machine.get('fs')]).toEqual([SS, 3n]);
});
