/**
 * The frame-pointer unwinder, arch/x86/kernel/unwind_frame.c, by the rules of 4.9, 4.10, 4.13 or 6.12.
 *
 * 4.9 follows frames and nothing else: no saved registers, no warning, no check that frames go up; it ends where a frame
 * pointer leads to no stack, and that is all it says. Read as 4.10: a late release candidate with comments, and a later copy of
 * the same shape (stored copies without a repository name; the form of `update_stack_state()` is the one that binaries of
 * 4.10 have). Read as 4.13: sbourdelin/linux at 6b4d23489227. The two differ where RBP in saved registers leads to no
 * stack that can be reached. 4.10 ends there without a word, since an interrupt in entry code could be the cause; the later
 * one warns, unless the registers were saved in entry code or before the first push on the task stack. By 6.12 it is enough
 * that registers were passed on the way and that the last address is one of entry code.
 *
 * Not modelled: the word dump that follows a warning, function-graph tracing, the frame that is made up for a call of NULL, and
 * that a warning is printed only once a boot.
 */

import { addressText, stackText } from './describe.ts';
import { heldText } from './link-rules.ts';
import { decodeFramePointer, FRAME_SIZE, isUserMode, PT_REGS } from './pt-regs.ts';
import {
  getStackInfo,
  HARDWARE_LINK,
  isOn,
  type LinkIndex,
  nmiLink,
  recursionWarning,
  STACK_RULES,
  type StackEra,
  type StackInfo,
} from './stack-info.ts';
import {
  ENDLESS,
  ipOf,
  MAX_FRAMES,
  type UnwindState,
  userTrace,
  walkFrames,
  warnings,
} from './unwind-state.ts';
import { stackWord, type Trace, type View } from './view.ts';

export type FrameRules = '4.9' | '4.10' | '4.13' | '6.12';
const STACK_ERA: Readonly<Record<FrameRules, StackEra>> = {
  '4.9': '4.9',
  '4.10': '4.9',
  '4.13': '4.9',
  '6.12': '6.12',
};

/** A task has a name and a number in the kernel's warnings; a view has none. */
const TASK_NAME = 'task:1';

/** Where the unwinder stands: at a frame, or at saved registers. */
interface Position {
  readonly address: bigint;
  readonly regs: boolean;
}

/** `%p` of kernels before pointers were hashed. */
const pointer = (value: bigint): string =>
  value === 0n ? '(null)'.padStart(16) : value.toString(16).padStart(16, '0');

const sizeOf = ({ regs }: Position): bigint => (regs ? PT_REGS.size : FRAME_SIZE);

const decode = (bp: bigint): Position => {
  const regs = decodeFramePointer(bp);
  return { address: regs ?? bp, regs: regs !== undefined };
};

class Walk implements UnwindState {
  readonly #view: View;
  readonly #rules: FrameRules;
  readonly #link: LinkIndex;
  readonly #inEntryText: (ip: bigint) => boolean;
  readonly #visited = new Set<string>();
  readonly path: { stack: string; sp: bigint }[] = [];
  #at: Position;
  #info: StackInfo;
  /** Registers were passed on the way. */
  #interrupted = false;
  reason = '';
  warning: string | undefined;
  error = false;
  complete = false;
  readonly certain = true;
  /** Why the last change of stack failed. */
  #refused = '';

  constructor(view: View, rules: FrameRules, inEntryText: (ip: bigint) => boolean, link: LinkIndex) {
    this.#view = view;
    this.#rules = rules;
    this.#link = link;
    this.#inEntryText = inEntryText;
    this.#at = this.#decode(view.rbp);
    this.#info = this.#enter(this.#at.address);
    const start = this.#info;
    if (start.kind === 'known') {
      const { begin, end, name } = start.stack;
      const sp = view.rsp >= begin && view.rsp < end ? view.rsp : this.#at.address;
      this.path.push({ stack: name, sp });
    }
    if (!this.#reach(this.#at)) {
      this.reason = `starts with RBP ${addressText(view.stacks, view.rbp)}, no frame on a known stack`;
      this.#info = { kind: 'unknown' };
    }
    this.#skip();
  }

  get done(): boolean {
    return this.#info.kind !== 'known';
  }
  get stack(): string {
    return this.#info.kind === 'known' ? this.#info.stack.name : '';
  }
  get slot(): bigint {
    return this.#at.regs ? ipOf(this.#at.address) : this.#at.address + 8n;
  }
  get ip(): bigint {
    return stackWord(this.#view, this.slot) ?? 0n;
  }
  get regs(): UnwindState['regs'] {
    return !this.done && this.#at.regs ? { address: this.#at.address, partial: false } : undefined;
  }

  /** In 4.9 an odd frame pointer is one like any other. */
  #decode(bp: bigint): Position {
    return this.#rules === '4.9' ? { address: bp, regs: false } : decode(bp);
  }

  #enter(sp: bigint): StackInfo {
    const rules = STACK_RULES[STACK_ERA[this.#rules]];
    const info = getStackInfo(this.#view, sp, this.#link, this.#visited, rules);
    if (info.kind === 'visited') this.#warn(recursionWarning(info.stack.name, rules));
    return info;
  }

  /** unwind_start(): frames below RSP, or on another stack than it, are passed over. */
  #skip(): void {
    const { rsp, stacks } = this.#view;
    const encoded = this.#at.regs;
    const started = this.stack;
    let frames = 0;
    while (!this.done && (!isOn(this.#info, rsp, 8n) || this.#at.regs || this.#at.address < rsp)) {
      this.next();
      if (++frames > MAX_FRAMES) this.#end(ENDLESS);
    }
    if (!this.done || !this.complete) return;
    this.complete = false;
    const name = stacks.find(({ begin, end }) => rsp >= begin && rsp < end)?.name ?? '';
    if (started !== name)
      this.reason = `skips every frame, since RBP still leads to ${stackText(started)} and RSP is on ${stackText(name)}`;
    else
      this.reason = encoded
        ? 'skips every frame, since RBP leads to saved registers and no function has pushed it yet'
        : 'finds no frame above RSP';
  }

  /** Moves on from stack to stack, by the link of each, until `to` lies on one. */
  #reach(to: Position): boolean {
    while (!isOn(this.#info, to.address, sizeOf(to))) {
      if (this.#info.kind !== 'known') return false;
      const { stack, nextSp } = this.#info;
      this.#info = this.#enter(nextSp);
      if (this.#info.kind === 'known') this.path.push({ stack: this.#info.stack.name, sp: nextSp });
      else {
        const by = this.#link(stack);
        this.#refused =
          by === undefined
            ? `finds a saved RBP of ${addressText(this.#view.stacks, to.address)}, on no stack that can be reached`
            : `leaves ${stackText(stack.name)} by end[-${by}], which ${heldText(this.#view, nextSp, this.#info)}`;
        return false;
      }
    }
    return true;
  }

  /** One frame outwards: `unwind_next_frame()`. */
  next(): void {
    if (this.done) return;
    this.#interrupted ||= this.#at.regs;
    this.#at = this.#outwards(this.#at) ?? this.#at;
  }

  #outwards(from: Position): Position | undefined {
    const view = this.#view;
    const task = view.stacks.find(({ name }) => name === 'TASK');
    const top = (task?.end ?? 0n) - PT_REGS.size;
    if (from.regs && isUserMode(view, from.address)) return this.#end('reaches the user registers', true);
    const last = task !== undefined && this.#isLast(from, top);
    if (last && this.#rules !== '4.9') {
      if (isUserMode(view, top)) return { address: top, regs: true };
      return this.#end('reaches the first frame of a kernel thread', true);
    }

    const bp = stackWord(view, from.regs ? from.address + PT_REGS.bp : from.address) ?? 0n;
    const to = this.#decode(bp);
    const before = this.stack;
    const { ip } = this;
    if (!this.#reach(to)) {
      if (this.#rules === '4.9')
        return this.#end(last ? 'reaches the first frame of the task' : this.#refused, last);
      if (this.#isForgiven(from, ip, top)) return this.#fail(this.#refused);
      return this.#bad(from, to, bp, this.#refused);
    }
    // Only upwards, and clear of the frame before: corrupt frames cannot make a circle.
    const same = this.#rules !== '4.9' && this.stack === before;
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
    if (this.#rules === '4.9') return false;
    return at.address === last - 8n && stackWord(this.#view, last) === stackWord(this.#view, last + 8n);
  }

  /** Whether a bad RBP behind `from`, whose code address is `ip`, is passed over in silence. */
  #isForgiven({ regs, address }: Position, ip: bigint, top: bigint): boolean {
    if (this.#rules === '4.10') return regs;
    if (this.#rules === '6.12' && this.#interrupted && this.#inEntryText(ip)) return true;
    if (!regs) return false;
    const sp = stackWord(this.#view, address + PT_REGS.sp) ?? 0n;
    return (this.#rules === '4.13' && this.#inEntryText(ip)) || (sp >= top - FRAME_SIZE - 8n && sp < top);
  }

  #warn(text: string | undefined): void {
    this.warning = warnings(this.warning, text);
  }

  #end(reason: string, complete = false): undefined {
    this.#info = { kind: 'unknown' };
    this.reason = reason;
    this.complete = complete;
  }

  #fail(reason: string): undefined {
    this.error = true;
    this.#end(reason);
  }

  #bad(from: Position, to: Position, bp: bigint, reason: string): undefined {
    const value = pointer(this.#rules === '4.10' ? to.address : bp);
    const where = `at ${pointer(from.address)} in ${TASK_NAME} has bad`;
    const what = from.regs ? 'regs' : 'frame pointer';
    this.#warn(`WARNING: kernel stack ${what} ${where} ${from.regs ? "'bp' " : ''}value ${value}`);
    this.#fail(reason);
  }
}

export const startFramePointer =
  (rules: FrameRules, link: LinkIndex = nmiLink(HARDWARE_LINK)) =>
  (view: View): UnwindState =>
    new Walk(view, rules, view.isEntryText ?? (() => false), link);

/**
 * Walks frame pointers from the view's registers: `unwind_start()` with registers, then frame after frame.
 *
 * Frames below RSP are skipped first, and so are all frames as long as RSP lies on another stack than RBP's
 * frame. In the first instructions of an NMI nothing is left after that: RBP still belongs to the task. An encoded RBP counts as
 * a frame below RSP too, so the registers it leads to are missed until a function has pushed it.
 *
 * `inEntryText` tells the entry code from the rest of the text; the rules before 4.13 do not ask. Never throws and always ends.
 */
export function walkByFramePointer(
  rules: FrameRules,
  view: View,
  inEntryText: (ip: bigint) => boolean = view.isEntryText ?? (() => false),
): Trace {
  if (view.cpl !== 0) return userTrace('frame-pointer', view);
  return walkFrames('frame-pointer', { ...view, isEntryText: inEntryText }, startFramePointer(rules));
}
