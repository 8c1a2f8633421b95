/** What a reader asks of the processor first, register by register. */

import { GPR } from '../../isa/state.ts';
import type { Frame } from '../../scenario/timeline.ts';
import { halves } from './words.ts';

export interface CpuRow {
  readonly name: string;
  /** As frames and histories name it. */
  readonly register: string;
  readonly value: string;
  /** In words; empty where the value says it all. */
  readonly meaning: string;
  readonly changed: boolean;
  /** The value just before, where it changed and is known. */
  readonly before: string | undefined;
}

/** Registers of control, by their name in a frame and as a reader knows them. */
const CONTROL: readonly (readonly [register: string, name: string])[] = [
  ['rip', 'RIP'],
  ['rsp', 'RSP'],
  ['rflags', 'RFLAGS'],
  ['cs', 'CS'],
  ['ss', 'SS'],
  ['gsBase', 'GS base'],
  ['kernelGsBase', 'swapped GS'],
  ['cr2', 'CR2'],
  ['cr3', 'CR3'],
  ['dr6', 'DR6'],
  ['dr7', 'DR7'],
  ['fredConfig', 'FRED'],
];
const GENERAL = GPR.filter((name) => name !== 'rsp');

const SHORT = new Set(['cs', 'ss', 'rflags', 'dr6', 'dr7']);
const shown = (register: string, value: bigint): string =>
  SHORT.has(register) ? value.toString(16) : halves(value).join('');

/**
 * Whose page tables CR3 names. With isolation there is a pair, and bit 12 tells the user's from the kernel's
 * (arch/x86/entry/calling.h, 4.15); our kernels without isolation have their one set in the first frame (kernel/boot.ts).
 */
function tablesOf(cr3: bigint): string {
  const frame = cr3 >> 12n;
  if (frame === 1n) return 'one set';
  return frame & 1n ? 'user' : 'kernel';
}

/** What a #DB has met: B0 to B3 and BS (SDM vol 3, 19.2.3). */
function debugMet(value: bigint): string {
  const met = [0, 1, 2, 3].filter((n) => (value >> BigInt(n)) & 1n).map((n) => `breakpoint ${n}`);
  if ((value >> 14n) & 1n) met.push('single step');
  return met.join(', ') || 'nothing met';
}

/** Addresses of the upper half are the kernel's. */
const owner = (base: bigint): string => (base >> 63n ? 'kernel' : 'user');

function meaningOf(register: string, value: bigint, { at, stack, flags }: Frame): string {
  switch (register) {
    case 'rip':
      return at.replace(/\/0x[0-9a-f]+$/, '');
    case 'rsp':
      return stack.text;
    case 'rflags':
      return flags;
    case 'cs':
      return `CPL ${value & 3n}`;
    case 'gsBase':
    case 'kernelGsBase':
      return owner(value);
    case 'cr3':
      return tablesOf(value);
    case 'dr6':
      return debugMet(value);
    case 'dr7':
      return (value & 0xffn) === 0n ? 'all off' : 'some on';
    case 'fredConfig':
      return `stack level ${value & 3n}`;
    default:
      return '';
  }
}

/** Rows of the panel; `before` is the frame of the boundary before, if it is at hand. */
export function cpuRows(
  frame: Frame,
  before: Frame | undefined,
): { readonly control: readonly CpuRow[]; readonly general: readonly CpuRow[] } {
  const row = (register: string, name: string): CpuRow => {
    const value = frame.registers[register] ?? 0n;
    const changed = frame.changed.includes(register);
    const was = before?.registers[register];
    return {
      name,
      register,
      value: shown(register, value),
      meaning: meaningOf(register, value, frame),
      changed,
      // The old RIP is where the story comes from; it would only be long.
      before:
        changed && before && was !== undefined && register !== 'rip'
          ? meaningOf(register, was, before) || shown(register, was)
          : undefined,
    };
  };
  const has = ([register]: readonly [string, string]) => frame.registers[register] !== undefined;
  return {
    control: CONTROL.filter(has).map(([register, name]) => row(register, name)),
    general: GENERAL.map((register) => row(register, register)),
  };
}

/** Who is at work, in four or five short facts. */
export function modeOf({ registers }: Frame): readonly (readonly [name: string, fact: string])[] {
  const { cs = 0n, rflags = 0n, gsBase = 0n, cr3 = 0n, fredConfig } = registers;
  const facts: (readonly [string, string])[] = [
    ['CPL', (cs & 3n) === 0n ? '0, kernel' : `${cs & 3n}, user`],
    ['IF', (rflags >> 9n) & 1n ? '1, interrupts on' : '0, interrupts off'],
    ['GS base', owner(gsBase)],
    ['CR3', tablesOf(cr3)],
  ];
  if (fredConfig !== undefined) facts.push(['FRED level', String(fredConfig & 3n)]);
  return facts;
}
