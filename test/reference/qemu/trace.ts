/** QEMU's log (`-d cpu,exec,int,nochain`), read: the registers in front of every block of one instruction. */
import type { Step, Word } from '../guest/trace.ts';

const REGISTER =
  /\b(R[A-Z0-9]{1,2}|RIP|RFL|CPL|CR[0234]|DR[067]|EFER) *=([0-9a-f]+)|^(CS|SS|DS|ES) =([0-9a-f]{4})/gm;
/** Names of the log that are not ours. */
const RENAMED: Readonly<Record<string, Word>> = { rfl: 'rflags' };

/** Steps from the first with `begin` as RIP on. */
export function stepsOf(log: string, begin: bigint): readonly Step[] {
  const steps: Step[] = [];
  // Each block is announced by `Trace`; a dump behind an event has no such line.
  for (const block of log.split(/^Trace /m).slice(1)) {
    const dump =
      block.slice(block.indexOf('\n') + 1).split(/^ *\d+: v=|^Servicing|^check_exception/m)[0] ?? '';
    const step: Partial<Record<Word, bigint>> = {};
    for (const [, name, value, segment, selector] of dump.matchAll(REGISTER)) {
      const key = (name ?? segment ?? '').toLowerCase();
      step[RENAMED[key] ?? (key as Word)] = BigInt(`0x${value ?? selector}`);
    }
    const last = steps.at(-1);
    if (last ? !isSame(last, step) : step.rip === begin) steps.push(step);
  }
  return steps;
}

/** A block that met a watchpoint, or was stopped in front of, is made anew and logged again. */
const isSame = (one: Step, other: Step): boolean =>
  Object.entries(other).every(([word, value]) => one[word as Word] === value);
