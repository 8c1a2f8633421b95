/** What unwinders print and read at one boundary, on the page's own run of a nested NMI. */
import { describe, expect, test } from 'vitest';
import type { OrcRow } from '../../src/image/orc.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { type Dump, type DumpBy, dumpAt, type OrcEdit, trustedOver } from '../../src/scenario/dump.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { runOf } from '../../src/scenario/reader.ts';

const pages = libraryOnDisk();
const source = scenarioOf(pages, 'nested-nmi');
if (!source) throw new Error('no scenario: nested-nmi');
const run = runOf(pages, 'nested-nmi');
const UNWINDERS = ['dump-trace', 'frame-pointer-4.10', 'orc-6.12'];
const dump = (at: string, edits: readonly OrcEdit[] = []): Dump => {
  const made = dumpAt(source, pages, { boundary: run.boundary(at), unwinders: UNWINDERS, edits });
  if (typeof made === 'string') throw new Error(made);
  return made;
};
const by = ({ by: all }: Dump, unwinder: string): DumpBy => {
  const found = all.find((one) => one.unwinder === unwinder);
  if (!found) throw new Error(`unknown unwinder: ${unwinder}`);
  return found;
};
const after = dump('after_int3-2');
const before = dump('first_nmi');
/** Places that a line was read from, as a reader sees them. */
const reads = (of: Dump, unwinder: string, text: string): readonly string[] => {
  const words = of.stacks.flatMap(({ words: all }) => all);
  const line = by(of, unwinder).lines.find((one) => one.text.includes(text));
  return (line?.reads ?? []).map((address) => {
    const word = words.find((one) => one.address === address);
    return word?.role || word?.where || '';
  });
};

test('lines are those that the run prints, each address with its place', () => {
  const timeline = runOf(pages, 'nested-nmi', UNWINDERS);
  for (const unwinder of UNWINDERS)
    expect(by(after, unwinder).lines.map(({ text }) => text)).toEqual(
      timeline.printed(unwinder, 'after_int3-2'),
    );
  const slots = by(after, 'orc-6.12').lines.flatMap(({ slot }) => (slot === undefined ? [] : [slot]));
  expect(slots.toSorted((a, b) => Number(a - b))).toEqual(slots);
});

test('a line lights the words that it rests on', () => {
  expect(reads(after, 'orc-6.12', ' do_nmi')).toEqual(['T-288']);
  expect(reads(after, 'orc-6.12', 'RIP: 0010')).toContain('outermost.rip');
  expect(reads(before, 'orc-6.12', 'RIP: 0010')).toContain('original.rip');
  expect(reads(after, 'dump-trace', 'do_work')).toEqual(['outermost.rip']);
  // A scan reads each word once, from behind the line before up to its own, and then the frame pointer.
  const certain = by(before, 'dump-trace').lines.filter((line) => line.certain);
  expect(certain.map((line) => line.reads.length)).toEqual([0, 9, 4, 3]);
});

test('a question mark is explained', () => {
  const doubts = (unwinder: string) =>
    by(after, unwinder).lines.flatMap(({ doubt }) => (doubt ? [doubt] : []));
  expect(doubts('orc-6.12')[0]).toMatch(/^The RIP of the iret record\./);
  expect(doubts('orc-6.12')[1]).toMatch(/^The RIP of the original record\./);
  expect(by(after, 'orc-6.12').lines.filter(({ certain }) => !certain)).toHaveLength(
    doubts('orc-6.12').length,
  );
});

describe('the rows of ORC', () => {
  const [row] = before.rows;
  const edit = (change: Partial<OrcRow>): OrcEdit => {
    if (!row?.row) throw new Error('no row in force');
    return { address: row.row.address, row: { ...row.row, ...change } };
  };
  test('the row in force is told, and another one changes the walk', () => {
    expect(row).toMatchObject({ row: { base: 'sp', offset: 8, type: 'regs-partial' }, edited: false });
    expect(by(before, 'orc-6.12').judgement).toBe('right');
    const changed = dump('first_nmi', [edit({ offset: 16 })]);
    expect(changed.rows[0]?.edited).toBe(true);
    expect(by(changed, 'orc-6.12').judgement).not.toBe('right');
    expect(by(changed, 'frame-pointer-4.10')).toEqual(by(before, 'frame-pointer-4.10'));
  });
  test('where a row is deleted, the one before it is in force', () => {
    const at = edit({}).address;
    const deleted = dump('first_nmi', [{ address: at, row: undefined }]);
    expect(deleted.rows[0]?.row?.address).toBeLessThan(at);
  });
});

test('which record each unwinder goes by, over the run', () => {
  const spans = trustedOver(source, pages, UNWINDERS, run.last);
  if (typeof spans === 'string') throw new Error(spans);
  const [, frames = [], orc = []] = spans.map((one) => [...new Set(one.map(({ trusts }) => trusts))]);
  expect(orc).toEqual(['', 'original', 'outermost']);
  expect(frames).toContain('outermost, and original for the way');
  const copied = spans[2]?.find(({ trusts }) => trusts === 'outermost');
  expect(copied?.from).toBe(run.boundary('repeat_nmi'));
});

test('what cannot be dumped is a sentence', () => {
  expect(dumpAt(source, pages, { boundary: 9999, unwinders: UNWINDERS })).toBe(
    'invalid boundary: 9999 (the run is over by then)',
  );
  expect(dumpAt({ ...source, lines: ['nonsense'] }, pages, { boundary: 0, unwinders: [] })).toBe(
    'missing scenario: a recipe starts with scenario SLUG vN',
  );
});
