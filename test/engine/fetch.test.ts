import { expect, test } from 'vitest';
import { CS, DATA, guest, TEXT } from './guest.ts';

test('text that changes is decoded anew, also by the instruction before it and across undo', () => {
  // movb $0x48,2(%rdi) turns "90 ff c0" (nop; inc %eax) into "48 ff c0" (inc %rax)
  const text = 'c6 47 04 48 90 ff c0';
  const made = guest({ state: { rax: 0xffff_ffffn, rdi: DATA, rip: DATA } });
  made.space.protect(DATA, 1, { writable: true, executable: true });
  made.space.write(
    DATA,
    Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16)),
  );
  const { machine } = made;
  const mark = machine.mark();
  machine.set('rip', DATA + 4n);
  machine.run(2);
  expect(machine.get('rax')).toBe(0n);
  machine.undo(mark);
  machine.run(2);
  expect(machine.get('rax')).toBe(0x1_0000_0000n);
  machine.undo(mark);
  machine.set('rip', DATA + 4n);
  machine.run(2);
  expect(machine.get('rax')).toBe(0n);
});

test('an instruction across pages is fetched from both; its second page may fault', () => {
  const whole = guest({ state: { rip: TEXT + 0xffen } });
  whole.space.write(TEXT + 0xffen, Uint8Array.of(0x48, 0xff, 0xc0));
  expect(whole.machine.step()).toMatchObject({ kind: 'instruction', instruction: { length: 3 } });
  expect(whole.machine.get('rip')).toBe(TEXT + 0x1001n);
  const half = guest({ state: { rip: TEXT + 0x1ffen } });
  half.space.write(TEXT + 0x1ffen, Uint8Array.of(0x48, 0xff));
  expect(half.machine.step()).toEqual({ kind: 'fault', rip: TEXT + 0x1ffen, vector: 14 });
  expect(half.machine.get('cr2')).toBe(TEXT + 0x2000n);
  expect(half.machine.get('pendingCode')).toBe(0x10n);
});

test('the last byte of a page may be a whole instruction, or undefined, without a look at the next page', () => {
  const last = guest({ state: { rip: TEXT + 0x1fffn } });
  last.space.write(TEXT + 0x1fffn, Uint8Array.of(0x90));
  expect(last.machine.step().kind).toBe('instruction');
  const undefinedOne = guest({ state: { rip: TEXT + 0x1fffn } });
  undefinedOne.space.write(TEXT + 0x1fffn, Uint8Array.of(0x06));
  expect(undefinedOne.machine.step()).toMatchObject({ kind: 'fault', vector: 6 });
});

test('undefined bytes are #UD, more than fifteen #GP(0)', () => {
  expect(guest({ text: '06' }).machine.step()).toEqual({ kind: 'fault', rip: TEXT, vector: 6 });
  const long = guest({ text: '66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90' });
  expect(long.machine.step()).toEqual({ kind: 'fault', rip: TEXT, vector: 13 });
  const just = guest({ text: '66 66 66 66 66 66 66 66 66 66 66 66 66 66 90' });
  expect(just.machine.step().kind).toBe('instruction');
});

test('LEA adds no segment base, other operands do; RIP-relative means behind the instruction', () => {
  // lea %gs:8(%rbx),%rax; mov %gs:8,%rcx; lea 0(%rip),%rdx
  const text = '65 48 8d 43 08 65 48 8b 0c 25 08 00 00 00 48 8d 15 00 00 00 00';
  const { machine, space } = guest({ text, state: { gsBase: DATA, rbx: 0x10n, cs: CS } });
  space.writeWords(DATA + 8n, [0x55n]);
  machine.run(3);
  expect(machine.stopReason).toBe('none');
  expect([machine.get('rax'), machine.get('rcx'), machine.get('rdx')]).toEqual([0x18n, 0x55n, TEXT + 21n]);
});
