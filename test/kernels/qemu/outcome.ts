/** What became of the events of a run, told from registers alone: the same for a trace of ours and one of QEMU's. */
import type { Kernel } from '../../../src/image/kernel-file.ts';
import type { Step } from './trace.ts';

export interface Outcome {
  /** Whether control comes back to where the first event found it. */
  readonly returned: boolean;
  /** Registers that are then not what they were. */
  readonly changed: readonly string[];
  /** Times that the handler was called. */
  readonly passes: number;
  /** Times that an NMI found another one under way, and left its work to that one. */
  readonly nested: number;
}

/** The handler, and where an NMI leaves that found another one. */
const HANDLER = 'exc_nmi';
const NESTED_OUT = 'nested_nmi_out';

export function outcomeOf(kernel: Kernel, begin: Step, steps: readonly Step[]): Outcome {
  const times = (name: string): number => {
    const address = kernel.symbols.address(name);
    return steps.filter(({ rip }) => rip === address).length;
  };
  const back = steps.findLast(
    ({ rip, rsp, cs }) => rip === begin.rip && rsp === begin.rsp && cs === begin.cs,
  );
  return {
    returned: back !== undefined,
    changed: back ? Object.keys(begin).filter((name) => begin[name] !== back[name]) : [],
    passes: times(HANDLER),
    nested: times(NESTED_OUT),
  };
}

export const sameOutcome = (one: Outcome, other: Outcome): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** `returned, 2 passes, 1 nested`. */
export function outcomeText({ returned, changed, passes, nested }: Outcome): string {
  const back = changed.length === 0 ? 'returned' : `returned with other ${changed.join(', ')}`;
  return [
    returned ? back : 'not returned',
    `${passes} ${passes === 1 ? 'pass' : 'passes'}`,
    ...(nested > 0 ? [`${nested} nested`] : []),
  ].join(', ');
}
