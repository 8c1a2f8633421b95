/** `struct pt_regs` of x86-64 and the frame pointers that lead to it. Offsets in bytes (arch/x86/include/asm/ptrace.h). */
import { stackWord, type View } from './view.ts';

export const PT_REGS = { bp: 32n, ip: 128n, cs: 136n, sp: 152n, size: 168n } as const;

/** A frame: the caller's RBP at its address, the return address above it. */
export const FRAME_SIZE = 16n;

/** Registers behind an encoded frame pointer: bit 0 of RBP is set (ENCODE_FRAME_POINTER, 4.10). */
export const decodeFramePointer = (bp: bigint): bigint | undefined =>
  (bp & 1n) === 1n ? bp - 1n : undefined;

/** Whether registers at `regs` were saved in user mode. */
export const isUserMode = (view: View, regs: bigint): boolean =>
  ((stackWord(view, regs + PT_REGS.cs) ?? 0n) & 3n) !== 0n;

/** Where a frame pointer says that a code address lies, and the frame pointer before it. */
export function frameAt(view: View, bp: bigint): { readonly slot: bigint; readonly next: bigint } {
  const regs = decodeFramePointer(bp);
  if (regs !== undefined) return { slot: regs + PT_REGS.ip, next: stackWord(view, regs + PT_REGS.bp) ?? 0n };
  return { slot: bp + 8n, next: stackWord(view, bp) ?? 0n };
}
