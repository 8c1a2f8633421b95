/**
 * What every unwinder since 4.9 is to its callers: a state that stands at a frame and can be moved to the one outside it
 * (struct unwind_state, arch/x86/include/asm/unwind.h). Two callers walk it here; the third prints, in show-trace-log.ts.
 */
import { addressText } from './describe.ts';
import { isUserMode, PT_REGS } from './pt-regs.ts';
import type { Trace, TraceEntry, View } from './view.ts';

/** Frames after which a caller of ours gives up: more than all stacks have words. Callers in kernels have their own bounds. */
export const MAX_FRAMES = 8192;
export const ENDLESS = 'goes round in a circle';

/** One more line of the log, if there is one. */
export const warnings = (before: string | undefined, text: string | undefined): string | undefined =>
  before !== undefined && text !== undefined ? `${before}\n${text}` : (before ?? text);

/** Registers on a stack: a whole `struct pt_regs`, or only its last five words, counted as if the rest were there. */
export interface EntryRegs {
  readonly address: bigint;
  readonly partial: boolean;
}

export interface UnwindState {
  /** unwind_done(). */
  readonly done: boolean;
  /** unwind_error(): what follows is a guess, or nothing. */
  readonly error: boolean;
  /** Ended at user registers, or at an end that is known. */
  readonly complete: boolean;
  /** Code address of this frame, and where it lies. */
  readonly ip: bigint;
  readonly slot: bigint;
  /** Whether the unwinder vouches for it: unwind_get_return_address_ptr() is not NULL. */
  readonly certain: boolean;
  /** unwind_get_entry_regs(). */
  readonly regs: EntryRegs | undefined;
  /** Name of the stack the walk has come to. */
  readonly stack: string;
  /** As in `Trace`. */
  readonly path: Trace['path'];
  readonly reason: string;
  /** What was written to the log on the way, a line each. */
  readonly warning: string | undefined;
  /** unwind_next_frame(). */
  next(): void;
}

/** The current function, and the trace of a dump from user mode, where no kernel stack is in use. */
const currentOf = (view: View): TraceEntry => ({
  ip: view.rip,
  slot: undefined,
  guess: false,
  stack: view.stacks.find(({ begin, end }) => view.rsp >= begin && view.rsp < end)?.name ?? '',
});
export const userTrace = (unwinder: string, view: View): Trace => ({
  unwinder,
  entries: [currentOf(view)],
  end: 'complete',
  path: [],
  reason: 'starts in user mode: no kernel stack is in use',
  warning: undefined,
});

/** arch_stack_walk() from a dump's registers: their RIP, then every return address until there is none. */
export function walkFrames(unwinder: string, view: View, start: (view: View) => UnwindState): Trace {
  if (view.cpl !== 0) return userTrace(unwinder, view);
  const entries = [currentOf(view)];
  const state = start(view);
  let { reason } = state;
  for (let frames = 0; !state.done; state.next()) {
    const { ip, slot, regs, stack } = state;
    if (regs && isUserMode(view, regs.address)) continue;
    if (++frames > MAX_FRAMES) {
      reason = ENDLESS;
      break;
    }
    if (!view.isText(ip)) {
      reason = `finds no text address at ${addressText(view.stacks, slot)}`;
      break;
    }
    entries.push({ ip, slot, guess: !state.certain, stack });
  }
  if (state.done) reason = state.reason;
  const { warning, path, complete, done } = state;
  const end = warning !== undefined ? 'warned' : complete && done ? 'complete' : 'stopped';
  return { unwinder, entries, end, path, reason, warning, error: state.error || !done };
}

/** The word that holds the code address of registers. */
export const ipOf = (regs: bigint): bigint => regs + PT_REGS.ip;
