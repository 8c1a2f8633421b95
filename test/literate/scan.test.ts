import { expect, test } from 'vitest';
import { mutantsOf } from '../../src/literate/mutants.ts';
import { scan } from '../../src/literate/scan.ts';
import { inBrowser, inVitest, tangle } from '../../src/literate/tangle.ts';

const page = (...body: string[]) => ['---', 'title: t', '---', ...body].join('\n');
const mistake = (...body: string[]) => {
  try {
    scan(page(...body), 'p.mdx');
  } catch (error) {
    return String(error);
  }
  return 'none';
};

test('a tangled page keeps every line and column', () => {
  const text = page(
    'Five is <Claim is="5n">5</Claim>, six <Claim is="6">6</Claim>.',
    '```ts run adds',
    '  expect(1).toBe(1);',
    '```',
  );
  for (const prelude of [inVitest('p.mdx'), inBrowser('p.mdx')]) {
    const lines = tangle(scan(text, 'p.mdx'), prelude).split('\n');
    expect(lines).toHaveLength(text.split('\n').length);
    expect(lines[5]).toBe('  expect(1).toBe(1);');
    const [, , , claims = ''] = lines;
    expect(claims.indexOf('5n')).toBe(text.split('\n')[3]?.indexOf('5n'));
    expect(claims.indexOf('"6"') + 1).toBe(text.split('\n')[3]?.indexOf('6</'));
  }
});

test('mistakes name their place', () => {
  expect(mistake('```ts rnu x', '```')).toBe('PageError: p.mdx:4:1: unknown cell: ts rnu');
  expect(mistake('', '```ts run', '```')).toBe('PageError: p.mdx:5:1: missing title: ts run');
  expect(mistake('- item', '  ```asm x', '  ```')).toBe('PageError: p.mdx:5:1: invalid cell: indented fence');
  expect(mistake('```asm a', '```', '```asm a', '```')).toBe('PageError: p.mdx:6:1: duplicate cell: asm a');
  expect(mistake('```ts run x')).toBe('PageError: p.mdx:4:1: missing end of fence');
  expect(mistake('a <Claim is="1">', '</Claim>')).toMatch(/^PageError: p.mdx:4:3: invalid claim: write/);
  expect(mistake('a <Claim is="1"></Claim>')).toBe('PageError: p.mdx:4:17: invalid claim: ""');
});

test('a number in prose is a claim, or plain, or code', () => {
  const unproven =
    'PageError: p.mdx:4:7: unproven number: 253 (write <Claim is="EXPRESSION">253</Claim> or <Plain>253</Plain>)';
  expect(mistake('after 253 steps')).toBe(unproven);
  const fine =
    'in <Plain>July 2016</Plain>, `q(-6)`, q(-6), linux-4.2, x86-64, [a](/b/4), <b id="7">ten</b>, <Claim is="f">253</Claim>';
  expect(mistake(fine)).toBe('none');
});

test('code and other fences are prose', () => {
  const { cells, claims } = scan(page('`<Claim is="1">`', '````md', '```ts run x', '```', '````'), 'p.mdx');
  expect({ cells, claims }).toEqual({ cells: [], claims: [] });
});

test('each expected value has its mutants', () => {
  const text = page('<Claim is="x">0x1f</Claim>', '```ts run a', 'expect(1).toBe(1);', '```');
  expect(
    mutantsOf(scan(text, 'p.mdx')).map(({ line, column, change }) => `${line}:${column} ${change}`),
  ).toEqual(['6:16 1 -> 2', '6:16 1 -> (nothing)', '4:15 0x1f -> 0x11', '4:15 0x1f -> (nothing)']);
});

test('a mutant differs in its place alone', () => {
  const text = page('```ts run a', 'expect([1]).toEqual([', '  1,', ']);', 'expect(2).toBe(2);', '```');
  const [change, loss] = mutantsOf(scan(text, 'p.mdx')).map((mutant) => mutant.text.split('\n').slice(4, 8));
  expect(change).toEqual([`expect([1]).toEqual(Symbol('other')`, '', ');', 'expect(2).toBe(2);']);
  expect(loss).toEqual(['expect([1]).toEqual(', '', ');', 'expect(2).toBe(2);']);
});
