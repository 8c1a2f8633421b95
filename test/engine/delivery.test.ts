import { expect, test } from 'vitest';
import {
  CS,
  DATA,
  frameAt,
  gate,
  guest,
  HANDLERS,
  IRETQ,
  istTop,
  NOP,
  SS,
  STACK,
  STACK_TOP,
  TABLES,
  TEXT,
  TSS,
  USER_CS,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';

const handler = (vector: number): bigint => HANDLERS + BigInt(vector * 64);
const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
const RSP = STACK + 0x3808n;

test('an NMI without IST in ring 0 pushes below RSP, aligned to 16', () => {
  const { machine } = guest();
  machine.setRflags(0x246n);
  expect(machine.injectNmi()).toBe('pending');
  expect(machine.step()).toEqual({ kind: 'delivery', rip: TEXT, vector: 2, software: false });
  expect(machine.get('rsp')).toBe(STACK + 0x3800n - 40n);
  expect(frameAt(machine, machine.get('rsp'))).toEqual([TEXT, CS, 0x246n, RSP, SS]);
  expect(machine.get('rip')).toBe(handler(2));
  expect(machine.get('nmiBlocked')).toBe(1n);
  expect(machine.get('nmiPending')).toBe(0n);
  expect(machine.rflags()).toBe(0x46n);
});

test('an NMI with IST loads RSP from the TSS and leaves SS alone in ring 0', () => {
  const { machine } = guest({ ist: { 2: 3 } });
  machine.injectNmi();
  machine.run(1);
  expect(machine.get('rsp')).toBe(istTop(3) - 40n);
  expect(frameAt(machine, istTop(3) - 40n)).toEqual([TEXT, CS, 2n, RSP, SS]);
  expect(machine.get('ss')).toBe(SS);
});

test('an NMI from ring 3 takes RSP0 without IST, and SS becomes null', () => {
  const { machine } = guest({ state: user });
  machine.injectNmi();
  machine.run(1);
  expect(machine.get('rsp')).toBe(STACK_TOP - 40n);
  expect(frameAt(machine, STACK_TOP - 40n)).toEqual([USER_TEXT, USER_CS, 2n, USER_STACK_TOP - 8n, USER_SS]);
  expect([machine.get('ss'), machine.get('cs'), machine.get('cpl')]).toEqual([0n, CS, 0n]);
});

test('an IST gate loads RSP again although it runs on that stack already: the first frame is gone', () => {
  const { machine } = guest({ ist: { 2: 1 }, handlers: { 2: `${NOP} ${IRETQ}` } });
  machine.injectNmi();
  machine.run(2);
  machine.set('nmiBlocked', 0n);
  machine.injectNmi();
  machine.run(1);
  expect(machine.get('rsp')).toBe(istTop(1) - 40n);
  expect(frameAt(machine, istTop(1) - 40n)).toEqual([handler(2) + 1n, CS, 2n, istTop(1) - 40n, SS]);
});

test('INT3 from ring 3 goes through a gate with DPL 3 and returns behind itself', () => {
  const { machine } = guest({ state: user, user: 'cc 90', ist: { 3: 4 } });
  expect(machine.step().kind).toBe('instruction');
  expect(machine.get('rip')).toBe(USER_TEXT);
  expect(machine.step()).toEqual({ kind: 'delivery', rip: USER_TEXT, vector: 3, software: true });
  expect(frameAt(machine, istTop(4) - 40n)).toEqual([
    USER_TEXT + 1n,
    USER_CS,
    2n,
    USER_STACK_TOP - 8n,
    USER_SS,
  ]);
});

test('a software interrupt through a gate with DPL 0 is a #GP of that instruction, without EXT', () => {
  const { machine } = guest({ state: user, user: 'cd 02' });
  machine.run(1);
  expect(machine.step()).toEqual({ kind: 'fault', rip: USER_TEXT, vector: 13 });
  machine.run(1);
  expect(frameAt(machine, machine.get('rsp'), 6)).toEqual([
    2n * 8n + 2n,
    USER_TEXT,
    USER_CS,
    0x1_0002n,
    USER_STACK_TOP - 8n,
    USER_SS,
  ]);
});

test('INT1 is not checked against the DPL of its gate', () => {
  const { machine } = guest({ state: user, user: 'f1' });
  machine.run(1);
  expect(machine.step()).toEqual({ kind: 'delivery', rip: USER_TEXT, vector: 1, software: false });
  expect(frameAt(machine, STACK_TOP - 40n)[0]).toBe(USER_TEXT + 1n);
});

test('#PF pushes its error code below the frame, RF in the image, and CR2 holds the address', () => {
  // movq $0, 8(%rax)
  const { machine } = guest({ text: '48 c7 40 08 00 00 00 00', state: { rax: 0x1234_5000n } });
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14, rip: TEXT });
  expect(machine.get('cr2')).toBe(0x1234_5008n);
  machine.run(1);
  expect(machine.get('rsp')).toBe(STACK + 0x3800n - 48n);
  expect(frameAt(machine, machine.get('rsp'), 6)).toEqual([2n, TEXT, CS, 0x1_0002n, RSP, SS]);
});

test('#PF with IST: the error code lies below an aligned top', () => {
  const { machine } = guest({ text: '48 8b 00', ist: { 14: 2 }, state: { rax: DATA - 8n } });
  machine.run(2);
  expect(machine.get('rsp')).toBe(istTop(2) - 48n);
  expect(frameAt(machine, istTop(2) - 48n, 6)).toEqual([0n, TEXT, CS, 0x1_0002n, RSP, SS]);
});

test('a non-canonical address is #GP(0), with RSP as base #SS(0)', () => {
  const state = { rax: 0x8000_0000_0000n };
  const data = guest({ text: '48 8b 00', state });
  expect(data.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
  const stack = guest({ text: '48 8b 04 24', state: { rsp: 0x8000_0000_0000n }, ist: { 12: 5 } });
  expect(stack.machine.step()).toMatchObject({ kind: 'fault', vector: 12 });
  stack.machine.run(1);
  expect(frameAt(stack.machine, istTop(5) - 48n, 2)).toEqual([0n, TEXT]);
});

test('a vector outside the IDT is #GP with the vector, IDT and EXT in its error code', () => {
  const { machine } = guest({ text: '0f 0b', state: { idtLimit: 0xdfn } });
  machine.run(1);
  machine.set('pendingVector', 14n);
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 8 });
  const { machine: other } = guest({ text: '0f 0b', state: { idtLimit: 0x6en } });
  other.run(1);
  expect(other.step()).toMatchObject({ kind: 'fault', vector: 13 });
  expect(other.get('pendingCode')).toBe(6n * 8n + 3n);
});

test('a gate that is absent is #NP, one of another type #GP', () => {
  const { machine, space } = guest();
  const [low = 0n, high = 0n] = gate(HANDLERS, 0, 0n);
  space.writeWords(TABLES + 32n, [low & ~(1n << 47n), high]);
  machine.injectNmi();
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 11 });
  expect(machine.get('pendingCode')).toBe(2n * 8n + 3n);
  expect(machine.get('nmiBlocked')).toBe(1n);
  const wrong = guest();
  wrong.space.writeWords(TABLES + 32n, gate(HANDLERS, 0, 0n, 0xcn));
  wrong.machine.injectNmi();
  expect(wrong.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
});

test('a trap gate leaves IF alone, an interrupt gate clears it; both clear TF, NT and RF', () => {
  for (const [type, image] of [
    [0xfn, 0x202n],
    [0xen, 2n],
  ] as const) {
    const { machine, space } = guest();
    space.writeWords(TABLES + 32n, gate(HANDLERS, 0, 0n, type));
    machine.setRflags(0x1_4302n);
    machine.injectNmi();
    machine.run(1);
    expect(machine.rflags()).toBe(image);
    expect(frameAt(machine, machine.get('rsp'))[2]).toBe(0x1_4302n);
  }
});

test('a kernel stack overflow: the page fault cannot be pushed, #DF runs on its IST stack', () => {
  // push %rax at the lowest word of the stack
  const { machine } = guest({ text: '50', ist: { 8: 1 }, state: { rsp: STACK } });
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
  expect(machine.get('cr2')).toBe(STACK - 8n);
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 8 });
  expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 8 });
  expect(frameAt(machine, istTop(1) - 48n, 6)).toEqual([0n, TEXT, CS, 0x1_0002n, STACK, SS]);
});

test('a fault while #DF is delivered is a shutdown, which changes nothing', () => {
  const { machine } = guest({ text: '50', state: { rsp: STACK } });
  machine.run(2);
  const before = machine.describe();
  expect(machine.run(5)).toBe(0);
  expect(machine.stopReason).toBe('shutdown');
  expect(machine.describe()).toBe(before);
});

test('a fault while a benign event is delivered is delivered in its turn', () => {
  // The NMI's stack is not mapped; the page fault has one of its own.
  const { machine, space } = guest({ ist: { 2: 1, 14: 2 } });
  space.writeWords(TSS + 36n, [DATA - 0x1000n]);
  machine.injectNmi();
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
  expect(machine.get('cr2')).toBe(DATA - 0x1008n);
  expect(machine.get('nmiBlocked')).toBe(1n);
  expect(machine.get('pendingCode')).toBe(2n);
  machine.run(1);
  expect(frameAt(machine, istTop(2) - 48n, 2)).toEqual([2n, TEXT]);
});

test('the log tells the interrupted RIP and RSP, where the frame lies, and the handler', () => {
  const { machine } = guest({ ist: { 2: 1 }, handlers: { 2: IRETQ } });
  machine.injectNmi();
  machine.run(2);
  expect([...machine.log()]).toEqual([
    { kind: 'delivery', vector: 2, rip: TEXT, rsp: istTop(1) - 40n, target: handler(2), outerRsp: RSP },
    { kind: 'iret', vector: 0, rip: handler(2), rsp: istTop(1) - 40n, target: TEXT, outerRsp: RSP },
  ]);
  expect([...machine.log(1)].map(({ kind }) => kind)).toEqual(['iret']);
});

test('the journal tells every word of the frame, the highest first', () => {
  const { machine, space } = guest({ ist: { 14: 1 }, text: '48 8b 00', state: { rax: 8n } });
  machine.run(1);
  const head = machine.journalHead;
  machine.run(1);
  const words = machine.journalSince(head).map(({ physical }) => space.linear(physical));
  expect(words).toEqual([8n, 16n, 24n, 32n, 40n, 48n].map((n) => istTop(1) - n));
});
