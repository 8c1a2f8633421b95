/**
 * Dumps that go from stack to stack by one saved word, as `show_trace_log_lvl()` does (4.9, arch/x86/kernel/dumpstack.c):
 * every word of the current stack from RSP to its end that is a text address is a line; then the link says where the
 * next stack goes on. The rules differ in one number, the index of the link on the NMI stack.
 */
import { addressText, stackText } from './describe.ts';
import { frameAt } from './pt-regs.ts';
import { getStackInfo, nmiLink, type StackInfo } from './stack-info.ts';
import { nextText, type StackRange, type TextWord, type Trace, type TraceEntry, type View } from './view.ts';

/** The RSP of the first record, written by hardware: `((struct pt_regs *)end - 1)->sp`, so in every kernel. */
export const END_2 = 2;

/** The RSP of the third record, `((struct pt_regs *)(end - 12) - 1)->sp`: Lutomirski's proposal of 25 July 2016. */
export const END_14 = 14;

/** A walk by links, with the link that ended it, if one did. */
export interface LinkTrace extends Trace {
  readonly last: { readonly stack: string; readonly value: bigint; readonly visited: boolean } | undefined;
}

/** Whether `index` can name a word below the end of a stack: 1 to 512, the words of a page. */
export const isPick = (index: number): boolean => Number.isInteger(index) && index >= 1 && index <= 512;

/**
 * Text addresses on `stack` from `sp` on. A line is certain where the chain of frame pointers that starts at `bp`
 * arrives at its slot in turn, else a guess; the chain goes through encoded pt_regs too. So it is with the `?` of every kernel:
 * what a chain no longer reaches stays marked to the end.
 */
function scan(view: View, stack: StackRange, sp: bigint, bp: bigint): { found: TraceEntry[]; bp: bigint } {
  const found: TraceEntry[] = [];
  let chain = bp;
  const next = (from: bigint): TextWord | undefined => nextText(view, from, stack.end);
  for (let word = next(sp); word; word = next(word.slot + 8n)) {
    const { slot, ip } = word;
    const frame = frameAt(view, chain);
    const guess = frame.slot !== slot;
    if (!guess) chain = frame.next;
    found.push({ ip, slot, guess, stack: stack.name });
  }
  return { found, bp: chain };
}

/** `holds T-600, in the NMI stack again: already visited`: a link that leads nowhere. */
export function heldText(view: View, value: bigint, info: StackInfo): string {
  const held = `holds ${addressText(view.stacks, value)}`;
  return info.kind === 'visited'
    ? `${held}, in ${stackText(info.stack.name)} again: already visited`
    : `${held}, on no known stack`;
}

/**
 * Walks from the view's RSP by `end[-index]` of the NMI stack. Ends at the end of the task stack (`complete`) or
 * where a link leads to no stack or to one already visited (`stopped`); never warns, as 4.9 never did.
 */
export function walkByLink(index: number, view: View): LinkTrace {
  const unwinder = `end-${index}`;
  const link = nmiLink(index);
  const visited = new Set<string>();
  const entries: TraceEntry[] = [];
  const path: { stack: string; sp: bigint }[] = [];
  const done = (end: 'complete' | 'stopped', reason: string, last?: LinkTrace['last']): LinkTrace => ({
    unwinder,
    entries,
    end,
    path,
    reason,
    warning: undefined,
    last,
  });

  const first = getStackInfo(view, view.rsp, link, visited);
  const name = first.kind === 'known' ? first.stack.name : '';
  entries.push({ ip: view.rip, slot: undefined, guess: false, stack: name });
  if (view.cpl !== 0) return done('complete', 'starts in user mode: no kernel stack is in use');

  let info = first;
  let sp = view.rsp;
  let bp = view.rbp;
  while (info.kind === 'known') {
    const { stack, nextSp } = info;
    path.push({ stack: stack.name, sp });
    const scanned = scan(view, stack, sp, bp);
    entries.push(...scanned.found);
    bp = scanned.bp;
    const at = link(stack);
    if (at === undefined) return done('complete', `reaches the end of ${stackText(stack.name)}`);
    info = getStackInfo(view, nextSp, link, visited);
    sp = nextSp;
    if (info.kind !== 'known') {
      const last = { stack: stack.name, value: nextSp, visited: info.kind === 'visited' };
      const holder = stack.name === 'NMI' ? '' : `end[-${at}] of ${stackText(stack.name)} `;
      return done('stopped', `${holder}${heldText(view, nextSp, info)}`, last);
    }
  }
  return done('stopped', 'starts with RSP on no known stack');
}
