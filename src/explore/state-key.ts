/** A number for everything that decides how a run goes on: equal for equal futures, as far as 53 bits can tell. */
import { offsetOf } from '../engine/layout.ts';
import { FIELDS, type Field } from '../isa/state.ts';
import type { Guest } from '../kernel/boot.ts';
import type { Design } from '../kernel/design.ts';
import type { StackRange } from '../kernel/memory-map.ts';
import type { Context, Running, Track } from '../scenario/track.ts';
import { type Dead, LiveMemory, mix } from './live-memory.ts';

/**
 * Fields that decide nothing: flags in their lazy form (the canonical image is taken instead), scratch, and the
 * tool's own places in its journal and log. `pending…` fields count while something is pending.
 */
const ASIDE: ReadonlySet<Field> = new Set<Field>([
  'zero',
  'flagResult',
  'flagCarry',
  'rflagsRest',
  'raisedVector',
  'raisedCode',
  'attention',
  'stop',
  'journalHead',
  'logHead',
]);
const OF_PENDING: readonly Field[] = ['pendingVector', 'pendingCode', 'pendingRip'];
/** Halves of the state block. */
const halvesOf = (fields: readonly Field[]): readonly number[] =>
  fields.flatMap((field) => [offsetOf[field] >> 2, (offsetOf[field] >> 2) + 1]);
const COUNTED = halvesOf(FIELDS.filter((field) => !ASIDE.has(field) && !OF_PENDING.includes(field)));
const WITH_PENDING = [...COUNTED, ...halvesOf(OF_PENDING)];

export class StateKey {
  private readonly booted: Guest;
  private readonly design: Design;
  private readonly memory: LiveMemory;
  private readonly halves: Int32Array;
  private readonly contexts = new WeakMap<Context, number>();

  constructor(booted: Guest, design: Design) {
    this.booted = booted;
    this.design = design;
    const { ranges, belowRsp } = design.dead;
    const stretches = [...ranges.map(({ name, from, to }) => ({ name, begin: from, end: to })), ...belowRsp];
    this.memory = new LiveMemory(booted, stretches, new Set(design.counters));
    this.halves = new Int32Array(booted.machine.memory.buffer, 0, 0x1000 / 4);
  }

  /** @param rest numbers that belong to the state but lie outside the machine */
  of(track: Track, rest: number): number {
    const { machine } = this.booted;
    const rflags = Number(machine.rflags());
    const [low, high] = this.memory.sum(this.dead(machine.get('rsp'), machine.low('cpl') === 0, track));
    const chain = this.chain(track.live) ^ this.calls(track.running);
    let a = mix(rflags, low, chain, 0x243f_6a88 ^ rest);
    let b = mix(rflags, high, chain, 0x1319_8a2e + rest);
    const { halves } = this;
    const counted = machine.low('pendingKind') === 0 ? COUNTED : WITH_PENDING;
    for (let n = 0; n < counted.length; n += 2) {
      const one = halves[counted[n] as number] as number;
      const two = halves[counted[n + 1] as number] as number;
      a = Math.imul((a ^ one) + 0x7f4a_7c15, 0x85eb_ca6b);
      a = Math.imul(((a << 13) | (a >>> 19)) ^ two, 0xc2b2_ae35);
      b = Math.imul((b + one) ^ (b >>> 15), 0x27d4_eb2f);
      b = Math.imul((b ^ (b >>> 13)) + two, 0x1656_67b1);
    }
    return ((b ^ (b >>> 16)) & 0x1f_ffff) * 0x1_0000_0000 + ((a ^ (a >>> 16)) >>> 0);
  }

  /** Two lanes over every word that differs from the start, counters aside, whether it means anything or not. */
  whole(): readonly [number, number] {
    return this.memory.sum(() => false);
  }

  /** Stores down to `head` were just taken back. */
  rewind(head: number): void {
    this.memory.rewind(head);
  }

  /** A number for a chain of live events: what each interrupted, with which registers. */
  private chain(live: Context | undefined): number {
    if (!live) return 0;
    const known = this.contexts.get(live);
    if (known !== undefined) return known;
    let sum = mix(this.chain(live.outer), live.vector, half(live.slot), 0x0370_7344);
    for (const value of [live.rip, live.rsp, ...Object.values(live.registers)])
      sum = mix(sum, half(value), half(value >> 32n), 0xa409_3822);
    this.contexts.set(live, sum);
    return sum;
  }

  /** A number for the calls of the handler's body that are not over. */
  private calls(running: Running | undefined): number {
    return running
      ? mix(this.calls(running.outer), this.chain(running.live), half(running.slot), half(running.back))
      : 0;
  }

  /**
   * What means nothing now, of what the design declares: words of a stack that nobody is on and that holds no live
   * record; words below RSP, where it says so; words elsewhere while no event is alive.
   */
  private dead(rsp: bigint, kernel: boolean, track: Track): Dead {
    const { stacks, dead } = this.design;
    const lowest = new Map<StackRange, bigint>();
    const use = (address: bigint): void => {
      const stack = stacks.find(({ begin, end }) => address > begin && address <= end);
      if (stack && address < (lowest.get(stack) ?? stack.end + 1n)) lowest.set(stack, address);
    };
    if (kernel) use(rsp);
    for (let live = track.live; live; live = live.outer) {
      use(live.slot);
      if ((live.registers.cs ?? 0n) % 4n === 0n) use(live.rsp);
    }
    return (stretch) => {
      const stack = stacks.find(({ begin, end }) => stretch.begin >= begin && stretch.end <= end);
      if (!stack) return track.live === undefined;
      const least = lowest.get(stack);
      if (least === undefined) return true;
      return dead.belowRsp.includes(stack) && stretch.end === stack.end && ((address) => address < least);
    };
  }
}

/** The low half of a word, as a signed number. */
export const half = (value: bigint): number => Number(BigInt.asIntN(32, value));
