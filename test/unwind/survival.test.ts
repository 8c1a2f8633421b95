/** The survival table, S1 to S6 and S8 (facts: what each unwinder makes of a nested NMI), as runs of linux-4.2. S7 needs FRED. */
import { describe, expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { play } from '../../src/scenario/run.ts';
import type { Frame, Timeline } from '../../src/scenario/timeline.ts';
import { KERNEL_UNWINDERS } from '../../src/unwind/eras/unwinders.ts';

const pages = libraryOnDisk();
const ALL = KERNEL_UNWINDERS.map(({ id }) => id);
function run(...lines: readonly string[]): Timeline {
  const source = {
    page: 'test',
    name: 'test',
    line: 1,
    lines: ['scenario test v0', 'design linux-4.2', ...lines],
  };
  const timeline = play(source, pages, { unwinders: ALL });
  expect(timeline.problems.map(problemText)).toEqual([]);
  expect(timeline.outcome.verdict).toBe('returns');
  return timeline;
}
/** First frame from `after` on that stands in a function, behind its prologue. */
function at(timeline: Timeline, symbol: string, after = 0): Frame {
  const found = timeline.frames.find((frame) => frame.boundary > after && frame.at.startsWith(symbol));
  if (!found) throw new Error(`not reached: ${symbol}`);
  expect(found.lost).toBe(false);
  return found;
}
const nmi = ({ steps }: Timeline, nth: number): number =>
  steps.filter(({ kind }) => kind === 'nmi')[nth - 1]?.boundary ?? 0;
const judged = (frame: Frame, ...ids: readonly string[]): readonly string[] =>
  ids.map((id) => frame.verdicts.find(({ unwinder }) => unwinder === id)?.judgement ?? 'unknown');
const reason = (frame: Frame, id: string) => frame.verdicts.find(({ unwinder }) => unwinder === id)?.reason;
const printed = (frame: Frame, id: string): readonly string[] =>
  (frame.verdicts.find(({ unwinder }) => unwinder === id)?.printed ?? []).filter(
    (line) => !/^(R\w\w:|R\d\d:|Code:)/.test(line) || line.startsWith('RIP'),
  );
const LINKS = ['end-2', 'end-14'];
const FP = ['frame-pointer-4.10', 'frame-pointer-4.13', 'frame-pointer-6.12'];
const ORC = ['orc-4.14', 'orc-5.2', 'orc-6.12'];
const SCANS = ['dump-trace', 'guess-4.9', 'guess-6.12'];
const times = <T>(value: T, list: readonly unknown[]): readonly T[] => list.map(() => value);

const plain = run('start kernel-task', 'body int3', 'inject nmi at task+2');
const nested = run('start kernel-task', 'body int3', 'inject nmi at task+2', 'inject nmi at after_int3');
const inBody = at(nested, 'nmi_body_int3', nmi(nested, 2));

test('S1, the body of an NMI: everybody is right', () => {
  const frame = at(plain, 'nmi_body_int3+0x4/');
  const everybody = [...LINKS, ...FP, ...ORC, ...SCANS];
  expect(judged(frame, ...everybody)).toEqual(times('right', everybody));
});

test('ORC is right at every boundary of a run with one NMI and a breakpoint in it', () => {
  for (const id of ORC) {
    const wrong = plain.frames.filter((frame) => judged(frame, id)[0] !== 'right');
    expect(wrong.map(({ boundary, at: where }) => `${boundary} ${where}`)).toEqual([]);
  }
});

describe('S2, the body after a nested NMI has hit it on the NMI stack', () => {
  test('the link by end[-2] ends, the proposal leads on', () => {
    expect(judged(inBody, ...LINKS)).toEqual(['stops-early-silently', 'right']);
  });
  test('frame pointers switch stacks by that link: silent in 4.10, a warning since 4.13', () => {
    expect(judged(inBody, ...FP)).toEqual([
      'stops-early-silently',
      'stops-early-and-says',
      'stops-early-and-says',
    ]);
    expect(judged(inBody, ...SCANS)).toEqual([
      'stops-early-silently',
      'stops-early-silently',
      'stops-early-and-says',
    ]);
  });
  test('ORC walks on; the printed trace loses the task, since printers follow the link', () => {
    expect(judged(inBody, ...ORC)).toEqual(times('right', ORC));
    expect(printed(inBody, 'orc-6.12')).toEqual([
      'WARNING: stack recursion on stack type 6',
      'Call Trace:',
      ' <NMI>',
      ' do_nmi+0x32/0x66',
      ' end_repeat_nmi+0x3c/0x69',
      'RIP: 0010:do_work+0x11/0x22',
      ' ? repeat_nmi+0x0/0x27',
      ' ? nmi_body_int3+0x22/0x2d',
      ' </NMI>',
    ]);
    expect(printed(inBody, 'orc-4.14').join()).not.toContain('syscall_body');
  });
  test('before 4.9 the second visit is an unknown stack', () => {
    expect(printed(inBody, 'dump-trace').at(-1)).toBe(' <<EOE>>  <UNK> ');
  });
});

describe('S3, nested while the outer NMI was in #DB: the stale link leads to a stack that is over', () => {
  // An IRET inside the breakpoint handler, of a machine check, opens the latch while the outer NMI is on the #DB stack.
  const timeline = run(
    'start kernel-task',
    'body int3',
    'inject nmi at task+2',
    'inject mc at do_int3',
    'inject nmi at do_int3+1',
  );
  const frame = at(timeline, 'nmi_body_int3', nmi(timeline, 2));
  test('by end[-2] the trace goes astray', () => {
    expect(judged(frame, ...LINKS)).toEqual(['wrong-silently', 'right']);
    expect(printed(frame, 'orc-6.12').slice(-8)).toEqual([
      ' ? repeat_nmi+0x0/0x27',
      ' ? do_int3+0x0/0xf',
      ' </NMI>',
      ' <#DB>',
      ' ? int3_entry+0x3c/0x60',
      ' ? nmi_body_int3+0x0/0x2d',
      ' ? nmi_body_int3+0x22/0x2d',
      ' </#DB>',
    ]);
  });
  test('frame pointers and ORC', () => {
    expect(judged(frame, ...FP)).toEqual([
      'stops-early-silently',
      'stops-early-and-says',
      'stops-early-and-says',
    ]);
    expect(judged(frame, ...ORC)).toEqual(times('right', ORC));
  });
});

describe('S4, a machine check in the preamble: only the original record is true', () => {
  const timeline = run('start kernel-task', 'body quiet', 'inject nmi at task+2', 'inject mc at nmi+2');
  const frame = at(timeline, 'do_machine_check+0x4/');
  test('end[-2] is right, the proposal is not: it reads what the last NMI left', () => {
    expect(judged(frame, ...LINKS)).toEqual(['right', 'wrong-silently']);
    expect(reason(frame, 'end-14')).toMatch(/^holds S\+64, not S/);
  });
  test('ORC and scans are right; a frame-pointer walk skips the function that was interrupted', () => {
    expect(judged(frame, ...ORC, ...SCANS)).toEqual(times('right', [...ORC, ...SCANS]));
    expect(judged(frame, ...FP)).toEqual(times('wrong-silently', FP));
    expect(reason(frame, 'frame-pointer-6.12')).toMatch(/^skips do_work,/);
  });
});

describe('S5, inside the nested NMI', () => {
  const lines = ['start kernel-task', 'body int3', 'inject nmi at task+2', 'inject nmi at after_int3'];
  test('ORC started there goes down on one stack, and says that this cannot be', () => {
    const frame = at(nested, 'nested_nmi+0xa/', nmi(nested, 2));
    expect(judged(frame, ...ORC)).toEqual(times('stops-early-and-says', ORC));
    expect(printed(frame, 'orc-6.12')[0]).toBe(
      'WARNING: stack going in the wrong direction? at nested_nmi+0xa/0x1c',
    );
  });
  test('started from a machine check on top of it, it walks through nested, outer and task', () => {
    const timeline = run(...lines, 'inject mc at nested_nmi+3');
    const frame = at(timeline, 'do_machine_check+0x4/');
    expect(judged(frame, ...ORC)).toEqual(times('right', ORC));
    expect(judged(frame, ...LINKS)).toEqual(['stops-early-silently', 'right']);
    expect(judged(frame, ...FP)).toEqual(['wrong-silently', 'wrong-and-says', 'wrong-and-says']);
  });
});

test('S6, the second round: original still holds what the nested NMI interrupted', () => {
  const frame = at(nested, 'nmi_body_int3+0x4/', nmi(nested, 2) + 40);
  expect(judged(frame, ...LINKS, ...FP, ...ORC)).toEqual(judged(inBody, ...LINKS, ...FP, ...ORC));
});

test('S8, an NMI from user mode is on the task stack: one stack, which ends at user registers', () => {
  const frame = at(run('start user-task', 'body int3', 'inject nmi at user_task+2'), 'nmi_body_int3+0x4/');
  expect(judged(frame, ...FP, ...ORC, ...SCANS)).toEqual(times('right', [...FP, ...ORC, ...SCANS]));
  expect(judged(frame, ...LINKS)).toEqual(['not-asked', 'not-asked']);
  expect(printed(frame, 'orc-6.12')).toEqual([
    'Call Trace:',
    ' <TASK>',
    ' do_nmi+0x32/0x66',
    ' nmi+0x4e/0x6c',
    'RIP: 0033:0x400007',
    ' </TASK>',
  ]);
});

/** 28696f434fef (3.8) swapped two records, so that what a nested NMI rewrites is no longer the tail of the registers. */
test('before 3.8 ORC would have believed the record that a nested NMI redirects', () => {
  const nestedIn = (design: string) => {
    const lines = [
      'scenario test v0',
      `design ${design}`,
      'start kernel-task',
      'body int3',
      'inject nmi at task+2',
      'inject nmi at after_int3',
    ];
    const timeline = play({ page: 'test', name: 'test', line: 1, lines }, pages, { unwinders: ALL });
    expect(timeline.problems.map(problemText)).toEqual([]);
    return at(timeline, 'nmi_body_int3', nmi(timeline, 2));
  };
  const [before, after] = ['linux-3.3', 'linux-3.8'].map(nestedIn) as [Frame, Frame];
  expect(judged(before, ...ORC)).toEqual(times('wrong-silently', ORC));
  expect(reason(before, 'orc-6.12')).toBe(
    'lists repeat_nmi, which is not alive there, and nothing shows it.',
  );
  expect(judged(after, ...ORC)).toEqual(times('right', ORC));
});

test('a recipe asks for an unwinder by naming it', () => {
  const lines = [
    'scenario test v0',
    'design linux-4.2',
    'body int3',
    'inject nmi at task+2',
    'inject nmi at after_int3',
    'cursor after_int3',
  ];
  const ask = (...claims: readonly string[]) => {
    const { problems, rules } = play(
      { page: 'test', name: 'test', line: 1, lines: [...lines, ...claims] },
      pages,
    );
    return [...rules.map(({ id }) => id), ...problems.map(({ message }) => message)];
  };
  const usual = ['end-2', 'end-9', 'end-14', 'frame-pointer'];
  expect(ask()).toEqual(usual);
  expect(ask('expect unwind orc-6.12 right', 'expect trace orc-6.12 "<TASK>"')).toEqual([
    ...usual,
    'orc-6.12',
  ]);
  expect(ask('expect unwind orc-6.12 wrong-silently at after_int3')[5]).toMatch(
    /^expected orc-6.12 wrong-silently at after_int3, got right \(lists all/,
  );
  expect(ask('expect unwind orc-9 right')[4]).toMatch(/^unknown unwinder: orc-9 /);
});

describe('switches of a recipe', () => {
  const printedWith = (setting: string, id: string): readonly string[] => {
    const timeline = run('body int3', 'inject nmi at task+2', 'inject nmi at after_int3', `set ${setting}`);
    return printed(at(timeline, 'nmi_body_int3', nmi(timeline, 2)), id);
  };
  test('by the word that was proposed, S2 is right, and so is what is printed', () => {
    const lines = printedWith('nmi-link end-14', 'frame-pointer-4.10');
    expect(lines.slice(-4)).toEqual([
      ' process_one+0x11/0x14',
      ' sys_work+0xb/0xd',
      ' syscall_body+0x5/0x7',
      'RIP: 0033:0x400000',
    ]);
  });
  test('a dump from the registers that the handler was given begins in the task; on its own stack, it ends there', () => {
    expect(printedWith('dump registers', 'orc-6.12')).toEqual([
      'Call Trace:',
      ' <TASK>',
      ' process_one+0x11/0x14',
      ' sys_work+0xb/0xd',
      ' syscall_body+0x5/0x7',
      'RIP: 0033:0x400000',
      ' </TASK>',
    ]);
    expect(printedWith('dump registers-own-stack', 'orc-6.12').slice(-3)).toEqual([
      ' ? repeat_nmi+0x0/0x27',
      ' ? nmi_body_int3+0x22/0x2d',
      ' </NMI>',
    ]);
  });
  test('user registers that the handler was given are no start', () => {
    const timeline = run('start user-task', 'body int3', 'inject nmi at user_task+2', 'set dump registers');
    const lines = printed(at(timeline, 'nmi_body_int3+0x4/', nmi(timeline, 1)), 'orc-6.12');
    expect(lines[2]).toBe(' do_nmi+0x32/0x66');
  });
});
