/**
 * Test vectors: one instruction, the state before it and the state behind it, one JSON object a line.
 *
 * `{"id","class","att","bytes","in","out","fault","undef"}`. Numbers are 0x-strings, bytes are bare
 * hexadecimal, lowest address first. `undef` masks RFLAGS bits that the manuals leave undefined, and
 * `undefdst` says that the destination is undefined, too. The machine is that of `machine.ts`.
 */
import { VECTOR } from '../../isa/ops.ts';
import { GPR } from '../../isa/state.ts';

/** The code page (read, execute): `bytes` at RIP and HLT elsewhere. */
export const CODE = 0x1000_0000n;
export const CODE_SIZE = 0x1000;
/** The data (read, write): zero but for what a vector says. */
export const DATA = 0x2000_0000n;
export const DATA_SIZE = 0x1_0000;

/** Bytes at an address. */
export interface Range {
  readonly at: bigint;
  readonly bytes: Uint8Array;
}

export interface VectorState {
  /** In encoding order. */
  readonly registers: readonly bigint[];
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  /** Before: what is not zero. After: bytes that changed. */
  readonly memory: readonly Range[];
}

/** What a handler sees: `#GP`, `#PF`. */
export type Fault = `#${keyof typeof VECTOR}`;

export interface Vector {
  readonly id: string;
  readonly class: string;
  /** The instruction as text; for people only. */
  readonly att: string;
  readonly bytes: Uint8Array;
  readonly before: VectorState;
  readonly after: VectorState;
  readonly fault: Fault | undefined;
  /** CR2 of a page fault. */
  readonly cr2: bigint | undefined;
  /** RFLAGS bits that mean nothing. */
  readonly undefinedFlags: bigint;
  readonly undefinedDestination: boolean;
}

/** Why a line is no vector, as one sentence. */
export interface VectorProblem {
  readonly problem: string;
}

/** What a reader of one line throws; it never leaves this file. */
class Refused extends Error {}

type Fields = Readonly<Record<string, unknown>>;
/** The code page holds no more; an instruction has at most 15, what is longer raises #GP. */
const MOST_BYTES = 32;
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

function fieldsOf(value: unknown, name: string): Fields {
  if (value === undefined) throw new Refused(`missing ${name}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refused(`invalid ${name}: ${shown(value)} is no object`);
  return value as Fields;
}
function textOf(fields: Fields, name: string, otherwise?: string): string {
  const value = fields[name] ?? otherwise;
  if (value === undefined) throw new Refused(`missing ${name}`);
  if (typeof value !== 'string') throw new Refused(`invalid ${name}: ${shown(value)} is no text`);
  return value;
}
function numberIn(value: unknown, name: string): bigint {
  if (value === undefined) throw new Refused(`missing ${name}`);
  if (typeof value !== 'string' || !/^0x[\da-f]{1,16}$/i.test(value))
    throw new Refused(`invalid ${name}: ${shown(value)} is no number such as "0x1f"`);
  return BigInt(value);
}
function bytesIn(value: unknown, name: string): Uint8Array {
  if (value === undefined) throw new Refused(`missing ${name}`);
  if (typeof value !== 'string' || !/^(?:[\da-f]{2})+$/i.test(value))
    throw new Refused(`invalid ${name}: ${shown(value)} is no pairs of hexadecimal digits`);
  return Uint8Array.from(Buffer.from(value, 'hex'));
}
const isInData = ({ at, bytes }: Range): boolean =>
  at >= DATA && at + BigInt(bytes.length) <= DATA + BigInt(DATA_SIZE);

function memoryIn(value: unknown, name: string): readonly Range[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Refused(`invalid ${name}: ${shown(value)} is no list`);
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new Refused(`invalid ${name}: ${shown(pair)} is no pair of address and bytes`);
    const [at, bytes]: readonly unknown[] = pair;
    const range = { at: numberIn(at, `${name} address`), bytes: bytesIn(bytes, `${name} bytes`) };
    if (!isInData(range)) throw new Refused(`invalid ${name}: ${shown(pair)} lies outside the data`);
    return range;
  });
}

function stateIn(value: unknown, name: string): VectorState {
  const fields = fieldsOf(value, name);
  const number = (key: string): bigint => numberIn(fields[key], `${name}.${key}`);
  const base = (key: string): bigint => (fields[key] === undefined ? 0n : number(key));
  return {
    registers: GPR.map(number),
    rip: number('rip'),
    rflags: number('rflags'),
    fsBase: base('fsbase'),
    gsBase: base('gsbase'),
    memory: memoryIn(fields.mem, `${name}.mem`),
  };
}

const isFault = (text: string): text is Fault => text.startsWith('#') && text.slice(1) in VECTOR;

function faultIn(value: unknown): Fault | undefined {
  if (value === undefined) throw new Refused('missing fault');
  if (value === null) return undefined;
  if (typeof value !== 'string' || !isFault(value)) throw new Refused(`unknown fault: ${shown(value)}`);
  return value;
}

function vectorOf(line: string): Vector {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Refused(`invalid JSON: ${shown(line)}`);
  }
  const fields = fieldsOf(value, 'vector');
  const bytes = bytesIn(fields.bytes, 'bytes');
  if (bytes.length > MOST_BYTES) throw new Refused(`invalid bytes: ${bytes.length}, more than ${MOST_BYTES}`);
  const { undefdst: destination = false } = fields;
  if (typeof destination !== 'boolean')
    throw new Refused(`invalid undefdst: ${shown(destination)} is neither true nor false`);
  const fault = faultIn(fields.fault);
  const after = stateIn(fields.out, 'out');
  const cr2 = fieldsOf(fields.out, 'out').cr2;
  return {
    id: textOf(fields, 'id'),
    class: textOf(fields, 'class', ''),
    att: textOf(fields, 'att', ''),
    bytes,
    before: stateIn(fields.in, 'in'),
    after,
    fault,
    cr2: fault === '#PF' ? numberIn(cr2, 'out.cr2') : undefined,
    undefinedFlags: fields.undef === undefined ? 0n : numberIn(fields.undef, 'undef'),
    undefinedDestination: destination,
  };
}

/** One line; a problem where it is no vector. */
export function parseVector(line: string): Vector | VectorProblem {
  try {
    return vectorOf(line);
  } catch (reason) {
    if (reason instanceof Refused) return { problem: reason.message };
    throw reason;
  }
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function stateText({ registers, rip, rflags, fsBase, gsBase, memory }: VectorState): Fields {
  return {
    ...Object.fromEntries(GPR.map((name, n) => [name, hex(registers[n] ?? 0n)])),
    rip: hex(rip),
    rflags: hex(rflags),
    ...(fsBase === 0n ? {} : { fsbase: hex(fsBase) }),
    ...(gsBase === 0n ? {} : { gsbase: hex(gsBase) }),
    mem: memory.map(({ at, bytes }) => [hex(at), Buffer.from(bytes).toString('hex')]),
  };
}

/** The line of a vector, without a line end. */
export function vectorText(vector: Vector): string {
  const { id, att, bytes, before, after, fault, cr2, undefinedFlags, undefinedDestination } = vector;
  return JSON.stringify({
    id,
    class: vector.class,
    att,
    bytes: Buffer.from(bytes).toString('hex'),
    in: stateText(before),
    out: { ...stateText(after), ...(cr2 === undefined ? {} : { cr2: hex(cr2) }) },
    fault: fault ?? null,
    undef: hex(undefinedFlags),
    ...(undefinedDestination ? { undefdst: true } : {}),
  });
}
