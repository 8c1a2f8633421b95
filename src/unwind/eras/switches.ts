/**
 * What was proposed in July 2016 and never merged, and who asks for a dump: switches for the unwinders of kernels, as a recipe sets
 * them (`set nmi-link end-14`). Without any of them a kernel does what it did.
 */
import { isPick } from '../link-rules.ts';
import { isUserMode, PT_REGS } from '../pt-regs.ts';
import { MAX_FRAMES, type UnwindState } from '../unwind-state.ts';
import { stackWord, type View } from '../view.ts';

export interface Switches {
  /** k of the word `end[-k]` that leads on from the NMI stack, for all that follow links. */
  readonly nmiLink?: number;
  /** `next frame is at` beside the name of a stack: what the words at its end say, or where the unwinder will look next. */
  readonly nextFrame?: 'links' | 'unwinder';
  /** A warning where a printed trace does not end at user registers. */
  readonly wantsUserRegs?: boolean;
  /**
   * Who prints: whoever runs (undefined); or a dump from the registers that the handler was given, as `show_regs()` makes it, which
   * starts at their stack pointer, or, from 2e4be0d011f2 to 2c118f50d7fd, at the printer's own.
   */
  readonly dump?: 'registers' | 'registers-own-stack';
}

interface Switch {
  /** Values that a recipe may write; `end-K` stands for any word. */
  readonly values: readonly string[];
  readonly about: string;
  readonly read: (value: string) => Switches | undefined;
}

const pick = (value: string): number => Number(/^end-(\d+)$/.exec(value)?.[1] ?? 0);

/** By name. */
export const SWITCHES: Readonly<Record<string, Switch>> = {
  'nmi-link': {
    values: ['end-K'],
    about: 'the word at the end of the NMI stack that leads on',
    read: (value) => (isPick(pick(value)) ? { nmiLink: pick(value) } : undefined),
  },
  'next-frame': {
    values: ['links', 'unwinder'],
    about: '"next frame is at" beside the name of each stack',
    read: (value) => (value === 'links' || value === 'unwinder' ? { nextFrame: value } : undefined),
  },
  'user-regs': {
    values: ['warn'],
    about: 'a warning where a printed trace does not end at user registers',
    read: (value) => (value === 'warn' ? { wantsUserRegs: true } : undefined),
  },
  dump: {
    values: ['registers', 'registers-own-stack'],
    about: 'a trace is printed from the registers that the handler was given',
    read: (value) => (value === 'registers' || value === 'registers-own-stack' ? { dump: value } : undefined),
  },
};

/** What the settings of a recipe say to the unwinders; others are for others. */
export const switchesOf = (
  settings: readonly { readonly name: string; readonly value: string }[],
): Switches => Object.assign({}, ...settings.map(({ name, value }) => SWITCHES[name]?.read(value)));

/**
 * The processor as the registers say that the handler was given: the first whole `struct pt_regs` that a walk comes by. Undefined
 * where it comes by none, or only by those of user mode.
 */
export function interruptedView(view: View, start: (view: View) => UnwindState): View | undefined {
  const state = start(view);
  for (let frames = 0; !state.done && frames < MAX_FRAMES; frames++, state.next()) {
    const { regs } = state;
    if (!regs || regs.partial) continue;
    if (isUserMode(view, regs.address)) return undefined;
    const at = (offset: bigint): bigint => stackWord(view, regs.address + offset) ?? 0n;
    return {
      ...view,
      rip: at(PT_REGS.ip),
      rsp: at(PT_REGS.sp),
      rbp: at(PT_REGS.bp),
      registers: { r13: at(16n), r10: at(56n), rax: at(80n), rdx: at(96n), rdi: at(112n) },
    };
  }
  return undefined;
}
