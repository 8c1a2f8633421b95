/**
 * The dump of kernels before 4.9: `dump_trace()` goes from stack to stack and hands what it finds to callbacks
 * (arch/x86/kernel/dumpstack_64.c and dumpstack.c, read at kernelorg-mirror/linux_kernel_git_luto_linux 35e317c3e741 and
 * 9cfab0bfdc07, of 2016; 4.3 has the same rules).
 *
 * The mask of stacks that were visited lives as long as one dump. Every page of a debug stack counts as a stack of its own.
 * Nothing warns, and nothing can fail: where a link leads nowhere, ` <UNK> ` is all there is.
 */
import { addressText, stackText } from '../describe.ts';
import { HARDWARE_LINK, linkWord } from '../stack-info.ts';
import { userTrace } from '../unwind-state.ts';
import {
  nextText,
  type StackRange,
  stackWord,
  type TextWord,
  type Trace,
  type TraceEntry,
  type View,
} from '../view.ts';
import type { PrintedLine } from './show-trace-log.ts';

/** struct stacktrace_ops. */
export interface StacktraceOps {
  /** A stack begins or ends; a negative number ends the dump. */
  readonly stack: (name: string) => number;
  readonly address: (entry: TraceEntry) => void;
  /** print_context_stack(), which looks at every word, or print_context_stack_bp(), which follows frame pointers alone. */
  readonly walk: 'scan' | 'frames';
}

/** EXCEPTION_STKSZ of that time. */
const PAGE = 0x1000n;
const THREAD_SIZE = 0x4000n;
const IRQ_LINK = 1;

type Found =
  | { readonly kind: 'exception' | 'irq'; readonly name: string; readonly range: StackRange }
  | { readonly kind: 'normal' | 'unknown' };

/**
 * analyze_stack() with in_exception_stack(): each stack by pages, the highest under its own name. `used` gains the page;
 * the second time it is no exception stack any more, which ends in `unknown`, or in the task's stack once an IRQ stack was passed.
 */
function analyze(view: View, sp: bigint, used: Set<string>, irqPassed: boolean): Found {
  const task = view.stacks.find(({ name }) => name === 'TASK');
  if (task && sp >= task.begin && sp < task.end) return { kind: 'normal' };
  for (const stack of view.stacks) {
    if (stack === task || stack.name === 'IRQ' || sp < stack.begin || sp >= stack.end) continue;
    const page = (stack.end - 1n - sp) / PAGE;
    const name = page === 0n ? stack.name : `${stack.name}[${page}]`;
    if (used.has(name)) break;
    used.add(name);
    const end = stack.end - page * PAGE;
    return { kind: 'exception', name, range: { name, begin: stack.begin, end } };
  }
  if (irqPassed) return { kind: 'normal' };
  const irq = view.stacks.find(({ name }) => name === 'IRQ');
  return irq && sp >= irq.begin && sp < irq.end
    ? { kind: 'irq', name: 'IRQ', range: irq }
    : { kind: 'unknown' };
}

export interface Dumped {
  /** Where it ended, as a reason of a trace. */
  readonly reason: string;
  /** On the task's stack. */
  readonly complete: boolean;
  readonly path: Trace['path'];
}

/** dump_trace() from the view's RSP and RBP. */
export function dumpTrace(view: View, ops: StacktraceOps): Dumped {
  const used = new Set<string>();
  const path: { stack: string; sp: bigint }[] = [];
  let sp = view.rsp;
  let bp = view.rbp;
  let irqPassed = false;
  let reason = 'starts with RSP on no known stack';
  for (;;) {
    const found = analyze(view, sp, used, irqPassed);
    if (found.kind === 'unknown') ops.stack('UNK');
    if (!('range' in found)) break;
    const { name, range, kind } = found;
    if (ops.stack(name) < 0) return { reason: 'ends, since its caller wants no more', complete: false, path };
    path.push({ stack: name, sp });
    bp = walkContext(view, range, sp, bp, ops);
    const index = kind === 'irq' ? IRQ_LINK : HARDWARE_LINK;
    sp = linkWord(view, range, index);
    ops.stack(kind === 'irq' ? 'EOI' : '<EOE>');
    irqPassed ||= kind === 'irq';
    reason = `leaves ${stackText(name)} by end[-${index}], which holds ${addressText(view.stacks, sp)}`;
  }
  // Also where the stack is unknown: then there is nothing on the task's stack at that address.
  const task = view.stacks.find(({ name }) => name === 'TASK');
  const complete = task !== undefined && sp >= task.begin && sp < task.end;
  if (!task || !complete) return { reason, complete, path };
  path.push({ stack: 'TASK', sp });
  walkContext(view, task, sp, bp, ops);
  return { reason: `reaches the end of ${stackText('TASK')}`, complete, path };
}

/** Both ways to walk one stack. The frame pointer that the next stack begins with. */
function walkContext(view: View, range: StackRange, sp: bigint, start: bigint, ops: StacktraceOps): bigint {
  let bp = start;
  const report = (ip: bigint, slot: bigint, guess: boolean): void =>
    ops.address({ ip, slot, guess, stack: range.name });
  if (ops.walk === 'scan') {
    const next = (from: bigint): TextWord | undefined => nextText(view, from, range.end);
    for (let word = next(sp); word; word = next(word.slot + 8n)) {
      const { slot, ip } = word;
      const certain = slot === bp + 8n;
      if (certain) bp = stackWord(view, bp) ?? 0n;
      report(ip, slot, !certain);
    }
    return bp;
  }
  // Frames may lie anywhere below the end, as far down as a task's stack is large: nothing says where this one begins.
  const begin = range.end - THREAD_SIZE;
  const last = range.name === 'TASK' ? range.end - 8n : range.end;
  for (let frames = 0n; frames * 8n < THREAD_SIZE; frames++) {
    const slot = bp + 8n;
    if (slot < begin || slot >= last) break;
    const ip = stackWord(view, slot);
    if (ip === undefined || !view.isText(ip)) break;
    report(ip, slot, false);
    bp = stackWord(view, bp) ?? 0n;
  }
  return bp;
}

/** The dump as a trace: with `?` where only the scan found a line, or by frame pointers alone, as perf asked for it. */
export function walkByDumpTrace(walk: StacktraceOps['walk'], view: View): Trace {
  const unwinder = walk === 'scan' ? 'dump-trace' : 'dump-trace-bp';
  if (view.cpl !== 0) return userTrace(unwinder, view);
  const entries: TraceEntry[] = [...userTrace(unwinder, view).entries];
  const { reason, complete, path } = dumpTrace(view, {
    walk,
    stack: () => 0,
    address: (entry) => entries.push(entry),
  });
  return { unwinder, entries, end: complete ? 'complete' : 'stopped', path, reason, warning: undefined };
}

/**
 * show_trace_log_lvl() before 4.9. A marker has no line break behind it, so that the first line of a stack follows it; what
 * closes an exception stack is `<<EOE>>`, since its name has angle brackets of its own.
 */
export function dumpTraceLog(view: View, symbolize: (address: bigint) => string): readonly PrintedLine[] {
  const lines: PrintedLine[] = [{ text: 'Call Trace:' }];
  let open = '';
  dumpTrace(view, {
    walk: 'scan',
    stack: (name) => {
      open += ` <${name}> `;
      return 0;
    },
    address: ({ ip, slot, guess }) => {
      const text = `${open} [<${ip.toString(16).padStart(16, '0')}>] ${guess ? '? ' : ''}${symbolize(ip)}`;
      lines.push(slot === undefined ? { text } : { text, slot, certain: !guess });
      open = '';
    },
  });
  return open === '' ? lines : [...lines, { text: open }];
}
