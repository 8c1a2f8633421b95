/** Machine code of a row of the table with chosen operands: unlike the assembler it can make every encoding. */
import type { Encoding } from '../../src/isa/notation.ts';
import type { Width } from '../../src/isa/ops.ts';

/** A memory operand as ModRM and SIB say it; registers by their number. */
export interface Address {
  readonly base: number | 'rip' | undefined;
  readonly index: number | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: bigint;
  /** Bytes of the displacement, where there is a choice; 0 only where the base has such a form. */
  readonly size: 0 | 1 | 4;
  readonly segment: 'fs' | 'gs' | undefined;
}

export interface Parts {
  readonly width: Width;
  /** ModRM.reg, where the row does not fix it. */
  readonly reg?: number;
  /** ModRM.rm: a register or memory. */
  readonly rm?: number | Address;
  /** The register in VEX.vvvv, where a row has one. */
  readonly vex?: number;
  /** The register in the opcode. */
  readonly low?: number;
  /** Immediate or branch distance; cut to its field. */
  readonly immediate?: bigint;
  /** Prefix bytes in front of all others. */
  readonly prefixes?: readonly number[];
  /** A REX prefix even if none is needed. */
  readonly rex?: boolean;
}

const little = (value: bigint, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) => Number((BigInt.asUintN(64, value) >> BigInt(8 * n)) & 0xffn));

/** ModRM.mod and rm, SIB and displacement, and the REX bits they need. */
function addressBytes({ base, index, scale, displacement, size }: Address): {
  readonly modrm: number;
  readonly rest: readonly number[];
  readonly rex: number;
} {
  if (base === 'rip') return { modrm: 5, rest: little(displacement, 4), rex: 0 };
  const indexed = index ?? 4;
  const sib = (low: number): number => (Math.log2(scale) << 6) | ((indexed & 7) << 3) | low;
  const rexX = (indexed >> 3) << 1;
  if (base === undefined) return { modrm: 4, rest: [sib(5), ...little(displacement, 4)], rex: rexX };
  const low = base & 7;
  const bytes = size === 0 && low === 5 ? 1 : size;
  const mod = ({ 0: 0, 1: 0x40, 4: 0x80 } as const)[bytes];
  const tail = little(displacement, bytes);
  return index === undefined && low !== 4
    ? { modrm: mod | low, rest: tail, rex: base >> 3 }
    : { modrm: mod | 4, rest: [sib(low), ...tail], rex: (base >> 3) | rexX };
}

/** The bytes of `encoding` with these operands (SDM vol 2, figure 2-1). */
export function codeOf(encoding: Encoding, parts: Parts): Uint8Array {
  const { row, prefix, rexW, rexR, addr32, vex, map, byte, modrm, immediate, standard, forms } = encoding;
  const { width, reg = 0, rm = 0, low = 0, immediate: value = 0n } = parts;
  const bytes = [...(parts.prefixes ?? [])];
  const addressPrefix = addr32 && !bytes.includes(0x67);
  if (addressPrefix) bytes.push(0x67);
  const short67 = bytes.includes(0x67);
  const sized = row.widths.length > 0;
  const short = sized && width === 16 && standard !== 16 && !vex;
  if (typeof rm === 'object' && rm.segment) bytes.push(rm.segment === 'fs' ? 0x64 : 0x65);
  if (short && prefix !== 0x66) bytes.push(0x66);
  if (typeof prefix === 'number' && !vex) bytes.push(prefix);
  let rex = rexW || (sized && width === 64 && standard !== 64) ? 8 : 0;
  if (rexR) rex |= 4;
  const tail: number[] = [];
  if (typeof modrm === 'object' && 'byte' in modrm) tail.push(modrm.byte);
  else if (modrm !== 'none') {
    const field = modrm === 'r' ? reg : modrm.digit;
    rex |= modrm === 'r' ? (reg >> 3) << 2 : 0;
    if (typeof rm === 'number') {
      rex |= rm >> 3;
      tail.push(0xc0 | ((field & 7) << 3) | (rm & 7));
    } else {
      const made = addressBytes(rm);
      rex |= made.rex;
      tail.push(made.modrm | ((field & 7) << 3), ...made.rest);
    }
  }
  if (encoding.plusRegister) rex |= low >> 3;
  const count = { none: 0, ib: 1, iw: 2, 'iw ib': 3, id: 4, io: 8, iz: short ? 2 : 4, cb: 1, cd: 4 }[
    immediate
  ];
  tail.push(...little(value, count));
  if (forms.some(({ place }) => place === 'moffs'))
    tail.push(...little(typeof rm === 'object' ? rm.displacement : 0n, short67 ? 4 : 8));
  if (vex) {
    const pp = prefix === 0x66 ? 1 : prefix === 0xf3 ? 2 : prefix === 0xf2 ? 3 : 0;
    const second = (width === 64 ? 0x80 : 0) | ((~(parts.vex ?? 0) & 15) << 3) | pp;
    bytes.push(0xc4, ((~rex & 7) << 5) | (map === 0x0f38 ? 2 : 3), second, byte, ...tail);
    return Uint8Array.from(bytes);
  }
  if (rex !== 0 || parts.rex) bytes.push(0x40 | rex);
  if (map !== 0) bytes.push(0x0f);
  if (map === 0x0f38 || map === 0x0f3a) bytes.push(map & 0xff);
  bytes.push(byte + (encoding.plusRegister ? low & 7 : 0), ...tail);
  return Uint8Array.from(bytes);
}
