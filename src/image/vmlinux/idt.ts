/** Which gates a kernel builds its IDT from: where each leads, on which stack, and who may ask for it. */

import type { Kernel } from '../kernel-file.ts';
import { isProblem, Reader } from '../reading.ts';

/** A gate that names an interrupt stack. */
export interface IstGate {
  readonly vector: number;
  /** 1 to 7. */
  readonly ist: number;
  readonly handler: string;
}

/** A gate as the kernel means to write it. */
export interface Gate {
  readonly vector: number;
  /** 0 for none, else 1 to 7. */
  readonly ist: number;
  /** 14 for an interrupt gate, 15 for a trap gate. */
  readonly type: number;
  /** The least privilege that may ask for it by INT n. */
  readonly dpl: number;
  readonly target: bigint;
}

/**
 * Tables of `struct idt_data`, a later one before an earlier one: since 4.14; gates with IST had one of their own up to 5.7.
 * #PF has one of its own, since its gate is written when it can be served (arch/x86/kernel/idt.c, 6.12).
 */
const EARLY = ['early_idts', 'early_pf_idts'];
const TABLES = ['def_idts', 'ist_idts', 'dbg_idts'];
const MOST_GATES = 256;

/** Vectors that processors name (SDM volume 3, table 6-1). */
const NAMES: Readonly<Record<number, string>> = {
  1: '#DB',
  2: 'NMI',
  3: '#BP',
  8: '#DF',
  12: '#SS',
  18: '#MC',
  29: '#VC',
};
export const vectorName = (vector: number): string => NAMES[vector] ?? `vector ${vector}`;

/** Gates with an IST in order of their vectors; undefined in a kernel that has none of the tables. */
export function readIstGates(kernel: Kernel): readonly IstGate[] | undefined {
  return readTables(kernel, TABLES)?.flatMap(({ vector, ist, target }) =>
    ist > 0 ? [{ vector, ist, handler: kernel.symbols.name(target) ?? `0x${target.toString(16)}` }] : [],
  );
}

/** All gates that tables tell, in order of their vectors; undefined in a kernel that has none of them. */
export const readGates = (kernel: Kernel): readonly Gate[] | undefined =>
  readTables(kernel, [...EARLY, ...TABLES]);

function readTables(kernel: Kernel, tables: readonly string[]): readonly Gate[] | undefined {
  const { symbols, memory } = kernel;
  const place = (member: string, usual: number): number => {
    const found = kernel.memberOf('idt_data', member);
    return found && !isProblem(found) ? found.offset : usual;
  };
  const [vector, bits, handler] = [place('vector', 0), place('bits', 8), place('addr', 16)];
  const size = kernel.structSize('idt_data') || 24;
  const gates = new Map<number, Gate>();
  let known = false;
  for (const table of tables) {
    const address = symbols.address(table);
    const end = address === undefined ? undefined : symbols.after(address)?.address;
    if (address === undefined || end === undefined) continue;
    const count = Math.min(MOST_GATES, Math.floor(Number(end - address) / size));
    const bytes = memory.upTo(address, count * size);
    if (!bytes) continue;
    known = true;
    const source = new Reader(bytes, table);
    for (let at = 0; at + size <= source.length; at += size) {
      const target = source.u64(at + handler);
      const word = source.u16(at + bits);
      const number = source.u32(at + vector);
      if (target !== 0n && number < MOST_GATES)
        gates.set(number, {
          vector: number,
          ist: word & 7,
          type: (word >> 8) & 31,
          dpl: (word >> 13) & 3,
          target,
        });
    }
  }
  return known ? [...gates.values()].sort((a, b) => a.vector - b.vector) : undefined;
}
