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

test('an event with an error code pushes it below its five words; with FRED there are eight in any case', () => {
  const words = (design: string, body: string, event: string) => {
    const lines = ['scenario told v0', `design ${design}`, `body ${body}`, 'inject nmi at task+2'];
    const { frames } = play({ page: 'told', name: 'told', line: 1, lines }, pages);
    const sentence = frames.find((frame) => frame.sentence.startsWith(`${event} interrupts`))?.sentence;
    return /The CPU pushes (.*) on/.exec(sentence ?? '')?.[1];
  };
  expect(words('naive-ist', 'pf-fixup', '#PF')).toBe('five words and an error code');
  expect(words('naive-ist', 'gp-fixup', '#GP')).toBe('five words and an error code');
  expect(words('naive-ist', 'int3', '#BP')).toBe('five words');
  expect(words('fred', 'pf-fixup', '#PF')).toBe('eight words');
});
