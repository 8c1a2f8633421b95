import { expect, test } from 'vitest';
import {
  boundaryOfLine,
  bracketMove,
  isLink,
  keyMove,
  lineMove,
  readJump,
  stepAfter,
  stepBefore,
} from '../../src/islands/lab/moves.ts';
import type { Frame } from '../../src/scenario/timeline.ts';
import { nestedNmi } from './fixture.ts';

const axis = [0, 10, 110, 112];

test.each([
  ['ArrowRight', 10, 11],
  ['ArrowUp', 10, 11],
  ['ArrowLeft', 10, 9],
  ['ArrowDown', 10, 9],
  ['ArrowLeft', 0, 0],
  ['ArrowRight', 112, 112],
  ['PageUp', 10, 110],
  ['PageUp', 50, 110],
  ['PageUp', 112, 112],
  ['PageDown', 50, 10],
  ['PageDown', 10, 0],
  ['PageDown', 0, 0],
  ['Home', 50, 0],
  ['End', 50, 112],
  [']', 9, 10],
  ['[', 11, 10],
])('%s at %i leads to %i', (key, from, to) => {
  expect(keyMove(key, from, axis)).toBe(to);
});

test('other keys lead nowhere', () => {
  expect(['a', 'Tab', 'Enter', ' '].map((key) => keyMove(key, 5, axis))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(bracketMove('ArrowRight', 5, axis)).toBe(undefined);
});

test('steps before and after leave the stop one stands on', () => {
  expect([stepBefore(axis, 110), stepAfter(axis, 110)]).toEqual([10, 112]);
});

test('the jump field takes boundaries, checkpoints, names and offsets', () => {
  const { steps, frames } = nestedNmi();
  const last = frames.length - 1;
  const jump = (text: string) => readJump(text, steps, last);
  const boundary = (name: string, n = 0) => steps.filter((step) => step.name === name)[n]?.boundary ?? -1;
  expect(jump('101')).toEqual({ boundary: 101 });
  expect(jump(' b7 ')).toEqual({ boundary: 7 });
  expect(jump('nmi-2')).toEqual({ boundary: boundary('NMI 2') });
  expect(jump('nmi 2')).toEqual({ boundary: boundary('NMI 2') });
  expect(jump('nmi_out')).toEqual({ boundary: boundary('nmi_out') });
  expect(jump('nmi_out-2')).toEqual({ boundary: boundary('nmi_out', 1) });
  expect(jump('nmi_out#2')).toEqual({ boundary: boundary('nmi_out', 1) });
  expect(jump('repeat_nmi-3')).toEqual({ boundary: boundary('repeat_nmi') - 3 });
  expect(jump('repeat_nmi +3')).toEqual({ boundary: boundary('repeat_nmi') + 3 });
});

test('what the jump field cannot take, it says in one sentence', () => {
  const { steps } = nestedNmi();
  expect(readJump('', steps, 9)).toEqual({ problem: 'missing boundary or step' });
  expect(readJump('400', steps, 165)).toEqual({ problem: 'invalid boundary: 400 (the run ends at 165)' });
  expect(readJump('nowhere', steps, 165)).toEqual({ problem: 'unknown step: nowhere' });
  expect(readJump('start-1', steps, 165)).toEqual({ problem: 'invalid boundary: -1 (the run ends at 165)' });
});

test('any fragment is a link, unless it names a place of the page', () => {
  const places = (id: string) => ['what-is-new', 'é'].includes(id);
  for (const hash of ['#n2', '#h_quiet', '#0', '#t3~ggggggg2', '#%'])
    expect([hash, isLink(hash, places)]).toEqual([hash, true]);
  for (const hash of ['', '#', '#what-is-new', '#%C3%A9'])
    expect([hash, isLink(hash, places)]).toEqual([hash, false]);
});

test('by key only instructions are chosen, from the next one on, and the ends hold', () => {
  const kinds = ['label', 'instruction', 'directive', 'removed', 'instruction', 'label'] as const;
  const code = kinds.map((kind) => ({ kind, depth: 0, text: kind, comment: '' }));
  expect(lineMove('ArrowDown', code, -1, 2)).toBe(4);
  expect(lineMove('ArrowDown', code, -1, -1)).toBe(1);
  expect(lineMove('ArrowDown', code, 1, 0)).toBe(4);
  expect(lineMove('ArrowDown', code, 4, 0)).toBe(4);
  expect(lineMove('ArrowUp', code, 4, 0)).toBe(1);
  expect(lineMove('ArrowUp', code, 1, 0)).toBe(1);
  expect(lineMove('x', code, 1, 0)).toBeUndefined();
});

test('a line is gone to where control is next at it, or was first; in a run with holes too', () => {
  const lines = [5, 6, 5, 7, 5];
  const frames = lines.map((line, boundary) => ({ ...nestedNmi().frames[0], line, boundary }) as Frame);
  expect(boundaryOfLine(frames, 5, 1)).toBe(2);
  expect(boundaryOfLine(frames, 7, 4)).toBe(3);
  expect(boundaryOfLine(frames, 8, 0)).toBeUndefined();
  delete frames[2];
  expect(boundaryOfLine(frames, 5, 1)).toBe(4);
});
