import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SweepAsk } from '../../src/explore/sweep.ts';
import { fragmentOf, isOfSweep, readSweepFragment } from '../../src/islands/sweep/address.ts';
import type { Choices } from '../../src/islands/sweep/state.ts';

const choices: Choices = {
  bases: [
    { slug: 'one-nmi', title: '', given: ['nmi at task+2'], start: 'task', body: 'quiet' },
    { slug: 'user-nmi', title: '', given: ['nmi at user'], start: 'user-task', body: 'quiet' },
  ],
  starts: ['task', 'user-task'],
  bodies: ['quiet', 'int3'],
  kinds: [
    { event: 'nmi', possible: true },
    { event: 'mc', possible: true },
    { event: 'gp', possible: false },
  ],
  safeguards: ['test-b', 'test-c'].map((name) => ({ name, about: '' })),
  unwinders: ['end-2', 'orc-6.12'],
};
const built: SweepAsk = {
  design: 'd',
  events: ['nmi', 'nmi'],
  given: ['nmi at task+2'],
  without: ['test-b'],
  edits: [],
  starts: ['task'],
  bodies: ['int3'],
};
const read = (fragment: string) => readSweepFragment(fragment, built, choices);

test('an ask is said in the address and read again', () => {
  expect(fragmentOf(built, choices)).toBe('sweep.e_nmi_nmi.g_one-nmi.s_task.h_int3.w_test-b');
  const asks = fc.record({
    design: fc.constant('d'),
    events: fc.array(fc.constantFrom('nmi', 'mc', 'gp'), { minLength: 1, maxLength: 3 }),
    base: fc.constantFrom(...choices.bases, undefined),
    body: fc.constantFrom('quiet', 'int3'),
    without: fc.subarray(['test-b', 'test-c']),
    anywhere: fc.boolean(),
    unwinder: fc.constantFrom('end-2', 'orc-6.12', undefined),
  });
  fc.assert(
    fc.property(asks, ({ base, body, anywhere, unwinder, ...rest }) => {
      const ask: SweepAsk = {
        ...rest,
        edits: [],
        given: base?.given ?? [],
        starts: [base?.start ?? 'user-task'],
        bodies: [body],
        ...(unwinder && { judge: [unwinder] }),
        ...(anywhere && { anywhere }),
      };
      const fragment = fragmentOf(ask, choices);
      expect(isOfSweep(`#${fragment}`)).toBe(true);
      expect(fragment).toMatch(/^[\w.-]+$/); // nothing that an address or a mail would change
      expect(read(fragment)).toEqual(ask);
      expect(read(`#${fragment}`)).toEqual(ask);
    }),
  );
});

test('a part that is left out is as usual', () => {
  expect(read('sweep')).toEqual({ ...built, given: [], without: [] });
  expect(read('sweep.g_user-nmi')).toMatchObject({ starts: ['user-task'], bodies: ['quiet'] });
});

test('what is not understood is one sentence', () => {
  const problem = (fragment: string) => {
    const said = read(fragment);
    return 'problem' in said ? said.problem : 'read';
  };
  expect(problem('sweep.q_1')).toBe('unknown part: q_1 (there is e, g, s, h, w, u, x)');
  expect(problem('sweep.e_smi')).toBe('unknown event: smi (there is nmi, mc, gp)');
  expect(problem('sweep.e_nmi_nmi_nmi_nmi')).toBe('invalid events: 4 (1 to 3)');
  expect(problem('sweep.e')).toBe('invalid part: e (e_EVENT_EVENT)');
  expect(problem('sweep.e_nmi_')).toBe('invalid part: e_nmi_ (e_EVENT_EVENT)');
  expect(problem('sweep.s_moon')).toBe('unknown start: moon (there is task, user-task)');
  expect(problem('sweep.s_task.s_task')).toBe('duplicate part: s_task');
  expect(problem('sweep.w_test-z')).toBe('unknown safeguard: test-z (there is test-b, test-c)');
  expect(problem('sweep.x_1')).toBe('invalid part: x_1 (x)');
  expect(problem('sweep.g_one-nmi.s_user-task')).toBe('invalid start: user-task (one-nmi begins in task)');
  expect(problem('sweep.constructor')).toMatch(/^unknown part/);
  expect(problem(`sweep.${'z'.repeat(500)}`)).toBe(
    `unknown part: ${'z'.repeat(40)}... (there is e, g, s, h, w, u, x)`,
  );
  expect([isOfSweep('#sweeper'), isOfSweep('#t41'), isOfSweep('')]).toEqual([false, false, false]);
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const said = read(`sweep.${text}`);
      expect('problem' in said ? said.problem : said.design).not.toBe('');
    }),
  );
});
