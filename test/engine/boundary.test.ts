import { expect, test } from 'vitest';
import { AMD } from '../../src/engine/vendor.ts';
import { CS, frameAt, guest, HANDLERS, IRETQ, iretFrame, istTop, NOP, SS, STACK, TEXT } from './guest.ts';

const TF = 0x100n;
const kinds = (machine: ReturnType<typeof guest>['machine'], steps: number): string[] =>
  Array.from({ length: steps }, () => {
    const { kind, vector, rip } = machine.step();
    return `${kind}${vector === undefined ? '' : ` ${vector}`} ${(rip - TEXT).toString(16)}`;
  });

test('one NMI is remembered while NMIs are blocked, further ones merge into it', () => {
  const { machine } = guest({ handlers: { 2: `${NOP} ${IRETQ}` } });
  expect(machine.injectNmi()).toBe('pending');
  expect(machine.injectNmi()).toBe('merged');
  machine.run(1);
  expect(machine.injectNmi()).toBe('latched');
  expect(machine.injectNmi()).toBe('merged');
  expect(machine.inject('nmi')).toBe('merged');
  // delivery, nop, iretq | delivery, nop, iretq | nop
  expect(kinds(machine, 6)).toEqual([
    'instruction 1080',
    'instruction 1081',
    'delivery 2 0',
    'instruction 1080',
    'instruction 1081',
    'instruction 0',
  ]);
  expect(machine.get('nmiPending')).toBe(0n);
});

test('any IRET opens the latch: a breakpoint inside the NMI handler lets the next one in', () => {
  const { machine } = guest({ ist: { 2: 1 }, handlers: { 2: `cc ${NOP} ${IRETQ}`, 3: IRETQ } });
  machine.injectNmi();
  machine.run(1);
  machine.injectNmi();
  expect(kinds(machine, 4)).toEqual([
    'instruction 1080',
    'delivery 3 1080',
    'instruction 10c0',
    'delivery 2 1081',
  ]);
  // The IST stack was loaded again: the return to the task is lost.
  expect(frameAt(machine, istTop(1) - 40n)[0]).toBe(HANDLERS + 2n * 64n + 1n);
});

test('TF set by POPF traps after the following instruction, once', () => {
  // popfq; nop; nop
  const { machine, space } = guest({ text: '9d 90 90', handlers: { 1: NOP } });
  space.writeWords(machine.get('rsp'), [TF | 2n]);
  expect(kinds(machine, 3)).toEqual(['instruction 0', 'instruction 1', 'delivery 1 2']);
  expect(machine.get('dr6')).toBe(0xffff_4ff0n);
  expect(frameAt(machine, machine.get('rsp')).slice(0, 3)).toEqual([TEXT + 2n, CS, TF | 2n]);
  expect(kinds(machine, 1)).toEqual(['instruction 1040']);
});

test('TF set by IRETQ traps after the target, and the handler that returns with TF traps again', () => {
  const made = guest({ text: `${IRETQ} 90 90 90`, handlers: { 1: IRETQ } });
  iretFrame(made, [TEXT + 2n, CS, TF | 2n, STACK + 0x2000n, SS]);
  expect(kinds(made.machine, 6)).toEqual([
    'instruction 0',
    'instruction 2',
    'delivery 1 3',
    'instruction 1040',
    'instruction 3',
    'delivery 1 4',
  ]);
});

test('the instruction that clears TF is still a step', () => {
  const { machine, space } = guest({ text: '9d 90', state: { rflagsRest: TF | 2n } });
  space.writeWords(machine.get('rsp'), [2n]);
  expect(kinds(machine, 2)).toEqual(['instruction 0', 'delivery 1 1']);
  expect(frameAt(machine, machine.get('rsp'))[2]).toBe(2n);
});

test('a fault and a software interrupt are not single steps', () => {
  const int3 = guest({ text: 'cc 90', handlers: { 3: NOP }, state: { rflagsRest: TF | 2n } });
  expect(kinds(int3.machine, 3)).toEqual(['instruction 0', 'delivery 3 0', 'instruction 10c0']);
  const ud = guest({ text: '0f 0b', handlers: { 6: NOP }, state: { rflagsRest: TF | 2n } });
  expect(kinds(ud.machine, 3)).toEqual(['fault 6 0', 'delivery 6 0', 'instruction 1180']);
  expect(ud.machine.get('dr6')).toBe(0xffff_0ff0n);
});

test('a single-step trap and an NMI at one boundary: #DB first, the NMI at the first instruction of its handler', () => {
  const { machine } = guest({
    text: '90 90',
    ist: { 1: 1, 2: 2 },
    handlers: { 1: IRETQ, 2: IRETQ },
    state: { rflagsRest: TF | 2n },
  });
  machine.run(1);
  machine.injectNmi();
  expect(kinds(machine, 2)).toEqual(['delivery 1 1', 'delivery 2 1040']);
  expect(frameAt(machine, istTop(2) - 40n)[0]).toBe(HANDLERS + 64n);
});

test('MOV SS holds back NMI and single step for one instruction, and a second one does not prolong it', () => {
  // mov %eax,%ss; mov %eax,%ss; nop
  const made = guest({ text: '8e d0 8e d0 90', state: { rax: SS } });
  made.machine.run(1);
  made.machine.injectNmi();
  expect(kinds(made.machine, 2)).toEqual(['instruction 2', 'delivery 2 4']);
  const stepped = guest({ text: '8e d0 90 90', state: { rax: SS, rflagsRest: TF | 2n } });
  expect(kinds(stepped.machine, 3)).toEqual(['instruction 0', 'instruction 2', 'delivery 1 3']);
});

test('the STI shadow holds an NMI back where the vendor says so', () => {
  const intel = guest({ text: 'fb 90 90' });
  intel.machine.run(1);
  intel.machine.injectNmi();
  expect(kinds(intel.machine, 1)).toEqual(['delivery 2 1']);
  const other = guest({ text: 'fb 90 90', vendor: AMD });
  other.machine.run(1);
  other.machine.injectNmi();
  expect(kinds(other.machine, 2)).toEqual(['instruction 1', 'delivery 2 2']);
});

test('RF lasts one instruction, an NMI between two REP iterations pushes it set, and IRET resumes', () => {
  // rep stosb with RCX = 3
  const { machine, space } = guest({ text: 'f3 aa 90', handlers: { 2: IRETQ } });
  machine.set('rdi', STACK);
  machine.set('rcx', 3n);
  expect(kinds(machine, 1)).toEqual(['repeat 0']);
  machine.injectNmi();
  machine.run(1);
  expect(frameAt(machine, machine.get('rsp'))[2]).toBe(0x1_0002n);
  expect(kinds(machine, 3)).toEqual(['instruction 1080', 'repeat 0', 'instruction 0']);
  expect(machine.rflags()).toBe(2n);
  expect(space.linear(machine.physical(STACK) ?? 0)).toBe(STACK);
});

test('an instruction that stays at its own address is no repetition', () => {
  const { machine } = guest({ text: 'eb fe' });
  expect(kinds(machine, 2)).toEqual(['instruction 0', 'instruction 0']);
});

test('HLT waits behind itself; an NMI goes on from there', () => {
  const { machine } = guest({ text: 'f4 90', handlers: { 2: IRETQ } });
  expect(machine.run(10)).toBe(1);
  expect(machine.stopReason).toBe('halted');
  const before = machine.describe();
  expect(machine.step()).toMatchObject({ kind: 'stopped', rip: TEXT + 1n });
  expect(machine.describe()).toBe(before);
  machine.injectNmi();
  expect(kinds(machine, 3)).toEqual(['delivery 2 1', 'instruction 1080', 'instruction 1']);
  expect(machine.stopReason).toBe('none');
});

test('a full journal is a stop, and a keyframe goes on', () => {
  // 1: mov %rax,(%rdi); jmp 1b
  const { machine } = guest({ text: '48 89 07 eb fb', state: { rdi: STACK } });
  const made = machine.run(1_000_000);
  expect(made).toBeLessThan(1_000_000);
  expect(machine.stopReason).toBe('journal or log full');
  expect(machine.run(1)).toBe(0);
  machine.keyframe();
  expect(machine.run(1000)).toBe(1000);
  // 1: call 1f; 1: pop %rax; jmp 1b
  const calls = guest({ text: 'e8 00 00 00 00 58 eb f8' }).machine;
  calls.run(1_000_000);
  expect(calls.stopReason).toBe('journal or log full');
  calls.keyframe();
  expect(calls.run(1000)).toBe(1000);
});
