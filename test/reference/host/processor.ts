/** The processor of this machine: a C program that single-steps, compiled where it is needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Fault, Range, VectorState } from '../../../src/cli/vectors/format.ts';

/** One instruction to run. */
export interface Request {
  readonly bytes: Uint8Array;
  readonly before: VectorState;
  /**
   * `step` with TF set; `repeat` until RIP moves; `to hlt` without TF, up to the HLT behind, for what pushes
   * RFLAGS or holds back the trap.
   */
  readonly how: 'step' | 'repeat' | 'to hlt';
}
export interface Result {
  readonly after: VectorState;
  readonly fault: Fault | undefined;
  readonly cr2: bigint | undefined;
}

const HOW = { step: 0n, repeat: 1n, 'to hlt': 2n } as const;
/** RF and TF: a fault pushes RF set, and the step is ours. */
const HIDDEN = 0x1_0100n;

export interface Processor {
  readonly name: string;
  /** Of the features that were asked for, those that are not there. */
  readonly lacks: ReadonlySet<string>;
}

/** What /proc/cpuinfo says of the first processor. */
export function processor(text: string, features: readonly string[]): Processor {
  const value = (key: string): string => new RegExp(`^${key}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? 'unknown';
  const flags = new Set(value('flags').split(' '));
  return {
    name: `${value('model name')}, family ${value('cpu family')}, model ${value('model')}, stepping ${value('stepping')}`,
    lacks: new Set(features.filter((flag) => !flags.has(flag))),
  };
}

/** Compiles the harness into a folder. @throws Error with what the compiler said */
export function compile(folder: string): string {
  const program = join(folder, 'step');
  execFileSync('cc', ['-O2', '-Wall', '-o', program, new URL('step.c', import.meta.url).pathname]);
  return program;
}

class Writer {
  private readonly parts: Buffer[] = [];
  words(...values: readonly bigint[]): void {
    const part = Buffer.alloc(8 * values.length);
    for (const [n, value] of values.entries()) part.writeBigUInt64LE(BigInt.asUintN(64, value), 8 * n);
    this.parts.push(part);
  }
  bytes(bytes: Uint8Array, size: number): void {
    const part = Buffer.alloc(size);
    part.set(bytes);
    this.parts.push(part);
  }
  ranges(ranges: readonly Range[]): void {
    this.words(BigInt(ranges.length));
    for (const { at, bytes } of ranges) {
      this.words(at, BigInt(bytes.length));
      this.bytes(bytes, (bytes.length + 7) & ~7);
    }
  }
  whole(): Buffer {
    return Buffer.concat(this.parts);
  }
}

function requestText(requests: readonly Request[]): Buffer {
  const writer = new Writer();
  for (const { bytes, before, how } of requests) {
    writer.words(...before.registers, before.rip, before.rflags, before.fsBase, before.gsBase);
    writer.words(HOW[how], BigInt(bytes.length));
    writer.bytes(bytes, 32);
    writer.ranges(before.memory);
  }
  return writer.whole();
}

/** Linux's signals for what the processor raised (arch/x86/kernel/traps.c, arch/x86/mm/fault.c, 6.12). */
function faultOf(signal: number, code: number): Fault | undefined {
  const fromKernel = code === 0x80;
  switch (signal) {
    case 0:
      return undefined;
    case 4:
      return '#UD';
    case 5:
      return fromKernel ? '#BP' : '#DB';
    case 7:
      return fromKernel ? '#SS' : '#AC';
    case 8:
      return '#DE';
    case 11:
      return fromKernel ? '#GP' : '#PF';
    default:
      throw new Error(`unknown signal: ${signal}`);
  }
}

/** Runs all requests in one child. @throws Error where the harness ended early */
export function run(program: string, requests: readonly Request[]): readonly Result[] {
  const { status, signal, stdout, stderr } = spawnSync(program, {
    input: requestText(requests),
    maxBuffer: 1 << 30,
    env: { ...process.env, GLIBC_TUNABLES: 'glibc.pthread.rseq=0' },
  });
  if (status !== 0) throw new Error(`${signal ?? `status ${status}`}: ${stderr.toString().trim()}`);
  let at = 0;
  const word = (): bigint => {
    at += 8;
    return stdout.readBigUInt64LE(at - 8);
  };
  return requests.map(() => {
    const registers = Array.from({ length: 16 }, word);
    const [rip, rflags, fsBase, gsBase] = [word(), word(), word(), word()] as const;
    const [number, code, address, count] = [word(), word(), word(), word()] as const;
    const memory = Array.from({ length: Number(count) }, (): Range => {
      const [place, length] = [word(), Number(word())] as const;
      const bytes = Uint8Array.from(stdout.subarray(at, at + length));
      at += (length + 7) & ~7;
      return { at: place, bytes };
    });
    const fault = faultOf(Number(number), Number(BigInt.asIntN(32, code)));
    return {
      after: { registers, rip, rflags: rflags & ~HIDDEN, fsBase, gsBase, memory },
      fault,
      cr2: fault === '#PF' ? address : undefined,
    };
  });
}
