/**
 * Two kernels side by side: the code of their entries, the ORC rows in it, and what may be written over it. Where things lie
 * does not count: branches inside a routine are told by instructions, everything else by name.
 */
import { align } from '../../asm/align.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { orcText } from '../../image/orc.ts';
import { isProblem } from '../../image/reading.ts';
import type { AlternativeSite } from '../../image/vmlinux/alternatives.ts';
import { type Listed, listRoutine, routineEnd } from '../../image/vmlinux/routine.ts';
import { decode } from '../../isa/decode.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { print } from '../../isa/print.ts';

/** Ways into the kernel and out of it, where they lie in the entry text. */
const ENTRY =
  /^(asm_(exc|sysvec|fred)_|asm_common_interrupt|entry_|paranoid_|error_|swapgs_restore_|common_interrupt_return)/;

/** What is compared of a routine. */
const PARTS = ['code', 'orc', 'alternatives'] as const;
export type Part = (typeof PARTS)[number];

export interface DifferentLine {
  /** Only in the first kernel, or only in the second. */
  readonly sign: '-' | '+';
  readonly text: string;
}

/** A routine that differs, or that only one of them has. */
export interface Difference {
  readonly routine: string;
  readonly where: 'both' | 'first' | 'second';
  readonly parts: Readonly<Record<Part, readonly DifferentLine[]>>;
}

export interface Comparison {
  /** Names of all that was compared. */
  readonly routines: readonly string[];
  readonly differences: readonly Difference[];
}

const NOTHING = { code: [], orc: [], alternatives: [] } as const;

/** The entries of two kernels. */
export function compareKernels(first: Kernel, second: Kernel): Comparison {
  const [before, after] = [entriesOf(first), entriesOf(second)];
  const routines = [...new Set([...before.keys(), ...after.keys()])].sort();
  const differences = routines.flatMap((routine): Difference[] => {
    const [from, to] = [before.get(routine), after.get(routine)];
    if (from === undefined || to === undefined)
      return [{ routine, where: from === undefined ? 'second' : 'first', parts: NOTHING }];
    const [one, other] = [partsOf(first, from), partsOf(second, to)];
    const parts = {
      code: linesThatDiffer(one.code, other.code),
      orc: linesThatDiffer(one.orc, other.orc),
      alternatives: linesThatDiffer(one.alternatives, other.alternatives),
    };
    return PARTS.every((part) => parts[part].length === 0) ? [] : [{ routine, where: 'both', parts }];
  });
  return { routines, differences };
}

/** As lines, each routine with what is different in it. */
export const comparisonLines = ({ routines, differences }: Comparison): readonly string[] => [
  ...differences.flatMap(({ routine, where, parts }) => [
    where === 'both' ? `${routine}:` : `${routine}: only in the ${where} kernel`,
    ...PARTS.flatMap((part) =>
      parts[part].length === 0
        ? []
        : [`  ${part}:`, ...parts[part].map(({ sign, text }) => `  ${sign} ${text}`)],
    ),
  ]),
  differences.length === 0
    ? `the same in ${routines.length} routines`
    : `${differences.length} of ${routines.length} routines differ`,
];

/** Where the entries begin, by name. */
function entriesOf({ symbols }: Kernel): ReadonlyMap<string, bigint> {
  const [start, end] = [symbols.address('__entry_text_start'), symbols.address('__entry_text_end')];
  return new Map(
    symbols.all
      .filter(
        ({ name, address }) =>
          ENTRY.test(name) &&
          (start === undefined || end === undefined || (address >= start && address < end)),
      )
      .map(({ name, address }) => [name, address]),
  );
}

function linesThatDiffer(before: readonly string[], after: readonly string[]): readonly DifferentLine[] {
  return align(before, after, (a, b) => a === b).flatMap(([i, j]): DifferentLine[] =>
    i !== undefined && j !== undefined
      ? []
      : i !== undefined
        ? [{ sign: '-', text: before[i] ?? '' }]
        : [{ sign: '+', text: after[j ?? 0] ?? '' }],
  );
}

/** A routine as lines that do not depend on where it lies. */
function partsOf(kernel: Kernel, from: bigint): Readonly<Record<Part, readonly string[]>> {
  const to = routineEnd(kernel, from);
  const listed = listRoutine(kernel, from, to);
  if (isProblem(listed)) return { ...NOTHING, code: [`(${listed.problem})`] };
  const code = codeOf(kernel, listed);
  const at = (address: bigint): string =>
    code[listed.findLastIndex((one) => one.address <= address)] ?? 'before it';
  const { orcTable, alternatives } = kernel;
  const rows = isProblem(orcTable) ? [] : orcTable.within(from, to);
  const sites = isProblem(alternatives)
    ? []
    : alternatives.sites.filter(({ address }) => address >= from && address < to);
  return {
    code,
    orc: rows.map((row) => `at ${at(row.address)}: ${orcText(row)}`),
    alternatives: sites.map((site) => `at ${at(site.address)}: ${alternativeText(kernel, site)}`),
  };
}

const codeOf = (kernel: Kernel, listed: readonly Listed[]): readonly string[] =>
  listed.map((one, n) => textOf(kernel, listed, n) || one.text);

/**
 * The instructions of a routine by their address, as texts that do not depend on where it lies.
 *
 * @param features of the processor it was patched for; without them, as it was linked
 */
export function placelessCode(
  kernel: Kernel,
  from: bigint,
  features: ReadonlySet<number> | undefined,
): ReadonlyMap<bigint, string> {
  const listed = listRoutine(kernel, from, routineEnd(kernel, from), features);
  if (isProblem(listed)) return new Map();
  const code = codeOf(kernel, listed);
  return new Map(listed.map(({ address }, n) => [address, code[n] ?? '']));
}

/** An instruction without addresses. */
function textOf(kernel: Kernel, listed: readonly Listed[], n: number): string {
  const { instruction, address } = listed[n] as Listed;
  return instruction
    ? placeless(kernel, instruction, address, (target) => {
        const to = listed.findIndex((one) => one.address === target);
        return to < 0 ? undefined : `${to < n ? '-' : '+'}${Math.abs(to - n)} instructions`;
      })
    : '';
}

function placeless(
  { symbols }: Kernel,
  instruction: Instruction,
  address: bigint,
  inside: (target: bigint) => string | undefined = () => undefined,
): string {
  return print(instruction, address, (target) => inside(target) ?? symbols.name(target) ?? 'no name')
    .replace(/[\da-f]+ <([^>]*)>/g, '$1')
    .replace(/-?0x[\da-f]+\(%rip\)/, '(%rip)')
    .replace(/(?<=%gs:)0x[\da-f]+(?![\da-f(])/, (offset) => symbols.name(BigInt(offset)) ?? offset);
}

/** `if smap: clac`. */
function alternativeText(kernel: Kernel, { feature, not, bytes, from, directCall }: AlternativeSite): string {
  const code: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const one = decode(bytes, at);
    if ('problem' in one) {
      code.push('(unknown)');
      break;
    }
    code.push(placeless(kernel, one, from + BigInt(at)));
    at += one.length;
  }
  const text = directCall ? 'a direct call' : code.join('; ') || 'nops';
  return `${not ? 'if not' : 'if'} ${kernel.features.name(feature)}: ${text}`;
}
