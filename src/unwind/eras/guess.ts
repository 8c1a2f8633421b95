/**
 * The guess unwinder, arch/x86/kernel/unwind_guess.c (4.9 to 6.12, the same code): every word of every stack that is a text
 * address may be a return address. It vouches for none, so that all its lines have a `?`. Tracers' return addresses are not modelled.
 *
 * Read: torvalds/linux at 06b4b8e0eab7 (of the time of 4.9), Kingxukai/linux at 0291023e7330 (6.17). In both unwind_next_frame() moves
 * one word on before it looks, also right after it has changed stacks: the word that a link leads to is never looked at. On the
 * first stack __unwind_start() has looked at it.
 */

import { stackText } from '../describe.ts';
import { heldText } from '../link-rules.ts';
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
} from '../stack-info.ts';
import { type UnwindState, walkFrames, warnings } from '../unwind-state.ts';
import { nextText, stackWord, type Trace, type View } from '../view.ts';

const align = (sp: bigint): bigint => (sp + 7n) & ~7n;

class GuessState implements UnwindState {
  readonly #view: View;
  readonly #era: StackEra;
  readonly #link: LinkIndex;
  readonly #visited = new Set<string>();
  #info: StackInfo;
  slot: bigint;
  readonly path: { stack: string; sp: bigint }[] = [];
  readonly error = false;
  readonly certain = false;
  readonly regs = undefined;
  complete = false;
  reason = 'starts with RSP on no known stack';
  warning: string | undefined;

  constructor(era: StackEra, view: View, link: LinkIndex) {
    this.#view = view;
    this.#era = era;
    this.#link = link;
    this.slot = align(view.rsp);
    this.#info = this.#enter(view.rsp);
    if (!this.done && !(isOn(this.#info, this.slot, 8n) && view.isText(this.ip))) this.next();
  }

  get done(): boolean {
    return this.#info.kind !== 'known';
  }
  get stack(): string {
    return this.#info.kind === 'known' ? this.#info.stack.name : '';
  }
  get ip(): bigint {
    return stackWord(this.#view, this.slot) ?? 0n;
  }

  #enter(sp: bigint): StackInfo {
    const rules = STACK_RULES[this.#era];
    const info = getStackInfo(this.#view, sp, this.#link, this.#visited, rules);
    if (info.kind === 'known') this.path.push({ stack: info.stack.name, sp });
    if (info.kind === 'visited')
      this.warning = warnings(this.warning, recursionWarning(info.stack.name, rules));
    return info;
  }

  next(): void {
    while (this.#info.kind === 'known') {
      const { stack, nextSp } = this.#info;
      const word = nextText(this.#view, this.slot + 8n, stack.end);
      if (word) {
        this.slot = word.slot;
        return;
      }
      this.slot = align(nextSp);
      this.#info = this.#enter(this.slot);
      if (this.#link(stack) === undefined) {
        this.complete = true;
        this.reason = `reaches the end of ${stackText(stack.name)}`;
      } else if (this.#info.kind !== 'known') this.reason = heldText(this.#view, nextSp, this.#info);
    }
  }
}

export const startGuess =
  (era: StackEra, link: LinkIndex = nmiLink(HARDWARE_LINK)) =>
  (view: View): UnwindState =>
    new GuessState(era, view, link);

/** Lists every text address on the stacks that the links lead to. */
export const walkByGuess = (era: StackEra, view: View): Trace =>
  walkFrames(`guess-${era}`, view, startGuess(era));
