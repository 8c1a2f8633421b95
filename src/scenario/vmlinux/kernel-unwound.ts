/** The ORC unwinder on a real kernel's own rows, asked at a boundary and judged by the recorded truth. */
import type { OrcTable } from '../../image/orc.ts';
import { isProblem } from '../../image/reading.ts';
import type { BroughtUp } from '../../kernel/vmlinux/bring-up.ts';
import { functionText } from '../../unwind/describe.ts';
import { breaksI6 } from '../../unwind/eras/gaps.ts';
import { type OrcRules, walkByOrc } from '../../unwind/eras/orc.ts';
import { unwindersNamed } from '../../unwind/eras/unwinders.ts';
import { judge } from '../../unwind/judge.ts';
import type { TruthLog } from '../../unwind/truth.ts';
import type { Judgement, StackRange, Trace, Truth, View } from '../../unwind/view.ts';
import { pageReader } from '../page-reader.ts';
import { isIn, textBetween } from './kernel-paths.ts';

/** What the unwinder made of a boundary. */
export interface KernelUnwound {
  readonly judgement: Judgement;
  readonly reason: string;
  /** Name of the gap by design that excuses it (see unwind/eras/gaps.ts), or `RECORD_LOST`. */
  readonly gap: string | undefined;
  /** Neither right, nor reported by the unwinder, nor a gap by design. */
  readonly finding: boolean;
  /** The function that the walk comes to last. */
  readonly last: string;
  readonly trace: Trace;
}

/** Registers that a row may count from. */
const COUNTED_FROM = ['rax', 'rdx', 'rdi', 'r10', 'r13'] as const;

/** In place of a gap: nothing is judged here. */
export const RECORD_LOST = 'not judged: a return address was left or overwritten';

const isKernel = (address: bigint): boolean => address >> 63n !== 0n;

export class KernelUnwinder {
  readonly #up: BroughtUp;
  readonly #orc: OrcTable | undefined;
  readonly #rules: OrcRules;
  readonly #stacks: readonly StackRange[];
  readonly #read: View['read'];
  readonly #isText: View['isText'];
  readonly #isEntryText: (address: bigint) => boolean;

  constructor(up: BroughtUp) {
    const { kernel, machine, space, places } = up;
    const { symbols, orcTable, orc } = kernel;
    this.#up = up;
    this.#orc = isProblem(orcTable) ? undefined : orcTable;
    // The code of 6.12 came with that of 5.8, whose entry has the name it has today; the rows are one format here.
    this.#rules = orc?.format === '4.14' ? '4.14' : symbols.address('asm_exc_nmi') ? '6.12' : '5.2';
    this.#stacks = [places.task, ...places.interruptStacks, places.entryStack];
    this.#read = pageReader(machine, space);
    const text = textBetween(symbols, '_stext', '_etext');
    const entry = textBetween(symbols, '__entry_text_start', '__entry_text_end');
    this.#isText = (address) => isIn(text, address);
    this.#isEntryText = (address) => isIn(entry, address);
  }

  /** Whether there are rows to walk by. */
  get knows(): boolean {
    return this.#orc !== undefined;
  }

  readonly symbolize = (address: bigint): string =>
    (isKernel(address) ? this.#up.kernel.symbols.name(address) : undefined) ?? `0x${address.toString(16)}`;

  /** Which functions are live. What was interrupted in the kernel while RSP was the user's is on no stack and yet no user. */
  truth(log: TruthLog): Truth {
    const { machine } = this.#up;
    const { entries, lost } = log.truth(machine.get('rip'), machine.get('rsp'), this.#stacks);
    return {
      lost,
      entries: entries.map((one) => (one.stack === '' && isKernel(one.ip) ? { ...one, stack: 'user' } : one)),
    };
  }

  #last({ entries }: Trace): string {
    const ip = entries.at(-1)?.ip;
    return ip === undefined ? '' : functionText(this.symbolize(ip));
  }

  /** What is walked at the boundary where the machine stands; undefined in user mode, or without rows. */
  #view(): View | undefined {
    const { machine } = this.#up;
    const cpl = machine.low('cpl');
    if (cpl !== 0 || !this.#orc) return undefined;
    return {
      rip: machine.get('rip'),
      rsp: machine.get('rsp'),
      rbp: machine.get('rbp'),
      cpl,
      read: this.#read,
      stacks: this.#stacks,
      isText: this.#isText,
      isEntryText: this.#isEntryText,
      registers: Object.fromEntries(COUNTED_FROM.map((name) => [name, machine.get(name)])),
      orc: this.#orc,
      symbolize: this.symbolize,
    };
  }

  /** The lines that a dump would print here; none where nothing is asked. */
  printed(): readonly string[] {
    const view = this.#view();
    const [unwinder] = unwindersNamed([`orc-${this.#rules}`]);
    if (!view) return [];
    // A dump does not read the user's memory: to ask the machine for it would cost more than all the rest.
    const read: View['read'] = (address) => (isKernel(address) ? this.#read(address) : undefined);
    return unwinder?.print?.({ ...view, read }, this.sized) ?? [];
  }

  /** `name+0x1c/0x40`, as the kernel prints it; the bare address of the user's. */
  readonly sized = (address: bigint): string => {
    const { symbols } = this.#up.kernel;
    const found = isKernel(address) ? symbols.at(address) : undefined;
    if (!found) return `0x${address.toString(16)}`;
    const size = (symbols.after(address)?.address ?? address) - found.address;
    return `${found.name}+0x${(address - found.address).toString(16)}/0x${size.toString(16)}`;
  };

  /** Asks at the boundary where the machine stands; undefined in user mode, or without rows. */
  at(log: TruthLog): KernelUnwound | undefined {
    const view = this.#view();
    if (!view) return undefined;
    const truth = this.truth(log);
    const trace = walkByOrc(this.#rules, view);
    const judged = judge(trace, truth, view, this.symbolize, true);
    const { breaks, gap } = breaksI6(trace.unwinder, judged, trace, truth, view);
    return {
      ...judged,
      gap: truth.lost ? RECORD_LOST : gap?.id,
      finding: breaks,
      last: this.#last(trace),
      trace,
    };
  }
}
