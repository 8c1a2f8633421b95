/** Text that changes under the interpreter: by stores, by the loader, by undo, by another mapping. Step by step and in a slice. */
import { expect, test } from 'vitest';
import type { Mark } from '../../src/engine/machine.ts';
import { bytes, DATA, DATA_TABLE, type GuestOptions, NOP, Random, TEXT } from './guest.ts';
import { get, Pair, remap, same } from './wasm-pair.ts';

/** Text on the writable page DATA, which may be executed. */
function writableText(text: string, state: GuestOptions['state'] = {}): Pair {
  const pair = new Pair({ state: { rip: DATA, rdi: DATA, ...state } });
  for (const { space } of pair.both) {
    space.protect(DATA, 2, { writable: true, executable: true });
    space.write(DATA, bytes(text));
  }
  return pair;
}
test('an instruction that changes the next one, itself, or the one before', () => {
  // movb $0x48,5(%rdi); nop; inc %eax  ->  the last two become inc %rax
  same(writableText(`c6 47 04 48 90 ff c0 f4`, { rax: 0xffff_ffffn }), 3);
  // movb $0x90,(%rdi), which turns itself into NOP and the rest; twice round
  same(writableText('c6 07 90 eb fb f4'), 4);
  // 1: inc %eax; movb $0xc8,1(%rdi) makes it dec %eax; jmp 1b
  same(writableText('ff c0 c6 47 01 c8 eb f8', { rax: 5n }), 7);
  // A store of eight bytes that is not aligned, over three instructions ahead.
  same(writableText('48 89 47 05 90 ff c0 ff c1 ff c2 ff c3 f4', { rax: 0x90c2_ffc1_ffc0_ff90n }), 6);
});

test('the last bytes of a long instruction, and a page that is written before it is executed', () => {
  // 1: movabs $0x1122334455667788,%rcx; movb $0x99,9(%rdi); jmp 1b
  const long = writableText('48 b9 88 77 66 55 44 33 22 11 c6 47 09 99 eb f0');
  same(long, 4);
  expect(get(long, 'rcx') >> 56n).toBe(0x99n);
  // push %rax; pop %rax; mov %al,16(%rdi); call *%rsi; mov %al,1(%rdi); call *%rsi, two addresses of one frame: inc %ecx; ret, then dec
  const state = { rdi: DATA + 0x1000n, rsi: DATA + 0x10_5000n, rax: 0xc9n, rcx: 7n };
  const pair = new Pair({ text: '50 58 88 47 10 ff d6 88 47 01 ff d6', state });
  for (const { machine, space } of pair.both) {
    space.map(DATA + 0x10_5000n, 1, { executable: true }, space.physical(DATA + 0x1000n));
    space.write(DATA + 0x1000n, bytes('ff c1 c3'));
    machine.keyframe();
  }
  same(pair, 10);
  expect(get(pair, 'rcx')).toBe(7n);
});

test('instructions that overlap and go on together; one that becomes two and one again', () => {
  // mov $0x90909090,%eax; inc %eax; dec %ecx; jne to the four NOPs that are the immediate; hlt
  same(new Pair({ text: 'b8 90 90 90 90 ff c0 ff c9 75 f6 f4', state: { rcx: 3n } }), 22);
  // 1: mov %dl,7(%rdi); xchg %dl,%dh; nop; nop; inc %rax, or nop; inc %eax; dec %ecx; jne 1b
  const text = '88 57 07 86 d6 90 90 48 ff c0 ff c9 75 f2 f4';
  const pair = writableText(text, { rdx: 0x4890n, rcx: 5n, rax: 0xffff_fffen });
  same(pair, 38);
  expect(get(pair, 'rax')).toBe(3n);
});

test('a repeated store runs over the instructions behind it', () => {
  // rep stosb over the text that follows, then NOPs
  const text = `f3 aa ${NOP} ff c0 ff c0 ff c0 ff c0 f4`;
  const pair = writableText(text, { rdi: DATA + 2n, rcx: 9n, rax: 0x90n });
  same(pair, 16);
  // rep stosb over itself
  same(writableText(text, { rdi: DATA, rcx: 9n, rax: 0x90n }), 8);
});

test('text changed through another address, by the loader, and taken back', () => {
  const pair = new Pair({ text: 'ff c0 eb fc', state: { rdi: DATA + 0x1000n } });
  for (const { machine, space } of pair.both) {
    // A second, writable mapping of the frame of TEXT.
    space.map(DATA + 0x10_0000n, 1, { writable: true }, space.physical(TEXT));
    machine.run(10);
  }
  pair.expectSame('before');
  const marks = pair.both.map(({ machine }) => machine.mark());
  for (const { machine, space } of pair.both) {
    // inc %eax becomes dec %eax.
    space.write(TEXT + 1n, Uint8Array.of(0xc8));
    machine.run(10);
  }
  pair.expectSame('written by the loader');
  expect(get(pair, 'rax')).toBe(0n);
  for (const { machine, space } of pair.both) {
    space.write(TEXT, bytes('c6 47 01 c0 eb fa'));
    machine.set('rip', TEXT);
    machine.set('rdi', DATA + 0x10_0000n);
    machine.run(1);
    machine.set('rip', TEXT);
    machine.run(5);
  }
  pair.expectSame('written through the other mapping');
  for (const [n, { machine }] of pair.both.entries()) machine.undo(marks[n] as Mark);
  for (const { machine } of pair.both) machine.run(3);
  pair.expectSame('taken back');
});

test('one frame of text at two addresses, each with its own RIP', () => {
  const pair = new Pair({ text: '48 8d 05 00 00 00 00 e8 00 00 00 00 58 ff e7' });
  for (const { machine, space } of pair.both) {
    space.map(TEXT + 0x10_0000n, 1, { executable: true }, space.physical(TEXT));
    machine.set('rdi', TEXT + 0x10_0000n);
  }
  same(pair, 9);
  expect(get(pair, 'rip') >> 20n).toBe((TEXT + 0x10_0000n) >> 20n);
  for (const { machine } of pair.both) machine.set('rdi', TEXT);
  same(pair, 9);
});

/** An instruction that begins one byte before a page end: inc %rax, 48 | ff c0; then a jump back to it. */
function crossing(): Pair {
  const pair = new Pair({ state: { rip: DATA + 0xfffn, rdi: DATA + 0x1000n, rdx: DATA + 0x20_0000n } });
  for (const { space } of pair.both) {
    space.protect(DATA, 2, { writable: true, executable: true });
    space.write(DATA + 0xfffn, bytes('48 ff c0 eb fb'));
  }
  return pair;
}

test('an instruction across pages follows changes of its second page', () => {
  const pair = crossing();
  const second = pair.do(({ space }) => space.physical(DATA + 0x1000n)) ?? 0;
  same(pair, 7);
  for (const change of ['c8', 'c3', 'c0']) {
    for (const { machine, space } of pair.both) {
      space.write(DATA + 0x1001n, bytes(change));
      machine.set('rip', DATA + 0xfffn);
    }
    same(pair, 5);
  }
  // The second page is another frame, with other text.
  for (const { machine, space } of pair.both) {
    space.map(DATA + 0x10_0000n, 1, { executable: true });
    space.write(DATA + 0x10_0000n, bytes('ff c8 eb fb'));
    remap(machine, space.root, DATA + 0x1000n, space.physical(DATA + 0x10_0000n) ?? 0);
    machine.set('rip', DATA + 0xfffn);
  }
  same(pair, 5);
  expect(get(pair, 'pendingKind')).toBe(0n);
  for (const { machine, space } of pair.both) remap(machine, space.root, DATA + 0x1000n, second);
  // movb $0xc8,1(%rdi) on the second page itself, then back across the end
  for (const { machine, space } of pair.both) {
    space.write(DATA + 0xfffn, bytes('48 ff c0 c6 47 01 c8 eb f7'));
    machine.set('rip', DATA + 0xfffn);
  }
  same(pair, 8);
  // It may no longer be executed.
  for (const { machine, space } of pair.both) {
    space.protect(DATA + 0x1000n, 1, { writable: true });
    machine.set('rip', DATA + 0xfffn);
  }
  same(pair, 2);
  expect(get(pair, 'cr2')).toBe(DATA + 0x1000n);
});

test('a page of text that becomes another frame, by a store to its page table', () => {
  const pair = new Pair({ text: 'ff c0 eb fc' });
  let frame = 0;
  for (const { space } of pair.both) {
    frame = space.map(DATA + 0x10_0000n, 1, { executable: true })[0] ?? 0;
    space.write(DATA + 0x10_0000n, bytes('ff c8 eb fc'));
    space.protect(DATA, 1, { writable: true, executable: true });
    space.write(DATA, bytes('ff c1 48 89 06 ff c2 48 89 1e eb f4'));
  }
  // The second data page shares its page table with DATA: its entry is the word at 8.
  for (const { machine, space } of pair.both) {
    const old = machine.physicalWord(Number(space.physical(DATA_TABLE)) + 8);
    space.write(DATA + 0x1000n, bytes('ff c0 c3'));
    space.protect(DATA + 0x1000n, 1, { executable: true });
    const entry = machine.physicalWord(Number(space.physical(DATA_TABLE)) + 8);
    machine.set('rip', DATA);
    machine.set('rsi', DATA_TABLE + 8n);
    machine.set('rax', (entry & 0xfffn) | BigInt(frame));
    machine.set('rbx', old);
    // call *%rdi between the stores: see below.
    space.write(DATA, bytes('ff d7 48 89 06 ff d7 48 89 1e eb f4'));
    machine.set('rdi', DATA + 0x1000n);
    space.write(DATA + 0x10_0000n, bytes('ff c9 c3'));
    machine.keyframe();
  }
  same(pair, 40);
});

test('more frames and instructions than the interpreter keeps', () => {
  // 200 frames of text, each full of two-byte jumps to the next but one; frames and records both run out.
  const random = new Random(5);
  const frames = 200;
  const pair = new Pair({ frames: 400 });
  const start = TEXT + 0x20_0000n;
  for (const { machine, space } of pair.both) {
    const seeded = new Random(9);
    space.map(start, frames, { executable: true });
    for (let page = 0; page < frames; page++) {
      const text = new Uint8Array(0x1000);
      // mov %eax,%eax... inc %ecx and at the end a jump to another page.
      for (let at = 0; at < 0xff0; at += 2) text.set([0xff, 0xc0 + seeded.below(3)], at);
      const target = ((page + 7) % frames) * 0x1000;
      const distance = target - (page * 0x1000 + 0xff5);
      text.set(
        [0xe9, distance & 255, (distance >> 8) & 255, (distance >> 16) & 255, (distance >> 24) & 255],
        0xff0,
      );
      space.write(start + BigInt(page * 0x1000), text);
    }
    machine.set('rip', start);
    machine.keyframe();
  }
  for (let n = 0; n < 40; n++) {
    const skip = start + BigInt(random.below(frames) * 0x1000 + 0xf00);
    for (const { machine } of pair.both) machine.set('rip', skip);
    pair.do(({ machine }) => machine.run(2000));
    pair.expectSame(`run ${n}`);
  }
  const { machine } = pair.subject;
  machine.set('rip', start);
  expect(machine.run(500_000)).toBe(500_000);
  expect(machine.get('rax') + machine.get('rcx') + machine.get('rdx')).toBeGreaterThan(0n);
});
