/**
 * The guest of `npm run test:reference -- qemu bochs` against what QEMU and Bochs did with it when that was recorded: the
 * state in front of every instruction, but for what is theirs (`peculiarities.ts` beside their jobs).
 */
import { expect, test } from 'vitest';
import { readGolden } from '../reference/guest/golden.ts';
import { BOCHS_RUN, guestOf, judge, QEMU_RUNS } from '../reference/guest/peers.ts';

/** Scenes that were recorded. */
const SCENES = { 'qemu alone': 153, 'qemu outside': 13, 'bochs alone': 156 };

test.each([...QEMU_RUNS, BOCHS_RUN].map((run) => [`${run.peer} ${run.kind}` as const, run] as const))(
  '%s: the same in every scene',
  (name, run) => {
    const { passed, failures } = judge(run, guestOf(run), { scenes: readGolden(run), ended: true });
    expect(failures).toEqual([]);
    expect(passed).toBe(SCENES[name as keyof typeof SCENES]);
  },
);
