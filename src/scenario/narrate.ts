/** A sentence for each step, from the record of what happened: never from what was meant to happen. */
import { WITH_ERROR_CODE } from '../engine/events/idt.ts';
import { type Image, lineAt } from '../image/image.ts';
import type { Design } from '../kernel/design.ts';
import { FRED_FRAME, RECORD_SIZE } from '../kernel/memory-map.ts';
import type { Word } from './timeline.ts';
import { VECTOR_NAME } from './track.ts';
import { fromTop, place } from './words.ts';

/** One transition, told by what it changed. */
export interface Happening {
  readonly kind: 'instruction' | 'repeat' | 'fault' | 'delivery';
  /** RIP and RSP before and after. */
  readonly from: { readonly rip: bigint; readonly rsp: bigint };
  readonly to: { readonly rip: bigint; readonly rsp: bigint };
  /** RSP after, in words: `T-48`, `S, task stack`. */
  readonly rspText: string;
  /** The RIP a delivery has pushed; RIP before for everything else. */
  readonly returnTo: bigint;
  /** `NMI 2`, `#BP`: the delivered event, numbered where there can be several. */
  readonly event: string;
  /** Name without its suffix: `iret`, `push`. */
  readonly mnemonic: string;
  /** Whether the words that a delivery has pushed lie where a live event has its own. */
  readonly overwrites: boolean;
  /** Whether the transition ended an event: control is back where it struck. */
  readonly back: string | undefined;
  /** The NMI latch before and after, and whether one waits after. */
  readonly wasBlocked: boolean;
  readonly blocked: boolean;
  readonly pending: boolean;
  /** Words of the NMI stack this transition wrote. */
  readonly written: readonly Word[];
  readonly condition: 'taken' | 'not taken' | undefined;
}

/** The name of a return from an event; undefined for other instructions. */
export const returnNamed = (mnemonic: string | undefined): string | undefined =>
  mnemonic === 'iretq' || mnemonic === 'erets' || mnemonic === 'eretu' ? mnemonic.toUpperCase() : undefined;

/** What a delivery pushes: bytes, how many of them lie below the RIP word, and words as they are told. */
const frameOf = ({
  fred,
}: Design): { readonly size: bigint; readonly belowRip: bigint; readonly words: string } =>
  fred
    ? { size: FRED_FRAME.size, belowRip: FRED_FRAME.below, words: 'eight' }
    : { size: RECORD_SIZE, belowRip: 0n, words: 'five' };

/** Name of the record that a word belongs to. */
const recordOf = (role: string): string => role.split('.')[0] ?? role;

/** The record whose five words begin at this address, as `{name}`. */
function recordAt(address: bigint, { records, top }: Design): string | undefined {
  const found = records.find(({ rip }) => top + 8n * BigInt(rip) === address);
  return found && `{${found.name}}`;
}

const stackOf = (address: bigint, { stacks }: Design): string => {
  const found = stacks.find(({ begin, end }) => address > begin && address <= end);
  if (!found) return 'no kernel stack';
  return found.name === 'TASK' ? 'the task stack' : `the ${found.name} stack`;
};

const latchText = ({ wasBlocked, blocked, pending }: Happening): string => {
  if (wasBlocked && !blocked)
    return pending ? ' NMIs are open again, and one is waiting.' : ' NMIs are open again.';
  return '';
};

/** Names of the events that push an error code below their five words; the frame of FRED has a word for it always. */
const CODED = WITH_ERROR_CODE.flatMap((vector) => VECTOR_NAME[vector] ?? []);

/** How the CPU pushed the five words of an NMI, told by where they lie. */
function pushed(after: bigint, overwrites: boolean, design: Design): string {
  const onto = stackOf(after, design);
  const { size, belowRip, words } = frameOf(design);
  const record = recordAt(after + belowRip, design);
  if (!design.stacks.some(({ end }) => end === after + size))
    return `The CPU pushes ${words} words on ${onto}, below what lies there.`;
  const level = design.interruptStacks.find(({ stack }) => stack.end === after + size)?.level ?? 0;
  if (design.fred) return `The CPU goes to level ${level} and pushes eight words on ${onto}.`;
  if (!record) return `The CPU loads RSP from the TSS and pushes five words on ${onto}.`;
  return overwrites
    ? `RSP starts again at T, so the CPU writes over the ${record} record.`
    : `The CPU loads RSP with T from the TSS and pushes five words: the ${record} record.`;
}

function delivery(happening: Happening, image: Image, design: Design): string {
  const { event, to, returnTo, overwrites } = happening;
  const where = place(image, returnTo);
  const onto = stackOf(to.rsp, design);
  if (!event.startsWith('NMI')) {
    const code = !design.fred && CODED.some((name) => event.startsWith(name)) ? ' and an error code' : '';
    return `${event} interrupts ${where}. The CPU pushes ${frameOf(design).words} words${code} on ${onto}.`;
  }
  return `${event} interrupts ${where}. ${pushed(to.rsp, overwrites, design)} NMIs are blocked.`;
}

/** A return from an event. */
function returned(name: string, happening: Happening, image: Image, design: Design): string {
  const { from, to, back } = happening;
  const record = recordAt(from.rsp + frameOf(design).belowRip, design);
  const through = record ? ` through the ${record} record` : '';
  const where = place(image, to.rip);
  const end = back ? ` ${back} is over.` : ' Nothing was interrupted there, so nothing is over.';
  return `${name} returns${through} to ${where}, RSP = ${happening.rspText}.${end}${latchText(happening)}`;
}

/** What an instruction did, with the comment its line carries. */
function instruction(happening: Happening, image: Image, design: Design): string {
  const { from, to, mnemonic, written, condition } = happening;
  const line = lineAt(image, from.rip);
  const text = line?.text.replace(/\s+/g, ' ') ?? place(image, from.rip);
  const comment = line?.comment ? ` (${line.comment})` : '';
  const told = written.map(({ group, role, field, meaning }) =>
    role === 'executing'
      ? `"NMI executing" is ${meaning}`
      : group === 'kept'
        ? `${field} is kept`
        : group === 'regs'
          ? `pt_regs ${field} is saved`
          : `{${recordOf(role)}} ${field} is ${meaning}`,
  );
  if (condition)
    return `${text}${comment}: ${condition === 'taken' ? `taken, to ${place(image, to.rip)}` : 'not taken'}.`;
  if (told.length > 0) return `${text}${comment}: ${told.join('; ')}.`;
  if (mnemonic === 'call' || mnemonic === 'ret') return `${text}: control goes to ${place(image, to.rip)}.`;
  if (to.rsp !== from.rsp && fromTop(to.rsp, design)) return `${text}${comment}: RSP = ${happening.rspText}.`;
  return `${text}${comment}.`;
}

/** One sentence or two for a transition; `{original}` and its kin stand for record names. */
export function narrate(happening: Happening, image: Image, design: Design): string {
  const { kind, from, event } = happening;
  if (kind === 'delivery') return delivery(happening, image, design);
  if (kind === 'fault') return `${lineAt(image, from.rip)?.text ?? place(image, from.rip)} raises ${event}.`;
  const name = returnNamed(happening.mnemonic);
  return name ? returned(name, happening, image, design) : instruction(happening, image, design);
}

/** What the page says of the label that control has reached; empty for none. */
export function arrival(
  image: Image,
  rip: bigint,
  { records }: Design,
): { readonly name: string; readonly sentence: string } | undefined {
  const symbol = image.symbols.find(({ address, global }) => global && address === rip);
  return (
    symbol && {
      name: symbol.name,
      sentence: records.reduce(
        (text, { name }) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `{${name}}`),
        symbol.comment,
      ),
    }
  );
}
