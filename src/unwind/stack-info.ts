/**
 * Which stack an address lies on, and where the stack before it goes on: `get_stack_info()` as posted in July 2016
 * and merged for 4.9 (arch/x86/kernel/dumpstack_64.c and dumpstack.c), with one thing left open: which word of an
 * exception stack leads to the next stack.
 */
import type { StackRange, View } from './view.ts';

/** Index k of the word `end[-k]` that holds the RSP of the next stack. */
export type LinkIndex = (stack: StackRange) => number | undefined;

/** The link of 4.9 and everything after it: the RSP in the frame that hardware pushed at the top, `end[-2]`. */
export const HARDWARE_LINK = 2;

/**
 * The link rule with `end[-index]` on the NMI stack. The task stack leads nowhere; a software IRQ stack leads on
 * through its first word, `end[-1]`; #DB, #DF and #MC hold one plain hardware frame, so for them it is always `end[-2]`.
 */
export const nmiLink =
  (index: number): LinkIndex =>
  ({ name }) => {
    if (name === 'TASK') return undefined;
    if (name === 'IRQ') return 1;
    return name === 'NMI' ? index : HARDWARE_LINK;
  };

export type StackInfo =
  | {
      readonly kind: 'known';
      readonly stack: StackRange;
      /** RSP of the next stack; 0 where there is none. */
      readonly nextSp: bigint;
    }
  | { readonly kind: 'visited'; readonly stack: StackRange }
  | { readonly kind: 'unknown' };

/** `end[-index]`; 0 where nothing is mapped. */
export const linkWord = (view: View, stack: StackRange, index: number): bigint =>
  view.read(stack.end - 8n * BigInt(index)) ?? 0n;

/** The stack that holds `sp`. A software stack may be empty, so its end counts too. */
export const stackOf = (stacks: readonly StackRange[], sp: bigint): StackRange | undefined =>
  stacks.find(({ name, begin, end }) => sp >= begin && (sp < end || (name === 'IRQ' && sp === end)));

/**
 * `get_stack_info()`: NULL is unknown; then the task stack, the exception stacks and the IRQ stack are tried.
 *
 * `visited` is the caller's visit mask and gains the stack that was found. A stack that comes up a second time is
 * refused: 4.9 turns it into an unknown type, returns -EINVAL, and its caller `show_trace_log_lvl()` leaves its
 * loop without a word (get_stack_info, label recursion_check, read in jagogardiner/kernel_google_msm-4.9 at
 * a2fde178187c). The one-time warning about stack recursion came later.
 *
 * Before, in `dump_trace()`, the second visit was not silent everywhere: `in_exception_stack()` gave up with NULL,
 * `analyze_stack()` said unknown, and ` <UNK> ` was printed (arch/x86/kernel/dumpstack_64.c of 4.8 with
 * the -rt patches, WindRiver-Labs/kernel-4.8.x at 13b8b8300524; same code of before 4.8 in
 * kernelorg-mirror/linux_kernel_git_luto_linux at 35e317c3e741). Only while an IRQ stack had been passed did it end in
 * silence, and in the loop without `analyze_stack()` always (jolsa_linux-unwind at 0e08e27a4c98).
 */
export function getStackInfo(view: View, sp: bigint, link: LinkIndex, visited: Set<string>): StackInfo {
  const stack = sp === 0n ? undefined : stackOf(view.stacks, sp);
  if (!stack) return { kind: 'unknown' };
  if (visited.has(stack.name)) return { kind: 'visited', stack };
  visited.add(stack.name);
  const index = link(stack);
  return { kind: 'known', stack, nextSp: index === undefined ? 0n : linkWord(view, stack, index) };
}
