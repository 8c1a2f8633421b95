/** Examples of reference pages: lines of the tests, run as a page runs them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { again } from '../../src/engine/example/again.ts';
import { hex, situationOf } from '../../src/engine/example/block.ts';
import { INSTRUCTIONS, SPELLINGS } from '../../src/literate/instructions.ts';

/** Without the spaces around bars and arrows. */
const bare = (line: string): string => line.replace(/\s*(\||=>)\s*/g, '$1').trim();
const lines = new Set(
  readdirSync('test/isa')
    .filter((name) => name.endsWith('.txt'))
    .flatMap((name) => readFileSync(`test/isa/${name}`, 'utf8').split('\n'))
    .map(bare),
);

test('every family has examples, each a line of the tests', () => {
  for (const { family, chosen, all } of INSTRUCTIONS) {
    expect(chosen.length, family).toBeGreaterThan(0);
    for (const { bytes, text, written, ending } of all) {
      const line = bare(`${hex(bytes)}|${text}|${written}=>${ending}`);
      expect(lines.has(line), line).toBe(true);
    }
  }
});

test('each runs again to what its page shows', () => {
  for (const { chosen } of INSTRUCTIONS)
    for (const { bytes, text, written, view } of chosen)
      expect(again(hex(bytes), written), text).toEqual(view);
});

test('what runs is shown to change something, or to raise something', () => {
  const silent = [
    'nop',
    'pause',
    'endbr64',
    'prefetch',
    'lfence',
    'mfence',
    'sfence',
    'invlpg',
    'invd',
    'wbinvd',
    'serialize',
  ];
  for (const { family, chosen, runs } of INSTRUCTIONS) {
    if (!runs || silent.includes(family)) continue;
    const telling = chosen.some(
      ({ view: { rows, event } }) => event !== undefined || rows.some((row) => row.changed),
    );
    expect(`${family}: ${telling}`).toBe(`${family}: true`);
  }
});

test('another situation gives another result', () => {
  const xadd = again('48 0f c1 d8', 'rax=5 rbx=3');
  expect('rows' in xadd && xadd.rows.map(({ place, after }) => `${place}=${after}`)).toEqual([
    'rax=8',
    'rbx=5',
  ]);
  expect(again('f7 f1', 'rax=1')).toMatchObject({ event: '#DE' });
  expect(again('48 8b 00', 'rax=0x8000000000000000')).toMatchObject({ event: '#GP(0)' });
});

test('a situation that is none is a sentence', () => {
  expect(situationOf('rax=x')).toEqual({ problem: 'invalid value: rax=x' });
  expect(situationOf('rxa=1')).toEqual({ problem: 'unknown name: rxa' });
  expect(situationOf('__proto__=1')).toEqual({ problem: 'unknown name: __proto__' });
  expect(again('90', 'rax=1 [0x10]=2')).toEqual({ problem: 'invalid value: [0x10]=2' });
  expect(again('90', `rip=0xffffffffffffffff`)).toHaveProperty('rows');
  expect(situationOf('q[0x7fffffffffffffff]=1')).toEqual({ problem: 'invalid address: 0x7fffffffffffffff' });
  expect(situationOf('q[0x202ff9]=1')).toEqual({ problem: 'invalid address: 0x202ff9' });
  expect(again('ff ff', '')).toMatchObject({ event: expect.stringMatching(/undefined|truncated/) });
});

test('spellings are addresses of their own, and none hides a family', () => {
  const families = new Set(INSTRUCTIONS.map(({ family }) => family));
  expect(SPELLINGS.length).toBeGreaterThan(300);
  for (const [spelling, family] of SPELLINGS) {
    expect(families.has(spelling), spelling).toBe(false);
    expect(families.has(family), family).toBe(true);
  }
});
