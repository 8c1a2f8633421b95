/**
 * What kvm-unit-tests' x86/syscall.c checks, told again: two checks, two passes. Its second one steps through the
 * 32-bit SYSCALL and SYSRET, which are not modelled; the rule is the same for the 64-bit forms, as its comment says.
 * Behind them, the rules of SYSCALL and SYSRET by vendor.
 */
import { expect, test } from 'vitest';
import { wasm } from '../../src/engine/backends/wasm/backend.ts';
import { AMD, INTEL } from '../../src/engine/vendor.ts';
import {
  CS,
  frameAt,
  type Guest,
  type GuestOptions,
  guest,
  HANDLERS,
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

const TF = 0x100n;
const STAR = 0x0023_0010_0000_0000n;
const LSTAR = TEXT + 0x100n;
const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
const both = (title: string, body: (make: (options?: GuestOptions) => Guest) => void): void =>
  test(title, () => {
    body((options) => guest({ ...options, cached: false }));
    body((options) => guest({ ...options, backend: wasm() }));
  });
const passed: string[] = [];

both('MSR_*STAR eager loading: what WRMSR wrote, the very next SYSCALL uses', (make) => {
  // wrmsr of LSTAR, wrmsr of STAR, syscall
  const text = '0f 30 b9 81 00 00 c0 31 c0 ba 10 00 00 00 0f 30 9c 0f 05 f4 9d';
  const state = { rcx: 0xc000_0082n, rax: (TEXT + 20n) & 0xffff_ffffn, rdx: TEXT >> 32n };
  const { machine } = make({ text, state });
  machine.setRflags(0x246n);
  expect(machine.run(7)).toBe(7);
  expect([machine.get('rip'), machine.get('rcx')]).toEqual([TEXT + 20n, TEXT + 19n]);
  machine.run(1);
  expect([machine.rflags(), machine.get('cs'), machine.get('rsp')]).toEqual([0x246n, CS, STACK + 0x3808n]);
  passed.push('MSR_*STAR eager loading');
});

both('syscall TF handling: #DB where TF is set at the end of SYSCALL or SYSRET, and only there', (make) => {
  // User: pushf; orq $0x100,(%rsp); popf; syscall; syscall
  const { machine, space } = make({
    user: '9c 48 81 0c 24 00 01 00 00 9d 0f 05 0f 05',
    state: { ...user, star: STAR, lstar: LSTAR, sfmask: 0x4700n },
  });
  // The handler of SYSCALL returns with the flags of RAX, which have TF, until #DB was there: RBX says so.
  // test %rbx,%rbx; jne 1f; mov %rax,%r11; sysretq; 1: hlt
  space.write(LSTAR, Uint8Array.of(0x48, 0x85, 0xdb, 0x75, 0x06, 0x49, 0x89, 0xc3, 0x48, 0x0f, 0x07, 0xf4));
  // #DB: mov 8(%rsp),%rbx; andq $~0x100,0x10(%rsp); iretq
  const db = [0x48, 0x8b, 0x5c, 0x24, 8, 0x48, 0x81, 0x64, 0x24, 0x10, 0xff, 0xfe, 0xff, 0xff, 0x48, 0xcf];
  space.write(HANDLERS + 64n, Uint8Array.from(db));
  machine.set('rax', 0x302n);
  let traps = 0;
  while (machine.run(1) === 1) if (machine.get('rip') === HANDLERS + 64n) traps++;
  expect(machine.stopReason).toBe('halted');
  expect([traps, machine.get('rbx'), machine.get('rcx')]).toEqual([1, USER_CS, USER_TEXT + 14n]);
  passed.push('syscall TF handling');
});

test('the count: two checks pass, on both backends', () => {
  expect(new Set(passed).size).toBe(2);
  expect(passed).toHaveLength(4);
});

both(
  'SYSCALL with TF that the mask leaves traps in ring 0, on the user stack (Xen Security Advisory 204)',
  (make) => {
    const { machine } = make({
      user: '0f 05',
      ist: { 1: 1 },
      state: { ...user, star: STAR, lstar: LSTAR, rflagsRest: TF | 2n },
    });
    expect(machine.step().kind).toBe('instruction');
    expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 1, rip: LSTAR });
    expect(frameAt(machine, istTop(1) - 40n)).toEqual([LSTAR, CS, TF | 2n, USER_STACK_TOP - 8n, SS]);
    expect(machine.get('dr6')).toBe(0xffff_4ff0n);
  },
);

both('SYSRET that sets TF traps in ring 3, before anything there has run; RF of R11 is dropped', (make) => {
  const { machine } = make({ text: '48 0f 07', state: { star: STAR, rcx: USER_TEXT, r11: 0x1_0102n } });
  machine.run(1);
  expect([machine.get('cpl'), machine.rflags()]).toEqual([3n, TF | 2n]);
  expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 1, rip: USER_TEXT });
  expect(frameAt(machine, STACK_TOP - 40n)).toEqual([USER_TEXT, USER_CS, TF | 2n, STACK + 0x3808n, USER_SS]);
});

both(
  'SYSRET to an address that is not canonical: Intel faults before it, in ring 0; AMD behind it, in ring 3',
  (make) => {
    const state = { star: STAR, rcx: 0x8000_0000_0000n, r11: 2n, rsp: USER_STACK_TOP - 8n };
    const intel = make({ vendor: INTEL, text: '48 0f 07', state });
    expect(intel.machine.step()).toMatchObject({ kind: 'fault', vector: 13, rip: TEXT });
    expect([intel.machine.get('cpl'), intel.machine.get('rsp')]).toEqual([0n, USER_STACK_TOP - 8n]);
    const amd = make({ vendor: AMD, text: '48 0f 07', state });
    expect(amd.machine.step().kind).toBe('instruction');
    expect([amd.machine.get('cpl'), amd.machine.get('rip')]).toEqual([3n, 0x8000_0000_0000n]);
    expect(amd.machine.step()).toMatchObject({ kind: 'fault', vector: 13, rip: 0x8000_0000_0000n });
    amd.machine.run(1);
    // From ring 3, so on RSP0 and not on the stack that the user had chosen.
    expect(frameAt(amd.machine, STACK_TOP - 48n, 3)).toEqual([0n, 0x8000_0000_0000n, USER_CS]);
  },
);

both('SS after SYSRET has RPL 3 on Intel, the RPL of IA32_STAR on AMD', (make) => {
  const state = { star: 0x0020_0010_0000_0000n, rcx: USER_TEXT, r11: 2n };
  for (const [vendor, ss] of [
    [INTEL, 0x2bn],
    [AMD, 0x28n],
  ] as const) {
    const { machine } = make({ vendor, text: '48 0f 07', state });
    machine.run(1);
    expect([machine.get('cs'), machine.get('ss')]).toEqual([0x33n, ss]);
  }
});

both('SYSENTER and SYSEXIT are #UD in long mode on AMD', (make) => {
  for (const text of ['0f 34', '48 0f 35']) {
    const { machine } = make({ vendor: AMD, text, state: { sysenterCs: 0x10n } });
    expect(machine.step()).toMatchObject({ kind: 'fault', vector: 6 });
  }
});
