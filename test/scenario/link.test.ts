import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/scenario/digest.ts';
import {
  applyLink,
  type Codec,
  type Current,
  EDITS_LIMIT,
  type LinkState,
  linkOf,
  parseLink,
  printLink,
} from '../../src/scenario/link.ts';
import { canonicalise, EVENTS, parse, print, type Recipe } from '../../src/scenario/recipe.ts';
import { edit, Random, recipe, slug } from './recipe-random.ts';

const codec: Codec = {
  deflate: (bytes) => deflateRawSync(bytes),
  inflate: (bytes, limit) => inflateRawSync(bytes, { maxOutputLength: limit }),
};
const state = (link: string): LinkState => {
  const read = parseLink(link, codec);
  if ('problem' in read) throw new Error(`${read.problem}: ${link}`);
  return read.state;
};
const problem = (link: string): string => {
  const read = parseLink(link, codec);
  return 'problem' in read ? `${read.at} ${read.problem}` : 'none';
};

test('the example of the design', () => {
  const link = '/s/nested-nmi/v3#t412.n233.b251~k3v9qdtw';
  const meaning: LinkState = {
    slug: 'nested-nmi',
    version: 3,
    cursor: 412,
    injections: [
      { event: 'nmi', boundary: 233 },
      { event: 'bp', boundary: 251 },
    ],
    digest: 'k3v9qdtw',
  };
  expect(state(`https://nmi.example.org${link}`)).toEqual(meaning);
  expect(printLink(meaning)).toBe(link);
});

test.each([
  ['/s/x/v1', '/s/x/v1'],
  ['/s/x/v1/', '/s/x/v1'],
  ['/s/x/v1#', '/s/x/v1'],
  ['  http://localhost:4321/base/s/x/v01/repeat_nmi-2#t07\n', '/s/x/v1/repeat_nmi-2#t7'],
  ['/s/s/s/v2', '/s/s/v2'],
  ['/s/s/v1/v2', '/s/s/v1/v2'],
  ['file:///home/me/my%20site/s/x/v1#t1', '/s/x/v1#t1'],
  ['/s/x/v1#n29.t61.m27.n6', '/s/x/v1#t61.n6.m27.n29'],
  ['/s/x/v1#n5.m5.d5.b5.p5.g5.i5.v5.e5', '/s/x/v1#n5.m5.d5.b5.p5.g5.i5.v5.e5'],
  [
    '/s/x/v1#h_int3.s_b_2.s_a_1.w_test-b.w_test-a.w_test-b.0',
    '/s/x/v1#0.w_test-a.w_test-b.s_a_1.s_b_2.h_int3',
  ],
  ['/s/x/v1#z.h.s.w.0', '/s/x/v1#0.w.s.h.z'],
  ['/s/x/v1#~k3v9qdtw', '/s/x/v1#~k3v9qdtw'],
])('%j reads as %j', (link, canonical) => {
  expect(printLink(state(link), codec)).toBe(canonical);
  expect(printLink(state(canonical), codec)).toBe(canonical);
});

test('a fragment alone needs to be told its scenario', () => {
  expect(parseLink('#t5.n3')).toEqual({ problem: 'missing scenario: a fragment alone names none', at: 0 });
  expect(parseLink('#t5', codec, { slug: 'x', version: 2 })).toEqual({
    state: { slug: 'x', version: 2, cursor: 5 },
  });
});

test.each([
  ['', 'undefined missing link'],
  ['hello', '0 missing scenario: no /s/SLUG/vN in hello'],
  ['https://h.org/x/v1#t4', '0 missing scenario: no /s/SLUG/vN in https://h.org/x/v1'],
  ['/s/x', '4 missing version: x/vN'],
  ['/s/X/v1', '3 invalid slug: X'],
  ['/s/x/1', '5 invalid version: 1'],
  ['/s/x/v', '5 invalid version: v'],
  ['/s/x/1/cp', '5 invalid version: 1'],
  ['/s/x/v99999999999999999999', '5 invalid version: v99999999999999999999'],
  ['/s/x/v1/a.', '8 invalid checkpoint: a.'],
  ['/s/x/v1/..', '8 invalid checkpoint: ..'],
  ['/s/x/v1?a=b#t1', '5 invalid version: v1?a=b'],
  ['  /s/x/v1#q4', '10 unknown part: q4'],
  ['/s/x/v1#t4.n', '11 invalid part: n (a letter and a boundary)'],
  ['/s/x/v1#t', '8 invalid part: t (t and a boundary)'],
  ['/s/x/v1#t4.nmi6', '11 invalid part: nmi6 (a letter and a boundary)'],
  ['/s/x/v1#t4..n5', '11 invalid part: empty'],
  ['/s/x/v1#t4.', '11 invalid part: empty'],
  ['/s/x/v1#t4%20', '10 invalid character: %'],
  ['/s/x/v1#t4#t5', '10 invalid character: #'],
  ['/s/x/v1#t4.n\u{1f600}', '12 invalid character: \u{1f600}'],
  ['/s/x/v1#t4~', '11 invalid digest:  (8 digits and consonants)'],
  ['/s/x/v1#t4~abcdefgh', '11 invalid digest: abcdefgh (8 digits and consonants)'],
  ['/s/x/v1#t4~k3v9qdtw.n5', '11 invalid digest: k3v9qdtw.n5 (8 digits and consonants)'],
  ['/s/x/v1#t4.t4', '11 duplicate part: t4'],
  ['/s/x/v1#h_a.h_b', '12 duplicate part: h_b'],
  ['/s/x/v1#s_a_1.s_a_2', '14 duplicate part: s_a_2'],
  ['/s/x/v1#w.w_a', '10 duplicate part: w_a'],
  ['/s/x/v1#w_a.w', '12 duplicate part: w'],
  ['/s/x/v1#0.n5', '10 invalid part: n5 (0 says that nothing strikes)'],
  ['/s/x/v1#n5.0', '11 duplicate part: 0'],
  ['/s/x/v1#00', '8 unknown part: 00'],
  ['/s/x/v1#w_a_b', '8 invalid part: w_a_b (w_SAFEGUARD)'],
  ['/s/x/v1#wa', '8 invalid part: wa (w_SAFEGUARD)'],
  ['/s/x/v1#s_a', '8 invalid part: s_a (s_SWITCH_VALUE)'],
  ['/s/x/v1#s_a_', '8 invalid part: s_a_ (s_SWITCH_VALUE)'],
  ['/s/x/v1#h_', '8 invalid part: h_ (h_BODY)'],
  ['/s/x/v1#zA', '8 invalid edits: not base64url'],
  ['/s/x/v1#zAB', '8 invalid edits: not base64url'],
  ['/s/x/v1#zAAAA', `8 invalid edits: damaged, or more than ${EDITS_LIMIT} bytes`],
  [`/s/x/v1#${'a'.repeat(60)}`, `8 unknown part: ${'a'.repeat(37)}...`],
])('%j: %s', (link, complaint) => {
  expect(problem(link)).toBe(complaint);
});

const packed = (text: string) => `z${deflateRawSync(text).toString('base64url')}`;

test('cells: only edits, at most 64 kB unpacked, and never without a codec', () => {
  expect(problem(`/s/x/v1#${packed('cursor b4')}`)).toBe('8 invalid edits: line 1: unknown key: cursor');
  expect(problem(`/s/x/v1#${packed('edit a#b\n|x\nedit')}`)).toBe('8 invalid edits: line 3: missing block');
  expect(problem(`/s/x/v1#${packed('')}`)).toBe('8 invalid edits: empty');
  const bomb = packed(`edit a#b\n|${' '.repeat(10_000_000)}x`);
  expect(problem(`/s/x/v1#${bomb}`)).toBe(`8 invalid edits: damaged, or more than ${EDITS_LIMIT} bytes`);
  const edits = [{ block: 'a#b', lines: ['\tnop ', ''] }];
  const link = printLink({ slug: 'x', version: 1, edits }, codec);
  expect(state(link).edits).toMatchObject([{ block: 'a#b', lines: ['        nop', ''] }]);
  expect(parseLink(link)).toMatchObject({ problem: expect.stringMatching(/nothing here can unpack it/) });
  expect(link).toBe(`/s/x/v1#${packed('edit    a#b\n|        nop\n|')}`);
  expect(() => printLink({ slug: 'x', version: 1, edits })).toThrow('missing codec');
  const long = [{ block: 'a#b', lines: ['x'.repeat(EDITS_LIMIT)] }];
  expect(() => printLink({ slug: 'x', version: 1, edits: long }, codec)).toThrow(
    /^invalid edits: 65549 bytes/,
  );
});

test('a codec is told the limit, and not trusted with it', () => {
  const limits: number[] = [];
  const inflate = (_: Uint8Array, limit: number) => {
    limits.push(limit);
    return new TextEncoder().encode(`edit a#b\n|${'x'.repeat(limit)}`);
  };
  expect(parseLink('/s/x/v1#zAAAA', { ...codec, inflate })).toHaveProperty('problem');
  expect(limits).toEqual([EDITS_LIMIT]);
});

test('no codec can make it throw', () => {
  const throws = () => {
    throw new Error('no');
  };
  expect(parseLink('/s/x/v1#zAAAA', { deflate: throws, inflate: throws })).toHaveProperty('problem');
});

function randomState(r: Random): LinkState {
  const once = (names: string[]) => [...new Set(names)].sort();
  const edits = r.list(2, () => edit(r)).slice(0, 1);
  const checkpoint = r.maybe(() => r.pick(['repeat_nmi', 'nmi-body.x-2', 'v2', 's']));
  const order = ({ event, boundary }: { event: (typeof EVENTS)[number]; boundary: number }) =>
    boundary * 10 + EVENTS.indexOf(event);
  const optional = {
    checkpoint,
    cursor: r.maybe(() => r.below(5000)),
    injections: r.maybe(() =>
      r
        .list(4, () => ({ event: r.pick(EVENTS), boundary: r.below(900) }))
        .sort((a, b) => order(a) - order(b)),
    ),
    without: r.maybe(() => once(r.list(3, () => slug(r)))),
    sets: r.maybe(() => once(r.list(3, () => slug(r))).map((name) => ({ name, value: slug(r) }))),
    body: r.maybe(() => r.maybe(() => slug(r)) ?? null),
    edits: r.maybe(() => edits),
    digest: r.maybe(() => digestOf(String(r.below(1000)))),
  };
  const said = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { slug: slug(r), version: r.below(20), ...said };
}

test('link -> state -> link, over random states; the alphabet holds', () => {
  for (let seed = 0; seed < 800; seed++) {
    const made = randomState(new Random(seed));
    const link = printLink(made, codec);
    const back = state(`https://h.example/docs${link}`);
    const edits = back.edits?.map(({ block, lines }) => ({ block, lines }));
    expect(edits ? { ...back, edits } : back, `seed ${seed} ${link}`).toEqual(made);
    expect(printLink(back, codec)).toBe(link);
    expect(link).toMatch(/^[A-Za-z0-9_.~#/-]*[^.~]$/);
  }
});

test('parts in any order mean the same', () => {
  for (let seed = 0; seed < 500; seed++) {
    const r = new Random(seed);
    const link = printLink(randomState(r), codec);
    const [path = '', fragment = ''] = link.split('#');
    const [words = '', digest] = fragment.split('~');
    const shuffled = words.split('.').sort(() => r.below(3) - 1);
    const other = `${path}#${shuffled.join('.')}${digest ? `~${digest}` : ''}`;
    expect(printLink(state(other), codec)).toBe(link);
  }
});

/** A recipe whose events stand at boundaries, and the state on the screen that it describes. */
function current(r: Random): { recipe: Recipe; current: Current } {
  const made = canonicalise(recipe(r));
  const injections = r.list(3, () => ({ event: r.pick(EVENTS), boundary: r.below(99) }));
  const cursor = r.below(99);
  const { without, sets, body, edits } = made;
  return {
    recipe: canonicalise({
      ...made,
      cursor: { kind: 'boundary', n: cursor },
      injects: injections.map(({ event, boundary: n }) => ({ event, position: { kind: 'boundary', n } })),
    }),
    current: { cursor, injections, without, sets, body, edits },
  };
}

test('linkOf, printed, parsed and applied, gives back what was on the screen', () => {
  for (let seed = 0; seed < 400; seed++) {
    const r = new Random(seed);
    const { recipe: base } = current(r);
    const { current: shown, recipe: other } = current(r);
    const wanted = canonicalise({
      ...base,
      ...{ cursor: other.cursor, injects: other.injects, without: other.without },
      ...{ sets: other.sets, body: other.body, edits: other.edits },
    });
    const link = printLink(linkOf(base, shown, 'k3v9qdtw'), codec);
    expect(print(applyLink(base, state(link))), `seed ${seed} ${link}`).toBe(print(wanted));
  }
});

test('only what differs is written', () => {
  for (let seed = 0; seed < 300; seed++) {
    const { recipe: base, current: shown } = current(new Random(seed));
    const link = printLink(linkOf(base, shown, 'k3v9qdtw'));
    expect(link).toBe(`/s/${base.slug}/v${base.version}#t${shown.cursor}~k3v9qdtw`);
  }
});

test('events at labels are compared with the boundaries they were resolved to', () => {
  const text = 'scenario x v1 design d inject nmi at task+2 body int3 without test-a';
  const base = parse({ page: 'p', name: 'c', line: 1, lines: [text] }).recipe as Recipe;
  const injections = [{ event: 'nmi', boundary: 9 }] as const;
  const now: Current = { cursor: 5, injections, without: [], sets: [], edits: [] };
  expect(printLink(linkOf(base, now, undefined, injections))).toBe('/s/x/v1#t5.w.h');
  expect(printLink(linkOf(base, now))).toBe('/s/x/v1#t5.n9.w.h');
  const none = { ...now, injections: [], body: 'int3', without: ['test-a'] };
  expect(printLink(linkOf(base, none, undefined, injections))).toBe('/s/x/v1#t5.0');
});

test('a base with an event at a label is never taken for its numbered events alone', () => {
  const text = 'scenario x v1 design d inject nmi at b9 inject mc at task';
  const base = parse({ page: 'p', name: 'c', line: 1, lines: [text] }).recipe as Recipe;
  const now: Current = {
    cursor: 5,
    injections: [{ event: 'nmi', boundary: 9 }],
    without: [],
    sets: [],
    edits: [],
  };
  expect(printLink(linkOf(base, now))).toBe('/s/x/v1#t5.n9');
});

/** ENTRYLAB_FUZZ=100000 runs the whole of it. */
test('fuzzed links: a state that prints itself, or a sentence', () => {
  const total = Number(process.env.ENTRYLAB_FUZZ ?? 1500);
  const pieces = [
    '#',
    '~',
    '.',
    '/',
    '/s/',
    'v1',
    't4',
    'n5',
    'w_a',
    's_a_b',
    'h',
    'z',
    '0',
    '-',
    '_',
    '%7E',
    '\u0000',
    '\ud800',
  ];
  for (let seed = 0; seed < total; seed++) {
    const r = new Random(seed);
    let link = r.chance(70) ? printLink(randomState(r), codec) : '/s/x/v1#';
    for (let n = r.below(4); n >= 0; n--) {
      const at = r.below(link.length + 1);
      const cut = r.chance(50) ? r.below(5) : 0;
      const piece = r.chance(60) ? r.pick(pieces) : String.fromCharCode(r.below(r.pick([128, 65_536])));
      link = link.slice(0, at) + piece.repeat(r.chance(5) ? 2000 : 1) + link.slice(at + cut);
    }
    const read = parseLink(link, codec);
    if ('problem' in read) {
      expect(read.problem, `seed ${seed}`).toMatch(/^(invalid|missing|unknown|duplicate) [^\n]{2,200}$/u);
      expect(read.at ?? 0).toBeLessThanOrEqual(link.length);
    } else {
      const canonical = printLink(read.state, codec);
      expect(printLink(state(canonical), codec), `seed ${seed}`).toBe(canonical);
    }
  }
});
