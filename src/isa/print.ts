/** An instruction as AT&T text, in the manner of `objdump -d`. */
import type { Instruction, MemoryOperand } from './instruction.ts';
import { type Encoding, type Form, SUFFIX, understand } from './notation.ts';
import type { Slot, Width } from './ops.ts';
import { registerName } from './registers.ts';
import type { Register } from './state.ts';
import { ENCODINGS } from './table/index.ts';

const SLOTS: readonly Slot[] = ['a', 'b', 'c'];
const ENCODING_OF: ReadonlyMap<Instruction['row'], Encoding> = new Map(
  ENCODINGS.map((encoding) => [encoding.row, encoding]),
);
const hex = (value: bigint): string => `0x${value.toString(16)}`;
const signedHex = (value: bigint): string => (value < 0n ? `-${hex(-value)}` : hex(value));

const isOverride = (prefix: string): prefix is 'fs' | 'gs' => prefix === 'fs' || prefix === 'gs';

/** Name of an address, as `symbol` or `symbol+0x4`; undefined where none is known. */
export type NameOf = (address: bigint) => string | undefined;

/**
 * One line of text, operands in AT&T order. `at` is the address of the instruction: with it, branch
 * targets and RIP-relative addresses are shown, and named by `name`; without it, a branch is shown
 * relative to the instruction, as `.+0x10`.
 */
export function print(instruction: Instruction, at?: bigint, name?: NameOf): string {
  const { row, shape, prefixes, memory, length, distance } = instruction;
  const encoding = ENCODING_OF.get(row) ?? understand(row);
  const end = at === undefined ? undefined : at + BigInt(length);
  const called = (address: bigint): string => {
    const text = name?.(address);
    return text === undefined ? hex(address) : `${address.toString(16)} <${text}>`;
  };
  const target = (): string =>
    end === undefined
      ? `.${distance + BigInt(length) < 0n ? '' : '+'}${signedHex(distance + BigInt(length))}`
      : called(BigInt.asUintN(64, end + distance));

  const shown = encoding.forms
    .map((form, n) => operandText(instruction, form, n, target))
    .filter((text) => text !== '');
  const operands = shown.reverse().join(',');
  const overridden =
    encoding.forms.some((form) => form.place === 'hidden') && memory?.segment ? `${memory.segment} ` : '';
  // The override of an operand that is only an address is shown there, as objdump does, though it means nothing.
  const addressOnly = encoding.forms.some((form) => form.addressOnly);
  const padding = prefixes
    .filter((prefix) => !(addressOnly && isOverride(prefix)))
    .map((prefix) => `${prefixName(prefix, instruction, encoding)} `)
    .join('');
  const mnemonic = row.mnemonic + (needsSuffix(encoding, instruction) ? SUFFIX[shape.width] : '');
  const note =
    end !== undefined && memory?.base === 'rip'
      ? `  # ${called(BigInt.asUintN(memory.short ? 32 : 64, end + memory.displacement))}`
      : '';
  return `${padding}${overridden}${mnemonic} ${operands}`.trimEnd() + note;
}

/** F2 before a near branch is the former MPX prefix, 3E before an indirect one says that CET need not track it. */
function prefixName(
  prefix: Instruction['prefixes'][number],
  { row }: Instruction,
  { forms }: Encoding,
): string {
  const branch = forms.some((form) => form.place === 'target' || form.indirect);
  if (prefix === 'repnz' && (branch || row.mnemonic === 'ret')) return 'bnd';
  if (prefix === 'ds' && forms.some((form) => form.indirect)) return 'notrack';
  return prefix;
}

/** The suffix is written where no register of the row's width tells it and it does not go without saying. */
function needsSuffix(encoding: Encoding, { row, shape, registers }: Instruction): boolean {
  if (row.suffix === 'always') return true;
  if (!encoding.suffixable) return false;
  const told = encoding.forms.some(
    (form, n) => form.width === undefined && registers[SLOTS[n] ?? 'a'] !== undefined,
  );
  return !told && shape.width !== encoding.unsaid;
}

function operandText(
  { shape, registers, memory, immediate, prefixes }: Instruction,
  form: Form,
  n: number,
  target: () => string,
): string {
  const width: Width = form.width ?? shape.width;
  const register = registers[SLOTS[n] ?? 'a'];
  const star = form.indirect ? '*' : '';
  if (form.place === 'fixed') return `%${form.text}`;
  if (form.place === 'target') return target();
  if (form.place === 'hidden') return '';
  if (form.place === 'port') return '(%dx)';
  if (form.place === 'size') return `$${hex(immediate & 0xffffn)}`;
  if (form.place === 'level') return `$${hex(immediate >> 16n)}`;
  if (form.place === 'immediate' || form.place === 'one') return `$${hex(BigInt.asUintN(width, immediate))}`;
  if (register !== undefined) return `${star}%${registerName(width, register)}`;
  if (memory === undefined) return '';
  if (form.place === 'moffs') return memoryText({ ...memory, short: false });
  return star + memoryText(form.addressOnly ? { ...memory, segment: prefixes.findLast(isOverride) } : memory);
}

/** `%gs:-0x8(%rax,%rcx,4)`. Without a base the displacement is an address, shown unsigned. */
export function memoryText({ segment, short, base, index, scale, displacement }: MemoryOperand): string {
  const override = segment === undefined ? '' : `%${segment}:`;
  const name = (register: Register | 'rip'): string =>
    register === 'rip' ? (short ? 'eip' : 'rip') : registerName(short ? 32 : 64, register);
  // GNU as knows a 32-bit address without registers by an index that is none.
  if (base === undefined && index === undefined)
    return short
      ? `${override}${hex(BigInt.asUintN(32, displacement))}(,%eiz,1)`
      : override + hex(displacement);
  const signed = BigInt.asIntN(64, displacement);
  const offset = signed === 0n && base !== 'rip' && base !== undefined ? '' : signedHex(signed);
  const scaled = index === undefined ? '' : `,%${name(index)},${scale}`;
  return `${override}${offset}(${base === undefined ? '' : `%${name(base)}`}${scaled})`;
}
