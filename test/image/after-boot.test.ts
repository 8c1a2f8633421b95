import { expect, test } from 'vitest';
import { readElf } from '../../src/image/vmlinux/elf.ts';
import { KernelMemory } from '../../src/image/vmlinux/memory.ts';
import {
  applyCallThunks,
  applyParavirt,
  applyStaticCalls,
  applyTracing,
  countedCalls,
} from '../../src/image/vmlinux/patch/calls.ts';
import { applyConstant, applyKeys, applySeals, unlock } from '../../src/image/vmlinux/patch/keys.ts';
import { applyRetpolines, applyReturns, returnsFor } from '../../src/image/vmlinux/patch/returns.ts';
import { branchTo, CALL, JMP, TextCopy } from '../../src/image/vmlinux/patch/text-copy.ts';
import { SymbolTable } from '../../src/image/vmlinux/symbols.ts';
import { elf } from './build/elf.ts';

// All that is expected here has the memory of 6.1.192 and 6.12.117, booted in QEMU: `npm run test:kernels`.
const TEXT = 0xffff_ffff_8100_0000n;
const THUNK = TEXT + 0x800n;
const ARRAY = TEXT + 0x1000n;
const SYMBOLS = new SymbolTable(
  (
    [
      ['_text', 0],
      ['callee', 0x400],
      ['__static_call_return0', 0x480],
      ['__x86_return_thunk', 0x800],
      ['retbleed_return_thunk', 0x820],
      ['srso_return_thunk', 0x840],
      ['its_return_thunk', 0x860],
      ['__x86_indirect_thunk_array', 0x1000],
      ['__x86_indirect_call_thunk_array', 0x1200],
      ['__x86_indirect_jump_thunk_array', 0x1400],
      ['__x86_indirect_its_thunk_array', 0x1600],
      ['_paravirt_nop', 0x1800],
      ['paravirt_BUG', 0x1810],
      ['__SCT__call', 0x1820],
      ['_etext', 0x1900],
      ['skl_call_thunk_template', 0x1a00],
      ['pv_ops', 0x2000],
      ['__SCK__call', 0x2100],
    ] as const
  ).map(([name, at]) => ({ name, type: 'T', address: TEXT + BigInt(at) })),
);

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const has =
  (...names: readonly string[]) =>
  (name: string): boolean =>
    names.includes(name);

/** Text of INT3s, with these bytes at their offsets. */
function textOf(given: Readonly<Record<number, string | Uint8Array>>): TextCopy {
  const bytes = new Uint8Array(0x1a00).fill(0xcc);
  for (const [at, code] of Object.entries(given))
    bytes.set(typeof code === 'string' ? bytesOf(code) : code, Number(at));
  return new TextCopy(new KernelMemory(readElf(elf([{ name: '.text', address: TEXT, bytes, flags: 'ax' }]))));
}

/** What a return at an offset becomes. */
function returned(offset: number, ...features: readonly string[]): string {
  const address = TEXT + BigInt(offset);
  const text = textOf({ [offset]: branchTo(JMP, address, THUNK) });
  applyReturns(text, [address], SYMBOLS, returnsFor(SYMBOLS, has(...features)));
  const target = text.target(address, JMP);
  return target === undefined ? hex(text.at(address, 5)) : (SYMBOLS.name(target) ?? '');
}

test('a return is plain, or a jump to the thunk that the processor needs', () => {
  expect(returned(0)).toBe('c3cccccccc');
  expect(returned(0, 'unret')).toBe('c3cccccccc');
  expect(returned(0, 'rethunk')).toBe('__x86_return_thunk');
  expect(returned(0, 'rethunk', 'unret')).toBe('retbleed_return_thunk');
  expect(returned(0x20, 'rethunk', 'unret', 'srso')).toBe('srso_return_thunk');
});

test('for ITS it is a jump in the lower half of a cache line only', () => {
  expect(returned(0x1f, 'rethunk', 'bug_its')).toBe('its_return_thunk');
  expect(returned(0x20, 'rethunk', 'bug_its')).toBe('c3cccccccc');
  expect(returned(0x5f, 'rethunk', 'bug_its')).toBe('its_return_thunk');
  expect(returned(0x60, 'rethunk', 'bug_its')).toBe('c3cccccccc');
});

test('a trampoline of a static call that leads somewhere by now is no return', () => {
  const trampoline = (target: bigint): string => {
    const text = textOf({ 0: hex(branchTo(JMP, TEXT, target)), 5: '0fb9cc' });
    applyReturns(text, [TEXT], SYMBOLS, returnsFor(SYMBOLS, has()));
    return hex(text.at(TEXT, 1));
  };
  expect([trampoline(THUNK), trampoline(TEXT + 0x400n)]).toEqual(['c3', 'e9']);
});

/** What a branch to the thunk of a register becomes: `call`, `jmp`, `cs call` or `jne`. */
function indirect(
  kind: 'call' | 'jmp' | 'cs call' | 'jne',
  register: number,
  features: readonly string[],
  offset = 0,
): string {
  const at = TEXT + BigInt(offset);
  const target = ARRAY + 32n * BigInt(register);
  const before = kind === 'cs call' ? '2e' : kind === 'jne' ? '0f' : '';
  const code = branchTo(kind.endsWith('call') ? CALL : JMP, at + BigInt(before.length / 2), target);
  if (kind === 'jne') code[0] = 0x85;
  const text = textOf({ [offset]: before + hex(code) });
  applyRetpolines(text, [at], SYMBOLS, has(...features), false);
  return hex(text.at(at, code.length + before.length / 2));
}

test('a call through a register stays, is plain, or has LFENCE before it', () => {
  expect(indirect('call', 0, ['retpoline'])).toBe(hex(branchTo(CALL, TEXT, ARRAY)));
  expect(indirect('call', 0, [])).toBe('ffd00f1f00');
  expect(indirect('jmp', 11, [])).toBe('41ffe3cc90');
  expect(indirect('cs call', 9, ['retpoline', 'retpoline_lfence'])).toBe('0faee841ffd1');
  expect(indirect('jmp', 3, ['retpoline', 'retpoline_lfence'])).toBe('0faee8ffe3');
  expect(indirect('jne', 0, [])).toBe('7404ffe0cc90');
  // It would be longer than its place.
  expect(indirect('call', 9, ['retpoline', 'retpoline_lfence'])).toBe(
    hex(branchTo(CALL, TEXT, ARRAY + 288n)),
  );
});

test('counted calls and ITS have thunks of their own', () => {
  const [call, jump, its] = [0x1200n, 0x1400n, 0x1600n];
  const to = (opcode: number, array: bigint): string => hex(branchTo(opcode, TEXT, TEXT + array + 32n));
  expect(indirect('call', 1, ['retpoline', 'call_depth'])).toBe(to(CALL, call));
  expect(indirect('jmp', 1, ['retpoline', 'call_depth'])).toBe(to(JMP, jump));
  expect(indirect('call', 1, ['indirect_thunk_its'])).toBe(to(CALL, its));
  // The last byte of the branch decides.
  expect(indirect('call', 1, ['indirect_thunk_its'], 0x1f)).toBe('ffd10f1f00');
  expect(indirect('call', 1, ['indirect_thunk_its'], 0x3f).slice(0, 2)).toBe('e8');
});

test('calls through pv_ops: of a function, of one that does nothing, of none', () => {
  const made = (target: bigint): string => {
    const text = textOf({ 0: 'ff1425 00000000 90' });
    applyParavirt(text, [{ address: TEXT, entry: 2, length: 8 }], SYMBOLS, (at) =>
      at === TEXT + 0x2010n ? target : undefined,
    );
    return hex(text.at(TEXT, 8));
  };
  expect(made(TEXT + 0x400n)).toBe(`${hex(branchTo(CALL, TEXT, TEXT + 0x400n))}0f1f00`);
  expect(made(TEXT + 0x1800n)).toBe('0f1f840000000000');
  expect(made(0n)).toBe(`${hex(branchTo(CALL, TEXT, TEXT + 0x1810n))}0f1f00`);
});

test('static calls lead where their key says; a trampoline is written when the key has changed', () => {
  const trampoline = TEXT + 0x1820n;
  const key = TEXT + 0x2100n;
  const made = (target: bigint, before: bigint): readonly string[] => {
    const text = textOf({
      0: branchTo(CALL, TEXT, trampoline),
      8: branchTo(JMP, TEXT + 8n, trampoline),
      6176: branchTo(JMP, trampoline, TEXT + 0x400n),
    });
    const sites = [
      { address: TEXT, key, isTail: false },
      { address: TEXT + 8n, key, isTail: true },
      // Not what a site looks like.
      { address: TEXT + 16n, key, isTail: false },
    ];
    applyStaticCalls(text, sites, SYMBOLS, {
      pointer: (at) => (at === key ? target : undefined),
      linked: () => before,
      returns: returnsFor(SYMBOLS, has('rethunk')),
      counted: (to) => to,
    });
    return [TEXT, TEXT + 8n, TEXT + 16n, trampoline].map((at) => hex(text.at(at, 5)));
  };
  const to = (at: bigint, opcode: number, target: bigint): string => hex(branchTo(opcode, at, target));
  const callee = TEXT + 0x400n;
  expect(made(callee, callee)).toEqual([
    to(TEXT, CALL, callee),
    to(TEXT + 8n, JMP, callee),
    'cccccccccc',
    to(trampoline, JMP, callee),
  ]);
  expect(made(0n, callee)).toEqual(['0f1f440000', 'c3cccccccc', 'cccccccccc', 'c3cccccccc']);
  expect(made(TEXT + 0x480n, 0n)).toEqual([
    '2e2e2e31c0',
    to(TEXT + 8n, JMP, TEXT + 0x480n),
    'cccccccccc',
    to(trampoline, JMP, TEXT + 0x480n),
  ]);
});

test('a counted call goes to the thunk in the padding of its function, if there is room', () => {
  // `sarq $5, %gs:0x100(%rip)`, moved.
  const template = bytesOf('6548c13d 00010000 05');
  const text = textOf({
    0: branchTo(CALL, TEXT, TEXT + 0x400n),
    1008: '90'.repeat(16),
    8: branchTo(CALL, TEXT + 8n, THUNK),
  });
  const counted = countedCalls(text, SYMBOLS, template);
  applyCallThunks(text, [TEXT, TEXT + 8n], SYMBOLS, counted);
  expect(text.target(TEXT, CALL)).toBe(TEXT + 0x400n - 9n);
  expect(text.target(TEXT + 8n, CALL)).toBe(THUNK);
  const moved = 0x100 + 0x1a00 - 0x3f7;
  expect(hex(text.at(TEXT + 0x3f7n, 9))).toBe(
    `6548c13d${hex(Uint8Array.of(moved & 255, moved >> 8, 0, 0))}05`,
  );
});

test('static keys, tracing, sealed entries, LOCK, constants', () => {
  const text = textOf({
    0: 'eb06',
    8: '6690',
    16: '0f1f440000',
    24: 'e8 00000000',
    32: 'f30f1efa',
    40: 'f0ff00',
    48: '48b8 efcdab8967452301',
  });
  const site = (at: bigint, key: bigint, likely: boolean) => ({
    address: TEXT + at,
    target: TEXT + 0x88n,
    key,
    likely,
  });
  applyKeys(text, [site(0n, 1n, true), site(8n, 1n, false), site(16n, 2n, true)], (key) => key === 1n);
  applyTracing(text, [TEXT + 24n, TEXT + 32n]);
  applySeals(text, [TEXT + 32n, TEXT + 40n]);
  unlock(text, [TEXT + 40n, TEXT + 24n]);
  applyConstant(text, [TEXT + 50n], 0x7fff_ffff_f000n, 8);
  expect([0n, 8n, 16n, 24n, 32n, 40n].map((at) => hex(text.at(TEXT + at, 5)))).toEqual([
    '6690cccccc',
    'eb7ecccccc',
    'e973000000',
    '0f1f440000',
    '660f1f00cc',
    '3eff00cccc',
  ]);
  expect(hex(text.at(TEXT + 48n, 10))).toBe('48b800f0ffffff7f0000');
});
