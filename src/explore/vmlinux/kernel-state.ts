/** A number for where a run of a real kernel stands: equal for equal futures, as far as 53 bits can tell. */
import type { KernelCourse } from '../../scenario/vmlinux/kernel-course.ts';
import type { KernelBench } from '../../scenario/vmlinux/kernel-run.ts';
import { LiveMemory } from '../live-memory.ts';

/** The stack whose contents outlive the event: entry code keeps a word of its own there, which the next NMI asks. */
const NMI = 2;

/**
 * All registers, all words that differ from the start of the sweep, what is live, and whether the handler owes a pass. Two things are
 * left out, since nothing that comes later asks them: the count of NMIs, which never goes down and is only shown; and an
 * interrupt stack that nobody is on, but the NMI's, since the next event there begins at its top again. `test/explore` and the job over
 * real kernels sweep without this and come to the same verdicts.
 */
export class KernelState {
  readonly #bench: KernelBench;
  readonly #memory: LiveMemory;

  /** The machine stands at the start of the sweep. */
  constructor(bench: KernelBench) {
    this.#bench = bench;
    const { up, counter } = bench;
    const left = up.places.interruptStacks.filter(({ vector }) => vector !== NMI);
    this.#memory = new LiveMemory(up, left, new Set(counter ? [counter.word] : []));
  }

  /** @param more what belongs to the state and lies outside of the machine */
  of(course: KernelCourse, more: readonly number[]): number {
    const { up, counter } = this.#bench;
    const [low, high] = this.#memory.sum((stack) => !course.isOn(stack));
    return up.machine.sumRegisters([low, high, counter?.beside() ?? 0, ...course.sum, ...more]);
  }

  /** Stores down to `head` were just taken back. */
  rewind(head: number): void {
    this.#memory.rewind(head);
  }
}
