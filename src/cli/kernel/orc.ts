import type { Kernel } from '../../image/kernel-file.ts';
import { orcText } from '../../image/orc.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import { routineEnd } from '../../image/vmlinux/routine.ts';
import { type Answer, type Asked, addressOf } from './answer.ts';

/** `lab kernel FILE orc SYMBOL`: the rows in force in a routine, the first perhaps from before it. */
export function orc(kernel: Kernel, { argument = '' }: Asked): Answer {
  const from = addressOf(kernel, argument);
  if (typeof from !== 'bigint') return from;
  const table = kernel.orcTable;
  if (isProblem(table)) return { problem: fileProblemText(table) };
  const rows = table.within(from, routineEnd(kernel, from));
  return {
    value: {
      symbol: argument,
      format: kernel.orc?.format,
      rows: rows.map((row) => ({ ...row, at: kernel.symbols.name(row.address) })),
    },
    lines: rows.map((row) => {
      const offset = row.address - from;
      const where = offset < 0n ? 'before' : `+0x${offset.toString(16)}`;
      return `${row.address.toString(16)} ${where.padEnd(8)} ${(kernel.symbols.name(row.address) ?? '').padEnd(24)} ${orcText(row)}`;
    }),
  };
}
