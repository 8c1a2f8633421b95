/** Several traces under one alignment: a row is a place on a stack, whoever printed the address that lies there. */
import type { Dump, DumpLine } from '../../scenario/dump.ts';

export interface DumpRow {
  readonly slot: bigint;
  /** `do_work+0x11/0x22`. */
  readonly text: string;
  /** Live according to the run. */
  readonly alive: boolean;
  /** By unwinder, in the order of `Dump.by`. */
  readonly cells: readonly (DumpLine | undefined)[];
}

export interface DumpStackRows {
  readonly name: string;
  readonly rows: readonly DumpRow[];
}

/** The symbol of a printed address, whatever its era: without brackets, `?`, markers and `RIP:`. */
const symbolOf = (text: string): string =>
  /([\w.]+\+0x[\da-f]+\/0x[\da-f]+|0x[\da-f]+)\s*$/.exec(text)?.[1] ?? text.trim();

/** Rows by stack, in the order of `Dump.stacks`, lowest address first; user code, which lies on none, comes under no stack. */
export function alignDumps({ by, truth, stacks }: Dump): readonly DumpStackRows[] {
  return stacks.flatMap(({ name, words }) => {
    const [first, last] = [words[0]?.address ?? 0n, words.at(-1)?.address ?? -1n];
    const here = (slot: bigint | undefined): slot is bigint =>
      slot !== undefined && slot >= first && slot <= last;
    const slots = new Set<bigint>();
    for (const { slot } of truth) if (here(slot)) slots.add(slot);
    for (const { lines } of by) for (const { slot } of lines) if (here(slot)) slots.add(slot);
    const rows = [...slots]
      .sort((a, b) => (a < b ? -1 : 1))
      .map((slot): DumpRow => {
        const cells = by.map(({ lines }) => lines.find((line) => line.slot === slot));
        const live = truth.find((entry) => entry.slot === slot);
        return {
          slot,
          text: live?.text || symbolOf(cells.find(Boolean)?.text ?? ''),
          alive: live !== undefined,
          cells,
        };
      });
    return rows.length > 0 ? [{ name, rows }] : [];
  });
}
