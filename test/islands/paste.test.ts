import fc from 'fast-check';
import { h } from 'preact';
import render from 'preact-render-to-string';
import { expect, test } from 'vitest';
import { openerOnDisk } from '../../src/cli/commands/opened.ts';
import { bake } from '../../src/islands/lab/bake.ts';
import { Diff, Holds } from '../../src/islands/lab/Holds.tsx';
import {
  answerExplain,
  answerMail,
  answerPaste,
  standingBeside,
} from '../../src/islands/lab/mail-answers.ts';
import { Understood } from '../../src/islands/lab/PastePanel.tsx';
import { Problems } from '../../src/islands/lab/parts.tsx';
import { createPasting } from '../../src/islands/lab/pasting.ts';
import type { Ask, Pasted, Reply } from '../../src/islands/lab/protocol.ts';
import { withoutInjection } from '../../src/islands/lab/recipe-text.ts';
import { own, standingOfLink } from '../../src/islands/lab/standing.ts';
import { type Asker, createState } from '../../src/islands/lab/state.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { openLink } from '../../src/scenario/open-link.ts';
import { raceTable } from '../../src/scenario/race-table.ts';
import { play } from '../../src/scenario/run.ts';
import { crlf, quote, quotedPrintable, tabs } from '../scenario/mailers.ts';
import { opener as frozen } from '../scenario/registry-fixture/fixture.ts';

const opener = openerOnDisk();
const source = scenarioOf(opener.pages, 'nested-nmi');
if (!source) throw new Error('missing scenario: nested-nmi');
const timeline = play(source, opener.pages);
const baked = bake(timeline);
if (!baked) throw new Error('missing frames');
const { recipe, cursor } = timeline;
const digest = timeline.frames[cursor]?.digest ?? '';
const base = { slug: 'nested-nmi', version: 0 };
const made = answerMail(
  { kind: 'mail', recipe, boundary: cursor, changelog: false, site: 'https://nmi.example.org' },
  opener,
);
if (made.kind === 'failed') throw new Error(made.reason);
const mail = made.text;
const link = /\/s\/\S+/.exec(mail)?.[0] ?? '';

const paste = (text: string) => answerPaste({ kind: 'paste', text, recipe, base }, opener);
const playPasted = ({ run }: Pasted) => play(own(run?.recipe ?? ''), opener.pages);

test.each<[string, (text: string) => string]>([
  ['as it is', (text) => text],
  ['quoted twice', (text) => quote(quote(text))],
  ['quoted by three mailers', (text) => quote(quote(quote(text), '>'), '>> ')],
  ['with CRLF', (text) => crlf(quote(text))],
  ['as quoted-printable', (text) => quotedPrintable(quote(text))],
  ['with tabs', (text) => tabs(quote(text))],
  ['in the middle of an answer', (text) => `On Monday somebody wrote:\n${quote(text)}\n\nI wonder.\n`],
])('a mail %s is the same recipe, with a link that means the same moment', (_, mailer) => {
  const pasted = paste(mailer(mail));
  expect(pasted).toMatchObject({ found: 'recipe', problems: [] });
  expect(pasted.says).toEqual([
    'A recipe.',
    'It names nested-nmi v0, "A second NMI in the wake of a breakpoint".',
    'The link beside it means the same moment: their states will be compared.',
  ]);
  const again = playPasted(pasted);
  expect(again.frames[again.cursor]?.digest).toBe(digest);
  expect(standingBeside(again, pasted.run?.link ?? '', opener)).toEqual({ state: 'same' });
  expect(pasted.ignored).toContain('Call Trace:');
  expect(pasted.ignored).not.toMatch(/^ *>/m);
});

test('what lies around stands at the left, whatever the depth of quoting', () => {
  const { ignored } = paste(`Hello,\n${quote(quote(mail))}`);
  expect(ignored.split('\n').slice(0, 3)).toEqual([
    'Hello,',
    'At label nested_nmi_out, end[-2] holds top-296, in the NMI stack again:',
    'already visited, so the walk ends before the task.',
  ]);
});

test('the link beside a recipe: another state is changed, another moment or an unknown one says nothing', () => {
  const again = playPasted(paste(mail));
  const standing = (text: string) => standingBeside(again, text, opener);
  expect(standing(link.replace(/~.*/, '~ggggggg2'))).toMatchObject({
    state: 'changed',
    difference: expect.stringContaining('made for state ggggggg2'),
  });
  expect(standing(link.replace('#t144', '#t141'))).toBeUndefined();
  expect(standing('/s/nested-nmi/v9#t144')).toBeUndefined();
  expect(standing('nonsense')).toBeUndefined();
  const { says, run } = paste(mail.replace('inject  nmi at int3_entry', 'inject  nmi at b40'));
  expect(says.at(-1)).toBe('The link beside it means another run, or no moment: the recipe counts.');
  expect(run?.link).toBe(link);
});

test('a mistake keeps its place in the pasted text; in a decoded one it has none to jump to', () => {
  const broken = quote(mail.replace('  inject  nmi at int3_entry', '  inject  nmi at int3_exit'));
  const lines = broken.split('\n');
  const line = lines.findIndex((one) => one.includes('inject  nmi at int3_exit')) + 1;
  const column = (lines[line - 1] ?? '').indexOf('int3_exit') + 1;
  const { problems, placed, run } = paste(broken);
  expect(problems).toMatchObject([
    { page: '', line, column, message: expect.stringMatching(/^unknown label: int3_exit/) },
  ]);
  expect([placed, run]).toEqual([true, undefined]);
  const long = `${'a = b, '.repeat(20)}\n\n${broken}`; // two lines more where it is encoded
  expect(paste(quotedPrintable(long))).toMatchObject({
    placed: false,
    problems: [{ line: expect.any(Number) }],
  });
});

test('an expectation that no longer holds runs, and is told', () => {
  const { problems, run } = paste(mail.replace('stops-early-silently at cursor', 'right at cursor'));
  expect(problems).toHaveLength(1);
  expect(run?.recipe).toContain('unwind end-2 right at cursor');
});

test('a recipe of another scenario runs, and it is said that no link can say it', () => {
  const { says, run } = paste('scenario mine v0 design linux-4.2 inject nmi at task+2');
  expect(says[1]).toBe('No page here has a scenario mine: it runs all the same, but no link can say it.');
  expect(run?.recipe).toContain('inject  nmi at task+2');
  expect(paste(mail.replace('nested-nmi v0', 'nested-nmi v7')).says[1]).toBe(
    'It was made for nested-nmi v7; this site has v0, so no link can say it.',
  );
});

test('a link is told in words: bare, as a fragment, in a text, and one that cannot run', () => {
  expect(paste(` https://nmi.example.org/a${link}\n`)).toMatchObject({
    says: ['A link.'],
    ignored: '',
    run: { recipe: undefined, link },
    explained: { outcome: 'same' },
  });
  expect(paste('#t25.n3')).toMatchObject({
    says: ['A link.'],
    run: { link: '#t25.n3' },
    explained: { canonical: '/s/nested-nmi/v0#t25.n3' },
  });
  expect(paste(`See <https://nmi.example.org${link}>, please.`)).toMatchObject({
    says: ['A link, in a text without a recipe.'],
    ignored: 'See <https://nmi.example.org\n>, please.',
    run: { link },
  });
  expect(paste('/s/nested-nmi/v9#t1')).toMatchObject({
    run: undefined,
    explained: { outcome: 'cannot-run' },
  });
});

test('a race table runs by its set-up line, or in the scenario in view', () => {
  const table = raceTable(timeline);
  const whole = paste(quote(table));
  expect(whole.says).toEqual(['A race table with 2 events.', 'It names what they strike: linux-4.2.']);
  expect(playPasted(whole).injections.map(({ boundary }) => boundary)).toEqual([2, 75]);
  const alone = paste(quote(table.split('\n').slice(1).join('\n')));
  expect(alone.says[1]).toBe('It has no set-up line: they strike what is in view, nested-nmi.');
  expect(alone.run?.recipe).toMatch(/^scenario nested-nmi v0\n/);
  expect(alone.run?.recipe).not.toContain('expect');
  expect(playPasted(alone).injections.map(({ boundary }) => boundary)).toEqual([2, 75]);
  const lost = paste('task  NMI\nnmi at nowhere');
  expect(lost).toMatchObject({ placed: false, run: undefined, problems: [{ page: 'recipe' }] });
});

test('whatever is pasted, there is a sentence', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'scenario ',
      'x v0 ',
      'design linux-4.2 ',
      'inject nmi at ',
      'task NMI\n',
      '\n> ',
      '=\n',
      link,
    ),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const { says, run, problems, explained } = paste(pieces.join(''));
      expect(says.join(' ')).toMatch(/\S/);
      if (!run) expect([...says, ...problems, explained].length).toBeGreaterThan(0);
    }),
    { numRuns: 300, seed: 8 },
  );
  expect(paste('x'.repeat(70_000)).says).toEqual(['invalid text: 70000 characters (at most 65536)']);
});

/** An island whose worker is asked in the test's own thread. */
function desk() {
  const asked: Ask[] = [];
  const answer = (ask: Ask): Reply => {
    if (ask.kind === 'paste') return answerPaste(ask, opener);
    if (ask.kind === 'play') {
      const run = play(own(ask.recipe), opener.pages);
      const standing = ask.link === undefined ? undefined : standingBeside(run, ask.link, opener);
      return { kind: 'played', timeline: run, standing: standing ?? { state: 'draft' } };
    }
    if (ask.kind === 'open')
      return { kind: 'played', timeline, standing: { state: 'cannot-run', reason: 'unknown version: 9' } };
    if (ask.kind === 'link') return { kind: 'linked', link: '/s/other/v2#t5~ggggggg2' };
    return { kind: 'failed', reason: 'nothing' };
  };
  const ask = ((question: Ask) => {
    asked.push(question);
    return Promise.resolve(answer(question));
  }) as Asker;
  const state = createState(baked as NonNullable<typeof baked>, ask, {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
    site: 'https://nmi.example.org',
    home: '/',
  });
  return { asked, state, pasting: createPasting(state, ask) };
}

test('a pasted mail is told before it runs, and runs to the same state', async () => {
  const { asked, state, pasting } = desk();
  await state.load();
  state.moveTo(0);
  pasting.type(quote(mail));
  await pasting.understand();
  expect(pasting.read.value?.answer).toMatchObject({ found: 'recipe' });
  expect([state.boundary.value, asked.filter(({ kind }) => kind === 'play').length]).toEqual([0, 1]);
  await pasting.run();
  expect(state.frame.value.digest).toBe(digest);
  expect([pasting.said.value, pasting.ran.value]).toEqual([
    'nested-nmi, boundary 144 of 255: same, the state is as recorded.',
    true,
  ]);
  pasting.type(`${pasting.text.value}\n`);
  expect([pasting.said.value, pasting.ran.value]).toEqual(['', false]);
});

test('what cannot run leaves the run, the place and the text as they were', async () => {
  const { state, pasting } = desk();
  await state.load();
  state.moveTo(7);
  state.text.value = 'scenario typed v0';
  for (const [text, sentence] of [
    [
      'hello',
      'cannot run: missing scenario: neither scenario SLUG vN, nor a link, nor a race table in the text',
    ],
    ['scenario x v0\n  design nowhere', 'cannot run: 2:10 unknown design: nowhere'],
    ['/s/nested-nmi/v9#t1', 'cannot run: unknown version: nested-nmi v9 (there is v0)'],
  ] as const) {
    pasting.type(text);
    await pasting.run();
    expect(pasting.said.value.slice(0, sentence.length)).toBe(sentence);
    expect([pasting.text.value, pasting.ran.value]).toEqual([text, false]);
    expect([state.boundary.value, state.frames.value.length, state.text.value]).toEqual([
      7,
      timeline.frames.length,
      'scenario typed v0',
    ]);
  }
  // A link that fails only when it is opened: the run in view stays, the banner says why.
  await state.openPasted({ recipe: undefined, link: '/s/nested-nmi/v9#t1' });
  expect([state.boundary.value, state.standing.value.state]).toEqual([7, 'cannot-run']);
});

test('an answer about a text that was typed over is dropped', async () => {
  const { pasting } = desk();
  pasting.type('hello');
  const late = pasting.understand();
  pasting.type('hello again');
  await late;
  expect(pasting.read.value).toBeUndefined();
  pasting.type(link);
  await pasting.understand();
  pasting.type(' ');
  expect(pasting.read.value).toBeUndefined();
});

test('the link of a run of another scenario leads to its own door, whole', async () => {
  const { state } = desk();
  await state.askLink();
  expect([state.link.value, state.address.value]).toEqual([
    'https://nmi.example.org/s/other/v2#t5~ggggggg2',
    'https://nmi.example.org/s/other/v2/#t5~ggggggg2',
  ]);
});

const words = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/\s+/g, ' ');

test('what was understood is shown: recipe, problems, links in words, what is ignored', () => {
  const shown = (text: string) => render(h(Understood, { pasted: paste(text), field: { current: null } }));
  expect(words(shown(quote(mail)))).toContain('scenario nested-nmi v0 design linux-4.2');
  expect(words(shown(`${quote(mail)}\nI wonder.`))).toContain('Ignored: At label');
  expect(words(shown('scenario x v0\ndesign nowhere'))).toContain('2:8 unknown design: nowhere');
  expect(words(shown('#t25.n3'))).toContain('n3 an NMI strikes at boundary 3');
  expect(shown('hello')).toBe('');
});

test('what a link holds: differences from the named scenario as a difference', () => {
  const explained = (text: string) => answerExplain({ kind: 'explain', link: text, base }, opener).explained;
  const html = render(h(Holds, { explained: explained('#t25.n3') }));
  expect(html).toContain('<del>-inject  nmi at task+2\n</del>');
  expect(html).toContain('<ins>+inject  nmi at b3\n</ins>');
  expect(words(html)).toContain('At boundary 25');
  expect(words(render(h(Holds, { explained: explained('/s/nested-nmi/v0') })))).toContain(
    'No difference from the named scenario.',
  );
  const broken = words(render(h(Holds, { explained: explained('/s/nested-nmi/v9#t1') })));
  expect(broken).toContain('cannot run: unknown version: nested-nmi v9');
  expect(render(h(Diff, { lines: [' a', '-b', '+c'] }))).toBe(
    '<pre class="diff"><span> a\n</span><del>-b\n</del><ins>+c\n</ins></pre>',
  );
});

test('a run that is not the named scenario is the same as its link, not as a record', () => {
  const standing = (text: string) => {
    const opened = openLink(text, opener, base);
    if (opened.kind === 'cannot-run') throw new Error(opened.sentence);
    return standingOfLink(opened, opener);
  };
  expect(standing(link)).toEqual({ state: 'same' });
  expect(standing('#t25.n3')).toEqual({ state: 'draft' });
  const opened = openLink('#t25.n3', opener, base);
  const there = opened.kind === 'cannot-run' ? undefined : opened.timeline.frames[25]?.digest;
  expect(standing(`#t25.n3~${there}`)).toEqual({ state: 'same', as: 'link' });
});

test('without its first NMI the named run still runs', () => {
  const text = withoutInjection(
    timeline.recipe,
    0,
    timeline.injections.map(({ boundary }) => boundary),
  );
  const { frames, injections } = play(own(text), opener.pages);
  expect([frames.length > 0, injections.map(({ boundary }) => boundary)]).toEqual([true, [75]]);
});

test('hundreds of problems are twenty, and a number', () => {
  const problems = Array.from({ length: 33 }, (_, n) => ({ page: '', line: n + 1, column: 1, message: 'x' }));
  const html = render(h(Problems, { problems }));
  expect([html.match(/<li/g)?.length, words(html).includes('and 13 more')]).toEqual([21, true]);
  expect(render(h(Problems, { problems: problems.slice(0, 20) }))).not.toContain('more');
});

test('a frozen version is known by its name, also where the page has gone on', () => {
  const says = (name: string) =>
    answerPaste({ kind: 'paste', text: `scenario ${name} design linux-4.2`, recipe, base }, frozen()).says[1];
  expect(says('fixture-nmi v1')).toMatch(/^It names fixture-nmi v1(, ".*")?\.$/);
  expect(says('fixture-nmi v9')).toMatch(/^It was made for fixture-nmi v9; this site has .*v1, v2/);
});
