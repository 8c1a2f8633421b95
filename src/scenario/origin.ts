/**
 * Where a value comes from: who wrote it, and from what it was copied, and so on back to what computed it, to what the
 * hardware made of itself, or to before the run.
 */
import { symbolize } from '../image/image.ts';
import type { Instruction } from '../isa/instruction.ts';
import { print } from '../isa/print.ts';
import { RECORD } from '../kernel/memory-map.ts';
import { operandOf } from './causes.ts';
import type { Replay } from './replay.ts';
import { TAPED, type Taped } from './tape.ts';
import { place } from './words.ts';

/** A word of memory, by its linear address, or a register. */
export type Spot =
  | { readonly kind: 'word'; readonly address: bigint }
  | { readonly kind: 'register'; readonly name: Taped | 'rip' };

/** One writing of a value. */
export interface Writing {
  readonly spot: Spot;
  /** Boundary at which the spot has the value first; undefined where it had it before the run. */
  readonly boundary: number | undefined;
  readonly kind: 'hardware' | 'software' | 'earlier';
  /** `NMI 2`, `nested_nmi+0x8`. */
  readonly by: string;
  /** The instruction, for software. */
  readonly text: string;
  /** What was copied, as it was one boundary before; undefined where the value was computed, loaded or pushed from nothing that is kept. */
  readonly from: Spot | undefined;
}

export interface Origin {
  readonly value: bigint;
  /** The last writing first, each a copy of the next. */
  readonly trail: readonly Writing[];
  /** Boundary of the next writing, whatever it writes. */
  readonly next: number | undefined;
}

/** Copies that are followed at most. */
const MOST = 24;
const FLAGS_KEPT = 0xffff_ffff_fffe_ffffn;

/** The origin of what lies in a spot at a boundary. */
export function originOf(replay: Replay, spot: Spot, boundary: number): Origin {
  const { tape } = replay;
  replay.seek(boundary);
  const value = valueIn(replay, spot) ?? 0n;
  const trail: Writing[] = [];
  let [at, of] = [boundary, spot];
  for (let n = 0; n < MOST; n++) {
    const writing = writingOf(replay, of, at);
    trail.push(writing);
    if (!writing.from || writing.boundary === undefined) break;
    [at, of] = [writing.boundary - 1, writing.from];
  }
  const next =
    spot.kind === 'word'
      ? tape.nextWrite(spot.address, boundary)
      : spot.name === 'rip'
        ? Math.min(boundary + 1, tape.last)
        : tape.nextChange(spot.name, boundary);
  return { value, trail, next };
}

const isTaped = (name: string): name is Taped => (TAPED as readonly string[]).includes(name);
const register = (name: string | undefined): Spot | undefined =>
  name !== undefined && (isTaped(name) || name === 'rip') ? { kind: 'register', name } : undefined;
const word = (address: bigint | undefined): Spot | undefined =>
  address === undefined || address % 8n !== 0n ? undefined : { kind: 'word', address };

function valueIn({ machine }: Replay, spot: Spot): bigint | undefined {
  if (spot.kind === 'word') return machine.read(spot.address, 64);
  return spot.name === 'rflags' ? machine.rflags() : machine.get(spot.name);
}

function writingOf(replay: Replay, spot: Spot, boundary: number): Writing {
  const { tape, machine, image } = replay;
  const at =
    spot.kind === 'word'
      ? tape.lastWrite(spot.address, boundary)
      : spot.name === 'rip'
        ? boundary || undefined
        : tape.lastChange(spot.name, boundary);
  if (at === undefined)
    return { spot, boundary: undefined, kind: 'earlier', by: 'before this run', text: '', from: undefined };
  replay.seek(at);
  const now = valueIn(replay, spot);
  const top = machine.get('rsp');
  const event = tape.delivery(at);
  replay.seek(at - 1);
  const rip = machine.get('rip');
  const instruction = event === undefined ? machine.instructionAt(rip) : undefined;
  const source = event === undefined ? instruction && copied(instruction, spot, replay) : pushed(spot, top);
  const before = source && valueIn(replay, source);
  const kept = (of: bigint | undefined): bigint | undefined => of && of & FLAGS_KEPT;
  const from = source && kept(before) === kept(now) ? source : undefined;
  if (event !== undefined) return { spot, boundary: at, kind: 'hardware', by: event, text: '', from };
  const text = instruction ? print(instruction, rip, (address) => symbolize(image, address)) : '';
  return { spot, boundary: at, kind: 'software', by: place(image, rip), text, from };
}

/** The register that a delivery has pushed into a word; the words above an error code, if there is one, are looked at as well. */
function pushed(spot: Spot, top: bigint): Spot | undefined {
  if (spot.kind === 'register') return undefined;
  return register(RECORD[Number((spot.address - top) / 8n)]);
}

/** What an instruction copies into a spot; the machine stands before it. Undefined for what computes. */
function copied(instruction: Instruction, spot: Spot, { machine }: Replay): Spot | undefined {
  const { row, shape, registers } = instruction;
  const rsp = machine.get('rsp');
  const operand = (slot: 'a' | 'b'): Spot | undefined => {
    if (shape[slot].kind === 'r') return shape[slot].width >= 32 ? register(registers[slot]) : undefined;
    if (shape[slot].kind !== 'm' || shape[slot].width !== 64) return undefined;
    return word(operandOf(machine, machine.get('rip'), instruction));
  };
  const popped = (name: string): Spot | undefined =>
    spot.kind === 'register' && spot.name === name ? word(rsp) : undefined;
  switch (row.mnemonic) {
    case 'push':
      return operand('a');
    case 'pushf':
      return register('rflags');
    case 'mov':
      return operand('b');
    case 'xchg': {
      const [a, b] = [operand('a'), operand('b')];
      return a && same(a, spot) ? b : a;
    }
    case 'pop':
      return spot.kind === 'register' && spot.name !== registers.a ? undefined : word(rsp);
    case 'popf':
      return popped('rflags');
    case 'ret':
      return popped('rip');
    case 'movs':
      return spot.kind === 'word' ? word(machine.get('rsi')) : undefined;
    case 'lods':
      return spot.kind === 'register' && spot.name === 'rax' ? word(machine.get('rsi')) : undefined;
    case 'stos':
      return spot.kind === 'word' ? register('rax') : undefined;
    case 'iretq': {
      const n = spot.kind === 'register' ? (RECORD as readonly string[]).indexOf(spot.name) : -1;
      return n < 0 ? undefined : word(rsp + 8n * BigInt(n));
    }
    default:
      return undefined;
  }
}

const same = (one: Spot, other: Spot): boolean =>
  one.kind === 'word'
    ? other.kind === 'word' && one.address === other.address
    : other.kind === 'register' && one.name === other.name;
