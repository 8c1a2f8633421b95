import { h } from 'preact';
import render from 'preact-render-to-string';
import { expect, test } from 'vitest';
import { openerOnDisk } from '../../src/cli/commands/opened.ts';
import { bake } from '../../src/islands/lab/bake.ts';
import { MailButton, MailPanel } from '../../src/islands/lab/MailPanel.tsx';
import { answerLint, answerMail } from '../../src/islands/lab/mail-answers.ts';
import { createMailing } from '../../src/islands/lab/mailing.ts';
import type { Ask, Mailed } from '../../src/islands/lab/protocol.ts';
import { type Asker, createState } from '../../src/islands/lab/state.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { play } from '../../src/scenario/run.ts';
import { lab } from '../cli/lab.ts';

const opener = openerOnDisk();
const source = scenarioOf(opener.pages, 'nested-nmi');
if (!source) throw new Error('missing scenario: nested-nmi');
const timeline = play(source, opener.pages);
const baked = bake(timeline);
if (!baked) throw new Error('missing frames');
const { recipe } = timeline;
const SITE = 'https://nmi.example.org/lab';

const mail = async (...args: string[]) => (await lab(['mail', 'nested-nmi', ...args])).stdout;
const block = (changes: object = {}): Mailed => {
  const answer = answerMail(
    { kind: 'mail', recipe, boundary: timeline.cursor, changelog: false, site: SITE, ...changes },
    opener,
  );
  if (answer.kind === 'failed') throw new Error(answer.reason);
  return answer;
};

test('the block has the bytes of lab mail for the same moment, form and host', async () => {
  const host = ['--host', 'nmi.example.org/lab'];
  expect(block().text).toBe(await mail(...host));
  expect(block().text.split('\n')).toHaveLength(26);
  expect(block().text).toContain('[1] https://nmi.example.org/lab/s/nested-nmi/v0#t144~');
  expect(block({ changelog: true }).text).toBe(await mail('--changelog', ...host));
  expect(block({ boundary: 25 }).text).toBe(await mail('--at', 'b25', ...host));
});

test('a block as it should be has no problems and no findings, a draft in a changelog has one', () => {
  expect(block()).toMatchObject({ problems: [], findings: [] });
  expect(block({ changelog: true }).problems).toEqual([
    'invalid citation: nested-nmi v0 is a draft and may change; a changelog stays',
  ]);
});

test.each([
  ['http://127.0.0.1:4321', '127.0.0.1'],
  ['http://localhost:4321/a/b', 'localhost'],
  ['http://[::1]', '[::1]'],
])('a link into the own machine is a problem: %s', (site, name) => {
  const { text, problems } = block({ site });
  expect(problems).toEqual([`invalid host: ${name} is this machine, the link opens nowhere else`]);
  expect(text).toContain(`[1] ${site}/s/nested-nmi/v0#t144~`); // with its own scheme, so that it opens here
  expect(block({ site: `${SITE}/localhost` }).problems).toEqual([]);
});

test('a run that no link can say travels as its recipe, and says so', () => {
  const { text, problems } = block({
    recipe: recipe.replace('nested-nmi', 'mine'),
    site: 'http://localhost',
  });
  expect(problems).toEqual(['missing link: no page has the scenario mine v0 with this set-up']);
  expect(text).toContain('  scenario mine v0\n');
});

test('the linter measures by the form', () => {
  const text = `${'x'.repeat(73)}\n`;
  const sentences = (changelog: boolean) =>
    answerLint({ kind: 'lint', text, changelog }).findings.map(({ sentence }) => sentence);
  expect(sentences(false)).toEqual(['the line has 73 columns (at most 72; only tags may be longer)']);
  expect(sentences(true)).toEqual([]);
});

/** A panel whose worker answers at once, or when told to. */
function desk(answers?: (ask: Ask) => unknown) {
  const asked: Ask[] = [];
  const ask = ((question: Ask) => {
    asked.push(question);
    if (answers) return Promise.resolve(answers(question));
    return Promise.resolve(
      question.kind === 'mail'
        ? answerMail(question, opener)
        : question.kind === 'lint'
          ? answerLint(question)
          : { kind: 'played', timeline, standing: { state: 'same' } },
    );
  }) as Asker;
  const state = createState(baked as NonNullable<typeof baked>, ask, {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
    site: SITE,
  });
  return { asked, state, mailing: createMailing(state, ask) };
}

test('the block follows the playhead until it is written in; then it waits to be asked', async () => {
  const { asked, state, mailing } = desk();
  await state.load();
  await mailing.refresh();
  const { text, made } = mailing.draft.value;
  expect([text.value, mailing.edited.value, mailing.behind.value]).toEqual([block().text, false, false]);
  await mailing.refresh();
  expect(asked.filter(({ kind }) => kind === 'mail')).toHaveLength(1);
  state.moveTo(25);
  expect(mailing.behind.value).toBe(true);
  await mailing.refresh();
  expect([text.value, made.value?.boundary]).toEqual([block({ boundary: 25 }).text, 25]);
  text.value = `Hello,\n${text.value}`;
  state.moveTo(144);
  await mailing.refresh();
  expect([text.value.slice(0, 6), mailing.edited.value, mailing.behind.value]).toEqual([
    'Hello,',
    true,
    true,
  ]);
  await mailing.make();
  expect([text.value, mailing.edited.value]).toEqual([block().text, false]);
});

test('each form keeps what was typed in it', async () => {
  const { mailing } = desk();
  await mailing.refresh();
  mailing.draft.value.text.value = 'mine';
  mailing.form.value = 'changelog';
  await mailing.refresh();
  expect(mailing.draft.value.text.value).toBe(block({ changelog: true }).text);
  mailing.form.value = 'mail';
  await mailing.refresh();
  expect([mailing.draft.value.text.value, mailing.edited.value]).toEqual(['mine', true]);
});

test('findings are those of the text as it stands', async () => {
  const { mailing } = desk();
  await mailing.refresh();
  const { text, findings } = mailing.draft.value;
  text.value = 'This patch fixes do_nmi.\n';
  await mailing.check();
  expect(findings.value.map(({ line, column }) => `${line}:${column}`)).toEqual(['1:1', '1:18']);
  // An answer about what no longer stands there is dropped.
  const late = mailing.check();
  text.value = 'Fix do_nmi().\n';
  findings.value = [];
  await late;
  expect(findings.value).toEqual([]);
});

test('an error of ours is a problem, and the text stays', async () => {
  const { mailing } = desk(() => ({ kind: 'failed', reason: 'the worker did not start' }));
  await mailing.refresh();
  const { text, problems } = mailing.draft.value;
  expect([text.value, problems.value]).toEqual(['', ['the worker did not start']]);
});

const words = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

test('closed it is a button, open it is a labelled region', async () => {
  const { state, mailing } = desk();
  const panel = () => render(h(MailPanel, { state, mailing }));
  const button = () => render(h(MailButton, { mailing }));
  expect(panel()).toBe('');
  expect(button()).toContain('aria-expanded="false"');
  expect(button()).not.toContain('aria-controls');
  mailing.open.value = true;
  expect(button()).toContain(`aria-expanded="true" aria-controls="${mailing.id}"`);
  expect(panel()).toMatch(
    new RegExp(`^<section id="${mailing.id}" class="js mail" aria-label="Mail, nested-nmi">`),
  );
  expect(words(panel())).toContain('making it');
  await mailing.refresh();
  const html = panel();
  expect(html).toMatch(/<textarea[^>]*aria-label="Text of the mail"/);
  expect(html).toMatch(/<textarea[^>]*wrap="off"/);
  expect(words(html)).toContain('about boundary 144');
  expect(words(html)).toContain('25 lines, the widest has 71 columns; the dashed rule is at 72.');
  expect(words(html)).toContain('The linter has nothing to object to.');
});

test('problems, findings with place and source, and a moment that is no longer in view are told', async () => {
  const { state, mailing } = desk();
  await state.load();
  mailing.open.value = true;
  mailing.form.value = 'changelog';
  await mailing.refresh();
  mailing.draft.value.text.value = 'This patch fixes do_nmi().\n';
  await mailing.check();
  state.moveTo(3);
  const html = render(h(MailPanel, { state, mailing }));
  expect(words(html)).toContain('about boundary 144, the playhead is at 3 Discard edits');
  expect(words(html)).toContain('invalid citation: nested-nmi v0 is a draft');
  expect(html).toContain('aria-label="Problems of the block as it was made"');
  expect(words(html)).toContain(
    '1:1 give the code an order instead of a report on the patch Documentation/process/submitting-patches.rst, "Describe your changes"',
  );
  expect(words(html)).toContain('The linter has 1 objection.');
});
