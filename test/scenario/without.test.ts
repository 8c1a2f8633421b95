import { expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { codec } from '../../src/literate/codec.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { cellOf, type Library, library } from '../../src/scenario/library.ts';
import { lint } from '../../src/scenario/lint.ts';
import { readPaste } from '../../src/scenario/mail-in.ts';
import { linkTo, type Opener, openLink } from '../../src/scenario/open-link.ts';
import { programOf } from '../../src/scenario/program.ts';
import { parse } from '../../src/scenario/recipe.ts';
import type { Recipe } from '../../src/scenario/recipe-types.ts';
import { pagesFor, registry } from '../../src/scenario/registry.ts';
import { freeze, playRow } from '../../src/scenario/registry-freeze.ts';
import { play, playRecipe } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const opener: Opener = { pages, records: {}, codec };
const source = (...lines: string[]) => ({
  page: 'test',
  name: 'x',
  line: 1,
  lines: ['scenario x v0', 'design linux-4.2', ...lines],
});
const NESTED = ['body int3', 'inject nmi at task+2', 'inject nmi at int3_entry'];

test('every safeguard of linux-4.2 has its name, and can be taken out alone', () => {
  const { safeguards, image } = programOf(pages, 'linux-4.2');
  expect(safeguards.map(({ name }) => name)).toEqual([
    'copy-frames',
    'outermost',
    'test-b',
    'test-c',
    'test-d',
    'test-e',
    'std-before-clear',
    'clear-executing',
    'set-in-repeat',
    'user-stack-switch',
    'keep-rdx',
    'cannot-fault-return',
    'test-d-keep-e',
    'nmi-state',
    'cr2-save',
  ]);
  const text = (made: typeof image) => JSON.stringify(made.segments.map(({ bytes }) => [...bytes]));
  const all = new Set([text(image)]);
  for (const { name, about } of safeguards) {
    expect(about).not.toBe('');
    const { problems, image: made } = programOf(pages, 'linux-4.2', { without: [name] });
    expect(problems.map(problemText)).toEqual([]);
    all.add(text(made));
  }
  expect(all.size).toBe(safeguards.length + 1);
});

test('a program is kept by its safeguards, in whatever order they are named', () => {
  const made = programOf(pages, 'linux-4.2', { without: ['test-b', 'test-c'] });
  expect(programOf(pages, 'linux-4.2', { without: ['test-c', 'test-b', 'test-c'] })).toBe(made);
  expect(programOf(pages, 'linux-4.2', { without: ['test-b'] })).not.toBe(made);
});

test('an unknown name says which there are, at its place', () => {
  const [problem] = play(source('without test-b, test-q'), pages).problems;
  expect(problem && problemText(problem)).toMatch(
    /^test:3:17: unknown safeguard: test-q \(linux-4\.2 has copy-frames, outermost, test-b, /,
  );
});

test('removed lines stay in the listing, in their place', () => {
  const { code, outcome, without } = play(source('without test-c', ...NESTED), pages);
  expect([outcome.verdict, without]).toEqual(['lost', ['test-c']]);
  const at = code.findIndex(({ kind }) => kind === 'removed');
  expect(code.slice(at - 1, at + 3).map(({ kind, text }) => [kind, text])).toEqual([
    ['instruction', 'jb nested_nmi_out'],
    ['removed', 'cmpl $1, -8(%rsp)'],
    ['removed', 'je nested_nmi'],
    ['instruction', 'leaq 48(%rsp), %rdx'],
  ]);
  const included = play(source('without nmi-state'), pages).code;
  const first = included.findIndex(({ kind }) => kind === 'removed');
  expect(included.slice(first - 1, first + 2).map(({ text, depth }) => [text, depth])).toEqual([
    ['movq %rsp, %rbp', 1],
    ['cmpl $0, %gs:NMI_STATE', 1],
    ['jne 3f', 1],
  ]);
});

test('a reader may edit a cell and take a safeguard out of the edit', () => {
  const cell = cellOf(pages, 'linux-4.2#test-c')?.lines ?? [];
  const lines = [...cell.map((line) => `|${line.replaceAll('\t', ' ')}`), '| nop #: safeguard test-c'];
  const { code, problems } = play(source('without test-c', 'edit linux-4.2#test-c', ...lines), pages);
  expect(problems.map(problemText)).toEqual([]);
  expect(code.filter(({ kind }) => kind === 'removed').map(({ text }) => text)).toEqual([
    'cmpl $1, -8(%rsp)',
    'je nested_nmi',
    'nop',
  ]);
});

test('a link carries it there and back', () => {
  const named = parse(pages.get('index')?.scenarios[0] ?? source()).recipe as Recipe;
  const recipe: Recipe = { ...named, without: ['test-c'], expects: [], cursor: undefined };
  const timeline = playRecipe(recipe, pages);
  const link = linkTo(recipe, timeline, timeline.frames.length - 1, opener) ?? '';
  expect(link).toMatch(/^\/s\/nested-nmi\/v0#t\d+\.w_test-c~\w{8}$/);
  const opened = openLink(link, opener);
  expect(opened.kind).toBe('same');
  expect(opened.kind === 'same' && opened.timeline.without).toEqual(['test-c']);
  expect(openLink('/s/nested-nmi/v0#t3.w_test-q', opener)).toMatchObject({
    kind: 'cannot-run',
    sentence: expect.stringMatching(/^unknown safeguard: test-q \(linux-4\.2 has /),
  });
});

test('a quoted mail carries it, and the linter has nothing against it', () => {
  const text = `Hi,\n\n> > scenario x v0 design linux-4.2 without test-c,\n> > test-b ${NESTED.join(' ')}\n`;
  const pasted = readPaste(text);
  expect(pasted.kind).toBe('recipe');
  const { without, outcome } = play(pasted.kind === 'recipe' ? pasted.source : source(), pages);
  expect([without, outcome.verdict]).toEqual([['test-b', 'test-c'], 'lost']);
  expect(lint('  scenario x v0\n  without test-c, test-b\n')).toEqual([]);
});

test('a frozen row keeps the program without it, and can put it back', () => {
  const text = {
    ...source('without test-c', ...NESTED, 'expect verdict lost'),
    lines: ['scenario wo v0', 'design linux-4.2', 'without test-c', ...NESTED, 'expect verdict lost'],
  };
  const shelf = { slug: 'p', page: 'p.mdx', title: 'p', design: false, asm: [] };
  const own: Library = library([...pages.values(), { ...shelf, scenarios: [{ ...text, name: 'wo' }] }]);
  const frozen = freeze('wo', own);
  if ('problems' in frozen) throw new Error(frozen.problems.join('\n'));
  const { row } = frozen;
  expect(playRow(row).outcome.verdict).toBe('lost');
  const home = pagesFor(library([], registry([{ slug: 'wo', versions: [1] }], [row])), 'wo', 1);
  if ('problem' in home) throw new Error(home.problem);
  const { recipe } = parse({ ...text, lines: row.recipe.split('\n') });
  // The bytes of the row itself, not assembled again; another variant is, from the row's text.
  expect(programOf(home.pages, 'linux-4.2', recipe).image).toBe(row.program.image);
  const whole = programOf(home.pages, 'linux-4.2');
  expect(whole.image.segments).toEqual(programOf(pages, 'linux-4.2').image.segments);
  expect(whole.safeguards.map(({ name }) => name)).toContain('test-c');
});
