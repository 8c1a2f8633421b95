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
  ['dr7', 'DR7'],
];
const GENERAL = GPR.filter((name) => name !== 'rsp');

const SHORT = new Set(['cs', 'ss', 'rflags', 'dr7']);
const shown = (register: string, value: bigint): string =>
  SHORT.has(register) ? value.toString(16) : halves(value).join('');

/** Addresses of the upper half are the kernel's. */
const owner = (base: bigint): string => (base >> 63n ? 'kernel' : 'user');

function meaningOf(register: string, value: bigint, { at, stack, flags }: Frame): string {
  switch (register) {
    case 'rip':
      return at;
    case 'rsp':
      return stack.text;
    case 'rflags':
      return flags;
    case 'cs':
      return `CPL ${value & 3n}`;
    case 'gsBase':
    case 'kernelGsBase':
      return owner(value);
    case 'dr7':
      return (value & 0xffn) === 0n ? 'all off' : 'some on';
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
