import { expect, test } from 'vitest';
import { type SweepAsk, sweep } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { play } from '../../src/scenario/run.ts';
import { variants } from './variants.ts';

const pages = libraryOnDisk();
const asked = (ask: Partial<SweepAsk>): SweepAsk => ({
  design: 'linux-4.2',
  events: ['nmi', 'nmi'],
  window: 2,
  starts: ['kernel-task', 'user-task'],
  bodies: ['int3'],
  ...ask,
});
const report = (ask: Partial<SweepAsk>) => {
  const made = sweep(asked(ask), pages);
  if ('problems' in made) throw new Error(made.problems.map(({ message }) => message).join('\n'));
  return made;
};

test.each(variants(pages))('$name: what a sweep finds is a scenario that breaks the same', ({ edits }) => {
  for (const { recipe, invariant } of report({ edits }).violations) {
    const lines = recipe.split('\n');
    expect(lines).toContain(`expect  violates ${invariant}`);
    const { problems } = play({ page: 'found', name: 'found', line: 1, lines }, pages);
    expect({ recipe, problems }).toEqual({ recipe, problems: [] });
  }
});

const broken = (name: string, ask: Partial<SweepAsk> = {}) => {
  const edits = variants(pages).find((one) => one.name === name)?.edits;
  if (!edits) throw new Error(`missing variant: ${name}`);
  return report({ edits, ...ask }).violations.map(({ invariant }) => invariant);
};

test('the design as it is breaks nothing', () => {
  expect(broken('as it is')).toEqual([]);
  expect(broken('as it is', { events: ['nmi', 'nmi', 'nmi'] })).toEqual([]);
});

test('each invariant that two NMIs can break is found by its name', () => {
  expect(broken('test A always finds user mode')).toContain('I2');
  expect(report({ without: ['keep-rdx'] }).violations.map(({ invariant }) => invariant)).toContain('I8');
  expect(broken('without test C')).toContain('I9');
  expect(broken('the nested NMI does nothing')).toContain('I4');
  expect(broken('the handler is called twice')).toContain('I2');
  expect(broken('a handler that is not re-entrant')).toContain('I7');
});

test('what takes three NMIs is found with three and not with two', () => {
  expect(broken('without test B')).toEqual([]);
  expect(broken('without test B', { events: ['nmi', 'nmi', 'nmi'], starts: ['kernel-task'] })).not.toEqual(
    [],
  );
});

test('a bad ask is one sentence each', () => {
  const ask = (one: Partial<SweepAsk>) => {
    const made = sweep(asked(one), pages);
    return 'problems' in made ? made.problems.map(({ message }) => message) : [];
  };
  expect(ask({ events: [] })).toEqual(['missing events']);
  expect(ask({ events: ['nmi', 'smi'] })).toEqual([
    'unknown event: smi (there is pf, bp, gp, db, mc, irq, nmi)',
  ]);
  expect(ask({ bodies: ['loud'] })[0]).toContain('unknown body: loud');
  expect(ask({ design: 'linux-9' })[0]).toContain('unknown design: linux-9');
});
