/** The prefixes VEX and EVEX (SDM vol 2, 2.3.5 and 2.7): they hold REX, the mandatory prefix and the opcode map. */
import type { Prefix } from './instruction.ts';
import type { Encoding, OpcodeMap } from './notation.ts';

export interface Vex {
  /** As a REX prefix would say it: bits W, R, X, B. */
  readonly rex: number;
  readonly map: OpcodeMap | undefined;
  readonly prefix: 'none' | 0x66 | 0xf3 | 0xf2;
  /** Number of the register in vvvv; 0 where there is none. */
  readonly register: number;
  /** 256 bits or more. */
  readonly long: boolean;
  readonly evex: boolean;
}

/** Prefixes that make an instruction with VEX undefined, as REX does. */
export const VEX_EXCLUDES: ReadonlySet<Prefix> = new Set<Prefix>(['lock', 'repz', 'repnz', 'data16']);

/** In 64-bit mode these bytes are nothing else. */
export const isVex = (byte: number): boolean => byte === 0xc4 || byte === 0xc5 || byte === 0x62;

const PREFIXES = ['none', 0x66, 0xf3, 0xf2] as const;
const MAPS: Readonly<Record<number, OpcodeMap>> = { 1: 0x0f, 2: 0x0f38, 3: 0x0f3a };
/** Maps of EVEX that have no opcodes with two or three bytes. */
const EVEX_ONLY: ReadonlySet<number> = new Set([5, 6]);

/** What stands behind the first byte; undefined where the map does not exist. */
export function readVex(first: number, next: () => number): Vex | undefined {
  const payload = next();
  if (first === 0xc5)
    return vexOf({ rex: ((payload ^ 0x80) >> 5) & 4, map: 1, payload, register: ~(payload >> 3) & 15 });
  const second = next();
  const evex = first === 0x62;
  if (evex) next();
  const map = payload & (evex ? 7 : 31);
  if (MAPS[map] === undefined && !(evex && EVEX_ONLY.has(map))) return undefined;
  const rex = ((payload ^ 0xe0) >> 5) | ((second >> 4) & 8);
  return vexOf({ rex, map, payload: second, register: ~(second >> 3) & 15, evex });
}

function vexOf(found: {
  readonly rex: number;
  readonly map: number;
  readonly payload: number;
  readonly register: number;
  readonly evex?: boolean;
}): Vex {
  const { rex, map, payload, register, evex = false } = found;
  return {
    rex,
    map: MAPS[map],
    prefix: PREFIXES[payload & 3] ?? 'none',
    register,
    long: (payload & 4) !== 0,
    evex,
  };
}

/** Whether the row is what this prefix says; a register in vvvv that no operand names makes it undefined. */
export const matchesVex = ({ vex, prefix, forms }: Encoding, found: Vex): boolean =>
  vex &&
  !found.evex &&
  !found.long &&
  prefix === found.prefix &&
  (found.register === 0 || forms.some(({ place }) => place === 'vex'));

/** VZEROUPPER and VZEROALL alone have no ModRM byte. */
export const hasVexModRm = ({ map }: Vex, opcode: number): boolean => map !== 0x0f || opcode !== 0x77;

/** Of the opcodes behind 0F some have an immediate, of those behind 0F 3A all (SDM vol 2, tables ). */
export const hasVexImmediate = ({ map }: Vex, opcode: number): boolean =>
  map === 0x0f3a ||
  (map === 0x0f &&
    ((opcode >= 0x70 && opcode <= 0x73) || opcode === 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6)));
