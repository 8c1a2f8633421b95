/** One combination of operands and width of an instruction, printed and recorded. */
import { type Encoding, SUFFIX } from '../../isa/notation.ts';
import type { Shape } from '../../isa/ops.ts';
import type { Case } from '../../isa/table/index.ts';
import type { Labels } from '../backends/print.ts';
import { InstructionPrinter } from '../backends/print-instruction.ts';
import { Recorder } from '../backends/record.ts';
import { INTEL } from '../vendor.ts';

export interface Told extends Case {
  readonly encoding: Encoding;
  readonly printer: InstructionPrinter;
  readonly recorder: Recorder;
  /** What the text calls the operands. */
  readonly labels: Labels;
  /** Name of what is not modelled, where it stops the run whatever happens. */
  readonly refused: string | undefined;
}

const REFUSAL = 'stop: not modelled: ';

export function tell(encoding: Encoding, found: Case): Told {
  const recorder = new Recorder();
  found.semantics(recorder, found.shape);
  const labels = labelsOf(encoding, found.shape, recorder.writes.has('a'));
  const printer = new InstructionPrinter(INTEL, labels);
  found.semantics(printer, found.shape);
  const [line = '', ...more] = printer.text();
  const refused = more.length === 0 && line.startsWith(REFUSAL) ? line.slice(REFUSAL.length) : undefined;
  return { ...found, encoding, printer, recorder, labels, refused };
}

/** The first operand is the destination if it is written or there are others. */
function labelsOf({ forms }: Encoding, { a, b }: Shape, written: boolean): Labels {
  const hidden = forms[0]?.place === 'hidden' ? { si: 'RSI', bx: 'RBX' }[forms[0].text] : undefined;
  const first =
    hidden !== undefined ? hidden : a.kind === 'j' ? 'target' : written || b.kind !== '-' ? 'dst' : 'src';
  return { a: first, b: 'src', c: 'src2' };
}

const WORDS: Readonly<Record<string, string>> = {
  reg: '%reg',
  rm: '%reg/mem',
  opcode: '%reg',
  accumulator: '%rax',
  cl: '%cl',
  immediate: '$imm',
  one: '$1',
  target: 'target',
  moffs: 'address',
  vex: '%reg',
  size: '$imm16',
  level: '$imm8',
};

/** AT&T text with operands by kind, `add %reg, %reg/mem`; with a shape, what a ModRM byte names there. */
export function textOf({ row, forms }: Encoding, shape?: Shape): string {
  if (row.mnemonic.startsWith('(')) return '';
  const operands = forms.flatMap(({ place, text, width, register, memory, indirect }, n) => {
    if (place === 'hidden') return [];
    if (place === 'port') return ['(%dx)'];
    if (place === 'fixed') return [`%${text}`];
    const kind = [shape?.a, shape?.b, shape?.c][n]?.kind;
    let word = WORDS[place] ?? place;
    if (place === 'accumulator' && row.widths.every((one) => one === 8)) word = '%al';
    if (place === 'rm' && (!memory || kind === 'r')) word = '%reg';
    if (place === 'rm' && (!register || kind === 'm')) word = 'mem';
    const size = width === undefined || place === 'cl' || place === 'one' ? '' : `${width}`;
    return [`${indirect ? '*' : ''}${word.replace(/%reg|mem|\$imm/g, `$&${size}`)}`];
  });
  const suffixes = row.widths.map((width) => SUFFIX[width]).join('');
  const suffix = row.suffix !== 'always' ? '' : suffixes.length > 1 ? `[${suffixes}]` : suffixes;
  return `${row.mnemonic}${suffix} ${operands.reverse().join(', ')}`.trimEnd();
}

export const unique = <T>(list: Iterable<T>): readonly T[] => [...new Set(list)];
