/**
 * Prints traces as the kernel of their era would: walks by links as `show_trace_log_lvl()` of 4.9, frame pointers as
 * that of 4.10 (arch/x86/kernel/dumpstack.c). RIP itself stands in the register dump above the trace, and here too.
 */
import type { Trace, TraceEntry } from './view.ts';

type Symbolize = (address: bigint) => string;

interface Form {
  readonly rip: (ip: bigint, symbol: string) => string;
  readonly line: (entry: TraceEntry, symbol: string) => string;
  readonly begin: (stack: string) => string;
  readonly end: (stack: string) => string;
}

const digits = (value: bigint): string => value.toString(16).padStart(16, '0');
const doubt = ({ guess }: TraceEntry): string => (guess ? '? ' : '');

/** Stack names stand between spaces, and what closes them tells a hardware stack (EOE) from the IRQ stack (EOI). */
const FORM_4_9: Form = {
  rip: (ip, symbol) => `RIP: 0010:[<${digits(ip)}>]  [<${digits(ip)}>] ${symbol}`,
  line: (entry, symbol) => ` [<${digits(entry.ip)}>] ${doubt(entry)}${symbol}`,
  begin: (stack) => ` <${stack}> `,
  end: (stack) => (stack === 'IRQ' ? ' <EOI> ' : ' <EOE> '),
};

const FORM_4_10: Form = {
  rip: (_, symbol) => `RIP: 0010:${symbol}`,
  line: (entry, symbol) => ` ${doubt(entry)}${symbol}`,
  begin: (stack) => ` <${stack}>`,
  end: (stack) => ` </${stack}>`,
};

/**
 * The lines of a trace; `symbolize` gives `func+0x12/0x40`. The warning of a walk comes first, as the log has it.
 *
 * Left out: the blocks of saved registers that 4.10 prints inside a trace (their RIP is a line like any other), and
 * the words between frames that 4.10 adds with a `?`, since a frame-pointer walk does not look for them.
 */
export function show(trace: Trace, symbolize: Symbolize): readonly string[] {
  const form = trace.unwinder === 'frame-pointer' ? FORM_4_10 : FORM_4_9;
  const lines: string[] = trace.warning === undefined ? [] : [trace.warning];
  let entries = trace.entries;
  const [first] = entries;
  if (first && first.slot === undefined) {
    lines.push(form.rip(first.ip, symbolize(first.ip)));
    entries = entries.slice(1);
  }
  lines.push('Call Trace:');
  for (const { stack } of trace.path) {
    const marked = stack !== 'TASK';
    if (marked) lines.push(form.begin(stack));
    const other = entries.findIndex((entry) => entry.stack !== stack);
    const mine = other === -1 ? entries : entries.slice(0, other);
    lines.push(...mine.map((entry) => form.line(entry, symbolize(entry.ip))));
    if (marked) lines.push(form.end(stack));
    entries = entries.slice(mine.length);
  }
  return lines;
}
