/** Vectors run on our engine: what `lab vectors` and the reference jobs share. */
import { compare, type Mismatch } from './compare.ts';
import type { Vector } from './format.ts';
import { VectorMachine } from './machine.ts';
import { readVectors } from './read.ts';

/** A vector that failed, and where. */
export interface Failure {
  readonly line: number;
  readonly vector: Vector;
  readonly mismatches: readonly Mismatch[];
}

export interface Report {
  readonly passed: number;
  /** Lines that are no vector among them. */
  readonly failed: number;
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  /** How many vectors each class has. */
  readonly classes: ReadonlyMap<string, number>;
}

/** Runs every vector of a plain file; `report` is told each failure as it happens. */
export function checkVectors(file: Uint8Array, report: (failure: Failure) => void): Report {
  const machine = new VectorMachine();
  const problems: { line: number; problem: string }[] = [];
  const classes = new Map<string, number>();
  let [passed, failed] = [0, 0];
  for (const { line, vector } of readVectors(file)) {
    if ('problem' in vector) {
      problems.push({ line, problem: vector.problem });
      failed++;
      continue;
    }
    classes.set(vector.class, (classes.get(vector.class) ?? 0) + 1);
    const mismatches = compare(vector, machine.run(vector));
    if (mismatches.length === 0) passed++;
    else {
      failed++;
      report({ line, vector, mismatches });
    }
  }
  return { passed, failed, problems, classes };
}

/** `add-12 add %rbx,%rax: rflags: expected 0x246, got 0x202`, one a line. */
export const failureText = ({ vector: { id, att }, mismatches }: Failure): string =>
  mismatches
    .map(
      ({ field, expected, got }) =>
        `${id}${att === '' ? '' : ` ${att}`}: ${field}: expected ${expected}, got ${got}`,
    )
    .join('\n');
