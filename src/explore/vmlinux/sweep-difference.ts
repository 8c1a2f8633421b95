/** The same sweep of two kernels, boundary by boundary: those of the same instruction of the same routine stand side by side. */
import { align } from '../../asm/align.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { placelessCode } from './difference.ts';
import type { KernelSweep, SweptBoundary } from './kernel-sweep.ts';

/** What is compared: a sweep and where it was made. */
export interface SweptKernel {
  readonly kernel: Kernel;
  readonly sweep: KernelSweep;
  /** Numbers of the features its text was patched for. */
  readonly features?: ReadonlySet<number> | undefined;
}

type Verdicts = SweptBoundary['verdicts'];

/** A boundary whose verdicts are not the same; or that one kernel only has, and not all is well there. */
export interface SweepDifference {
  /** `push %rax`. */
  readonly instruction: string;
  /** As `--at` takes it; undefined where this kernel has no such boundary. */
  readonly first: string | undefined;
  readonly second: string | undefined;
  /** Of the schedules that differ. */
  readonly verdicts: Readonly<
    Record<string, readonly [first: string | undefined, second: string | undefined]>
  >;
}

export interface SweepComparison {
  readonly path: KernelSweep['path'];
  readonly user: boolean;
  readonly schedules: readonly string[];
  /** Boundaries of the same instruction, and of one kernel only. */
  readonly boundaries: { readonly both: number; readonly first: number; readonly second: number };
  readonly runs: readonly [first: KernelSweep['outcomes'], second: KernelSweep['outcomes']];
  readonly differences: readonly SweepDifference[];
}

interface Place {
  readonly boundary: SweptBoundary;
  /** The routine and the instruction: what the other kernel is searched for. */
  readonly routine: string;
  readonly instruction: string;
}

/** @param first and `second`: sweeps of the same path, mode and schedules */
export function compareSweeps(first: SweptKernel, second: SweptKernel): SweepComparison {
  const { path, user, schedules } = first.sweep;
  const [before, after] = [placesOf(first), placesOf(second)];
  const pairs = align(before, after, (a, b) => a.routine === b.routine && a.instruction === b.instruction);
  const boundaries = { both: 0, first: 0, second: 0 };
  const differences: SweepDifference[] = [];
  for (const [i, j] of pairs) {
    const one = i === undefined ? undefined : before[i];
    const other = j === undefined ? undefined : after[j];
    boundaries[one && other ? 'both' : one ? 'first' : 'second']++;
    const [a, b] = [one?.boundary.verdicts, other?.boundary.verdicts];
    const differing = schedules.filter((name) => differ(name, a, b));
    if (differing.length > 0)
      differences.push({
        instruction: (one ?? other)?.instruction ?? '',
        first: one?.boundary.at,
        second: other?.boundary.at,
        verdicts: Object.fromEntries(differing.map((name) => [name, [a?.[name], b?.[name]] as const])),
      });
  }
  return {
    path,
    user,
    schedules,
    boundaries,
    runs: [first.sweep.outcomes, second.sweep.outcomes],
    differences,
  };
}

/** What is well, or cannot happen, differs from nothing. */
function differ(name: string, a: Verdicts | undefined, b: Verdicts | undefined): boolean {
  if (a && b) return a[name] !== b[name];
  const only = (a ?? b)?.[name];
  return only !== 'returned' && only !== '-';
}

function placesOf({ kernel, sweep, features }: SweptKernel): readonly Place[] {
  const { symbols } = kernel;
  const code = new Map<string, ReadonlyMap<bigint, string>>();
  return sweep.boundaries.map((boundary): Place => {
    const [, routine = boundary.at, offset = '0'] = /^([^+#]+)(?:\+(0x[\da-f]+))?/.exec(boundary.at) ?? [];
    const from = symbols.address(routine);
    if (from === undefined) return { boundary, routine, instruction: '' };
    const known = code.get(routine) ?? placelessCode(kernel, from, features);
    code.set(routine, known);
    return { boundary, routine, instruction: known.get(from + BigInt(offset)) ?? '' };
  });
}

/** As lines; the last says how many differ. */
export function sweepComparisonLines(found: SweepComparison): readonly string[] {
  const { path, user, schedules, boundaries, runs, differences } = found;
  const { both, first, second } = boundaries;
  const outcomes = runs.map(
    ({ returned, broken, stopped }) => `${returned} returned, ${broken} broken, ${stopped} stopped`,
  );
  return [
    `sweep of ${path} from ${user ? 'user' : 'kernel'} mode, ${schedules.join(', ')}: ${outcomes[0]}; ${outcomes[1]}`,
    ...differences.flatMap(({ instruction, first: one, second: other, verdicts }) => [
      `  ${[one, other].map((at) => at ?? 'nowhere').join(' and ')}: ${instruction}`,
      ...Object.entries(verdicts).map(
        ([name, [a, b]]) => `    ${name}: ${a ?? 'not there'} and ${b ?? 'not there'}`,
      ),
    ]),
    `${differences.length === 0 ? 'the same verdicts' : `${differences.length} differ`} at ${both} boundaries that both have; ${first} only in the first, ${second} only in the second`,
  ];
}
