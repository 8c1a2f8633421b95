import { expect, test } from 'vitest';
import { AddressSpace, FrameAllocator } from '../../src/engine/address-space.ts';
import { Machine } from '../../src/engine/machine.ts';
import type { Field } from '../../src/isa/state.ts';
import {
  bytes,
  CS,
  DATA,
  DATA_TABLE,
  type Guest,
  type GuestOptions,
  guest,
  READ_ONLY,
  SS,
  STACK,
  TEXT,
  USER_CS,
  USER_DATA,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';

const READ = '48 8b 00';
const WRITE = '48 89 00';
const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
const at = (options: GuestOptions, rax: bigint): Guest =>
  guest({ ...options, state: { ...options.state, rax } });

/** Error code of the page fault that one instruction raises. */
function pageFault({ machine }: Guest): string {
  const { kind, vector } = machine.step();
  if (kind !== 'fault') return `${kind} ${machine.stopReason}`;
  return `#${vector} ${machine.get('pendingCode')} at ${machine.get('cr2').toString(16)}`;
}
const linear = (va: bigint, code: bigint): string => `#14 ${code} at ${va.toString(16)}`;

for (const cached of [true, false]) {
  const how = cached ? 'with the cache' : 'walking always';
  const twice = (made: Guest, first: string): string => {
    // Fill the cache with the page last, so that a hit must be refused as the walk would.
    made.space.write(made.machine.get('rip'), bytes(first));
    made.machine.read(made.machine.get('rax'), 8);
    return pageFault(made);
  };

  test(`rights of a page, ${how}`, () => {
    expect(pageFault(at({ cached, text: READ }, 0x1000n))).toBe(linear(0x1000n, 0n));
    expect(pageFault(at({ cached, text: WRITE }, 0x1000n))).toBe(linear(0x1000n, 2n));
    expect(twice(at({ cached }, READ_ONLY), WRITE)).toBe(linear(READ_ONLY, 3n));
    expect(twice(at({ cached }, READ_ONLY), READ)).toBe('instruction none');
    expect(twice(at({ cached, state: user }, DATA), READ)).toBe(linear(DATA, 5n));
    expect(twice(at({ cached, state: user }, DATA), WRITE)).toBe(linear(DATA, 7n));
    expect(twice(at({ cached, state: user }, USER_DATA), WRITE)).toBe('instruction none');
    expect(twice(at({ cached, state: user }, USER_TEXT), WRITE)).toBe(linear(USER_TEXT, 7n));
    expect(twice(at({ cached }, USER_DATA), WRITE)).toBe('instruction none');
  });

  test(`the supervisor writes to a read-only page while CR0.WP is clear, ${how}`, () => {
    expect(twice(at({ cached, state: { cr0: 0x8004_0033n } }, READ_ONLY), WRITE)).toBe('instruction none');
  });

  test(`fetch needs the execute right, ${how}`, () => {
    expect(pageFault(guest({ cached, state: { rip: DATA } }))).toBe(linear(DATA, 0x11n));
    expect(pageFault(guest({ cached, state: { rip: 0x5000n } }))).toBe(linear(0x5000n, 0x10n));
    expect(pageFault(guest({ cached, state: { ...user, rip: TEXT } }))).toBe(linear(TEXT, 0x15n));
    expect(pageFault(guest({ cached, state: { rip: 1n << 47n } }))).toMatch(/^#13 0/);
    // Without EFER.NXE the NX bit is reserved.
    expect(pageFault(guest({ cached, state: { rip: DATA, efer: 0x501n } }))).toBe(linear(DATA, 9n));
  });

  test(`SMEP and SMAP keep the supervisor out of user pages, ${how}`, () => {
    expect(pageFault(guest({ cached, state: { rip: USER_TEXT } }))).toBe('instruction none');
    expect(pageFault(guest({ cached, state: { rip: USER_TEXT, cr4: 0x10_0020n } }))).toBe(
      linear(USER_TEXT, 0x11n),
    );
    const smap = { cr4: 0x20_0020n };
    expect(pageFault(at({ cached, text: READ, state: smap }, USER_DATA))).toBe(linear(USER_DATA, 1n));
    expect(pageFault(at({ cached, text: READ, state: { ...smap, rflagsRest: 0x4_0002n } }, USER_DATA))).toBe(
      'instruction none',
    );
    // An implicit access is refused whatever AC says.
    const delivery = guest({
      cached,
      text: '0f 0b',
      state: { ...smap, rflagsRest: 0x4_0002n, idtBase: USER_DATA },
    });
    delivery.machine.run(1);
    expect(pageFault(delivery)).toBe(linear(USER_DATA + 0x60n, 1n));
  });

  test(`an access across pages that only half exists changes nothing, ${how}`, () => {
    const made = at({ cached, text: WRITE }, DATA + 0x2000n - 4n);
    const before = made.machine.read(DATA + 0x1ff8n, 64);
    expect(pageFault(made)).toBe(linear(DATA + 0x2000n, 2n));
    expect(made.machine.read(DATA + 0x1ff8n, 64)).toBe(before);
    const across = at({ cached, text: WRITE }, DATA + 0xffdn);
    expect(pageFault(across)).toBe('instruction none');
    expect(across.machine.read(DATA + 0xffdn, 64)).toBe(DATA + 0xffdn);
    expect(across.machine.journalSince(0)).toHaveLength(2);
  });

  test(`a guest that edits its page table sees the new page at once, and the undo of it, ${how}`, () => {
    // mov %rax,(%rsi); mov 8(%rdi),%rcx; mov %rcx,(%rdi); mov (%rsi),%rbx
    const text = '48 89 06 48 8b 4f 08 48 89 0f 48 8b 1e';
    const { machine } = guest({ cached, text, state: { rsi: DATA, rdi: DATA_TABLE, rax: 0x1234n } });
    machine.run(2);
    const mark = machine.mark();
    machine.run(2);
    expect(machine.get('rbx')).toBe(0n);
    machine.undo(mark);
    machine.set('rip', TEXT + 10n);
    machine.run(1);
    expect(machine.get('rbx')).toBe(0x1234n);
    // The other way: cached first, then edited.
    machine.undo(mark);
    machine.read(DATA, 64);
    machine.run(2);
    expect(machine.get('rbx')).toBe(0n);
  });
}

test('what one right has put into the cache gives no other right', () => {
  // mov (%rax),%rcx; iretq, and in ring 3 the same load
  const outwards = guest({ text: `${READ.replace('00', '08')} 48 cf`, user: READ, state: { rax: DATA } });
  outwards.space.writeWords(outwards.machine.get('rsp'), [USER_TEXT, USER_CS, 2n, USER_STACK_TOP, USER_SS]);
  expect(outwards.machine.run(2)).toBe(2);
  expect(pageFault(outwards)).toBe(linear(DATA, 5n));
  // mov (%rax),%rcx; jmp *%rax under SMEP
  const fetching = guest({ text: '48 8b 08 ff e0', state: { rax: USER_TEXT, cr4: 0x10_0020n } });
  expect(fetching.machine.run(2)).toBe(2);
  expect(pageFault(fetching)).toBe(linear(USER_TEXT, 0x11n));
  // mov (%rax),%rcx; clac; mov (%rax),%rcx under SMAP
  const state = { rax: USER_DATA, cr4: 0x20_0020n, rflagsRest: 0x4_0002n };
  const reading = guest({ text: '48 8b 08 0f 01 ca 48 8b 08', state });
  expect(reading.machine.run(2)).toBe(2);
  expect(pageFault(reading)).toBe(linear(USER_DATA, 1n));
  // A debugger reads it all the same.
  expect(reading.machine.read(USER_DATA, 64)).toBe(0n);
});

test('undo forgets what the undone future has put into the cache', () => {
  // mov (%rsi),%rbx; mov 8(%rdi),%rcx; mov %rcx,(%rdi); mov (%rsi),%rbx
  const text = '48 8b 1e 48 8b 4f 08 48 89 0f 48 8b 1e';
  const { machine, space } = guest({ text, state: { rsi: DATA, rdi: DATA_TABLE } });
  space.writeWords(DATA, [0x1234n]);
  const mark = machine.mark();
  machine.run(4);
  expect(machine.get('rbx')).toBe(0n);
  machine.undo(mark);
  machine.run(1);
  expect(machine.get('rbx')).toBe(0x1234n);
});

test('what a walk cannot do stops by name', () => {
  const made = at({ text: WRITE }, DATA);
  const place = made.machine.physical(DATA_TABLE) ?? 0;
  made.space.writeWords(DATA_TABLE, [made.machine.physicalWord(place) | (1n << 40n)]);
  expect(pageFault(made)).toBe('stopped not modelled: physical address outside memory');
  for (const [bit, name] of [
    [12, 'LA57'],
    [22, 'PKE'],
    [24, 'PKS'],
  ] as const) {
    const state: Partial<Record<Field, bigint>> = { cr4: 0x20n | (1n << BigInt(bit)) };
    expect(pageFault(guest({ state }))).toBe(`stopped not modelled: CR4.${name}`);
  }
});

test('an address space maps, protects, and leads back from a physical address', () => {
  const machine = new Machine({ frames: 16 });
  const frames = new FrameAllocator(machine);
  const space = new AddressSpace(machine, frames);
  const [first = 0, second = 0] = space.map(DATA, 2, { writable: true });
  expect(space.physical(DATA + 0x1008n)).toBe(second + 8);
  expect(space.linear(second + 8)).toBe(DATA + 0x1008n);
  expect(space.linear(Number(space.root))).toBeUndefined();
  const alias = new AddressSpace(machine, frames);
  alias.map(STACK, 1, {}, first);
  space.write(DATA + 0xffcn, bytes('01 02 03 04 05 06 07 08'));
  machine.set('cr3', alias.root);
  expect(machine.read(STACK + 0xffcn, 32)).toBe(0x0403_0201n);
  expect(machine.read(DATA, 8)).toBeUndefined();
  machine.set('cr3', space.root);
  expect(machine.readBytes(DATA + 0xffen, 4)).toEqual(bytes('03 04 05 06'));
  expect(machine.readBytes(DATA + 0x1ffen, 4)).toBeUndefined();
  space.protect(DATA, 1, {});
  expect(machine.read(DATA, 64)).toBe(0n);
  expect(() => space.map(DATA, 1)).toThrow('invalid address to map, in use: 0xffff888000000000');
  expect(() => space.map(DATA + 8n, 1)).toThrow('invalid address to map: 0xffff888000000008');
  expect(() => space.map(1n << 47n, 1)).toThrow('invalid address to map: 0x800000000000');
  expect(() => space.write(TEXT, bytes('90'))).toThrow('missing page: 0xffffffff81000000');
  expect(() => space.protect(TEXT, 1, {})).toThrow('missing page: 0xffffffff81000000');
  expect(() => space.map(TEXT, 20)).toThrow('missing guest memory: all 16 frames are in use');
});

test('looking changes nothing', () => {
  const { machine } = guest({ state: { cr2: 7n, ss: SS, cs: CS } });
  const before = machine.describe();
  expect(machine.read(0x1000n, 64)).toBeUndefined();
  expect(machine.read(1n << 47n, 8)).toBeUndefined();
  expect(machine.instructionAt(0x1000n)).toBeUndefined();
  expect(machine.instructionAt(TEXT)?.row.mnemonic).toBe('nop');
  expect(machine.describe()).toBe(before);
  expect(machine.stopReason).toBe('none');
});
