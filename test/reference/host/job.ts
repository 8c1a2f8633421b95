/**
 * Our engine against the processor of this machine, one instruction at a time, in ring 3.
 *
 *   job.ts            compares every row that ring 3 can run, with boundary values and faults
 *   job.ts FILE       keeps the vectors it ran in FILE, gzipped, for `lab vectors`
 *   job.ts --record   writes the golden file anew from what the processor did
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkVectors, failureText } from '../../../src/cli/vectors/check.ts';
import { type Vector, vectorText } from '../../../src/cli/vectors/format.ts';
import { decode } from '../../../src/isa/decode.ts';
import { ENCODINGS } from '../../../src/isa/table/index.ts';
import { GOLDEN } from '../golden.ts';
import { giveUp, need } from '../tools.ts';
import { FEATURE_FLAGS, generate } from './generate.ts';
import { compile, type Processor, processor, run } from './processor.ts';
import { undefinedOf } from './undefined.ts';

const LEAST = 500;
const ROUNDS = 12;
/** Of failures, this many are printed. */
const SHOWN = 200;

function vectorsOf(cases: ReturnType<typeof generate>['cases'], program: string): readonly Vector[] {
  const results = run(program, cases);
  const counts = new Map<string, number>();
  return cases.map((one, n): Vector => {
    const result = results[n];
    if (result === undefined) throw new Error(`missing result: ${one.att}`);
    const found = decode(one.bytes);
    const defined = result.fault !== undefined || 'problem' in found;
    const { flags, destination } = defined
      ? { flags: 0n, destination: false }
      : undefinedOf(found, one.before);
    const count = (counts.get(one.class) ?? 0) + 1;
    counts.set(one.class, count);
    const id = `${one.class.replaceAll(' ', '-')}-${count}`;
    return { ...one, ...result, id, undefinedFlags: flags, undefinedDestination: destination };
  });
}

const textOf = (vectors: readonly Vector[]): Buffer =>
  Buffer.from(vectors.map((one) => `${vectorText(one)}\n`).join(''));

/**
 * What the golden file keeps: of each class so many as `LEAST` says, all rows alike. It is checked by `npm test`,
 * so what the engine does not model, or does otherwise, waits outside; the job fails for it.
 */
function selection(vectors: readonly Vector[], even: number): readonly Vector[] {
  const refused = new Set<string>();
  checkVectors(textOf(vectors), ({ vector }) => refused.add(vector.id));
  console.log(`left out, because the engine does not model it or does it otherwise: ${refused.size}`);
  const order = new Map(vectors.map(({ id }, n) => [id, n]));
  return [...Map.groupBy(vectors, (one) => one.class).values()].flatMap((list) => {
    const kept = list.filter(({ id }) => !refused.has(id));
    const alike = kept.filter(({ id }) => (order.get(id) ?? 0) < even);
    if (alike.length <= LEAST) return kept.slice(0, LEAST);
    return alike.filter(
      (_, n) => Math.floor((n * LEAST) / alike.length) !== Math.floor(((n - 1) * LEAST) / alike.length),
    );
  });
}

function record(vectors: readonly Vector[], even: number): void {
  const kept = selection(vectors, even);
  const file = gzipSync(textOf(kept), { level: 9 });
  writeFileSync(GOLDEN, file);
  console.log(`recorded: ${kept.length} vectors in ${file.length} bytes`);
}

function compareAll(vectors: readonly Vector[], { name, lacks }: Processor, rows: number): boolean {
  let shown = 0;
  const refusals = new Map<string, number>();
  const { passed, failed, classes } = checkVectors(textOf(vectors), (failure) => {
    const refusal = failure.mismatches.find(({ got }) => got.startsWith('not modelled'))?.got;
    if (refusal !== undefined) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
    else if (shown++ < SHOWN) console.log(failureText(failure));
  });
  const faults = vectors.filter(({ fault }) => fault !== undefined).length;
  console.log(`processor: ${name}${lacks.size > 0 ? `, without ${[...lacks].join(' ')}` : ''}`);
  console.log(
    `compared: registers, RIP, RFLAGS, FS and GS base, memory, fault and CR2, but for what manuals leave undefined`,
  );
  console.log(`${rows} of ${ENCODINGS.length} rows; ${vectors.length} vectors, ${faults} of them faults`);
  console.log([...classes].map(([one, count]) => `${one} ${count}`).join(', '));
  for (const [refusal, count] of refusals) console.log(`${refusal}: ${count} vectors`);
  const few = [...classes].filter(([, count]) => count < LEAST);
  for (const [one, count] of few) console.log(`too few vectors: ${one} ${count}`);
  console.log(`${passed} passed, ${failed + few.length} failed`);
  return failed + few.length === 0;
}

function main(argument: string | undefined): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`unknown machine: ${process.platform} on ${process.arch}; this needs Linux on x86-64`);
  need('cc', 'gcc', 'libc6-dev');
  const host = processor(readFileSync('/proc/cpuinfo', 'utf8'), FEATURE_FLAGS);
  const recording = argument === '--record';
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  try {
    const { cases, even, rows, notRun } = generate(recording ? 1 : ROUNDS, 2 * LEAST, host.lacks);
    const vectors = vectorsOf(cases, compile(folder));
    if (recording) record(vectors, even);
    if (argument !== undefined && !recording) writeFileSync(argument, gzipSync(textOf(vectors)));
    for (const [why, list] of notRun) console.log(`not run, ${why}: ${list.length} rows: ${shortened(list)}`);
    return compareAll(vectors, host, rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function shortened(rows: readonly string[]): string {
  const names = [...new Set(rows.map((one) => one.replace(/ [^a-z]*$/, '')))];
  return names.length > 12 ? `${names.slice(0, 12).join(', ')} ...` : names.join(', ');
}

try {
  process.exitCode = main(process.argv[2]) ? 0 : 1;
} catch (reason) {
  giveUp(reason);
}
