/** What a family does to flags, which faults it may raise, and what it reads and writes. */
import type { Slot } from '../../isa/ops.ts';
import type { FlagValue, PrintedAccess } from '../backends/print-instruction.ts';
import type { Sense } from './meanings.ts';
import type { Told } from './told.ts';

/** What becomes of a flag; `kept` if it is only tested. */
export interface FlagEffect {
  readonly tested: boolean;
  readonly effect: FlagValue | 'undefined' | 'kept';
}
export interface FlagLine {
  /** Mnemonics it holds for; empty if the family's are alike. */
  readonly label: string;
  /** By name, in the order of the manual's tables. */
  readonly flags: ReadonlyMap<string, FlagEffect>;
}

const LETTERS: Readonly<Record<string, string>> = {
  C: 'CF',
  P: 'PF',
  A: 'AF',
  Z: 'ZF',
  S: 'SF',
  O: 'OF',
  T: 'TF',
  I: 'IF',
  D: 'DF',
  N: 'NT',
  R: 'RF',
};
const DECLARED: ReadonlySet<string> = new Set(Object.values(LETTERS));
/** Status flags, then the rest by bit (SDM vol 1, figure 3-8). */
const FLAGS = 'CF PF AF ZF SF OF TF IF DF IOPL NT RF AC VIF VIP ID'.split(' ');

/** What the row declares. The printer tells constants apart, and knows flags that rows have no letter for. */
function effectsOf({ encoding: { row }, printer }: Told): FlagLine['flags'] {
  const named = (letters: string): ReadonlySet<string> =>
    new Set([...letters].map((letter) => LETTERS[letter] ?? letter));
  const reads = named(row.flags.reads);
  const writes = named(row.flags.writes);
  const free = named(row.flags.undefined);
  const flags = new Map<string, FlagEffect>();
  for (const name of FLAGS) {
    const told = printer.flagsWritten.get(name);
    const written = DECLARED.has(name) ? writes.has(name) : told !== undefined;
    const tested = DECLARED.has(name) ? reads.has(name) : printer.flagsRead.has(name);
    const effect = free.has(name) ? 'undefined' : written ? (told ?? 'changes') : 'kept';
    if (tested || effect !== 'kept') flags.set(name, { tested, effect });
  }
  return flags;
}

export function flagsOf(told: readonly Told[]): readonly FlagLine[] {
  const lines = new Map<string, { readonly names: Set<string>; readonly flags: FlagLine['flags'] }>();
  for (const one of told) {
    const flags = effectsOf(one);
    const key = [...flags].map(([name, { tested, effect }]) => `${name} ${tested} ${effect}`).join();
    const line = lines.get(key) ?? { names: new Set(), flags };
    line.names.add(one.encoding.row.mnemonic);
    lines.set(key, line);
  }
  return [...lines.values()].map(({ names, flags }) => ({
    label: lines.size > 1 ? [...names].join(', ') : '',
    flags,
  }));
}

export interface FaultLine {
  /** `#GP(0)`. */
  readonly fault: string;
  /** An expression of the text if `code`, else words. */
  readonly when: string;
  readonly code: boolean;
  /** Labels of the senses that raise it; empty if all do. */
  readonly of: readonly string[];
}

/** Faults in the order of the text, then those of touching memory. */
export function faultsOf(senses: readonly Sense[]): readonly FaultLine[] {
  const lines = new Map<string, FaultLine>();
  const add = (fault: string, when: string, code: boolean, label: string): void => {
    const key = `${fault} ${when}`;
    lines.set(key, { fault, when, code, of: [...(lines.get(key)?.of ?? []), label] });
  };
  for (const { best, label } of senses)
    for (const { fault, when } of best.printer.faults)
      add(fault, when.map(inner).join(' and ') || 'always', when.length > 0, label);
  for (const { group, label } of senses)
    for (const [fault, when] of ofMemory(group.flatMap(({ printer }) => printer.accesses)))
      add(fault, when, false, label);
  return [...lines.values()].map((line) => ({ ...line, of: line.of.length < senses.length ? line.of : [] }));
}
/** A condition as a part of a longer one. */
const inner = (text: string, _: number, all: readonly string[]): string =>
  all.length > 1 && / (and|or|\?) /.test(text) ? `(${text})` : text;

/** Operands go by DS, or SS if RSP or RBP is their base (SDM vol 1, 3.7.5). */
function* ofMemory(accesses: readonly PrintedAccess[]): Generator<readonly [fault: string, when: string]> {
  const any = (...kinds: readonly PrintedAccess['access'][]): boolean =>
    accesses.some(({ access }) => kinds.includes(access));
  if (any(undefined)) {
    yield ['#GP(0)', 'the address of a memory operand is not canonical'];
    yield ['#SS(0)', 'the same, if its base is RSP or RBP and there is no FS or GS override'];
  }
  if (any('data')) yield ['#GP(0)', 'an address it uses is not canonical'];
  if (any('system')) yield ['#GP(0)', 'an address in a descriptor table is not canonical'];
  if (any('stack', 'frame')) yield ['#SS(0)', 'an address on the stack is not canonical'];
  const checked = accesses.filter(({ access }) => access !== 'system' && access !== 'frame');
  if (checked.some(({ place }) => !place.startsWith('memory8[')))
    yield [
      '#AC(0)',
      'in ring 3 with CR0.AM and RFLAGS.AC, an address is no multiple of the size of what lies there',
    ];
  if (accesses.length > 0) yield ['#PF(code)', 'a page it touches is missing or forbidden'];
}

/** A place that may be written, and what from; nothing: a constant. */
export interface Edge {
  readonly place: string;
  readonly from: readonly string[];
}

/** What the recorder saw: every place that may be read, and every one that may be written. */
export function edgesOf(told: readonly Told[]): {
  readonly reads: readonly string[];
  readonly writes: readonly Edge[];
} {
  const reads = new Set<string>();
  const writes = new Map<string, Set<string>>();
  for (const { recorder, labels } of told) {
    const named = (place: string): string => {
      const [, address = '', slot] = /^(address )?([abc])$/.exec(place) ?? [];
      const label = slot === undefined ? place.replace(/^memory\d+$/, 'memory') : labels[slot as Slot];
      return `${address}${label === 'RSI' && slot !== undefined ? 'memory' : label}`;
    };
    for (const place of recorder.reads) reads.add(named(place));
    for (const [place, sources] of recorder.writes) {
      const from = writes.get(named(place)) ?? new Set();
      for (const source of sources) from.add(named(source));
      writes.set(named(place), from);
    }
  }
  return { reads: [...reads], writes: [...writes].map(([place, from]) => ({ place, from: [...from] })) };
}
