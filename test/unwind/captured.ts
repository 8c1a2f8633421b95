/** States of real runs, taken out of the machine: registers and all words of all stacks. */
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { stage } from '../../src/scenario/run.ts';
import { Views } from '../../src/scenario/views.ts';
import type { Truth, View } from '../../src/unwind/view.ts';

export interface Captured {
  readonly at: string;
  readonly view: View;
  /** Words that are not zero, by address. */
  readonly words: ReadonlyMap<bigint, bigint>;
  readonly truth: Truth;
}

const pages = libraryOnDisk();

/** Every state of a run of linux-4.2, from boundary 0 on, with the truth. */
export function capture(...lines: readonly string[]): readonly Captured[] {
  const source = {
    page: 'test',
    name: 'test',
    line: 1,
    lines: ['scenario test v0', 'design linux-4.2', ...lines],
  };
  const staged = stage(source, pages);
  if ('problems' in staged) throw new Error(staged.problems.map(({ message }) => message).join('\n'));
  const { execution, injections } = staged;
  const views = new Views(execution);
  const states: Captured[] = [];
  execution.run(injections, 1000, ({ truth }) => {
    const live = views.now();
    const words = new Map<bigint, bigint>();
    for (const { begin, end } of live.stacks)
      for (let address = begin; address < end; address += 8n) {
        const word = live.read(address) ?? 0n;
        if (word !== 0n) words.set(address, word);
      }
    states.push({
      at: live.symbolize?.(live.rip) ?? '',
      view: { ...live, read: readOf(words) },
      words,
      truth: truth.truth(live.rip, live.rsp, live.stacks),
    });
  });
  return states;
}

/** Reads words at any address, as memory does. */
export const readOf =
  (words: ReadonlyMap<bigint, bigint>) =>
  (address: bigint): bigint => {
    const off = address & 7n;
    const low = words.get(address - off) ?? 0n;
    if (off === 0n) return low;
    const high = words.get(address - off + 8n) ?? 0n;
    return ((low >> (8n * off)) | (high << (64n - 8n * off))) & 0xffff_ffff_ffff_ffffn;
  };
