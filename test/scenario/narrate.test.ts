import { expect, test } from 'vitest';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
/** What is said of the delivery of an NMI. */
function told(nmi: string, ...lines: readonly string[]): string {
  const all = ['scenario told v0', 'design linux-4.2', ...lines];
  const { frames, problems } = play({ page: 'told', name: 'told', line: 1, lines: all }, pages);
  expect(problems).toEqual([]);
  return frames.find(({ sentence }) => sentence.startsWith(`${nmi} interrupts`))?.sentence ?? '';
}

test('an NMI writes over a record only where one is alive', () => {
  const nested = ['body int3', 'inject nmi at task+2', 'inject nmi at int3_entry'];
  expect(told('NMI 1', ...nested)).toMatch(/The CPU loads RSP with T from the TSS/);
  expect(told('NMI 2', ...nested)).toMatch(/RSP starts again at T, so the CPU writes over the {original}/);
  // The user has put an address of the NMI stack into RSP; nothing lies there.
  expect(told('NMI 1', 'start hostile-user', 'inject nmi at user_back')).toMatch(/The CPU loads RSP with T/);
  expect(told('NMI 1', 'start syscall-gap', 'inject nmi at syscall_entry')).toMatch(
    /The CPU loads RSP with T/,
  );
});
