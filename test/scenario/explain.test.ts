import { expect, test } from 'vitest';
import { codec } from '../../src/literate/codec.ts';
import { difference, explain, explainedText } from '../../src/scenario/explain.ts';
import { library } from '../../src/scenario/library.ts';
import { linkTo } from '../../src/scenario/open-link.ts';
import { rawLine } from '../../src/scenario/recipe.ts';
import { recordOf } from '../../src/scenario/records.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import { named, pages, randomRun } from './random-run.ts';
import { Random } from './recipe-random.ts';

const recipe = named('nested-nmi');
const opener = {
  pages,
  codec,
  records: { 'nested-nmi': recordOf(playRecipe(recipe, pages)) },
};
const digestAt = (boundary: number) => playRecipe(recipe, pages).frames[boundary]?.digest ?? '';

test('every part in words, the differences as lines, and what became of it', () => {
  const link = '/s/nested-nmi/v0#t25.n3.n40.h';
  const { parts, recipe: lines, outcome, at, canonical, edits } = explain(`https://x.example${link}`, opener);
  expect(parts).toEqual([
    {
      text: '/s/nested-nmi',
      says: expect.stringMatching(/^the scenario "A second NMI in the wake of a breakpoint", on .*\.mdx$/),
    },
    { text: 'v0', says: 'a draft, which may change' },
    { text: 't25', says: 'the cursor at boundary 25' },
    { text: 'n3', says: 'an NMI strikes at boundary 3' },
    { text: 'n40', says: 'an NMI strikes at boundary 40' },
    { text: 'h', says: 'the handler body is the usual one' },
  ]);
  expect(lines.filter((line) => !line.startsWith(' '))).toEqual([
    '-body    int3',
    '-inject  nmi at task+2',
    '-inject  nmi at int3_entry',
    '-cursor  nested_nmi_out',
    '+inject  nmi at b3',
    '+inject  nmi at b40',
    '+cursor  b25',
  ]);
  expect({ outcome, at, canonical, edits }).toEqual({
    outcome: 'same',
    at: 'boundary 25, first_nmi+0x1b',
    canonical: link,
    edits: [],
  });
});

test('same, changed and cannot run', () => {
  expect(explain(`/s/nested-nmi/v0#t144~${digestAt(144)}`, opener)).toMatchObject({
    outcome: 'same',
    digest: digestAt(144),
    details: [],
    at: 'boundary 144, nested_nmi_out',
  });
  expect(explain('/s/nested-nmi/v0#t144~ggggggg2', opener)).toMatchObject({
    outcome: 'changed',
    details: [`boundary 144, digest: recorded ggggggg2, now ${digestAt(144)}`],
  });
  const gone = explain('/s/nested-nmi/v0/nowhere', opener);
  expect(gone).toMatchObject({ outcome: 'cannot-run', digest: undefined, at: undefined });
  expect(gone.sentence).toMatch(/^unknown checkpoint: nowhere/);
  expect(gone.details[0]).toMatch(/^b0 task: do_work/);
  expect(explain('/s/never/v3#t1', opener).parts[0]?.says).toMatch(
    /^a scenario that no page has \(there is .*nested-nmi/,
  );
  expect(explain('nonsense', opener)).toMatchObject({
    outcome: 'cannot-run',
    canonical: undefined,
    parts: [],
    sentence: 'missing scenario: no /s/SLUG/vN in nonsense',
  });
});

test('an edit is shown against its cell', () => {
  const cell = pages
    .get('linux-4.2')
    ?.asm.find(({ lines }) => lines.some((line) => line.startsWith('nested_nmi_out:')));
  if (!cell) throw new Error('missing cell');
  const at = cell.lines.findIndex((line) => line.startsWith('nested_nmi_out:'));
  const lines = cell.lines.toSpliced(at + 1, 0, '        nop').map(rawLine);
  const edited = { ...recipe, expects: [], edits: [{ block: `linux-4.2#${cell.name}`, lines }] };
  const timeline = playRecipe(edited, pages);
  const explained = explain(linkTo(edited, timeline, timeline.cursor, opener) ?? '', opener);
  expect(explained.parts.find(({ text }) => text === 'z...')?.says).toBe(
    `an edited cell: linux-4.2#${cell.name}`,
  );
  expect(explained.edits.map(({ block }) => block)).toEqual([`linux-4.2#${cell.name}`]);
  expect(explained.edits[0]?.lines.filter((line) => /^[+-]/.test(line))).toContain('+        nop');
  expect(explained.edits[0]?.lines.length).toBeLessThan(lines.length);
});

test('the text names outcome, parts and digest', () => {
  const text = explainedText(explain(`/s/nested-nmi/v0#t144~${digestAt(144)}`, opener)).join('\n');
  expect(text).toContain('same: the state is the one the link was made for');
  expect(text).toContain(`at boundary 144, nested_nmi_out, digest ${digestAt(144)}`);
  expect(explainedText(explain('x', opener)).join('\n')).toBe(
    'cannot run: missing scenario: no /s/SLUG/vN in x',
  );
});

test('a difference keeps both sides: without + the one, without - the other', () => {
  for (let seed = 0; seed < 300; seed++) {
    const r = new Random(seed);
    const some = () => Array.from({ length: r.below(12) }, () => r.pick(['a', 'b', 'c', '\td', '']));
    const [before, after] = [some(), some().map((line) => line.replace('\t', '        '))];
    const lines = difference(before, after);
    const side = (mark: string) => lines.filter((line) => line[0] !== mark).map((line) => line.slice(1));
    if (lines.length === 0) expect(before.map((line) => line.replace('\t', '        '))).toEqual(after);
    else
      expect([side('+'), side('-')], `seed ${seed}`).toEqual([
        before.map((line) => line.replace('\t', '        ')),
        after,
      ]);
  }
  expect(difference(Array(700).fill('a'), Array(700).fill('b'))).toHaveLength(1400);
});

test('random links are explained; a library without their scenario says so', () => {
  for (let seed = 0; seed < 8; seed++) {
    const { recipe: one, timeline, boundary } = randomRun(new Random(seed));
    const link = linkTo(one, timeline, boundary, opener) ?? '';
    expect(explain(link, opener)).toMatchObject({ outcome: 'same', canonical: link });
    expect(explain(link, { ...opener, pages: library([]) })).toMatchObject({
      outcome: 'cannot-run',
      canonical: link,
    });
  }
});
