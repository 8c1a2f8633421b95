import { expect, test } from 'vitest';
import { FRAMES, JOURNAL, LOG, LOG_ENTRY, STATE_SIZE } from '../../src/engine/layout.ts';
import { Machine } from '../../src/engine/machine.ts';
import { bytes, DATA, gate, guest, HANDLERS, IRETQ, NOP, Random, STACK, TABLES, TEXT } from './guest.ts';

/** Linear memory that means something: state block, log and journal up to their heads, guest frames. */
function contents(machine: Machine): Buffer {
  const part = (from: number, length: number): Buffer =>
    Buffer.from(machine.memory.buffer.slice(from, from + length));
  return Buffer.concat([
    part(0, STATE_SIZE),
    part(LOG, machine.logLength * LOG_ENTRY),
    part(JOURNAL, machine.journalHead - JOURNAL),
    part(FRAMES, machine.frames * 0x1000),
  ]);
}

/** call 1f; pop %rax; add %rax,(%rdi); mov %rdx,0xffd(%rdi); int3; incq %rdx; jmp to the start; 1: push %rbx; pop %rcx; ret */
const LOOP = 'e8 13 00 00 00 50 58 48 01 07 48 89 97 fd 0f 00 00 cc 48 ff c2 eb e9 90 53 59 c3';

test('1,000 random steps back and forth give byte-identical memory', () => {
  const { machine } = guest({
    text: LOOP,
    handlers: { 2: `50 ${NOP} 58 ${IRETQ}`, 3: IRETQ },
    ist: { 2: 1 },
    state: { rdi: DATA },
  });
  const random = new Random(7);
  // Moments along the line of time, oldest first.
  const line = [{ mark: machine.mark(), is: contents(machine) }];
  let back = 0;
  for (let step = 0; step < 1000; step++) {
    if (random.below(3) > 0) {
      if (random.below(8) === 0) machine.injectNmi();
      machine.step();
      line.push({ mark: machine.mark(), is: contents(machine) });
    } else {
      const n = random.below(line.length);
      line.length = n + 1;
      machine.undo((line[n] as (typeof line)[0]).mark);
      back++;
    }
    const { is } = line.at(-1) as (typeof line)[0];
    if (!contents(machine).equals(is)) throw new Error(`step ${step}: memory differs`);
  }
  expect(machine.stopReason).toBe('none');
  expect(back).toBeGreaterThan(250);
});

test('going the same way again gives the same memory', () => {
  const { machine } = guest({ text: LOOP, handlers: { 3: IRETQ }, state: { rdi: DATA } });
  const mark = machine.mark();
  machine.run(200);
  const there = contents(machine);
  machine.undo(mark);
  for (let n = 0; n < 200; n++) machine.step();
  expect(contents(machine).equals(there)).toBe(true);
});

test('a mark of an undone future, from before a keyframe, or of another machine is refused', () => {
  const { machine } = guest({ text: '90 90 90 90' });
  const first = machine.mark();
  machine.run(1);
  const second = machine.mark();
  machine.undo(first);
  machine.undo(first);
  const wrong = 'invalid mark: not in the past of this machine';
  expect(() => machine.undo(second)).toThrow(wrong);
  machine.keyframe();
  expect(() => machine.undo(first)).toThrow(wrong);
  expect(() => machine.undo(guest().machine.mark())).toThrow(wrong);
});

test('a description leaves out what is as at reset and sorts the rest', () => {
  expect(new Machine().describe()).toBe('memory=0');
  const { machine } = guest({ state: { rax: 0x1fn, dr7: 0x401n } });
  machine.setRflags(0xffff_ffffn);
  const lines = machine.describe().split('\n');
  expect(lines).toEqual([...lines].sort());
  expect(lines).toContain('rax=1f');
  expect(lines).toContain('dr7=401');
  expect(lines).toContain('rflags=3d7fd7');
  expect(lines.some((line) => /^(cr0|efer|zero|attention|cpl|pending)/.test(line))).toBe(false);
  expect(machine.describeRegisters()).toBe(lines.filter((line) => !line.startsWith('memory')).join('\n'));
});

test('the hash of memory follows stores, undo, keyframes and loading, and forgets history', () => {
  const memoryOf = (machine: Machine): string =>
    machine
      .describe()
      .split('\n')
      .find((line) => line.startsWith('memory')) ?? '';
  // mov %rax,(%rdi); mov %rbx,(%rdi)
  const { machine, space } = guest({ text: '48 89 07 48 89 1f', state: { rdi: DATA, rax: 5n } });
  const start = memoryOf(machine);
  const mark = machine.mark();
  machine.run(1);
  const written = memoryOf(machine);
  expect(written).not.toBe(start);
  machine.run(1);
  expect(memoryOf(machine)).toBe(start);
  machine.undo(mark);
  expect(memoryOf(machine)).toBe(start);
  machine.run(1);
  machine.keyframe();
  expect(memoryOf(machine)).toBe(written);
  space.writeWords(DATA, [0n]);
  expect(memoryOf(machine)).toBe(start);
  space.writeWords(DATA, [5n]);
  expect(memoryOf(machine)).toBe(written);
  // The same word at another place is another memory.
  space.writeWords(DATA, [0n, 5n]);
  expect(memoryOf(machine)).not.toBe(written);
});

test('equal flags from different instructions are one state', () => {
  // xor %eax,%eax against sub %eax,%eax: AF aside, the lazy flag words differ
  const one = guest({ text: '31 c0' }).machine;
  const two = guest({ text: '29 c0' }).machine;
  one.run(1);
  two.run(1);
  expect(one.rflags()).toBe(0x46n);
  expect(one.describeRegisters()).toBe(two.describeRegisters());
});

test('what was pending leaves no trace once it is delivered', () => {
  const { machine } = guest({ text: '0f 0b' });
  machine.run(1);
  expect(machine.describe()).toContain('pendingVector=6');
  machine.run(1);
  expect(machine.describe()).not.toContain('pending');
});

test('a run is sliced but counts as one', () => {
  const { machine } = guest({ text: 'eb fe' });
  expect(machine.run(300_000)).toBe(300_000);
  expect(machine.run(0)).toBe(0);
});

test('bad arguments say what is wrong', () => {
  expect(() => new Machine({ frames: 0 })).toThrow('invalid number of frames: 0');
  expect(() => new Machine({ frames: 32_769 })).toThrow('invalid number of frames: 32769');
  const machine = new Machine({ frames: 1 });
  expect(() => machine.writeGuest(0xfff, bytes('90 90'))).toThrow('invalid guest physical address: 0xfff');
});

test('stepping tells the instruction', () => {
  const { machine, space } = guest({ text: '50 cc', handlers: { 3: IRETQ } });
  expect(machine.step().instruction?.row.mnemonic).toBe('push');
  expect(machine.step().instruction?.row.mnemonic).toBe('int3');
  expect(machine.step()).toEqual({ kind: 'delivery', rip: TEXT + 1n, vector: 3, software: true });
  space.writeWords(TABLES + 32n, gate(HANDLERS, 0, 0n));
  expect(machine.get('rsp')).toBe(STACK + 0x3800n - 40n);
});
