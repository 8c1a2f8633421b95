import { expect, test } from 'vitest';
import { hunt, removed } from '../../src/explore/hunt.ts';
import { sweep } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';

const pages = libraryOnDisk();
const ask = { design: 'linux-4.2', events: ['nmi', 'nmi', 'nmi'], window: 1, bodies: ['int3'] };
const starts = ['user-task', 'kernel-task'];

test('a hunt ends with the fewest events that break anything, and at the first start where they do', () => {
  const hunted = hunt({ ...ask, starts, without: ['test-d'] }, pages);
  if ('problems' in hunted) throw new Error('nothing hunted');
  expect(hunted.events).toEqual(['nmi', 'nmi']);
  const [found] = hunted.found;
  expect([found?.invariant, found?.start]).toEqual(['I9', 'kernel-task']);
  const whole = sweep(
    { ...ask, events: ['nmi', 'nmi'], starts: ['kernel-task'], without: ['test-d'] },
    pages,
  );
  expect('violations' in whole && whole.violations[0]?.recipe).toBe(found?.recipe);
});

test('what nothing breaks is hunted to its end, and what cannot be swept is refused', () => {
  const two = { ...ask, events: ['nmi', 'nmi'], starts: ['syscall-gap'] };
  const hunted = hunt(two, pages);
  const whole = sweep(two, pages);
  if ('problems' in hunted || 'problems' in whole) throw new Error('nothing hunted');
  expect(hunted.found).toEqual([]);
  expect(hunted.schedules).toBeGreaterThan(whole.schedules);
  expect(hunt({ ...ask, bodies: ['loud'] }, pages)).toMatchObject({ problems: [{}] });
  expect(() => removed({ ...ask, starts }, ['test-z'], pages)).toThrow(/^unknown safeguard: test-z/);
});
