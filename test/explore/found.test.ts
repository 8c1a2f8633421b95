import { expect, test } from 'vitest';
import { type SweepAsk, sweep } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { play } from '../../src/scenario/run.ts';
import { change, variants } from './variants.ts';

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
  expect(broken('a handler that is not re-entrant')).toContain('I11');
});

test('C code that is entered with the direction flag set is found, by the flag of the task and by that of a nested NMI', () => {
  const flagged = (ask: Partial<SweepAsk>) =>
    report({ design: 'linux-6.12', without: ['cld-first'], ...ask }).violations.map(
      ({ invariant, sentence }) => [invariant, /DF set/.test(sentence)],
    );
  expect(flagged({ starts: ['backward-copy'], events: ['nmi'], bodies: ['quiet'] })).toEqual([['I2', true]]);
  expect(flagged({ starts: ['kernel-task'] })).toEqual([['I2', true]]);
  expect(flagged({ starts: ['kernel-task'], without: [] })).toEqual([]);
});

test.each([
  ['naive-ist', 'naive-ist#entry', 'kernel-task', 'do_nmi'],
  ['linux-3.3', 'linux-3.3#first', 'kernel-task', 'do_nmi'],
  ['linux-4.2', 'linux-4.2#repeat', 'kernel-task', 'do_nmi'],
  ['linux-4.2', 'linux-4.2#user-path', 'user-task', 'do_nmi'],
  ['linux-4.15', 'linux-4.2#repeat', 'kernel-task', 'do_nmi'],
  ['linux-6.12', 'linux-4.2#repeat', 'kernel-task', 'exc_nmi'],
  ['nested-stack', 'nested-stack#entry', 'kernel-task', 'do_nmi'],
  ['error-entry', 'error-entry#error-entry', 'absent-ss', 'do_protection'],
])('%s: C that is not given the saved registers is found (%s)', (design, block, start, callee) => {
  const without = change(pages, block, ['movq\t%rsp, %rdi']);
  const { violations } = report({
    design,
    edits: [without],
    events: ['nmi'],
    starts: [start],
    bodies: ['quiet'],
  });
  expect(violations.map(({ invariant, sentence }) => `${invariant}: ${sentence.split(' = ')[0]}`)).toEqual([
    `I2: C code at ${callee} is entered with no pt_regs at RDI`,
  ]);
});

test('behind a change of stacks the saved registers are known by what they lead back to', () => {
  const found = (...behind: readonly string[]) => {
    const edits = [change(pages, 'c6-irq-stack#irq', ['pushq\t%rdi', 'pushq %rdi', ...behind])];
    const ask = { design: 'c6-irq-stack', events: ['irq'], starts: ['kernel-task'], bodies: ['quiet'] };
    return report({ ...ask, edits }).violations.map(({ invariant }) => invariant);
  };
  expect(found()).toEqual([]);
  expect(found('addq $8, %rdi')).toEqual(['I2']);
  expect(found('xorl %edi, %edi')).toEqual(['I2']);
});

test('what an event leaves behind when all is over is found: MCIP, a moved stack, another IDT', () => {
  const left = (design: string, block: string, line: string, ask: Partial<SweepAsk>) =>
    report({ design, edits: [change(pages, block, [line])], ...ask }).violations.map(
      ({ invariant, sentence }) => `${invariant}: ${sentence.split(' ').slice(0, 8).join(' ')}`,
    );
  const mc = { events: ['mc'], starts: ['user-task'], bodies: ['quiet'] };
  expect(left('mc-ist', 'mc-ist#work', 'wrmsr', mc)).toEqual(['I10: all is over, and a machine check is']);
  const db = { events: ['db'], starts: ['watching-task'], bodies: ['quiet'] };
  expect(left('db-ist-shift', 'db-ist-shift#entries', 'addq\t$EXCEPTION', db)).toEqual([
    'I10: all is over, and the stack of #DB',
  ]);
  const both = { events: ['db', 'nmi'], starts: ['watching-task'], bodies: ['quiet'] };
  expect(left('db-ist-shift', 'db-ist-shift#handler', 'lidt\t(%rsp)', both)).toEqual([
    'I10: all is over, and another IDT is loaded',
  ]);
});

test('a handler that runs inside itself is found, and one that loops or is called again is not', () => {
  expect(report({ without: ['nmi-state'] }).violations.map(({ invariant }) => invariant)).toEqual(['I11']);
  const bodies = (text: string, ...lines: readonly string[]) => {
    const edits = [change(pages, 'kernel-4.2#bodies', [text, ...lines])];
    return report({ edits, events: ['nmi'] }).violations.map(({ invariant }) => invariant);
  };
  const entry = 'nmi_body_int3:';
  expect(bodies(entry, entry, 'incl %gs:NMI_TICKS', 'testl $3, %gs:NMI_TICKS', 'jnz nmi_body_int3')).toEqual(
    [],
  );
  const once = ['cmpb $0, %gs:BREAKPOINT', 'je 7f', 'movb $0, %gs:BREAKPOINT', 'call nmi_body_int3', '7:'];
  expect(bodies(entry, entry, ...once)).toEqual(['I11']);
  const twice = change(pages, 'kernel-4.2#handler', [
    'call\t*%rax',
    'call *%rax',
    'movq %gs:NMI_BODY, %rax',
    'call *%rax',
  ]);
  expect(report({ edits: [twice], events: ['nmi'] }).violations).toEqual([]);
});

test('the handler inside itself is told with the two events, and the run goes on', () => {
  const lines = [
    'scenario tried v0',
    'design linux-4.2',
    'without nmi-state',
    'start user-task',
    'body int3',
  ];
  const run = play(
    {
      page: 'tried',
      name: 'tried',
      line: 1,
      lines: [...lines, 'inject nmi at user_task+3', 'inject nmi at int3_entry'],
    },
    pages,
  );
  expect(run.broken.map(({ invariant, sentence }) => `${invariant}: ${sentence}`)).toEqual([
    'I11: the handler is entered for NMI 2 while it runs for NMI 1',
  ]);
  expect(run.outcome.verdict).toBe('returns');
});

test('an NMI that returns to the first instruction of the handler has not entered it', () => {
  const lines = ['scenario tried v0', 'design linux-4.2', 'body int3', 'inject nmi at task+2'];
  const nested = ['inject nmi at int3_entry', 'inject nmi at nmi_body_int3#2'];
  const run = play({ page: 'tried', name: 'tried', line: 1, lines: [...lines, ...nested] }, pages);
  expect(run.broken).toEqual([]);
  expect(run.counts).toMatchObject({ deliveries: 4, 'nmi-served': 3, 'nmi-merged': 0 });
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
    'unknown event: smi (there is pf, bp, gp, vc, db, mc, irq, nmi)',
  ]);
  expect(ask({ bodies: ['loud'] })[0]).toContain('unknown body: loud');
  expect(ask({ design: 'linux-9' })[0]).toContain('unknown design: linux-9');
});
