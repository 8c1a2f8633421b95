/** Register names as AT&T text has them, without the percent sign. */
import type { Width } from './ops.ts';
import { GPR, type Gpr, type Register } from './state.ts';

const CLASSIC = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const;
const LOW_BYTE = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'] as const;
export const HIGH_BYTE = ['ah', 'ch', 'dh', 'bh'] as const;

const namesOf = (classic: readonly string[], suffix: string): readonly string[] =>
  GPR.map((gpr, n) => (n < 8 ? (classic[n] ?? gpr) : gpr + suffix));

const NAMES: Readonly<Record<Width, readonly string[]>> = {
  8: namesOf(LOW_BYTE, 'b'),
  16: namesOf(CLASSIC, 'w'),
  32: namesOf(
    CLASSIC.map((name) => `e${name}`),
    'd',
  ),
  64: GPR,
};

/** A general register as text names it: which one, and how much of it. */
export interface NamedRegister {
  readonly register: Register;
  readonly width: Width;
}

const BY_NAME: ReadonlyMap<string, NamedRegister> = new Map([
  ...([8, 16, 32, 64] as const).flatMap((width) =>
    GPR.map((register, n): [string, NamedRegister] => [NAMES[width][n] ?? register, { register, width }]),
  ),
  ...HIGH_BYTE.map((register): [string, NamedRegister] => [register, { register, width: 8 }]),
]);

/** `eax` to RAX at 32 bits; undefined for what is not a general register. */
export const registerOf = (name: string): NamedRegister | undefined => BY_NAME.get(name);

export const isHighByte = (register: Register): boolean => HIGH_BYTE.some((name) => name === register);

/** Encoding number, 0 to 15; AH to BH take the numbers 4 to 7 (SDM vol 2, table 3-1). */
export const numberOf = (register: Register): number => {
  const high = (HIGH_BYTE as readonly string[]).indexOf(register);
  return high >= 0 ? high + 4 : (GPR as readonly string[]).indexOf(register);
};

/** The register with an encoding number. Bytes 4 to 7 are AH to BH without a REX prefix, SPL to DIL with one. */
export function registerAt(number: number, width: Width, rex: boolean): Register {
  const high = width === 8 && !rex ? HIGH_BYTE[number - 4] : undefined;
  return high ?? gprAt(number);
}

export const gprAt = (number: number): Gpr => GPR[number & 15] ?? 'rax';

/** Name of a register at a width: RAX at 32 is `eax`. */
export const registerName = (width: Width, register: Register): string =>
  isHighByte(register) ? register : (NAMES[width][numberOf(register)] ?? register);
