/**
 * The ORC unwinder, arch/x86/kernel/unwind_orc.c, in three eras. Read: 4.14 through the dossier; 5.2 as torvalds/linux at
 * 01613edcbe93 (with the entry for a call of NULL); 6.12 as Kingxukai/linux at 0291023e7330 (6.17), whose code is that of 6.12
 * but for locking.
 *
 * It goes where the row of the table says, and never by the link at the top of a stack: an address is on a stack or it is not.
 * Not modelled: modules, ftrace trampolines, return addresses that tracers have replaced, and the dump of `unwind_debug`.
 */
import { type FoundRow, foundRow, type OrcBase } from '../../image/orc.ts';
import { addressText } from '../describe.ts';
import { isUserMode, PT_REGS } from '../pt-regs.ts';
import {
  getStackInfo,
  isOn,
  type LinkIndex,
  recursionWarning,
  STACK_RULES,
  type StackInfo,
} from '../stack-info.ts';
import { ipOf, type UnwindState, walkFrames, warnings } from '../unwind-state.ts';
import { stackWord, type Trace, type View } from '../view.ts';

export type OrcRules = '4.14' | '5.2' | '6.12';

/** get_stack_info() tells the link, too; nobody here asks for it. */
const LINK: LinkIndex = () => undefined;
const PAGE = 0x1000n;
/** Bytes of `struct pt_regs` above which the iret frame lies, and of that frame. */
const IRET_FRAME_OFFSET = PT_REGS.ip;
const IRET_FRAME_SIZE = PT_REGS.size - PT_REGS.ip;

type Saved = 'rax' | 'rdx' | 'rdi' | 'r10' | 'r13';
/** Registers that a frame may be told by: name in the kernel's warnings, and place in `struct pt_regs`. */
const SAVED: Readonly<
  Partial<Record<OrcBase, { readonly name: Saved; readonly text: string; readonly at: bigint }>>
> = {
  ax: { name: 'rax', text: 'RAX', at: 80n },
  dx: { name: 'rdx', text: 'DX', at: 96n },
  di: { name: 'rdi', text: 'RDI', at: 112n },
  r10: { name: 'r10', text: 'R10', at: 56n },
  r13: { name: 'r13', text: 'R13', at: 16n },
};

/** For a call of NULL: RIP is 0, and the return address has just been pushed. */
const NULL_ROW = foundRow({
  address: 0n,
  base: 'sp',
  offset: 8,
  bpBase: 'undefined',
  bpOffset: 0,
  type: 'call',
  signal: false,
});
/** For code that no table knows: as if it had a frame pointer. */
const FRAME_ROW = foundRow({
  address: 0n,
  base: 'bp',
  offset: 16,
  bpBase: 'prev-sp',
  bpOffset: -16,
  type: 'call',
  signal: false,
});

/** Registers that a walk has come by: the dump's own, or on a stack. */
type Regs = bigint | 'own' | undefined;

class OrcState implements UnwindState {
  readonly #view: View;
  readonly #rules: OrcRules;
  readonly #visited = new Set<string>();
  readonly path: { stack: string; sp: bigint }[] = [];
  #info: StackInfo = { kind: 'unknown' };
  /** First and last word of the stack the walk is on. */
  #low = 0n;
  #high = -1n;
  #ip: bigint;
  /** Where it was found. */
  #slot: bigint;
  #sp: bigint;
  #bp: bigint;
  #regs: Regs;
  #full = true;
  #previous: Regs;
  #signal = true;
  error = false;
  complete = false;
  reason = '';
  warning: string | undefined;

  constructor(rules: OrcRules, view: View) {
    this.#view = view;
    this.#rules = rules;
    this.#ip = view.rip;
    this.#slot = view.rsp - 8n;
    this.#sp = view.rsp;
    this.#bp = view.rbp;
    this.#regs = 'own';
    if (!view.orc) {
      this.error = rules === '6.12';
      this.reason = 'finds no ORC tables';
      return;
    }
    if (!this.#enter(this.#sp)) {
      // Perhaps a stack has run over into the page below it.
      this.error = rules === '6.12';
      this.reason = 'starts with RSP on no known stack';
      if (!this.#enter((this.#sp + PAGE - 1n) & ~(PAGE - 1n))) return;
    }
    this.next();
  }

  get done(): boolean {
    return this.#info.kind !== 'known';
  }
  get stack(): string {
    return this.#info.kind === 'known' ? this.#info.stack.name : '';
  }
  get ip(): bigint {
    return this.#ip;
  }
  get slot(): bigint {
    return this.#slot;
  }
  get certain(): boolean {
    return !this.done;
  }
  get regs(): UnwindState['regs'] {
    if (this.done || typeof this.#regs !== 'bigint') return undefined;
    return { address: this.#regs, partial: !this.#full };
  }

  /** get_stack_info() for `address`; the stack it finds is the one the walk is on from now. */
  #enter(address: bigint): boolean {
    const rules = STACK_RULES[this.#rules];
    this.#info = getStackInfo(this.#view, address, LINK, this.#visited, rules);
    this.#high = -1n;
    if (this.#info.kind === 'known') {
      const { name, begin, end } = this.#info.stack;
      this.path.push({ stack: name, sp: address });
      this.#low = begin;
      this.#high = end - 8n;
    }
    if (this.#info.kind === 'visited')
      this.warning = warnings(this.warning, recursionWarning(this.#info.stack.name, rules));
    return this.#info.kind === 'known';
  }

  /** stack_access_ok(). Whether all of it lies on the new stack was not asked at first. */
  #reaches(address: bigint, size: bigint): boolean {
    if (isOn(this.#info, address, size)) return true;
    return this.#enter(address) && (this.#rules !== '6.12' || isOn(this.#info, address, size));
  }

  #word(address: bigint): bigint | undefined {
    // Most words lie on the stack the walk is on: asked once, and not again by `stackWord`.
    if (address >= this.#low && address <= this.#high) return this.#view.read(address);
    return this.#reaches(address, 8n) ? stackWord(this.#view, address) : undefined;
  }

  /** get_reg(): from whole registers, or from whole ones right before where only an iret frame was saved. */
  #saved(name: Saved | 'rbp', at: bigint): bigint | undefined {
    const from = this.#full
      ? this.#regs
      : this.#rules === '6.12' && this.#regs !== undefined
        ? this.#previous
        : undefined;
    if (from === undefined) return undefined;
    if (from !== 'own') return stackWord(this.#view, from + at);
    return name === 'rbp' ? this.#view.rbp : this.#view.registers?.[name];
  }

  next(): void {
    if (this.done) return;
    const ip = this.#ip;
    const row = this.#rowFor(ip);
    if (!row) return;
    this.#signal = row.signal;

    const stack = this.stack;
    const before = this.#sp;
    const sp = this.#frameOf(row);
    if (sp === undefined || !this.#load(row, sp, ip) || !this.#restore(row, sp, ip)) return;
    if (this.#sp <= before && this.stack === stack && isOn(this.#info, this.#sp, 8n)) {
      const text = this.#rules === '6.12' ? 'at ' : 'ip=';
      this.#fail('goes down instead of up', `stack going in the wrong direction? ${text}${this.#name(ip)}`);
    }
  }

  /** The row for the function the walk stands at; where there is none, or none is needed, the walk ends. */
  #rowFor(ip: bigint): FoundRow | undefined {
    if (typeof this.#regs === 'bigint' && isUserMode(this.#view, this.#regs))
      return this.#end('reaches the user registers');
    const row = this.#find(ip, this.#signal ? 0 : 1);
    if (!row) return this.#fail(`finds no ORC row for ${this.#name(ip)}`);
    if (row.type === 'undefined')
      return this.#fail(`finds code without unwind information, ${this.#name(ip)}`);
    return row.type === 'end' ? this.#end(`reaches ${this.#name(ip)}, where a stack is said to end`) : row;
  }

  /** The row for `ip - back`. */
  #find(ip: bigint, back: 0 | 1): FoundRow | undefined {
    if (ip === (back === 0 ? 0n : 1n) && this.#rules !== '4.14') return NULL_ROW;
    const row = this.#view.orc?.find(ip, back);
    if (row || this.#rules !== '6.12') return row;
    // A guess, so nothing from here on is reliable.
    this.error = true;
    return FRAME_ROW;
  }

  /** The address that base and offset give. */
  #frameOf({ base, by }: FoundRow): bigint | undefined {
    if (base === 'sp') return this.#sp + by;
    if (base === 'bp') return this.#bp + by;
    const late = base === 'sp-indirect' && this.#rules === '6.12';
    if (base === 'sp-indirect' || base === 'bp-indirect') {
      const at = (base === 'bp-indirect' ? this.#bp : this.#sp) + (late ? 0n : by);
      const found = this.#word(at);
      if (found === undefined) return this.#fail(`finds no stack at ${this.#place(at)}`);
      return late ? found + by : found;
    }
    // The row's offset is not added to such a register, whatever it says: read at 5.2, at 6.17, and in the series of April 2020
    // (unwind_next_frame(), ORC_REG_R10 to ORC_REG_DX). The hint in asm_exc_nmi, `base=%rdx offset=8`, so leads 8 bytes too low.
    const saved = SAVED[base];
    if (!saved) return this.#fail('finds a base that it does not know');
    const found = this.#saved(saved.name, saved.at);
    if (found !== undefined) return found;
    const [at, why] = [this.#name(this.#ip), `needs ${saved.text}, and nobody has saved it`];
    if (this.#rules === '6.12') return this.#fail(why, `missing ${saved.text} value at ${at}`);
    return this.#fail(why, `missing regs for base reg ${saved.text.replace('RDI', 'DI')} at ip ${at}`);
  }

  /** RIP and RSP of the caller, and registers if there are some. */
  #load({ type }: FoundRow, sp: bigint, ip: bigint): boolean {
    if (type === 'call') {
      const slot = sp - 8n;
      const found = this.#word(slot);
      if (found === undefined) return this.#no(`finds no stack at ${this.#place(slot)}`);
      this.#ip = found;
      this.#slot = slot;
      this.#sp = sp;
      this.#regs = undefined;
      this.#previous = undefined;
      return true;
    }
    const whole = type === 'regs';
    const regs = whole ? sp : sp - IRET_FRAME_OFFSET;
    const kind = whole ? 'registers' : 'iret registers';
    if (!this.#reaches(sp, whole ? PT_REGS.size : IRET_FRAME_SIZE)) {
      const text =
        this.#rules === '6.12'
          ? `can't access ${kind} at ${this.#name(ip)}`
          : `can't dereference ${kind} at ${sp.toString(16).padStart(16, '0')} for ip ${this.#name(ip)}`;
      return this.#no(`finds no room for ${kind} at ${this.#place(sp)}`, text);
    }
    this.#slot = ipOf(regs);
    this.#ip = stackWord(this.#view, this.#slot) ?? 0n;
    this.#sp = stackWord(this.#view, regs + PT_REGS.sp) ?? 0n;
    if (whole) this.#previous = undefined;
    else if (this.#full) this.#previous = this.#regs;
    this.#regs = regs;
    this.#full = whole;
    return true;
  }

  /** RBP of the caller. */
  #restore({ bpBase, bpBy }: FoundRow, sp: bigint, ip: bigint): boolean {
    if (bpBase === 'undefined') {
      this.#bp = this.#saved('rbp', PT_REGS.bp) ?? this.#bp;
      return true;
    }
    const from = bpBase === 'prev-sp' ? sp : bpBase === 'bp' ? this.#bp : undefined;
    if (from === undefined) return this.#no('finds RBP told by a register that it cannot be told by');
    const found = this.#word(from + bpBy);
    if (found === undefined)
      return this.#no(`finds no RBP at ${this.#place(from + bpBy)} for ${this.#name(ip)}`);
    this.#bp = found;
    return true;
  }

  #name(ip: bigint): string {
    return this.#view.symbolize?.(ip) ?? `0x${ip.toString(16)}`;
  }
  #place(address: bigint): string {
    return addressText(this.#view.stacks, BigInt.asUintN(64, address));
  }

  #end(reason: string): undefined {
    this.reason = reason;
    this.complete = true;
    this.#info = { kind: 'unknown' };
  }
  #no(reason: string, warning?: string): false {
    this.#fail(reason, warning);
    return false;
  }
  /** orc_warn_current(): not a word more after an error. */
  #fail(reason: string, warning?: string): undefined {
    if (warning !== undefined && (!this.error || this.#rules !== '6.12'))
      this.warning = warnings(this.warning, `WARNING: ${warning}`);
    this.reason = reason;
    this.error = true;
    this.#info = { kind: 'unknown' };
  }
}

/** unwind_start() from the registers of a dump: their own frame is passed over. */
export const startOrc =
  (rules: OrcRules) =>
  (view: View): UnwindState =>
    new OrcState(rules, view);

/** Walks by the rows of the view's table. Never throws, never reads off the stacks, and always ends with a reason. */
export const walkByOrc = (rules: OrcRules, view: View): Trace =>
  walkFrames(`orc-${rules}`, view, startOrc(rules));
