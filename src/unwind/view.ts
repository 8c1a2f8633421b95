/** What every unwinder sees and says. An unwinder knows nothing of how code is executed. */

import type { OrcTable } from '../image/orc.ts';
import type { StackRange } from '../kernel/memory-map.ts';

export type { StackRange };

/** Eight bytes of kernel memory at a linear address; undefined where nothing is mapped. */
export interface ReadWord {
  (address: bigint): bigint | undefined;
  /** `nextText` on a stack, where there is a faster way than word by word. It goes with this memory, and with no other. */
  readonly nextText?: (from: bigint, end: bigint) => TextWord | undefined;
}

/** A word of a stack that holds a text address. */
export interface TextWord {
  readonly slot: bigint;
  readonly ip: bigint;
}

/** A stopped processor, as a dump taken at this boundary would find it. */
export interface View {
  readonly rip: bigint;
  readonly rsp: bigint;
  readonly rbp: bigint;
  readonly cpl: number;
  readonly read: ReadWord;
  readonly stacks: readonly StackRange[];
  /** Whether an address lies in kernel text (`__kernel_text_address`). */
  readonly isText: (address: bigint) => boolean;
  /** Whether it lies in entry code (`.entry.text`); nowhere, unless told. */
  readonly isEntryText?: (address: bigint) => boolean;
  /** Registers that ORC may count from, where they are known. */
  readonly registers?: Readonly<Partial<Record<'rax' | 'rdx' | 'rdi' | 'r10' | 'r13', bigint>>>;
  /** Undefined in a kernel that has no tables, or not yet. */
  readonly orc?: OrcTable | undefined;
  /** `func+0x1/0x2`, for warnings that name a place; hexadecimal, unless told. */
  readonly symbolize?: (address: bigint) => string;
}

/** A word of a stack. Undefined off every stack: no unwinder reads there, whatever a stack holds. */
export const stackWord = (view: View, address: bigint): bigint | undefined =>
  view.stacks.some(({ begin, end }) => address >= begin && address + 8n <= end)
    ? view.read(address)
    : undefined;

/**
 * The next text address on a stack: the first word that holds one, in steps of eight bytes from `from` on. A word that reaches
 * beyond `end` is none. Undefined if there is no other.
 */
export function nextText(view: View, from: bigint, end: bigint): TextWord | undefined {
  const { nextText: faster } = view.read;
  if (faster) return faster(from, end);
  for (let slot = from; slot + 8n <= end; slot += 8n) {
    const ip = stackWord(view, slot);
    if (ip !== undefined && view.isText(ip)) return { slot, ip };
  }
  return undefined;
}

/** One line of a trace. */
export interface TraceEntry {
  readonly ip: bigint;
  /** Where on a stack the address was found; undefined for the current RIP. */
  readonly slot: bigint | undefined;
  /** Printed with a `?`. */
  readonly guess: boolean;
  readonly stack: string;
}

/** How a walk ended: at user registers or a known end, silently short of it, or with a warning. */
export type TraceEnd = 'complete' | 'stopped' | 'warned';

export interface Trace {
  /** Name of the unwinder: `end-2`, `end-14`, `frame-pointer`. */
  readonly unwinder: string;
  readonly entries: readonly TraceEntry[];
  readonly end: TraceEnd;
  /** Every stack the walk entered, with the RSP it entered at, in order. */
  readonly path: readonly { readonly stack: string; readonly sp: bigint }[];
  /** Why it ended, one plain sentence without the unwinder's name: `holds R', in the NMI stack again: already visited`. */
  readonly reason: string;
  /** What the kernel would have printed as a warning. */
  readonly warning: string | undefined;
  /** unwind_error(): callers of the API can see that the walk failed, whether or not anything was printed. */
  readonly error?: boolean;
}

/** A function that is truly live, innermost first; written down while the code ran. */
export interface TruthEntry {
  readonly ip: bigint;
  /** Where the address lies in memory (return address, or RIP word of the event's frame); undefined for the current RIP. */
  readonly slot: bigint | undefined;
  readonly how: 'current' | 'return' | 'interrupted';
  /** RSP of this function when it called or was interrupted; the current RSP for the first. */
  readonly sp: bigint;
  readonly stack: string;
  /** Where a fault may come back to instead: its handler writes that into the record, and from then on it is as true. */
  readonly landings?: readonly bigint[];
}

/** Whether a code address is that of an entry. */
export const isAt = ({ ip: truly, landings }: TruthEntry, ip: bigint): boolean =>
  truly === ip || landings?.includes(ip) === true;

export interface Truth {
  readonly entries: readonly TruthEntry[];
  /** Why the record may be useless: a return address was overwritten while in use. */
  readonly lost: boolean;
}

/** What an unwinder makes of a state, in order of badness. */
export const JUDGEMENTS = [
  'right',
  'stops-early-and-says',
  'stops-early-silently',
  'wrong-and-says',
  'wrong-silently',
] as const;

/** `not-asked`: the rule has nothing to say here (RSP is on no exception stack). */
export type Judgement = (typeof JUDGEMENTS)[number] | 'not-asked';

/** Judgements by their code, which is the higher, the worse. */
export const CODES: readonly Judgement[] = ['not-asked', ...JUDGEMENTS];
