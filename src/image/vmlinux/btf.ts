/**
 * Types as the kernel describes its own: where the members of a structure lie.
 * Format: Documentation/bpf/btf.rst of 6.12.
 */
import { Reader } from '../reading.ts';

const MAGIC = 0xeb9f;
const HEADER = 24;
const TYPE = 12;
const MOST_TYPES = 1 << 20;
const DEEPEST = 32;
/** Members looked at to find one: the largest structures have a few hundred. */
const MOST_LOOKS = 1 << 14;

const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Bytes behind a type: so many always, and so many for each of its members. */
const EXTRA: Readonly<Record<number, readonly [always: number, each: number]>> = {
  [KIND.int]: [4, 0],
  [KIND.array]: [12, 0],
  [KIND.struct]: [0, 12],
  [KIND.union]: [0, 12],
  [KIND.enum]: [0, 8],
  [KIND.prototype]: [0, 8],
  [KIND.variable]: [4, 0],
  [KIND.dataSection]: [0, 12],
  [KIND.declarationTag]: [4, 0],
  [KIND.enum64]: [0, 12],
};
/** Kinds that only say more about another type. */
const THROUGH: ReadonlySet<number> = new Set([
  KIND.typedef,
  KIND.volatile,
  KIND.const,
  KIND.restrict,
  KIND.typeTag,
]);

export interface BtfMember {
  /** From the beginning of the outermost structure. */
  readonly offset: number;
  /** Bytes; undefined where it is no whole number of them, or the type has no size. */
  readonly size: number | undefined;
  /** Of a bit field that does not begin with a byte: its first bit, counted from the lowest of `offset`. */
  readonly bit?: number;
}

export class Btf {
  readonly #source: Reader;
  readonly #text: Reader;
  /** Where each type begins; type 0 is `void`. */
  readonly #starts: Uint32Array;
  #structs: ReadonlyMap<string, number> | undefined;

  /** @throws through `attempt`: see `reading.ts` */
  constructor(bytes: Uint8Array) {
    const header = new Reader(bytes, 'BTF header');
    if (header.u16(0) !== MAGIC) header.fail(`invalid BTF magic: 0x${header.u16(0).toString(16)}`, 0);
    if (header.u32(4) < HEADER) header.fail(`invalid BTF header: ${header.u32(4)} bytes`, 4);
    const from = header.u32(4);
    this.#source = new Reader(header.slice(from + header.u32(8), header.u32(12)), 'BTF types');
    this.#text = new Reader(header.slice(from + header.u32(16), header.u32(20)), 'BTF names');
    const starts = [0];
    for (let at = 0; at < this.#source.length; at += this.#size(at)) {
      starts.push(at);
      if (starts.length > MOST_TYPES) this.#source.fail(`too many types: more than ${MOST_TYPES}`, at);
    }
    this.#starts = Uint32Array.from(starts);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  #kind(at: number): number {
    return (this.#source.u32(at + 4) >>> 24) & 31;
  }
  #members(at: number): number {
    return this.#source.u32(at + 4) & 0xffff;
  }
  #size(at: number): number {
    const kind = this.#kind(at);
    if (kind === 0 || kind > KIND.enum64) this.#source.fail(`unknown BTF kind: ${kind}`, at);
    const [always, each] = EXTRA[kind] ?? [0, 0];
    return TYPE + always + each * this.#members(at);
  }
  #at(type: number): number {
    const at = type === 0 ? undefined : this.#starts[type];
    return at ?? this.#source.fail(`invalid BTF type: ${type} of ${this.count}`, 0);
  }
  #name(at: number): string {
    return this.#text.text(this.#source.u32(at));
  }

  /** The type without names and qualifiers. */
  #bare(type: number): number {
    let at = this.#at(type);
    for (let deep = 0; THROUGH.has(this.#kind(at)); deep++) {
      if (deep > DEEPEST) this.#source.fail('invalid BTF type: it names itself', at);
      at = this.#at(this.#source.u32(at + 8));
    }
    return at;
  }

  #sizeOf(at: number, deep = 0): number | undefined {
    const kind = this.#kind(at);
    if (deep > DEEPEST) return undefined;
    if (kind === KIND.pointer) return 8;
    if (kind === KIND.array) {
      const one = this.#sizeOf(this.#bare(this.#source.u32(at + TYPE)), deep + 1);
      return one === undefined ? undefined : one * this.#source.u32(at + TYPE + 8);
    }
    const sized: readonly number[] = [KIND.int, KIND.struct, KIND.union, KIND.enum, KIND.float, KIND.enum64];
    return sized.includes(kind) ? this.#source.u32(at + 8) : undefined;
  }

  /** Structures and unions by name; the first of a name. */
  #named(): ReadonlyMap<string, number> {
    if (this.#structs) return this.#structs;
    const found = new Map<string, number>();
    for (let type = 1; type < this.#starts.length; type++) {
      const at = this.#starts[type] as number;
      const kind = this.#kind(at);
      if (kind !== KIND.struct && kind !== KIND.union) continue;
      const name = this.#name(at);
      if (name !== '' && !found.has(name)) found.set(name, at);
    }
    this.#structs = found;
    return found;
  }

  /** Bytes of a structure or union; undefined where there is none of this name. */
  structSize(name: string): number | undefined {
    const at = this.#named().get(name);
    return at === undefined ? undefined : this.#source.u32(at + 8);
  }

  /** `member('task_struct', 'thread.sp')`; undefined where there is no such path. Members without a name are passed through. */
  member(structure: string, path: string): BtfMember | undefined {
    let at = this.#named().get(structure);
    let offset = 0;
    const work = { left: MOST_LOOKS };
    for (const name of path.split('.')) {
      const found = at === undefined ? undefined : this.#find(at, name, work, 0);
      if (!found) return undefined;
      offset += found.bits;
      at = found.type;
    }
    const size = at === undefined ? undefined : this.#sizeOf(at);
    const bit = offset % 8;
    return bit === 0 ? { offset: offset / 8, size } : { offset: (offset - bit) / 8, size: undefined, bit };
  }

  #find(
    at: number,
    name: string,
    work: { left: number },
    deep: number,
  ): { readonly bits: number; readonly type: number } | undefined {
    const kind = this.#kind(at);
    if (kind !== KIND.struct && kind !== KIND.union) return undefined;
    // With the flag, the upper byte of an offset is the width of a bit field.
    const mask = this.#source.u32(at + 4) >>> 31 ? 0xffffff : 0xffffffff;
    for (let n = 0; n < this.#members(at); n++) {
      if (work.left-- <= 0 || deep > DEEPEST) this.#source.fail('invalid BTF type: it holds itself', at);
      const member = at + TYPE + 12 * n;
      const bits = (this.#source.u32(member + 8) & mask) >>> 0;
      const called = this.#name(member);
      const type = this.#bare(this.#source.u32(member + 4));
      if (called === name) return { bits, type };
      const inside = called === '' ? this.#find(type, name, work, deep + 1) : undefined;
      if (inside) return { bits: bits + inside.bits, type: inside.type };
    }
    return undefined;
  }
}
