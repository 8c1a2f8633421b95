/** Where an event can occur: each kind has a cause, told by the code and by what its page declares. */
import type { EventDetail, EventName } from '../engine/events/inject.ts';
import type { Machine } from '../engine/machine.ts';
import type { Instruction } from '../isa/instruction.ts';
import type { Field } from '../isa/state.ts';
import type { Design, Range } from '../kernel/design.ts';

/** What a reader is told of each kind. */
export const WHERE: Readonly<Record<EventName, string>> = {
  nmi: 'at any boundary; it waits while NMIs are blocked',
  mc: 'at any boundary; a second one while the first is not cleared shuts the processor down',
  pf: 'at an instruction with an operand on a page that the design declares may be absent',
  bp: 'in text that the design declares patchable',
  db: 'behind an instruction with an operand in a range that the design declares watched',
  irq: 'where interrupts are enabled',
  gp: 'nowhere: nothing declares a cause for it',
  vc: 'at an instruction that the design declares intercepted',
};

/** What there is to say of an event that has a cause, or why it has none. */
export type Cause = { readonly detail: EventDetail } | { readonly why: string };

/** Bits of a page fault's error code (SDM vol 3, figure 4-12). */
const WRITE = 2n;
const USER = 4n;
/** Instructions that only read their first operand. */
const READERS: ReadonlySet<string> = new Set(['cmp', 'test', 'bt', 'push', 'call', 'jmp']);

const inside = (ranges: readonly Range[], address: bigint): boolean =>
  ranges.some(({ from, to }) => address >= from && address < to);

/** Instructions whose operand in memory is only an address: nothing is there to be touched. */
const ADDRESS_ONLY: ReadonlySet<string> = new Set(['lea', 'nop']);

/** Linear address of the operand in memory that an instruction names and touches; undefined if there is none. */
export function operandOf(
  machine: Machine,
  rip: bigint,
  { memory, length, row }: Instruction,
): bigint | undefined {
  if (!memory || ADDRESS_ONLY.has(row.mnemonic)) return undefined;
  const { segment, base, index, scale, displacement } = memory;
  const register = (name: string): bigint => machine.get(name as Field);
  const offset = base === 'rip' ? rip + BigInt(length) : base ? register(base) : 0n;
  const scaled = index ? register(index) * BigInt(scale) : 0n;
  const from = segment ? machine.get(segment === 'fs' ? 'fsBase' : 'gsBase') : 0n;
  return BigInt.asUintN(64, from + offset + scaled + displacement);
}

/** Whether the instruction at RIP has an operand in a range that is watched. To be asked before it runs. */
export function touches(
  machine: Machine,
  design: Design,
  decode = machine.instructionAt.bind(machine),
): boolean {
  if (design.watched.length === 0) return false;
  const rip = machine.get('rip');
  const instruction = decode(rip);
  const operand = instruction && operandOf(machine, rip, instruction);
  return operand !== undefined && inside(design.watched, operand);
}

/**
 * The cause of an event at the boundary where a machine stands.
 *
 * @param touched whether the last instruction had an operand in a watched range; see `touches`
 */
export function causeOf(
  event: EventName,
  machine: Machine,
  design: Design,
  touched: boolean,
  decode = machine.instructionAt.bind(machine),
): Cause {
  const none: Cause = { why: `${event} occurs ${WHERE[event]}` };
  switch (event) {
    case 'nmi':
    case 'mc':
      return { detail: {} };
    case 'pf': {
      if (design.absent.length === 0 || machine.eventDue) return none;
      const rip = machine.get('rip');
      const instruction = decode(rip);
      const address = instruction && operandOf(machine, rip, instruction);
      if (!instruction || address === undefined || !inside(design.absent, address)) return none;
      const writes = instruction.shape.a.kind === 'm' && !READERS.has(instruction.row.mnemonic);
      const code = (writes ? WRITE : 0n) | (machine.low('cpl') === 3 ? USER : 0n);
      return { detail: { address, code } };
    }
    case 'bp':
      return !machine.eventDue && inside(design.patchable, machine.get('rip')) ? { detail: {} } : none;
    case 'db':
      return touched ? { detail: {} } : none;
    case 'irq': {
      const vector = design.gates.find((gate) => gate.vector >= 32)?.vector;
      if (vector === undefined) return { why: 'irq occurs nowhere: the design has no gate for one' };
      return (machine.rflags() & 0x200n) !== 0n ? { detail: { vector } } : none;
    }
    case 'vc': {
      const here = machine.eventDue
        ? undefined
        : design.intercepted.find(({ address }) => address === machine.get('rip'));
      return here ? { detail: { code: here.code } } : none;
    }
    case 'gp':
      return none;
  }
}
