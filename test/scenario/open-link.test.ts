/** What becomes of a link when the world behind it changes: same, changed or cannot run, and never another state in silence. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Machine } from '../../src/engine/machine.ts';
import { MODEL } from '../../src/engine/model.ts';
import { library, type Shelf } from '../../src/scenario/library.ts';
import { changesOfRun, findNamed } from '../../src/scenario/named.ts';
import { linkTo, type Opened, type Opener, openLink } from '../../src/scenario/open-link.ts';
import { parse, type Recipe } from '../../src/scenario/recipe.ts';
import { differenceText, recordOf } from '../../src/scenario/records.ts';
import { frozenRow } from '../../src/scenario/registry.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import { Random } from './recipe-random.ts';
import { opener } from './registry-fixture/fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const named = (from: Opener, slug: string, version: number): Recipe => {
  const found = findNamed(from.pages, slug, version);
  if ('problem' in found) throw new Error(found.problem);
  return found.recipe;
};
const digestOf = (opened: Opened): string | undefined =>
  opened.kind === 'cannot-run' ? undefined : opened.timeline.frames[opened.timeline.cursor]?.digest;

/** The digest at nested_nmi_out, and links to it: of the draft and of the frozen version. */
const whole = digestOf(openLink('/s/fixture-nmi/v1', opener()));
const draft = `/s/fixture-nmi/v0#t144~${whole}`;
const frozen = `/s/fixture-nmi/v1#t144~${whole}`;

type Change = (shelves: readonly Shelf[]) => readonly Shelf[];

/** Every line of code and of scenarios, changed. */
const lines =
  (change: (line: string) => string): Change =>
  (shelves) =>
    shelves.map((shelf) => ({
      ...shelf,
      asm: shelf.asm.map((cell) => ({ ...cell, lines: cell.lines.map(change) })),
      scenarios: shelf.scenarios.map((cell) => ({ ...cell, lines: cell.lines.map(change) })),
    }));
const renamed: Change = (shelves) =>
  lines((line) => line.replace('scenario fixture-nmi', 'scenario fixture-new'))(shelves).map((shelf) => ({
    ...shelf,
    scenarios: shelf.scenarios.map((cell) => ({ ...cell, name: 'fixture-new' })),
  }));

describe('as it was', () => {
  test('a link without a digest opens as recorded', () => {
    const sentence = 'as recorded; the link carries no digest.';
    expect(openLink('/s/fixture-nmi/v1#t25', opener())).toMatchObject({
      kind: 'same',
      sentence,
      differences: [],
    });
    expect(openLink('/s/fixture-nmi/v0', opener())).toMatchObject({
      kind: 'same',
      sentence: `${sentence} This scenario is a draft and may change.`,
    });
    expect(openLink('/s/fixture-nmi/v0', { ...opener(), records: {} }).sentence).toBe(
      'nothing is recorded of this run, and the link carries no digest to compare. This scenario is a draft and may change.',
    );
  });

  test('the reader picks another rule, and the record is still compared with its own', () => {
    for (const pick of [2, 5, 14, 512])
      expect(openLink('/s/fixture-nmi/v1', opener(), undefined, { pick })).toMatchObject({ kind: 'same' });
  });

  test('a rule of which the scenario speaks is shown, though its expectations are not said of this run', () => {
    const from = opener(
      lines((line) => line.replace('expect  verdict returns', 'expect  unwind end-5 right at b3')),
    );
    const ids = (opened: Opened) =>
      opened.kind === 'cannot-run' ? [] : opened.timeline.rules.map(({ id }) => id);
    expect(ids(openLink('/s/fixture-nmi/v0#t3', from))).toContain('end-5');
    expect(ids(openLink('/s/fixture-nmi/v0#t3', from, undefined, { pick: 6 }))).toContain('end-6');
  });

  test('a fragment refines the scenario of its page', () => {
    const base = { slug: 'fixture-nmi', version: 1 };
    expect(openLink(`#t144~${whole}`, opener(), base)).toMatchObject({
      kind: 'same',
      timeline: { version: 1 },
    });
    expect(openLink(`#t144~${whole}`, opener())).toMatchObject({ kind: 'cannot-run', recorded: [] });
  });

  test('what is usual is not a difference, whether it is written or not', () => {
    const from = opener();
    const recipe = named(from, 'fixture-nmi', 1);
    const run = playRecipe(recipe, from.pages);
    expect(recipe.start).toBeUndefined();
    expect(linkTo({ ...recipe, start: 'kernel-task' }, run, 144, from)).toBe(frozen);
    expect(linkTo({ ...recipe, start: 'user-task' }, run, 144, from)).toBeUndefined();
    const user = named(from, 'fixture-user', 1);
    const other = playRecipe({ ...user, body: 'quiet' }, from.pages);
    expect(linkTo({ ...user, body: 'quiet' }, other, 9, from)).toBe(linkTo(user, other, 9, from));
    expect(linkTo({ ...recipe, body: 'quiet', injects: [] }, other, 9, from)).toContain('.h~');
    expect(
      changesOfRun(
        { ...run, recipe: run.recipe.replace('body', 'start   kernel-task\nbody') },
        from.pages,
        {},
      ),
    ).toEqual([]);
    expect(
      changesOfRun({ ...run, recipe: run.recipe.replace('task+2', 'task+3') }, from.pages, {}),
    ).toBeUndefined();
  });

  test('events at labels that another body never reaches are written as boundaries', () => {
    const from = opener();
    const injects = [2, 75].map((n) => ({ event: 'nmi', position: { kind: 'boundary', n } }) as const);
    const quiet = {
      ...named(from, 'fixture-nmi', 1),
      body: undefined,
      injects,
      cursor: undefined,
      expects: [],
    };
    const run = playRecipe(quiet, from.pages);
    const link = linkTo(quiet, run, 30, from) ?? '';
    expect(link).toMatch(/#t30\.n2\.n75\.h~/);
    expect(openLink(link, from)).toMatchObject({ kind: 'same' });
  });
});

describe('a renamed scenario', () => {
  const entries = (alias: boolean) => (list: readonly { slug: string; versions: readonly number[] }[]) => [
    ...list.map((entry) =>
      entry.slug === 'fixture-nmi' && alias ? { ...entry, alias: 'fixture-new' } : entry,
    ),
    { slug: 'fixture-new', versions: [] },
  ];

  test('opens through its alias, draft and frozen, and says its name of today', () => {
    const from = opener(renamed, entries(true));
    const records = { 'fixture-new': recordOf(playRecipe({ ...named(from, 'fixture-new', 0) }, from.pages)) };
    expect(openLink(draft, { ...from, records })).toMatchObject({
      kind: 'same',
      sentence:
        'same: the state is the one the link was made for. fixture-nmi is called fixture-new now. This scenario is a draft and may change.',
    });
    expect(openLink(frozen, from)).toMatchObject({
      kind: 'same',
      sentence: 'same: the state is the one the link was made for. fixture-nmi is called fixture-new now.',
    });
    // An alias of an alias, and a link made under the new name.
    expect(openLink(draft.replace('fixture-nmi', 'fixture-old'), from)).toMatchObject({ kind: 'same' });
    const recipe = { ...named(from, 'fixture-nmi', 0) };
    expect(linkTo(recipe, playRecipe(recipe, from.pages), 144, from)).toBe(
      draft.replace('fixture-nmi', 'fixture-new'),
    );
  });

  test('without an alias cannot run, and shows what was recorded; what was frozen stays', () => {
    const from = opener(renamed, entries(false));
    const opened = openLink(draft, from);
    expect(opened).toMatchObject({
      kind: 'cannot-run',
      sentence: expect.stringMatching(/^unknown version: fixture-nmi v0/),
    });
    expect(opened.kind === 'cannot-run' && opened.recorded[0]).toBe(
      'b0 task: do_work+0x8/0x22, RSP task stack, NMIs open',
    );
    expect(openLink(frozen, from)).toMatchObject({ kind: 'same' });
    const gone = openLink(
      draft,
      opener(renamed, () => []),
    );
    expect(gone).toMatchObject({
      kind: 'cannot-run',
      sentence: 'unknown scenario: fixture-nmi (there is fixture-new)',
      recorded: expect.arrayContaining([expect.stringMatching(/^b144 nested_nmi_out: /)]),
    });
  });

  test('a circle of aliases ends', () => {
    const circle = [
      { slug: 'a', versions: [], alias: 'b' },
      { slug: 'b', versions: [], alias: 'a' },
    ];
    expect(
      openLink(
        '/s/a/v0',
        opener(undefined, () => circle),
      ),
    ).toMatchObject({ kind: 'cannot-run' });
  });
});

describe('another rule of the engine', () => {
  const step = Machine.prototype.step;
  /** IRETQ no longer opens the latch. */
  const noUnblocking = () =>
    vi.spyOn(Machine.prototype, 'step').mockImplementation(function (this: Machine) {
      const blocked = this.get('nmiBlocked');
      const made = step.call(this);
      if (made.instruction?.row.mnemonic === 'iretq' && this.get('nmiBlocked') !== blocked)
        this.set('nmiBlocked', blocked);
      return made;
    });
  /** The delivery of an NMI leaves DF set. */
  const otherFlags = () =>
    vi.spyOn(Machine.prototype, 'step').mockImplementation(function (this: Machine) {
      const made = step.call(this);
      if (made.kind === 'delivery' && made.vector === 2) this.setRflags(this.rflags() | 0x400n);
      return made;
    });

  test.each([
    ['IRETQ leaves NMIs blocked', noUnblocking],
    ['a delivery sets a flag', otherFlags],
  ])('%s: changed or cannot run, for the draft and for the frozen version', (_, spoil) => {
    spoil();
    for (const link of [
      draft,
      frozen,
      '/s/fixture-nmi/v1',
      '/s/fixture-nmi/v0/repeat_nmi',
      '/s/fixture-user/v1',
    ]) {
      const opened = openLink(link, opener());
      expect({ link, kind: opened.kind }).not.toEqual({ link, kind: 'same' });
      if (opened.kind === 'cannot-run') expect(opened.recorded.length).toBeGreaterThan(5);
      else expect(opened).toMatchObject({ sentence: expect.stringMatching(/^changed: .*recorded/) });
    }
  });

  test('the earliest difference is named, with what was recorded beside what is so now', () => {
    otherFlags();
    const opened = openLink(frozen, opener());
    if (opened.kind !== 'changed') throw new Error(opened.kind);
    expect(opened.sentence).toMatch(
      /^changed: the link was made for state \w{8}, this is \w{8}\. The first difference to the record is at nmi \(boundary 3\), digest: recorded \w{8}, now \w{8}\.$/,
    );
    const [here, first] = opened.differences;
    expect(here).toEqual({ where: 'boundary 144', field: 'digest', recorded: whole, now: digestOf(opened) });
    expect(first).toMatchObject({ where: 'nmi (boundary 3)', field: 'digest' });
  });

  test('a row of another model is not run at all', () => {
    const from = opener();
    const row = frozenRow(from.pages, 'fixture-nmi', 1);
    if (!row) throw new Error('missing row');
    const registry = { ...from.pages.registry, row: () => ({ ...row, model: MODEL + 1 }) };
    const pages = Object.assign(library([...from.pages.values()]), { registry }) as Opener['pages'];
    const opened = openLink(frozen, { ...from, pages });
    expect(opened).toMatchObject({
      kind: 'cannot-run',
      sentence: `missing engine: fixture-nmi v1 was frozen under model ${MODEL + 1}, and this release brings only model ${MODEL}`,
      recorded: expect.arrayContaining([expect.stringMatching(/^b144 nested_nmi_out: nested_nmi_out/)]),
    });
  });
});

describe('a changed page', () => {
  test('a checkpoint that is gone', () => {
    const gone = lines((line) => (/^\s*\.globl\s+repeat_nmi\b/.test(line) ? '' : line));
    const from = opener(gone);
    const opened = openLink('/s/fixture-nmi/v0/repeat_nmi', from);
    expect(opened).toMatchObject({
      kind: 'cannot-run',
      sentence: expect.stringMatching(/^unknown checkpoint: repeat_nmi \(fixture-nmi reaches task, /),
      recorded: expect.arrayContaining([expect.stringMatching(/^b25 repeat_nmi: /)]),
    });
    expect(openLink('/s/fixture-nmi/v0#t25', from)).toMatchObject({
      kind: 'changed',
      sentence: expect.stringMatching(
        /^changed: at repeat_nmi \(boundary 25\), checkpoint: recorded reached, now not reached\./,
      ),
    });
    // The boundary decides, and its state is still the same: both is said.
    const beside = openLink(`/s/fixture-nmi/v0/repeat_nmi#t144~${whole}`, from);
    expect(beside.sentence).toMatch(/What decides is the boundary; unknown checkpoint: repeat_nmi/);
    expect(openLink(`/s/fixture-nmi/v1/repeat_nmi#t144~${whole}`, from)).toMatchObject({
      kind: 'same',
      sentence: 'same: the state is the one the link was made for.',
    });
  });

  test('a label of the scenario itself that is gone', () => {
    const from = opener(lines((line) => line.replace(/\bint3_entry\b(?=[^_])/g, 'int4_entry')));
    const opened = openLink(draft, from);
    expect(opened).toMatchObject({
      kind: 'cannot-run',
      recorded: expect.arrayContaining([expect.stringMatching(/^b0 /)]),
    });
    const cursor = opener(lines((line) => line.replace('cursor  nested_nmi_out', 'cursor  nowhere')));
    expect(openLink(draft, cursor)).toMatchObject({
      kind: 'same',
      sentence: expect.stringMatching(
        /Elsewhere .*first at the whole run, recipe: recorded cursor nested_nmi_out, now cursor nowhere/,
      ),
    });
    expect(openLink('/s/fixture-nmi/v0', cursor)).toMatchObject({
      kind: 'cannot-run',
      sentence: expect.stringMatching(/^unknown label: nowhere/),
    });
  });

  test('an instruction that is another', () => {
    const from = opener(lines((line) => line.replace('pushq\t$KERNEL_DS', 'pushq\t$0')));
    expect(openLink(draft, from)).toMatchObject({ kind: 'changed' });
    expect(openLink('/s/fixture-nmi/v0', from).sentence).toMatch(/^changed: at nested_nmi_out|^changed: at /);
    expect(openLink(frozen, from)).toMatchObject({ kind: 'same' });
  });

  test('a design that is gone, or a page that it includes', () => {
    for (const slug of ['linux-4.2', 'kernel-4.2']) {
      const from = opener((shelves) => shelves.filter((shelf) => shelf.slug !== slug));
      const opened = openLink(draft, from);
      expect(opened.kind).toBe('cannot-run');
      expect(opened.kind === 'cannot-run' && opened.recorded.length).toBeGreaterThan(10);
      expect(openLink(frozen, from)).toMatchObject({ kind: 'same' });
    }
  });

  test('the same state, but an unwinder says something else: changed', () => {
    const from = opener();
    const record = from.records['fixture-nmi'];
    if (!record) throw new Error('missing record');
    const steps = record.steps.map((step) =>
      step.checkpoint === 'nested_nmi_out' ? { ...step, verdicts: 'end-2 right' } : step,
    );
    const records = { 'fixture-nmi': { ...record, steps } };
    expect(openLink(draft, { ...from, records })).toMatchObject({
      kind: 'changed',
      sentence: expect.stringMatching(
        /^changed: the state is the one the link was made for, but at nested_nmi_out \(boundary 144\), verdicts: recorded end-2 right, now end-2 /,
      ),
    });
    const other = openLink(draft.replace(/t144.*/, `t25~${from.records['fixture-nmi']?.steps[3]?.digest}`), {
      ...from,
      records,
    });
    expect(other).toMatchObject({
      kind: 'same',
      sentence: expect.stringContaining('Elsewhere the scenario differs'),
    });
  });
});

test('of a longer text the first line that differs is told', () => {
  const where = 'the whole run';
  const said = (recorded: string, now: string) => differenceText({ where, field: 'recipe', recorded, now });
  expect(said('a\nb  c\n', 'a\nd\n')).toBe('at the whole run, recipe: recorded b c, now d');
  expect(said('a\n', 'a\nd\n')).toBe('at the whole run, recipe: recorded nothing, now d');
});

test('random states of frozen versions: link -> state -> link', () => {
  const from = opener();
  const edits = named(from, 'fixture-nmi', 2).edits.map(({ block, lines: text }) => ({ block, lines: text }));
  let made = 0;
  for (let seed = 0; seed < 30; seed++) {
    const r = new Random(seed);
    const [slug, version] = r.pick([
      ['fixture-nmi', 0],
      ['fixture-nmi', 1],
      ['fixture-nmi', 2],
      ['fixture-user', 1],
    ] as const);
    const base = named(from, slug, version);
    const strikes = r
      .list(3, () => r.below(200))
      .map((n) => ({ event: 'nmi', position: { kind: 'boundary', n } }) as const);
    const recipe: Recipe = {
      ...base,
      injects: r.chance(40) ? base.injects : strikes,
      body: r.chance(40) ? base.body : r.pick([undefined, 'quiet', 'int3']),
      edits: r.chance(60) ? base.edits : r.pick([[], edits]),
      cursor: undefined,
      expects: [],
    };
    const run = playRecipe(recipe, from.pages);
    if (run.frames.length === 0) continue; // an event at a label that this body never reaches
    const boundary = r.below(run.frames.length);
    const link = linkTo(recipe, run, boundary, from) ?? '';
    const opened = openLink(`https://x.example/base${link}`, from);
    const where = `seed ${seed} ${link}`;
    expect({ where, kind: opened.kind, sentence: opened.sentence }).toMatchObject({ where, kind: 'same' });
    if (opened.kind === 'cannot-run') continue;
    expect(opened.timeline.frames[boundary]?.digest, where).toBe(run.frames[boundary]?.digest);
    const back = parse({ page: '', name: '', line: 1, lines: opened.timeline.recipe.split('\n') }).recipe;
    if (!back) throw new Error(where);
    expect(linkTo(back, opened.timeline, opened.timeline.cursor, from), where).toBe(link);
    made++;
  }
  expect(made).toBeGreaterThan(18);
});
