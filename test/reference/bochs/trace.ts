/** The trace of Bochs' debugger (`trace-reg on`, `trace on`), read: registers, then the instruction they are in front of. */
import type { Step, Word } from '../guest/trace.ts';

const REGISTER = /^(r[a-z0-9]+) *: ([0-9a-f]{8})_([0-9a-f]{8})|^eflags 0x([0-9a-f]{8})/gm;
/** `(0).[tick] [physical] cs:rip (context): text` */
const PLACE = /^\(0\)\S* .*?\] ([0-9a-f]{4}):([0-9a-f]{16}) /m;

/** Steps from the first with `begin` as RIP on. */
export function stepsOf(trace: string, begin: bigint): readonly Step[] {
  const steps: Step[] = [];
  for (const block of trace.split(/^CPU0:$/m).slice(1)) {
    const place = PLACE.exec(block);
    if (place === null) continue;
    const step: Partial<Record<Word, bigint>> = {};
    for (const [, name, high, low, flags] of block.matchAll(REGISTER)) {
      if (flags !== undefined) step.rflags = BigInt(`0x${flags}`);
      else step[name as Word] = BigInt(`0x${high}${low}`);
    }
    // Right behind the delivery of an interrupt the place is still that of the interrupted code; registers are not.
    if (step.rip === BigInt(`0x${place[2]}`)) {
      step.cs = BigInt(`0x${place[1]}`);
      step.cpl = step.cs & 3n;
    }
    if (steps.length > 0 || step.rip === begin) steps.push(step);
  }
  // The place where the debugger stops is told once more, and so is an attempt that ends in a shutdown.
  while (steps.at(-1)?.rip === steps.at(-2)?.rip) steps.pop();
  return steps;
}
