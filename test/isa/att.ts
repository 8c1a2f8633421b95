/** AT&T text of one instruction, split as `encode` wants it: just enough for tests. */

export { hex, unhex } from '../../src/engine/example/block.ts';

import { type AsmOperand, encode } from '../../src/isa/encode.ts';

const PREFIXES = new Set([
  'lock',
  'rep',
  'repe',
  'repz',
  'repne',
  'repnz',
  'data16',
  'cs',
  'ds',
  'es',
  'ss',
  'fs',
  'gs',
  'notrack',
  'bnd',
]);

const numberOf = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));

function operandOf(text: string, length: number): AsmOperand {
  if (text.startsWith('*')) return { kind: 'indirect', operand: operandOf(text.slice(1), length) };
  if (text.startsWith('$')) return { kind: 'immediate', value: numberOf(text.slice(1)), wide: false };
  // Printed targets count from the start of the instruction.
  if (/^\.[+-]/.test(text))
    return {
      kind: 'target',
      distance: numberOf(text.slice(1).replace('+', '')) - BigInt(length),
      wide: false,
    };
  const [, segment, offset, base, index, scale] =
    /^(?:%([fg]s):)?(-?[0-9a-fx]+)?(?:\((?:%(\w+))?(?:,%(\w+)(?:,([1248]))?)?\))?$/.exec(text) ?? [];
  if (/^%[a-z0-9]+$/.test(text)) return { kind: 'register', name: text.slice(1) };
  return {
    kind: 'memory',
    segment: segment as 'fs' | 'gs' | undefined,
    base,
    index,
    scale: Number(scale ?? 1) as 1 | 2 | 4 | 8,
    displacement: numberOf(offset ?? '0'),
    wide: false,
  };
}

export interface Parsed {
  readonly mnemonic: string;
  readonly operands: readonly AsmOperand[];
  readonly prefixes: readonly string[];
}

/** `length`: of the instruction, which a branch target `.+0x10` is measured with. */
export function parse(line: string, length = 0): Parsed {
  const words = line
    .replace(/\s+#.*$/, '')
    .trim()
    .split(/\s+/);
  const prefixes: string[] = [];
  while (words.length > 1 && PREFIXES.has(words[0] ?? '')) prefixes.push(words.shift() ?? '');
  const mnemonic = words.shift() ?? '';
  const operands = words
    .join('')
    .split(/,(?![^(]*\))/)
    .filter(Boolean)
    .map((text) => operandOf(text, length));
  return { mnemonic, operands, prefixes };
}

/** Assemble a line; `length` as in `parse`. */
export function assemble(line: string, length = 0): ReturnType<typeof encode> {
  const { mnemonic, operands, prefixes } = parse(line, length);
  return encode(mnemonic, operands, prefixes);
}
