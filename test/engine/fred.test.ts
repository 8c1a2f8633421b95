/**
 * FRED by hand: no emulator in Debian has it, so every case says where its expectation is written. *SDM* is volume 3,
 * chapter 8 (8.3 delivery, 8.4 returns), or the page of an instruction in volume 2; *spec* is Intel's FRED
 * specification 5.0, cited by the sections that Linux and KVM cite.
 */
import { expect } from 'vitest';
import {
  both,
  CR4_CET,
  CR4_FRED,
  frameOf,
  KERNEL_ENTRY,
  LINUX,
  levels,
  ssWord,
  USER_ENTRY,
} from './fred-guest.ts';
import {
  CS,
  DATA,
  GDT,
  type Guest,
  istTop,
  SS,
  STACK,
  STACK_TOP,
  TEXT,
  USER_CS,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';

const ERETS = 'f2 0f 01 ca';
const TF = 0x100n;
const RSP = STACK + 0x3808n;
const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
const level = (n: bigint): bigint => n << 16n;

// Delivery -----------------------------------------------------------------------------------------------

both(
  'at the same level: red zone, 64-byte alignment, eight words, 256 bytes behind the page (SDM 8.3; spec 5.2.1)',
  (make) => {
    const { machine } = make({ state: { fredStklvls: 0n } });
    machine.setRflags(0x246n);
    machine.injectNmi();
    expect(machine.step()).toEqual({ kind: 'delivery', rip: TEXT, vector: 2, software: false });
    // RSP 3808: less 64 is 37c8, down to 37c0.
    expect(machine.get('rsp')).toBe(STACK + 0x37c0n - 64n);
    expect(frameOf(machine)).toEqual({
      errorCode: 0n,
      rip: TEXT,
      cs: CS,
      rflags: 0x246n,
      rsp: RSP,
      ss: ssWord(SS, 2, 2, { nmi: 1n }),
      data: 0n,
      zero: 0n,
    });
    expect(machine.get('rip')).toBe(KERNEL_ENTRY);
    expect(machine.rflags()).toBe(2n);
    expect([machine.get('cs'), machine.get('ss'), machine.get('cpl')]).toEqual([CS, SS, 0n]);
    expect([machine.get('nmiBlocked'), machine.get('nmiPending')]).toEqual([1n, 0n]);
  },
);

both('the red zone is counted in 64 bytes, and may be none (SDM vol 4, IA32_FRED_CONFIG)', (make) => {
  for (const [config, top] of [
    [0n, 0x3800n],
    [0x40n, 0x37c0n],
    [0x1c0n, 0x3640n],
  ] as const) {
    const { machine } = make({ state: { fredStklvls: 0n, fredConfig: USER_ENTRY | config } });
    machine.injectNmi();
    machine.run(1);
    expect(machine.get('rsp')).toBe(STACK + top - 64n);
  }
});

both('a higher level takes its stack from its MSR, and the frame has the old level (SDM 8.3)', (make) => {
  const { machine } = make();
  machine.injectNmi();
  machine.run(1);
  expect(machine.get('rsp')).toBe(istTop(2) - 64n);
  expect(machine.get('fredConfig')).toBe(USER_ENTRY | 0x42n);
  expect(frameOf(machine).cs).toBe(CS);
  expect(frameOf(machine).rsp).toBe(RSP);
});

both('an event of a lower or the same level pushes below: no rewind, unlike IST (SDM 8.3)', (make) => {
  // The handler of the NMI executes INT3, whose level is 0; then #DB of level 1 in the handler of that.
  const { machine } = make({ fromKernel: '90 cc' });
  machine.injectNmi();
  machine.run(4);
  expect(machine.get('rsp')).toBe(istTop(2) - 64n - 128n);
  expect(machine.get('fredConfig') & 3n).toBe(2n);
  const inner = frameOf(machine);
  expect(inner).toMatchObject({ rip: KERNEL_ENTRY + 2n, cs: CS | level(2n), rsp: istTop(2) - 64n });
  expect(frameOf(machine, istTop(2) - 64n)).toMatchObject({ rip: TEXT, cs: CS, rsp: RSP });
  machine.set('nmiBlocked', 0n);
  machine.injectNmi();
  machine.run(1);
  expect(machine.get('rsp')).toBe(istTop(2) - 64n - 128n - 128n);
  expect(frameOf(machine).cs).toBe(CS | level(2n));
});

both(
  'from ring 3: level 0 whatever the vector, RSP0, the page itself, segments of STAR, GS exchanged (SDM 8.3)',
  (make) => {
    const { machine } = make({
      state: { ...user, gsBase: 1n, kernelGsBase: 2n, fredConfig: USER_ENTRY | 0x40n },
    });
    machine.setRflags(0x3246n);
    machine.injectNmi();
    machine.run(1);
    expect(machine.get('rip')).toBe(USER_ENTRY);
    expect(machine.get('rsp')).toBe(STACK_TOP - 64n);
    expect(frameOf(machine)).toMatchObject({
      rip: USER_TEXT,
      cs: USER_CS,
      rflags: 0x3246n,
      rsp: USER_STACK_TOP - 8n,
      ss: ssWord(USER_SS, 2, 2, { nmi: 1n }),
    });
    expect([machine.get('cs'), machine.get('ss'), machine.get('cpl')]).toEqual([CS, SS, 0n]);
    expect([machine.get('gsBase'), machine.get('kernelGsBase')]).toEqual([2n, 1n]);
    expect(machine.rflags()).toBe(2n);
  },
);

both('the stack level that was current in ring 0 means nothing to an event of ring 3 (SDM 8.3)', (make) => {
  const { machine } = make({ state: { ...user, fredConfig: USER_ENTRY | 3n } });
  machine.injectNmi();
  machine.run(1);
  expect(machine.get('rsp')).toBe(STACK_TOP - 64n);
  expect(machine.get('fredConfig') & 3n).toBe(0n);
  expect(frameOf(machine).cs).toBe(USER_CS);
});

both('#PF: event data is the address, CR2 as well; error code; RF in the image (spec 5.2.1)', (make) => {
  // movq $0,8(%rax)
  const { machine } = make({ text: '48 c7 40 08 00 00 00 00', state: { rax: 0x1234_5000n } });
  expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14, rip: TEXT });
  machine.run(1);
  expect(frameOf(machine)).toMatchObject({
    errorCode: 2n,
    rip: TEXT,
    rflags: 0x1_0002n,
    ss: ssWord(SS, 14, 3),
    data: 0x1234_5008n,
  });
  expect(machine.get('cr2')).toBe(0x1234_5008n);
});

both(
  'a vector without an error code has 0 in its place, also behind one that had one (spec 5.2.1)',
  (make) => {
    const { machine } = make({
      text: '48 c7 40 08 00 00 00 00',
      fromKernel: '90',
      state: { rax: 0x1234_5000n },
    });
    machine.run(3);
    machine.injectNmi();
    machine.run(1);
    expect(frameOf(machine)).toMatchObject({ errorCode: 0n, data: 0n, ss: ssWord(SS, 2, 2, { nmi: 1n }) });
  },
);

both(
  'a single step: event data has BS and not the rest of DR6, which gets BS as well (spec 5.2.1)',
  (make) => {
    const { machine } = make({ text: '90 90', state: { rflagsRest: TF | 2n, dr6: 0xffff_0ff1n } });
    machine.run(2);
    expect(machine.get('rsp')).toBe(istTop(1) - 64n);
    expect(frameOf(machine)).toMatchObject({
      rip: TEXT + 1n,
      rflags: TF | 2n,
      ss: ssWord(SS, 1, 3),
      data: 0x4000n,
    });
    expect(machine.get('dr6')).toBe(0xffff_4ff0n);
  },
);

both(
  'an interrupt: type 0, its level from FRED_CONFIG[10:9] and not by vector; none from ring 3 (SDM 8.3; spec 5.2.1)',
  (make) => {
    for (const inUser of [false, true]) {
      const { machine } = make({
        state: {
          fredConfig: KERNEL_ENTRY - 256n + 0x440n,
          irqPending: 0x41n,
          ...(inUser ? user : {}),
        },
      });
      machine.setRflags(0x202n);
      machine.run(1);
      expect(machine.get('rsp')).toBe((inUser ? STACK_TOP : istTop(2)) - 64n);
      expect(frameOf(machine)).toMatchObject({
        errorCode: 0n,
        data: 0n,
        rflags: 0x202n,
        ss: ssWord(inUser ? USER_SS : SS, 0x41, 0),
      });
      expect(machine.get('irqPending')).toBe(0n);
    }
  },
);

both('a machine check: an exception without error code, its level by vector (spec 5.2.1)', (make) => {
  const { machine } = make({ state: { cr4: CR4_FRED | 0x40n, mcPending: 1n } });
  machine.run(1);
  expect(machine.get('rsp')).toBe(istTop(2) - 64n);
  expect(frameOf(machine)).toMatchObject({ errorCode: 0n, data: 0n, rip: TEXT, ss: ssWord(SS, 18, 3) });
});

both('breakpoints and DR7.GD: event data names them, the error code stays 0 (spec 5.2.1)', (make) => {
  const breakpoint = make({ text: '90', state: { dr0: TEXT, dr7: 0x401n } }).machine;
  breakpoint.run(1);
  expect(frameOf(breakpoint)).toMatchObject({ errorCode: 0n, data: 1n, rip: TEXT, ss: ssWord(SS, 1, 3) });

  const { machine } = make({ text: '0f 21 f0', state: { dr7: 0x2400n } });
  machine.run(2);
  expect(frameOf(machine)).toMatchObject({ errorCode: 0n, data: 0x2000n, rip: TEXT, ss: ssWord(SS, 1, 3) });
  expect(machine.get('dr7')).toBe(0x400n);
});

both(
  'INT n, INT3, INT1: types 4, 6, 5 with the length of the instruction; only INT n is marked (SDM vol 2, INT n; spec 5.2.1)',
  (make) => {
    const cases = [
      ['cd 80', 0x80, 4, { software: 1n, length: 2n }],
      ['2e cd 03', 3, 4, { software: 1n, length: 3n }],
      ['cc', 3, 6, { length: 1n }],
      ['66 cc', 3, 6, { length: 2n }],
      ['f1', 1, 5, { length: 1n }],
    ] as const;
    for (const [code, vector, type, more] of cases) {
      const length = more.length;
      const { machine } = make({ text: code });
      machine.run(2);
      expect(frameOf(machine)).toMatchObject({
        rip: TEXT + length,
        ss: ssWord(SS, vector, type, more),
        data: 0n,
      });
      // INT1 has the level of #DB, INT n level 0 whatever its vector.
      expect(machine.get('fredConfig') & 3n).toBe(vector === 1 ? 1n : 0n);
      const inUser = make({ user: code, state: user });
      inUser.machine.run(2);
      expect(frameOf(inUser.machine).ss).toBe(ssWord(USER_SS, vector, type, more));
    }
  },
);

both('INT $2 is no NMI: type 4, level 0, nothing is blocked, ERETS unblocks nothing (spec 5.2.1)', (make) => {
  const { machine } = make({ text: 'cd 02', fromKernel: ERETS, state: { nmiBlocked: 1n } });
  machine.run(2);
  expect(frameOf(machine).ss).toBe(ssWord(SS, 2, 4, { software: 1n, length: 2n }));
  expect(machine.get('fredConfig') & 3n).toBe(0n);
  machine.run(1);
  expect([machine.get('rip'), machine.get('nmiBlocked')]).toEqual([TEXT + 2n, 1n]);
});

both('SYSCALL and SYSENTER are events of type 7: RCX, R11 and EFER.SCE do not matter (SDM vol 2)', (make) => {
  for (const [code, vector] of [
    ['0f 05', 1],
    ['0f 34', 2],
  ] as const) {
    const { machine } = make({ user: code, state: { ...user, efer: 0xd00n, rcx: 7n, r11: 8n, lstar: 5n } });
    machine.setRflags(0x246n);
    machine.run(2);
    expect(machine.get('rip')).toBe(USER_ENTRY);
    expect(machine.get('rsp')).toBe(STACK_TOP - 64n);
    expect(frameOf(machine)).toMatchObject({
      rip: USER_TEXT + 2n,
      rflags: 0x246n,
      rsp: USER_STACK_TOP - 8n,
      ss: ssWord(USER_SS, vector, 7, { software: 1n, length: 2n }),
    });
    expect([machine.get('rcx'), machine.get('r11')]).toEqual([7n, 8n]);
    const inKernel = make({ text: code });
    inKernel.machine.run(2);
    expect(inKernel.machine.get('rip')).toBe(KERNEL_ENTRY);
    expect(inKernel.machine.get('cpl')).toBe(0n);
  }
});

both('an STI shadow is told by bit 16; that of MOV SS is not (spec 5.2.1)', (make) => {
  const sti = make({ text: 'fb 0f 0b' });
  sti.machine.run(3);
  expect(frameOf(sti.machine)).toMatchObject({ rip: TEXT + 1n, ss: ssWord(SS, 6, 3, { sti: 1n }) });
  expect(sti.machine.get('shadow')).toBe(0n);
  const movSs = make({ text: '8e d0 0f 0b', state: { rax: SS } });
  movSs.machine.run(3);
  expect(frameOf(movSs.machine).ss).toBe(ssWord(SS, 6, 3));
});

// Nested exceptions --------------------------------------------------------------------------------------

both(
  'a fault of the delivery from ring 3 is nested: its own level, as if from ring 0 (SDM 8.3; spec appendix B)',
  (make) => {
    const { machine } = make({
      state: { ...user, fredRsp0: STACK, fredStklvls: LINUX | levels({ 14: 1n }) },
    });
    machine.injectNmi();
    expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
    expect(machine.get('cr2')).toBe(STACK - 8n);
    machine.run(1);
    expect(machine.get('rip')).toBe(USER_ENTRY);
    expect(machine.get('rsp')).toBe(istTop(1) - 64n);
    expect(frameOf(machine)).toMatchObject({
      errorCode: 2n,
      rip: USER_TEXT,
      cs: USER_CS,
      ss: ssWord(USER_SS, 14, 3, { nested: 1n }),
      data: STACK - 8n,
    });
    // The NMI was accepted; no frame will end its blocking.
    expect(machine.get('nmiBlocked')).toBe(1n);
  },
);

both(
  'a double fault is not nested, has its level from ring 3 too, and error code 0 (SDM 8.3; spec 5.2.1)',
  (make) => {
    const { machine } = make({ user: '48 8b 00', state: { ...user, rax: 0x1234_5000n, fredRsp0: STACK } });
    expect(machine.step()).toMatchObject({ kind: 'fault', vector: 14 });
    expect(machine.step()).toMatchObject({ kind: 'fault', vector: 8 });
    machine.run(1);
    expect(machine.get('rsp')).toBe(istTop(3) - 64n);
    expect(machine.get('fredConfig') & 3n).toBe(3n);
    expect(frameOf(machine)).toMatchObject({
      errorCode: 0n,
      rip: USER_TEXT,
      ss: ssWord(USER_SS, 8, 3),
      data: 0n,
    });
  },
);

both('a fault while a double fault is delivered is a shutdown (SDM vol 3, "Interrupt 8")', (make) => {
  const { machine } = make({
    user: '48 8b 00',
    state: { ...user, rax: 0x1234_5000n, fredRsp0: STACK, fredRsp3: STACK },
  });
  expect(machine.run(10)).toBe(2);
  expect(machine.stopReason).toBe('shutdown');
});

// What FRED takes away, and what it has with CET -----------------------------------------------------------

both(
  'IRET cannot change the ring: #GP of the selector; in ring 0 it still returns (SDM vol 2, IRET)',
  (make) => {
    const outwards = make({ text: '48 cf' });
    outwards.space.writeWords(RSP, [USER_TEXT, USER_CS, 2n, USER_STACK_TOP, USER_SS]);
    expect(outwards.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
    expect(outwards.machine.get('pendingCode')).toBe(USER_CS & ~3n);
    const same = make({ text: '48 cf' });
    same.space.writeWords(RSP, [TEXT + 2n, CS, 2n, RSP, SS]);
    expect(same.machine.step().kind).toBe('instruction');
  },
);

const CET_STATE = { cr4: CR4_FRED | CR4_CET, supervisorCet: 4n, userCet: 4n };

both(
  'a far RET cannot change the ring, a call gate is refused, ring 0 has only 64-bit code (SDM vol 2, RET, JMP and CALL)',
  (make) => {
    const refused = (guest: Guest, selector: bigint): void => {
      expect(guest.machine.step()).toMatchObject({ kind: 'fault', vector: 13 });
      expect(guest.machine.get('pendingCode')).toBe(selector & 0xfffcn);
    };
    const outer = make({ text: '48 cb' });
    outer.space.writeWords(RSP, [USER_TEXT, USER_CS, USER_STACK_TOP - 8n, USER_SS]);
    refused(outer, USER_CS);
    const same = make({ text: '48 cb' });
    same.space.writeWords(RSP, [TEXT + 0x10n, CS]);
    expect(same.machine.run(1)).toBe(1);
    // In the place of the null descriptor behind CS and SS: 32-bit code, then a call gate.
    for (const descriptor of [0x00cf_9b00_0000_ffffn, 0x0000_8c00_0010_0000n])
      for (const code of ['48 ff 28', '48 ff 18']) {
        const far = make({ text: code, state: { rax: DATA } });
        far.space.writeWords(GDT + 0x20n, [descriptor, 0n]);
        far.space.writeWords(DATA, [TEXT, 0x20n]);
        refused(far, 0x20n);
      }
    const narrow = make({ text: '48 cb' });
    narrow.space.writeWords(GDT + 0x20n, [0x00cf_9b00_0000_ffffn]);
    narrow.space.writeWords(RSP, [TEXT, 0x20n]);
    refused(narrow, 0x20n);
  },
);

both(
  'the entry need not be ENDBR64; what was waited for is kept in the CS word and comes back (linux entry_64_fred.S quotes spec 9.0)',
  (make) => {
    // jmp *%rax to a byte that is not ENDBR64, with an NMI right behind the jump
    const { machine } = make({
      text: 'ff e0 90',
      fromKernel: `90 ${ERETS}`,
      state: { ...CET_STATE, rax: TEXT + 2n },
    });
    machine.run(1);
    expect(machine.get('supervisorCet')).toBe(0x804n);
    machine.injectNmi();
    machine.run(1);
    expect(machine.get('supervisorCet')).toBe(4n);
    expect(frameOf(machine).cs).toBe(CS | (1n << 18n));
    expect(machine.step().kind).toBe('instruction');
    machine.run(1);
    expect(machine.get('supervisorCet')).toBe(0x804n);
    expect(machine.step()).toMatchObject({ kind: 'fault', vector: 21, rip: TEXT + 2n });
    machine.run(1);
    expect(frameOf(machine)).toMatchObject({
      errorCode: 3n,
      rip: TEXT + 2n,
      cs: CS | (1n << 18n),
      ss: ssWord(SS, 21, 3),
    });
  },
);

both('a handler that leaves the mark faults again at the same place, one that clears it goes on', (make) => {
  // Linux dc81e556f2a0 "x86/fred: Clear WFE in missing-ENDBRANCH #CPs".
  const loops = make({ text: 'ff e0 90', fromKernel: ERETS, state: { ...CET_STATE, rax: TEXT + 2n } });
  loops.machine.run(4);
  expect(loops.machine.step()).toMatchObject({ kind: 'fault', vector: 21, rip: TEXT + 2n });
  // andq $~(1 << 18),0x10(%rsp)
  const clears = make({
    text: 'ff e0 90',
    fromKernel: `48 81 64 24 10 ff ff fb ff ${ERETS}`,
    state: { ...CET_STATE, rax: TEXT + 2n },
  });
  clears.machine.run(5);
  expect(clears.machine.step()).toMatchObject({ kind: 'instruction', rip: TEXT + 2n });
});
