/**
 * show_trace_log_lvl() since 4.9 (arch/x86/kernel/dumpstack.c): two walks at once. One goes through every word of every
 * stack that the links lead to, and each text address is a line. The other is an unwinder's, and moves on whenever the first
 * arrives at its frame; lines that it does not vouch for get a `?`. So a trace ends where the links end, also where the
 * unwinder could go on.
 *
 * Read at 4.9 (jagogardiner/kernel_google_msm-4.9 569d4988f41d), 4.18 (sbourdelin/linux 2fc7b50c94f1), 6.17 (Kingxukai/linux
 * 0291023e7330). Registers on the stack are printed since 4.10, iret frames since 4.14, code bytes in both since 4.18, and
 * `<TASK>` since 5.17.
 */
import { isUserMode, PT_REGS } from '../pt-regs.ts';
import {
  getStackInfo,
  HARDWARE_LINK,
  isOn,
  type LinkIndex,
  linkWord,
  nmiLink,
  recursionWarning,
  STACK_RULES,
  type StackEra,
  type StackInfo,
} from '../stack-info.ts';
import { type EntryRegs, MAX_FRAMES, type UnwindState, warnings } from '../unwind-state.ts';
import { nextText, type StackRange, stackWord, type TextWord, type View } from '../view.ts';
import type { Switches } from './switches.ts';

export type PrintEra = '4.9' | '4.10' | '4.14' | '5.2' | '6.12';

export interface PrintOptions {
  /** Which word of the NMI stack leads on; `end[-2]` in every kernel. */
  readonly link?: LinkIndex;
  /**
   * Where the scan starts, if not at the dump's RSP: from 2e4be0d011f2 to 2c118f50d7fd (6.12.0 among them) it was the stack
   * of whoever printed.
   */
  readonly from?: bigint;
  /**
   * Proposed in July 2016, never merged: the bounds of the stack, and where the next frame is. `links`: by the words at its end, both
   * of them on the NMI stack if they do not agree. `unwinder`: where the unwinder stands, so that a frame off this stack shows.
   */
  readonly nextFrame?: Switches['nextFrame'];
  /**
   * As iret frames were shown at first, before a9cdbe72c4e8 (4.15, stable 4.14): a whole `struct pt_regs` wherever one would lie on
   * the stack, whether or not it was saved. Told from what the fix added.
   */
  readonly wholeRegs?: boolean;
  /** Proposed in July 2016: a warning where a trace does not end at user registers. */
  readonly wantsUserRegs?: boolean;
}

type Symbolize = (address: bigint) => string;

/** A line of the log; one that tells a code address has the place of it on a stack, and whether the unwinder vouches for it. */
export interface PrintedLine {
  readonly text: string;
  readonly slot?: bigint;
  readonly certain?: boolean;
}

const PAGE = 0x1000n;
const CODE_BEFORE = 42;
const CODE_BYTES = 64;
const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, '0');

/** Words of `struct pt_regs` from its first byte on, in the order in which they are printed. */
const REGISTER_LINES: readonly (readonly (readonly [name: string, index: number])[])[] = [
  [
    ['RAX', 10],
    ['RBX', 5],
    ['RCX', 11],
  ],
  [
    ['RDX', 12],
    ['RSI', 13],
    ['RDI', 14],
  ],
  [
    ['RBP', 4],
    ['R08', 9],
    ['R09', 8],
  ],
  [
    ['R10', 7],
    ['R11', 6],
    ['R12', 3],
  ],
  [
    ['R13', 2],
    ['R14', 1],
    ['R15', 0],
  ],
];
const ORIG_AX = 15n;

/** show_opcodes(): the bytes around RIP, that of RIP in angle brackets. */
function codeLine(view: View, ip: bigint, era: PrintEra): string {
  const start = ip - BigInt(CODE_BEFORE);
  const bytes = Array.from({ length: CODE_BYTES }, (_, n) => view.read(start + BigInt(n)));
  if (bytes.some((one) => one === undefined))
    return era === '6.12'
      ? `Code: Unable to access opcode bytes at 0x${BigInt.asUintN(64, start).toString(16)}.`
      : 'Code: Bad RIP value.';
  const shown = bytes.map((one, n) =>
    n === CODE_BEFORE ? `<${hex((one ?? 0n) & 0xffn, 2)}>` : hex((one ?? 0n) & 0xffn, 2),
  );
  return `Code: ${shown.join(' ')}`;
}

/** __show_regs() in its short form, or show_iret_regs() where nothing else was saved. */
function registerLines(
  view: View,
  { address, partial }: EntryRegs,
  era: PrintEra,
  symbolize: Symbolize,
): readonly string[] {
  const at = (index: bigint): bigint => stackWord(view, address + index * 8n) ?? 0n;
  const [ip, cs, flags, sp, ss] = [16n, 17n, 18n, 19n, 20n].map(at) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const selector = (value: bigint): string => hex(value & 0xffffn, 4);
  const original = partial ? -1n : BigInt.asIntN(64, at(ORIG_AX));
  const lines = [
    `RIP: ${selector(cs)}:${(cs & 3n) === 0n ? symbolize(ip) : `0x${ip.toString(16)}`}`,
    ...(era === '5.2' || era === '6.12' ? [codeLine(view, ip, era)] : []),
    `RSP: ${selector(ss)}:${hex(sp)} EFLAGS: ${hex(flags, 8)}${original === -1n ? '' : ` ORIG_RAX: ${hex(at(ORIG_AX))}`}`,
  ];
  if (partial) return lines;
  for (const row of REGISTER_LINES)
    lines.push(row.map(([name, index]) => `${name}: ${hex(at(BigInt(index)))}`).join(' '));
  return lines;
}

/** What opens and closes a stack. The bounds are those of the mail: the last byte, and not the one behind it. */
function markers(
  view: View,
  stack: StackRange,
  era: PrintEra,
  { nextFrame }: PrintOptions,
  state: UnwindState,
): readonly [string, string] | undefined {
  const { name, begin, end } = stack;
  if (name === 'TASK' && era !== '6.12') return undefined;
  const where = nextFrame && name !== 'TASK' ? nextFrameText(view, stack, nextFrame, state) : undefined;
  const label = where ? `${name} (0x${hex(begin)}-0x${hex(end - 1n)}), next frame is at ${where}` : name;
  if (era === '4.9') return [` <${label}> `, name === 'IRQ' ? ' <EOI> ' : ' <EOE> '];
  return [` <${label}>`, ` </${name}>`];
}

function nextFrameText(
  view: View,
  stack: StackRange,
  by: NonNullable<PrintOptions['nextFrame']>,
  state: UnwindState,
): string {
  if (by === 'unwinder') return `0x${hex(state.done ? 0n : state.slot)}`;
  const [hardware, outermost] = [2, 14].map((index) => linkWord(view, stack, index)) as [bigint, bigint];
  if (stack.name === 'IRQ') return `0x${hex(linkWord(view, stack, 1))}`;
  return stack.name !== 'NMI' || hardware === outermost
    ? `0x${hex(hardware)}`
    : `0x${hex(hardware)} by end[-2], 0x${hex(outermost)} by end[-14]`;
}

/**
 * The lines of a trace, warnings of the walk first, as the log has them (they are deferred in truth). `start` begins the
 * unwinder that decides where the `?` stand.
 */
export function traceLog(
  view: View,
  era: PrintEra,
  start: (view: View) => UnwindState,
  symbolize: Symbolize,
  options: PrintOptions = {},
): readonly PrintedLine[] {
  const lines: PrintedLine[] = [{ text: 'Call Trace:' }];
  const link = options.link ?? nmiLink(HARDWARE_LINK);
  const stackEra: StackEra = era === '4.10' ? '4.9' : era;
  const rules = STACK_RULES[stackEra];
  const visited = new Set<string>();
  const state = start(view);
  let warning: string | undefined;
  let regs = era === '4.9' ? undefined : state.regs;
  let endsAtUser = false;
  const register = (info: StackInfo): void => {
    if (!regs) return;
    const { address } = regs;
    const partial = options.wholeRegs ? !isOn(info, address, PT_REGS.size) : regs.partial;
    if (partial && (era === '4.10' || !isOn(info, address + PT_REGS.ip, PT_REGS.size - PT_REGS.ip))) return;
    if (!partial && !isOn(info, address, PT_REGS.size)) return;
    const [rip = '', ...others] = registerLines(view, { address, partial }, era, symbolize);
    lines.push({ text: rip, slot: address + PT_REGS.ip, certain: true }, ...others.map((text) => ({ text })));
    endsAtUser = isUserMode(view, address);
  };
  const enter = (sp: bigint): StackInfo => {
    const info = getStackInfo(view, sp, link, visited, rules);
    if (info.kind === 'visited') warning = warnings(warning, recursionWarning(info.stack.name, rules));
    return info;
  };

  let sp = options.from ?? view.rsp;
  let moved = 0;
  for (;;) {
    const { slot: begin, info } = arrive(sp, era, enter);
    if (info.kind !== 'known') break;
    const { stack, nextSp } = info;
    const marks = markers(view, stack, era, options, state);
    if (marks) lines.push({ text: marks[0] });
    register(info);
    const next = (from: bigint): TextWord | undefined => nextText(view, from, stack.end);
    for (let word = next(begin); word; word = next(word.slot + 8n)) {
      const { slot, ip: address } = word;
      const printed = regs !== undefined && slot === regs.address + PT_REGS.ip;
      if (!printed) {
        const reliable = !state.done && state.certain && slot === state.slot;
        lines.push({ text: addressLine(address, reliable, era, symbolize), slot, certain: reliable });
        if (!reliable) continue;
      }
      if (++moved > MAX_FRAMES) continue;
      state.next();
      regs = era === '4.9' ? undefined : state.regs;
      register(info);
    }
    if (marks) lines.push({ text: marks[1] });
    if (nextSp === 0n) break;
    sp = nextSp;
  }
  if (options.wantsUserRegs && !endsAtUser && view.cpl === 0)
    lines.push({ text: 'WARNING: stack trace does not end at user registers' });
  const log = warnings(state.warning, warning);
  return [...[...new Set(log?.split('\n'))].map((text) => ({ text })), ...lines];
}

/**
 * The stack at `sp`; else, if it seems to have run over into the page below it, the one above that page. Where `sp` is on a stack
 * that was visited, the page above is that stack or the guard page behind it (5.2), or a first word that 4.14 did not count:
 * never another stack, and so it is not asked for, since the stacks of an older design lie without a gap.
 */
function arrive(
  sp: bigint,
  era: PrintEra,
  enter: (sp: bigint) => StackInfo,
): { slot: bigint; info: StackInfo } {
  if (era === '4.9' || era === '4.10') return { slot: sp, info: enter(sp) };
  const slot = (sp + 7n) & ~7n;
  const info = enter(slot);
  if (info.kind !== 'unknown') return { slot, info };
  const above = (slot + PAGE - 1n) & ~(PAGE - 1n);
  return { slot: above, info: enter(above) };
}

const addressLine = (address: bigint, reliable: boolean, era: PrintEra, symbolize: Symbolize): string =>
  ` ${era === '4.9' ? `[<${hex(address)}>] ` : ''}${reliable ? '' : '? '}${symbolize(address)}`;
