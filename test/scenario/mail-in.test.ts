import { expect, test } from 'vitest';
import { readPaste } from '../../src/scenario/mail-in.ts';
import { parse, print } from '../../src/scenario/recipe.ts';
import { breakLines, crlf, quote, quotedPrintable, refill, tabs } from './mailers.ts';
import { Random, recipe } from './recipe-random.ts';

const read = (text: string) => {
  const paste = readPaste(text);
  if (paste.kind !== 'recipe') return { paste, printed: undefined, complaints: [] };
  const { recipe, problems } = parse(paste.source);
  return {
    paste,
    printed: recipe && print(recipe),
    complaints: problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
  };
};
const ignored = (text: string) => {
  const { paste } = read(text);
  return paste.kind === 'recipe' ? paste.ignored : paste.kind;
};

const prose = (text: string) =>
  `On Tue, Sch\u00f6n "wrote:\n\nA claim = here, scenario of a kind.\n\n${text.replace(/^/gm, '  ')}\n\nReplay in 9 steps: [1]\n\n[1] https://h.org/s/a/v1#t9\n`;

test('print -> mail -> quoted twice -> broken at 72 -> quoted-printable -> paste: the same recipe', () => {
  for (let seed = 0; seed < 300; seed++) {
    const text = print(recipe(new Random(seed), false));
    const block = quote(quote(prose(text)));
    const broken = breakLines(block, 72, seed % 2 === 0).join('\n');
    for (const mangle of [quotedPrintable, (x: string) => crlf(quotedPrintable(x)), crlf, tabs]) {
      expect(read(mangle(broken)).printed, `seed ${seed}`).toBe(text);
    }
  }
});

test('a paragraph filled anew: the same recipe', () => {
  for (let seed = 0; seed < 250; seed++) {
    const text = print(recipe(new Random(seed), false));
    expect(read(quote(refill(prose(text), 60), '>> ')).printed, `seed ${seed}`).toBe(text);
  }
});

test('the lines of an edit survive quoting, indentation, CRLF, tabs and quoted-printable', () => {
  for (let seed = 0; seed < 250; seed++) {
    const text = print(recipe(new Random(seed)));
    const block = quote(quote(prose(text)));
    for (const mangle of [quotedPrintable, (x: string) => crlf(quotedPrintable(x)), crlf, (x: string) => x]) {
      expect(read(mangle(block)).printed, `seed ${seed}`).toBe(text);
    }
  }
});

test('a line of an edit that was broken is said, not lost', () => {
  const { complaints } = read(
    '> scenario a v1\n> design d\n> edit p#x\n> | movq %rax,\n> %rbx\n> expect verdict lost\n\nx',
  );
  expect(complaints).toEqual(['5:3 unknown key: %rbx (every line of an edit starts with |)']);
  expect(read('scenario a v1 design d\nedit p#x\n| movq %rax,\n%rbx\n\nthanks').complaints).toHaveLength(1);
});

test('places are those of the pasted text', () => {
  expect(read('Hello\n> > see scenario a v1\n> > design  d\n> > body @x\n').complaints).toEqual([
    '4:10 invalid character: @ (mail archives mask it)',
  ]);
});

test('what is around the recipe is ignored, and said', () => {
  const text = 'He said "no.\n\n> scenario a v1\n> design d\n>\n> note that this expect is prose\n';
  expect(ignored(text)).toBe('He said "no.\nnote that this expect is prose');
  expect(ignored('scenario a v1 design d\n\nstart here and go on')).toBe('start here and go on');
  expect(ignored('scenario a v1 design d\n\nstart here\n\nthanks')).toBe('thanks');
  expect(ignored('scenario a v1 design d\nscenario b v1 design e')).toBe('scenario b v1 design e');
  expect(ignored('scenario a v1 design d expect verdict lost Thanks, note well')).toBe('Thanks, note well');
});

test('a slip of the pen is reported, not taken for the end', () => {
  const text = '> scenario a v1\n> design d\n> injct nmi at foo\n> cursor b4\n\nregards';
  expect(read(text).complaints).toEqual(['3:3 unknown key: injct']);
  expect(ignored(text)).toBe('regards');
});

test('the first head that a statement follows wins', () => {
  const text = 'The scenario nested-nmi v1 is nice.\n\nscenario other v2\ndesign d';
  expect(read(text).printed).toBe('scenario other v2\ndesign  d\n');
  expect(read('scenario x v1').complaints).toEqual(['1:10 missing design']);
});

test.each([
  ['see (https://x.org/s/nested-nmi/v1#t5.n3~k3v9qdtw).', '/s/nested-nmi/v1#t5.n3~k3v9qdtw'],
  ['[1] <https://x.org/base/s/a/v1/repeat_nmi>', '/s/a/v1/repeat_nmi'],
  ['the scenario a v1, see\n> https://x.org/s/a/v1#t4,\n> and more', '/s/a/v1#t4'],
  [' #t5.n3 ', '#t5.n3'],
  ['/s/a/v1?x=3Dy#t4', '/s/a/v1?x=3Dy#t4'.replace('=3D', '=')],
])('link in %j', (text, link) => {
  expect(readPaste(text)).toEqual({ kind: 'link', text: link });
});

test.each(['', 'hello', '> > ', 'scenario', '/s/', 'https://x.org/s/a'])('nothing in %j', (text) => {
  expect(readPaste(text)).toEqual({
    kind: 'nothing',
    problem: 'missing scenario: neither scenario SLUG vN, nor a link, nor a race table in the text',
  });
});

test('code that only looks like quoted-printable stays as it is', () => {
  const text = 'scenario a v1\ndesign  d\nedit    p#x\n|.set x, (y==20)\n|y=10\n';
  expect(read(text).printed).toBe(text);
  for (const code of ['y=10', 'y=20,x', 'y=3D+']) {
    const edited = `scenario a v1\ndesign  d\nedit    p#x\n|${code}\n`;
    expect(read(edited).printed === edited, code).toBe(code !== 'y=3D+');
  }
});

test.each([
  ['=C3=B6 scenario a v1 design d', '\u00f6'],
  ['a=20\n\nscenario a v1 design d', 'a'],
  ['a=3Db scenario a v1 design d', 'a=b'],
  ['a=\nb scenario a v1 design d', 'ab'],
  ['a=41 scenario a v1 design d', 'a=41'],
])('quoted-printable in %j', (text, said) => {
  expect(ignored(text)).toBe(said);
});

/** ENTRYLAB_FUZZ=100000 runs the whole of it. */
test('fuzzed pastes: never a throw, always something', () => {
  const total = Number(process.env.ENTRYLAB_FUZZ ?? 1000);
  const pieces = [
    '> ',
    '=\n',
    '=3D',
    '=C3',
    '\n',
    '\n\n',
    '"',
    '|',
    'scenario x v1 ',
    'task NMI 1\n',
    'nmi at ',
    '/s/x/v1',
    '#',
    '\u0000',
    '\ud800',
  ];
  for (let seed = 0; seed < total; seed++) {
    const r = new Random(seed);
    let text = r.chance(80) ? prose(print(recipe(r))) : '';
    for (let n = r.below(8); n >= 0; n--) {
      const at = r.below(text.length + 1);
      text = text.slice(0, at) + r.pick(pieces).repeat(r.chance(5) ? 300 : 1) + text.slice(at + r.below(4));
    }
    const { paste, printed, complaints } = read(text);
    if (paste.kind === 'recipe') expect(printed === undefined, `seed ${seed}`).toBe(complaints.length > 0);
    else if (paste.kind !== 'nothing') expect(text).not.toBe('');
    else expect(paste.problem).toMatch(/^(?:missing|invalid) \w+: /);
  }
});

test('a text too long to be a mail is refused', () => {
  expect(readPaste('x'.repeat(65_537))).toEqual({
    kind: 'nothing',
    problem: 'invalid text: 65537 characters (at most 65536)',
  });
});
