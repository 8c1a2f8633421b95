/**
 * Which stack an address lies on, and where the stack before it goes on: `get_stack_info()` from its first posting in
 * July 2016 to 6.12 (arch/x86/kernel/dumpstack_64.c and dumpstack.c), with one thing left open: which word of an
 * exception stack leads to the next stack.
 */
import { type StackRange, stackWord, type View } from './view.ts';

/** How kernels differ here. Stacks are those of the view, whatever the era: their places belong to the design. */
export interface StackRules {
  /** A pointer to the very first word of an exception stack is on it; 4.14 compared with `<=` and missed it. */
  readonly firstWord: boolean;
  /** A software stack may be empty, so that its end is on it; no more, once its top word is always in use. */
  readonly emptyIrq: boolean;
  /** A stack that comes up a second time is told in the log. */
  readonly warns: boolean;
  /** Numbers of the stack types, as that warning prints them. */
  readonly types: readonly string[];
}

const TYPES_4_9 = ['', 'TASK', 'IRQ', 'SOFTIRQ', '#DF', 'NMI', '#DB', '#MC'];
/** With the entry stack of 4.15; two stacks for #VC since 5.10. */
const TYPES_4_15 = [
  '',
  'TASK',
  'IRQ',
  'SOFTIRQ',
  'ENTRY_TRAMPOLINE',
  '#DF',
  'NMI',
  '#DB',
  '#MC',
  '#VC',
  '#VC2',
];

export type StackEra = '4.9' | '4.14' | '5.2' | '6.12';

/**
 * 4.9: jagogardiner/kernel_google_msm-4.9 at a2fde178187c. 5.2 looks addresses up by page; the result differs only where
 * there are guard pages. 6.12: Kingxukai/linux at 0291023e7330 (6.17) has the code that 6.12 has. The posting of July 2016
 * had no check for the IRQ and the task stack, and answered to a second visit with an unknown type, as 4.9 does.
 */
export const STACK_RULES: Readonly<Record<StackEra, StackRules>> = {
  '4.9': { firstWord: true, emptyIrq: true, warns: false, types: TYPES_4_9 },
  '4.14': { firstWord: false, emptyIrq: true, warns: true, types: TYPES_4_9 },
  '5.2': { firstWord: true, emptyIrq: true, warns: true, types: TYPES_4_15 },
  '6.12': { firstWord: true, emptyIrq: false, warns: true, types: TYPES_4_15 },
};
const RULES = STACK_RULES['4.9'];

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
  stackWord(view, stack.end - 8n * BigInt(index)) ?? 0n;

/** The stack that holds `sp`. */
export const stackOf = (
  stacks: readonly StackRange[],
  sp: bigint,
  { firstWord, emptyIrq }: StackRules = RULES,
): StackRange | undefined =>
  stacks.find(({ name, begin, end }) => {
    const software = name === 'TASK' || name === 'IRQ';
    if (sp < begin || (sp === begin && !firstWord && !software)) return false;
    return sp < end || (sp === end && name === 'IRQ' && emptyIrq);
  });

/** Whether `size` bytes at `address` lie on the stack that was found last. */
export const isOn = (info: StackInfo, address: bigint, size: bigint): boolean =>
  info.kind === 'known' && address >= info.stack.begin && address + size <= info.stack.end;

/** Once a boot, about a stack that was visited twice; undefined in kernels that say nothing. */
export function recursionWarning(stack: string, { warns, types }: StackRules): string | undefined {
  const type = types.indexOf(stack);
  return warns && type > 0 ? `WARNING: stack recursion on stack type ${type}` : undefined;
}

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
export function getStackInfo(
  view: View,
  sp: bigint,
  link: LinkIndex,
  visited: Set<string>,
  rules: StackRules = RULES,
): StackInfo {
  const stack = sp === 0n ? undefined : stackOf(view.stacks, sp, rules);
  if (!stack) return { kind: 'unknown' };
  if (visited.has(stack.name)) return { kind: 'visited', stack };
  visited.add(stack.name);
  const index = link(stack);
  return { kind: 'known', stack, nextSp: index === undefined ? 0n : linkWord(view, stack, index) };
}
