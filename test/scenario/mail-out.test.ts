import { expect, test } from 'vitest';
import { codec } from '../../src/literate/codec.ts';
import { lint } from '../../src/scenario/lint.ts';
import { readPaste } from '../../src/scenario/mail-in.ts';
import { HOST, type MailOptions, mailFor } from '../../src/scenario/mail-out.ts';
import { linkTo, openLink } from '../../src/scenario/open-link.ts';
import { parse, print, type Recipe } from '../../src/scenario/recipe.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import type { Timeline } from '../../src/scenario/timeline.ts';
import { breakLines, crlf, quote, quotedPrintable, refill } from './mailers.ts';
import { named, pages, randomRun } from './random-run.ts';
import { Random } from './recipe-random.ts';

const opener = { pages, records: {}, codec };
const mailOf = (recipe: Recipe, at?: number, options: MailOptions = {}) => {
  const timeline = playRecipe(recipe, pages);
  const boundary = at ?? timeline.cursor;
  return mailFor(timeline, recipe, boundary, linkTo(recipe, timeline, boundary, opener), options);
};
const linesOf = (text: string) => text.trimEnd().split('\n');
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));
/** ENTRYLAB_STATES=500 looks further. */
const STATES = Number(process.env.ENTRYLAB_STATES ?? 24);
/** As checkpatch looks for commit ids. */
const COMMIT_ID = /(?:\s|^)[\da-f]{12,40}(?:[\s"'([]|$)/;

test('the nested NMI as mail, to the byte', () => {
  expect(mailOf(named('nested-nmi'), undefined, { host: 'nmi.example.org' })).toEqual({
    problems: [],
    text: `At label nested_nmi_out, end[-2] holds top-296, in the NMI stack again:
already visited, so the walk ends before the task.

    task           NMI 1                     NMI 2
    nmi at task+2
                   nmi at int3_entry, waits
                                             after iretq: RSP top-40
                                             nested_nmi_out  <--

  Call Trace:
   <NMI>
   ? nmi_body_int3+0x22/0x2d
   <EOE>

  scenario nested-nmi v0
  design  linux-4.2
  start   kernel-task
  body    int3
  inject  nmi at task+2
  inject  nmi at int3_entry
  cursor  nested_nmi_out
  expect  unwind end-2 stops-early-silently at cursor

Replay in 255 steps, forwards and back, every stack word named: [1]
[1] https://nmi.example.org/s/nested-nmi/v0#t144~zrj6r2sf
`,
  });
});

test('the form for a changelog: no recipe, one tag, nothing that the linter minds', () => {
  const { text, problems } = mailOf(named('nested-nmi'), undefined, { changelog: true });
  expect(problems).toEqual(['invalid citation: nested-nmi v0 is a draft and may change; a changelog stays']);
  expect(widest(text)).toBeLessThanOrEqual(75);
  expect(text).not.toContain('scenario');
  expect(text.match(/^[\w-]+: .*$/gm)).toEqual([`Link: https://${HOST}/s/nested-nmi/v0#t144~zrj6r2sf`]);
  expect(lint(text)).toEqual([]);
});

/** What a mailer may do on the way: each must leave the scenario whole. */
const WAYS: readonly ((text: string) => string)[] = [
  (text) => quotedPrintable(breakLines(quote(quote(text)), 72, true).join('\n')),
  (text) => quotedPrintable(breakLines(quote(quote(text)), 72, false).join('\n')),
  (text) => crlf(quotedPrintable(quote(quote(refill(text, 68))))),
];

test('random states: mail -> quoted twice -> re-wrapped -> quoted-printable -> paste: same scenario, same digest', () => {
  for (let seed = 0; seed < STATES; seed++) {
    const r = new Random(seed);
    const { recipe, timeline, boundary } = randomRun(r);
    const link = linkTo(recipe, timeline, boundary, opener);
    const { text, problems } = mailFor(timeline, recipe, boundary, link);
    const where = `seed ${seed}\n${text}`;
    // An address can be too long for its line; everything else must fit.
    const long = linesOf(text).at(-1) ?? '';
    const rest = text.replace(long, '');
    expect(problems, where).toEqual(
      long.length > 72 ? [`invalid link: its line has ${long.length} columns (at most 72)`] : [],
    );
    expect(linesOf(text).length, where).toBeLessThanOrEqual(25);
    expect(widest(rest), where).toBeLessThanOrEqual(72);
    expect(/^[\n -~]*$/.test(text), where).toBe(true);
    expect(COMMIT_ID.test(text), where).toBe(false);
    expect(lint(rest, { columns: 72 }), where).toEqual([]);
    expect(link, where).toMatch(/^[\w./#~-]*[\w-]$/);
    const paste = readPaste(r.pick(WAYS)(text));
    if (paste.kind !== 'recipe') throw new Error(`${paste.kind}\n${where}`);
    const { recipe: back } = parse(paste.source);
    if (!back) throw new Error(where);
    const second = playRecipe(back, pages);
    expect(second.problems, where).toEqual([]);
    expect(second.frames[second.cursor]?.digest, where).toBe(timeline.frames[boundary]?.digest);
    expect(linkTo(back, second, second.cursor, opener), where).toBe(link);
    const kept = ({ title: _, ...rest }: Recipe) =>
      print({ ...rest, notes: [], expects: [], cursor: undefined });
    expect(kept(back), where).toBe(kept(recipe));
  }
});

test('random states: link -> state -> link', () => {
  for (let seed = 100; seed < 112; seed++) {
    const { recipe, timeline, boundary } = randomRun(new Random(seed));
    const link = linkTo(recipe, timeline, boundary, opener) ?? '';
    const opened = openLink(`https://${HOST}${link}`, opener);
    if (opened.kind !== 'same') throw new Error(`${opened.kind}: ${opened.sentence}`);
    expect(opened.timeline.cursor).toBe(boundary);
    const injects = opened.timeline.injections.map(({ event, boundary: n }) => ({
      event,
      position: { kind: 'boundary', n } as const,
    }));
    expect(linkTo({ ...recipe, injects }, opened.timeline, boundary, opener)).toBe(link);
  }
});

test('what the block expects holds, and it speaks of the boundary it is made for', () => {
  const recipe = named('nested-nmi');
  const steps = playRecipe(recipe, pages).steps;
  for (const { boundary } of steps) {
    const { text, problems } = mailOf(recipe, boundary);
    expect({ boundary, problems }).toEqual({ boundary, problems: [] });
    const paste = readPaste(text);
    const back = paste.kind === 'recipe' ? parse(paste.source).recipe : undefined;
    if (!back) throw new Error(text);
    const again = playRecipe(back, pages);
    expect({ boundary, cursor: again.cursor, problems: again.problems }).toEqual({
      boundary,
      cursor: boundary,
      problems: [],
    });
  }
});

test('an expectation that does not hold is not sent', () => {
  const recipe = named('one-nmi');
  const wrong = { ...recipe, expects: [{ kind: 'count', of: 'deliveries', n: 7 } as const] };
  // Before the NMI no unwinder is asked: there is room for what the recipe expects.
  expect(mailOf(wrong, 2).text).not.toContain('deliveries');
  expect(mailOf(recipe, 2).text).toContain('expect  count deliveries 1');
});

test("of unwinders that fail the worst is spoken of, and the reader's own only if the recipe does", () => {
  const recipe = named('nested-nmi');
  expect(mailOf(recipe, 20).text).toMatch(
    /^At boundary 20, first_nmi\+0xb, end\[-14\] holds task RSP\+64, not task RSP:/,
  );
  const pick = { kind: 'unwind', unwinder: 'end-9', judgement: 'wrong-silently' } as const;
  expect(mailOf({ ...recipe, expects: [pick] }, 20).text).toMatch(
    /^At boundary 20, first_nmi\+0xb, end\[-9\] /,
  );
});

test('the trace has neither registers nor addresses, and shows how it ended', () => {
  for (const { boundary } of playRecipe(named('nested-nmi'), pages).steps) {
    const { text } = mailOf(named('nested-nmi'), boundary);
    expect(text).not.toMatch(/RIP:|\[</);
  }
  expect(mailOf(named('nested-nmi'), 26).text).not.toMatch(/Call Trace:\n\n/);
});

test('a link fits its line, after [1] and after Link:', () => {
  const three = (...at: number[]): Recipe => ({
    ...named('nested-nmi'),
    expects: [],
    injects: at.map((n) => ({ event: 'nmi', position: { kind: 'boundary', n } }) as const),
  });
  // Three events that the named scenario itself has are not written at all; these three are.
  const { text, problems } = mailOf(three(3, 125, 140), 144);
  expect(problems).toEqual([]);
  const last = linesOf(text).at(-1) ?? '';
  expect(last).toMatch(/^\[1\] https:\/\/[\w.]+\/s\/nested-nmi\/v0#t144\.n3\.n125\.n140~\w{8}$/);
  expect(last.length).toBeLessThanOrEqual(72);
  const tag = mailOf(three(3, 60, 90), 95, { changelog: true }).text.match(/^Link: .*$/m)?.[0] ?? '';
  expect(tag).toContain('#t95.n3.n60.n90~');
  expect(tag.length).toBeLessThanOrEqual(72);
});

const cell = () =>
  pages.get('linux-4.2')?.asm.find(({ lines }) => lines.some((line) => /^nested_nmi_out:/.test(line)));

test('edited code travels as text; only its lines go beyond 25', () => {
  const source = cell();
  if (!source) throw new Error('missing cell');
  const lines = [...source.lines.map((line) => line.replaceAll('\t', '        ').trimEnd()), '        nop'];
  const recipe: Recipe = {
    ...named('nested-nmi'),
    expects: [],
    edits: [{ block: `linux-4.2#${source.name}`, lines }],
  };
  const timeline = playRecipe(recipe, pages);
  expect(timeline.problems).toEqual([]);
  const { text, problems } = mailOf(recipe);
  expect(linesOf(text).length).toBeLessThanOrEqual(25 + lines.length + 1);
  expect(problems).toContainEqual(
    expect.stringMatching(
      new RegExp(`^invalid block: \\d+ lines \\(at most 25\\); ${lines.length + 1} of them are edited code$`),
    ),
  );
  expect(linesOf(text).at(-1)).toBe(`[1] https://${HOST}/s/nested-nmi/v0`);
  const paste = readPaste(quotedPrintable(quote(quote(text))));
  const back = paste.kind === 'recipe' ? parse(paste.source).recipe : undefined;
  if (!back) throw new Error(text);
  const second = playRecipe(back, pages);
  expect(second.frames[second.cursor]?.digest).toBe(timeline.frames[timeline.cursor]?.digest);
  expect(back.edits.map(({ lines }) => lines)).toEqual([lines]);
});

test('many events: the table goes before the recipe does, and it is said', () => {
  const many = (count: number): Recipe => ({
    ...named('nested-nmi'),
    expects: [],
    cursor: undefined,
    injects: Array.from(
      { length: count },
      (_, n) => ({ event: 'nmi', position: { kind: 'boundary', n: 3 + 9 * n } }) as const,
    ),
  });
  for (const count of [5, 7, 9, 11]) {
    const { text } = mailOf(many(count), 60);
    expect({ count, fits: linesOf(text).length <= 25 }).toEqual({ count, fits: true });
    const paste = readPaste(text);
    expect(paste.kind === 'recipe' && parse(paste.source).recipe?.injects.length).toBe(count);
  }
  expect(mailOf(many(11), 60).problems).toContainEqual(
    expect.stringMatching(/^invalid block: no room for the race table/),
  );
  expect(mailOf(many(30), 60).problems).toContainEqual(
    expect.stringMatching(/^invalid block: \d+ lines \(at most 25\)$/),
  );
});

test('what has no link, and what has not run', () => {
  const { text, problems } = mailOf({ ...named('nested-nmi'), slug: 'unheard-of' });
  expect(problems).toEqual(['missing link: no page has the scenario unheard-of v0 with this set-up']);
  expect(text).not.toContain('[1]');
  expect(text).toContain('  scenario unheard-of v0\n');
  expect(mailOf({ ...named('nested-nmi'), design: 'nowhere' })).toEqual({
    text: '',
    problems: [expect.stringMatching(/^missing run: unknown design: nowhere/)],
  });
  expect(mailOf(named('nested-nmi'), 999).problems).toEqual(['invalid boundary: 999 (0 to 255)']);
});

test('a claim of the sender stands instead of ours, in ASCII', () => {
  const { text } = mailOf(named('nested-nmi'), undefined, { claim: 'NMI \u2192 NMI: nobody comes back.' });
  expect(text.startsWith('NMI ? NMI: nobody comes back.\n\n')).toBe(true);
});

test('lost and others are said first', () => {
  const recipe = named('nested-nmi');
  const timeline = playRecipe(recipe, pages);
  const lost: Timeline = {
    ...timeline,
    outcome: { verdict: 'lost', sentence: 'an NMI came and no handler ran for it' },
  };
  const { text } = mailFor(lost, recipe, timeline.cursor, '/s/x/v1');
  expect(text.startsWith('The run ends badly (lost): an NMI came and no handler ran for it.')).toBe(true);
  expect(text).toContain('  expect  verdict lost\n');
});
