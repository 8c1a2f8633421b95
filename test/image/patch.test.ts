import { expect, test } from 'vitest';
import type { AlternativeSite } from '../../src/image/vmlinux/alternatives.ts';
import { readElf } from '../../src/image/vmlinux/elf.ts';
import { KernelMemory } from '../../src/image/vmlinux/memory.ts';
import { applyAlternatives } from '../../src/image/vmlinux/patch/apply-alternatives.ts';
import { TextCopy, wordsOf } from '../../src/image/vmlinux/patch/text-copy.ts';
import { little } from './build/bytes.ts';
import { elf } from './build/elf.ts';

const TEXT = 0xffffffff81001000n;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** What stands at TEXT after boot: each replacement lies 0x100 behind its place. */
function after(record: 12 | 14, text: string, ...given: readonly Partial<AlternativeSite>[]): string {
  const linked = bytesOf(text);
  const memory = new KernelMemory(
    readElf(elf([{ name: '.text', address: TEXT, bytes: linked, flags: 'ax' }])),
  );
  const sites = given.map(
    (one): AlternativeSite => ({
      address: TEXT,
      length: linked.length,
      from: TEXT + 0x100n,
      bytes: new Uint8Array(0),
      feature: 1,
      not: false,
      directCall: false,
      ...one,
    }),
  );
  const patched = new TextCopy(memory);
  applyAlternatives(patched, { record, sites }, new Set([1]), {
    pointer: (address) => wordsOf(memory.at(address, 8, 'pointer')).getBigUint64(0, true),
    nopFunction: TEXT + 0x500n,
  });
  const length = Math.max(...sites.map((site) => site.length));
  return hex(patched.at(TEXT, length) ?? new Uint8Array(0));
}

/** Not applied: only its nops are made long. */
const none = { feature: 2 };
const nops = (count: number): string => '90'.repeat(count);

// What the next three expect was compared with the memory of 6.1.192 and 6.12.117, booted in QEMU, at all of their sites.
test('one nop of up to eleven bytes; more are jumped over', () => {
  expect(after(14, nops(9), none)).toBe('2e0f1f840000000000');
  expect(after(14, nops(11), none)).toBe('66662e0f1f840000000000');
  expect(after(14, nops(12), none)).toBe(`eb0a${'cc'.repeat(10)}`);
  expect(after(12, nops(9), none)).toBe('0f1f84000000000090');
});

test('a jump over nops stays, and the nops become a jump too', () => {
  expect(after(14, `eb29${nops(41)}`, none, none)).toBe(`eb29eb27${'cc'.repeat(39)}`);
});

test('a jump is moved; short where that does, before 6.5 only forwards', () => {
  // From TEXT + 0x105 to TEXT + 0x40, and to TEXT - 0x20.
  const forwards = { bytes: Uint8Array.from([0xe9, ...little(0x40 - 0x105, 4)]) };
  const backwards = { bytes: Uint8Array.from([0xe9, ...little(-0x20 - 0x105, 4)]) };
  expect(after(14, nops(5), forwards)).toBe('eb3ecccccc');
  expect(after(14, nops(5), backwards)).toBe('ebdecccccc');
  expect(after(12, nops(5), forwards)).toBe('eb3e0f1f00');
  expect(after(12, nops(5), backwards)).toBe('e9dbffffff');
});

test('a branch inside the replacement and one out of it; an operand relative to RIP', () => {
  // je to the end of the replacement; je out of it; mov from TEXT + 0x200.
  const bytes = bytesOf(
    `0f84 0d000000 0f84 f4feffff 488b05 ${hex(Uint8Array.from(little(0x200 - 0x113, 4)))}`,
  );
  expect(after(14, nops(19), { bytes })).toBe('0f840d0000000f84f4ffffff488b05ed010000');
});

test('nested alternatives write as much as the longest', () => {
  const inner = { length: 2, bytes: bytesOf('0f05') };
  expect(after(14, nops(6), inner, { feature: 2, length: 6 })).toBe('0f050f1f4000');
});

test('an indirect call becomes a direct one; of a function that does nothing, nothing', () => {
  const call = (pointer: bigint): string => {
    const text = [0xff, 0x15, ...little(0, 4), ...little(pointer, 8)];
    const one = { directCall: true, length: 6, bytes: bytesOf('e8 00020000') };
    return after(14, hex(Uint8Array.from(text)), one);
  };
  expect(call(TEXT + 0x205n)).toBe('e80002000090');
  expect(call(TEXT + 0x500n)).toBe('660f1f440000');
  // Without a target the call that the replacement has is moved: to TEXT + 0x305.
  expect(call(0n)).toBe('e80003000090');
});
