/** Words that a processor is set up with, be its kernel one of ours or a real one. */
import type { Gate } from '../image/vmlinux/idt.ts';
import type { Field } from '../isa/state.ts';
import { SELECTOR } from './memory-map.ts';

/** Registers with values one recognises, so that a lost one shows. */
export const REGISTERS: Readonly<Partial<Record<Field, bigint>>> = {
  rax: 0xa11n,
  rbx: 0xb22n,
  rcx: 0xc33n,
  rdx: 0xd44n,
  rsi: 0x5155n,
  rdi: 0xd166n,
  rbp: 0xbb77n,
  r8: 0x808n,
  r9: 0x909n,
  r10: 0x1010n,
  r11: 0x1111n,
  r12: 0x1212n,
  r13: 0x1313n,
  r14: 0x1414n,
  r15: 0x1515n,
};

/**
 * Selectors that SYSCALL and SYSRET count from (SDM vol 2, SYSCALL and SYSRET). SYSRET counts from 0x23, the code segment of 32 bits:
 * CS is 16 above it, SS 8 (arch/x86/include/asm/segment.h).
 */
export const STAR = ((SELECTOR.userCode - 16n) << 48n) | (SELECTOR.kernelCode << 32n);

/** A 64-bit gate (SDM vol 3, figure 6-8). */
export function gateWords({
  target,
  ist,
  type,
  dpl,
}: Pick<Gate, 'target' | 'ist' | 'type' | 'dpl'>): readonly bigint[] {
  const low =
    (target & 0xffffn) |
    (SELECTOR.kernelCode << 16n) |
    (BigInt(ist) << 32n) |
    (BigInt(0x80 | (dpl << 5) | (type & 15)) << 40n) |
    (((target >> 16n) & 0xffffn) << 48n);
  return [low, target >> 32n];
}
