import { expect, test } from 'vitest';
import {
  canonicalise,
  parse,
  print,
  printPosition,
  type Recipe,
  rawLine,
  readPosition,
} from '../../src/scenario/recipe.ts';
import { bare, Random, recipe } from './recipe-random.ts';

const read = (text: string, line = 1) =>
  parse({ page: 'page.mdx', name: 'cell', line, lines: text.split('\n') });
const complaints = (text: string) =>
  read(text, 10).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
const parsed = (text: string): Recipe => {
  const { recipe, problems } = read(text);
  if (!recipe) throw new Error(`${problems[0]?.message}\n${text}`);
  return recipe;
};

const NESTED = `scenario nested-nmi v1
title   "A second NMI in the wake of a breakpoint"
design  linux-4.2
start   kernel-task
body    int3
inject  nmi at task+2
inject  nmi at nmi-body.after-int3+1
cursor  repeat_nmi
expect  verdict returns
expect  word outermost.rip is task+2 at cursor
expect  unwind end-2 stops-early-silently at cursor
expect  unwind orc right at cursor
`;

test('the example of the design is canonical', () => {
  expect(print(parsed(NESTED))).toBe(NESTED);
});

test('statements come in any order and on any lines; print puts them in the order of the grammar', () => {
  const text = `  scenario x v07 expect verdict returns without test-b , test-a,test-b
    inject mc at b9 inject nmi at task#1+0 inject nmi at b0004 inject db at b9 inject nmi at b9
    set b 1 set a 2 edit p#two
    |\tnop \t
    |
    edit p#one
    cursor x+0x1C kernel vmlinux-6.12 build 00AF note "two  lines
      of text" note "and one"`;
  expect(print(parsed(text))).toBe(`scenario x v7
note    "two lines of text"
note    "and one"
kernel  vmlinux-6.12 build 00af
set     a 2
set     b 1
without test-a, test-b
inject  nmi at b4
inject  nmi at task
inject  nmi at b9
inject  mc at b9
inject  db at b9
edit    p#one
edit    p#two
|        nop
|
cursor  x+0x1c
expect  verdict returns
`);
});

test('every claim is read and printed', () => {
  const claims = [
    'verdict not-modelled smm',
    'violates frame-intact at b7',
    'violates frame-intact',
    'reg rax is 0x10 at end#2-1',
    'word original.ss is "S, task stack"',
    'latch nmi is blocked at cursor',
    'unwind frame-pointer wrong-silently',
    'trace guess "? do_work+0x1c/0x40" at b7',
    'count nmi-merged 1',
    'digest k3v9qdtw at cursor',
  ];
  const text = `scenario x v1\ndesign  d\n${claims.map((claim) => `expect  ${claim}\n`).join('')}`;
  expect(print(parsed(text))).toBe(text);
});

test('everything keeps its place', () => {
  const { places, injects, cursor, expects, without, sets, edits } = parsed(
    'scenario x v1 design d\n start s inject nmi\nat foo cursor foo+1 without a,\nb set c e edit p#b\n|x\n' +
      'expect word w is v at b4',
  );
  const at = (line: number, column: number) => ({ page: 'page.mdx', line, column });
  expect(places).toEqual({
    scenario: at(1, 10),
    design: at(1, 22),
    start: at(2, 8),
    cursor: at(3, 15),
    without: { a: at(3, 29), b: at(4, 1) },
  });
  expect(without).toEqual(['a', 'b']);
  expect(injects[0]).toMatchObject({ place: at(2, 17), position: { place: at(3, 4) } });
  expect(cursor?.place).toEqual(at(3, 15));
  expect(sets[0]).toMatchObject({ place: at(4, 7), valueAt: at(4, 9) });
  expect(edits[0]?.place).toEqual(at(4, 16));
  expect(expects[0]).toMatchObject({
    place: at(6, 8),
    nameAt: at(6, 13),
    valueAt: at(6, 18),
    at: { place: at(6, 23) },
  });
});

test('several mistakes in one go, each at its own line and column', () => {
  expect(
    complaints(`scenario nested-nmi
title foo
note "unclosed
design linux-4.2 inject nmx at b4 inject nmi b4 inject nmi at repeat-2-1
injct foo
cursor cursor expect verdict retruns expect unwind a right at
set a=b c
expect digest
title "\u00e9" without a,
set x y set x z start`),
  ).toEqual([
    '10:10 missing version',
    '11:7 invalid title: foo (it stands in double quotes)',
    '12:6 missing end of text: "',
    '13:25 unknown event: nmx (nmi, mc, db, bp, pf, gp, irq, vc, ve)',
    '13:42 missing at: inject nmi at POSITION',
    '13:63 invalid position: repeat-2-1 (write repeat-2#1)',
    '14:1 unknown key: injct',
    '15:8 invalid position: cursor (of itself)',
    '15:30 unknown verdict: retruns (returns, lost, no-progress, shutdown, not-modelled, budget)',
    '15:60 missing position',
    '16:6 invalid character: = (quoted-printable eats it)',
    '17:8 missing digest',
    '18:8 invalid character: U+00E9 (a recipe is plain ASCII)',
    '18:20 missing safeguard',
    '19:13 duplicate set: x',
    '19:17 missing start',
  ]);
});

test.each([
  ['', '10:1 missing scenario: a recipe starts with scenario SLUG vN'],
  ['design d', '10:1 missing scenario: a recipe starts with scenario SLUG vN'],
  ['scenario x v1', '10:10 missing design'],
  ['scenario X v1 design d', '10:10 invalid slug of the scenario: X'],
  ['scenario x 1 design d', '10:12 invalid version: 1'],
  ['scenario x v99999999999999999999 design d', '10:12 invalid version: v99999999999999999999'],
  ['scenario x v1 design d design e', '10:31 duplicate design: e'],
  ['scenario x v1 design d kernel k', '10:31 invalid kernel: k (the recipe has a design)'],
  ['scenario x v1 kernel k design d', '10:31 invalid design: d (the recipe has a kernel)'],
  ['scenario x v1 kernel k build 0', '10:30 invalid build id: 0'],
  ['scenario x v1 design d scenario x v1', '10:33 duplicate scenario: x'],
  ['scenario x v1 design d cursor a cursor b', '10:40 duplicate cursor: b'],
  ['scenario x v1 design d edit p#a edit p#a', '10:38 duplicate edit: p#a'],
  ['scenario x v1 design d edit a', '10:29 invalid block: a'],
  ['scenario x v1 design d\n| nop', '11:1 invalid line: | stands outside of an edit'],
  [
    'scenario x v1 design d edit p#a\n|nop\nrest',
    '12:1 unknown key: rest (every line of an edit starts with |)',
  ],
  [
    'scenario x v1 design d edit p#a\n|nop \u2014',
    '11:6 invalid character: U+2014 (a recipe is plain ASCII)',
  ],
  ['scenario x v1 design d note ""', '10:29 invalid text: empty'],
  ['scenario x v1 design d note "a >b"', '10:29 invalid text: a word starts with > (quoting would eat it)'],
  ['scenario x v1 design d note "a@b"', '10:31 invalid character: @ (mail archives mask it)'],
  ['scenario x v1 design d note "a\n b@"', '11:3 invalid character: @ (mail archives mask it)'],
  ['scenario x v1 design d note "a\n\nb"', '10:29 missing end of text: "'],
  ['scenario x v1 design d expect', '10:24 missing claim'],
  [
    'scenario x v1 design d expect foo',
    '10:31 unknown claim: foo (verdict, violates, reg, word, latch, unwind, trace, count, digest)',
  ],
  ['scenario x v1 design d expect reg rax 5', '10:35 missing is: reg rax is VALUE'],
  [
    'scenario x v1 design d expect count steps 5',
    '10:37 unknown count: steps (boundaries, nmi-served, nmi-merged, deliveries)',
  ],
  ['scenario x v1 design d inject nmi at b4+1', '10:38 invalid position: b4+1 (a boundary takes no offset)'],
  ['scenario x v1 design d inject nmi at start', '10:35 missing position'],
])('%j', (text, complaint) => {
  expect(complaints(text)).toContain(complaint);
  expect(read(text).recipe).toBeUndefined();
});

test('after a mistake, `at cursor` is no statement', () => {
  expect(
    complaints('scenario x v1 design d expect unwind a well at cursor expect verdict lost'),
  ).toHaveLength(1);
});

test('text is at most 64 columns with its quotes', () => {
  const text = (length: number) => `scenario x v1 design d note "${'a'.repeat(length)}"`;
  expect(complaints(text(62))).toEqual([]);
  expect(complaints(text(63))).toEqual(['10:29 invalid text: 65 columns with its quotes (at most 64)']);
});

test('a line of an edit: tabs to the next multiple of eight, no white space at its end, ASCII', () => {
  expect(rawLine('\tmovq\t%rax, x \t')).toBe('        movq    %rax, x');
  expect(rawLine('12345678\tx')).toBe('12345678        x');
  expect(rawLine('nop # \u2014')).toBe('nop # ?');
  expect(rawLine('\t ')).toBe('');
});

test('the quote of the next text does not end one that was never ended', () => {
  expect(complaints('scenario x v1 design d\ntitle "one\nnote "two three"\nset a')).toEqual([
    '11:7 missing end of text: "',
    '13:5 missing value of a',
  ]);
});

test.each([
  ['b412', { kind: 'boundary', n: 412 }],
  ['cursor', { kind: 'cursor' }],
  ['task', { kind: 'label', label: 'task', occurrence: 1, steps: 0, bytes: 0 }],
  ['nmi-body.x#3-12', { kind: 'label', label: 'nmi-body.x', occurrence: 3, steps: -12, bytes: 0 }],
  ['task+0x1c', { kind: 'label', label: 'task', occurrence: 1, steps: 0, bytes: 28 }],
  ['b4#1', { kind: 'label', label: 'b4', occurrence: 1, steps: 0, bytes: 0 }],
  ['nmi-2#1-2', { kind: 'label', label: 'nmi-2', occurrence: 1, steps: -2, bytes: 0 }],
])('position %s', (word, meaning) => {
  const position = readPosition(word);
  expect(position).toEqual(meaning);
  expect(typeof position === 'string' || printPosition(position)).toBe(word);
});

test.each([
  'b4+1',
  'cursor+1',
  'task#0',
  'task#',
  'task#x',
  'task+',
  'task+x',
  'task-0x1c',
  'task+1+1',
  'a#1#2',
  '+1',
  '1f',
  'b99999999999999999999',
  'task+99999999999999999999',
])('no position: %s', (word) => {
  expect(readPosition(word)).toMatch(/^invalid position: /);
});

test('parse(print(r)) is r, print is canonical, canonicalise is idempotent', () => {
  for (let seed = 0; seed < 600; seed++) {
    const made = recipe(new Random(seed));
    const text = print(made);
    const back = parsed(text);
    expect(bare(back), `seed ${seed}`).toEqual(bare(canonicalise(made)));
    expect(print(back), `seed ${seed}`).toBe(text);
  }
});

test('white space between tokens means nothing', () => {
  for (let seed = 0; seed < 300; seed++) {
    const r = new Random(seed);
    const text = print(recipe(r, false));
    const wrapped = text.replace(/\s+/g, () => r.pick([' ', '\n', '\r\n', '\t', '  \n   ']));
    expect(print(parsed(wrapped)), `seed ${seed}`).toBe(text);
  }
});

test('no text makes it throw, and a recipe without problems prints itself', () => {
  const pieces = [
    ...[
      'scenario ',
      'x v1 ',
      'design d ',
      'inject nmi at ',
      'b4 ',
      '"',
      '|',
      '\n',
      '\n\n',
      ',',
      'edit a#b\n|x\n',
    ],
    ...[
      'expect word ',
      'is ',
      'at cursor ',
      'note "a" ',
      '\u0000',
      '\ud800',
      '@',
      '+0x',
      '#2-1 ',
      'cursor ',
      '__proto__ ',
    ],
  ];
  for (let seed = 0; seed < 1000; seed++) {
    const r = new Random(seed);
    const text = (r.chance(50) ? 'scenario x v1 design d ' : '') + r.list(25, () => r.pick(pieces)).join('');
    const { recipe, problems } = read(text);
    expect(recipe === undefined, JSON.stringify(text)).toBe(problems.length > 0);
    if (recipe) expect(print(parsed(print(recipe)))).toBe(print(recipe));
    for (const { message } of problems) {
      expect(message).toMatch(/^(invalid|missing|unknown|duplicate) [^\n]{3,160}$/);
    }
  }
});
