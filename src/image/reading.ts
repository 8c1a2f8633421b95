/**
 * Reading files from outside: every read is checked, and what is wrong is a value with its place. Readers of single tables end what
 * `attempt` runs; `openKernel` and what it gives return values, and nothing is thrown out of them.
 */

/** Why bytes are not what they should be. */
export interface FileProblem {
  /** `truncated ELF header: 64 bytes needed`, without its place. */
  readonly problem: string;
  /** What was being read: `ELF header`. */
  readonly reading: string;
  /** Offset in what was being read. */
  readonly at: number;
}

/** `invalid magic: 7f454c00 (ELF header, at 0x0)`. */
export const fileProblemText = ({ problem, reading, at }: FileProblem): string =>
  `${problem} (${reading}, at 0x${at.toString(16)})`;

/** Whether a reader found something wrong. */
export const isProblem = (value: object): value is FileProblem => 'problem' in value;

/** Goes no further than `attempt`. */
class Malformed extends Error {
  readonly found: FileProblem;
  constructor(found: FileProblem) {
    super(fileProblemText(found));
    this.found = found;
  }
}

/** Ends what `attempt` runs with a problem. */
export function malformed(problem: string, reading: string, at: number): never {
  throw new Malformed({ problem, reading, at });
}

/** What `read` gives, or the first problem it met. */
export function attempt<T extends object>(read: () => T): T | FileProblem {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return error.found;
    throw error;
  }
}

/** What `read` gives; undefined where it met a problem, of which nobody wants to know. */
export function ifSound<T>(read: () => T): T | undefined {
  const found = attempt(() => ({ value: read() }));
  return isProblem(found) ? undefined : found.value;
}

/** As `attempt`, for what takes its time. */
export async function attemptLater<T extends object>(read: () => Promise<T>): Promise<T | FileProblem> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Malformed) return error.found;
    throw error;
  }
}

/** What `attempt` gave, again inside another one: a problem ends that too. */
export function sound<T extends object>(value: T | FileProblem): T {
  if (isProblem(value)) throw new Malformed(value);
  return value;
}

const DECODER = new TextDecoder('latin1');

/** Bytes as text, one character each. */
export const latin1 = (bytes: Uint8Array): string => DECODER.decode(bytes);

/** Two digits a byte. */
export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Little-endian numbers of a file; a read past the end is a problem. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly reading: string;
  readonly #view: DataView;

  /** @param reading what the bytes are, for problems */
  constructor(bytes: Uint8Array, reading: string) {
    this.bytes = bytes;
    this.reading = reading;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Ends the reading with a problem at `at`. */
  fail(problem: string, at: number): never {
    return malformed(problem, this.reading, at);
  }

  #check(at: number, count: number): void {
    if (!(at >= 0 && count >= 0 && at + count <= this.bytes.length))
      this.fail(`truncated ${this.reading}: ${count} bytes needed of ${this.bytes.length}`, at);
  }

  u8(at: number): number {
    this.#check(at, 1);
    return this.#view.getUint8(at);
  }
  u16(at: number): number {
    this.#check(at, 2);
    return this.#view.getUint16(at, true);
  }
  u32(at: number): number {
    this.#check(at, 4);
    return this.#view.getUint32(at, true);
  }
  i32(at: number): number {
    this.#check(at, 4);
    return this.#view.getInt32(at, true);
  }
  u64(at: number): bigint {
    this.#check(at, 8);
    return this.#view.getBigUint64(at, true);
  }

  /** A 64-bit size or offset as a number; one that no file can have is a problem. */
  size(at: number): number {
    const value = this.u64(at);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`invalid size: 0x${value.toString(16)}`, at);
    return Number(value);
  }

  /** A part of the bytes, not a copy. */
  slice(at: number, count: number): Uint8Array {
    this.#check(at, count);
    return this.bytes.subarray(at, at + count);
  }

  /** Text up to a zero byte, which must be there. */
  text(at: number): string {
    this.#check(at, 1);
    const end = this.bytes.indexOf(0, at);
    if (end < 0) this.fail(`truncated ${this.reading}: no end of text`, at);
    return latin1(this.bytes.subarray(at, end));
  }
}
