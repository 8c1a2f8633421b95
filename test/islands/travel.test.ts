/** What the worker says of the past of a boundary, of its next step, and how a state looks as text. */
import { expect, test } from 'vitest';
import { asciiOf } from '../../src/islands/lab/ascii.ts';
import { KEYS, keyAction } from '../../src/islands/lab/keys.ts';
import { withMoved } from '../../src/islands/lab/recipe-text.ts';
import { answerFrames, runOf } from '../../src/islands/lab/runs.ts';
import {
  answerOrigin,
  answerPseudo,
  answerTravel,
  answerWords,
} from '../../src/islands/lab/travel-answers.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';

const pages = libraryOnDisk();
const recipe = scenarioOf(pages, 'nested-nmi')?.lines.join('\n') ?? '';
const run = runOf(recipe, undefined, pages);
const at = (checkpoint: string) => run.steps.find((step) => step.checkpoint === checkpoint)?.boundary ?? -1;
const ask = { recipe: run.recipe, pick: undefined };

test('a value is told back to where it was made, in words', () => {
  const told = answerOrigin({ ...ask, kind: 'origin', boundary: at('end_repeat_nmi'), spot: -9 }, pages);
  if (told.kind === 'failed') throw new Error(told.reason);
  expect(told.place).toBe('q(-9) iret.rsp');
  expect(told.trail.map(({ place, how }) => `${place}: ${how}`)).toEqual([
    'q(-9) iret.rsp: stored by repeat_nmi+0x12: push -0x30(%rsp), copied from q(-14) outermost.rsp',
    'q(-14) outermost.rsp: stored by first_nmi+0xf: push 0x58(%rsp), copied from q(-2) original.rsp',
    'q(-2) original.rsp: pushed by the CPU, delivering NMI 1, copied from rsp',
    'rsp: there before this run',
  ]);
  expect(told.end).toBe('It was there before this run.');
  expect(told.next).toBe(
    run.frames.findIndex(
      ({ words }, b) =>
        b > at('end_repeat_nmi') && words.some(({ index, changed }) => index === -9 && changed),
    ),
  );
  expect(answerOrigin({ ...ask, kind: 'origin', boundary: 3, spot: 'rzx' }, pages)).toEqual({
    kind: 'failed',
    reason: 'unknown register: rzx',
  });
});

test('words of any stack are told with what they point to and who wrote them', () => {
  const spotOf = (address: bigint) => Number((address - run.top) / 8n);
  const spots = [0xffff_8800_3d00_3f28n, 0xffff_8800_3d00_3f20n, 0xffff_8800_3d00_3f18n].map(spotOf);
  const seen = (boundary: number) => {
    const told = answerWords({ ...ask, kind: 'words', boundary, spots }, pages);
    if (told.kind === 'failed') throw new Error(told.reason);
    return told.words.map(({ meaning, value, author, changed }) =>
      [meaning || `0x${value.toString(16)}`, author.name, author.boundary, changed].join(' '),
    );
  };
  expect(seen(1)).toEqual([
    'process_one+0x11 before this run  false',
    'task 3f38 before this run  false',
    '0x0 before this run  false',
  ]);
  expect(seen(2)[2]).toBe('0x7 do_work+0xd 2 true');
  expect(seen(3)[2]).toBe('0x7 do_work+0xd 2 false');
  expect(answerWords({ ...ask, kind: 'words', boundary: 9_999, spots }, pages)).toEqual({
    kind: 'failed',
    reason: 'invalid boundary: 9999',
  });
});

test('the next step is told as text of the semantics, with its place in the manual', () => {
  const pseudo = (boundary: number) => answerPseudo({ ...ask, kind: 'pseudo', boundary }, pages);
  expect(pseudo(at('nmi') - 1)).toMatchObject({
    title: 'delivery of NMI 1',
    manual: expect.stringMatching(/^SDM volume 3/),
  });
  expect(pseudo(at('nested_nmi_out'))).toMatchObject({ title: 'pop %rdx', manual: 'SDM volume 2B, "POP"' });
  const iret = pseudo(at('nested_nmi_out') + 1);
  expect(iret).toMatchObject({ title: 'iretq' });
  if (iret.kind === 'pseudo') expect(iret.lines.join('\n')).toMatch(/nmi.?blocked/i);
});

test('moves of time travel, and frames by their numbers', () => {
  const nested = at('nmi-2') - 1;
  expect(answerTravel({ ...ask, kind: 'travel', boundary: nested }, pages)).toEqual({
    kind: 'travelled',
    over: at('nested_nmi_out') + 2,
    backOver: at('int3_entry') - 1,
    nextEvent: at('nmi-2'),
    previousEvent: at('int3_entry'),
  });
  expect(answerTravel({ ...ask, kind: 'travel', boundary: 9_999 }, pages)).toEqual({
    kind: 'failed',
    reason: 'invalid boundary: 9999',
  });
  const framed = answerFrames({ ...ask, kind: 'frames', from: 250, to: 400 }, pages);
  expect(framed.frames.map(({ boundary }) => boundary)).toEqual([250, 251, 252, 253, 254, 255]);
});

test('an event is moved and the others keep their boundaries', () => {
  const struck = run.injections.map(({ boundary }) => boundary);
  const moved = withMoved(run.recipe, 1, 99, struck);
  expect(moved.match(/^inject.*$/gm)).toEqual([`inject  nmi at b${struck[0]}`, 'inject  nmi at b99']);
});

test('a state as text is ASCII, at most 72 columns wide, and has every word, verdict and true call', () => {
  for (const frame of run.frames.filter((_, b) => b % 17 === 0)) {
    const text = asciiOf(run, frame);
    expect(/^[\x20-\x7e\n]*$/.test(text)).toBe(true);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(72);
    for (const { index, group, value } of frame.words)
      if (group !== 'regs')
        expect(text).toMatch(new RegExp(` ${index} .*${value.toString(16).padStart(16, '0').slice(8)}`));
    for (const { text: line } of frame.truth) expect(text).toContain(line);
    for (const { name } of run.rules) expect(text).toContain(name);
  }
  expect(asciiOf(run, run.frames[at('nested_nmi_out')] as never)).toMatchSnapshot();
});

test('no key has two meanings', () => {
  const everywhere = KEYS.filter(({ action }) => action).flatMap(({ keys }) => keys);
  expect(new Set(everywhere).size).toBe(everywhere.length);
  expect(keyAction('n')).toBe('next-event');
  expect(keyAction('Left')).toBeUndefined();
});
