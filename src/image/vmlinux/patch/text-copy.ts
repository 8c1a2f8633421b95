/** Executable memory of a kernel while it is written over, as its own boot does that: a copy, the kernel stays as it is. */
import type { Extent, KernelMemory } from '../memory.ts';

/** Why something is written over. */
export type PatchKind =
  | 'alternative'
  | 'return'
  | 'retpoline'
  | 'paravirt call'
  | 'static call'
  | 'static key'
  | 'call thunk'
  | 'tracing call'
  | 'sealed entry'
  | 'lock prefix'
  | 'constant';

/** What is told of every place that is written over. */
export type OnPatch = (kind: PatchKind, address: bigint, length: number) => void;

interface Piece extends Extent {
  written: boolean;
  readonly end: bigint;
}

export class TextCopy {
  readonly #pieces: readonly Piece[];
  readonly #onPatch: OnPatch;
  /** Where the last access was: most are of one section. */
  #last: Piece | undefined;

  /** A copy of all that is executable. */
  constructor(memory: KernelMemory, onPatch: OnPatch = () => {}) {
    this.#pieces = memory.extents
      .filter(({ executable }) => executable)
      .map((one) => ({
        ...one,
        bytes: Uint8Array.from(one.bytes),
        end: one.address + BigInt(one.bytes.length),
        written: false,
      }));
    this.#onPatch = onPatch;
  }

  /** What was written over, whole sections of it. */
  get changed(): readonly Extent[] {
    return this.#pieces.filter(({ written }) => written);
  }

  /** Exactly `count` bytes as they stand now; undefined where the file has not so many there. */
  at(address: bigint, count: number): Uint8Array | undefined {
    const piece = this.#pieceAt(address);
    if (!piece || address + BigInt(count) > piece.end) return undefined;
    const at = Number(address - piece.address);
    return piece.bytes.subarray(at, at + count);
  }

  /** Writes; what lies outside of the file is left out. */
  write(kind: PatchKind, address: bigint, bytes: Uint8Array | readonly number[]): void {
    const place = this.at(address, bytes.length);
    if (!place || !this.#last) return;
    place.set(bytes);
    this.#last.written = true;
    this.#onPatch(kind, address, bytes.length);
  }

  /** Where the branch of five bytes at an address leads, if one with this opcode stands there. */
  target(address: bigint, opcode: number): bigint | undefined {
    const text = this.at(address, BRANCH);
    if (text?.[0] !== opcode) return undefined;
    return BigInt.asUintN(64, address + BigInt(BRANCH + wordsOf(text).getInt32(1, true)));
  }

  /** Copies a stretch; bytes that are not in the file stay zero. */
  read(address: bigint, count: number): Uint8Array {
    const found = new Uint8Array(count);
    const end = address + BigInt(count);
    for (const piece of this.#pieces) {
      const from = piece.address > address ? piece.address : address;
      const to = piece.end < end ? piece.end : end;
      if (from < to)
        found.set(
          piece.bytes.subarray(Number(from - piece.address), Number(to - piece.address)),
          Number(from - address),
        );
    }
    return found;
  }

  #pieceAt(address: bigint): Piece | undefined {
    const isIn = (one: Piece): boolean => address >= one.address && address < one.end;
    if (!this.#last || !isIn(this.#last)) this.#last = this.#pieces.find(isIn);
    return this.#last;
  }
}

/** Bytes of `call target` and `jmp target`. */
export const BRANCH = 5;
export const CALL = 0xe8;
export const JMP = 0xe9;
export const JMP_SHORT = 0xeb;
export const RET = 0xc3;
export const INT3 = 0xcc;

/** Numbers in some bytes. */
export const wordsOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** `call target` or `jmp target` at an address. */
export function branchTo(opcode: number, address: bigint, target: bigint): Uint8Array {
  const bytes = new Uint8Array(BRANCH);
  bytes[0] = opcode;
  wordsOf(bytes).setInt32(1, Number(BigInt.asIntN(32, target - address - BigInt(BRANCH))), true);
  return bytes;
}
