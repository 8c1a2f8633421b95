import { expect, test } from 'vitest';
import { differenceOf } from '../../src/asm/difference.ts';

const lines = [
  'one:',
  '\tnop',
  '#: about guard "it guards"',
  '\tpushq %rax',
  '\tcmpl $1, (%rsp) #: safeguard guard',
  '#: without guard: jmp three',
  'two:',
  '\tpopq %rax',
  '\tincq %rax',
  '\tdecq %rax',
  '#: safeguard guard {',
  '\tret # home',
  '#: }',
];
const source = { page: 'here', name: 'x', line: 1, lines };
const text = (without: string) =>
  differenceOf(source, new Set([without])).map((run) => run.map(({ sign, text: line }) => `${sign}${line}`));

test('what a safeguard adds and takes away, each with two lines around it, and no marks', () => {
  expect(text('guard')).toEqual([
    [
      ' \tnop',
      ' \tpushq %rax',
      '+\tcmpl $1, (%rsp)',
      '-\tjmp three',
      ' two:',
      ' \tpopq %rax',
      ' \tincq %rax',
      ' \tdecq %rax',
      '+\tret # home',
    ],
  ]);
});

test('what a page declares is part of it', () => {
  const marks = [
    '#: gate 2 nmi',
    '#: safeguard guard {',
    '#: gate 3 int3',
    '#: }',
    '#: without guard: #: gate 3 int3 on #DB',
  ];
  expect(differenceOf({ ...source, lines: marks }, new Set(['guard']))).toEqual([
    [
      { sign: ' ', text: '#: gate 2 nmi' },
      { sign: '+', text: '#: gate 3 int3' },
      { sign: '-', text: '#: gate 3 int3 on #DB' },
    ],
  ]);
});

test('changes far apart are apart, and a name that is not there changes nothing', () => {
  const far = {
    ...source,
    lines: [...lines.slice(0, 9), ...Array<string>(3).fill('\tnop'), ...lines.slice(9)],
  };
  expect(differenceOf(far, new Set(['guard']))).toHaveLength(2);
  expect(text('other')).toEqual([]);
});
