import { expect, test } from 'vitest';
import { problemText, type Source } from '../../src/asm/source.ts';
import { oneMoreNmi } from '../../src/explore/one-more-nmi.ts';
import { bake } from '../../src/islands/lab/bake.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { type Library, library, scenarioOf } from '../../src/scenario/library.ts';
import { Run } from '../../src/scenario/reader.ts';
import { recordOf } from '../../src/scenario/records.ts';
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const recipe = (...lines: string[]): Source => ({
  page: 'test',
  name: 'test',
  line: 1,
  lines: ['scenario test v0', 'design linux-4.2', ...lines],
});
const run = (...lines: string[]): Run => {
  const timeline = play(recipe(...lines), pages);
  expect(timeline.problems.map(problemText)).toEqual([]);
  return new Run(timeline);
};

const everywhere = (...lines: string[]) => {
  const landings = oneMoreNmi(recipe(...lines), pages);
  if ('problems' in landings) throw new Error(landings.problems.map(problemText).join('\n'));
  return landings;
};

for (const [start, first] of [
  ['kernel-task', 'task+2'],
  ['user-task', 'user_task+2'],
] as const) {
  for (const body of ['quiet', 'int3']) {
    test(`${start}, ${body}: a second NMI at every boundary comes back whole, and a handler runs for it`, () => {
      const landings = everywhere(`start ${start}`, `body ${body}`, `inject nmi at ${first}`);
      expect(landings.length).toBeGreaterThan(60);
      // `returned` means that every register of every interrupted context is what it was; see Execution.
      expect(landings.filter(({ ended }) => ended.end.kind !== 'returned')).toEqual([]);
      expect(landings.filter(({ ended }) => ended.counts.served !== 2)).toEqual([]);
    });
  }
}

test('int3 in the handler and the NMI in its wake send the outer one through the repeat loop exactly once', () => {
  const alone = run('body int3', 'inject nmi at task+2');
  const rounds = (one: Run) =>
    one.timeline.steps.filter(({ checkpoint }) => /^repeat_nmi(-\d)?$/.test(checkpoint)).length;
  expect(rounds(alone)).toBe(1);
  const [opened, exit] = [alone.boundary('after_int3'), alone.boundary('nmi_iret')];
  const wake = everywhere('body int3', 'inject nmi at task+2').filter(
    ({ boundary }) => boundary >= opened && boundary <= exit,
  );
  expect(wake).toHaveLength(exit - opened + 1);
  expect(
    wake.filter(
      (landing) => !landing.nested || landing.rounds !== 2 || landing.taken !== landing.boundary + 1,
    ),
  ).toEqual([]);
});

test('three NMIs: the third waits for the nested one to leave, and nothing is lost', () => {
  const alone = run('body int3', 'inject nmi at task+2', 'inject nmi at int3_entry');
  const nested = alone.boundary('nested_nmi_out');
  const three = run(
    'body int3',
    'inject nmi at task+2',
    'inject nmi at int3_entry',
    `inject nmi at b${nested}`,
  );
  expect(three.verdict).toBe('returns');
  expect(three.timeline.counts.deliveries).toBe(4);
});

/** The library with one line of one cell replaced. */
function altered(slug: string, cell: string, from: string, to: string): Library {
  return library(
    [...pages.values()].map((shelf) =>
      shelf.slug !== slug
        ? shelf
        : {
            ...shelf,
            asm: shelf.asm.map((source) =>
              source.name !== cell
                ? source
                : { ...source, lines: source.lines.map((line) => line.replace(from, to)) },
            ),
          },
    ),
  );
}

test('one changed instruction on the design page changes what is baked, what the island gets and what is tested', () => {
  const source = scenarioOf(pages, 'nested-nmi');
  if (!source) throw new Error('missing scenario');
  const before = play(source, pages);
  const after = play(source, altered('linux-4.2', 'nested', 'pushq\t$KERNEL_DS', 'pushq\t$0'));
  expect(before.problems).toEqual([]);
  expect(JSON.stringify(bake(after), hexed)).not.toBe(JSON.stringify(bake(before), hexed));
  expect(recordOf(after)).not.toEqual(recordOf(before));
  expect(after.frames[after.cursor]?.words.find(({ role }) => role === 'iret.ss')?.meaning).toBe('null');
  expect(before.frames[before.cursor]?.words.find(({ role }) => role === 'iret.ss')?.meaning).toBe('kernel');
});
const hexed = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString(16) : value;

test('an endless loop in edited code says so', () => {
  const text = ['edit linux-4.2#nested', '| nested_nmi:', '| nested_nmi_out:', '| 1: jmp 1b'];
  const { outcome } = play(
    recipe('body int3', 'inject nmi at task+2', 'inject nmi at int3_entry', ...text),
    pages,
  );
  expect(outcome).toEqual({
    verdict: 'no-progress',
    sentence: 'the same state has come twice: this goes on for ever',
  });
  const counting = [
    'edit linux-4.2#nested',
    '| nested_nmi:',
    '| nested_nmi_out:',
    '| 1: incq %rdx',
    '| jmp 1b',
  ];
  const long = play(
    recipe('body int3', 'inject nmi at task+2', 'inject nmi at int3_entry', ...counting),
    pages,
    { budget: 400 },
  );
  expect(long.outcome).toEqual({ verdict: 'budget', sentence: 'no end after 400 transitions' });
});

test('lost registers are noticed', () => {
  const text = [
    'edit linux-4.2#nested',
    '| nested_nmi:',
    '| .globl nested_nmi_out',
    '| nested_nmi_out:',
    '| addq $8, %rsp',
    '| iretq',
  ];
  const { outcome } = play(
    recipe('body int3', 'inject nmi at task+2', 'inject nmi at int3_entry', ...text),
    pages,
  );
  expect(outcome.verdict).toBe('lost');
  expect('sentence' in outcome && outcome.sentence).toMatch(/^NMI 2 came back with rdx = 0x/);
});

test('mistakes name their place and what there is', () => {
  const mistake = (...lines: string[]) => play(recipe(...lines), pages).problems.map(problemText);
  expect(mistake('body loud', 'inject nmi at task')).toEqual([
    'test:3:6: unknown body: loud (linux-4.2 has quiet, int3, pf-fixup, warn, gp-fixup, watchpoint, nmi-complete)',
  ]);
  expect(mistake('start nowhere')[0]).toMatch(
    /^test:3:7: unknown start: nowhere \(linux-4\.2 has kernel-task, user-task, /,
  );
  expect(mistake('inject nmi at tusk')).toEqual(['test:3:15: unknown label: tusk']);
  expect(mistake('inject nmi at repeat_nmi#3')).toEqual([
    'test:3:15: invalid position: repeat_nmi#3 (reached never)',
  ]);
  expect(mistake('inject ve at task')).toEqual([
    'test:3:8: not modelled: ve (there is nmi, mc, pf, bp, db, irq, gp, vc)',
  ]);
  expect(mistake('inject nmi at task', 'cursor b4000')).toEqual([
    expect.stringMatching(/^test:4:8: invalid position: b4000 \(this run has boundaries 0 to \d+\)$/),
  ]);
  expect(mistake('edit linux-4.2#nowhere', '| nop')[0]).toMatch(
    /^test:3:6: unknown block: linux-4.2#nowhere \(linux-4.2 has entry, /,
  );
  expect(mistake('edit linux-4.2#nested', '| nested_nmi: pushqq %rdx', '| nested_nmi_out: iretq')).toEqual([
    'linux-4.2#nested:1:14: unknown mnemonic: pushqq (did you mean pushfq?)',
  ]);
});

test('code that no longer comes to the cursor is shown from its end, where a reader has just written it', () => {
  const lines = [
    ...['body int3', 'inject nmi at task+2', 'inject nmi at int3_entry', 'cursor nested_nmi_out'],
    ...['edit linux-4.2#nested', '| nested_nmi: jmp nested_nmi', '| nested_nmi_out: iretq'],
  ];
  const claims = ['expect reg rax is 77', 'expect latch blocked is no', 'expect verdict lost'];
  const source = recipe(...lines.slice(0, 4), ...claims, ...lines.slice(4));
  const refused = play(source, pages);
  expect(refused.frames).toEqual([]);
  const lost = 'test:6:8: invalid position: nested_nmi_out (reached never)';
  expect(refused.problems.map(problemText)).toEqual([lost]);
  const { frames, cursor, outcome, problems } = play(source, pages, { astray: true });
  expect([outcome.verdict, frames.length - 1]).toEqual(['no-progress', cursor]);
  // Of the cursor nothing is said; what is said of the whole run is still checked.
  expect(problems.map(problemText)).toEqual([
    lost,
    expect.stringMatching(/^test:9:16: expected verdict lost, got no-progress/),
  ]);
});

test('an event that is not reached says how the run ends that should come there', () => {
  const edited = ['edit linux-4.2#first', '| first_nmi: jmp first_nmi'];
  const { problems } = play(
    recipe('body int3', 'inject nmi at task+2', 'inject nmi at int3_entry', ...edited),
    pages,
  );
  expect(problems.map(problemText)).toEqual([
    expect.stringMatching(
      /^test:5:15: invalid position: int3_entry \(reached never\); the run up to this event: no-progress, /,
    ),
  ]);
});
