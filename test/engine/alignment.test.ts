/** #AC: what is checked, when, and before what (SDM vol 3, 6.15, "Interrupt 17"). */
import { describe, expect, test } from 'vitest';
import { wasm } from '../../src/engine/backends/wasm/backend.ts';
import type { Machine } from '../../src/engine/machine.ts';
import type { Field } from '../../src/isa/state.ts';
import { guest, HANDLERS, USER_CS, USER_DATA, USER_SS, USER_STACK_TOP, USER_TEXT } from './guest.ts';

const RSP = USER_STACK_TOP - 0x80n;
const AC = 1n << 18n;
const AM = 1n << 18n;
const UNMAPPED = USER_DATA + 0x1000n;
const HANDLER = HANDLERS + 17n * 64n;

describe.each([
  ['bigint', undefined],
  ['wasm', wasm()],
])('%s', (_, backend) => {
  function user(text: string, state: Readonly<Partial<Record<Field, bigint>>> = {}, rflags = AC): Machine {
    const base = { rip: USER_TEXT, rsp: RSP, cs: USER_CS, ss: USER_SS, cpl: 3n, rdi: USER_DATA };
    const made = guest({ user: text, ...(backend ? { backend } : {}), state: { ...base, ...state } });
    made.machine.setRflags(rflags | 2n);
    return made.machine;
  }
  /** Vector that the first transition raises; undefined for none. */
  function raised(machine: Machine): number | undefined {
    const { kind, vector } = machine.step();
    return kind === 'fault' ? vector : undefined;
  }

  // What an AMD EPYC does under Linux, where RFLAGS.AC was set by POPFQ: SIGBUS (BUS_ADRALN), or none.
  test.each<[what: string, text: string, state: Partial<Record<Field, bigint>>, vector: number | undefined]>([
    ['movq (%rdi),%rax on a multiple of 8', '48 8b 07', {}, undefined],
    ['movq 4(%rdi),%rax', '48 8b 47 04', {}, 17],
    ['movl 4(%rdi),%eax', '8b 47 04', {}, undefined],
    ['movl 2(%rdi),%eax', '8b 47 02', {}, 17],
    ['movw 2(%rdi),%ax', '66 8b 47 02', {}, undefined],
    ['movw 1(%rdi),%ax', '66 8b 47 01', {}, 17],
    ['movb 1(%rdi),%al', '8a 47 01', {}, undefined],
    ['movq %rax,4(%rdi)', '48 89 47 04', {}, 17],
    ['incl 2(%rdi)', 'ff 47 02', {}, 17],
    ['lock incl 2(%rdi)', 'f0 ff 47 02', {}, 17],
    ['xaddw %ax,1(%rdi)', '66 0f c1 47 01', {}, 17],
    ['push %rax, RSP on a multiple of 4', '50', { rsp: RSP + 4n }, 17],
    ['pushw %ax, RSP on a multiple of 2', '66 50', { rsp: RSP + 2n }, undefined],
    ['pop %rax, RSP on a multiple of 4', '58', { rsp: RSP + 4n }, 17],
    ['call, RSP on a multiple of 4', 'e8 00 00 00 00', { rsp: RSP + 4n }, 17],
    ['enter $0,$0, RSP on a multiple of 4', 'c8 00 00 00', { rsp: RSP + 4n }, 17],
    ['lodsq', '48 ad', { rsi: USER_DATA + 1n }, 17],
    ['rep movsb', 'f3 a4', { rsi: USER_DATA + 1n, rdi: USER_DATA + 0x101n, rcx: 1n }, undefined],
    ['rep movsq of nothing', 'f3 48 a5', { rsi: USER_DATA + 1n, rcx: 0n }, undefined],
    ['cmpxchg8b 4(%rdi)', '0f c7 4f 04', {}, 17],
    ['btq %rax,4(%rdi)', '48 0f a3 47 04', { rax: 1n }, 17],
    ['crc32q 4(%rdi),%rax', 'f2 48 0f 38 f1 47 04', {}, 17],
    ['xlat', 'd7', { rbx: USER_DATA + 1n, rax: 0n }, undefined],
    ['clflush 1(%rdi)', '0f ae 7f 01', {}, undefined],
    ['larw 1(%rdi),%ax', '66 0f 02 47 01', {}, 17],
  ])('%s: %4$s', (_, text, state, vector) => {
    expect(raised(user(text, state))).toBe(vector);
  });

  test('the error code is 0, RIP stays, and the handler runs with its frame on any stack', () => {
    const machine = user('48 8b 47 04');
    expect(machine.run(2)).toBe(2);
    expect(machine.get('rip')).toBe(HANDLER);
    expect(machine.read(machine.get('rsp'), 64)).toBe(0n);
    expect(machine.read(machine.get('rsp') + 8n, 64)).toBe(USER_TEXT);
    expect(machine.read(machine.get('rsp') + 24n, 64)).toBe(AC | 0x1_0002n); // RF: a fault
  });

  test.each<[what: string, state: Partial<Record<Field, bigint>>, rflags: bigint]>([
    ['AM', { cr0: 0x8005_0033n & ~AM }, AC],
    ['AC', {}, 0n],
    ['CPL 3', { cpl: 0n, cs: 0x10n }, AC],
  ])('without %s nothing is checked', (_, state, rflags) => {
    expect(raised(user('48 8b 47 04', state, rflags))).toBeUndefined();
  });

  test('#GP of an address comes first, then #AC, then #PF: so does an AMD EPYC', () => {
    expect(raised(user('48 8b 07', { rdi: 0x8000_0000_0001n }))).toBe(13);
    expect(raised(user('48 8b 07', { rdi: 0x7fff_ffff_fffcn }))).toBe(13); // its end
    expect(raised(user('48 8b 07', { rdi: 0xffff_7fff_ffff_fffcn }))).toBe(13); // its begin
    expect(raised(user('48 8b 07', { rdi: UNMAPPED + 1n }))).toBe(17);
    expect(raised(user('48 89 07', { rdi: UNMAPPED + 1n }))).toBe(17);
    expect(raised(user('48 8b 07', { rdi: UNMAPPED - 4n }))).toBe(17);
    expect(raised(user('48 8b 07', { rdi: UNMAPPED }))).toBe(14);
    expect(raised(user('50', { rsp: UNMAPPED + 4n }))).toBe(17);
  });

  test('what the processor reads and writes for itself is not checked: RSP0 lies 4 bytes into the TSS', () => {
    const machine = user('cc');
    expect(machine.get('tssBase') % 8n).toBe(0n);
    expect(machine.step().kind).toBe('instruction');
    expect(machine.step()).toMatchObject({ kind: 'delivery', vector: 3 });
  });

  test('POPFQ turns the check on for the next instruction, and undo off again', () => {
    // popf; mov 4(%rdi),%rax
    const machine = user('9d 48 8b 47 04', { rsp: RSP }, 0n);
    const physical = machine.physical(RSP) ?? 0;
    machine.writeGuest(physical, new Uint8Array(new BigUint64Array([AC | 0x202n]).buffer));
    const mark = machine.mark();
    expect(machine.step().kind).toBe('instruction');
    expect(machine.step()).toMatchObject({ kind: 'fault', vector: 17 });
    machine.undo(mark);
    machine.setRflags(2n);
    machine.set('rip', USER_TEXT + 1n);
    expect(machine.step().kind).toBe('instruction');
  });
});
