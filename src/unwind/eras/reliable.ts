import { addressText } from '../describe.ts';
import { isUserMode } from '../pt-regs.ts';
import { ENDLESS, MAX_FRAMES, type UnwindState } from '../unwind-state.ts';
import type { View } from '../view.ts';

export interface Reliable {
  /** What a caller may build on: 0, or -EINVAL. */
  readonly reliable: boolean;
  readonly entries: readonly bigint[];
  /** Why not, without the unwinder's name; else where the walk ended. */
  readonly reason: string;
}

/**
 * arch_stack_walk_reliable() (arch/x86/kernel/stacktrace.c, 5.2 and later): every function, or a refusal. Live patching asks it.
 * Registers of the kernel on the stack are a refusal where frame pointers are followed, since the function that was
 * interrupted may not have made its frame yet.
 */
export function walkReliable(view: View, state: UnwindState, framePointers: boolean): Reliable {
  const entries: bigint[] = [];
  const refuse = (reason: string): Reliable => ({ reliable: false, entries, reason });
  for (let frames = 0; !state.done && !state.error; state.next()) {
    if (++frames > MAX_FRAMES) return refuse(ENDLESS);
    const { regs, ip, slot } = state;
    if (regs && isUserMode(view, regs.address))
      return { reliable: true, entries, reason: 'reaches the user registers' };
    if (regs && framePointers) return refuse('finds registers of the kernel on the stack');
    if (!view.isText(ip)) return refuse(`finds no text address at ${addressText(view.stacks, slot)}`);
    entries.push(ip);
  }
  return state.error
    ? refuse(state.reason || 'is in error')
    : { reliable: true, entries, reason: state.reason };
}
