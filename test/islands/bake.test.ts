import { expect, test } from 'vitest';
import { bake, lanesOf, nearby, pack, unpack } from '../../src/islands/lab/bake.ts';
import { provenanceOf } from '../../src/islands/lab/provenance.ts';
import {
  bodyOf,
  editsOf,
  withBody,
  withInjection,
  withoutInjection,
  withoutSafeguards,
} from '../../src/islands/lab/recipe-text.ts';
import { createState } from '../../src/islands/lab/state.ts';
import { shortName } from '../../src/islands/lab/words.ts';
import { nestedNmi } from './fixture.ts';

const timeline = nestedNmi();
const { frames, steps, recipe } = timeline;
const at = (name: string) => steps.find((step) => step.name === name)?.boundary ?? -1;

test('runs of a rule cover every boundary once and say what the frames say', () => {
  const { rules, last } = lanesOf(timeline);
  rules.forEach((runs, rule) => {
    expect(runs[0]?.from).toBe(0);
    expect(runs.at(-1)?.to).toBe(last);
    runs.forEach((run, i) => {
      if (i > 0) expect(run.from).toBe((runs[i - 1]?.to ?? 0) + 1);
      expect(run.judgement).not.toBe(runs[i - 1]?.judgement);
      for (let b = run.from; b <= run.to; b++)
        expect(frames[b]?.verdicts[rule]?.judgement).toBe(run.judgement);
    });
  });
});

test('the corners of the curve of RSP give back every depth', () => {
  const { depth } = lanesOf(timeline);
  expect(depth.length / 2).toBeLessThan(frames.length);
  for (let i = 0; i + 3 < depth.length; i += 2) {
    const [x = 0, y = 0, x2 = 0, y2 = 0] = depth.slice(i, i + 4);
    for (let b = x; b <= x2; b++)
      expect(y + ((y2 - y) * (b - x)) / (x2 - x)).toBeCloseTo(frames[b]?.stack.depth ?? -1, 9);
  }
});

test('an injection strikes at the line of the next instruction', () => {
  const { strikes } = lanesOf(timeline);
  expect(strikes).toEqual(timeline.injections.map(({ boundary }) => frames[boundary]?.line));
  expect(timeline.code[strikes[1] ?? -1]?.text).toBe('movq %rbx, %rax');
});

test('the listing is packed and unpacked', () => {
  const listed = timeline.code.map(({ kind, depth, text, comment }) => ({ kind, depth, text, comment }));
  expect(unpack(pack(timeline.code))).toEqual(listed);
  expect(unpack(pack([{ kind: 'directive', depth: 2, text: '.rept\t5', comment: 'a\nb' }]))).toEqual([
    { kind: 'directive', depth: 2, text: '.rept 5', comment: 'a b' },
  ]);
  expect(unpack(pack([]))).toEqual([]);
});

test('a baked timeline holds one frame, and nothing is baked of nothing', () => {
  expect(bake(timeline)?.frame.boundary).toBe(timeline.cursor);
  expect(bake(timeline)?.rows.length).toBe(steps.length);
  expect(bake({ ...timeline, cursor: 9999 })?.frame.boundary).toBe(0);
  expect(bake({ ...timeline, frames: [] })).toBe(undefined);
});

test('moments of a run are baked apart, and share what is the same', () => {
  const [one, other] = [bake(timeline, 3), bake(timeline, at('repeat_nmi'))];
  expect([one, other].map((baked) => [baked?.timeline.cursor, baked?.frame.boundary])).toEqual([
    [3, 3],
    [24, 24],
  ]);
  expect(other?.rows).toBe(one?.rows);
  const { frames: _, code: __, ...outline } = timeline;
  expect(bake(timeline)?.timeline).toEqual(outline);
});

test('what is near a moment has its lines where the whole listing has them, and leads to the rest', () => {
  const baked = bake(timeline, at('nested_nmi_out'));
  if (!baked) throw new Error('missing frames');
  const near = nearby(baked, '/s/nested-nmi/v0/');
  const lines = unpack(near.code, near.from);
  const { line } = baked.frame;
  expect([near.rest, near.rows, Object.keys(lines).length]).toEqual(['/s/nested-nmi/v0/', [], 41]);
  for (const i of [line - 20, line, line + 20]) expect(lines[i]).toEqual(unpack(baked.code)[i]);
  expect(line - 21 in lines).toBe(false);

  const state = createState(near, async () => ({ kind: 'failed', reason: 'none' }), {
    standing: { state: 'draft' },
    pick: undefined,
    link: '',
  });
  expect(state.rest.value).toBe('/s/nested-nmi/v0/');
  state.frames.value = frames;
  expect(state.rest.value).toBe(undefined);
});

test('provenance: last write, what was before, next write', () => {
  const frame = frames[at('nested_nmi_out')];
  if (!frame) throw new Error('missing frame');
  const found = provenanceOf(frames, frame, -9);
  expect([found?.written, found?.before?.meaning, found?.word.meaning, found?.next?.meaning]).toEqual([
    87,
    'S, task stack',
    'T-136, NMI stack',
    'S, task stack',
  ]);
  // By brute force: the value changes hands exactly there.
  const authors = frames.map(({ words }) => words.find(({ index }) => index === -9)?.author.boundary);
  expect(found?.written).toBe(authors.lastIndexOf(authors[86] as number) + 1);
  expect(found?.next?.author.boundary).toBe(authors.findIndex((one, b) => b > frame.boundary && one !== 87));
});

test('what a page says of a word before its run is there is what it says then', () => {
  const boundary = at('nested_nmi_out');
  const { frame, history } = bake(timeline, boundary) ?? {};
  expect(frame && history).toEqual(frame && provenanceOf(frames, frame, -9));
  expect(history?.next?.meaning).toBe('S, task stack');
});

test('provenance of a word that nobody has written yet, or will again', () => {
  const [first] = frames;
  if (!first) throw new Error('missing frame');
  const early = provenanceOf(frames, first, -14);
  expect([early?.written, early?.before, early?.next?.author.boundary]).toEqual([undefined, undefined, 21]);
  const last = provenanceOf(frames, frames.at(-1) ?? first, -14);
  expect([last?.written, last?.next]).toEqual([21, undefined]);
  expect(provenanceOf(frames, first, -99)).toBe(undefined);
});

test('provenance without the run says only what its frame knows', () => {
  const frame = frames[at('nested_nmi_out')];
  if (!frame) throw new Error('missing frame');
  const found = provenanceOf([], frame, -9);
  expect([found?.known, found?.written, found?.before, found?.next]).toEqual([
    false,
    87,
    undefined,
    undefined,
  ]);
});

test('an injection goes into its place and drops what was expected, and where', () => {
  const fired = withInjection(recipe, 'nmi', 101);
  expect(fired).toBe(`scenario nested-nmi v1
title   "A second NMI in the wake of a breakpoint"
design  linux-4.2
start   kernel-task
body    int3
inject  nmi at task+2
inject  nmi at nmi-body.after-int3
inject  nmi at b101
`);
  // The others keep their boundaries: a label may be reached no more.
  expect(withoutInjection(fired, 0, [2, 75, 101])).toContain(
    'int3\ninject  nmi at b75\ninject  nmi at b101\n',
  );
  expect(withoutInjection(fired, 1, [2, 75, 101])).toContain(
    'int3\ninject  nmi at b2\ninject  nmi at b101\n',
  );
  expect(editsOf(`${fired}edit    linux-4.2#nested\n| nop\n`)).toEqual(['linux-4.2#nested']);
  expect(withInjection('scenario x v0\ndesign  d', 'nmi', 3)).toBe(
    'scenario x v0\ndesign  d\ninject  nmi at b3\n',
  );
});

test('a body is put in or exchanged', () => {
  expect(bodyOf(recipe)).toBe('int3');
  expect(withBody(recipe, 'quiet', [2, 75])).toBe(`scenario nested-nmi v1
title   "A second NMI in the wake of a breakpoint"
design  linux-4.2
start   kernel-task
body    quiet
inject  nmi at b2
inject  nmi at b75
`);
  expect(withBody('scenario x v0\ndesign  d\ncursor  b3\n', 'quiet', [])).toBe(
    'scenario x v0\ndesign  d\nbody    quiet\n',
  );
});

test('safeguards are taken out and put back, and events stay where the text has them', () => {
  const without = withoutSafeguards(recipe, ['test-b', 'test-c']);
  expect(without).toBe(`scenario nested-nmi v1
title   "A second NMI in the wake of a breakpoint"
design  linux-4.2
without test-b, test-c
start   kernel-task
body    int3
inject  nmi at task+2
inject  nmi at nmi-body.after-int3
`);
  expect(withoutSafeguards(without, ['test-c'])).toContain('\nwithout test-c\n');
  expect(withoutSafeguards(without, [])).not.toContain('without');
});

test('rules have short names', () => {
  expect(['end[-14]', 'frame pointer', 'ORC', 'guess'].map(shortName)).toEqual(['-14', 'FP', 'ORC', 'G']);
});

test('where frames are missing, nothing is said of later writes', () => {
  const known = provenanceOf(frames, frames[at('first_nmi')] as never, -9);
  expect([known?.known, known?.next !== undefined]).toEqual([true, true]);
  const sparse = frames.slice();
  delete sparse[at('first_nmi') + 1];
  const unknown = provenanceOf(sparse, frames[at('first_nmi')] as never, -9);
  expect([unknown?.known, unknown?.next]).toEqual([false, undefined]);
});
