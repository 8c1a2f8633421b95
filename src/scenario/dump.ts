/**
 * The stack dumped at one boundary of a run by unwinders of kernels: what each prints, the words that each line rests on, and the
 * ORC rows in force, which may be others than those of the code. Plain data; made when somebody asks.
 */
import type { Source } from '../asm/source.ts';
import { type OrcRow, OrcTable, orcText } from '../image/orc.ts';
import { switchesOf } from '../unwind/eras/switches.ts';
import { type KernelUnwinder, unwindersNamed } from '../unwind/eras/unwinders.ts';
import { judge } from '../unwind/judge.ts';
import type { Judgement, Trace, Truth, TruthEntry, View } from '../unwind/view.ts';
import type { Moment } from './course.ts';
import type { Execution } from './execution.ts';
import type { Library } from './library.ts';
import { parse } from './recipe.ts';
import { stage } from './run.ts';
import { Views } from './views.ts';
import { fromTop, place, stackMeaning } from './words.ts';

/** A change of the table: another row at an address, or none; the row before it is then in force. */
export interface OrcEdit {
  readonly address: bigint;
  readonly row: OrcRow | undefined;
}

export interface DumpLine {
  readonly text: string;
  /** Where the code address lies; undefined for a marker, a warning, a line of registers. */
  readonly slot: bigint | undefined;
  readonly certain: boolean;
  /** Words that were read for it: by the unwinder since its last frame, or by the printer alone. */
  readonly reads: readonly bigint[];
  /** Why it has a `?`, one sentence; empty without one. */
  readonly doubt: string;
}

export interface DumpBy {
  readonly unwinder: string;
  readonly name: string;
  readonly era: string;
  readonly judgement: Judgement;
  readonly reason: string;
  readonly lines: readonly DumpLine[];
  readonly trusts: string;
}

/** The row by which ORC leaves a function of the true chain, the first being the one that runs. */
export interface RowInForce {
  /** `nmi+0x1/0x6c`. */
  readonly at: string;
  /** As the code has it, or as it was changed. */
  readonly row: OrcRow | undefined;
  /** As `objtool --dump=orc` has it: `sp:sp+8 bp:(und) type:regs-partial signal:1`. */
  readonly text: string;
  readonly edited: boolean;
}

export interface DumpWord {
  readonly address: bigint;
  /** `T-48`, `S+8`, or an address. */
  readonly where: string;
  /** Role of a word of the NMI stack, or empty. */
  readonly role: string;
  readonly value: bigint;
  readonly meaning: string;
}

export interface Dump {
  readonly boundary: number;
  readonly at: string;
  /** The true chain, innermost first. What was interrupted lies where an unwinder found it, or in any copy of its record. */
  readonly truth: readonly {
    readonly text: string;
    readonly slot: bigint | undefined;
    readonly stack: string;
  }[];
  readonly by: readonly DumpBy[];
  readonly rows: readonly RowInForce[];
  /** Stacks that are alive or were read, in the order of the true chain; words from the lowest of these. */
  readonly stacks: readonly { readonly name: string; readonly words: readonly DumpWord[] }[];
}

export interface DumpAsk {
  readonly boundary: number;
  readonly unwinders: readonly string[];
  readonly edits?: readonly OrcEdit[];
}

/** Dumps at a boundary of a recipe; a sentence if there is none. */
export function dumpAt(source: Source, pages: Library, ask: DumpAsk): Dump | string {
  let dump: Dump | undefined;
  const problem = walk(source, pages, ask.boundary, ask.unwinders, (moment, execution, rules) => {
    if (moment.boundary === ask.boundary) dump = dumpOf(moment, execution, rules, ask.edits ?? []);
  });
  return problem ?? dump ?? `invalid boundary: ${ask.boundary} (the run is over by then)`;
}

/** Boundaries `from` to `to`, both included, over which an unwinder trusts the same record. */
export interface Trusted {
  readonly from: number;
  readonly to: number;
  readonly trusts: string;
}

/** By unwinder, what it trusts at each boundary of the run; a sentence if nothing runs. */
export function trustedOver(
  source: Source,
  pages: Library,
  unwinders: readonly string[],
  last: number,
): readonly (readonly Trusted[])[] | string {
  const found: Trusted[][] = [];
  const problem = walk(source, pages, last, unwinders, ({ boundary }, execution, rules) => {
    const view = new Views(execution).now();
    rules.forEach((rule, n) => {
      const trusts = trustOf(rule, rule.unwind(view), execution);
      const spans = found[n] ?? [];
      found[n] = spans;
      const open = spans.at(-1);
      if (open?.trusts === trusts) spans[spans.length - 1] = { ...open, to: boundary };
      else spans.push({ from: boundary, to: boundary, trusts });
    });
  });
  return problem ?? found;
}

/** Every boundary up to `last`, with the unwinders as the recipe switches them. */
function walk(
  source: Source,
  pages: Library,
  last: number,
  unwinders: readonly string[],
  observe: (moment: Moment, execution: Execution, rules: readonly KernelUnwinder[]) => void,
): string | undefined {
  const { recipe, problems } = parse(source);
  const staged = stage(source, pages);
  if (!recipe || 'problems' in staged) {
    const [first] = 'problems' in staged ? staged.problems : problems;
    return first?.message ?? 'nothing runs';
  }
  const rules = unwindersNamed(unwinders, switchesOf(recipe.sets));
  const { execution, injections } = staged;
  execution.run(injections, last, (moment) => observe(moment, execution, rules));
  return undefined;
}

function dumpOf(
  moment: Moment,
  execution: Execution,
  rules: readonly KernelUnwinder[],
  edits: readonly OrcEdit[],
): Dump {
  const { image, design } = execution.program;
  const own = new Views(execution).now();
  const view = withRows(own, edits);
  const name = (address: bigint): string => view.symbolize?.(address) ?? '';
  const truth = moment.truth.truth(view.rip, view.rsp, design.stacks);
  const short = (address: bigint): string =>
    view.isText(address) ? place(image, address) : stackMeaning(address, moment.first, design);
  const by = rules.map((rule): DumpBy => {
    const read: bigint[] = [];
    const noted: View = {
      ...view,
      read: (address) => {
        read.push(address);
        return view.read(address);
      },
    };
    const trace = rule.unwind(noted);
    const { judgement, reason } = judge(trace, truth, view, short, true);
    const { unwinder } = trace;
    const lines = linesOf(rule, trace, view, read, roleName(execution));
    return {
      unwinder,
      name: rule.name,
      era: rule.era,
      judgement,
      reason,
      lines,
      trusts: trustOf(rule, trace, execution),
    };
  });
  return {
    boundary: moment.boundary,
    at: name(view.rip),
    truth: truth.entries.map((entry) => ({
      text: name(entry.ip),
      slot: placeOf(entry, by, execution, view),
      stack: entry.stack,
    })),
    by,
    rows: rowsOf(truth, view, edits),
    stacks: stacksOf(truth, view, by, (address) => ({
      address,
      where: fromTop(address, design) ?? stackMeaning(address, moment.first, design).replace(/,.*/, ''),
      role: roleName(execution)(address),
      value: view.read(address) ?? 0n,
      meaning: meaning(view.read(address) ?? 0n, view, short),
    })),
  };
}

/** Where the address of a live function lies. The word that hardware pushed may have been overwritten since. */
function placeOf(
  { ip, slot, how }: TruthEntry,
  by: readonly DumpBy[],
  { program: { design } }: Execution,
  view: View,
): bigint | undefined {
  if (how !== 'interrupted' || slot === undefined) return slot;
  const vouched = by.flatMap(({ lines }) => lines.filter(({ certain }) => certain));
  const copies = design.records.map(({ rip }) => design.top + 8n * BigInt(rip));
  const places = [...vouched.map((line) => line.slot), slot, ...copies];
  return places.find((one) => one !== undefined && view.read(one) === ip);
}

/** The view with other ORC rows. */
function withRows(view: View, edits: readonly OrcEdit[]): View {
  if (!view.orc || edits.length === 0) return view;
  const rows = view.orc.rows.flatMap((row) => {
    // The marks that end a section stay: behind them lies no code.
    const edit = row.type === 'undefined' ? undefined : edits.find(({ address }) => address === row.address);
    if (!edit) return [row];
    return edit.row ? [edit.row] : [];
  });
  return { ...view, orc: new OrcTable(rows) };
}

/** Name of a word of the NMI stack, `outermost.rip`; empty elsewhere. */
const roleName =
  ({ program: { design } }: Execution) =>
  (address: bigint): string =>
    design.roles.find(({ index }) => design.top + 8n * BigInt(index) === address)?.name ?? '';

function meaning(value: bigint, view: View, short: (address: bigint) => string): string {
  if (view.isText(value)) return short(value);
  return view.stacks.some(({ begin, end }) => value >= begin && value <= end) ? short(value) : '';
}

/** The printed lines; the unwinder's reads go to the line whose word they end with. */
function linesOf(
  rule: KernelUnwinder,
  trace: Trace,
  view: View,
  read: readonly bigint[],
  role: (address: bigint) => string,
): readonly DumpLine[] {
  const readsOf = new Map<bigint, readonly bigint[]>();
  let from = 0;
  for (const { slot } of trace.entries) {
    if (slot === undefined) continue;
    const to = read.indexOf(slot, from);
    if (to < 0) continue;
    readsOf.set(slot, [...new Set(read.slice(from, to + 1))]);
    from = to + 1;
  }
  const printed = rule.log?.(view, (address) => view.symbolize?.(address) ?? '') ?? [];
  const vouched = printed.flatMap(({ slot, certain }) => (certain && slot !== undefined ? [slot] : []));
  return printed.map(({ text, slot, certain = true }): DumpLine => {
    if (slot === undefined) return { text, slot, certain, reads: [], doubt: '' };
    const reads = certain ? (readsOf.get(slot) ?? [slot]) : [slot];
    const doubt = certain ? '' : doubtOf(slot, vouched, role(slot), trace);
    return { text, slot, certain, reads, doubt };
  });
}

function doubtOf(slot: bigint, vouched: readonly bigint[], role: string, trace: Trace): string {
  if (vouched.length === 0)
    return 'This walk vouches for no line: every word that looks like code is printed.';
  const [record = '', field] = role.split('.');
  if (field === 'rip')
    return `The RIP of the ${record} record. The printer finds it, and the unwinder does not go by this record.`;
  if (vouched.every((one) => one < slot) || trace.error)
    return 'Behind the last line that the unwinder vouches for: it has ended, or has left this stack.';
  return 'Looks like code, and lies in no frame that the unwinder came by: left by an earlier call, or a mere pointer.';
}

/** Which records of the NMI stack an unwinder goes by, and which word for the way to the next stack; empty where none is asked. */
function trustOf({ link }: KernelUnwinder, trace: Trace, { program: { design } }: Execution): string {
  const { top, records } = design;
  const taken = trace.entries.flatMap(({ slot, guess }) =>
    records.filter(({ rip }) => !guess && slot === top + 8n * BigInt(rip)).map(({ name }) => name),
  );
  const asks = link !== undefined && trace.path.some(({ stack }) => stack === 'NMI');
  const way = asks ? (records.find(({ rsp }) => rsp === -link)?.name ?? `end[-${link}]`) : undefined;
  const said = taken.join(', then ');
  if (way === undefined || way === said) return said;
  return said ? `${said}, and ${way} for the way` : `${way} for the way`;
}

/** The rows by which the functions of the true chain are left. */
function rowsOf(truth: Truth, view: View, edits: readonly OrcEdit[]): readonly RowInForce[] {
  return truth.entries.flatMap(({ ip, how }) => {
    if (!view.isText(ip)) return [];
    const row = view.orc?.find(how === 'return' ? ip - 1n : ip);
    const at = view.symbolize?.(ip) ?? '';
    const edited = edits.some(({ address }) => address === row?.address);
    return [{ at, row: row && plain(row), text: row ? orcText(row) : 'no row', edited }];
  });
}

const plain = ({ address, base, offset, bpBase, bpOffset, type, signal }: OrcRow): OrcRow => ({
  address,
  base,
  offset,
  bpBase,
  bpOffset,
  type,
  signal,
});

/** Stacks that are alive, or from which something was read, with their words, lowest address first. */
function stacksOf(
  truth: Truth,
  view: View,
  by: readonly DumpBy[],
  word: (address: bigint) => DumpWord,
): Dump['stacks'] {
  const alive = truth.entries.flatMap(({ slot }) => (slot === undefined ? [] : [slot]));
  const read = [...alive, ...by.flatMap(({ lines }) => lines.flatMap(({ reads }) => reads))];
  const order = [
    ...new Set([...truth.entries.map(({ stack }) => stack), ...view.stacks.map(({ name }) => name)]),
  ];
  return order.flatMap((name) => {
    const range = view.stacks.find((one) => one.name === name);
    const mine = read.filter((address) => range && address >= range.begin && address < range.end);
    if (!range || mine.length === 0) return [];
    const lowest = mine.reduce((low, address) => (address < low ? address : low));
    const count = Number((range.end - lowest) / 8n);
    return [{ name, words: Array.from({ length: count }, (_, n) => word(lowest + 8n * BigInt(n))) }];
  });
}
