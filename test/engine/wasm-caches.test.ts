/** What the interpreter remembers of translations and rights is never visible; marks, slices, a full journal. Step by step and in a slice. */
import { expect, test } from 'vitest';
import { AMD, INTEL } from '../../src/engine/vendor.ts';
import {
  bytes,
  CS,
  DATA,
  DATA_TABLE,
  HANDLERS,
  NOP,
  Random,
  READ_ONLY,
  STACK,
  TEXT,
  USER_CS,
  USER_DATA,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';
import { cloneSpace, entryPlace, get, Pair, remap, same } from './wasm-pair.ts';

test('load, edit of the page table, load; and its undo', () => {
  // mov (%rdi),%rcx; mov %rax,(%rsi); mov (%rdi),%rdx; mov %rbx,(%rsi); mov (%rdi),%r8; mov %rcx,(%rdi)
  const text = '48 8b 0f 48 89 06 48 8b 17 48 89 1e 4c 8b 07 48 89 0f';
  const pair = new Pair({ text, state: { rdi: DATA + 0x1000n, rsi: DATA_TABLE + 8n } });
  for (const { machine, space } of pair.both) {
    space.writeWords(DATA, [1n]);
    space.writeWords(DATA + 0x1000n, [2n]);
    const table = Number(space.physical(DATA_TABLE));
    machine.set('rax', machine.physicalWord(table));
    machine.set('rbx', machine.physicalWord(table + 8));
    machine.keyframe();
  }
  same(pair, 6);
  expect([get(pair, 'rcx'), get(pair, 'rdx'), get(pair, 'r8')]).toEqual([2n, 1n, 2n]);
  // Taken back in the middle: the translation that the edit made must go with it.
  for (const { machine } of pair.both) {
    machine.set('rip', TEXT);
    machine.run(1);
    machine.markSlot(0);
    machine.run(2);
    machine.undoSlot(0);
    machine.set('rip', TEXT + 6n);
    machine.run(1);
  }
  pair.expectSame('undone in the middle');
  expect(get(pair, 'rdx')).toBe(2n);
});

/** A page of its own region, whose page table no walk has read, and that table as a page of data. */
function unreadTable(text: string): Pair {
  const pair = new Pair({ text, state: { rdi: ELSEWHERE, rsi: TABLE_AS_DATA + 0x18n } });
  for (const { machine, space } of pair.both) {
    space.map(ELSEWHERE, 1, { writable: true });
    space.map(TABLE_AS_DATA, 1, { writable: true }, entryPlace(machine, space.root, ELSEWHERE) & ~0xfff);
    space.writeWords(DATA, [1n]);
    machine.set('rax', machine.physicalWord(entryPlace(machine, space.root, ELSEWHERE)));
    machine.set('rbx', machine.physicalWord(entryPlace(machine, space.root, DATA)));
    machine.keyframe();
  }
  return pair;
}
/** Not in the same place of a direct-mapped cache as what else is used. */
const ELSEWHERE = 0xffff_9000_0000_3000n;
const TABLE_AS_DATA = DATA + 0x10_5000n;

test('a page table that was written to before the walk read it', () => {
  // mov %rax,(%rsi); mov (%rdi),%rcx; mov %rbx,(%rsi); mov (%rdi),%rdx
  const pair = unreadTable('48 89 06 48 8b 0f 48 89 1e 48 8b 17');
  same(pair, 4);
  expect([get(pair, 'rcx'), get(pair, 'rdx')]).toEqual([0n, 1n]);
});

test('what the reader walks must not keep a right to write', () => {
  // mov %rax,(%rsi); mov %rbx,(%rsi); mov (%rdi),%rdx
  const pair = unreadTable('48 89 06 48 89 1e 48 8b 17');
  for (const { machine } of pair.both) {
    machine.run(1);
    // Now a debugger reads through the table, which has a cached right to write.
    expect(machine.read(ELSEWHERE, 64)).toBe(0n);
    machine.run(1);
    expect(machine.read(ELSEWHERE, 64)).toBe(1n);
    machine.run(1);
  }
  pair.expectSame('at the end');
  expect(get(pair, 'rdx')).toBe(1n);
});

test('rights follow the CPL, AC under SMAP, and CR0.WP', () => {
  const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
  // mov (%rdi),%rax; stac; mov (%rdi),%rax; mov %rax,(%rdi); clac; mov (%rdi),%rax
  const smap = '0f 01 cb 48 8b 07 48 89 07 0f 01 ca 48 8b 07';
  same(new Pair({ text: smap, state: { cr4: 0x20_0020n, rdi: USER_DATA } }), 6);
  same(new Pair({ text: smap, state: { rdi: USER_DATA } }), 6);
  same(new Pair({ user: '48 8b 07 48 89 07 48 8b 06', state: { ...user, rdi: USER_DATA, rsi: DATA } }), 5);
  // mov %rax,%cr0 with WP clear; store to a read-only page; WP set again; store
  const wp = '0f 22 c0 48 89 0f 48 8b 0f 0f 22 c3 48 89 0f';
  const state = { rax: 0x8004_0033n, rbx: 0x8005_0033n, rdi: READ_ONLY };
  same(new Pair({ text: wp, state }), 6);
  // SMEP: user text at CPL 0
  same(new Pair({ user: '90 90', state: { rip: USER_TEXT, cs: CS, cr4: 0x10_0020n } }), 3);
  same(new Pair({ user: '90 90', state: { rip: USER_TEXT, cs: CS } }), 2);
});

test('a right that was cached is gone in the same slice when AC is cleared or the CPL rises', () => {
  // mov (%rdi),%rax; clac; mov (%rdi),%rax under SMAP, AC set before
  const opened = new Pair({ text: '48 8b 07 0f 01 ca 48 8b 07', state: { cr4: 0x20_0020n, rdi: USER_DATA } });
  for (const { machine } of opened.both) machine.setRflags(0x4_0002n);
  same(opened, 3);
  expect(get(opened, 'pendingCode')).toBe(1n);
  // call *%rsi; mov (%rdi),%rax; iretq to a user that reads the same data, or jumps to the same text
  const target = HANDLERS + 31n * 64n;
  for (const user of ['48 8b 07', 'ff e6']) {
    const state = { rdi: DATA + 0x1000n, rsi: target };
    const pair = new Pair({ text: 'ff d6 48 8b 07 48 cf', handlers: { 31: 'c3' }, user, state });
    for (const { machine, space } of pair.both)
      space.writeWords(machine.get('rsp'), [USER_TEXT, USER_CS, 2n, USER_STACK_TOP, USER_SS]);
    same(pair, 7);
    expect(get(pair, 'cr2')).toBe(user === 'ff e6' ? target : DATA + 0x1000n);
  }
});

test('what follows an instruction that began under TF, RF or a shadow', () => {
  const [TF, RF] = [0x100n, 0x1_0000n];
  for (const flags of [TF, RF, TF | RF]) {
    for (const image of [2n, 2n | TF, 2n | RF, 2n | TF | RF]) {
      const pair = new Pair({ text: '48 cf', handlers: { 1: '48 cf' } });
      for (const { machine, space } of pair.both) {
        space.writeWords(machine.get('rsp'), [TEXT + 0x100n, CS, image, STACK + 0x2000n, 0x18n]);
        space.write(TEXT + 0x100n, bytes('90 90 f3 a4 90 f4'));
        machine.set('rcx', 3n);
        machine.set('rsi', DATA);
        machine.set('rdi', DATA + 0x100n);
        machine.setRflags(2n | flags);
      }
      same(pair, 12);
    }
  }
  // mov %ss; nop; nop and sti; nop under an NMI and under TF
  for (const vendor of [INTEL, AMD])
    for (const text of ['8e d2 90 90 90', 'fb 90 90 90', '8e d2 8e d2 90 90'])
      for (const flags of [2n, 2n | TF]) {
        const pair = new Pair({ vendor, text, handlers: { 1: '48 cf', 2: '48 cf' }, state: { rdx: 0x18n } });
        for (const { machine } of pair.both) {
          machine.setRflags(flags);
          machine.run(1);
          machine.injectNmi();
        }
        same(pair, 8);
      }
});

test('another address space: text and data change under MOV CR3, in the middle of a page', () => {
  // mov %rax,%cr3; inc %ecx | dec %ecx; mov (%rdi),%rdx; mov %rbx,%cr3 and round again
  const text = '0f 22 d8 ff c1 48 8b 17 0f 22 db eb f3';
  const pair = new Pair({ frames: 128, text, state: { rdi: DATA } });
  for (const { machine, space } of pair.both) {
    const copy = cloneSpace({ machine, space });
    const other = space.map(DATA + 0x10_0000n, 1, { executable: true })[0] ?? 0;
    space.write(DATA + 0x10_0000n, bytes(text.replace('ff c1', 'ff c9')));
    remap(machine, copy, TEXT, other);
    machine.set('rax', copy);
    machine.set('rbx', space.root);
    machine.keyframe();
  }
  same(pair, 30);
  // Six rounds of five: each counts down under the second address space.
  expect([get(pair, 'pendingKind'), get(pair, 'rcx')]).toEqual([0n, 0xffff_fffan]);
  // Undone while the other tables are in use: the next fetch goes through the first ones again.
  for (const { machine } of pair.both) {
    machine.set('rip', TEXT + 3n);
    machine.set('cr3', machine.get('rbx'));
    machine.set('rcx', 5n);
    machine.markSlot(0);
    machine.run(4);
    expect(machine.get('cr3')).toBe(machine.get('rbx'));
    machine.run(2);
    expect([machine.get('cr3'), machine.get('rcx')]).toEqual([machine.get('rax'), 5n]);
    machine.run(1);
    machine.undoSlot(0);
    machine.run(1);
    expect(machine.get('rcx')).toBe(6n);
  }
});

test('a full journal or log stops both at the same transition', () => {
  // 1: mov %rax,(%rdi); push %rax; pop %rax; jmp 1b, and 1: call 1f; 1: pop %rax; jmp
  for (const text of ['48 89 07 50 58 eb f9', 'e8 00 00 00 00 58 eb f8']) {
    const pair = new Pair({ text, state: { rdi: DATA, rax: 7n } });
    const made = pair.do(({ machine }) => machine.run(300_000));
    expect(made).toBeLessThan(300_000);
    expect(get(pair, 'stop')).toBe(4n);
    pair.expectSame('full');
    for (const { machine } of pair.both) machine.keyframe();
    pair.do(({ machine }) => machine.run(1000));
    pair.expectSame('gone on');
  }
});

test('numbered marks nest, and die with the future they were made in', () => {
  const pair = new Pair({ text: '48 ff c0 50 eb fa' });
  for (const { machine } of pair.both) {
    expect(() => machine.markSlot(1)).toThrow('invalid mark: 1 of 0 in use');
    expect(() => machine.undoSlot(0)).toThrow('invalid mark: 0 of 0 in use');
    machine.run(3);
    machine.markSlot(0);
    const inner = machine.mark();
    machine.run(4);
    machine.markSlot(1);
    machine.run(5);
    machine.undoSlot(1);
    expect(machine.get('rax')).toBe(3n);
    machine.undo(inner);
    expect(() => machine.undoSlot(1)).toThrow('invalid mark: 1 of 1 in use');
    machine.run(9);
    machine.undoSlot(0);
    expect(machine.get('rax')).toBe(1n);
    expect(() => machine.undo(inner)).toThrow('invalid mark: not in the past of this machine');
    machine.keyframe();
    expect(() => machine.undoSlot(0)).toThrow('invalid mark: 0 of 0 in use');
  }
  pair.expectSame('at the end');
});

test('a long run in slices, with events between them', () => {
  const text = 'e8 06 00 00 00 48 ff c3 50 58 eb f4 51 59 48 01 07 48 89 97 fd 0f 00 00 c3';
  const pair = new Pair({
    text,
    handlers: { 2: `50 ${NOP} 58 48 cf` },
    ist: { 2: 1 },
    state: { rdi: DATA, rsp: STACK + 0x3000n },
  });
  const random = new Random(3);
  for (let n = 0; n < 60; n++) {
    const slice = 1 + random.below(400);
    if (random.below(3) === 0) pair.do(({ machine }) => machine.injectNmi());
    pair.do(({ machine }) => machine.run(slice));
    pair.expectSame(`slice ${n}`);
    if (n % 10 === 9) for (const { machine } of pair.both) machine.keyframe();
  }
});
