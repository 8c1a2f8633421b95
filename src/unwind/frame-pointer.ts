/**
 * The frame-pointer unwinder, arch/x86/kernel/unwind_frame.c, by the rules of 4.10 or of 4.13.
 *
 * Read as 4.10: a late release candidate with comments, and a later copy of the same shape (stored copies without a
 * repository name; the form of `update_stack_state()` is the one that binaries of 4.10 have). Read as 4.13:
 * sbourdelin/linux at 6b4d23489227. The two differ where RBP in saved registers leads to no stack that can be reached.
 * 4.10 ends there without a word, since an interrupt in entry code could be the cause; the later one warns,
 * unless the registers were saved in entry code or before the first push on the task stack.
 *
 * Not modelled: the word dump that follows a warning, function-graph tracing, and that a warning is printed only once a boot.
 */

import { addressText, stackText } from './describe.ts';
import { heldText } from './link-rules.ts';
import { decodeFramePointer, FRAME_SIZE, isUserMode, PT_REGS } from './pt-regs.ts';
import { getStackInfo, HARDWARE_LINK, nmiLink, type StackInfo } from './stack-info.ts';
import type { Trace, TraceEntry, View } from './view.ts';

export type FrameRules = '4.10' | '4.13';

/** A task has a name and a number in the kernel's warnings; a view has none. */
const TASK_NAME = 'task:1';

/** Where the unwinder stands: at a frame, or at saved registers. */
interface Position {
  readonly address: bigint;
  readonly regs: boolean;
}

const LINK = nmiLink(HARDWARE_LINK);

/** `%p` of kernels before pointers were hashed. */
const pointer = (value: bigint): string =>
  value === 0n ? '(null)'.padStart(16) : value.toString(16).padStart(16, '0');

const sizeOf = ({ regs }: Position): bigint => (regs ? PT_REGS.size : FRAME_SIZE);

const decode = (bp: bigint): Position => {
  const regs = decodeFramePointer(bp);
  return { address: regs ?? bp, regs: regs !== undefined };
};

const onStack = (info: StackInfo, address: bigint, size: bigint): boolean =>
  info.kind === 'known' && address >= info.stack.begin && address + size <= info.stack.end;

class Walk {
  readonly #view: View;
  readonly #rules: FrameRules;
  readonly #inEntryText: (ip: bigint) => boolean;
  readonly #visited = new Set<string>();
  readonly path: { stack: string; sp: bigint }[] = [];
  at: Position;
  info: StackInfo;
  reason = '';
  warning: string | undefined;
  /** Ended at user registers, or at the first frame of a kernel thread. */
  complete = false;
  /** Why the last change of stack failed. */
  #refused = '';

  constructor(view: View, rules: FrameRules, inEntryText: (ip: bigint) => boolean) {
    this.#view = view;
    this.#rules = rules;
    this.#inEntryText = inEntryText;
    this.at = decode(view.rbp);
    this.info = getStackInfo(view, this.at.address, LINK, this.#visited);
    const start = this.info;
    if (start.kind === 'known') {
      const { begin, end, name } = start.stack;
      const sp = view.rsp >= begin && view.rsp < end ? view.rsp : this.at.address;
      this.path.push({ stack: name, sp });
    }
    if (!this.#reach(this.at)) {
      this.reason = `starts with RBP ${addressText(view.stacks, view.rbp)}, no frame on a known stack`;
      this.info = { kind: 'unknown' };
    }
  }

  get done(): boolean {
    return this.info.kind !== 'known';
  }

  /** Moves on from stack to stack, by `end[-2]`, until `to` lies on one. */
  #reach(to: Position): boolean {
    while (!onStack(this.info, to.address, sizeOf(to))) {
      if (this.info.kind !== 'known') return false;
      const { stack, nextSp } = this.info;
      this.info = getStackInfo(this.#view, nextSp, LINK, this.#visited);
      if (this.info.kind === 'known') this.path.push({ stack: this.info.stack.name, sp: nextSp });
      else {
        const by = LINK(stack);
        this.#refused =
          by === undefined
            ? `finds a saved RBP of ${addressText(this.#view.stacks, to.address)}, on no stack that can be reached`
            : `leaves ${stackText(stack.name)} by end[-${by}], which ${heldText(this.#view, nextSp, this.info)}`;
        return false;
      }
    }
    return true;
  }

  /** One frame outwards: `unwind_next_frame()`. */
  next(): void {
    this.at = this.#outwards(this.at) ?? this.at;
  }

  #outwards(from: Position): Position | undefined {
    const view = this.#view;
    const task = view.stacks.find(({ name }) => name === 'TASK');
    const top = (task?.end ?? 0n) - PT_REGS.size;
    if (from.regs && isUserMode(view, from.address)) return this.#end('reaches the user registers', true);
    if (task && this.#isLast(from, top)) {
      if (isUserMode(view, top)) return { address: top, regs: true };
      return this.#end('reaches the first frame of a kernel thread', true);
    }

    const bp = view.read(from.regs ? from.address + PT_REGS.bp : from.address) ?? 0n;
    const to = decode(bp);
    const before = this.info.kind === 'known' ? this.info.stack.name : '';
    if (!this.#reach(to)) {
      if (from.regs && this.#isForgiven(from.address, top)) return this.#end(this.#refused);
      return this.#bad(from, to, bp, this.#refused);
    }
    // Only upwards, and clear of the frame before: corrupt frames cannot make a circle.
    const same = this.info.kind === 'known' && this.info.stack.name === before;
    if (same && to.address < from.address + sizeOf(from)) {
      const saved = addressText(view.stacks, to.address);
      return this.#bad(from, to, bp, `finds a saved RBP of ${saved}, not above its own frame`);
    }
    return to;
  }

  /** Whether the frame is the last of a task: right below the registers at the top, or a word lower if realigned. */
  #isLast(at: Position, top: bigint): boolean {
    if (at.regs) return false;
    const last = top - FRAME_SIZE;
    if (at.address === last) return true;
    return at.address === last - 8n && this.#view.read(last) === this.#view.read(last + 8n);
  }

  /** Whether a bad RBP in registers at `regs` is passed over in silence. */
  #isForgiven(regs: bigint, top: bigint): boolean {
    if (this.#rules === '4.10') return true;
    const sp = this.#view.read(regs + PT_REGS.sp) ?? 0n;
    const ip = this.#view.read(regs + PT_REGS.ip) ?? 0n;
    return this.#inEntryText(ip) || (sp >= top - FRAME_SIZE - 8n && sp < top);
  }

  #end(reason: string, complete = false): undefined {
    this.info = { kind: 'unknown' };
    this.reason = reason;
    this.complete = complete;
  }

  #bad(from: Position, to: Position, bp: bigint, reason: string): undefined {
    const value = pointer(this.#rules === '4.10' ? to.address : bp);
    const where = `at ${pointer(from.address)} in ${TASK_NAME} has bad`;
    this.warning = from.regs
      ? `WARNING: kernel stack regs ${where} 'bp' value ${value}`
      : `WARNING: kernel stack frame pointer ${where} value ${value}`;
    this.#end(reason);
  }
}

/**
 * Walks frame pointers from the view's registers: `unwind_start()` with registers, then frame after frame.
 *
 * Frames below RSP are skipped first, and so are all frames as long as RSP lies on another stack than RBP's
 * frame. In the first instructions of an NMI nothing is left after that: RBP still belongs to the task. An encoded RBP counts as
 * a frame below RSP too, so the registers it leads to are missed until a function has pushed it.
 *
 * `inEntryText` tells the entry code from the rest of the text; only the rules of 4.13 ask. Never throws and always ends.
 */
export function walkByFramePointer(
  rules: FrameRules,
  view: View,
  inEntryText: (ip: bigint) => boolean = () => false,
): Trace {
  const entries: TraceEntry[] = [];
  const stack = view.stacks.find(({ begin, end }) => view.rsp >= begin && view.rsp < end)?.name ?? '';
  entries.push({ ip: view.rip, slot: undefined, guess: false, stack });
  const unwinder = 'frame-pointer';
  if (view.cpl !== 0) {
    const reason = 'starts in user mode: no kernel stack is in use';
    return { unwinder, entries, end: 'complete', path: [], reason, warning: undefined };
  }

  const walk = new Walk(view, rules, inEntryText);
  const encoded = walk.at.regs;
  const started = walk.info.kind === 'known' ? walk.info.stack.name : '';
  while (!walk.done && (!onStack(walk.info, view.rsp, 8n) || walk.at.regs || walk.at.address < view.rsp))
    walk.next();
  if (walk.done && walk.complete) {
    walk.complete = false;
    if (started !== stack) {
      walk.reason = `skips every frame, since RBP still leads to ${stackText(started)} and RSP is on ${stackText(stack)}`;
    } else {
      walk.reason = encoded
        ? 'skips every frame, since RBP leads to saved registers and no function has pushed it yet'
        : 'finds no frame above RSP';
    }
  }

  while (!walk.done) {
    const { address, regs } = walk.at;
    if (!(regs && isUserMode(view, address))) {
      const slot = address + (regs ? PT_REGS.ip : 8n);
      const ip = view.read(slot) ?? 0n;
      if (!view.isText(ip)) {
        walk.reason = `finds no text address at ${addressText(view.stacks, slot)}`;
        break;
      }
      const name = walk.info.kind === 'known' ? walk.info.stack.name : '';
      entries.push({ ip, slot, guess: false, stack: name });
    }
    walk.next();
  }
  const end = walk.warning !== undefined ? 'warned' : walk.complete ? 'complete' : 'stopped';
  return { unwinder, entries, end, path: walk.path, reason: walk.reason, warning: walk.warning };
}
