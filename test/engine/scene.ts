/** A guest written as assembly text, on the oracle and on the interpreter at once: every step is compared. */
import { assemble } from '../../src/asm/assemble.ts';
import { problemText } from '../../src/asm/source.ts';
import type { EventDetail, EventName } from '../../src/engine/machine.ts';
import type { Vendor } from '../../src/engine/vendor.ts';
import type { Field } from '../../src/isa/state.ts';
import { CS, frameAt, gate, TABLES, TEXT, USER_CS, USER_SS, USER_STACK_TOP, USER_TEXT } from './guest.ts';
import { Pair } from './wasm-pair.ts';

export interface SceneOptions {
  readonly vendor?: Vendor;
  /** IST by vector. */
  readonly ist?: Readonly<Record<number, number>>;
  /** Vectors whose gates are open to users; 3 and 4 unless told. */
  readonly open?: readonly number[];
  /** Present bit clear in the gates of these. */
  readonly absent?: readonly number[];
  readonly state?: Readonly<Partial<Record<Field, bigint>>>;
  readonly rflags?: bigint;
}

/** In ring 3 at the first byte of `.section .user`. */
export const AS_USER = {
  rip: USER_TEXT,
  rsp: USER_STACK_TOP - 8n,
  cs: USER_CS,
  ss: USER_SS,
  cpl: 3n,
} as const;

const SECTIONS = [
  { name: '.text', address: TEXT, writable: false, executable: true, user: false, limit: 0x2000 },
  { name: '.user', address: USER_TEXT, writable: false, executable: true, user: true, limit: 0x1000 },
] as const;

/** The label `on_N` is the handler of vector N. It begins in `.text`, in ring 0, with CR4.MCE set. */
export class Scene {
  readonly pair: Pair;
  private readonly labels: ReadonlyMap<string, bigint>;

  constructor(
    text: string,
    { vendor, ist = {}, open = [3, 4], absent = [], state, rflags }: SceneOptions = {},
  ) {
    const { image, problems } = assemble(
      [{ page: 'scene', name: 'scene', line: 1, lines: ['.text', ...text.split('\n')] }],
      { sections: [...SECTIONS] },
    );
    if (problems[0]) throw new Error(problemText(problems[0]));
    this.labels = new Map(image.symbols.map(({ name, address }) => [name, address]));
    this.pair = new Pair({ ...(vendor ? { vendor } : {}) });
    for (const { machine, space } of this.pair.both) {
      for (const { address, bytes } of image.segments) space.write(address, bytes);
      for (const [name, address] of this.labels) {
        const vector = /^on_(\d+)$/.exec(name)?.[1];
        if (vector === undefined) continue;
        const n = Number(vector);
        const [low, high] = gate(address, ist[n] ?? 0, open.includes(n) ? 3n : 0n);
        space.writeWords(TABLES + BigInt(16 * n), [absent.includes(n) ? low & ~(1n << 47n) : low, high]);
      }
      const all = { cr4: 0x60n, idtLimit: 0xbffn, ...state };
      for (const [name, value] of Object.entries(all)) machine.set(name as Field, value);
      if (rflags !== undefined) machine.setRflags(rflags);
      machine.keyframe();
    }
  }

  /** Address of a label. */
  at(label: string): bigint {
    const address = this.labels.get(label);
    if (address === undefined) throw new Error(`unknown label: ${label}`);
    return address;
  }
  /** An address as `label+n`. */
  name(address: bigint): string {
    let [name, from] = ['?', 0n];
    for (const [label, at] of this.labels)
      if (at <= address && at >= from && address - at < 0x1000n) [name, from] = [label, at];
    return address === from ? name : `${name}+${address - from}`;
  }
  /** What the next transitions are: `label` for an instruction, `#14 label` for a fault of it, `=> 2 label` for a delivery in front of it. */
  step(count: number): string[] {
    return Array.from({ length: count }, () => {
      const { kind, rip, vector } = this.pair.do(({ machine }) => {
        const { kind, rip, vector } = machine.step();
        return { kind, rip, vector };
      });
      this.pair.expectSame(`after ${kind} at ${this.name(rip)}`);
      const at = this.name(rip);
      if (kind === 'delivery') return `=> ${vector} ${at}`;
      if (kind === 'fault') return `#${vector} ${at}`;
      if (kind === 'stopped') return `${this.pair.machine.stopReason} ${at}`;
      return kind === 'repeat' ? `${at} again` : at;
    });
  }
  run(count: number): number {
    const made = this.pair.do(({ machine }) => machine.run(count));
    this.pair.expectSame(`after ${count} transitions`);
    return made;
  }
  inject(event: EventName, detail?: EventDetail): ReturnType<Pair['machine']['inject']> {
    const found = this.pair.do(({ machine }) => machine.inject(event, detail));
    this.pair.expectSame(`${event} injected`);
    return found;
  }
  set(field: Field, value: bigint): void {
    for (const { machine } of this.pair.both) machine.set(field, value);
  }
  get(field: Field): bigint {
    return this.pair.machine.get(field);
  }
  /** Put words at an address. */
  put(va: bigint, words: readonly bigint[]): void {
    for (const { space } of this.pair.both) space.writeWords(va, words);
  }
  word(va: bigint): bigint {
    return this.pair.machine.read(va, 64) ?? -1n;
  }
  /** RIP of the frame at RSP as `label+n`. */
  get returnsTo(): string {
    return this.name(this.word(this.get('rsp')));
  }
  /** Words at RSP: RIP, CS, RFLAGS, RSP, SS, with an error code before them if `count` is 6. */
  frame(count = 5): readonly (bigint | undefined)[] {
    return frameAt(this.pair.machine, this.get('rsp'), count);
  }
}

/** A DR7 with one breakpoint after the other, globally enabled: RW (0 execution, 1 writes, 3 reads and writes) and length. */
export const dr7 = (...of: readonly (readonly [rw: 0 | 1 | 3, length?: 1 | 2 | 4 | 8])[]): bigint =>
  of.reduce((word, [rw, length = 1], n) => {
    const code = { 1: 0n, 2: 1n, 4: 3n, 8: 2n }[length];
    return word | (2n << BigInt(2 * n)) | ((BigInt(rw) | (code << 2n)) << BigInt(16 + 4 * n));
  }, 0x400n);

export const TF = 0x100n;
export const IF = 0x200n;
export const RF = 0x1_0000n;
/** DR6 with nothing set (SDM vol 3, 17.2.3). */
export const DR6 = 0xffff_0ff0n;
export { CS };
