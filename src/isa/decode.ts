/** From bytes to an instruction (SDM vol 2, chapter 2). Reads the table and nothing else. */
import { type Instruction, type MemoryOperand, PREFIX, type Prefix } from './instruction.ts';
import { type Encoding, type Immediate, type OpcodeMap, shapeOf } from './notation.ts';
import type { Shape, Slot, Width } from './ops.ts';
import { gprAt, registerAt } from './registers.ts';
import type { Register } from './state.ts';
import { ENCODINGS } from './table/index.ts';
import { hasVexImmediate, hasVexModRm, isVex, matchesVex, readVex, VEX_EXCLUDES, type Vex } from './vex.ts';

/** Why bytes are no instruction: they end too early, mean nothing (#UD), or are more than 15 (#GP). */
export interface DecodeProblem {
  readonly problem: 'truncated' | 'undefined' | 'too long';
}

const MAX_LENGTH = 15;
const SLOTS: readonly Slot[] = ['a', 'b', 'c'];
const BYTES: Readonly<Record<Exclude<Immediate, 'iz'>, number>> = {
  none: 0,
  ib: 1,
  iw: 2,
  'iw ib': 3,
  id: 4,
  io: 8,
  cb: 1,
  cd: 4,
};
const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** A candidate and its shapes, made once: instructions of one shape share the object. */
interface Candidate {
  readonly encoding: Encoding;
  readonly shapes: Map<string, Shape>;
}

const MAPS: readonly OpcodeMap[] = [0, 0x0f, 0x0f38, 0x0f3a];
const keyOf = (map: OpcodeMap, byte: number, vex: boolean): number =>
  byte | (MAPS.indexOf(map) << 8) | (vex ? 0x400 : 0);

/** What is more special comes first: the address size, a fixed ModRM byte, a required REX bit, a base of RSP. */
const rank = ({ modrm, rexW, rexR, noRexB, addr32, forms }: Encoding): number =>
  (addr32 ? 8 : 0) +
  (typeof modrm === 'object' && 'byte' in modrm ? 4 : 0) +
  (rexW || rexR || noRexB ? 2 : 0) +
  (forms.some((form) => form.stackBase) ? 1 : 0);

const INDEX: ReadonlyMap<number, readonly Candidate[]> = (() => {
  const index = new Map<number, Candidate[]>();
  for (const encoding of ENCODINGS) {
    for (let n = 0; n < (encoding.plusRegister ? 8 : 1); n++) {
      const key = keyOf(encoding.map, encoding.byte + n, encoding.vex);
      const list = index.get(key) ?? [];
      list.push({ encoding, shapes: new Map() });
      index.set(key, list);
    }
  }
  for (const list of index.values()) list.sort((a, b) => rank(b.encoding) - rank(a.encoding));
  return index;
})();

/** Reads bytes and remembers the first thing that went wrong instead of throwing. */
class Cursor {
  problem: 'truncated' | 'too long' | undefined;
  readonly bytes: Uint8Array;
  readonly start: number;
  at: number;
  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.start = start;
    this.at = start;
  }
  get length(): number {
    return this.at - this.start;
  }
  byte(): number {
    if (this.length >= MAX_LENGTH) this.problem ??= 'too long';
    const found = this.bytes[this.at];
    if (found === undefined) this.problem ??= 'truncated';
    if (this.problem !== undefined) return 0;
    this.at++;
    return found ?? 0;
  }
  /** A little-endian number of `count` bytes, sign-extended. */
  signed(count: number): bigint {
    let value = 0n;
    for (let n = 0; n < count; n++) value |= BigInt(this.byte()) << BigInt(8 * n);
    return BigInt.asIntN(8 * count, value);
  }
}

/** What stands before the opcode, and the ModRM byte once it is read. */
interface Parts {
  readonly prefixes: Prefix[];
  readonly rex: number;
  readonly opcode: number;
  readonly vex: Vex | undefined;
  modrm: number;
  memory: MemoryOperand | undefined;
}

const PREFIX_BY_BYTE: ReadonlyMap<number, Prefix> = new Map(
  (Object.entries(PREFIX) as readonly [Prefix, number][]).map(([name, byte]) => [byte, name]),
);

const has = (rex: number, bit: 'w' | 'r' | 'x' | 'b'): boolean =>
  (rex & { w: 8, r: 4, x: 2, b: 1 }[bit]) !== 0;

/** The last of `names` among the prefixes: of REPZ and REPNZ, as of segment overrides, the last one counts. */
const lastOf = (prefixes: readonly Prefix[], names: readonly Prefix[]): Prefix | undefined =>
  prefixes.findLast((prefix) => names.includes(prefix));

/** ModRM, SIB and displacement (SDM vol 2, tables 2-2 and 2-3). Segment overrides other than FS and GS are ignored. */
function readMemory(
  cursor: Cursor,
  modrm: number,
  rex: number,
  overrides: Pick<MemoryOperand, 'segment' | 'short'>,
): MemoryOperand {
  const mod = modrm >> 6,
    rm = modrm & 7;
  let base: MemoryOperand['base'] = gprAt(rm | (has(rex, 'b') ? 8 : 0));
  let index: MemoryOperand['index'];
  let scale: MemoryOperand['scale'] = 1;
  let size = mod === 1 ? 1 : mod === 2 ? 4 : 0;
  if (rm === 4) {
    const sib = cursor.byte(),
      number = ((sib >> 3) & 7) | (has(rex, 'x') ? 8 : 0);
    // RSP cannot be an index; R12 can.
    if (number !== 4) {
      index = gprAt(number);
      scale = ([1, 2, 4, 8] as const)[sib >> 6] ?? 1;
    }
    base = gprAt((sib & 7) | (has(rex, 'b') ? 8 : 0));
    if ((sib & 7) === 5 && mod === 0) {
      base = undefined;
      size = 4;
    }
  } else if (rm === 5 && mod === 0) {
    base = 'rip';
    size = 4;
  }
  return { ...overrides, base, index, scale, displacement: word(cursor.signed(size)) };
}

/** The width a row takes under these prefixes, or undefined if it does not exist in it. */
function widthFor(
  { row, standard, rexW }: Encoding,
  rex: number,
  short: boolean,
  exact: boolean,
): Width | undefined {
  if (rexW && !has(rex, 'w')) return undefined;
  if (row.widths.length === 0) return 64;
  if (standard === 8) return 8;
  const wanted: Width = has(rex, 'w') ? 64 : short ? 16 : 32;
  if (row.widths.includes(wanted)) return wanted;
  const fallsBack = standard === 64 || standard === 32;
  return fallsBack && !exact ? standard : undefined;
}

function matchesModRm({ modrm, forms, ignoresMod }: Encoding, { modrm: byte, memory }: Parts): boolean {
  if (typeof modrm === 'object') {
    if ('byte' in modrm) return byte === modrm.byte;
    if (((byte >> 3) & 7) !== modrm.digit) return false;
  }
  const rm = forms.find((form) => form.place === 'rm');
  if (rm === undefined || ignoresMod) return true;
  if (rm.stackBase && memory?.base !== 'rsp') return false;
  return memory === undefined ? rm.register : rm.memory;
}

function matches(encoding: Encoding, parts: Parts): boolean {
  const { prefix, rexR, noRexB, addr32 } = encoding;
  if (addr32 && !parts.prefixes.includes('addr32')) return false;
  if (parts.vex) return matchesVex(encoding, parts.vex) && matchesModRm(encoding, parts);
  const repeat = lastOf(parts.prefixes, ['repz', 'repnz']);
  if (prefix === 'none' && (repeat !== undefined || parts.prefixes.includes('data16'))) return false;
  if (prefix === 'no repeat' && repeat !== undefined) return false;
  if (prefix === 0xf3 && repeat !== 'repz') return false;
  if (prefix === 0xf2 && repeat !== 'repnz') return false;
  // Where 66 is no operand size, F2 and F3 come before it.
  if (prefix === 0x66 && (repeat !== undefined || !parts.prefixes.includes('data16'))) return false;
  if (encoding.ignoresMod && rexR !== has(parts.rex, 'r')) return false;
  if (noRexB && has(parts.rex, 'b')) return false;
  return matchesModRm(encoding, parts);
}

/**
 * The instruction at `offset`, or why there is none. Never reads more than 15 bytes.
 * A prefix that the row does not use stays in `prefixes`. LOCK where it is not allowed is undefined.
 */
export function decode(bytes: Uint8Array, offset = 0): Instruction | DecodeProblem {
  const cursor = new Cursor(bytes, offset);
  const prefixes: Prefix[] = [];
  let rex = 0,
    opcode = cursor.byte();
  for (; cursor.problem === undefined; opcode = cursor.byte()) {
    const prefix = PREFIX_BY_BYTE.get(opcode);
    // A REX that is not the last prefix is ignored.
    if (prefix !== undefined) {
      prefixes.push(prefix);
      rex = 0;
    } else if ((opcode & 0xf0) === 0x40) rex = opcode;
    else break;
  }
  const first = opcode;
  let map: OpcodeMap = 0;
  let vex: Vex | undefined;
  if (opcode === 0x0f) {
    opcode = cursor.byte();
    map = opcode === 0x38 ? 0x0f38 : opcode === 0x3a ? 0x0f3a : 0x0f;
    if (map !== 0x0f) opcode = cursor.byte();
  } else if (isVex(opcode)) {
    // No REX and no prefix that VEX holds itself may stand before it (SDM vol 2, 2.3.2).
    const excluded = rex !== 0 || prefixes.some((prefix) => VEX_EXCLUDES.has(prefix));
    vex = readVex(opcode, () => cursor.byte());
    if (cursor.problem === undefined && (vex === undefined || excluded)) return { problem: 'undefined' };
    map = vex?.map ?? 0;
    rex = vex?.rex ?? 0;
    opcode = cursor.byte();
  }
  if (cursor.problem !== undefined) return { problem: cursor.problem };
  const candidates = INDEX.get(keyOf(map, opcode, vex !== undefined)) ?? (vex && []);
  if (candidates === undefined) return { problem: 'undefined' };

  const parts: Parts = { prefixes, rex, opcode, vex, modrm: 0, memory: undefined };
  const hasModRm = vex
    ? hasVexModRm(vex, opcode)
    : candidates.some(({ encoding }) => encoding.modrm !== 'none');
  const overrides = {
    segment: lastOf(prefixes, ['fs', 'gs']) as 'fs' | 'gs' | undefined,
    short: prefixes.includes('addr32'),
  };
  if (hasModRm) {
    parts.modrm = cursor.byte();
    const register = parts.modrm >= 0xc0 || candidates.some(({ encoding }) => encoding.ignoresMod);
    if (!register) parts.memory = readMemory(cursor, parts.modrm, rex, overrides);
  }
  if (cursor.problem !== undefined) return { problem: cursor.problem };

  // A row with the prefix that is there wins even if another has a better width.
  const fitting = candidates.filter(({ encoding }) => matches(encoding, parts));
  const special = fitting.filter(({ encoding }) => typeof encoding.prefix === 'number');
  for (const group of [special, fitting]) {
    for (const exact of [true, false]) {
      for (const candidate of group) {
        const width = widthFor(candidate.encoding, rex, prefixes.includes('data16'), exact);
        if (width !== undefined) return finish(candidate, width, parts, cursor, overrides);
      }
    }
  }
  // The opcodes of BMI mean nothing else.
  if (vex === undefined || (candidates.length > 0 && !vex.evex)) return { problem: 'undefined' };
  // Other instructions with VEX and EVEX are recognised by their length and refused.
  if (hasVexImmediate(vex, opcode)) cursor.byte();
  const refusal = INDEX.get(first)?.[0];
  if (refusal === undefined || cursor.problem !== undefined)
    return { problem: cursor.problem ?? 'undefined' };
  return finish(refusal, 64, parts, cursor, overrides);
}

/** Operands and immediate of the chosen row. */
function finish(
  { encoding, shapes }: Candidate,
  width: Width,
  parts: Parts,
  cursor: Cursor,
  overrides: Pick<MemoryOperand, 'segment' | 'short'>,
): Instruction | DecodeProblem {
  const { row, forms, immediate } = encoding;
  const { short } = overrides;
  const hidden = (base: Register | undefined, displacement: bigint): MemoryOperand => ({
    ...overrides,
    base,
    index: undefined,
    scale: 1,
    displacement,
  });
  const registers: Partial<Record<Slot, Register>> = {};
  let { memory } = parts;
  let value = 0n,
    distance = 0n;
  const size = immediate === 'iz' ? (width === 16 ? 2 : 4) : BYTES[immediate];
  const read = cursor.signed(size);
  if (immediate === 'cb' || immediate === 'cd') distance = read;
  else value = immediate === 'iw ib' ? BigInt.asUintN(24, read) : word(read);

  forms.forEach((form, n) => {
    const slot = SLOTS[n] ?? 'a';
    const register = (number: number): void => {
      registers[slot] = registerAt(number, form.width ?? width, parts.rex !== 0);
    };
    if (form.place === 'reg') register(((parts.modrm >> 3) & 7) | (has(parts.rex, 'r') ? 8 : 0));
    else if (form.place === 'opcode') register((parts.opcode & 7) | (has(parts.rex, 'b') ? 8 : 0));
    else if (form.place === 'accumulator') register(0);
    else if (form.place === 'cl') register(1);
    else if (form.place === 'vex') register(parts.vex?.register ?? 0);
    else if (form.place === 'one') value = 1n;
    else if (form.place === 'moffs')
      memory = hidden(undefined, BigInt.asUintN(short ? 32 : 64, cursor.signed(short ? 4 : 8)));
    else if (form.place === 'hidden') memory = hidden(form.text === 'si' ? 'rsi' : 'rbx', 0n);
    else if (form.place === 'rm' && memory === undefined)
      register((parts.modrm & 7) | (has(parts.rex, 'b') ? 8 : 0));
    else if (form.addressOnly && memory !== undefined) memory = { ...memory, segment: undefined };
  });
  if (cursor.problem !== undefined) return { problem: cursor.problem };

  const locked = parts.prefixes.includes('lock');
  if (locked && !(encoding.lockable && parts.memory !== undefined && forms[0]?.place === 'rm'))
    return { problem: 'undefined' };
  const key = `${width}${memory === undefined ? '' : 'm'}`;
  const shape = shapes.get(key) ?? shapeOf(encoding, width, memory !== undefined);
  shapes.set(key, shape);
  return {
    row,
    shape,
    length: cursor.length,
    registers,
    memory,
    immediate: value,
    distance,
    prefixes: unused(encoding, width, parts.prefixes, memory),
  };
}

/** The prefixes nothing has used: what is left for the printer, and LOCK. */
function unused(
  encoding: Encoding,
  width: Width,
  prefixes: readonly Prefix[],
  memory: MemoryOperand | undefined,
): readonly Prefix[] {
  const used = new Set<Prefix>();
  if (encoding.prefix === 0xf3) used.add('repz');
  if (encoding.prefix === 0xf2) used.add('repnz');
  if (encoding.prefix === 0x66 || (width === 16 && encoding.row.widths.length > 0)) used.add('data16');
  if (memory?.segment !== undefined) used.add(memory.segment);
  if (memory?.short || encoding.addr32) used.add('addr32');
  // Each is used once, the last of its kind; a repetition is padding.
  return prefixes.filter((prefix, n) => !used.has(prefix) || prefixes.lastIndexOf(prefix) !== n);
}
