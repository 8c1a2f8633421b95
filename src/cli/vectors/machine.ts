/**
 * The machine that test vectors describe: ring 3 with flat 64-bit segments, a code page and 64 KiB of data,
 * nothing else mapped for the user. Descriptors and gates are those of a Linux kernel, in pages of the supervisor.
 */
import { AddressSpace } from '../../engine/address-space.ts';
import { PENDING } from '../../engine/events/pending-kinds.ts';
import { FRAMES } from '../../engine/layout.ts';
import { Machine, type Mark, type Transition } from '../../engine/machine.ts';
import { RF, TF } from '../../isa/flags.ts';
import { VECTOR } from '../../isa/ops.ts';
import { type Field, GPR } from '../../isa/state.ts';
import { CODE, CODE_SIZE, DATA, DATA_SIZE, type Fault, type Vector } from './format.ts';

const TABLES = 0xffff_8000_0000_0000n;
const GDT = TABLES;
const IDT = TABLES + 0x1000n;
const TSS = TABLES + 0x2000n;
const TSS_LIMIT = 0x67n;
const HANDLERS = TABLES + 0x3000n;
const STACK = TABLES + 0x4000n;
const FRAME_COUNT = 64;
/** Frames of code and data; page tables come from below. */
const CODE_FRAME = 0x2_0000;
const DATA_FRAME = 0x3_0000;
const HLT = 0xf4;
/** A repeated string instruction over all the data in bytes stays below this. */
const MOST_STEPS = 100_000;

/** Linux's table (arch/x86/kernel/cpu/common.c, 6.12): kernel code 0x10, data 0x18; user code of 32 bits 0x23, data 0x2b, code 0x33. */
const DESCRIPTORS: readonly bigint[] = [
  0n,
  0x00cf_9b00_0000_ffffn,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x00cf_fb00_0000_ffffn,
  0x00cf_f300_0000_ffffn,
  0x00af_fb00_0000_ffffn,
  0n,
  0x0000_8b00_2000_0067n | ((TSS & 0xff_0000n) << 16n),
  TSS >> 32n,
];
/** Gates that ring 3 may use: INT3 and INTO (arch/x86/kernel/idt.c, 6.12). */
const OPEN = new Set([VECTOR.BP, VECTOR.OF] as readonly number[]);
const gate = (vector: number): readonly bigint[] => {
  const kind = OPEN.has(vector) ? 0xee00n : 0x8e00n;
  const low = (HANDLERS & 0xffffn) | (0x10n << 16n) | (kind << 32n) | (((HANDLERS >> 16n) & 0xffffn) << 48n);
  return [low, HANDLERS >> 32n];
};

const NAMES: ReadonlyMap<number, Fault> = new Map(
  Object.entries(VECTOR).map(([name, vector]) => [vector, `#${name}` as Fault]),
);

/** What the engine made of a vector. `data` is a view that the next run changes. */
export interface Outcome {
  readonly registers: readonly bigint[];
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  readonly cr2: bigint;
  readonly data: Uint8Array;
  /** A fault or trap by name, or why the engine refused: `not modelled: XSAVE`. */
  readonly event: string | undefined;
}

/** A machine before the first vector. */
interface Fresh {
  readonly machine: Machine;
  readonly start: Mark;
  readonly data: Uint8Array;
}

function build(): Fresh {
  const machine = new Machine({ frames: FRAME_COUNT });
  const space = new AddressSpace(machine);
  space.map(CODE, 1, { user: true, executable: true }, CODE_FRAME);
  space.map(DATA, DATA_SIZE / 0x1000, { user: true, writable: true }, DATA_FRAME);
  space.map(TABLES, 5, { writable: true, executable: true });
  space.writeWords(GDT, DESCRIPTORS);
  for (let vector = 0; vector < 256; vector++) space.writeWords(IDT + BigInt(16 * vector), gate(vector));
  space.write(HANDLERS, Uint8Array.of(HLT));
  // RSP0 lies at byte 4 of the task state segment (SDM vol 3, 7.7).
  space.writeWords(TSS, [(STACK + 0x1000n) << 32n, (STACK + 0x1000n) >> 32n]);
  // The I/O map would begin behind the segment's end: ring 3 has no ports.
  space.writeWords(TSS + 96n, [(TSS_LIMIT + 1n) << 48n]);
  const fields: Partial<Record<Field, bigint>> = {
    cpl: 3n,
    cs: 0x33n,
    ss: 0x2bn,
    cr3: space.root,
    // PAE, OSFXSR, OSXMMEXCPT, FSGSBASE
    cr4: 0x1_0620n,
    gdtBase: GDT,
    gdtLimit: BigInt(DESCRIPTORS.length * 8 - 1),
    idtBase: IDT,
    idtLimit: 0xfffn,
    tssBase: TSS,
    tssLimit: TSS_LIMIT,
  };
  for (const [name, value] of Object.entries(fields)) machine.set(name as Field, value);
  machine.keyframe();
  const data = new Uint8Array(machine.memory.buffer, FRAMES + DATA_FRAME, DATA_SIZE);
  return { machine, start: machine.mark(), data };
}

/** Runs vectors, one after the other, each from the same start. */
export class VectorMachine {
  private fresh: Fresh | undefined;

  /** One instruction; a repeated string instruction whole, or to its fault. */
  run({ bytes, before }: Vector): Outcome {
    this.fresh ??= build();
    const { machine, start, data } = this.fresh;
    machine.undo(start);
    const page = new Uint8Array(CODE_SIZE).fill(HLT);
    const offset = Number(BigInt.asIntN(64, before.rip - CODE));
    bytes.forEach((byte, n) => {
      // What would lie behind the page is not there: its fetch faults.
      if (offset + n >= 0 && offset + n < CODE_SIZE) page[offset + n] = byte;
    });
    machine.writeGuest(CODE_FRAME, page);
    machine.writeGuest(DATA_FRAME, dataOf(before.memory));
    GPR.forEach((name, n) => {
      machine.set(name, before.registers[n] ?? 0n);
    });
    machine.set('rip', before.rip);
    machine.set('fsBase', before.fsBase);
    machine.set('gsBase', before.gsBase);
    machine.setRflags(before.rflags);
    return outcomeOf(machine, data, this.advance(machine));
  }

  /** Transitions up to the instruction's end. */
  private advance(machine: Machine): Transition {
    let step = machine.step();
    for (let n = 0; n < MOST_STEPS; n++) {
      if (step.kind === 'stopped' && machine.stopReason === 'journal or log full') {
        // There is no way back from here: the next vector gets a new machine.
        machine.keyframe();
        this.fresh = undefined;
      } else if (step.kind !== 'repeat') break;
      step = machine.step();
    }
    // INT n is checked against its gate when it is delivered; the handler of INT3 is where a vector ends.
    const closed = !OPEN.has(Number(machine.get('pendingVector')));
    if (machine.get('pendingKind') === BigInt(PENDING.software) && closed) step = machine.step();
    return step;
  }
}

function outcomeOf(machine: Machine, data: Uint8Array, step: Transition): Outcome {
  const pending = machine.get('pendingKind') !== 0n;
  const vector = Number(machine.get('pendingVector'));
  const name = NAMES.get(vector) ?? `#${vector}`;
  return {
    registers: GPR.map((one) => machine.get(one)),
    rip: machine.get(pending ? 'pendingRip' : 'rip'),
    rflags: machine.rflags() & ~(RF | TF),
    fsBase: machine.get('fsBase'),
    gsBase: machine.get('gsBase'),
    cr2: machine.get('cr2'),
    data,
    event: step.kind === 'stopped' ? machine.stopReason : pending ? name : undefined,
  };
}

/** All the data with `ranges` laid over what was there. */
export function dataOf(
  ranges: Vector['before']['memory'],
  under: Uint8Array = new Uint8Array(DATA_SIZE),
): Uint8Array {
  const data = under.slice();
  for (const { at, bytes } of ranges) data.set(bytes, Number(at - DATA));
  return data;
}
