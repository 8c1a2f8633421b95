/** Which events a kernel takes on stacks of their own: the IST fields of the gates it builds its IDT from. */

import type { Kernel } from '../kernel-file.ts';
import { isProblem, Reader } from '../reading.ts';

/** A gate that names an interrupt stack. */
export interface IstGate {
  readonly vector: number;
  /** 1 to 7. */
  readonly ist: number;
  readonly handler: string;
}

/** Tables of `struct idt_data`: since 4.14; gates with IST had one of their own up to 5.7. */
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
  const { symbols, memory } = kernel;
  const place = (member: string, usual: number): number => {
    const found = kernel.memberOf('idt_data', member);
    return found && !isProblem(found) ? found.offset : usual;
  };
  const [vector, bits, handler] = [place('vector', 0), place('bits', 8), place('addr', 16)];
  const size = kernel.structSize('idt_data') || 24;
  const gates = new Map<number, IstGate>();
  let known = false;
  for (const table of TABLES) {
    const address = symbols.address(table);
    const end = address === undefined ? undefined : symbols.after(address)?.address;
    if (address === undefined || end === undefined) continue;
    const count = Math.min(MOST_GATES, Math.floor(Number(end - address) / size));
    const bytes = memory.upTo(address, count * size);
    if (!bytes) continue;
    known = true;
    const source = new Reader(bytes, table);
    for (let at = 0; at + size <= source.length; at += size) {
      const to = source.u64(at + handler);
      const ist = source.u16(at + bits) & 7;
      const number = source.u32(at + vector);
      if (to !== 0n && ist > 0 && number < MOST_GATES)
        gates.set(number, { vector: number, ist, handler: symbols.name(to) ?? `0x${to.toString(16)}` });
    }
  }
  return known ? [...gates.values()].sort((a, b) => a.vector - b.vector) : undefined;
}
