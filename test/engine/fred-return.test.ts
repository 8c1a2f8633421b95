/** The returns of FRED by hand: ERETS and ERETU, by the order of SDM volume 2; see `fred.test.ts` for what is cited how. */
import { expect } from 'vitest';
import { both, frameOf, putFrame, ssWord, USER_ENTRY } from './fred-guest.ts';
import { CS, GDT, SS, STACK, STACK_TOP, TEXT, USER_CS, USER_SS, USER_STACK_TOP, USER_TEXT } from './guest.ts';

const ERETS = 'f2 0f 01 ca';
const ERETU = 'f3 0f 01 ca';
const TF = 0x100n;
const IF = 0x200n;
const RSP = STACK + 0x3808n;
const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
const level = (n: bigint): bigint => n << 16n;

// ERETS --------------------------------------------------------------------------------------------------

both(
  'ERETS restores what was interrupted, RF too, and ends the blocking of NMIs (SDM vol 2, ERETS)',
  (make) => {
    const { machine } = make({ fromKernel: ERETS });
    machine.setRflags(0x25_4fd7n & ~TF);
    const before = machine.describe();
    machine.injectNmi();
    machine.run(2);
    // Only the words of the frame are different.
    const text = (of: string): string => of.replace(/memory=.*/, '');
    expect(text(machine.describe())).toBe(text(before));
    expect(machine.get('nmiBlocked')).toBe(0n);
  },
);

both(
  'a breakpoint inside the NMI does not let the next NMI in: that waits for the ERETS of the first (SDM 8.4.1)',
  (make) => {
    // The entry: if the frame is an NMI's, INT3, then ERETS; else ERETS. testl $0x40000,0x28(%rsp); jz; int3; erets
    const { machine } = make({ fromKernel: `f7 44 24 28 00 00 04 00 74 01 cc ${ERETS}` });
    machine.injectNmi();
    machine.run(1);
    machine.injectNmi();
    const kinds: string[] = [];
    while (machine.get('rip') !== TEXT) {
      const { kind, vector } = machine.step();
      if (kind === 'delivery') kinds.push(`${vector}`);
      expect(machine.get('nmiBlocked')).toBe(machine.get('rip') === TEXT ? 0n : 1n);
    }
    expect(kinds).toEqual(['3']);
    expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 2 });
  },
);

const frame = {
  rip: TEXT + 0x10n,
  cs: CS,
  rflags: 2n,
  rsp: STACK + 0x2000n,
  ss: SS | (1n << 18n),
} as const;

both(
  'ERETS refuses with #GP(0), and nothing has changed, the blocking of NMIs least of all (SDM vol 2, ERETS)',
  (make) => {
    const wrong = [
      { rip: 0x8000_0000_0000_0000n },
      { cs: CS | (1n << 19n) },
      { cs: CS | (1n << 32n) },
      { cs: 0x33n },
      { rflags: 0n },
      { rflags: 0xan },
      { rflags: 0x8002n },
      { rflags: 0x2_0002n },
      { rflags: 0x40_0002n },
      { rflags: (1n << 32n) | 2n },
      { ss: SS | (1n << 19n) },
      { ss: 0n },
    ];
    for (const change of wrong) {
      const made = make({ text: ERETS, state: { nmiBlocked: 1n, rsp: RSP } });
      putFrame(made, { ...frame, ...change });
      expect(made.machine.step()).toMatchObject({ kind: 'fault', vector: 13, rip: TEXT });
      expect(made.machine.get('pendingCode')).toBe(0n);
      expect([made.machine.get('rsp'), made.machine.get('nmiBlocked')]).toEqual([RSP, 1n]);
    }
    // Bits 63:32 of the SS word are for software alone.
    const made = make({ text: ERETS, state: { nmiBlocked: 1n } });
    putFrame(made, { ...frame, rflags: 0x3d_7ed7n, ss: frame.ss | (0xffff_ffffn << 32n) });
    expect(made.machine.step().kind).toBe('instruction');
    expect(made.machine.rflags()).toBe(0x3d_7ed7n);
  },
);

both('ERETS never raises the stack level, and lowers it as the frame says (SDM vol 2, ERETS)', (make) => {
  for (const [current, popped, after] of [
    [2n, 0n, 0n],
    [2n, 1n, 1n],
    [1n, 3n, 1n],
    [0n, 0n, 0n],
  ] as const) {
    const made = make({ text: ERETS, state: { fredConfig: USER_ENTRY | 0x40n | current } });
    putFrame(made, { ...frame, cs: CS | level(popped) });
    made.machine.run(1);
    expect(made.machine.get('fredConfig')).toBe(USER_ENTRY | 0x40n | after);
  }
});

both('ERETS begins the STI shadow anew if bit 16 and IF are set (SDM vol 2, ERETS)', (make) => {
  for (const [sti, rflags, shadow] of [
    [1n, IF | 2n, 1n],
    [1n, 2n, 0n],
    [0n, IF | 2n, 0n],
  ] as const) {
    const made = make({ text: ERETS });
    putFrame(made, { ...frame, rflags, ss: SS | (sti << 16n) });
    made.machine.run(1);
    expect(made.machine.get('shadow')).toBe(shadow);
  }
});

both(
  'ERETS to code with TF: bit 17 pends the trap at once, else the next instruction is run first (SDM vol 2)',
  (make) => {
    for (const [software, rip] of [
      [1n, TEXT + 4n],
      [0n, TEXT + 5n],
    ] as const) {
      const made = make({ text: `${ERETS} 90 90` });
      putFrame(made, { ...frame, rip: TEXT + 4n, rflags: TF | 2n, ss: SS | (software << 17n) });
      while (made.machine.step().kind !== 'delivery');
      expect(frameOf(made.machine)).toMatchObject({ rip, data: 0x4000n });
    }
  },
);

both('ERETS whose frame cannot be read faults like a load, at RSP as it was (SDM vol 2, ERETS)', (make) => {
  const { machine } = make({ text: ERETS, state: { rsp: STACK_TOP - 40n, nmiBlocked: 1n } });
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
  expect(machine.get('cr2')).toBe(STACK_TOP);
  expect([machine.get('rsp'), machine.get('nmiBlocked')]).toEqual([STACK_TOP - 40n, 1n]);
});

// ERETU --------------------------------------------------------------------------------------------------

const userFrame = {
  rip: USER_TEXT,
  cs: USER_CS,
  rflags: 0x202n,
  rsp: USER_STACK_TOP - 8n,
  ss: ssWord(USER_SS, 2, 2, { nmi: 1n }),
} as const;

both('from ring 3 and back: an NMI leaves nothing behind (SDM vol 2, ERETU)', (make) => {
  const { machine } = make({ fromUser: ERETU, state: { ...user, gsBase: 1n, kernelGsBase: 2n } });
  machine.setRflags(0x24_4ed7n);
  const before = machine.describe().replace(/memory=.*/, '');
  machine.injectNmi();
  machine.run(2);
  expect(machine.describe().replace(/memory=.*/, '')).toBe(before);
});

both('ERETU refuses with #GP(0): stack level, ring, IOPL, reserved bits (SDM vol 2, ERETU)', (make) => {
  const wrong = [
    { cs: USER_CS & ~3n },
    { cs: USER_CS | level(1n) },
    { cs: USER_CS | (1n << 18n) },
    { rflags: 0x1002n },
    { rflags: 0x2000_0002n },
    { rflags: 0n },
    { ss: USER_SS & ~3n },
    { ss: USER_SS | (1n << 19n) },
    { rip: 0x8000_0000_0000_0000n },
  ];
  for (const change of wrong) {
    const made = make({ text: ERETU, state: { nmiBlocked: 1n } });
    putFrame(made, { ...userFrame, ...change });
    expect(made.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
    expect([made.machine.get('pendingCode'), made.machine.get('nmiBlocked')]).toEqual([0n, 1n]);
    expect([made.machine.get('cpl'), made.machine.get('rsp')]).toEqual([0n, RSP]);
  }
  const made = make({ text: ERETU, state: { fredConfig: USER_ENTRY | 1n } });
  putFrame(made, userFrame);
  expect(made.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
});

both(
  'ERETU to other segments than STAR has loads them as IRET does, to compatibility mode it stops (SDM vol 2)',
  (make) => {
    const state = { star: 0x0103_0010_0000_0000n };
    const fromTable = make({ text: ERETU, state });
    putFrame(fromTable, userFrame);
    expect(fromTable.machine.step().kind).toBe('instruction');
    expect([fromTable.machine.get('cs'), fromTable.machine.get('ss')]).toEqual([USER_CS, USER_SS]);
    // They are marked accessed, with the write of the processor itself; those that STAR names are not looked at.
    for (const star of [0x0103_0010_0000_0000n, 0x0023_0010_0000_0000n]) {
      const made = make({ text: ERETU, state: { star } });
      const byte = (at: bigint): bigint | undefined => made.machine.read(at, 8);
      const [code, stack] = [GDT + (USER_CS & ~7n) + 5n, GDT + (USER_SS & ~7n) + 5n];
      made.space.write(code, Uint8Array.of(0xfa));
      made.space.write(stack, Uint8Array.of(0xf2));
      putFrame(made, userFrame);
      made.machine.run(1);
      const marked = star >> 48n === 0x103n ? 1n : 0n;
      expect([byte(code), byte(stack)]).toEqual([0xfan | marked, 0xf2n | marked]);
    }
    const outside = make({ text: ERETU, state });
    putFrame(outside, { ...userFrame, cs: 0x103n });
    expect(outside.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
    expect(outside.machine.get('pendingCode')).toBe(0x100n);
    const nullSs = make({ text: ERETU, state });
    putFrame(nullSs, { ...userFrame, ss: 3n });
    expect(nullSs.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
    expect(nullSs.machine.get('pendingCode')).toBe(0n);
    const compatible = make({ text: ERETU });
    putFrame(compatible, { ...userFrame, cs: 0x23n });
    expect(compatible.machine.run(1)).toBe(0);
    expect(compatible.machine.stopReason).toBe('not modelled: return to compatibility mode');
  },
);

both(
  'a system call that returns with TF set traps before the next instruction, for ever if the kernel lets it be',
  (make) => {
    // Linux e34dbbc85d64 "x86/fred/signal: Prevent immediate repeat of single step trap on return from SIGTRAP handler".
    const made = make({ user: '90 90', fromUser: ERETU, text: ERETU });
    putFrame(made, {
      ...userFrame,
      rflags: TF | 2n,
      ss: ssWord(USER_SS, 1, 7, { software: 1n, length: 2n }),
    });
    made.machine.run(1);
    expect(made.machine.step()).toMatchObject({ kind: 'delivery', vector: 1, rip: USER_TEXT });
    expect(frameOf(made.machine)).toMatchObject({ rip: USER_TEXT, data: 0x4000n, ss: ssWord(USER_SS, 1, 3) });
    // The frame of that trap is not marked, so this return runs an instruction.
    made.machine.run(2);
    expect(made.machine.step()).toMatchObject({ kind: 'delivery', vector: 1, rip: USER_TEXT + 1n });
  },
);
