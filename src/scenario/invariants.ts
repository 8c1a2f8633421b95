/**
 * What must hold in every run, whatever strikes. Each check looks at one transition: at the state after it, at the
 * events that are alive, and at what the engine logged, never at how the run came there; so two runs that meet
 * in one state are judged alike from there on.
 */
import { MCG_STATUS } from '../engine/events/machine-check.ts';
import { FRAMES, PAGE_SIZE } from '../engine/layout.ts';
import type { Machine } from '../engine/machine.ts';
import { type Image, segmentAt } from '../image/image.ts';
import { DF, RF } from '../isa/flags.ts';
import type { Design } from '../kernel/design.ts';
import { PLACE, SECTIONS, tssIst } from '../kernel/memory-map.ts';
import { PT_REGS } from '../unwind/pt-regs.ts';
import { operandOf } from './causes.ts';
import {
  type Context,
  differing,
  FAULTS,
  fixupOf,
  isRefused,
  mayNotComeBack,
  overlaps,
  type Registers,
  registersOf,
  type Track,
  VECTOR_NAME,
} from './track.ts';
import { fromTop, place } from './words.ts';

/** Each with the sentence that a reader is told. I6, on unwinders, is judged apart. */
export const INVARIANTS = {
  I1: 'A record that the hardware pushed is not overwritten while it is the only way back.',
  I2: "C code runs with the kernel's GS base, page tables and stack, with the direction flag clear, and gets the saved registers of the event that it is called for.",
  I3: 'Ring 0 never goes on at an address of user space.',
  I4: 'A handler runs for every NMI that came, or for one that it was merged with.',
  I5: 'CR2, DR6 and DR7 are those of the event that looks at them.',
  I6: 'An unwinder lists the true frames or says that it stopped.',
  I7: 'The run goes on: no state comes twice.',
  I8: 'No double fault, no shutdown, no fault without a handler.',
  I9: 'Every event comes back to what it interrupted, with every register as it was.',
  I10: 'When all is over, NMIs are open again, no machine check is in progress, and the IDT and all interrupt stacks are those from the beginning.',
  I11: 'The NMI handler never runs inside itself.',
  I12: 'An unwinder lists the true frames up to the last: asked only where a sweep says so.',
  I13: 'A handler touches no user memory but that of the current task.',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** A sentence with the addresses of code by name, and with those on stacks by the stack. */
export const spoken = (sentence: string, image: Image, design: Design): string =>
  sentence.replace(/\b0x[\da-f]{9,16}\b/g, (text) => {
    const address = BigInt(text);
    if (segmentAt(image, address)?.executable) return place(image, address);
    const onNmi = fromTop(address, design);
    if (onNmi !== undefined) return onNmi;
    const stack = design.stacks.find(({ begin, end }) => address >= begin && address < end);
    return stack ? `${text}, ${stack === design.task ? 'task' : stack.name} stack` : text;
  });

/** Something that must not be. */
export interface Violation {
  readonly invariant: Invariant;
  readonly sentence: string;
}

const hex = (value: bigint | undefined): string => `0x${(value ?? 0n).toString(16)}`;

const USER_END = 1n << 47n;

const MCIP = Number(MCG_STATUS.mcip);

const sectionNamed = (wanted: string) => SECTIONS.find(({ name }) => name === wanted);
const ENTRY_TEXT = sectionNamed('.entry.text');
const C_TEXT = sectionNamed('.text');
const within = (section: typeof C_TEXT, address: bigint): boolean => {
  const offset = address - (section?.address ?? 0n);
  return offset >= 0n && offset < BigInt(section?.limit ?? 0);
};

/** I1, I8: an event has just been delivered. `page` finds the physical address of a page of a stack. */
export function afterDelivery(
  machine: Machine,
  { live }: Track,
  design: Design,
  page: (address: bigint) => number | undefined,
): Violation | undefined {
  if (!live) return undefined;
  if (live.vector === 8)
    return { invariant: 'I8', sentence: `a double fault at ${hex(live.rip)}, with RSP = ${hex(live.rsp)}` };
  // Whoever was interrupted in user mode has left all that is alive in the kernel: a signal handler runs, and no record leads back.
  if (((live.registers.cs ?? 0n) & 3n) === 3n) return undefined;
  for (let context = live.outer; context; context = context.outer) {
    if (!overlaps(live, context) || hasRecord(machine, context, design, page)) continue;
    const sentence = `${live.event} overwrote the record of ${context.event}, and there is no copy of it`;
    return { invariant: 'I1', sentence };
  }
  return undefined;
}

/** Whether a record that leads back to what an event interrupted lies anywhere on the kernel's stacks. */
function hasRecord(
  machine: Machine,
  { rip, rsp }: Context,
  { stacks }: Design,
  page: (address: bigint) => number | undefined,
): boolean {
  const word = (address: bigint): bigint | undefined => {
    const place = page(address);
    return place === undefined ? undefined : machine.physicalWord(place);
  };
  const low = Number(rip & 0xffff_ffffn);
  for (const { begin, end } of stacks) {
    for (let address = begin; address < end; address += BigInt(PAGE_SIZE)) {
      const place = page(address);
      if (place === undefined) continue;
      const halves = new Uint32Array(machine.memory.buffer, FRAMES + place, PAGE_SIZE / 4);
      for (let n = halves.indexOf(low); n >= 0; n = halves.indexOf(low, n + 1)) {
        const at = address + BigInt(n * 4);
        if (n % 2 === 0 && word(at) === rip && word(at + 24n) === rsp) return true;
      }
    }
  }
  return false;
}

/**
 * I2: a call into C, which takes DF for clear (System V ABI for AMD64, 3.2.1). From entry code it is the handler of an
 * event, and takes the address of the saved registers in RDI (3.2.3): RSP before the call, or on another stack what leads
 * back. On top that is not asked, since a nested NMI may have redirected the record that is part of them.
 *
 * @param roots page tables that map the whole kernel
 */
export function afterCall(
  machine: Machine,
  { live }: Track,
  { stacks }: Design,
  roots: readonly bigint[],
): Violation | undefined {
  const rip = machine.get('rip');
  if (machine.low('cpl') !== 0 || !within(C_TEXT, rip)) return undefined;
  const rsp = machine.get('rsp');
  const wrong = (name: string, value: bigint): Violation => ({
    invariant: 'I2',
    sentence: `C code at ${hex(rip)} is entered with ${name} = ${hex(value)}`,
  });
  if (machine.get('gsBase') !== PLACE.perCpu) return wrong('GS base', machine.get('gsBase'));
  if (!roots.includes(machine.get('cr3'))) return wrong('CR3', machine.get('cr3'));
  if (!stacks.some(({ begin, end }) => rsp >= begin && rsp < end)) return wrong('RSP', rsp);
  const rflags = machine.rflags();
  if ((rflags & DF) !== 0n) return wrong('DF set in RFLAGS', rflags);
  const regs = machine.get('rdi');
  if (!live || regs === rsp + 8n || !within(ENTRY_TEXT, machine.read(rsp, 64) ?? 0n)) return undefined;
  return leadsBack(machine, live, regs) ? undefined : wrong('no pt_regs at RDI', regs);
}

/** Whether RIP and RSP in a struct pt_regs at `regs` are those that an event interrupted. */
const leadsBack = (machine: Machine, { rip, rsp }: Context, regs: bigint): boolean =>
  machine.read(regs + PT_REGS.ip, 64) === rip && machine.read(regs + PT_REGS.sp, 64) === rsp;

/**
 * I3, I9: an IRETQ has ended no event. In ring 0 it leads to nowhere but the labels that a design declares: to go
 * round again, or to fix a fault up.
 */
export function afterIret(machine: Machine, { live }: Track, design: Design): Violation | undefined {
  if (machine.low('cpl') !== 0) return undefined;
  const [rip, rsp] = [machine.get('rip'), machine.get('rsp')];
  if (rip < USER_END)
    return { invariant: 'I3', sentence: `ring 0 goes on at ${hex(rip)}, an address of user space` };
  if (rip === design.labels.again || design.fixups.some(({ to }) => to === rip)) return undefined;
  for (let context = live; context; context = context.outer)
    if (context.rip === rip) {
      const sentence = `${context.event} came back with rsp = ${hex(rsp)}, it was ${hex(context.rsp)}`;
      return { invariant: 'I9', sentence };
    }
  const sentence = `an IRETQ leads to ${hex(rip)}, where nothing that is alive was interrupted`;
  return { invariant: 'I9', sentence };
}

/** I11: the body of the NMI handler has just been entered. C code that assumes it runs once at a time is lost then. */
export function afterEntry({ running }: Track): Violation | undefined {
  if (!running?.outer) return undefined;
  const [inner, outer] = [running, running.outer].map(({ live }) => live?.event ?? 'nothing that is alive');
  return { invariant: 'I11', sentence: `the handler is entered for ${inner} while it runs for ${outer}` };
}

/**
 * I13: an instruction of a handler is about to run. If it has an operand in user memory, the page tables must be those of
 * the current task. String instructions name no operand, and are not asked.
 */
export function beforeAccess(
  machine: Machine,
  { live }: Track,
  { mms }: Design,
  decode = machine.instructionAt.bind(machine),
): Violation | undefined {
  if (!mms || !live || machine.eventDue || machine.low('cpl') !== 0) return undefined;
  const rip = machine.get('rip');
  const instruction = decode(rip);
  const address = instruction && operandOf(machine, rip, instruction);
  if (address === undefined || address >= USER_END || machine.physical(address) === undefined)
    return undefined;
  const [cr3, own] = [machine.get('cr3'), machine.read(machine.read(mms.current, 64) ?? 0n, 64)];
  if (cr3 === own) return undefined;
  const sentence = `the handler of ${live.event} touches user memory with CR3 = ${hex(cr3)}; the current task has ${hex(own)}`;
  return { invariant: 'I13', sentence };
}

/** I8: a fault that nobody expected has come to where the kernel dies. */
export function atDeath(machine: Machine, { live }: Track, { labels }: Design): Violation | undefined {
  if (labels.dies === undefined || machine.get('rip') !== labels.dies) return undefined;
  const sentence = `the kernel dies: nobody expected ${live?.event} at ${hex(live?.rip)}`;
  return { invariant: 'I8', sentence };
}

/** I5, I9: an event is over; `over` is the oldest that is. The machine stands where it came back to. */
export function afterEvent(
  machine: Machine,
  { live }: Track,
  over: Context,
  design: Design,
): Violation | undefined {
  let last = live;
  while (last && last !== over && mayNotComeBack(last, design)) last = last.outer;
  if (last !== over) {
    const sentence = `${last?.event} never came back: ${over.event}, which it interrupted, is over`;
    return { invariant: 'I9', sentence };
  }
  const now = registersOf(machine);
  // A refused return to user mode: control has come there another way, and only what no record holds must be as it was.
  const elsewhere = isRefused(over, design) && now.rip !== over.rip;
  const then = elsewhere
    ? { ...now, ...kept(over.registers) }
    : cameBack(over, now, fixupOf(over, now.rip, design));
  const wrong = differing(now, then);
  if (wrong === undefined) return undefined;
  return {
    invariant: wrong === 'cr2' || wrong === 'dr7' ? 'I5' : 'I9',
    sentence: `${over.event} came back with ${wrong} = ${hex(now[wrong])}, it was ${hex(then[wrong])}`,
  };
}

/** The bases that stay what they are when control goes to another point of the same program. */
const kept = ({ gsBase = 0n, kernelGsBase = 0n, cr3 = 0n }: Registers): Registers => ({
  gsBase,
  kernelGsBase,
  cr3,
});

/**
 * The registers that an event must give back, where it comes back by this fix-up or to what it interrupted. Whether RF
 * is set after a fault depends on the way back: IRET loads it, POPF cannot.
 */
const cameBack = (
  { vector, registers }: Context,
  now: Registers,
  fixup: ReturnType<typeof fixupOf>,
): Registers => ({
  ...registers,
  ...(fixup && { rip: fixup.to }),
  ...(fixup?.swapped && { gsBase: registers.kernelGsBase ?? 0n, kernelGsBase: registers.gsBase ?? 0n }),
  ...(FAULTS.has(vector) && { rflags: (registers.rflags ?? 0n) | ((now.rflags ?? 0n) & RF) }),
});

/** I4, I10: nothing is alive and nothing waits. `page` finds the physical address of the TSS. */
export function atEnd(
  machine: Machine,
  { owed }: Track,
  { interruptStacks }: Design,
  page: (address: bigint) => number | undefined,
): Violation | undefined {
  const what = owed === 1 ? 'an NMI' : `${owed} NMIs`;
  if (owed > 0) return { invariant: 'I4', sentence: `${what} came and no handler ran for it` };
  const left = (what: string): Violation => ({ invariant: 'I10', sentence: `all is over, and ${what}` });
  if (machine.low('nmiBlocked') !== 0) return left('NMIs are still blocked');
  if ((machine.low('mcgStatus') & MCIP) !== 0) return left('a machine check is still in progress');
  if (machine.get('idtBase') !== PLACE.idt) return left('another IDT is loaded');
  const tss = page(PLACE.tss);
  const moved = interruptStacks.find(
    ({ ist, stack }) => ist > 0 && tss !== undefined && machine.physicalWord(tss + tssIst(ist)) !== stack.end,
  );
  return moved && left(`the stack of ${moved.stack.name} begins elsewhere`);
}

/** I8: a fault that the design has no gate for. */
export const unhandled = (vector: number): Violation => ({
  invariant: 'I8',
  sentence: `${VECTOR_NAME[vector] ?? `vector ${vector}`} has no handler here`,
});
