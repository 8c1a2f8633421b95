import { expect, test } from 'vitest';
import { findingText, lint } from '../../src/scenario/lint.ts';
import { Random } from './recipe-random.ts';

const found = (text: string, columns?: number) =>
  lint(text, columns === undefined ? {} : { columns }).map(
    ({ rule, line, column }) => `${line}:${column} ${rule}`,
  );

/** A rule, a text that it objects to at `line:column`, and one so close that a careless rule would object too. */
const CASES: readonly (readonly [rule: string, at: string, bad: string, good: string])[] = [
  ['columns', '1:76', 'x'.repeat(76), 'x'.repeat(75)],
  ['columns', '1:76', `See ${'x'.repeat(80)}`, `Fixes: 0123456789ab ("${'x'.repeat(80)}")`],
  ['ascii', '1:4', 'Sch\u00f6n', 'Schoen'],
  ['tabs', '1:2', 'a\tb', 'a b'],
  ['time-stamp', '1:1', '[   12.345678] BUG: it fell over', '[1] BUG: it fell over'],
  ['time-stamp', '2:6', 'Trace:\n  <4>[10.648954] CPU: 2', 'Trace:\n  version 10.648954'],
  ['registers', '1:3', '  RAX: 0000000000000000 RBX: 1', '  MAX: 0000 values'],
  ['registers', '1:1', 'Code: 0f 0b eb fe 48 89', 'Code: see below'],
  ['registers', '1:1', 'EFLAGS: 00010046', 'EFLAGS is restored'],
  ['modules', '1:1', 'Modules linked in: ext4', 'Modules are linked'],
  ['addresses', '1:3', '  [<ffffffff81001234>] foo+0x1/0x2', '  foo+0x1/0x2'],
  ['brackets', '1:5', 'The do_nmi path is long.', 'The do_nmi() path is long.'],
  ['brackets', '1:1', 'do_nmi, then', 'struct pt_regs, label first_nmi, x86_64 and repeat_nmi+0x8'],
  ['brackets', '1:6', 'Call end_repeat_nmi', '  Call end_repeat_nmi'],
  [
    'unknown-tag',
    '1:1',
    'BugLink: https://bugs.example.org/1\nThe report says so.',
    'Closes: https://bugs.example.org/1',
  ],
  ['wrong-link', '1:1', 'Link: 20160725@example.org', 'A link: nothing'],
  [
    'link-adds-nothing',
    '3:1',
    'It fails.\n\nLink: https://a.example/s/x/v1',
    'It fails; the link replays it.\n\nLink: https://a.example/s/x/v1',
  ],
  [
    'link-adds-nothing',
    '3:1',
    'It fails [2].\n\n[1] https://a.example/s/x/v1',
    'It fails [1].\n\n[1] https://a.example/s/x/v1',
  ],
  ['commit-id', '1:7', 'Since 0123456789ab it fails.', 'Since 0123456789ab ("x86: break it") it fails.'],
  ['commit-id', '1:8', 'commit 0123456789abcdef0123', 'commit 0123456789abcdef0123 ("x86: break\nit")'],
  ['commit-id', '1:4', 'At 0123456789ab.', 'At 0x0123456789ab and in 123456789012 runs'],
  ['short-commit-id', '1:1', 'commit abc1234 ("x86: break it")', 'commit abc1234def56 ("x86: break it")'],
  ['fixes-title', '1:1', 'Fixes: 0123456789ab', 'Fixes: 0123456789ab ("x86: break it")'],
  ['address-end', '1:29', 'See https://a.example/x#t142.', 'See https://a.example/x#t142'],
  ['address-end', '1:28', 'The report (https://a.b/c/d) says', 'The report https://a.b/c_(d) says'],
  ['archive', '1:5', 'See https://lkml.org/lkml/2017/6/29/654', 'See https://lore.kernel.org/r/id@host'],
  ['mood', '1:1', 'This patch makes it work.', 'Make it work.'],
  ['mood', '1:1', 'We changed it.', 'Frames are as\nWe know them.'],
  ['comment-line', '1:1', '# a heading', ' # no comment'],
  ['trailing-space', '1:4', 'end ', 'end'],
];

for (const [rule, at, bad, good] of CASES) {
  test(`${rule}: ${JSON.stringify(bad.slice(0, 40))}`, () => {
    expect(found(bad)).toContain(`${at} ${rule}`);
    expect(found(good).filter((one) => one.endsWith(` ${rule}`))).toEqual([]);
  });
}

test('every finding is a sentence with a source that can be looked up', () => {
  for (const [, , bad] of CASES) {
    for (const finding of lint(bad)) {
      expect(finding.sentence).toMatch(/^[\S].{10,}[^.]$/);
      expect(finding.source).toMatch(
        /^(Documentation\/process\/[\w-]+\.rst, "|scripts\/checkpatch\.pl, [A-Z_]+$)/,
      );
    }
  }
  const [finding] = lint('x'.repeat(80));
  expect(finding && findingText('mail.txt', finding)).toMatch(
    /^mail\.txt:1:76: the line has 80 columns \(at most 75; only tags may be longer\) \[Documentation\/process\/submitting-patches\.rst, /,
  );
});

test('quoted lines and the patch itself are not read', () => {
  expect(found("> This patch\tis somebody else's\n\nFine.\n---\nThis patch\t\ndiff --git a/x b/x")).toEqual(
    [],
  );
  expect(found('Fine.\ndiff --git a/x b/x\n+This patch\t')).toEqual([]);
});

test('columns can be chosen; a line of any length is counted whole', () => {
  expect(found('x'.repeat(74), 72)).toEqual(['1:73 columns']);
  expect(lint('x'.repeat(5000))[0]?.sentence).toContain('5000 columns');
  expect(lint('x'.repeat(70_000))[0]?.rule).toBe('length');
});

test('fuzzed texts: never a throw', () => {
  const total = Number(process.env.ENTRYLAB_FUZZ ?? 1000);
  for (let seed = 0; seed < total; seed++) {
    const r = new Random(seed);
    const pieces = [
      ...CASES.map(([, , bad]) => bad),
      '\n',
      '\n\n',
      '[1]',
      'https://',
      '\u0000',
      '\ud800',
      '_',
      '(',
    ];
    const text = Array.from({ length: r.below(12) }, () => r.pick(pieces)).join(r.pick(['', ' ', '\n']));
    for (const { line, column } of lint(text)) expect(line > 0 && column > 0, `seed ${seed}`).toBe(true);
  }
});
